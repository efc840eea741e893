"""Service: authorized where every rule allows, recorded whatever they say, restored when paid, undone when wrongful."""

from datetime import date, datetime
from typing import Any

import pytest

from ledger.calendar import PACIFIC
from ledger.events import (
    FeeCharged,
    FeeWaived,
    ReconnectionRequested,
    ServiceDisconnected,
    ServiceReconnected,
    ShutoffAuthorized,
    ShutoffFoundWrongful,
)
from ledger.policy.case import Case
from ledger.policy.explain import explain
from tests.commands.world import World

LAST_DAY_TO_PAY, FIRST_DAY, FRIDAY, HOLIDAY = "2024-05-22", "2024-05-23", "2024-05-24", "2024-05-27"
OVERRIDE = {"override_reason": "the crew is there only that day", "approved_by": "M. Chen"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PACIFIC)


def says(world: World, moment: str) -> Any:
    """What every rule says at that moment, as an event keeps it."""
    account = world.account()
    return tuple(rule.recorded() for rule in explain(Case(account, at(moment), world.calendar, world.policies)).rules)


@pytest.fixture
def world() -> World:
    """A bill of 90.00 that may be cut from Thursday 23 May 2024 on, with its notice and its call."""
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    world.given("notice serve", notice="N-1", kind="discontinuance", on="2024-04-25", method="mail")
    return world.given("contact attempt", at="2024-05-20T10:00", method="phone", outcome="reached")


@pytest.fixture
def off(world: World) -> World:
    return world.given("service disconnect", at=f"{FIRST_DAY}T10:20", reason="nonpayment")


def paid(world: World) -> World:
    return world.given(
        "payment receive", payment="P-1", amount="90.00", received_at="2024-05-23T12:00", channel="counter"
    )


# Authorize


def test_a_shutoff_is_authorized_with_what_every_rule_said(world: World) -> None:
    expected = says(world, f"{FIRST_DAY}T10:00")
    assert world.then("service authorize", at=f"{FIRST_DAY}T10:00") == [
        ShutoffAuthorized(at=at(f"{FIRST_DAY}T10:00"), verdicts=expected)
    ]
    named = {verdict.rule for verdict in expected}
    assert {"DO-04", "DO-19", "DO-37", "HS-116908-A", "PUC-779.1-A", "ORD-2020-04"} <= named


def test_do_04_a_shutoff_is_not_authorized_a_day_too_soon(world: World) -> None:
    said = world.refusal("service authorize", at=f"{LAST_DAY_TO_PAY}T10:00")
    assert said.code == "shutoff_not_allowed"
    assert said.rules == ("DO-04", "HS-116908-A")
    assert "DO-04: bill B-1 may be paid until 22 May 2024; HS-116908-A: " in said.message
    assert said.message.endswith("(ask 'explain 7001' when it may be)")


def test_every_rule_in_the_way_is_named() -> None:
    said = (
        World()
        .given("bill issue", bill="B-1", mailed_on="2024-05-06", amount="90.00")
        .refusal("service authorize", at="2024-05-25T10:00")
    )
    assert {"DO-02", "DO-04", "DO-19", "DO-31", "DO-33", "DO-36", "PUC-779.1-A", "PUC-779.1-B", "PUC-780"} <= set(
        said.rules
    )
    assert all(f"{rule}: " in said.message for rule in said.rules)


def test_do_37_a_friday_is_not_authorized_by_itself(world: World) -> None:
    said = world.refusal("service authorize", at=f"{FRIDAY}T10:00")
    assert (said.code, said.rules) == ("shutoff_not_allowed", ("DO-37",))
    assert "override_reason and approved_by" in said.message


def test_do_37_a_friday_may_be_overridden_with_a_reason_and_a_name(world: World) -> None:
    expected = says(world, f"{FRIDAY}T10:00")
    assert world.then("service authorize", at=f"{FRIDAY}T10:00", **OVERRIDE) == [
        ShutoffAuthorized(at=at(f"{FRIDAY}T10:00"), verdicts=expected, **OVERRIDE)
    ]


@pytest.mark.parametrize("given", OVERRIDE)
def test_an_override_needs_a_reason_and_a_name(world: World, given: str) -> None:
    said = world.refusal("service authorize", at=f"{FRIDAY}T10:00", **{given: OVERRIDE[given]})
    assert (said.code, said.message) == ("missing_field", "an override needs both override_reason and approved_by")


@pytest.mark.parametrize(
    ("moment", "rules"),
    [
        (f"{FRIDAY}T17:00", ("DO-36", "DO-37", "PUC-780")),
        (f"{HOLIDAY}T10:00", ("DO-35", "DO-36", "PUC-780")),
        (f"{LAST_DAY_TO_PAY}T10:00", ("DO-04", "HS-116908-A")),
    ],
)
def test_what_a_rule_forbids_is_not_overridden(world: World, moment: str, rules: tuple[str, ...]) -> None:
    said = world.refusal("service authorize", at=moment, **OVERRIDE)
    assert (said.code, said.rules) == ("shutoff_not_allowed", rules)


def test_what_is_off_is_not_authorized_again(off: World) -> None:
    said = off.refusal("service authorize", at="2024-05-28T10:00")
    assert said.code == "already_off"
    assert said.message == (
        "the water of account 7001 is off since 2024-05-23T10:20:00-07:00; record 'service reconnect' first"
    )


@pytest.mark.parametrize("title", ["authorize", "disconnect", "request-reconnection", "reconnect"])
def test_the_time_of_day_matters(world: World, title: str) -> None:
    fields = {"reason": "nonpayment"} if title == "disconnect" else {}
    said = world.refusal(f"service {title}", at=FIRST_DAY, **fields)
    assert said.code == "invalid_value"
    assert "the time of day matters here" in said.message


# Disconnect


def test_a_shutoff_is_recorded_with_what_every_rule_said(world: World) -> None:
    expected = says(world, f"{FIRST_DAY}T10:20")
    assert world.then("service disconnect", at=f"{FIRST_DAY}T10:20", reason="nonpayment") == [
        ServiceDisconnected(at=at(f"{FIRST_DAY}T10:20"), reason="nonpayment", verdicts=expected)
    ]


@pytest.mark.parametrize(
    ("moment", "flags"),
    [
        (f"{LAST_DAY_TO_PAY}T10:00", ("DO-04", "HS-116908-A")),
        (f"{FIRST_DAY}T07:59", ("DO-36", "PUC-780")),
        (f"{FIRST_DAY}T08:00", ()),
        (f"{FIRST_DAY}T16:59", ()),
        (f"{FIRST_DAY}T17:00", ("DO-36", "PUC-780")),
        (f"{FRIDAY}T10:00", ("DO-37",)),
        ("2024-05-25T10:00", ("DO-33", "DO-36", "PUC-780")),
        ("2024-05-26T10:00", ("DO-34", "DO-36", "DO-38", "PUC-780")),
        (f"{HOLIDAY}T10:00", ("DO-35", "DO-36", "PUC-780")),
        ("2024-05-28T10:00", ()),
    ],
)
def test_a_shutoff_against_the_rules_is_recorded_and_flagged(world: World, moment: str, flags: tuple[str, ...]) -> None:
    (made,) = world.then("service disconnect", at=moment, reason="nonpayment")
    assert made.flags == flags
    assert {v.rule for v in made.verdicts if v.verdict in ("blocks", "avoids", "unknown")} == set(flags)


@pytest.mark.parametrize(("made_at", "flags"), [(f"{FRIDAY}T11:00", ()), ("2024-05-31T11:00", ("DO-37",))])
def test_do_37_an_override_is_for_its_own_day(world: World, made_at: str, flags: tuple[str, ...]) -> None:
    world.given("service authorize", at=f"{FRIDAY}T10:00", **OVERRIDE)
    (made,) = world.then("service disconnect", at=made_at, reason="nonpayment")
    assert made.flags == flags


def test_do_37_an_override_comes_before_the_shutoff(world: World) -> None:
    world.given("service authorize", at=f"{FRIDAY}T10:00", **OVERRIDE)
    (made,) = world.then("service disconnect", at=f"{FRIDAY}T09:59", reason="nonpayment")
    assert made.flags == ("DO-37",)


@pytest.mark.parametrize("reason", ["customer_request", "safety", "unauthorized_use"])
def test_do_30_a_shutoff_for_another_reason_is_outside_the_rules(world: World, reason: str) -> None:
    assert world.then("service disconnect", at=f"{HOLIDAY}T03:00", reason=reason) == [
        ServiceDisconnected(at=at(f"{HOLIDAY}T03:00"), reason=reason)  # type: ignore[arg-type]
    ]


def test_what_is_off_is_not_turned_off_again(off: World) -> None:
    assert off.refusal("service disconnect", at=f"{FIRST_DAY}T10:20", reason="safety").code == "already_off"
    assert off.then("service disconnect", at=f"{FIRST_DAY}T10:19", reason="safety")


# Reconnect


def test_do_41_a_reconnection_is_requested(off: World) -> None:
    assert off.then("service request-reconnection", at="2024-05-23T18:40", after_hours=True) == [
        ReconnectionRequested(at=at("2024-05-23T18:40"), after_hours=True)
    ]


@pytest.mark.parametrize("title", ["service request-reconnection", "service reconnect"])
def test_what_is_on_is_not_turned_on(off: World, title: str) -> None:
    said = off.refusal(title, at=f"{FIRST_DAY}T10:19")
    assert said.code == "not_disconnected"
    assert said.message == "the water of account 7001 is on at that moment; nothing is to be done"


def test_do_39_service_comes_back_only_when_all_is_paid(off: World) -> None:
    said = off.refusal("service reconnect", at="2024-05-23T15:00")
    assert (said.code, said.rules) == ("reconnection_not_allowed", ("DO-39",))
    assert "90.00 past due" in said.message
    off.given("payment receive", payment="P-1", amount="89.99", received_at="2024-05-23T12:00", channel="counter")
    assert "0.01 past due" in off.refusal("service reconnect", at="2024-05-23T15:00").message
    off.given("payment receive", payment="P-2", amount="0.01", received_at="2024-05-23T12:30", channel="counter")
    assert off.then("service reconnect", at="2024-05-23T15:00")


def test_do_40_a_reconnection_charges_its_fee(off: World) -> None:
    rules = off.policies.on(date(2024, 5, 23))
    shutoff = off.account().off
    assert shutoff is not None
    assert paid(off).then("service reconnect", at="2024-05-23T15:00") == [
        ServiceReconnected(at=at("2024-05-23T15:00")),
        FeeCharged(
            fee=f"RC-{shutoff.made.version}",
            kind="reconnection",
            on=date(2024, 5, 23),
            amount=3000,
            past_due_from=date(2024, 6, 12),
            basis=(rules.rule("reconnection_fee").version, rules.rule("days_until_past_due").version),
        ),
    ]


@pytest.mark.parametrize(
    ("asked", "done", "kind", "amount", "rule"),
    [
        (True, "2024-05-23T18:00", "after_hours_reconnection", 7500, "DO-41"),
        (True, "2024-05-24T09:00", "reconnection", 3000, "DO-40"),
        (False, "2024-05-23T18:00", "reconnection", 3000, "DO-40"),
        (False, "2024-05-24T09:00", "reconnection", 3000, "DO-40"),
    ],
)
def test_do_41_after_hours_takes_a_request_and_an_hour(
    off: World, asked: bool, done: str, kind: str, amount: int, rule: str
) -> None:
    paid(off).given("service request-reconnection", at="2024-05-23T12:05", after_hours=asked)
    _, fee = off.then("service reconnect", at=done)
    assert (fee.kind, fee.amount, fee.basis[0].rule) == (kind, amount, rule)


def test_do_44_a_reported_payment_restores(off: World) -> None:
    off.given("payment report", payment="P-1", amount="90.00", reported_at="2024-05-23T12:00", channel="internet")
    assert off.then("service reconnect", at="2024-05-23T15:00")


@pytest.mark.parametrize("reason", ["customer_request", "safety", "unauthorized_use"])
def test_do_39_another_reason_asks_neither_payment_nor_fee(world: World, reason: str) -> None:
    world.given("service disconnect", at=f"{FIRST_DAY}T10:20", reason=reason)
    assert world.then("service reconnect", at="2024-05-23T15:00") == [ServiceReconnected(at=at("2024-05-23T15:00"))]


def test_do_39_a_wrongful_shutoff_asks_neither_payment_nor_fee(off: World) -> None:
    off.given("service wrongful", on="2024-05-23", reason="no notice reached the house")
    assert off.then("service reconnect", at="2024-05-23T15:00") == [ServiceReconnected(at=at("2024-05-23T15:00"))]


def test_a_reconnection_is_recorded_once(off: World) -> None:
    paid(off).given("service reconnect", at="2024-05-24T09:00")
    said = off.refusal("service reconnect", at="2024-05-23T15:00")
    assert said.code == "not_disconnected"
    assert "was turned on at 2024-05-24T09:00:00-07:00" in said.message
    assert off.refusal("service reconnect", at="2024-05-24T09:01").code == "not_disconnected"


def test_a_fee_that_a_person_named_so_is_left_alone(off: World) -> None:
    shutoff = off.account().off
    assert shutoff is not None
    name = f"RC-{shutoff.made.version}"
    paid(off).given("fee charge", fee=name, kind="other", on="2024-05-23", amount="5.00")
    _, fee = off.then("service reconnect", at="2024-05-23T15:00")
    assert fee.fee == f"{name}-R"
    off.given("service reconnect", at="2024-05-23T15:00")
    _, waived = off.then("service wrongful", on="2024-05-27", reason="paid before")
    assert waived.fee == f"{name}-R"


# Wrongful


def test_a_finding_names_its_shutoff(off: World) -> None:
    shutoff = off.account().off
    assert shutoff is not None
    assert off.then("service wrongful", on="2024-05-23", reason="no notice reached the house") == [
        ShutoffFoundWrongful(on=date(2024, 5, 23), reason="no notice reached the house", shutoff=shutoff.made.version)
    ]


@pytest.mark.parametrize(("on", "waived_on"), [("2024-05-23", "2024-05-24"), ("2024-05-27", "2024-05-27")])
def test_a_finding_gives_up_a_fee_that_was_charged(off: World, on: str, waived_on: str) -> None:
    _, fee = paid(off).given("service reconnect", at="2024-05-24T09:00").events["7001"][-2:]
    _, waived = off.then("service wrongful", on=on, reason="paid before the shutoff")
    assert waived == FeeWaived(fee=fee.fee, on=date.fromisoformat(waived_on), reason="paid before the shutoff")
    off.given("service wrongful", on=on, reason="paid before the shutoff")
    assert off.account().balance == 0


def test_a_fee_given_up_already_is_not_given_up_again(off: World) -> None:
    fee = paid(off).given("service reconnect", at="2024-05-24T09:00").events["7001"][-1]
    off.given("fee waive", fee=fee.fee, on="2024-05-24", reason="good will")
    (found,) = off.then("service wrongful", on="2024-05-27", reason="paid before the shutoff")
    assert isinstance(found, ShutoffFoundWrongful)


def test_a_finding_covers_the_latest_shutoff_by_its_day(off: World) -> None:
    first = off.account().off
    paid(off).given("service reconnect", at="2024-05-24T09:00")
    off.given("service disconnect", at="2024-06-03T10:00", reason="safety")
    second = off.account().off
    assert first is not None
    assert second is not None
    for on, shutoff in (("2024-06-02", first), ("2024-06-03", second), ("2024-06-04", second)):
        assert off.then("service wrongful", on=on, reason="none")[0].shutoff == shutoff.made.version


@pytest.mark.parametrize(("on", "refused"), [("2024-05-22", True), ("2024-05-23", False)])
def test_a_finding_needs_a_shutoff(off: World, on: str, refused: bool) -> None:
    if refused:
        said = off.refusal("service wrongful", on=on, reason="none")
        assert (said.code, said.message) == (
            "no_shutoff",
            f"account 7001 had no shutoff by {on}; record 'service disconnect' first",
        )
    else:
        assert off.then("service wrongful", on=on, reason="none")
