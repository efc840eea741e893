"""Disputes: petitions about a bill, in time or late, and the utility's answers."""

from datetime import date, datetime

import pytest

from ledger.calendar import PACIFIC
from ledger.events import PetitionAnswered, PetitionFiled
from tests.commands.world import World


@pytest.fixture
def world() -> World:
    return World().given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="85.00")


@pytest.fixture
def disputed(world: World) -> World:
    return world.given(
        "dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08T09:30", disputed_amount="30.00"
    )


def test_do_22_a_petition_disputes_the_whole_bill_unless_it_says_how_much(world: World) -> None:
    filed = world.then(
        "dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08T09:30", petitioner="Ben Ruiz",
        role="occupant", beyond_means=True, channel="phone",
    )  # fmt: skip
    assert filed == [
        PetitionFiled(
            dispute="D-1",
            bill="B-1",
            filed_at=datetime(2024, 2, 8, 9, 30, tzinfo=PACIFIC),
            disputed_amount=8500,
            petitioner="Ben Ruiz",
            role="occupant",
            ground="accuracy",
            beyond_means=True,
            channel="phone",
        )
    ]


@pytest.mark.parametrize("amount", ["0.01", "84.99", "85.00"])
def test_a_petition_may_dispute_a_part(world: World, amount: str) -> None:
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08", disputed_amount=amount)
    assert filed.disputed_amount == int(amount.replace(".", ""))


def test_a_petition_disputes_no_more_than_the_bill(world: World) -> None:
    said = world.refusal("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08", disputed_amount="85.01")
    assert said.code == "too_much"
    assert said.message == "bill B-1 is 85.00, less than 85.01; dispute that at most"


@pytest.mark.parametrize(("filed_at", "disputed"), [("2024-02-08", 8500), ("2024-02-09", 7000), ("2024-02-10", 7000)])
def test_the_whole_bill_is_what_it_was_that_day(world: World, filed_at: str, disputed: int) -> None:
    world.given("bill correct", bill="B-1", amount="70.00", mailed_on="2024-02-09", reason="misread")
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)
    assert filed.disputed_amount == disputed


@pytest.mark.parametrize("filed_at", ["2024-02-12", "2024-02-12T23:59"])
def test_do_23_the_tenth_day_after_mailing_moved_off_a_weekend_is_in_time(world: World, filed_at: str) -> None:
    # Mailed on Thursday 1 February, presumed received on the 6th: the fifth day after is a Sunday, Monday the 12th is
    # Lincoln Day, so Tuesday the 13th is the last.
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)
    assert filed.flags == ()


@pytest.mark.parametrize(
    ("filed_at", "flags"),
    [("2024-02-13", ()), ("2024-02-13T23:59", ()), ("2024-02-14T00:00", ("DO-23",)), ("2024-02-14", ("DO-23",))],
)
def test_do_23_a_late_petition_is_recorded_and_flagged(world: World, filed_at: str, flags: tuple[str, ...]) -> None:
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)
    assert filed.flags == flags


@pytest.mark.parametrize(("filed_at", "flags"), [("2024-02-16", ()), ("2024-02-20", ()), ("2024-02-21", ("DO-23",))])
def test_do_23_the_five_days_run_from_evidenced_receipt(world: World, filed_at: str, flags: tuple[str, ...]) -> None:
    # Received on Monday 12 February: the fifth day is Saturday, and Monday the 19th is Presidents Day.
    world.given("bill receipt", bill="B-1", received_on="2024-02-12")
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)
    assert filed.flags == flags


def test_do_22_a_petition_on_another_ground_is_flagged(world: World) -> None:
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-02-08", ground="other")
    assert filed.flags == ("DO-22",)
    (late,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-08", ground="other")
    assert late.flags == ("DO-22", "DO-23")


def test_before_the_policy_there_was_no_rule_to_break() -> None:
    world = World().given("bill issue", bill="B-1", mailed_on="2019-06-03", amount="85.00")
    (filed,) = world.then("dispute petition", dispute="D-1", bill="B-1", filed_at="2019-09-03", ground="other")
    assert filed.flags == ()


def test_a_petition_is_about_a_bill(world: World) -> None:
    said = world.refusal("dispute petition", dispute="D-1", bill="B-9", filed_at="2024-02-08")
    assert (said.code, said.message) == ("unknown_bill", "account 7001 has no bill B-9; record it first")


def test_a_petition_follows_its_bill(world: World) -> None:
    assert world.refusal("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-01-31").code == "too_early"


@pytest.mark.parametrize(("filed_at", "refused"), [("2024-02-11", False), ("2024-02-12", True), ("2024-02-13", True)])
def test_a_voided_bill_is_not_disputed(world: World, filed_at: str, refused: bool) -> None:
    world.given("bill void", bill="B-1", on="2024-02-12", reason="issued twice")
    if refused:
        said = world.refusal("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)
        assert said.code == "bill_voided"
        assert "was voided on 2024-02-12" in said.message
    else:
        assert world.then("dispute petition", dispute="D-1", bill="B-1", filed_at=filed_at)


def test_a_petition_is_answered(disputed: World) -> None:
    answered = disputed.then("dispute answer", dispute="D-1", on="2024-03-01", outcome="upheld", language="es")
    assert answered == [PetitionAnswered(dispute="D-1", on=date(2024, 3, 1), outcome="upheld", language="es")]


@pytest.mark.parametrize("credit", ["0.01", "29.99", "30.00"])
def test_an_adjusted_petition_gives_a_credit(disputed: World, credit: str) -> None:
    (answered,) = disputed.then("dispute answer", dispute="D-1", on="2024-03-01", outcome="adjusted", credit=credit)
    assert answered.credit == int(credit.replace(".", ""))


def test_a_credit_is_no_more_than_what_was_disputed(disputed: World) -> None:
    said = disputed.refusal("dispute answer", dispute="D-1", on="2024-03-01", outcome="adjusted", credit="30.01")
    assert said.code == "too_much"
    assert said.message.startswith("dispute D-1 is about 30.00, less than 30.01; credit that at most")


def test_all_credits_together_are_no_more_than_the_bill(disputed: World) -> None:
    disputed.given("dispute answer", dispute="D-1", on="2024-03-01", outcome="adjusted", credit="30.00")
    disputed.given("dispute petition", dispute="D-2", bill="B-1", filed_at="2024-03-04")
    adjusted = {"dispute": "D-2", "on": "2024-03-08", "outcome": "adjusted"}
    said = disputed.refusal("dispute answer", credit="55.01", **adjusted)
    assert (said.code, said.message) == (
        "too_much",
        (
            "bill B-1 is 85.00 and answers credit 30.00 of it already, so not 55.01 more; credit the rest at most "
            "(give more with 'adjustment post')"
        ),
    )
    assert disputed.then("dispute answer", credit="55.00", **adjusted)
    disputed.given("bill correct", bill="B-1", amount="40.00", mailed_on="2024-03-05", reason="misread")
    assert disputed.refusal("dispute answer", credit="10.01", **adjusted).code == "too_much"


@pytest.mark.parametrize("outcome", ["upheld", "adjusted"])
def test_an_answer_may_give_a_credit(disputed: World, outcome: str) -> None:
    (answered,) = disputed.then("dispute answer", dispute="D-1", on="2024-03-01", outcome=outcome, credit="5.00")
    assert (answered.outcome, answered.credit) == (outcome, 500)


def test_a_petition_that_was_withdrawn_gets_no_credit(disputed: World) -> None:
    said = disputed.refusal("dispute answer", dispute="D-1", on="2024-03-01", outcome="withdrawn", credit="5.00")
    assert (said.code, said.message) == ("invalid_value", "credit: a petition that was withdrawn gets none")


def test_an_answer_needs_its_petition(disputed: World) -> None:
    said = disputed.refusal("dispute answer", dispute="D-9", on="2024-03-01", outcome="upheld")
    assert (said.code, said.message) == ("unknown_dispute", "account 7001 has no dispute D-9; record it first")


@pytest.mark.parametrize(("on", "refused"), [("2024-02-07", True), ("2024-02-08", False)])
def test_an_answer_does_not_come_before_its_petition(disputed: World, on: str, refused: bool) -> None:
    if refused:
        assert disputed.refusal("dispute answer", dispute="D-1", on=on, outcome="upheld").code == "too_early"
    else:
        assert disputed.then("dispute answer", dispute="D-1", on=on, outcome="upheld")
