"""Appeals: filed on a petition, deposited, lapsed, closed and paid out by the Commission."""

from datetime import date

import pytest

from ledger.events import (
    AppealClosed,
    AppealFiled,
    AppealLapsed,
    CommissionDepositDisbursed,
    CommissionDepositEvidenced,
)
from tests.commands.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="85.00")
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08T09:30")
    world.given("dispute answer", dispute="D-1", on="2024-03-01", outcome="upheld")
    return world


@pytest.fixture
def appealed(world: World) -> World:
    world.given("appeal file", appeal="A-1", dispute="D-1", on="2024-03-12")
    world.given("appeal deposit", appeal="A-1", amount="85.00", on="2024-03-14")
    return world


def test_an_appeal_is_filed(world: World) -> None:
    filed = world.then("appeal file", appeal="A-1", dispute="D-1", on="2024-03-12", forum="formal", evidence="C.24-03")
    assert filed == [AppealFiled(appeal="A-1", dispute="D-1", on=date(2024, 3, 12), forum="formal", evidence="C.24-03")]


@pytest.mark.parametrize(("on", "flags"), [("2024-02-29", ("DO-25",)), ("2024-03-01", ()), ("2024-03-02", ())])
def test_do_25_an_appeal_before_the_answer_is_flagged(world: World, on: str, flags: tuple[str, ...]) -> None:
    (filed,) = world.then("appeal file", appeal="A-1", dispute="D-1", on=on)
    assert filed.flags == flags


def test_do_25_an_appeal_without_any_answer_is_flagged(world: World) -> None:
    world.given("dispute petition", dispute="D-2", bill="B-1", filed_at="2024-03-05")
    (filed,) = world.then("appeal file", appeal="A-2", dispute="D-2", on="2024-03-12")
    assert filed.flags == ("DO-25",)


def test_an_appeal_is_about_a_dispute(world: World) -> None:
    said = world.refusal("appeal file", appeal="A-1", dispute="D-9", on="2024-03-12")
    assert (said.code, said.message) == ("unknown_dispute", "account 7001 has no dispute D-9; record it first")


def test_an_appeal_follows_the_petition(world: World) -> None:
    assert world.refusal("appeal file", appeal="A-1", dispute="D-1", on="2024-02-07").code == "too_early"


def test_do_26_a_deposit_with_the_commission_is_noted(appealed: World) -> None:
    noted = appealed.then("appeal deposit", appeal="A-1", amount="5.00", on="2024-03-12", reference="impound 5512")
    assert noted == [
        CommissionDepositEvidenced(appeal="A-1", amount=500, on=date(2024, 3, 12), reference="impound 5512")
    ]


def test_do_29_an_appeal_lapses(appealed: World) -> None:
    lapsed = appealed.then("appeal lapse", appeal="A-1", on="2024-06-03", evidence="letter of 31 May")
    assert lapsed == [AppealLapsed(appeal="A-1", on=date(2024, 6, 3), evidence="letter of 31 May")]


def test_do_29_an_appeal_is_closed(appealed: World) -> None:
    closed = appealed.then("appeal close", appeal="A-1", on="2024-07-09", outcome="bill upheld")
    assert closed == [AppealClosed(appeal="A-1", on=date(2024, 7, 9), outcome="bill upheld")]


@pytest.mark.parametrize(("on", "refused"), [("2024-07-08", False), ("2024-07-09", True), ("2024-07-10", True)])
def test_do_29_a_closed_appeal_does_not_lapse(appealed: World, on: str, refused: bool) -> None:
    appealed.given("appeal close", appeal="A-1", on="2024-07-09", outcome="bill upheld")
    if refused:
        said = appealed.refusal("appeal lapse", appeal="A-1", on=on, evidence="letter")
        assert said.code == "appeal_closed"
        assert "was closed on 2024-07-09" in said.message
    else:
        assert appealed.then("appeal lapse", appeal="A-1", on=on, evidence="letter")


STEPS = [
    ("appeal deposit", {"amount": "1.00"}),
    ("appeal lapse", {"evidence": "letter"}),
    ("appeal close", {"outcome": "upheld"}),
    ("appeal disburse", {"to_utility": "1.00", "to_customer": "0.00"}),
]


@pytest.mark.parametrize(("title", "fields"), STEPS)
def test_every_step_needs_its_appeal(world: World, title: str, fields: dict[str, str]) -> None:
    said = world.refusal(title, appeal="A-9", on="2024-03-20", **fields)
    assert (said.code, said.message) == ("unknown_appeal", "account 7001 has no appeal A-9; record it first")


@pytest.mark.parametrize(("title", "fields"), STEPS)
def test_no_step_comes_before_the_filing(appealed: World, title: str, fields: dict[str, str]) -> None:
    assert appealed.refusal(title, appeal="A-1", on="2024-03-11", **fields).code == "too_early"


@pytest.mark.parametrize(
    ("to_utility", "to_customer"), [("72.60", "12.40"), ("85.00", "0.00"), ("0.00", "85.00"), ("1.00", "0.00")]
)
def test_do_26_the_commission_pays_out_what_it_holds(appealed: World, to_utility: str, to_customer: str) -> None:
    paid = appealed.then(
        "appeal disburse", appeal="A-1", on="2024-07-16", to_utility=to_utility, to_customer=to_customer
    )
    cents = {"to_utility": int(to_utility.replace(".", "")), "to_customer": int(to_customer.replace(".", ""))}
    assert paid == [CommissionDepositDisbursed(appeal="A-1", on=date(2024, 7, 16), **cents)]


def test_do_26_the_commission_pays_out_no_more_than_it_holds(appealed: World) -> None:
    said = appealed.refusal("appeal disburse", appeal="A-1", on="2024-07-16", to_utility="72.61", to_customer="12.40")
    assert said.code == "too_much"
    assert said.message == (
        "the Commission holds 85.00 for appeal A-1 from 2024-07-16 on, less than 85.01; "
        "record the rest with 'appeal deposit' first"
    )


def test_do_26_what_is_paid_out_is_held_no_longer(appealed: World) -> None:
    appealed.given("appeal disburse", appeal="A-1", on="2024-07-16", to_utility="80.00", to_customer="0.00")
    for on in ("2024-07-15", "2024-07-17"):
        said = appealed.refusal("appeal disburse", appeal="A-1", on=on, to_utility="0.00", to_customer="5.01")
        assert "holds 5.00" in said.message
        assert appealed.then("appeal disburse", appeal="A-1", on=on, to_utility="0.00", to_customer="5.00")


def test_do_26_what_a_later_deposit_made_good_was_not_there_before(appealed: World) -> None:
    appealed.given("appeal disburse", appeal="A-1", on="2024-07-16", to_utility="85.00", to_customer="0.00")
    appealed.given("appeal deposit", appeal="A-1", amount="85.00", on="2024-08-01")
    said = appealed.refusal("appeal disburse", appeal="A-1", on="2024-07-15", to_utility="0.01", to_customer="0.00")
    assert "holds 0.00" in said.message
    assert appealed.then("appeal disburse", appeal="A-1", on="2024-08-01", to_utility="85.00", to_customer="0.00")


def test_do_26_a_deposit_of_a_later_day_is_not_held_yet(appealed: World) -> None:
    said = appealed.refusal("appeal disburse", appeal="A-1", on="2024-03-13", to_utility="1.00", to_customer="0.00")
    assert "holds 0.00" in said.message


def test_a_payout_of_nothing_is_invalid(appealed: World) -> None:
    said = appealed.refusal("appeal disburse", appeal="A-1", on="2024-07-16", to_utility="0.00", to_customer="0.00")
    assert said.code == "invalid_value"
    assert "give one of the two an amount" in said.message
