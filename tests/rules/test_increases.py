"""An increase of a bill is new to the customer: every rule that counts days counts its own (DO-02 e).

100.00 were mailed on 2 January 2024 and paid; a correction of Wednesday 1 May makes it 130.00. The 30.00 are past due
from 21 May, and are 60 days delinquent and 79 days old on 19 July.
"""

import pytest

from tests.cases import (
    arrangement_agreed,
    bill_corrected,
    bill_mailed,
    bill_received,
    contact_made,
    deposit_absorbed,
    deposit_received,
    notice_served,
    payment,
    petition_filed,
)

RAISED = (
    bill_mailed("2024-01-02", "100.00", "B-1"),
    payment("2024-01-10 10:00", "100.00"),
    bill_corrected("B-1", "130.00", "2024-05-01"),
)


@pytest.mark.parametrize(("on", "verdict"), [("2024-07-19", "blocks"), ("2024-07-20", "permits")])
def test_hs_116908_a_an_increase_is_delinquent_for_60_days_of_its_own(case, on, verdict):
    case.given(*RAISED, contact_made("2024-06-03 10:00"))
    assert case.explain(on)["HS-116908-A"] == verdict


@pytest.mark.parametrize(("contact", "verdict"), [("2024-05-20 10:00", "blocks"), ("2024-05-21 10:00", "permits")])
def test_hs_116908_a_what_was_said_before_an_increase_was_delinquent_is_no_contact(case, contact, verdict):
    case.given(*RAISED, contact_made(contact))
    assert case.explain("2024-07-22 10:00")["HS-116908-A"] == verdict


@pytest.mark.parametrize(("served", "verdict"), [("2024-05-19", "blocks"), ("2024-05-20", "permits")])
def test_puc_779_1_a_an_increase_has_19_days_before_its_notice(case, served, verdict):
    case.given(*RAISED, notice_served(served))
    assert case.explain("2024-07-22 10:00")["PUC-779.1-A"] == verdict


@pytest.mark.parametrize(("contact", "verdict"), [("2024-05-20 10:00", "blocks"), ("2024-05-21 10:00", "permits")])
def test_puc_779_1_b_a_contact_is_about_an_increase_once_that_is_past_due(case, contact, verdict):
    case.given(*RAISED, contact_made(contact))
    assert case.explain("2024-07-22 10:00")["PUC-779.1-B"] == verdict


@pytest.mark.parametrize(("served", "verdict"), [("2024-05-20", "blocks"), ("2024-05-21", "permits")])
@pytest.mark.parametrize("rule", ["DO-21", "PUC-777", "HS-116916"])
def test_do_21_tenants_are_told_of_an_increase_once_that_is_past_due(case, rule, served, verdict):
    case.opened(occupancy="tenants_metered").given(*RAISED, notice_served(served, "occupants"))
    assert case.explain("2024-07-22 10:00")[rule] == verdict


AGREED = (bill_mailed("2024-03-04", "90.00", "B-1"), arrangement_agreed("2024-04-15", ("2024-07-01", "90.00")))


@pytest.mark.parametrize(
    ("paid", "on", "shielded"),
    [
        (None, "2024-05-20", True),
        (None, "2024-05-21", False),
        ("29.99", "2024-05-21", False),
        ("30.00", "2024-05-21", True),
    ],
)
@pytest.mark.parametrize("rule", ["DO-11", "DO-12"])
def test_do_12_an_increase_after_the_agreement_is_paid_in_its_own_time(case, rule, paid, on, shielded):
    case.given(*AGREED, bill_corrected("B-1", "120.00", "2024-05-01"))
    if paid:
        case.given(payment("2024-05-20 10:00", paid))
    assert (case.explain(on)[rule] == "blocks") == shielded


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-30", "blocks"), ("2024-05-31", "permits")])
def test_do_13_a_missed_increase_takes_a_final_notice(case, on, verdict):
    """Five business days after 23 May, over Memorial Day."""
    case.given(*AGREED, bill_corrected("B-1", "120.00", "2024-05-01"))
    assert case.explain("2024-05-22 10:00")["DO-13"] == "blocks"
    assert case.given(notice_served("2024-05-23", "final")).explain(on)["DO-13"] == verdict


@pytest.mark.parametrize(("agreed", "shielded"), [("2024-04-30", False), ("2024-05-01", True)])
def test_do_12_an_increase_mailed_by_the_day_of_the_agreement_is_arranged(case, agreed, shielded):
    case.given(AGREED[0], bill_corrected("B-1", "120.00", "2024-05-01"))
    case.given(arrangement_agreed(agreed, ("2024-07-01", "90.00")))
    assert (case.explain("2024-05-21")["DO-11"] == "blocks") == shielded


@pytest.mark.parametrize(
    ("received", "filed", "verdict"),
    [
        # Presumed on 6 May, the fifth day after mailing, so that 11 May, a Saturday, moves to Monday 13 May.
        ((), "2024-05-13", "blocks"),
        ((), "2024-05-14", "permits"),
        # What is known of the bill as issued says nothing of the correction.
        (("2024-01-03",), "2024-05-13", "blocks"),
        (("2024-01-03",), "2024-05-14", "permits"),
        (("2024-01-03", "2024-05-16"), "2024-05-21", "blocks"),
        (("2024-01-03", "2024-05-16"), "2024-05-22", "permits"),
    ],
)
def test_do_23_c9_a_corrected_bill_is_received_again(case, received, filed, verdict):
    case.given(*RAISED, *(bill_received("B-1", on) for on in received))
    case.given(petition_filed(f"{filed} 10:00", "B-1", "30.00"))
    assert case.explain("2024-07-22 10:00")["DO-23"] == verdict


@pytest.mark.parametrize(("filed", "verdict"), [("2024-01-16", "blocks"), ("2024-01-17", "permits")])
def test_do_23_c9_what_is_known_of_the_correction_says_nothing_of_the_bill_as_issued(case, filed, verdict):
    """Presumed on 7 January; the fifth day after it is Friday the 12th, and the offices are closed until the 16th."""
    case.given(*RAISED, bill_received("B-1", "2024-05-16")).closed("2024-01-12")
    case.given(petition_filed(f"{filed} 10:00", "B-1", "30.00"))
    assert case.explain("2024-07-22 10:00")["DO-23"] == verdict


@pytest.mark.parametrize(("filed", "verdict"), [("2024-05-13", "blocks"), ("2024-05-14", "permits")])
def test_do_23_a_petition_about_an_increase_stays_in_time_when_that_is_taken_back(case, filed, verdict):
    case.given(*RAISED[::2], bill_corrected("B-1", "100.00", "2024-06-03"))
    case.given(petition_filed(f"{filed} 10:00", "B-1", "30.00"))
    assert case.explain("2024-07-22 10:00")["DO-23"] == verdict


@pytest.mark.parametrize(("on", "left"), [("2024-05-20", {"B-1": 3000, "B-2": 4000}), ("2024-05-21", {"B-1": 0})])
def test_do_32_v_a_deposit_is_not_absorbed_by_an_increase_before_that_is_past_due(case, on, left):
    """Given 30.00 of the raised B-1, and 50.00 of B-2 past due since February."""
    case.given(*RAISED, bill_mailed("2024-02-01", "50.00", "B-2"), deposit_received("2024-01-02", "30.00"))
    account = case.given(deposit_absorbed(on, "10.00" if on == "2024-05-20" else "30.00")).at(on).account
    assert {bill: account.unpaid(bill) for bill in left} == left
