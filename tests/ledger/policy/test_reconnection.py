"""Restoration and money: DO-39 to DO-45, HS-116914."""

import pytest

from ledger.policy.fees import fee_amount, reconnection_fee
from ledger.policy.reconnection import deposit_limit
from ledger.refusal import Refused
from tests.cases import (
    Book,
    bill_corrected,
    bill_mailed,
    bill_voided,
    disconnected,
    found_wrongful,
    payment,
    payment_reported,
    policies,
    reconnected,
    reconnection_requested,
)

OFF = (bill_mailed("2024-03-04"), disconnected("2024-05-23 10:00"))

AFTER_HOURS = reconnection_requested("2024-05-24 09:30", after_hours=True)


def answer(case: Book, when: str) -> tuple[bool, int, int]:
    found = case.reconnection(when)
    return found.allowed, found.amount_to_pay, found.fee


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], (False, 9000, 3000)),
        ([payment("2024-05-24", "89.99")], (False, 1, 3000)),
        ([payment("2024-05-24", "90.00")], (True, 0, 3000)),
        ([payment_reported("2024-05-24 08:00", "90.00")], (True, 0, 3000)),
        ([payment_reported("2024-05-24 08:00", "89.99")], (False, 1, 3000)),
        ([bill_mailed("2024-05-06", "70.00"), payment("2024-05-24", "90.00")], (True, 0, 3000)),  # not past due yet
        ([bill_mailed("2024-05-04", "70.00"), payment("2024-05-24", "90.00")], (False, 7000, 3000)),
        ([found_wrongful("2024-05-24")], (True, 0, 0)),
    ],
)
def test_do_39_the_past_due_balance_in_full(case, events, expected):
    case.given(*OFF, *events)
    assert answer(case, "2024-05-24 10:00") == expected


def test_do_39_a_report_that_never_came_does_not_restore(case):
    case.given(*OFF, payment_reported("2024-05-24 08:00", "90.00"))  # Friday before Memorial Day
    assert answer(case, "2024-05-29 10:00") == (True, 0, 3000)
    assert answer(case, "2024-05-30 10:00") == (False, 9000, 3000)


def test_do_39_is_about_shutoffs_for_nonpayment(case):
    case.given(bill_mailed("2024-03-04"), disconnected("2024-05-23 10:00", "safety"))
    found = case.reconnection("2024-05-24 10:00")
    assert answer(case, "2024-05-24 10:00") == (True, 0, 0)
    assert {rule.rule: rule.verdict for rule in found.rules}["DO-39"] == "not_applicable"
    assert found.deposit_required == 0


def test_there_is_nothing_to_reconnect_while_the_water_is_on(case):
    case.given(*OFF, payment("2024-05-24 09:00", "90.00"), reconnected("2024-05-24 11:00"))
    found = case.reconnection("2024-05-24 12:00")
    assert not found.allowed
    assert found.because == "the water is on: there is nothing to reconnect"
    assert found.deposit_required == 18000


@pytest.mark.parametrize(
    ("asked", "done", "fee"),
    [
        (True, "2024-05-24 17:00", 7500),
        (True, "2024-05-24 16:59", 3000),
        (True, "2024-05-28 07:59", 7500),  # the Tuesday after Memorial Day
        (True, "2024-05-28 08:00", 3000),
        (False, "2024-05-24 17:00", 3000),
        (False, "2024-05-24 16:59", 3000),
        (True, "2024-05-25 12:00", 7500),  # a Saturday
        (None, "2024-05-25 12:00", 3000),
    ],
)
def test_do_41_after_hours_only_if_asked_and_done(case, asked, done, fee):
    case.given(*OFF, payment("2024-05-24 09:00", "90.00"))
    if asked is not None:
        case.given(reconnection_requested("2024-05-24 09:30", after_hours=asked))
    assert answer(case, done) == (True, 0, fee)
    verdicts = {rule.rule: rule.verdict for rule in case.reconnection(done).rules}
    due = ("DO-41", "DO-40") if fee == 7500 else ("DO-40", "DO-41")
    assert [verdicts[rule] for rule in due] == ["permits", "not_applicable"]


def test_do_40_the_fee_carries_its_rule(case):
    asked = case.given(*OFF).at("2024-05-24 10:00")
    kind, amount, basis = reconnection_fee(asked, asked.account.shutoffs[0], None)
    assert (kind, amount, basis.rule) == ("reconnection", 3000, "DO-40")


def test_hs_116914_the_fees_are_under_the_caps(case):
    case.opened(low_income=True).given(*OFF)
    assert case.reconnection("2024-05-24 10:00").fee == 3000
    verdicts = {rule.rule: rule.verdict for rule in case.reconnection("2024-05-24 10:00").rules}
    assert verdicts["HS-116914"] == "permits"


def test_hs_116914_a_higher_fee_is_capped():
    text = (
        '[pack]\nname = "own"\ntitle = "A company of its own"\nread = 2024-01-01\n'
        '[reconnection_fee]\nid = "OWN-1"\ncite = "Rule 11"\n'
        'versions = [{ since = 1999-01-01, amount = 6000, source = "example" }]\n'
        '[after_hours_reconnection_fee]\nid = "OWN-2"\ncite = "Rule 11"\n'
        'versions = [{ since = 1999-01-01, amount = 15001, source = "example" }]\n'
        '[sb998_fee_caps]\nid = "CAP-1"\ncite = "116914"\n'
        'versions = [{ since = 1999-01-01, regular = 5000, after_hours = 15000, source = "example" }]\n'
    )
    book = Book().given(*OFF)
    book.policies = type(book.policies).of([(text, book.at("2024-01-01").on)])
    for low_income, regular, after_hours in (
        (True, (5000, "CAP-1"), (15000, "CAP-1")),
        (False, (6000, "OWN-1"), (15001, "OWN-2")),
    ):
        asked = book.opened(low_income=low_income).at("2024-05-25 10:00")  # a Saturday
        for request, expected in ((None, regular), (AFTER_HOURS, after_hours)):
            found = reconnection_fee(asked, asked.account.shutoffs[0], request)
            assert (found[1], found[2].rule) == expected


@pytest.mark.parametrize(
    ("bills", "average", "limit"),
    [
        ([bill_mailed("2024-03-04", "61.33"), bill_mailed("2024-04-04", "61.34")], 6134, 12267),  # 61.335
        ([bill_mailed("2024-03-04", "122.67")], 12267, 24534),
        ([bill_mailed("2023-05-23", "10.00"), bill_mailed("2024-03-04", "90.00")], 9000, 18000),  # a year ago: no more
        ([bill_mailed("2023-05-24", "10.00"), bill_mailed("2024-03-04", "90.00")], 5000, 10000),
        ([bill_mailed("2024-03-04", "90.00"), bill_mailed("2024-04-04", "9.00", kind="closing")], 9000, 18000),
        ([bill_mailed("2024-03-04"), bill_mailed("2024-04-04", "9.00", bill="V"), bill_voided("V", "2024-04-05")],
         9000, 18000),
        ([bill_mailed("2024-03-04", "90.00", bill="B-C"), bill_corrected("B-C", "80.00", "2024-03-11")], 8000, 16000),
        ([], 0, 0),
    ],
)  # fmt: skip
def test_do_42_twice_the_average_regular_bill(case, bills, average, limit):
    case.given(*bills, disconnected("2024-05-23 10:00"))
    found = deposit_limit(case.at("2024-05-23 11:00"))
    assert (found.average, found.limit) == (average, limit)


def test_do_42_only_after_a_shutoff_for_nonpayment_that_stands(case):
    case.given(bill_mailed("2024-03-04"))
    assert case.reconnection("2024-05-22").deposit_required == 0
    case.given(disconnected("2024-05-23 10:00"))
    assert case.reconnection("2024-05-24").deposit_required == 18000
    case.given(found_wrongful("2024-05-25"))
    assert case.reconnection("2024-05-25").deposit_required == 0


@pytest.mark.parametrize(
    ("kind", "amount", "rule"),
    [("field_collection", 2000, "DO-45"), ("reconnection", 3000, "DO-40"), ("after_hours_reconnection", 7500, "DO-41")],
)
def test_do_45_the_fees_of_the_pack(kind, amount, rule):
    found, basis = fee_amount(kind, policies().on(disconnected("2024-05-23 10:00").day))
    assert (found, basis.rule) == (amount, rule)


@pytest.mark.parametrize("kind", ["late", "returned_payment", "other"])
def test_a_fee_the_pack_does_not_set_needs_an_amount(kind):
    with pytest.raises(Refused, match=f"no amount for fees of the kind {kind}; give one"):
        fee_amount(kind, policies().on(disconnected("2024-05-23 10:00").day))
