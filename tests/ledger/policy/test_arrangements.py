"""Arrangements: DO-07 to DO-14, and what the statutes add (PUC-779-A, PUC-779-C, HS-116910)."""

from datetime import date

import pytest

from ledger import events as e
from ledger.policy.arrangements import agreement_objections
from tests.cases import (
    Book,
    arrangement_agreed,
    arrangement_breached,
    arrangement_cancelled,
    arrangement_declined,
    arrangement_requested,
    bill_mailed,
    bill_voided,
    contact_made,
    disconnected,
    installments_of,
    notice_served,
    payment,
    payment_reported,
    payment_returned,
    reconnected,
)

OLD = (bill_mailed("2024-02-01"), notice_served("2024-03-01"), contact_made("2024-05-01 10:00"))
AGREED = arrangement_agreed("2024-05-01", ("2024-05-20", "45.00"), ("2024-06-20", "45.00"))
KEPT = {"DO-11": "blocks", "DO-12": "blocks", "DO-13": "permits", "DO-14": "permits", "PUC-779-A": "blocks"}
MISSED = {"DO-11": "permits", "DO-12": "permits", "DO-13": "blocks", "DO-14": "permits", "PUC-779-A": "permits"}
NONE = {"DO-11": "not_applicable", "DO-12": "not_applicable", "DO-13": "not_applicable", "DO-14": "not_applicable"}
OVER = dict.fromkeys(KEPT, "permits")


def arranged(case: Book, on: str, rules: dict[str, str]) -> dict[str, str]:
    told = case.explain(on)
    return {rule: told[rule] for rule in rules}


def test_do_07_a_request_holds_in_the_statute_layer_until_it_is_answered(case):
    case.given(*OLD, arrangement_requested("2024-05-02 09:00"))
    told = case.explain("2024-05-03")
    assert (told["DO-07"], told["PUC-779-C"]) == ("permits", "blocks")
    assert case.explain("2024-05-01")["DO-07"] == "not_applicable"
    case.given(arrangement_declined("2024-05-06"))
    told = case.explain("2024-05-06")
    assert (told["DO-07"], told["PUC-779-C"]) == ("permits", "permits")
    assert told.because("DO-07") == "the request for arrangement A-1 is answered"


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("2024-05-20 09:59", True),
        ("2024-05-20 10:00", False),
        ("2024-05-20 10:01", False),
        ("2024-05-20", True),  # only the day is known
        ("2024-05-22 10:00", True),  # the water is on again
    ],
)
def test_do_07_a_request_after_the_shutoff_is_not_admissible(case, asked, held):
    case.given(*OLD, disconnected("2024-05-20 10:00"), reconnected("2024-05-22 09:00"), arrangement_requested(asked))
    assert (case.explain("2024-05-23")["PUC-779-C"] == "blocks") == held
    assert ("came after the shutoff" in case.explain("2024-05-23").because("DO-07")) != held


def test_do_07_is_residential(case):
    case.opened(service_class="nonresidential").given(*OLD, arrangement_requested("2024-05-02 09:00"))
    told = case.explain("2024-05-03")
    assert told["DO-07"] == told["PUC-779-C"] == "not_applicable"


@pytest.mark.parametrize(
    ("payments", "on", "expected"),
    [
        ([], "2024-05-20", KEPT),
        ([], "2024-05-21", MISSED),
        ([payment("2024-05-20 23:59", "45.00")], "2024-05-21", KEPT),
        ([payment("2024-05-20", "44.99")], "2024-05-21", MISSED),
        ([payment("2024-05-21 09:00", "45.00")], "2024-05-21", KEPT),  # caught up
        ([payment("2024-05-20", "45.00")], "2024-06-20", KEPT),
        ([payment("2024-05-20", "45.00")], "2024-06-21", MISSED),
        ([payment("2024-05-20", "45.00"), payment("2024-06-20", "45.00")], "2024-06-21", OVER),
        ([payment("2024-05-03", "90.00")], "2024-05-04", OVER),
        ([payment("2024-05-20", "45.00", bill="B-2024-02-01")], "2024-05-21", KEPT),
        ([payment("2024-05-20", "45.00"), payment_returned("P-2024-05-20", "2024-05-28")], "2024-05-27", KEPT),
        ([payment("2024-05-20", "45.00"), payment_returned("P-2024-05-20", "2024-05-28")], "2024-05-28", MISSED),
        ([payment_reported("2024-05-20 21:00", "45.00")], "2024-05-20", KEPT),
        ([payment_reported("2024-05-20 21:00", "45.00")], "2024-05-21", MISSED),  # a mere report keeps nothing
        ([payment_reported("2024-05-03 21:00", "90.00")], "2024-05-03", KEPT),  # and completes nothing
        ([arrangement_cancelled("2024-05-07")], "2024-05-07", OVER),
    ],
)
def test_do_11_the_shield_lasts_while_it_is_kept(case, payments, on, expected):
    case.given(*OLD, AGREED, *payments)
    assert arranged(case, on, expected) == expected


def test_do_11_an_installment_due_on_a_closed_day_moves(case):
    case.given(*OLD, arrangement_agreed("2024-05-01", ("2024-05-25", "90.00")))  # Saturday before Memorial Day
    assert case.explain("2024-05-28")["DO-11"] == "blocks"
    assert case.explain("2024-05-29")["DO-11"] == "permits"


@pytest.mark.parametrize(("on", "expected"), [("2024-05-28", KEPT), ("2024-05-29", MISSED)])
def test_do_12_a_later_bill_is_paid_in_its_own_time(case, on, expected):
    case.given(
        *OLD, AGREED, bill_mailed("2024-05-08", "60.00"), payment("2024-05-20", "45.00")
    )  # Memorial Day is day 19
    assert arranged(case, on, expected) == expected


def test_do_12_a_bill_of_the_day_of_agreement_is_arranged_a_voided_one_is_not_owed(case):
    case.given(*OLD, AGREED, bill_mailed("2024-05-01", "60.00"), payment("2024-05-20", "45.00"))
    case.given(bill_mailed("2024-05-02", "60.00", bill="B-VOID"), bill_voided("B-VOID", "2024-05-10"))
    assert case.explain("2024-06-20")["DO-12"] == "blocks"


def test_do_12_who_pays_installments_and_bills_is_shielded_though_the_oldest_debt_is_paid_first(case):
    case.given(bill_mailed("2024-01-02", "300.00"), notice_served("2024-04-25"), contact_made("2024-05-20 10:00"))
    dues = [(f"2024-{month:02}-15", "30.00") for month in range(3, 13)]
    case.given(arrangement_agreed("2024-02-01", *dues))
    case.given(bill_mailed("2024-02-02", "85.00"), payment("2024-02-15", "85.00"))
    for month in range(3, 13):
        case.given(bill_mailed(f"2024-{month:02}-02", "85.00"), payment(f"2024-{month:02}-15", "115.00"))
    for month in range(3, 13):
        told = case.explain(f"2024-{month:02}-27")
        assert told["DO-11"] == ("blocks" if month < 10 else "permits")
        assert "blocks" in (told["DO-11"], told["DO-04"], told["DO-03"])  # from October on, no bill ages
    assert case.explain("2024-04-26")["DO-04"] == "permits"  # the bill of February is aged, and unpaid in part
    assert case.explain("2024-12-27")["DO-03"] == "blocks"


def test_do_13_a_breach_the_utility_found_ends_the_shield_until_a_later_payment(case):
    case.given(*OLD, AGREED, arrangement_breached("2024-05-06"))
    assert arranged(case, "2024-05-07", MISSED) == MISSED
    case.given(payment("2024-05-08", "10.00"))
    assert arranged(case, "2024-05-08", KEPT) == KEPT


@pytest.mark.parametrize(
    ("served", "method", "last_day", "first_day"),
    [
        ("2024-05-22", "posted", "2024-05-29", "2024-05-30"),  # Monday 27 May is Memorial Day
        ("2024-05-22", "hand", "2024-05-29", "2024-05-30"),
        ("2024-05-22", "mail", "2024-05-29", "2024-05-30"),  # the five days for mail are the statute's
        ("2024-05-21", "posted", "2024-05-28", "2024-05-29"),
    ],
)
def test_do_13_five_business_days_from_the_final_notice(case, served, method, last_day, first_day):
    case.given(*OLD, AGREED)
    assert case.explain("2024-05-23").against >= {"DO-13", "DO-19"}
    case.given(notice_served(served, "final", method=method))
    told = case.explain(last_day)
    assert (told["DO-13"], told["DO-19"], told["DO-20"]) == ("blocks", "permits", "not_applicable")
    told = case.explain(first_day)
    assert told["DO-13"] == "permits"
    assert told.allowed


def test_do_13_then_the_shutoff_is_allowed_on_the_fifth_business_day(case):
    case.given(*OLD, AGREED, notice_served("2024-05-21", "final", method="posted"))
    assert case.explain("2024-05-22").earliest == date(2024, 5, 29)
    assert case.explain("2024-05-29").allowed


def test_do_13_a_final_notice_before_the_miss_is_none(case):
    case.given(*OLD, AGREED, notice_served("2024-05-20", "final", method="posted"))
    told = case.explain("2024-06-05")
    assert told.against >= {"DO-13", "DO-19"}
    assert "before the arrangement was missed" in told.because("DO-19")
    assert told.earliest is None


def test_do_13_catching_up_within_the_notice_cancels_it(case):
    case.given(*OLD, AGREED, notice_served("2024-05-21", "final", method="posted"), payment("2024-05-28", "45.00"))
    assert arranged(case, "2024-05-29", KEPT) == KEPT


BREACHED = (arrangement_agreed("2024-05-01", ("2024-05-20", "90.00")), arrangement_breached("2024-05-22"))
TWICE = (
    arrangement_agreed("2024-05-02", ("2024-06-20", "90.00"), name="A-2"),
    arrangement_cancelled("2024-05-13", "A-2"),
)


def test_do_13_to_cancel_after_a_breach_takes_no_right_away(case):
    case.given(*OLD, *BREACHED, arrangement_cancelled("2024-05-23"), notice_served("2024-05-23", method="posted"))
    told = case.explain("2024-06-05")
    assert told.against == {"DO-13", "DO-19"}
    assert arranged(case, "2024-06-05", MISSED) == MISSED
    asked = case.at("2024-06-05")
    assert [
        rule for rule, _ in agreement_objections(asked, "alternative", installments_of(("2024-07-05", "90.00")))
    ] == ["DO-14"]
    case.given(notice_served("2024-06-05", "final", method="posted"))
    assert case.explain("2024-06-12")["DO-13"] == "permits"


@pytest.mark.parametrize(
    ("cancelled", "paid", "expected"),
    [
        ("2024-05-20", None, OVER),  # the installment may still be paid that day
        ("2024-05-21", None, MISSED),
        ("2024-05-21", "45.00", MISSED),  # nothing is left to catch up with
        ("2024-05-21", "90.00", OVER),
    ],
)
def test_do_13_cancelled_after_a_miss_it_stays_missed_while_its_debt_is_open(case, cancelled, paid, expected):
    case.given(*OLD, arrangement_agreed("2024-05-01", ("2024-05-20", "45.00")), arrangement_cancelled(cancelled))
    if paid:
        case.given(payment("2024-05-28", paid))
    assert arranged(case, "2024-05-29", expected) == expected


@pytest.mark.parametrize(
    ("events", "on", "expected"),
    [
        (TWICE, "2024-05-20", KEPT),
        (TWICE, "2024-05-21", MISSED),
        ((*TWICE, payment("2024-05-20", "45.00")), "2024-05-21", KEPT),
        ((*TWICE, arrangement_cancelled("2024-05-14")), "2024-05-21", OVER),
        ((*TWICE[:1],), "2024-05-21", KEPT),  # the later one stands, and asks for nothing yet
    ],
)
def test_do_11_cancelled_without_a_miss_it_leaves_the_one_before_as_it_was(case, events, on, expected):
    case.given(*OLD, AGREED, *events)
    assert arranged(case, on, expected) == expected


LATER = (
    bill_mailed("2024-01-02", "100.00", bill="B1"),
    arrangement_agreed("2024-03-25", ("2024-04-10", "50.00"), ("2024-05-10", "50.00")),
    bill_mailed("2024-04-03", "80.00", bill="B2"),
    payment("2024-04-09", "50.00", bill="B1"),
    notice_served("2024-05-20"),
    contact_made("2024-06-10 10:00"),
)


@pytest.mark.parametrize(
    ("last", "against"),
    [
        ([payment("2024-05-09", "50.00", bill="B1")], set()),
        ([payment("2024-05-09", "49.99", bill="B1")], {"DO-13", "DO-19"}),
        (
            [payment("2024-05-09", "50.00", bill="B1"), payment_returned("P-2024-05-09", "2024-05-17")],
            {"DO-13", "DO-19"},
        ),
    ],
)
def test_do_13_is_over_when_nothing_that_was_arranged_is_open(case, last, against):
    case.given(*LATER, *last)
    assert case.explain("2024-05-08")["DO-13"] == "blocks"  # the later bill was due by 22 April
    assert case.explain("2024-06-24").against == against


@pytest.mark.parametrize(
    "end", [bill_voided("B1", "2024-03-15"), e.AdjustmentPosted(on=date(2024, 3, 15), amount=-10000, reason="leak")]
)
def test_do_13_is_over_when_the_arranged_bill_is_voided_or_credited(case, end):
    case.given(
        bill_mailed("2024-01-02", "100.00", bill="B1"), arrangement_agreed("2024-03-01", ("2024-04-10", "100.00"))
    )
    case.given(end, bill_mailed("2024-05-01", "80.00", bill="B2"), notice_served("2024-06-25"))
    case.given(contact_made("2024-07-10 10:00"))
    assert arranged(case, "2024-03-14", KEPT) == KEPT
    assert arranged(case, "2024-03-15", OVER) == OVER
    assert case.explain("2024-07-22").allowed


def test_do_11_an_arrangement_for_a_part_of_the_debt_ends_when_all_it_asked_for_is_given(case):
    case.given(*OLD, arrangement_agreed("2024-05-01", ("2024-05-20", "45.00")), payment("2024-05-20", "44.99"))
    assert arranged(case, "2024-05-20", KEPT) == KEPT
    case.given(payment("2024-05-20 12:00", "0.01"))
    assert arranged(case, "2024-05-21", OVER) == OVER
    assert case.explain("2024-05-21").because("DO-12") == "arrangement A-1 is over: all that it asked for is paid"


def test_do_12_who_pays_ahead_has_no_shield_for_later_bills(case):
    case.given(*OLD, AGREED, payment("2024-05-03", "90.00"), bill_mailed("2024-05-03", "40.00"))
    assert arranged(case, "2024-05-23", OVER) == OVER
    assert case.explain("2024-05-23").because("DO-12") == "arrangement A-1 is over: nothing that it covered is open"


@pytest.mark.parametrize(
    ("finals", "on", "verdict"),
    [
        ([], "2024-07-19", "blocks"),  # missed since 21 May
        ([], "2024-07-22", "blocks"),
        ([notice_served("2024-07-11", "final", method="posted")], "2024-07-19", "blocks"),
        ([notice_served("2024-07-11", "final", method="posted")], "2024-07-20", "permits"),
        ([notice_served("2024-07-11", "final", method="mail")], "2024-07-22", "blocks"),
        ([notice_served("2024-07-16", "final", method="posted")], "2024-07-22", "blocks"),
        ([notice_served("2024-07-16", "final", method="posted")], "2024-07-23", "permits"),
    ],
)
def test_hs_116910_a_health_arrangement_needs_60_days_and_a_posted_notice(case, finals, on, verdict):
    case.given(*OLD, arrangement_agreed("2024-05-01", ("2024-05-20", "90.00"), arrangement_basis="health"), *finals)
    assert case.explain("2024-05-20")["HS-116910"] == "blocks"
    assert case.explain(on)["HS-116910"] == verdict


def test_hs_116910_then_the_shutoff_is_allowed_on_the_fifth_business_day(case):
    case.given(*OLD, arrangement_agreed("2024-05-01", ("2024-05-20", "90.00"), arrangement_basis="health"))
    case.given(notice_served("2024-07-16", "final", method="posted"))
    assert case.explain("2024-07-22").earliest == date(2024, 7, 23)
    assert case.explain("2024-07-23").allowed


def test_hs_116910_an_ordinary_arrangement_is_not_its_business(case):
    case.given(*OLD, AGREED)
    assert case.explain("2024-05-23")["HS-116910"] == "not_applicable"


@pytest.mark.parametrize(
    ("on", "last", "objections"),
    [
        ("2024-02-29", "2025-02-28", []),
        ("2024-02-29", "2025-03-01", ["DO-09"]),
        ("2024-01-31", "2025-01-31", []),
        ("2024-01-31", "2025-02-01", ["DO-09"]),
        ("2023-08-31", "2024-08-31", []),
    ],
)
def test_do_09_twelve_calendar_months_at_most(case, on, last, objections):
    found = agreement_objections(case.at(on), "reduced", installments_of((last, "90.00")))
    assert [rule for rule, _ in found] == objections


@pytest.mark.parametrize("kind", ["deferred", "alternative"])
def test_do_09_limits_only_what_is_reduced(case, kind):
    assert agreement_objections(case.at("2024-02-29"), kind, installments_of(("2027-02-28", "90.00"))) == []


@pytest.mark.parametrize(
    ("kind", "last", "objections"),
    [
        ("deferred", "2024-04-06", []),  # 14 days after 23 March
        ("deferred", "2024-04-07", ["CWS-08"]),
        ("reduced", "2024-09-20", []),  # six months
        ("reduced", "2024-09-21", ["CWS-09"]),
    ],
)
def test_do_08_another_utility_caps_its_deferrals(kind, last, objections):
    book = Book("cal-water").given(bill_mailed("2024-03-04"))
    found = agreement_objections(book.at("2024-03-20"), kind, installments_of((last, "90.00")))
    assert [rule for rule, _ in found] == objections


@pytest.mark.parametrize(
    ("payments", "reason", "objections"),
    [
        ([], None, ["DO-14"]),
        ([], "illness in the family", []),
        ([payment("2024-05-21", "45.00")], None, []),  # caught up
        ([payment("2024-05-21", "90.00")], None, []),
    ],
)
def test_do_14_after_a_breach_only_with_a_reason(case, payments, reason, objections):
    case.given(*OLD, AGREED, *payments)
    found = agreement_objections(case.at("2024-05-22"), "alternative", installments_of(("2024-06-22", "90.00")), reason)
    assert [rule for rule, _ in found] == objections


@pytest.mark.parametrize(("asked", "objections"), [("2024-05-20 09:59", []), ("2024-05-20 10:01", ["DO-07"])])
def test_do_07_no_agreement_after_the_shutoff_unless_asked_before(case, asked, objections):
    case.given(*OLD, disconnected("2024-05-20 10:00"), arrangement_requested(asked))
    found = agreement_objections(case.at("2024-05-21"), "alternative", installments_of(("2024-06-20", "90.00")))
    assert [rule for rule, _ in found] == objections
