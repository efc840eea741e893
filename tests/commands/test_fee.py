"""Fees: charged and given up."""

from datetime import date
from typing import Any

import pytest

from ledger.events import FeeCharged, FeeWaived
from ledger.refusal import Invalid
from tests.commands.world import World, command


def ids(event: Any) -> list[str]:
    return [version.rule for version in event.basis]


def test_do_02_a_fee_is_past_due_from_its_own_20th_day():
    (fee,) = World().then("fee charge", fee="F-1", kind="other", on="2024-03-04", amount="15.00", reason="a key")
    assert fee == FeeCharged(
        fee="F-1",
        kind="other",
        on=date(2024, 3, 4),
        amount=1500,
        past_due_from=date(2024, 3, 24),
        reason="a key",
        basis=fee.basis,
    )
    assert ids(fee) == ["DO-02"]


def test_do_45_without_an_amount_the_policy_fixes_it():
    (fee,) = World().then("fee charge", fee="F-1", kind="field_collection", on="2024-03-04")
    assert (fee.amount, ids(fee)) == (2000, ["DO-45", "DO-02"])


@pytest.mark.parametrize("kind", ["late", "returned_payment", "other"])
def test_a_fee_that_the_policy_does_not_fix_needs_an_amount(kind):
    refusal = World().refusal("fee charge", fee="F-1", kind=kind, on="2024-03-04")
    assert (refusal.code, refusal.message) == (
        "no_fee_amount",
        f"the policy sets no amount for fees of the kind {kind}; give one",
    )


def test_the_fees_of_a_reconnection_are_charged_by_the_reconnection_alone():
    with pytest.raises(Invalid, match="'reconnection' is not one of late, returned_payment, field_collection, other"):
        command("fee charge", fee="F-1", kind="reconnection", on="2024-03-04")


@pytest.mark.parametrize(
    ("day", "flags"),
    [
        ("2024-02-19", ("DO-02",)),  # the 19th day, Presidents' Day
        ("2024-02-20", ("DO-02",)),  # literally past due, and the day that the last day moved to
        ("2024-02-21", ()),
    ],
)
def test_c2_a_late_fee_before_the_moved_last_day_is_flagged(day, flags):
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-31", amount="85.00")
    (fee,) = world.then("fee charge", fee="F-1", kind="late", on=day, amount="5.00")
    assert fee.flags == flags
    assert world.then("fee charge", fee="F-1", kind="other", on=day, amount="5.00")[0].flags == ()


@pytest.mark.parametrize(("paid", "flags"), [("84.99", ()), ("85.00", ("DO-02",))])
def test_do_03_a_late_fee_needs_something_unpaid(paid, flags):
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-31", amount="85.00")
    world.given("payment receive", payment="P-1", amount=paid, received_at="2024-02-20T23:59", channel="bank")
    (fee,) = world.then("fee charge", fee="F-1", kind="late", on="2024-02-21", amount="5.00")
    assert fee.flags == flags


def test_do_02_a_payment_of_the_same_day_came_late():
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-31", amount="85.00")
    world.given("payment receive", payment="P-1", amount="85.00", received_at="2024-02-21", channel="bank")
    (fee,) = world.then("fee charge", fee="F-1", kind="late", on="2024-02-21", amount="5.00")
    assert fee.flags == ()


def test_do_02_e_an_increase_is_late_on_its_own_clock():
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="85.00")
    world.given("bill correct", bill="B-1", amount="90.00", mailed_on="2024-03-14", reason="misread")
    world.given("payment receive", payment="P-1", amount="85.00", received_at="2024-03-20", channel="bank")
    for day, flags in (("2024-04-02", ("DO-02",)), ("2024-04-03", ())):
        (fee,) = world.then("fee charge", fee="F-1", kind="late", on=day, amount="5.00")
        assert (day, fee.flags) == (day, flags)


def test_a_fee_is_waived_once():
    world = World().given("fee charge", fee="F-1", kind="other", on="2024-03-04", amount="15.00")
    assert world.then("fee waive", fee="F-1", on="2024-03-04", reason="goodwill") == [
        FeeWaived(fee="F-1", on=date(2024, 3, 4), reason="goodwill")
    ]
    assert world.refusal("fee waive", fee="F-1", on="2024-03-03", reason="goodwill").code == "too_early"
    world.given("fee waive", fee="F-1", on="2024-03-04", reason="goodwill")
    refusal = world.refusal("fee waive", fee="F-1", on="2024-03-05", reason="again")
    assert (refusal.code, refusal.message) == (
        "fee_waived",
        "fee F-1 was waived on 2024-03-04 already; there is nothing left of it",
    )


def test_a_fee_that_is_not_there_is_not_waived():
    refusal = World().refusal("fee waive", fee="F-9", on="2024-03-05", reason="goodwill")
    assert (refusal.code, refusal.message) == ("unknown_fee", "account 7001 has no fee F-9; record it first")


def test_a_fee_does_not_take_the_name_of_one_that_a_payment_was_charged():
    world = World().given("payment receive", payment="P-1", amount="9.00", received_at="2024-03-04", channel="field")
    refusal = world.refusal("fee charge", fee="FC-P-1", kind="other", on="2024-03-05", amount="1.00")
    assert (refusal.code, refusal.message) == (
        "fee_charged",
        "fee FC-P-1 was charged on 2024-03-04 already; give this one another name",
    )
