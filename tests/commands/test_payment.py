"""Payments: reported, received, taken back, moved."""

from datetime import date, datetime
from typing import Any, get_args

import pytest

from ledger.context import On
from ledger.events import (
    Channel,
    FeeCharged,
    PaymentReceived,
    PaymentReported,
    PaymentReturned,
    PaymentTransferred,
    PaymentTransferredIn,
)
from ledger.history import History
from ledger.moments import bare, moment
from ledger.movements import movements
from ledger.refusal import Invalid
from tests.commands.world import World, command

EVENING = "2024-02-18T21:00-08:00"
REPORT: dict[str, Any] = {"payment": "P-1", "amount": "85.00", "reported_at": EVENING, "channel": "internet"}
PAYMENT: dict[str, Any] = {"payment": "P-1", "amount": "85.00", "received_at": EVENING, "channel": "bank"}


def paid(**fields: str) -> World:
    return World().given("payment receive", **{**PAYMENT, **fields})


def at(day: str, channel: str, payment: str = "P-2") -> dict[str, Any]:
    return {"payment": payment, "amount": "10.00", "received_at": day, "channel": channel}


def test_a_payment_is_reported():
    assert World().then("payment report", **REPORT) == [
        PaymentReported(payment="P-1", amount=8500, reported_at=moment(EVENING), channel="internet")
    ]


def test_a_payment_is_received():
    world = World().given("bill issue", bill="B-1", mailed_on="2024-02-18", amount="85.00")
    assert world.then("payment receive", **PAYMENT, bill="B-1", confirmation="X1") == [
        PaymentReceived(
            payment="P-1",
            amount=8500,
            received_at=moment(EVENING),
            channel="bank",
            bill="B-1",
            confirmation="X1",
        )
    ]


def test_a_payment_of_which_only_the_day_is_known():
    (received,) = World().then("payment receive", **at("2024-02-18", "mail"))
    assert received.received_at == bare(date(2024, 2, 18)) == datetime(2024, 2, 18)


def test_a_report_is_completed_by_the_payment_of_its_name():
    world = World().given("payment report", **REPORT)
    assert world.then("payment receive", **{**PAYMENT, "amount": "58.00"})[0].amount == 5800


def test_a_payment_is_meant_for_a_bill_that_is_there():
    world = World().given("bill issue", bill="B-1", mailed_on="2024-02-19", amount="85.00")
    refusal = world.refusal("payment receive", **PAYMENT, bill="B-9")
    assert (refusal.code, refusal.message) == ("unknown_bill", "account 7001 has no bill B-9; record it first")
    refusal = world.refusal("payment receive", **PAYMENT, bill="B-1")
    assert (refusal.code, refusal.message) == (
        "too_early",
        "bill B-1 is of 2024-02-19, so this cannot be of 2024-02-18; correct the day",
    )


@pytest.mark.parametrize("channel", ["internet", "autopay"])
def test_cw_06_an_online_payment_needs_an_account_that_is_open(channel):
    world = World().given("account close", closed_on="2024-06-30")
    assert world.then("payment receive", **at("2024-06-29T23:59", channel))
    for day in ("2024-06-30", "2024-06-30T00:00", "2024-07-01T09:00"):
        refusal = world.refusal("payment receive", **at(day, channel))
        assert (refusal.code, refusal.rules) == ("account_closed", ("CW-06",))
        assert refusal.message == (
            f"account 7001 was closed on 2024-06-30 and takes no {channel} payment (CW-06); "
            "have it paid another way, such as by phone, by mail or at the counter"
        )


def test_cw_07_a_closed_account_is_paid_in_any_other_way():
    world = World().given("account close", closed_on="2024-06-30")
    for channel in ("bank", "mail", "lockbox", "phone", "counter", "field", "agency"):
        assert world.then("payment receive", **at("2024-07-01", channel))[0].channel == channel
    report = {**REPORT, "reported_at": "2024-07-01T09:00"}
    assert world.then("payment report", **report)[0].channel == "internet"


def test_do_45_a_payment_handed_to_field_staff_is_charged_the_collection_fee():
    received, fee = World().then("payment receive", **at("2024-03-04T10:00", "field"))
    assert received.type == "PaymentReceived"
    assert fee == FeeCharged(
        fee="FC-P-2",
        kind="field_collection",
        on=date(2024, 3, 4),
        amount=2000,
        past_due_from=date(2024, 3, 24),
        payment="P-2",
        basis=fee.basis,
    )
    assert [version.rule for version in fee.basis] == ["DO-45", "DO-02"]


@pytest.mark.parametrize("channel", sorted({*get_args(Channel)} - {"field"}))
def test_do_45_a_payment_made_in_any_other_way_has_no_fee(channel):
    assert [e.type for e in World().then("payment receive", **at("2024-03-04T10:00", channel))] == ["PaymentReceived"]


def test_do_45_no_fee_where_the_policy_has_none():
    assert [e.type for e in World("cal-water").then("payment receive", **at("2024-03-04", "field"))] == [
        "PaymentReceived"
    ]


def test_do_45_the_fee_keeps_a_name_of_its_own():
    long = "P" * 40
    names = set()
    for payment in (long, "P" * 39 + "Q", "P" * 37):
        _, fee = World().then("payment receive", **at("2024-03-04", "field", payment))
        assert len(fee.fee) == 40
        names.add(fee.fee)
    world = World().given("fee charge", fee="FC-P-2", kind="other", on="2024-03-01", amount="1.00")
    world.given("payment receive", **at("2024-03-04", "field"))
    assert len(names) == 3
    assert sorted(fee.charged.amount for fee in world.account().fees.values()) == [100, 2000]
    (digest,) = (name for name in world.account().fees if name != "FC-P-2")
    taken = World().given("fee charge", fee="FC-P-2", kind="other", on="2024-03-01", amount="1.00")
    taken.given("fee charge", fee=digest, kind="other", on="2024-03-01", amount="1.00")
    assert taken.then("payment receive", **at("2024-03-04", "field"))[1].fee not in taken.account().fees


def test_a_payment_is_returned_and_what_it_paid_is_open_again():
    world = paid()
    assert world.then("payment return", payment="P-1", on="2024-02-18", reason="no funds") == [
        PaymentReturned(payment="P-1", on=date(2024, 2, 18), reason="no funds")
    ]
    refusal = world.refusal("payment return", payment="P-1", on="2024-02-17", reason="no funds")
    assert (refusal.code, refusal.message) == (
        "too_early",
        "payment P-1 is of 2024-02-18, so this cannot be of 2024-02-17; correct the day",
    )


def test_a_reported_payment_that_never_came_is_returned():
    world = World().given("payment report", **REPORT)
    assert len(world.then("payment return", payment="P-1", on="2024-02-20", reason="never came")) == 1
    assert world.refusal("payment return", payment="P-1", on="2024-02-17", reason="?").code == "too_early"
    world.given("payment return", payment="P-1", on="2024-02-20", reason="never came")
    refusal = world.refusal("payment receive", **PAYMENT)
    assert (refusal.code, refusal.message) == (
        "payment_returned",
        "payment P-1 of account 7001 was returned on 2024-02-20; give this one another name",
    )


@pytest.mark.parametrize("title", ["payment return", "payment transfer"])
def test_a_payment_leaves_once(title):
    to = {"to_account": "7002"} if title == "payment transfer" else {}
    gone = {"on": "2024-03-01", "reason": "again", **to}
    refusal = paid().refusal(title, payment="P-9", **gone)
    assert (refusal.code, refusal.message) == ("unknown_payment", "account 7001 has no payment P-9; record it first")
    returned = paid().given("payment return", payment="P-1", on="2024-02-20", reason="no funds")
    refusal = returned.refusal(title, payment="P-1", **gone)
    assert (refusal.code, refusal.message) == (
        "payment_returned",
        "payment P-1 was returned on 2024-02-20 already; there is nothing left of it",
    )
    refusal = transferred().refusal(title, payment="P-1", **gone)
    assert (refusal.code, refusal.message) == (
        "payment_transferred",
        (
            "payment P-1 went to account 7002 on 2024-02-20; record this there, or 'payment transfer' it back "
            "from there first"
        ),
    )


def transferred() -> World:
    world = two_accounts()
    return world.given("payment transfer", payment="P-1", to_account="7002", on="2024-02-20", reason="wrong number")


def two_accounts() -> World:
    opening = {"opened_on": "2019-01-01", "name": "Bo Li", "service_address": "3 Elm"}
    return paid().given("account open", account="7002", **opening)


def test_a_payment_goes_to_the_account_it_belongs_to():
    world = two_accounts()
    assert world.then("payment transfer", payment="P-1", to_account="7002", on="2024-02-20", reason="wrong number") == [
        PaymentTransferred(payment="P-1", to_account="7002", on=date(2024, 2, 20), reason="wrong number"),
        On(
            "7002",
            PaymentTransferredIn(
                payment="P-1",
                from_account="7001",
                on=date(2024, 2, 20),
                amount=8500,
                received_at=moment(EVENING),
                channel="bank",
                reason="wrong number",
            ),
        ),
    ]
    world = transferred()
    assert (world.account("7001").credit, world.account("7002").credit) == (0, 8500)


THIRD = {"account": "7003", "opened_on": "2019-01-01", "name": "C", "service_address": "D"}


def test_a_payment_that_was_moved_here_may_go_on():
    world = transferred().given("account open", **THIRD)
    on = {"account": "7002", "payment": "P-1", "on": "2024-02-20", "reason": "wrong again"}
    assert len(world.then("payment transfer", to_account="7003", **on)) == 2
    assert len(world.then("payment return", **on)) == 1
    assert world.refusal("payment transfer", to_account="7003", **{**on, "on": "2024-02-19"}).code == "too_early"


def test_a_bank_takes_a_moved_payment_back_from_the_day_it_came_here():
    world = transferred()
    returned = {"account": "7002", "payment": "P-1", "reason": "insufficient funds"}
    refusal = world.refusal("payment return", on="2024-02-19", **returned)
    assert refusal.code == "too_early"
    assert str(refusal).endswith("return it as of 2024-02-20, with the bank's own day in note")
    world.given("payment return", on="2024-02-20", **returned)
    assert (world.account("7001").credit, world.account("7002").credit) == (0, 0)


@pytest.mark.parametrize("on", ["2024-02-18", "2024-02-20"])
def test_a_payment_moved_by_mistake_goes_back_and_then_where_it_belongs(on):
    """On the 18th, the day of its hour of receipt, a transfer of that day stands before it."""
    world = two_accounts().given("account open", **THIRD)
    moved = {"payment": "P-1", "on": on, "reason": "?"}
    world.given("payment transfer", to_account="7002", **moved)
    world.given("payment transfer", account="7002", to_account="7001", **moved)
    assert credits(world) == [8500, 0, 0]
    assert world.then("payment return", payment="P-1", on="2024-03-01", reason="no funds")
    world.given("payment transfer", to_account="7003", **moved)
    assert credits(world) == [0, 0, 8500]
    refusal = world.refusal("payment return", payment="P-1", on="2024-03-01", reason="no funds")
    assert "went to account 7003" in refusal.message


def credits(world: World) -> list[int]:
    found = []
    for account in ("7001", "7002", "7003"):
        events = History(account, world.events[account])
        moves = movements(events.effective(events.events))
        assert sum(-m.amount for m in moves if m.book == "balance") == world.account(account).credit
        found.append(world.account(account).credit)
    return found


def test_a_payment_is_not_moved_onto_another_of_its_name():
    world = two_accounts().given("payment receive", account="7002", **{**PAYMENT, "amount": "12.00"})
    moved = {"payment": "P-1", "on": "2024-02-20", "reason": "wrong number"}
    refusal = world.refusal("payment transfer", to_account="7002", **moved)
    assert (refusal.code, refusal.message) == (
        "payment_recorded",
        (
            "account 7002 has a payment P-1 of 2024-02-18 already; 'payment return' it here and record it there under "
            "another name"
        ),
    )
    # Nor where that other one has left since.
    world.given("account open", **THIRD)
    world.given("payment transfer", account="7002", to_account="7003", **moved)
    assert world.refusal("payment transfer", to_account="7002", **moved).code == "payment_recorded"


def test_a_payment_is_not_received_under_the_name_of_one_moved_here():
    refusal = transferred().refusal("payment receive", account="7002", **PAYMENT)
    assert (refusal.code, refusal.message) == (
        "payment_recorded",
        "account 7002 has a payment P-1 of 2024-02-20 already; give this one another name",
    )


def test_a_payment_goes_to_another_account_that_is_in_the_ledger():
    moved = {"payment": "P-1", "on": "2024-02-20", "reason": "wrong number"}
    refusal = paid().refusal("payment transfer", to_account="7009", **moved)
    assert (refusal.code, refusal.message) == (
        "unknown_account",
        "account 7009 is not in the ledger (open it with 'account open')",
    )
    with pytest.raises(Invalid, match="to_account: the payment is on 7001 already") as invalid:
        command("payment transfer", to_account="7001", **moved)
    assert invalid.value.field == "to_account"
