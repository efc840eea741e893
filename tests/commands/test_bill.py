"""Bills: issued, received, corrected, voided."""

from datetime import date
from typing import Any

import pytest

from ledger.events import BillCorrected, BillIssued, BillReceiptEvidenced, BillVoided, Line
from ledger.history import History
from ledger.refusal import Invalid
from tests.commands.world import World, command

BILL: dict[str, Any] = {"bill": "B-1", "mailed_on": "2024-02-01", "amount": "85.00"}


def billed() -> World:
    return World().given("bill issue", **BILL)


def ids(event: Any) -> list[str]:
    return [version.rule for version in event.basis]


def test_do_02_a_bill_is_past_due_from_its_20th_day():
    (issued,) = World().then("bill issue", **BILL)
    assert issued == BillIssued(
        bill="B-1", mailed_on=date(2024, 2, 1), amount=8500, past_due_from=date(2024, 2, 21), basis=issued.basis
    )
    assert ids(issued) == ["DO-02"]


def test_do_02_a_bill_of_an_account_not_open_is_still_a_fact():
    world = billed().given("account close", closed_on="2024-01-15")
    for kind, day in (("closing", "2024-02-01"), ("opening", "2018-12-01")):
        (issued,) = world.then("bill issue", bill="B-2", mailed_on=day, amount="5.00", kind=kind)
        assert (issued.kind, issued.flags) == (kind, ())


def test_a_bill_is_the_sum_of_its_lines():
    lines = [{"kind": "usage", "amount": "80.00"}, {"kind": "other", "amount": "5.00"}]
    read = (Line(kind="usage", amount=8000), Line(kind="other", amount=500))
    for fields in ({"lines": lines}, {"lines": lines, "amount": "85.00"}):
        (issued,) = World().then("bill issue", bill="B-1", mailed_on="2024-02-01", **fields)
        assert (issued.amount, issued.lines) == (8500, read)


def test_a_bill_keeps_its_period_usage_and_delivery():
    said = {"period_start": "2024-01-01", "period_end": "2024-02-01", "usage": "9.5", "delivery": "hand"}
    (issued,) = World().then("bill issue", **BILL, **said)
    assert (issued.period_start, issued.period_end, issued.usage, issued.delivery) == (
        date(2024, 1, 1),
        date(2024, 2, 1),
        9500,
        "hand",
    )


MOST = {"kind": "usage", "amount": "99999999.99"}


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"amount": None}, "amount", "'bill issue' needs amount or lines"),
        ({"lines": [{"kind": "usage", "amount": "84.99"}]}, "lines", "add up to 84.99, not to amount 85.00"),
        ({"amount": None, "lines": [MOST, {"kind": "other", "amount": "0.00"}]}, "lines", "0.00 is not over zero"),
        ({"amount": None, "lines": [MOST, {"kind": "other", "amount": "-5.00"}]}, "lines", "-5.00 is not over zero"),
        (
            {"amount": None, "lines": [MOST, MOST]},
            "lines",
            "add up to 199999999.98, over the largest amount, 99999999.99",
        ),
        ({"period_start": "2024-01-01"}, "period_start", "a period needs both period_start and period_end"),
        ({"period_end": "2024-02-01"}, "period_start", "a period needs both period_start and period_end"),
        (
            {"period_start": "2024-01-01", "period_end": "2024-01-01"},
            "period_end",
            "2024-01-01 is not after 2024-01-01",
        ),
    ],
)
def test_a_bill_whose_fields_do_not_fit_together_is_invalid(fields, field, reason):
    with pytest.raises(Invalid) as invalid:
        command("bill issue", **{**BILL, **fields})
    assert (invalid.value.field, reason in invalid.value.message) == (field, True), invalid.value.message


def test_c9_receipt_is_not_before_the_mailing():
    world = billed()
    assert world.then("bill receipt", bill="B-1", received_on="2024-02-01", evidence="signature") == [
        BillReceiptEvidenced(bill="B-1", received_on=date(2024, 2, 1), evidence="signature")
    ]
    refusal = world.refusal("bill receipt", bill="B-1", received_on="2024-01-31")
    assert (refusal.code, refusal.message) == (
        "too_early",
        "bill B-1 is of 2024-02-01, so this cannot be of 2024-01-31; correct the day",
    )


def test_do_02_e_a_correction_has_a_clock_of_its_own():
    world = billed()
    (corrected,) = world.then("bill correct", bill="B-1", amount="95.00", mailed_on="2024-02-09", reason="misread")
    assert corrected == BillCorrected(
        bill="B-1",
        amount=9500,
        mailed_on=date(2024, 2, 9),
        reason="misread",
        past_due_from=date(2024, 2, 29),
        basis=corrected.basis,
    )
    assert ids(corrected) == ["DO-02"]


def test_a_bill_is_corrected_once_a_mailing():
    fields = {"bill": "B-1", "amount": "95.00", "mailed_on": "2024-02-09", "reason": "misread"}
    assert command("bill correct", **fields).named() == "bill correct/7001/B-1/2024-02-09"


def test_a_bill_that_was_voided_is_not_corrected():
    world = billed()
    assert world.then("bill void", bill="B-1", on="2024-02-12", reason="twice") == [
        BillVoided(bill="B-1", on=date(2024, 2, 12), reason="twice")
    ]
    world.given("bill void", bill="B-1", on="2024-02-12", reason="twice")
    refusal = world.refusal("bill correct", bill="B-1", amount="9.00", mailed_on="2024-02-20", reason="late")
    assert (refusal.code, refusal.message) == (
        "bill_voided",
        "bill B-1 was voided on 2024-02-12; issue a new bill instead",
    )


@pytest.mark.parametrize(("mailed_on", "refused"), [("2024-02-11", False), ("2024-02-12", True)])
def test_a_correction_mailed_before_the_void_is_a_fact_that_came_late(mailed_on, refused):
    world = billed().given("bill void", bill="B-1", on="2024-02-12", reason="twice")
    fields = {"bill": "B-1", "amount": "9.00", "mailed_on": mailed_on, "reason": "misread"}
    if refused:
        assert world.refusal("bill correct", **fields).code == "bill_voided"
        return
    world.given("bill correct", **fields)
    history = History("7001", world.events["7001"])
    balances = {day: history.as_of(date(2024, 2, day)).balance for day in (10, 11, 12)}
    assert balances == {10: 8500, 11: 900, 12: 0}


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("bill receipt", {"received_on": "2024-01-31"}),
        ("bill correct", {"amount": "9.00", "mailed_on": "2024-01-31", "reason": "misread"}),
        ("bill void", {"on": "2024-01-31", "reason": "twice"}),
    ],
)
def test_what_follows_a_bill_is_of_a_bill_there_and_not_before_it(title, fields):
    assert billed().refusal(title, bill="B-1", **fields).code == "too_early"
    refusal = billed().refusal(title, bill="B-9", **fields)
    assert (refusal.code, refusal.message) == ("unknown_bill", "account 7001 has no bill B-9; record it first")
