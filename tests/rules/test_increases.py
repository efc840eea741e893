"""An increase of a bill is new to the customer: every rule that counts days counts its own (DO-02 e).

100.00 were mailed on 2 January 2024 and paid; a correction of Wednesday 1 May makes it 130.00. The 30.00 are past due
from 21 May, and are 60 days delinquent and 79 days old on 19 July.
"""

from datetime import datetime

import pytest

from ledger.calendar import PACIFIC
from ledger.policy.stays import petition_late_by
from ledger.refusal import Refused
from ledger.utility import Rules
from projections.delinquency import delinquency
from projections.receivables import bills
from projections.registers import shutoffs
from projections.rows import Folded
from projections.rows import World as Around
from tests.cases import (
    arrangement_agreed,
    bill_corrected,
    bill_mailed,
    bill_received,
    contact_made,
    day,
    deposit_absorbed,
    deposit_received,
    disconnected,
    notice_served,
    payment,
    petition_filed,
)
from tests.commands.told import RULES, history
from tests.commands.world import World
from tests.desk import MemoryLedger
from tests.projections.dossier.cases import cells, section, told

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


def folded(*events):
    """The account as the projections see it, at its latest event."""
    found = history(*events)
    return Folded(found.account, found.events, Around(Rules(*RULES), lambda *_: None))


@pytest.mark.parametrize(
    ("paid", "mailed_on", "past_due_from", "shutoff_from"),
    [("99.99", "2024-01-02", "2024-01-22", "2024-03-22"), ("100.00", "2024-05-01", "2024-05-21", "2024-07-20")],
)
def test_do_02_e_the_tables_show_the_clocks_of_what_is_unpaid(paid, mailed_on, past_due_from, shutoff_from):
    seen = folded(RAISED[0], payment("2024-01-10 10:00", paid), RAISED[2])
    (row,), (bill,) = delinquency(seen), bills(seen)
    assert (row.mailed_on, row.past_due_from, row.shutoff_from) == (
        day(mailed_on),
        day(past_due_from),
        day(shutoff_from),
    )
    # A bill keeps the day of its first mailing, which is what it is called by.
    assert (bill.mailed_on, bill.past_due_from, bill.shutoff_from) == (
        day("2024-01-02"), day(past_due_from), day(shutoff_from),
    )  # fmt: skip


@pytest.mark.parametrize(("paid", "mailed_on", "contacts"), [("99.99", "2024-01-02", 2), ("100.00", "2024-05-01", 1)])
def test_do_02_e_a_shutoff_over_an_increase_counts_from_its_mailing(paid, mailed_on, contacts):
    calls = contact_made("2024-04-15 10:00"), contact_made("2024-07-15 10:00")
    seen = folded(RAISED[0], payment("2024-01-10 10:00", paid), RAISED[2], *calls, disconnected("2024-07-22 10:00"))
    (row,) = shutoffs(seen)
    assert (row.mailed_on, row.contacts) == (day(mailed_on), contacts)


@pytest.mark.parametrize(("paid", "said"), [("99.99", "202 days since bill B-1"), ("100.00", "82 days since the inc")])
def test_do_04_says_what_was_mailed(case, paid, said):
    case.given(RAISED[0], payment("2024-01-10 10:00", paid), RAISED[2])
    assert case.explain("2024-07-22 10:00").because("DO-04").startswith(said)


def opened_account() -> MemoryLedger:
    ledger = MemoryLedger()
    about = {"name": "Sample Customer", "service_address": "1 Example Lane", "opened_on": "2020-03-01"}
    ledger.post("account open", account="7001", **about)
    ledger.post("bill issue", account="7001", bill="B-1", mailed_on="2024-01-02", amount="100.00")
    return ledger


@pytest.mark.parametrize(
    ("paid", "clocks"),
    [
        ("99.99", {"Past due from Mon 22 January 2024", "By age alone a shutoff is possible from Fri 22 March 2024"}),
        ("100.00", {"Past due from Tue 21 May 2024", "By age alone a shutoff is possible from Sat 20 July 2024"}),
    ],
)
def test_do_02_e_the_case_file_counts_from_what_is_unpaid(paid, clocks):
    ledger = opened_account()
    ledger.post("payment receive", account="7001", payment="P-1", received_at="2024-01-10", amount=paid, channel="mail")
    ledger.post("bill correct", account="7001", bill="B-1", mailed_on="2024-05-01", amount="130.00", reason="misread")
    document = told(ledger, at=datetime(2024, 5, 22, 10, 0, tzinfo=PACIFIC))
    said = {cell.text for cell in cells(section(document, "days"))}
    assert {clock for clock in clocks if any(text.startswith(clock) for text in said)} == clocks


@pytest.mark.parametrize(
    ("received_on", "refused"),
    [("2024-01-09", True), ("2024-01-19", True), ("2024-01-20", False), ("2024-04-30", False), ("2024-05-01", False)],
)
def test_c9_a_bill_is_received_once_for_each_mailing(received_on, refused):
    """Given a bill received on 8 January and mailed again on 20 January and on 1 May."""
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-02", amount="100.00")
    world.given("bill receipt", bill="B-1", received_on="2024-01-08")
    world.given("bill correct", bill="B-1", mailed_on="2024-01-20", amount="90.00", reason="misread")
    world.given("bill correct", bill="B-1", mailed_on="2024-05-01", amount="130.00", reason="misread")
    if refused:
        with pytest.raises(Refused, match="as mailed on 2024-01-02, is recorded already as received on 2024-01-08"):
            world.then("bill receipt", bill="B-1", received_on=received_on)
    else:
        (event,) = world.then("bill receipt", bill="B-1", received_on=received_on)
        assert event.received_on == day(received_on)


@pytest.mark.parametrize(("filed", "late_by"), [("2024-01-16", 0), ("2024-01-17", 1), ("2024-01-24", 8)])
def test_do_23_a_lowered_bill_brings_no_new_days_to_petition(case, filed, late_by):
    """Given a bill received on 9 January, whose fifth day moves to Tuesday the 16th, lowered and received anew."""
    case.given(RAISED[0], bill_received("B-1", "2024-01-09")).closed("2024-01-14")
    case.given(bill_corrected("B-1", "90.00", "2024-01-20"), bill_received("B-1", "2024-01-22"))
    found = case.given(petition_filed(f"{filed} 10:00", "B-1")).at("2024-02-01")
    assert petition_late_by(found, found.account.disputes["D-1"]) == late_by


@pytest.mark.parametrize(("filed", "late_by"), [("2024-02-26", 0), ("2024-02-27", 1)])
def test_do_23_a_receipt_after_a_lowering_rebuts_the_presumption_all_the_same(case, filed, late_by):
    """Given a bill lowered by mail on 5 February and received on the 20th; the fifth day after it is a Sunday."""
    case.given(bill_mailed("2024-02-01", "100.00", "B-1"), bill_corrected("B-1", "90.00", "2024-02-05"))
    case.given(bill_received("B-1", "2024-02-20"), petition_filed(f"{filed} 10:00", "B-1"))
    found = case.at("2024-03-01")
    assert petition_late_by(found, found.account.disputes["D-1"]) == late_by
