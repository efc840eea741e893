"""What a case file is about, and what it tells: by what was known then and by what is known now."""

from datetime import datetime

import pytest

from ledger.calendar import PACIFIC
from ledger.policy.parameters import FOLDER
from ledger.refusal import Refused
from tests.desk import MemoryLedger
from tests.projections.dossier.cases import cells, facts, named, scenario, section, sentences, told


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PACIFIC)


def test_the_moment_judged_is_the_shutoffs():
    case = facts(scenario("disputed-account"))
    assert (case.at, case.reason) == (at("2024-06-10T10:20"), "shutoff")
    assert (case.petition.dispute, case.bill.id) == ("D-7001-1", "B-7001-2403")


def test_allowed_by_what_was_known_then_and_not_by_what_is_known_now():
    case = facts(scenario("disputed-account"))
    assert case.said_then.allowed
    assert not case.said_now.allowed
    assert [event.payment for event in case.late if event.type == "PaymentReceived"] == ["P-7001-40"]


def test_told_as_known_before_the_payment_was_posted_both_answers_agree():
    case = facts(scenario("disputed-account"), known_at=at("2024-06-10T12:00"))
    assert case.said_then.allowed
    assert case.said_now.allowed
    assert case.account.off


def test_another_moment_may_be_asked_about():
    case = facts(scenario("disputed-account"), at=at("2024-06-07T10:00"))
    assert (case.at, case.reason) == (at("2024-06-07T10:00"), "asked")
    assert {rule.rule for rule in case.said_then.rules if rule.forbids} == {"DO-37"}


def test_before_the_account_was_known_nothing_was_known_of_it():
    ledger = MemoryLedger()
    opened = {"opened_on": "2019-01-01", "name": "Sample Customer", "service_address": "1 Example Lane"}
    ledger.post("account open", **opened, learned_at="2024-01-05T09:00-08:00")
    case = facts(ledger, at=at("2024-01-04T10:00"))
    assert case.then is None
    assert "the account was not in the ledger yet" in " ".join(sentences(told(ledger, at=at("2024-01-04T10:00")).lead))


def test_with_no_shutoff_the_moment_is_when_it_is_asked():
    case = facts(scenario("c-99-11-017"), "7124")
    assert (case.reason, case.at) == ("now", case.known_at)


def test_a_dispute_that_is_not_there_is_refused_and_the_others_are_named():
    with pytest.raises(Refused, match="account 7001 has no dispute D-9: it has D-7001-1"):
        facts(scenario("disputed-account"), dispute="D-9")


def test_what_is_learned_later_on_the_same_day_without_an_hour_is_not_called_late():
    case = facts(scenario("arrangement-breached"), "7107")
    assert case.late == []


@pytest.mark.parametrize(
    ("name", "account", "answer"),
    [
        ("petition-on-day-5", "7103", "came on day 5: in time"),
        ("petition-on-day-6", "7102", "came on day 6: late by 1 day for the company's policy"),
    ],
)
def test_the_five_days_are_counted_from_receipt(name, account, answer):
    days = section(told(scenario(name), account), "days")
    assert answer in " ".join(sentences(days))
    assert named(days)["Day 0, not counted"].startswith("Sat 9 March 2024: the bill is presumed received, 5 days after")


def test_a_rule_that_did_not_exist_is_not_counted():
    days = " ".join(sentences(section(told(scenario("c-99-11-017"), "7124"), "days")))
    assert "Not counted. DO-23 (Residential Discontinuation Policy" in days
    assert "no such sentence in the older tariff" in days


def test_the_nineteen_and_the_seventy_nine_days_of_the_disputed_bill():
    days = sentences(section(told(scenario("disputed-account")), "days"))
    assert "Sat 23 March 2024, day 19 (Saturday)" in days
    assert "Mon 25 March 2024, the next day on which the offices are open" in days
    assert "Wed 22 May 2024, day 79" in days
    assert (
        "By age alone a shutoff is possible from Thu 23 May 2024; the water was turned off on Mon 10 June 2024, day 98."
        in days
    )


def test_a_bill_that_no_rule_ever_calls_past_due_again_is_said_to_be_never_shut_off_by_its_age(tmp_path):
    days = '{ since = 2020-02-01, days = 19, source = "company policy as published" }'
    pack = (FOLDER / "del-oro.toml").read_text(encoding="utf-8")
    (tmp_path / "ended.toml").write_text(pack.replace(days, days.replace("days =", "until = 2024-03-10, days =")))
    ledger = MemoryLedger()
    opened = {"opened_on": "2024-01-05", "name": "Sample Customer", "service_address": "1 Example Lane"}
    assert ledger.post("account open", **opened).status == "recorded"
    assert ledger.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="85.00").status == "recorded"
    published = {"file": str(tmp_path / "ended.toml"), "effective_from": "2024-03-01"}
    assert ledger.post("policy publish", **published).status == "recorded"
    days = " ".join(sentences(section(told(ledger, at=at("2024-06-10T10:00")), "days")))
    assert "By age alone a shutoff is never possible: no rule says any more from when the bill is past due." in days
    assert "9999" not in days


def test_the_same_days_of_the_years_before_are_compared_per_day():
    bill = sentences(section(told(scenario("disputed-account")), "bill"))
    assert {"2.071", "11.7 times", "14.7 times"} <= set(bill)


def test_a_bill_is_no_times_as_much_as_water_that_ran_backwards():
    """A read below the one before, never corrected, leaves days below zero (CW-10)."""
    ledger = MemoryLedger()
    opened = {"opened_on": "2023-01-02", "name": "Sample Customer", "service_address": "1 Example Lane"}
    assert ledger.post("account open", **opened).status == "recorded"
    ledger.post("meter install", meter="M-1", on="2023-01-02", reading="100")
    for day, reading in (("2023-02-01", "97"), ("2024-01-02", "100"), ("2024-02-01", "106")):
        assert ledger.post("meter read", read_on=day, reading=reading).status == "recorded"
    period = {"period_start": "2024-01-02", "period_end": "2024-02-01"}
    assert ledger.post("bill issue", bill="B-1", mailed_on="2024-02-05", amount="85.00", **period).status == "recorded"
    blocks = section(told(ledger), "bill")
    table = next(block for block in blocks if getattr(block, "caption", "").startswith("The days of the bill"))
    assert [row.cells[5].text for row in table.rows] == ["", "–", "–"]
    assert [row.cells[4].text for row in table.rows][:2] == ["0.200", "-0.100"]


def test_every_rule_that_turned_is_named():
    said = " ".join(sentences(section(told(scenario("disputed-account")), "rules")))
    turned = "DO-02, DO-04, DO-19, DO-20, DO-31, HS-116908-A, PUC-779.1-A, PUC-779.1-B."
    assert f"8 rules would answer otherwise by what is known now: {turned}" in said


def test_sections_stand_where_others_point_to():
    """ "section 3" is said of a presumed receipt, "section 4" of late facts, "section 6" of verdicts."""
    numbered = dict(enumerate((section.name for section in told(scenario("disputed-account")).sections), 1))
    assert (numbered[3], numbered[4], numbered[6]) == ("days", "timeline", "rules")


def test_every_rule_stands_in_the_file_once():
    document = told(scenario("disputed-account"))
    rows = [row for block in section(document, "rules") if hasattr(block, "caption") for row in block.rows]
    ids = [row.cells[0].word for row in rows]
    assert sorted(ids) == sorted({rule.rule for rule in facts(scenario("disputed-account")).said_now.rules})


def test_the_commissions_money_stands_apart_from_the_balance():
    document = told(scenario("appeal-with-commission-deposit"), "7101")
    captions = [block.caption for block in section(document, "statement") if hasattr(block, "caption")]
    assert captions == [
        "What was owed after each step, in dollars",
        "Deposit held by the Commission, in dollars; in no balance of the utility",
    ]


def test_a_payment_shows_when_it_was_made_and_when_it_was_posted():
    (table,) = (block for block in section(told(scenario("disputed-account")), "timeline") if hasattr(block, "caption"))
    (row,) = (row for row in table.rows if "P-7001-40" in row.cells[2].text)
    assert [cell.text for cell in row.cells[:2]] == ["Sat 8 June 2024, 20:15", "Tue 11 June 2024, 07:00"]
    assert row.cells[1].sub == "3 days later, after the moment judged"


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("disputed-account", "7001"),
        ("appeal-with-commission-deposit", "7101"),
        ("c-16-03-008", "7125"),
        ("arrangement-breached", "7107"),
    ],
)
def test_every_statement_points_to_events_that_are_in_the_appendix(name, account):
    document = told(scenario(name), account)
    versions = {event.version for event in document.events}
    cited = [version for each in document.sections for cell in cells(each.blocks) for version in cell.events]
    assert cited
    assert set(cited) <= versions
    assert versions == set(range(1, len(document.events) + 1))


def test_the_first_lines_tell_what_was_asked_and_what_came_of_it():
    lead = sentences(told(scenario("c-16-03-008"), "7125").lead)
    assert [line.split(": ", 1)[0] for line in lead if "2015" in line or "2016" in line] == [
        "Wed 30 December 2015", "Fri 29 January 2016", "Mon 7 March 2016", "Thu 23 June 2016",
    ]  # fmt: skip
    assert "The petition is not answered." not in lead
    assert "The petition is not answered." in sentences(told(scenario("petition-on-day-6"), "7102").lead)


def test_the_first_lines_tell_what_was_owed_then_by_either_knowing():
    then, now = [line for line in sentences(told(scenario("disputed-account")).lead) if line.startswith("By what")]
    assert then.endswith("stood in the way; owed $445.85, of which past due $347.67.")
    assert now.endswith("by company policy and statute; owed $98.18, of which past due $0.00.")


def test_the_ground_of_a_shutoff_is_the_first_reason_named():
    (now,) = (
        cell for cell in cells(told(scenario("disputed-account")).lead) if cell.word == "By what is known now: no,"
    )
    assert now.sub.startswith("DO-31: no bill is past due; DO-02: ")


def test_the_events_told_from_are_those_known():
    early = told(scenario("petition-on-day-6"), "7102", known_at=at("2024-03-01T12:00"))
    assert "Fri 1 March 2024, 12:00 Pacific time, from 1 event; 4 more came later" in sentences(early.lead)
    assert sentences(section(early, "bill")) == ["No bill was issued, as known on Fri 1 March 2024, 12:00."]


def test_then_and_now_stand_side_by_side_only_where_they_are_two():
    def heads(document):
        return {
            tuple(name.split(",")[0] for name in block.head)
            for block in section(document, "rules")
            if hasattr(block, "head")
        }

    assert heads(told(scenario("disputed-account"))) == {("Rule", "As known then", "As known now")}
    alone = told(scenario("c-99-11-017"), "7124")
    assert heads(alone) == {("Rule", "As known")}
    assert not [line for line in sentences(section(alone, "rules")) if "Then and now" in line]


def test_what_was_credited_is_not_called_paid():
    paid = named(section(told(scenario("c-16-03-008"), "7125"), "bill"))["Paid or credited"]
    assert paid == "$396.96 on 29 January 2016 (dispute credit)"


def brought_in(bills: int, first_known: str) -> MemoryLedger:
    """An account known from `first_known`, bills brought in on 2 January 2026, and a shutoff of 10 June 2024."""
    ledger = MemoryLedger()
    opened = {"opened_on": "2019-01-01", "name": "Sample Customer", "service_address": "1 Example Lane"}
    ledger.post("account open", **opened, learned_at=first_known)
    for number in range(1, bills + 1):
        issued = {"bill": f"B-{number}", "mailed_on": f"2024-03-{number:02}", "amount": "9.00"}
        ledger.post("bill issue", **issued, learned_at="2026-01-02T09:00-08:00")
    off = {"at": "2024-06-10T10:20-07:00", "reason": "nonpayment"}
    ledger.post("service disconnect", **off, learned_at="2026-01-02T09:00-08:00")
    ledger.post("account close", closed_on="2026-01-03", reason="moved")
    return ledger


@pytest.mark.parametrize(("bills", "named"), [(12, 12), (13, 13), (15, 13)])
def test_the_first_lines_name_no_more_late_facts_than_can_be_read(bills, named):
    lead = told(brought_in(bills, "2019-01-01T09:00-08:00")).lead
    (late,) = (block for block in lead if getattr(block, "title", "").startswith("What had happened"))
    assert len(late.cells) == named
    assert ("marked in section 4" in late.cells[-1].text) == (bills > 12)


def test_what_came_all_together_later_is_said_once():
    lead = told(brought_in(3, "2026-01-02T09:00-08:00")).lead
    assert "By what was known then: the account was not in the ledger yet." in sentences(lead)
    assert not [block for block in lead if getattr(block, "title", "").startswith("What had happened")]


def test_an_account_that_was_closed_says_so():
    assert named(told(brought_in(1, "2019-01-01T09:00-08:00")).lead)["Closed"] == "Sat 3 January 2026"
    assert "Closed" not in named(told(scenario("disputed-account")).lead)
