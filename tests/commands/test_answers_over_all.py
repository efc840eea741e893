"""The answers about all accounts: receivables by age, control totals, what needs doing."""

from datetime import date

import pytest

from commands import answers_over_all
from commands.accounts import find
from ledger import events as e
from ledger.history import History
from ledger.refusal import Refused
from tests.cases import (
    appeal_filed,
    arrangement_agreed,
    arrangement_requested,
    bill_corrected,
    bill_mailed,
    commission_deposit,
    contact_made,
    day,
    deposit_absorbed,
    deposit_received,
    notice_served,
    payment,
    payment_reported,
    payment_returned,
    petition_answered,
    petition_filed,
)
from tests.commands.told import AGED, READS, RULES, history


@pytest.mark.parametrize(
    ("on", "age"),
    [
        ("2024-03-23", "current"),
        ("2024-03-24", "days_1_30"),
        ("2024-04-22", "days_1_30"),
        ("2024-04-23", "days_31_60"),
        ("2024-05-22", "days_31_60"),
        ("2024-05-23", "days_61_90"),
        ("2024-06-21", "days_61_90"),
        ("2024-06-22", "over_90"),
    ],
)
def test_aging_counts_from_the_first_past_due_day(on, age):
    told = history(bill_mailed("2024-03-04", "90.00", "B1"))
    found = answers_over_all.aging([told], *RULES, day(on))
    assert {name for name, amount in found["totals"].items() if amount != "0.00"} == {age, "balance"}
    assert found["rows"] == [{"account": "7001"} | found["totals"]]


def test_aging_splits_a_bill_at_its_increase_and_takes_off_credit():
    one = history(bill_mailed("2024-03-04", "90.00", "B1"), bill_corrected("B1", "100.00", "2024-04-04"))
    two = history(payment("2024-03-05", "5.00"), account="7002")
    unknown = History("7003", [])
    found = answers_over_all.aging([one, two, history(account="7004"), unknown], *RULES, day("2024-04-23"))
    assert [row["account"] for row in found["rows"]] == ["7001", "7002"]
    assert found["totals"] == {
        "current": "10.00",
        "days_1_30": "0.00",
        "days_31_60": "90.00",
        "days_61_90": "0.00",
        "over_90": "0.00",
        "credit": "5.00",
        "balance": "95.00",
    }


def test_trial_balance_of_a_period():
    told = [
        history(
            bill_mailed("2024-02-01", "90.00", "B1"),
            payment("2024-03-01", "30.00"),
            bill_mailed("2024-03-31", "70.00", "B2"),
            bill_mailed("2024-04-01", "99.00", "B3"),
            deposit_received("2024-02-10", "20.00"),
            deposit_absorbed("2024-03-02", "20.00"),
        ),
        history(
            bill_mailed("2024-03-04", "40.00", "B1"),
            petition_filed("2024-03-06", "B1", "40.00"),
            petition_answered("2024-03-10"),
            appeal_filed("2024-03-11"),
            commission_deposit("2024-03-12", "40.00"),
            e.CommissionDepositDisbursed(appeal="AP-1", on=date(2024, 3, 30), to_utility=3000, to_customer=1000),
            account="7002",
        ),
    ]
    found = answers_over_all.trial_balance(told, *RULES, day("2024-03-31"), first=day("2024-03-01"))
    moved = {kind: amount for kind, amount in found["balance"]["movements"].items() if amount != "0.00"}
    assert moved == {
        "bill": "110.00",
        "payment": "-30.00",
        "deposit_absorbed": "-20.00",
        "commission_disbursement": "-30.00",
    }
    assert [found["balance"][key] for key in ("opening", "closing", "difference")] == ["90.00", "120.00", "0.00"]
    assert found["deposit"]["opening"] == "20.00"
    assert (found["deposit"]["movements"]["absorbed"], found["deposit"]["closing"]) == ("-20.00", "0.00")
    assert found["commission_deposit"]["movements"] == {
        "deposited": "40.00",
        "to_utility": "-30.00",
        "to_customer": "-10.00",
    }
    assert (found["from"], found["to"], found["accounts"]) == ("2024-03-01", "2024-03-31", 2)


def test_trial_balance_without_a_first_day_opens_at_nothing():
    found = answers_over_all.trial_balance([history(bill_mailed("2024-02-01", "90.00"))], *RULES, day("2024-03-31"))
    assert (found["from"], found["balance"]["opening"], found["balance"]["closing"]) == (None, "0.00", "90.00")


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(Refused, match="swap the days"):
        answers_over_all.trial_balance([], *RULES, day("2024-03-01"), first=day("2024-03-02"))


def tasks(on: str, *events: e.Event) -> list[tuple[str, str | None, str | None]]:
    found = answers_over_all.worklist([history(*events)], *RULES, day(on))
    assert sum(found["totals"].values()) == len(found["rows"])
    return [(row["task"], row["reference"], row["by"]) for row in found["rows"]]


def test_worklist_a_notice_may_be_served_once_a_bill_is_past_due():
    bill = bill_mailed("2024-03-04", "90.00", "B1")
    assert tasks("2024-03-23", bill) == []
    assert tasks("2024-03-24", bill) == [("serve_notice", "B1", None)]
    assert tasks("2024-04-26", bill, notice_served("2024-04-25")) == []


@pytest.mark.parametrize(("on", "due"), [("2024-05-20", []), ("2024-05-21", ["21 May 2024"])])
def test_worklist_a_raised_bill_is_past_due_from_its_increase_on(on, due):
    paid, raised = payment("2024-03-10 10:00", "90.00"), bill_corrected("B1", "120.00", "2024-05-01")
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), paid, raised)
    rows = answers_over_all.worklist([told], *RULES, day(on))["rows"]
    assert [row["because"].partition(" since ")[2].partition(" and ")[0] for row in rows] == due


def test_worklist_a_shutoff_may_be_authorized():
    assert tasks("2024-05-22", *AGED) == []
    assert tasks("2024-05-23", *AGED) == [("authorize_shutoff", "B1", None)]
    assert tasks("2024-05-23", *AGED, payment("2024-05-23 15:00", "90.00")) == []
    assert tasks("2024-05-26", *AGED) == []


def test_worklist_names_the_bill_that_the_notice_covers():
    """Given an older bill that was paid when the notice was served, by a payment that was returned since."""
    paid = payment("2024-02-01 10:00", "40.00", payment="P-0")
    older = (bill_mailed("2024-01-16", "40.00", "B0"), paid, *AGED, payment_returned("P-0", "2024-05-10"))
    assert tasks("2024-05-23", *older) == [("authorize_shutoff", "B1", None)]


@pytest.mark.parametrize(("on", "count"), [("2024-05-23", 1), ("2024-05-24", 0)])
def test_worklist_nothing_is_served_on_or_shut_off_at_a_closed_account(on, count):
    closed = e.AccountClosed(closed_on=date(2024, 5, 24))
    for events in (AGED, AGED[:1]):
        assert len(tasks(on, *events, closed)) == count


def test_worklist_a_shutoff_that_is_lawful_only_later_that_day():
    reached = contact_made("2024-05-22 10:30")
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), notice_served("2024-04-25"), reached)
    for on, hour in (("2024-05-23", "10:30"), ("2024-05-28", "08:00")):
        rows = answers_over_all.worklist([told], *RULES, day(on))["rows"]
        assert [(row["task"], row["because"][-5:]) for row in rows] == [("authorize_shutoff", hour)]
    assert answers_over_all.worklist([told], *RULES, day("2024-05-22"))["rows"] == []


def test_worklist_says_what_an_installment_still_needs():
    agreed = arrangement_agreed("2024-04-01", ("2024-04-20", "40.00"), ("2024-05-01", "50.00"))
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), agreed, payment("2024-04-19 10:00", "45.00"))
    (row,) = answers_over_all.worklist([told], *RULES, day("2024-04-25"))["rows"]
    assert (row["task"], row["by"], row["amount"]) == ("installment_due", "2024-05-01", "45.00")


def test_worklist_adds_up_what_is_due_by_one_day():
    """Given installments due on a Saturday and the Sunday after it; then both are due on Monday."""
    agreed = arrangement_agreed("2024-04-01", ("2024-04-27", "40.00"), ("2024-04-28", "30.00"), ("2024-05-28", "20.00"))
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), agreed, payment("2024-04-19 10:00", "15.00"))
    (row,) = answers_over_all.worklist([told], *RULES, day("2024-04-25"))["rows"]
    assert (row["task"], row["by"], row["amount"]) == ("installment_due", "2024-04-29", "55.00")


def test_worklist_installments_due_and_missed():
    agreed = bill_mailed("2024-03-04", "90.00", "B1"), arrangement_agreed("2024-04-01", ("2024-05-01", "90.00"))
    assert tasks("2024-04-23", *agreed) == []
    assert tasks("2024-04-24", *agreed) == [("installment_due", "A-1", "2024-05-01")]
    assert tasks("2024-05-01", *agreed) == [("installment_due", "A-1", "2024-05-01")]
    assert tasks("2024-05-02", *agreed) == [("serve_notice", "B1", None), ("installment_missed", "A-1", "2024-05-02")]


def test_worklist_stays_that_wait():
    bill = bill_mailed("2024-03-04", "90.00", "B1")
    asked = petition_filed("2024-03-06", "B1"), arrangement_requested("2024-03-07 09:00")
    assert tasks("2024-03-08", bill, *asked) == [("stay", "D-1", None), ("stay", "A-1", None)]
    appealed = asked[0], petition_answered("2024-03-08"), appeal_filed("2024-03-09")
    assert tasks("2024-03-10", bill, *appealed) == [("stay", "AP-1", None)]
    assert tasks("2024-03-13", bill, *appealed, commission_deposit("2024-03-12", "90.00")) == []
    reported = payment_reported("2024-03-15 10:00", "90.00", payment="P1")
    assert tasks("2024-03-15", bill, reported) == [("stay", "P1", "2024-03-19")]


def test_worklist_estimated_reads_to_true_up():
    assert tasks("2023-03-20", *READS[:2]) == []
    assert tasks("2023-03-20", *READS) == [("true_up", None, "2023-04-13")]
    actual = e.ReadTaken(meter="M1", read_on=date(2023, 3, 20), reading=36_000)
    assert tasks("2023-03-20", *READS, actual) == []


@pytest.mark.parametrize(("on", "count"), [("2020-02-29", 0), ("2020-03-01", 1)])
def test_an_account_counts_and_is_found_from_the_day_it_was_opened(on, count):
    told = history(bill_mailed("2024-03-04", "90.00", "B1"))
    assert answers_over_all.trial_balance([told], *RULES, day(on))["accounts"] == count
    assert find([told], *RULES, day(on))["accounts"] == count
