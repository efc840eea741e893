"""Credit deposits: required, received, earning interest, absorbed, refunded."""

from datetime import date

import pytest

from ledger.events import (
    DepositAbsorbed,
    DepositInterestAccrued,
    DepositReceived,
    DepositRefunded,
    DepositRequired,
    ServiceDisconnected,
    ShutoffReason,
)
from ledger.moments import moment
from tests.commands.world import World


def held(amount: str = "120.00", on: str = "2024-01-05") -> World:
    return World().given("deposit receive", deposit="D-1", amount=amount, on=on)


def test_a_deposit_is_received_and_earns_interest():
    assert World().then("deposit receive", deposit="D-1", amount="120.00", on="2024-01-05") == [
        DepositReceived(deposit="D-1", amount=12000, on=date(2024, 1, 5))
    ]
    assert held().then("deposit accrue", deposit="D-1", amount="1.35", on="2024-12-31") == [
        DepositInterestAccrued(deposit="D-1", amount=135, on=date(2024, 12, 31))
    ]


@pytest.mark.parametrize("title", ["deposit accrue", "deposit refund"])
def test_a_deposit_moves_when_it_is_there(title):
    world = held()
    assert len(world.then(title, deposit="D-1", amount="1.00", on="2024-01-05")) == 1
    refusal = world.refusal(title, deposit="D-1", amount="1.00", on="2024-01-04")
    assert (refusal.code, refusal.message) == (
        "too_early",
        "deposit D-1 is of 2024-01-05, so this cannot be of 2024-01-04; correct the day",
    )
    refusal = world.refusal(title, deposit="D-9", amount="1.00", on="2024-01-05")
    assert (refusal.code, refusal.message) == ("unknown_deposit", "account 7001 has no deposit D-9; record it first")


def test_no_more_is_refunded_than_a_deposit_holds():
    world = held().given("deposit accrue", deposit="D-1", amount="1.35", on="2024-12-31")
    world.given("deposit receive", deposit="D-2", amount="50.00", on="2024-01-05")
    assert world.then("deposit refund", deposit="D-1", amount="121.35", on="2024-12-31") == [
        DepositRefunded(deposit="D-1", amount=12135, on=date(2024, 12, 31))
    ]
    refusal = world.refusal("deposit refund", deposit="D-1", amount="121.36", on="2024-12-31")
    assert (refusal.code, refusal.message) == (
        "more_than_held",
        "deposit D-1 holds 121.35 from 2024-12-31 on, not 121.36; refund no more",
    )
    assert world.refusal("deposit refund", deposit="D-1", amount="120.01", on="2024-12-30").code == "more_than_held"
    world.given("deposit refund", deposit="D-1", amount="100.00", on="2025-01-15")
    assert world.refusal("deposit refund", deposit="D-1", amount="21.36", on="2024-12-31").code == "more_than_held"


def test_a_deposit_is_held_on_every_day_that_follows():
    """What came in later does not make good on the days between."""
    world = held().given("deposit refund", deposit="D-1", amount="100.00", on="2024-06-03")
    world.given("deposit accrue", deposit="D-1", amount="80.00", on="2024-12-31")
    assert world.refusal("deposit refund", deposit="D-1", amount="20.01", on="2024-06-02").code == "more_than_held"
    assert world.then("deposit refund", deposit="D-1", amount="20.00", on="2024-06-02")
    assert world.then("deposit refund", deposit="D-1", amount="100.00", on="2024-12-31")
    world.given("deposit receive", deposit="D-2", amount="50.00", on="2025-02-01")
    world.given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="90.00")
    (absorbed,) = world.then("deposit absorb", on="2024-06-02")
    assert absorbed.amount == 2000


def test_what_was_absorbed_is_not_refunded():
    world = held().given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="100.00")
    world.given("deposit absorb", on="2024-02-21")
    assert len(world.then("deposit refund", deposit="D-1", amount="20.00", on="2024-03-01")) == 1
    assert world.refusal("deposit refund", deposit="D-1", amount="20.01", on="2024-03-01").code == "more_than_held"
    assert world.refusal("deposit refund", deposit="D-1", amount="20.01", on="2024-02-01").code == "more_than_held"


@pytest.mark.parametrize(("owed", "absorbed"), [("119.99", 11999), ("120.00", 12000), ("120.01", 12000)])
def test_do_32_the_deposit_is_absorbed_by_what_is_past_due(owed, absorbed):
    world = held().given("bill issue", bill="B-1", mailed_on="2024-02-01", amount=owed)
    world.given("bill issue", bill="B-2", mailed_on="2024-02-20", amount="70.00")
    assert world.then("deposit absorb", on="2024-02-21") == [DepositAbsorbed(on=date(2024, 2, 21), amount=absorbed)]


def test_do_32_v_a_deposit_pays_a_fee_past_due_before_a_bill_that_is_not():
    world = World().given("deposit receive", deposit="D-1", amount="120.00", on="2024-01-02")
    world.given("fee charge", fee="F-1", kind="other", on="2024-01-10", amount="10.00")
    world.given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="50.00")
    account = world.given("deposit absorb", on="2024-02-05").account()
    assert (account.past_due(date(2024, 2, 5)), account.unpaid("B-1"), account.deposit) == (0, 5000, 11000)


def test_do_32_what_was_absorbed_later_leaves_nothing_to_absorb_before():
    world = World().given("deposit receive", deposit="D-1", amount="80.00", on="2024-01-02")
    world.given("bill issue", bill="B-1", mailed_on="2024-01-02", amount="50.00")
    world.given("deposit absorb", on="2024-06-15")
    refusal = world.refusal("deposit absorb", on="2024-05-15")
    assert (refusal.code, "deposit 30.00, past due 0.00" in refusal.message) == ("nothing_to_absorb", True)


@pytest.mark.parametrize("first", ["payment receive", "deposit absorb"])
def test_do_32_the_order_of_recording_on_one_day_changes_nothing(first):
    """Given a raised bill of which the increase is not past due, and a later one that is."""
    world = World().given("deposit receive", deposit="D-1", amount="35.00", on="2024-01-02")
    world.given("bill issue", bill="B-0", mailed_on="2024-01-02", amount="33.00")
    world.given("bill issue", bill="B-1", mailed_on="2024-01-03", amount="54.00")
    world.given("payment receive", payment="P-0", amount="18.00", received_at="2024-01-10", channel="mail", bill="B-0")
    world.given("bill correct", bill="B-0", mailed_on="2024-05-01", amount="85.00", reason="misread")
    both = {
        "payment receive": {"payment": "P-1", "amount": "59.00", "received_at": "2024-05-10T10:00", "channel": "mail"},
        "deposit absorb": {"on": "2024-05-10"},
    }
    for title in sorted(both, key=lambda title: title != first):
        world.given(title, **both[title])
    account = world.account()
    assert (account.deposit, account.past_due(date(2024, 5, 10))) == (0, 2700)


def test_do_32_nothing_is_absorbed_before_anything_is_past_due():
    world = held().given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="85.00")
    refusal = world.refusal("deposit absorb", on="2024-02-20")
    assert (refusal.code, refusal.rules, refusal.message) == (
        "nothing_to_absorb",
        ("DO-32",),
        "nothing to absorb on 2024-02-20 (DO-32): deposit 120.00, past due 0.00; 'deposit refund' gives a deposit back",
    )


def test_do_32_a_deposit_is_absorbed_once():
    world = held().given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="185.00")
    world.given("deposit absorb", on="2024-03-01")
    for day in ("2024-02-21", "2024-03-01", "2024-03-02"):
        refusal = world.refusal("deposit absorb", on=day)
        assert (refusal.code, refusal.rules) == ("nothing_to_absorb", ("DO-32",))
        assert "deposit 0.00" in refusal.message
    assert world.account().balance == 6500


def test_do_32_interest_is_absorbed_too():
    world = held("10.00").given("deposit accrue", deposit="D-1", amount="0.50", on="2024-02-21")
    world.given("bill issue", bill="B-1", mailed_on="2024-02-01", amount="85.00")
    assert world.then("deposit absorb", on="2024-02-21")[0].amount == 1050


def shut_off(reason: ShutoffReason = "nonpayment", *amounts: str) -> World:
    """Bills of the first days of January, February, … 2024, and the water turned off on 8 May."""
    world = World()
    for month, amount in enumerate(amounts, 1):
        world.given("bill issue", bill=f"B-{month}", mailed_on=f"2024-{month:02}-02", amount=amount)
    return world.happened(ServiceDisconnected(at=moment("2024-05-08T10:00"), reason=reason))


def test_do_42_a_deposit_after_a_shutoff_is_twice_the_average_bill():
    (required,) = shut_off("nonpayment", "61.33", "61.34").then("deposit require", on="2024-05-08")
    assert required == DepositRequired(
        on=date(2024, 5, 8), amount=12267, average=6134, bills=("B-1", "B-2"), basis=required.basis
    )
    assert [version.rule for version in required.basis] == ["DO-42"]


def test_do_42_less_may_be_required_but_no_more():
    world = shut_off("nonpayment", "61.33", "61.34")
    for amount, cents in (("122.67", 12267), ("0.01", 1)):
        assert world.then("deposit require", on="2024-05-08", amount=amount)[0].amount == cents
    refusal = world.refusal("deposit require", on="2024-05-08", amount="122.68")
    assert (refusal.code, refusal.rules, refusal.message) == (
        "deposit_over_limit",
        ("DO-42",),
        "a deposit of 122.68 is over the limit of 122.67 (DO-42); require no more",
    )


@pytest.mark.parametrize(
    ("world", "day", "lacks"),
    [
        (World(), "2024-05-08", "a shutoff for nonpayment"),
        (shut_off("nonpayment", "61.33"), "2024-05-07", "a shutoff for nonpayment"),
        (shut_off("customer_request", "61.33"), "2024-05-08", "a shutoff for nonpayment"),
        (shut_off("nonpayment"), "2024-05-08", "a regular bill to take the average of"),
    ],
)
def test_do_42_a_deposit_takes_a_shutoff_for_nonpayment_and_bills_to_average(world, day, lacks):
    for amount in ({}, {"amount": "1.00"}):
        refusal = world.refusal("deposit require", on=day, **amount)
        assert (refusal.code, refusal.rules, refusal.message) == (
            "deposit_not_allowed",
            ("DO-42",),
            f"no deposit may be required on {day} (DO-42): it takes {lacks} before it; record that first",
        )
