"""What is due (DO-01), whom to call (DO-05, DO-27, DO-28), whom the policy covers (DO-06), schedules (DO-10), the parts
of the health exception (DO-16, DO-17, DO-18), and the statutes beside them.
"""

from datetime import date
from typing import Any

import pytest

from commands.rule_book import rule_book
from ledger import events as e
from ledger.policy.clocks import bill_clocks
from ledger.policy.stays import petition_late_by
from ledger.refusal import Invalid
from tests.cases import (
    appeal_closed,
    appeal_filed,
    arrangement_agreed,
    arrangement_declined,
    arrangement_requested,
    bill_corrected,
    bill_mailed,
    commission_deposit,
    contact_made,
    day,
    health_accepted,
    health_rejected,
    health_submitted,
    notice_served,
    payment,
    payment_reported,
    petition_answered,
    petition_filed,
    policies,
)
from tests.commands.world import World, command

BILL = "B-2024-03-04"
READY = (bill_mailed("2024-03-04"), notice_served("2024-05-01"), contact_made("2024-05-20 10:00"))
"""What lets a shutoff go ahead from 23 May 2024."""
PARTS: tuple[e.HealthPart, ...] = ("certification", "inability", "willingness")


def rule_of_the_day(rule: str, on: str) -> dict[str, Any]:
    return next(r for r in rule_book(policies(), date.fromisoformat(on), None)["rules"] if r["rule"] == rule)


@pytest.mark.parametrize(
    ("on", "balance", "past_due"),
    [("2024-03-03", 0, 0), ("2024-03-04", 9000, 0), ("2024-03-23", 9000, 0), ("2024-03-24", 9000, 9000)],
)
def test_do_01_a_bill_is_due_when_presented_and_not_yet_past_due(case, on, balance, past_due):
    account = case.given(bill_mailed("2024-03-04")).at(on).account
    assert (account.balance, account.past_due(day(on))) == (balance, past_due)


@pytest.mark.parametrize(("on", "past_due"), [("2024-05-01", 0), ("2024-05-20", 0), ("2024-05-21", 3000)])
def test_do_02_e_an_increase_leaves_what_was_paid_in_time_paid(case, on, past_due):
    """Given two bills paid in full and in time, the first raised later: the second is not taken back to pay for it."""
    case.given(bill_mailed("2024-01-02", "100.00", "B-1"), payment("2024-01-10 10:00", "100.00"))
    case.given(bill_mailed("2024-02-01", "50.00", "B-2"), payment("2024-02-10 10:00", "50.00"))
    case.given(bill_corrected("B-1", "130.00", "2024-05-01"))
    account = case.at(on).account
    assert (account.unpaid("B-1"), account.unpaid("B-2"), account.past_due(day(on))) == (3000, 0, past_due)


@pytest.mark.parametrize(
    ("paid", "past_due_from", "grace_until", "shutoff_from"),
    [
        ("99.99", "2024-01-22", "2024-01-22", "2024-03-22"),
        ("100.00", "2024-05-21", "2024-05-20", "2024-07-20"),
        ("130.00", "2024-01-22", "2024-01-22", "2024-03-22"),
    ],
)
def test_do_02_e_a_raised_bill_runs_on_the_clocks_of_its_oldest_unpaid_part(
    case, paid, past_due_from, grace_until, shutoff_from
):
    """Given 100.00 mailed on 2 January and 30.00 more on 1 May; the 19th day of the first is a Sunday."""
    case.given(bill_mailed("2024-01-02", "100.00", "B-1"), bill_corrected("B-1", "130.00", "2024-05-01"))
    found = case.given(payment("2024-05-02 10:00", paid)).at("2024-05-03")
    bill = found.account.bills["B-1"]
    assert bill.clock(found.account.unpaid("B-1"))[1] == day(past_due_from)
    clocks = bill_clocks(bill, found.account, found.calendar, found.policies)
    assert clocks == (day(grace_until), day(shutoff_from))


@pytest.mark.parametrize(("on", "do_04"), [("2024-07-19", "blocks"), ("2024-07-20", "permits")])
def test_do_04_an_increase_has_its_own_79_days(case, on, do_04):
    case.given(bill_mailed("2024-01-02", "100.00", "B-1"), payment("2024-01-10 10:00", "100.00"))
    case.given(bill_mailed("2024-02-01", "50.00", "B-2"), payment("2024-02-10 10:00", "50.00"))
    case.given(bill_corrected("B-1", "130.00", "2024-05-01"))
    case.given(notice_served("2024-06-24"), contact_made("2024-07-15 10:00"))
    assert case.explain(on)["DO-04"] == do_04


@pytest.mark.parametrize(("reported", "do_44"), [("79.99", "permits"), ("80.00", "blocks")])
def test_do_44_what_is_reported_pays_a_raised_bill_before_those_after_it(case, reported, do_44):
    """Given 30.00 open of the raised B-1 and 50.00 of B-2, by which alone a shutoff is allowed."""
    case.given(bill_mailed("2024-01-02", "100.00", "B-1"), payment("2024-01-10 10:00", "100.00"))
    case.given(bill_mailed("2024-02-01", "50.00", "B-2"), bill_corrected("B-1", "130.00", "2024-05-01"))
    case.given(notice_served("2024-04-22"), contact_made("2024-05-14 10:00"))
    case.given(payment_reported("2024-05-15 10:00", reported))
    assert case.explain("2024-05-16 10:00")["DO-44"] == do_44


@pytest.mark.parametrize(("noticed", "do_19"), [("2024-02-25", "blocks"), ("2024-02-26", "permits")])
def test_do_19_an_increase_is_not_in_the_notice_before_it(case, noticed, do_19):
    """Given a bill paid in full and raised since, by an increase that is past due from 26 February."""
    case.opened(service_class="nonresidential").given(bill_mailed("2024-01-02", "100.00", "B-1"))
    case.given(notice_served("2024-02-01"), payment("2024-02-05 10:00", "100.00"))
    case.given(bill_corrected("B-1", "160.00", "2024-02-06"), notice_served(noticed, notice="N-2"))
    assert case.explain("2024-03-13 10:00")["DO-19"] == do_19


@pytest.mark.parametrize(("filed", "late"), [("2024-03-19 10:00", True), ("2024-04-15 10:00", False)])
def test_do_23_a_petition_is_judged_by_the_bill_as_mailed_by_then(case, filed, late):
    case.given(bill_mailed("2024-03-04", "90.00", "B-1"), petition_filed(filed, "B-1"))
    case.given(bill_corrected("B-1", "120.00", "2024-04-15"))
    account = case.at("2024-05-20")
    assert (petition_late_by(account, account.account.disputes["D-1"]) > 0) == late


def test_do_05_the_information_line_is_the_policy_s_from_its_first_day():
    assert rule_of_the_day("DO-05", "2020-02-01")["values"] == {"phone": "877-335-6764"}
    before = rule_of_the_day("DO-05", "2020-01-31")
    assert (before["state"], before["values"]) == ("absent", {})


@pytest.mark.parametrize("dwelling", ["single_family", "multifamily", "mobile_home", "farmworker"])
def test_do_06_every_kind_of_home_is_residential(case, dwelling):
    case.opened(dwelling=dwelling).given(*READY)
    assert case.explain("2024-05-22")["DO-06"] == "permits"
    assert case.explain("2024-05-22")["DO-04"] == "blocks"


@pytest.mark.parametrize(("on", "do_04"), [("2024-04-30", "not_applicable"), ("2024-05-01", "blocks")])
def test_do_06_the_service_is_what_it_was_classified_as_that_day(case, on, do_04):
    case.opened(service_class="nonresidential").given(bill_mailed("2024-03-04"))
    case.given(e.AccountClassified(effective_on=date(2024, 5, 1), service_class="residential"))
    assert case.explain(on)["DO-04"] == do_04


def test_do_10_another_schedule_may_be_of_any_length_and_shields(case):
    case.given(*READY)
    assert case.explain("2024-05-23").allowed
    case.given(arrangement_agreed("2024-05-22", ("2024-08-01", "45.00"), ("2025-12-01", "45.00"), kind="alternative"))
    assert "DO-11" in case.explain("2024-05-23").against
    dates = [{"due_on": "2025-12-01", "amount": "90.00"}]
    (agreed,) = World().then(
        "arrangement agree", arrangement="A-1", kind="alternative", on="2024-05-22", installments=dates
    )
    assert [rule.rule for rule in agreed.basis] == ["DO-10"]


def excepted(case, *accepted: e.HealthPart):
    case.given(*READY, *(health_submitted(part, "2024-05-06") for part in PARTS))
    return case.given(*(health_accepted(part, "2024-05-08") for part in accepted))


@pytest.mark.parametrize("resident", ["customer", "household", "tenant"])
def test_do_16_a_certificate_for_any_resident_serves_does_not_expire_and_says_no_diagnosis(case, resident):
    case.given(*READY, e.HealthCertified(on=date(2024, 5, 6), provider="Valley Clinic", resident=resident))
    case.given(*(health_submitted(part, "2024-05-06") for part in PARTS[1:]))
    case.given(*(health_accepted(part, "2024-05-08") for part in PARTS))
    assert case.explain("2024-05-23")["DO-15"] == case.explain("2029-05-23")["DO-15"] == "blocks"
    own = set(e.HealthCertified.__struct_fields__) - set(e.WillingnessStated.__struct_fields__)
    assert own == {"provider", "resident"}


def test_do_16_without_an_accepted_certificate_the_other_parts_hold_nothing(case):
    assert excepted(case, "inability", "willingness").explain("2024-05-23")["DO-15"] == "permits"
    assert case.given(health_accepted("certification", "2024-05-09")).explain("2024-05-23")["DO-15"] == "blocks"


@pytest.mark.parametrize(("rule", "part"), [*zip(("DO-16", "DO-17", "DO-18"), PARTS, strict=True)])
def test_do_16_to_18_each_part_is_a_condition_told_under_its_own_rule(case, rule, part):
    assert case.explain("2024-05-23")[rule] == "not_applicable"
    case.given(*READY, *(health_submitted(each, "2024-05-06") for each in PARTS))
    told = case.explain("2024-05-23").rules[rule]
    assert (told.verdict, told.because, told.facts) == (
        "permits",
        f"the {part} is under review",
        {"condition_met": False},
    )
    case.given(health_accepted(part, "2024-05-08"))
    told = case.explain("2024-05-23").rules[rule]
    assert (told.because, told.facts) == (f"the {part} is accepted", {"condition_met": True})


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-09", "permits"), ("2024-05-10", "blocks")])
def test_do_17_inability_counts_from_the_day_it_is_accepted(case, on, verdict):
    excepted(case, "certification", "willingness").given(health_accepted("inability", "2024-05-10"))
    assert case.explain(on)["DO-15"] == verdict


def test_do_17_inability_that_is_not_shown_to_satisfaction_holds_nothing(case):
    excepted(case, "certification", "willingness").given(health_rejected("inability", "2024-05-10"))
    assert case.explain("2024-05-23")["DO-15"] == "permits"
    assert "inability (rejected)" in case.explain("2024-05-23").because("DO-15")


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-20", "blocks"), ("2024-05-21", "permits")])
def test_do_18_to_be_willing_is_enough_until_it_is_taken_back(case, on, verdict):
    excepted(case, *PARTS).given(e.HealthPartWithdrawn(on=date(2024, 5, 21), part="willingness"))
    told = case.explain(on)
    assert (told["DO-11"], told["DO-15"]) == ("not_applicable", verdict)


def test_do_27_the_commission_is_reached_online_by_phone_or_by_mail():
    values = rule_of_the_day("DO-27", "2020-02-01")["values"]
    assert set(values) == {"online", "phone", "address"}
    assert values["phone"] == "1-800-649-7570"
    assert "505 Van Ness Avenue" in values["address"]
    assert rule_of_the_day("DO-27", "2020-01-31")["state"] == "absent"


@pytest.mark.parametrize("evidence", ["online form 640123", "call of 12 March, 9:10", "letter postmarked 12 March"])
def test_do_27_any_evidence_of_sending_is_a_filing(evidence):
    (filed,) = disputed().then("appeal file", appeal="AP-1", dispute="D-1", on="2024-03-25", evidence=evidence)
    assert (filed.forum, filed.evidence, filed.flags) == ("cab", evidence, ())


def disputed() -> World:
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-08T11:00")
    return world.given("dispute answer", dispute="D-1", on="2024-03-20", outcome="upheld")


@pytest.mark.parametrize("forum", ["cab", "informal_appeal", "formal", "expedited"])
def test_do_28_the_appeal_holds_in_each_forum_of_the_commission(case, forum):
    (filed,) = disputed().then("appeal file", appeal="AP-1", dispute="D-1", on="2024-03-25", forum=forum)
    assert filed.forum == forum
    case.given(*READY, petition_filed("2024-03-08 11:00", BILL), petition_answered("2024-03-20"), filed)
    case.given(commission_deposit("2024-03-25", "90.00"))
    assert case.explain("2024-05-23")["DO-29"] == "blocks"


def test_do_28_there_is_no_other_forum():
    with pytest.raises(Invalid, match="forum: 'small claims' is not one of cab, informal_appeal, formal, expedited"):
        command("appeal file", appeal="AP-1", dispute="D-1", on="2024-03-25", forum="small claims")


@pytest.mark.parametrize(
    ("on", "saturday", "sunday"),
    [
        ("2024-05-24", "permits", "permits"),
        ("2024-05-25", "blocks", "permits"),
        ("2024-05-26", "permits", "blocks"),
        ("2024-05-28", "permits", "permits"),
    ],
)
def test_do_33_do_34_each_day_of_the_weekend_under_its_own_rule(case, on, saturday, sunday):
    told = case.explain(on)
    assert (told["DO-33"], told["DO-34"]) == (saturday, sunday)


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        ("2024-05-24 10:00", "permits"),
        ("2024-05-25 10:00", "blocks"),
        ("2024-05-26 10:00", "blocks"),
        ("2024-05-27 10:00", "blocks"),  # Memorial Day
        ("2024-05-28 07:59", "blocks"),
        ("2024-05-28 08:00", "permits"),
        ("2024-05-28 17:00", "blocks"),
    ],
)
def test_puc_780_not_on_weekends_holidays_or_out_of_hours(case, at, verdict):
    assert case.explain(at)["PUC-780"] == verdict


@pytest.mark.parametrize(
    ("on", "verdict"),
    [("2024-03-07", "not_applicable"), ("2024-03-08", "blocks"), ("2024-04-02", "blocks"), ("2024-04-04", "permits")],
)
def test_hs_116908_b_holds_from_the_petition_to_its_answer_without_days_or_deposit(case, on, verdict):
    case.given(
        bill_mailed("2024-01-04"), petition_filed("2024-03-08 00:00", "B-2024-01-04"), petition_answered("2024-04-03")
    )
    assert case.explain(on)["HS-116908-B"] == verdict


@pytest.mark.parametrize(
    ("on", "verdict"), [("2024-05-14", "permits"), ("2024-05-15", "blocks"), ("2024-06-11", "permits")]
)
def test_hs_116908_b_holds_again_for_an_appeal_to_anybody_else(case, on, verdict):
    case.given(
        bill_mailed("2024-01-04"), petition_filed("2024-03-08 09:00", "B-2024-01-04"), petition_answered("2024-04-03")
    )
    case.given(appeal_filed("2024-05-15"), appeal_closed("2024-06-10"))
    assert case.explain(on)["HS-116908-B"] == verdict


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-11", "blocks"), ("2024-05-12", "permits")])
def test_hs_116916_tenants_with_meters_are_told_ten_days_before(case, on, verdict):
    case.opened(occupancy="tenants_metered").given(bill_mailed("2024-01-04"))
    case.given(notice_served("2024-05-02", "occupants"))
    assert case.explain(on)["HS-116916"] == case.explain(on)["PUC-777"] == verdict


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-16", "blocks"), ("2024-05-17", "permits")])
def test_puc_777_1_tenants_behind_a_master_meter_are_told_by_posting_15_days_before(case, on, verdict):
    case.opened(occupancy="tenants_master_metered").given(bill_mailed("2024-01-04"))
    case.given(notice_served("2024-05-02", "occupants", method="posted"))
    assert case.explain(on)["PUC-777.1"] == verdict


@pytest.mark.parametrize(
    ("on", "verdict"), [("2024-05-21", "not_applicable"), ("2024-05-22", "blocks"), ("2024-05-28", "permits")]
)
def test_puc_779_c_a_request_holds_until_it_is_answered(case, on, verdict):
    case.given(*READY, arrangement_requested("2024-05-22 09:00"), arrangement_declined("2024-05-28"))
    assert case.explain(on)["PUC-779-C"] == verdict
