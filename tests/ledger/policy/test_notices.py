"""Notices and contact: DO-19 to DO-21, PUC-777, PUC-777.1, PUC-779.1-A and -B, HS-116916."""

from datetime import date

import pytest

from ledger import events as e
from ledger.policy.notices import covered_bills, standing
from tests.cases import (
    arrangement_agreed,
    bill_mailed,
    bill_voided,
    contact_made,
    notice_served,
    payment,
    payment_returned,
    petition_answered,
    petition_filed,
)

BILL = "B-2024-03-04"
OLD = bill_mailed("2024-03-04")
"""May be paid until 22 May 2024."""


@pytest.mark.parametrize(
    ("notice", "verdict"),
    [
        (notice_served("2024-04-25"), "permits"),
        (notice_served("2024-03-24"), "blocks"),  # stale by then
        (notice_served("2024-04-25", "past_due"), "blocks"),
        (notice_served("2024-04-25", "occupants"), "blocks"),
        (notice_served("2024-04-25", "final"), "blocks"),  # only after a breach
    ],
)
def test_do_19_a_notice_of_discontinuance_stands(case, notice, verdict):
    case.given(OLD, notice)
    assert case.explain("2024-05-23")["DO-19"] == verdict


@pytest.mark.parametrize(("served", "verdict"), [("2024-03-23", "blocks"), ("2024-03-24", "permits")])
def test_do_19_not_served_before_the_bill_is_past_due(case, served, verdict):
    case.given(OLD, notice_served(served))
    assert case.explain("2024-04-10")["DO-19"] == verdict


def test_do_19_a_notice_covers_the_bills_past_due_on_its_day_and_no_other(case):
    case.given(OLD, bill_mailed("2024-04-16"), notice_served("2024-05-02"), payment("2024-05-30", "90.00"))
    told = case.explain("2024-06-06")
    assert told["DO-19"] == "blocks"
    assert "paid in full" in told.because("DO-19")


@pytest.mark.parametrize(("on", "verdict"), [("2024-06-08", "permits"), ("2024-06-09", "blocks")])
def test_do_19_stale_45_days_after_service(case, on, verdict):
    case.given(OLD, notice_served("2024-04-25"))
    assert case.explain(on)["DO-19"] == verdict


def test_do_19_stale_after_payment_in_full_even_if_it_was_returned(case):
    case.given(OLD, notice_served("2024-04-25"))
    case.given(payment("2024-05-02", "90.00"), payment_returned("P-2024-05-02", "2024-05-09"))
    told = case.explain("2024-05-23")
    assert told["DO-19"] == "blocks"
    assert "paid in full on 2 May 2024" in told.because("DO-19")


def test_do_19_a_partial_payment_that_was_returned_leaves_the_notice(case):
    case.given(OLD, notice_served("2024-04-25"))
    case.given(payment("2024-05-02", "89.99"), payment_returned("P-2024-05-02", "2024-05-09"))
    assert case.explain("2024-05-23")["DO-19"] == "permits"


PAID_THEN = (
    bill_mailed("2024-01-02", "50.00", bill="B0"),
    bill_mailed("2024-03-04", "90.00", bill="B1"),
    payment("2024-03-20 10:00", "90.00", payment="PX", bill="B1"),
    notice_served("2024-04-25"),
    contact_made("2024-05-02 10:00"),
)


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [("2024-04-29", "blocks"), ("2024-04-26", "blocks"), ("2024-04-25", "permits"), ("2024-04-24", "permits")],
)
def test_do_19_a_bill_paid_on_the_day_of_the_notice_is_not_covered(case, returned, verdict):
    case.given(*PAID_THEN, payment_returned("PX", returned), payment("2024-05-01 10:00", "50.00", bill="B0"))
    told = case.explain("2024-05-23")
    assert told["DO-19"] == verdict
    assert told.allowed == (verdict == "permits")


def test_do_19_a_bill_paid_then_by_money_moved_or_freed_since_is_not_covered(case):
    moved = e.PaymentTransferred(payment="PX", to_account="7002", on=date(2024, 4, 29), reason="not theirs")
    case.given(*PAID_THEN, moved, payment("2024-05-01 10:00", "50.00", bill="B0"))
    assert case.explain("2024-05-23")["DO-19"] == "blocks"


def test_do_19_a_void_leaves_what_the_notice_covered_as_it_was(case):
    case.given(bill_mailed("2024-03-02", "95.00", bill="B-V"), OLD, payment("2024-03-20", "90.00"))
    case.given(notice_served("2024-04-25"), bill_voided("B-V", "2024-05-02"))
    for day in ("2024-05-01", "2024-05-02"):
        asked = case.at(day)
        assert covered_bills(asked, asked.account.notices[0]) == ("B-V", BILL)


def test_do_19_stale_after_a_void_paid_the_rest_though_the_payment_was_returned(case):
    case.given(bill_mailed("2024-03-02", "95.00", bill="B-V"), OLD, payment("2024-03-20", "90.00"))
    case.given(notice_served("2024-04-25"), bill_voided("B-V", "2024-05-02"))
    case.given(payment_returned("P-2024-03-20", "2024-05-09"))
    assert "paid in full on 2 May 2024" in case.explain("2024-05-23").because("DO-19")


def test_do_19_stale_after_payment_in_full_by_two_though_one_was_returned(case):
    case.given(OLD, notice_served("2024-04-25"), payment("2024-05-02", "45.00"), payment("2024-05-03", "45.00"))
    case.given(payment_returned("P-2024-05-02", "2024-05-09"))
    assert "paid in full on 3 May 2024" in case.explain("2024-05-23").because("DO-19")


def test_do_19_stale_after_a_new_arrangement(case):
    case.given(OLD, notice_served("2024-04-25"), arrangement_agreed("2024-05-01", ("2024-05-15", "90.00")))
    assert "was agreed since" in case.explain("2024-05-14").because("DO-19")


@pytest.mark.parametrize(
    ("service", "method", "last_day", "first_day"),
    [
        ({}, "mail", "2024-05-09", "2024-05-10"),
        ({}, "posted", "2024-05-04", "2024-05-05"),
        ({}, "hand", "2024-05-04", "2024-05-05"),
        ({"occupancy": "tenants_metered"}, "mail", "2024-05-04", "2024-05-05"),
        ({"occupancy": "tenants_master_metered"}, "posted", "2024-05-09", "2024-05-10"),
        ({"service_class": "nonresidential"}, "mail", "2024-05-01", "2024-05-02"),
    ],
)
def test_do_20_the_notice_runs_its_days(case, service, method, last_day, first_day):
    case.opened(**service).given(OLD, notice_served("2024-04-25", method=method))
    assert case.explain(last_day)["DO-20"] == "blocks"
    assert case.explain(first_day)["DO-20"] == "permits"
    assert case.explain(last_day).facts("DO-20")["first_day"] == date.fromisoformat(first_day)


@pytest.mark.parametrize(
    ("occupancy", "last_day", "first_day"),
    [("tenants_metered", "2024-05-11", "2024-05-12"), ("tenants_master_metered", "2024-05-16", "2024-05-17")],
)
def test_do_20_the_notice_to_the_occupants_runs_too(case, occupancy, last_day, first_day):
    case.opened(occupancy=occupancy)
    case.given(OLD, notice_served("2024-04-25"), notice_served("2024-05-02", "occupants", method="posted"))
    assert case.explain(last_day)["DO-20"] == "blocks"
    assert case.explain(first_day)["DO-20"] == "permits"


def test_do_20_tenants_behind_a_master_meter_are_told_by_posting(case):
    case.opened(occupancy="tenants_master_metered")
    case.given(OLD, notice_served("2024-04-25"), notice_served("2024-04-25", "occupants"))
    assert case.explain("2024-05-23").against >= {"DO-20", "PUC-777.1"}


def test_do_20_without_a_notice_there_are_no_days_to_count(case):
    case.given(OLD)
    told = case.explain("2024-05-23")
    assert (told["DO-19"], told["DO-20"]) == ("blocks", "not_applicable")


@pytest.mark.parametrize(
    ("outcome", "on", "verdict"),
    [
        ("upheld", "2024-05-22", "blocks"),
        ("upheld", "2024-05-23", "permits"),
        ("withdrawn", "2024-05-22", "permits"),
    ],
)
def test_do_25_the_notice_runs_anew_from_the_answer(case, outcome, on, verdict):
    case.given(OLD, notice_served("2024-04-25"), petition_filed("2024-03-11 09:00", BILL))
    case.given(petition_answered("2024-05-08", outcome=outcome))
    assert case.explain(on)["DO-20"] == verdict
    assert case.explain(on)["DO-25"] == "permits"


MISSED = (bill_mailed("2024-01-02", "90.00", "B-1"), arrangement_agreed("2024-02-15", ("2024-03-01", "90.00")))


@pytest.mark.parametrize(("on", "verdict"), [("2024-06-14", "blocks"), ("2024-06-17", "permits")])
def test_do_25_a_final_notice_runs_anew_from_the_answer(case, on, verdict):
    """Five business days from Monday 10 June, where the notice of 3 June alone would have allowed it on the 10th."""
    case.given(*MISSED, notice_served("2024-06-03", "final"), petition_filed("2024-06-04 09:00", "B-1"))
    assert case.explain("2024-06-10 10:00")["DO-13"] == "permits"
    told = case.given(petition_answered("2024-06-10", outcome="upheld")).explain(on)
    assert told["DO-13"] == verdict
    assert "of 3 June 2024 (anew from the answer of 10 June 2024) allows" in told.because("DO-13")


@pytest.mark.parametrize(("on", "verdict"), [("2024-06-07", "blocks"), ("2024-06-10", "permits")])
def test_do_13_a_stale_final_notice_does_not_serve_for_a_fresh_one(case, on, verdict):
    case.given(*MISSED, notice_served("2024-03-05", "final", notice="F-1"), contact_made("2024-03-06 10:00"))
    told = case.given(notice_served("2024-06-03", "final", notice="F-2")).explain(f"{on} 10:00")
    assert (told["DO-19"], told["DO-13"]) == ("permits", verdict)
    assert told.facts("DO-13")["notice"] == told.facts("DO-19")["notice"] == "F-2"
    assert case.explain("2024-04-19 10:00").against & {"DO-13", "DO-19"} == {"DO-19"}


def test_do_13_the_table_and_the_rule_say_from_when_a_final_notice_is_good(case):
    found = case.given(*MISSED, notice_served("2024-06-03", "final")).at("2024-06-04")
    chosen = standing(found)
    assert chosen.free_from == case.explain("2024-06-04").facts("DO-13")["first_day"] == date(2024, 6, 10)


@pytest.mark.parametrize("occupancy", ["tenants_metered", "tenants_master_metered"])
def test_do_21_the_occupants_are_told_since_the_bill_is_past_due(case, occupancy):
    case.opened(occupancy=occupancy).given(OLD, notice_served("2024-03-23", "occupants"))
    assert case.explain("2024-05-23")["DO-21"] == "blocks"
    case.given(notice_served("2024-03-24", "occupants"))
    assert case.explain("2024-05-23")["DO-21"] == "permits"


def test_do_21_is_about_tenants(case):
    case.given(OLD)
    told = case.explain("2024-05-23")
    rules = ("DO-21", "PUC-777", "PUC-777.1", "HS-116916")
    assert [told[rule] for rule in rules] == ["not_applicable"] * 4


@pytest.mark.parametrize(
    ("occupancy", "rule", "other", "method", "last_day", "first_day"),
    [
        ("tenants_metered", "PUC-777", "PUC-777.1", "mail", "2024-05-11", "2024-05-12"),
        ("tenants_metered", "HS-116916", "PUC-777.1", "mail", "2024-05-11", "2024-05-12"),
        ("tenants_master_metered", "PUC-777.1", "PUC-777", "posted", "2024-05-16", "2024-05-17"),
    ],
)
def test_puc_777_tenants_are_told_in_time(case, occupancy, rule, other, method, last_day, first_day):
    case.opened(occupancy=occupancy).given(OLD)
    assert case.explain("2024-05-23")[rule] == "blocks"
    case.given(notice_served("2024-05-02", "occupants", method=method))
    assert case.explain(last_day)[rule] == "blocks"
    assert case.explain(first_day)[rule] == "permits"
    assert case.explain(first_day)[other] == "not_applicable"


@pytest.mark.parametrize(
    ("served", "method", "last_day", "first_day"),
    [
        ("2024-03-23", "mail", "2024-04-06", "2024-04-07"),  # served on the 19th day
        ("2024-03-25", "mail", "2024-04-08", "2024-04-09"),
        ("2024-03-25", "posted", "2024-04-03", "2024-04-04"),
        ("2024-03-25", "hand", "2024-04-03", "2024-04-04"),
    ],
)
def test_puc_779_1_a_ten_days_from_the_fifth_after_mailing(case, served, method, last_day, first_day):
    case.given(OLD, notice_served(served, method=method))
    assert case.explain(last_day)["PUC-779.1-A"] == "blocks"
    assert case.explain(first_day)["PUC-779.1-A"] == "permits"


def test_puc_779_1_a_a_notice_before_the_19th_day_is_none(case):
    case.given(OLD, notice_served("2024-03-22"))
    assert case.explain("2024-03-22").because("PUC-779.1-A") == "the bill may be paid until 23 March 2024"
    assert case.explain("2024-05-23")["PUC-779.1-A"] == "blocks"
    assert case.opened(service_class="nonresidential").explain("2024-05-23")["PUC-779.1-A"] == "not_applicable"


@pytest.mark.parametrize(
    ("contacts", "before", "from_then"),
    [
        ([contact_made("2024-05-22 10:00")], "2024-05-23 09:59", "2024-05-23 10:00"),
        ([contact_made("2024-05-22 10:00", "visit")], "2024-05-23 09:59", "2024-05-23 10:00"),
        ([contact_made("2024-05-22")], "2024-05-23 23:59", "2024-05-24 00:00"),  # only the day is known
        ([contact_made("2024-05-21 10:00", "visit", "message")], "2024-05-23 09:59", "2024-05-23 10:00"),
        ([contact_made("2024-05-20 10:00", outcome="failed"), notice_served("2024-05-20")],
         "2024-05-22 23:59", "2024-05-23 00:00"),
        ([contact_made("2024-05-20 10:00", outcome="message"), notice_served("2024-05-20", "occupants")],
         "2024-05-22 23:59", "2024-05-23 00:00"),
        # In the night of 10 March 2024 the clocks went forward: 24 hours later is an hour later on the wall.
        ([contact_made("2024-03-09 10:00")], "2024-03-10 10:59", "2024-03-10 11:00"),
    ],
)  # fmt: skip
def test_puc_779_1_b_24_hours_after_contact_48_after_a_notice(case, contacts, before, from_then):
    case.given(bill_mailed("2024-01-04"), *contacts)
    assert case.explain(before)["PUC-779.1-B"] == "blocks"
    assert case.explain(from_then)["PUC-779.1-B"] == "permits"


@pytest.mark.parametrize(
    "contacts",
    [
        [],
        [notice_served("2024-05-13")],  # no attempt was made
        [contact_made("2024-05-14 10:00", outcome="failed"), notice_served("2024-05-13")],
        [contact_made("2024-05-14 10:00", outcome="failed"), notice_served("2024-05-14", "past_due")],
        [contact_made("2024-05-14 10:00", outcome="failed")],
        [contact_made("2024-05-14 10:00", "email")],
        [contact_made("2024-01-23 10:00")],  # before the bill was past due
    ],
)
def test_puc_779_1_b_what_is_not_enough(case, contacts):
    case.given(bill_mailed("2024-01-04"), *contacts)
    assert case.explain("2024-05-23")["PUC-779.1-B"] == "blocks"


def test_puc_779_1_b_the_hours_may_end_before_the_office_opens(case):
    case.given(OLD, notice_served("2024-04-25"), contact_made("2024-05-21 07:30", "visit", "message"))
    assert case.explain("2024-05-21").earliest == date(2024, 5, 23)
    assert case.explain("2024-05-23").allowed


def test_puc_779_1_b_is_residential(case):
    case.opened(service_class="nonresidential").given(OLD)
    assert case.explain("2024-05-23")["PUC-779.1-B"] == "not_applicable"
