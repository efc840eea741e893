"""Arrangements: asked for, agreed within their limits, declined, breached, cancelled."""

from datetime import date, datetime
from typing import Any

import pytest

from ledger.calendar import PACIFIC
from ledger.events import (
    ArrangementAgreed,
    ArrangementBreached,
    ArrangementCancelled,
    ArrangementDeclined,
    ArrangementRequested,
    Installment,
)
from tests.commands.world import World


def due(*days: str, amount: str = "45.00") -> list[dict[str, str]]:
    return [{"due_on": day, "amount": amount} for day in days]


@pytest.fixture
def world() -> World:
    return World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")


@pytest.fixture
def agreed(world: World) -> World:
    world.given("arrangement request", arrangement="P-1", at="2024-04-10T09:15")
    return world.given(
        "arrangement agree",
        arrangement="P-1",
        kind="reduced",
        on="2024-04-12",
        installments=due("2024-05-10", "2024-06-10"),
    )


def shut_off(world: World) -> World:
    return world.given("service disconnect", at="2024-05-28T10:00", reason="nonpayment")


def test_do_07_a_request_is_recorded(world: World) -> None:
    requested = world.then(
        "arrangement request", arrangement="P-1", at="2024-04-10T09:15", channel="phone", asks="three months"
    )
    at = datetime(2024, 4, 10, 9, 15, tzinfo=PACIFIC)
    assert requested == [ArrangementRequested(arrangement="P-1", at=at, channel="phone", asks="three months")]


@pytest.mark.parametrize(
    ("at", "flags"),
    [
        ("2024-05-28T09:59", ()),
        ("2024-05-28T10:00", ("DO-07",)),
        ("2024-05-28T10:01", ("DO-07",)),
        ("2024-05-28", ()),
        ("2024-05-29", ("DO-07",)),
    ],
)
def test_do_07_a_request_when_the_water_is_off_is_flagged(world: World, at: str, flags: tuple[str, ...]) -> None:
    (requested,) = shut_off(world).then("arrangement request", arrangement="P-1", at=at)
    assert requested.flags == flags


def test_an_arrangement_is_agreed_under_the_rule_of_its_kind(world: World) -> None:
    (agreed,) = world.then(
        "arrangement agree", arrangement="P-1", kind="reduced", on="2024-04-12", basis="health", reason="hardship",
        installments=due("2024-06-10", "2024-05-10"),
    )  # fmt: skip
    assert agreed == ArrangementAgreed(
        arrangement="P-1",
        kind="reduced",
        on=date(2024, 4, 12),
        installments=(Installment(date(2024, 5, 10), 4500), Installment(date(2024, 6, 10), 4500)),
        arrangement_basis="health",
        reason="hardship",
        basis=(world.policies.on(date(2024, 4, 12)).rule("reduced_payment").version,),
        policy_text=world.policies.on(date(2024, 4, 12)).packs["del-oro"].sha,
    )
    assert agreed.basis[0].rule == "DO-09"


@pytest.mark.parametrize(("kind", "rule"), [("deferred", "DO-08"), ("reduced", "DO-09"), ("alternative", "DO-10")])
def test_an_arrangement_needs_no_request(world: World, kind: str, rule: str) -> None:
    (agreed,) = world.then(
        "arrangement agree",
        arrangement="P-1",
        kind=kind,
        on="2024-04-12",
        installments=due("2024-04-12", amount="90.00"),
    )
    assert [version.rule for version in agreed.basis] == [rule]


@pytest.mark.parametrize(
    ("on", "last", "refused"),
    [
        ("2024-04-12", "2025-04-11", False),
        ("2024-04-12", "2025-04-12", False),
        ("2024-04-12", "2025-04-13", True),
        ("2024-02-29", "2025-02-28", False),
        ("2024-02-29", "2025-03-01", True),
    ],
)
def test_do_09_a_reduced_payment_ends_within_twelve_months(on: str, last: str, refused: bool) -> None:
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-15", amount="90.00")
    fields: dict[str, Any] = {
        "arrangement": "P-1",
        "kind": "reduced",
        "on": on,
        "installments": due("2024-05-10", last),
    }
    if refused:
        said = world.refusal("arrangement agree", **fields)
        assert (said.code, said.rules) == ("arrangement_not_allowed", ("DO-09",))
        assert said.message.startswith("DO-09: the last installment is due ")
    else:
        assert world.then("arrangement agree", **fields)


@pytest.mark.parametrize("kind", ["deferred", "alternative"])
def test_do_09_is_no_matter_of_the_other_kinds(world: World, kind: str) -> None:
    assert world.then(
        "arrangement agree",
        arrangement="P-1",
        kind=kind,
        on="2024-04-12",
        installments=due("2026-04-12", amount="90.00"),
    )


def test_do_14_after_a_breach_an_arrangement_needs_a_reason(agreed: World) -> None:
    second: dict[str, Any] = {
        "arrangement": "P-2", "kind": "deferred", "on": "2024-05-14", "installments": due("2024-06-03", amount="90.00")
    }  # fmt: skip
    said = agreed.refusal("arrangement agree", **second)
    assert (said.code, said.rules) == ("arrangement_not_allowed", ("DO-14",))
    assert "reason" in said.message
    assert agreed.then("arrangement agree", **second, reason="a death in the family")


def test_do_07_do_09_do_14_every_rule_in_the_way_is_named(agreed: World) -> None:
    shut_off(agreed)
    said = agreed.refusal(
        "arrangement agree", arrangement="P-2", kind="reduced", on="2024-05-29", installments=due("2025-05-30")
    )
    assert said.rules == ("DO-07", "DO-09", "DO-14")
    assert all(f"{rule}: " in said.message for rule in said.rules)


def test_an_installment_is_not_due_before_the_agreement(world: World) -> None:
    said = world.refusal(
        "arrangement agree", arrangement="P-1", kind="deferred", on="2024-04-12", installments=due("2024-04-11")
    )
    assert said.code == "invalid_value"
    assert said.message == "installments: 2024-04-11 is before the agreement, of 2024-04-12"


def test_an_arrangement_has_installments(world: World) -> None:
    said = world.refusal("arrangement agree", arrangement="P-1", kind="deferred", on="2024-04-12", installments=[])
    assert said.code == "invalid_value"
    assert said.message.startswith("installments: ")


def test_a_request_is_declined(world: World) -> None:
    world.given("arrangement request", arrangement="P-1", at="2024-04-10T09:15")
    declined = world.then("arrangement decline", arrangement="P-1", on="2024-04-10", reason="paid meanwhile")
    assert declined == [ArrangementDeclined(arrangement="P-1", on=date(2024, 4, 10), reason="paid meanwhile")]


def test_only_a_request_is_declined(world: World) -> None:
    said = world.refusal("arrangement decline", arrangement="P-9", on="2024-04-12", reason="none")
    assert (said.code, said.message) == ("unknown_arrangement", "account 7001 has no arrangement P-9; record it first")


def test_a_request_is_not_declined_before_it_was_made(world: World) -> None:
    world.given("arrangement request", arrangement="P-1", at="2024-04-10T09:15")
    assert world.refusal("arrangement decline", arrangement="P-1", on="2024-04-09", reason="none").code == "too_early"


@pytest.mark.parametrize(("on", "refused"), [("2024-04-11", False), ("2024-04-12", True), ("2024-04-13", True)])
def test_what_is_agreed_is_not_declined_any_more(agreed: World, on: str, refused: bool) -> None:
    if refused:
        said = agreed.refusal("arrangement decline", arrangement="P-1", on=on, reason="none")
        assert said.code == "agreed_already"
        assert "end it with 'arrangement cancel'" in said.message
    else:
        assert agreed.then("arrangement decline", arrangement="P-1", on=on, reason="none")


@pytest.mark.parametrize(("on", "flags"), [("2024-05-10", ("DO-11",)), ("2024-05-11", ()), ("2024-05-13", ())])
def test_do_11_a_breach_found_while_every_installment_is_kept_is_flagged(
    agreed: World, on: str, flags: tuple[str, ...]
) -> None:
    breached = agreed.then("arrangement breach", arrangement="P-1", on=on, reason="nothing came")
    assert breached == [
        ArrangementBreached(arrangement="P-1", on=date.fromisoformat(on), reason="nothing came", flags=flags)
    ]


def test_do_11_a_breach_found_after_the_installment_was_paid_is_flagged(agreed: World) -> None:
    agreed.given("payment receive", payment="T-1", amount="45.00", received_at="2024-05-10", channel="mail")
    (breached,) = agreed.then("arrangement breach", arrangement="P-1", on="2024-05-13", reason="mistaken")
    assert breached.flags == ("DO-11",)


def test_an_arrangement_is_cancelled(agreed: World) -> None:
    cancelled = agreed.then("arrangement cancel", arrangement="P-1", on="2024-04-12", reason="moved")
    assert cancelled == [ArrangementCancelled(arrangement="P-1", on=date(2024, 4, 12), reason="moved")]


@pytest.mark.parametrize("title", ["arrangement breach", "arrangement cancel"])
def test_only_what_was_agreed_ends(world: World, title: str) -> None:
    said = world.refusal(title, arrangement="P-9", on="2024-05-13", reason="none")
    assert (said.code, said.message) == ("unknown_arrangement", "account 7001 has no arrangement P-9; record it first")
    world.given("arrangement request", arrangement="P-1", at="2024-04-10T09:15")
    said = world.refusal(title, arrangement="P-1", on="2024-05-13", reason="none")
    assert said.code == "not_agreed"
    assert "record 'arrangement agree' first" in said.message


@pytest.mark.parametrize("title", ["arrangement breach", "arrangement cancel"])
def test_nothing_ends_before_it_was_agreed(agreed: World, title: str) -> None:
    assert agreed.refusal(title, arrangement="P-1", on="2024-04-11", reason="none").code == "too_early"


@pytest.mark.parametrize(("on", "refused"), [("2024-05-12", False), ("2024-05-13", True), ("2024-05-14", True)])
def test_what_was_cancelled_is_not_breached_any_more(agreed: World, on: str, refused: bool) -> None:
    agreed.given("arrangement cancel", arrangement="P-1", on="2024-05-13", reason="moved")
    if refused:
        said = agreed.refusal("arrangement breach", arrangement="P-1", on=on, reason="none")
        assert said.code == "arrangement_ended"
        assert "was cancelled on 2024-05-13" in said.message
    else:
        assert agreed.then("arrangement breach", arrangement="P-1", on=on, reason="none")
