"""Bills and their clocks, the ground, the deposit: DO-02 to DO-06, DO-30 to DO-32, GOV-6800, HS-116908-A."""

from datetime import date

import pytest

from ledger.account import Bill
from ledger.policy.clocks import bill_clocks, past_due_from
from ledger.policy.parameters import FOLDER, NoVersion, load_pack
from tests.cases import (
    Book,
    bill_corrected,
    bill_mailed,
    bill_voided,
    contact_made,
    deposit_absorbed,
    deposit_received,
    notice_returned,
    notice_served,
    payment,
    payment_reported,
    payment_returned,
    policies,
)

BILL = "B-2024-03-04"
READY = (bill_mailed("2024-03-04"), notice_served("2024-04-25"), contact_made("2024-05-20 10:00"))
"""What lets a shutoff go ahead from 23 May 2024."""


@pytest.mark.parametrize(
    ("mailed", "last_day", "next_day"),
    [
        ("2024-03-05", "2024-03-25", "2024-03-26"),  # the 19th day is Sunday 24 March
        ("2024-03-07", "2024-03-26", "2024-03-27"),
        ("2024-01-31", "2024-02-20", "2024-02-21"),  # the 19th day is Presidents' Day
    ],
)
def test_do_02_past_due_after_19_days(case, mailed, last_day, next_day):
    case.given(bill_mailed(mailed))
    assert case.explain(last_day)["DO-02"] == "blocks"
    assert case.explain(next_day)["DO-02"] == "permits"
    assert case.opened(service_class="nonresidential").explain(last_day)["DO-02"] == "blocks"


def test_c1_the_mailing_day_is_day_0():
    since, basis = past_due_from(date(2024, 1, 31), policies().on(date(2024, 1, 31)))
    assert since == date(2024, 2, 20)
    assert (basis.rule, basis.since) == ("DO-02", date(2020, 2, 1))


def test_a_day_before_the_first_version_is_an_error():
    with pytest.raises(NoVersion, match="DO-02"):
        past_due_from(date(1998, 12, 31), policies().on(date(1998, 12, 31)))


@pytest.mark.parametrize(("paid", "verdict"), [("89.99", "permits"), ("90.00", "blocks")])
def test_do_03_only_payment_in_full_cures(case, paid, verdict):
    case.given(*READY, payment("2024-05-21", paid))
    assert case.explain("2024-05-23")["DO-03"] == verdict
    assert case.explain("2024-05-23").allowed == (verdict == "permits")


def test_do_03_without_a_bill_there_is_nothing_to_pay(case):
    told = case.explain("2024-05-23")
    assert told["DO-02"] == told["DO-03"] == told["DO-04"] == "not_applicable"
    assert "DO-31" in told.against
    assert told.earliest is None


@pytest.mark.parametrize(
    ("on", "verdict"), [("2024-05-21", "blocks"), ("2024-05-22", "blocks"), ("2024-05-23", "permits")]
)
def test_do_04_the_last_day_to_pay_is_day_79(case, on, verdict):
    case.given(*READY)
    assert case.explain(on)["DO-04"] == verdict
    assert case.explain(on).allowed == (verdict == "permits")
    assert case.explain(on).earliest == date(2024, 5, 23)


def test_do_04_says_the_day_as_a_clerk_would(case):
    case.given(*READY)
    assert case.explain("2024-05-22").because("DO-04") == f"bill {BILL} may be paid until 22 May 2024"
    assert case.explain("2024-05-23").facts("DO-04")["days"] == 80


def test_do_04_a_79th_day_that_is_closed_moves(case):
    case.given(bill_mailed("2024-03-09"))  # Monday 27 May is Memorial Day
    assert case.explain("2024-05-28")["DO-04"] == "blocks"
    assert case.explain("2024-05-29")["DO-04"] == "permits"


@pytest.mark.parametrize(
    ("on", "verdict"), [("2024-05-27", "permits"), ("2024-05-28", "blocks"), ("2024-05-29", "permits")]
)
def test_gov_6800_a_last_day_that_is_closed_moves(case, on, verdict):
    case.given(bill_mailed("2024-03-09"))
    assert case.explain(on)["GOV-6800"] == verdict


def test_do_04_a_partial_payment_does_not_restart_the_clock(case):
    case.given(*READY, payment("2024-05-22", "50.00"))
    assert case.explain("2024-05-23").allowed


def test_do_04_paying_the_aged_bill_ends_it_though_a_later_one_is_past_due(case):
    case.given(*READY, bill_mailed("2024-04-04"), payment("2024-05-22", "90.00"))
    told = case.explain("2024-05-23")
    assert told["DO-04"] == "blocks"
    assert told.facts("DO-04")["bill"] == "B-2024-04-04"


def test_do_04_is_for_residential_service(case):
    case.opened(service_class="nonresidential").given(bill_mailed("2024-03-04"), notice_served("2024-03-27"))
    told = case.explain("2024-04-03")
    assert told["DO-04"] == told["DO-06"] == "not_applicable"
    assert told.allowed


def test_do_04_an_increase_has_clocks_of_its_own(case):
    case.given(*READY, bill_corrected(BILL, "120.00", "2024-04-04"), payment("2024-05-01", "90.00"))
    assert case.explain("2024-06-24")["DO-04"] == "blocks"  # 22 June, a Saturday, is day 79 of the increase
    assert case.explain("2024-06-25")["DO-04"] == "permits"


def test_do_04_a_decrease_keeps_the_clock_of_what_was_right(case):
    case.given(*READY, bill_corrected(BILL, "60.00", "2024-04-04"))
    assert case.explain("2024-05-23")["DO-04"] == "permits"


def test_a_voided_bill_is_no_ground(case):
    case.given(*READY, bill_voided(BILL, "2024-05-22"))
    assert {"DO-03", "DO-31"} <= case.explain("2024-05-23").against


def test_do_02_a_returned_payment_never_paid(case):
    case.given(*READY, payment("2024-05-10", "90.00"), payment_returned("P-2024-05-10", "2024-05-17"))
    assert case.explain("2024-05-16")["DO-03"] == "blocks"
    assert case.explain("2024-05-17")["DO-03"] == "permits"


def clocks_of(mailed: str, book: Book) -> tuple[date, date]:
    book.given(bill_mailed(mailed))
    asked = book.at("2024-12-31")
    bill: Bill = next(iter(asked.account.bills.values()))
    return bill_clocks(bill, asked.account, asked.calendar, asked.policies)


def test_a_bill_that_no_rule_speaks_of_any_more_is_never_shut_off_by_its_age(case):
    text = (FOLDER / "del-oro.toml").read_text(encoding="utf-8")
    days = '{ since = 2020-02-01, days = 19, source = "company policy as published" }'
    ended = load_pack(text.replace(days, days.replace("days =", "until = 2024-03-10, days =")))
    asked = case.given(bill_mailed("2024-03-04")).at("2024-06-01 10:00")
    bill = next(iter(asked.account.bills.values()))
    policies = asked.policies.with_published(ended, date(2024, 3, 1))
    assert bill_clocks(bill, asked.account, asked.calendar, policies)[1] == date.max


@pytest.mark.parametrize(
    ("mailed", "grace_until", "shutoff_from"),
    [
        ("2024-03-04", "2024-03-25", "2024-05-23"),
        ("2024-03-09", "2024-03-28", "2024-05-29"),
        ("2024-01-31", "2024-02-20", "2024-04-20"),  # a Saturday: age alone is asked
        ("2019-11-01", "2019-11-20", "2019-11-21"),  # the older tariff
        ("2020-01-10", "2020-01-29", "2020-01-30"),
        ("2020-01-13", "2020-02-03", "2020-04-02"),  # the policy begins before the grace ends
    ],
)
def test_the_dates_of_a_bill(case, mailed, grace_until, shutoff_from):
    assert clocks_of(mailed, case) == (date.fromisoformat(grace_until), date.fromisoformat(shutoff_from))


def test_the_dates_of_a_nonresidential_bill(case):
    found = clocks_of("2024-01-31", case.opened(service_class="nonresidential"))
    assert found == (date(2024, 2, 20), date(2024, 2, 21))


def test_do_31_no_ground_before_a_bill_is_past_due(case):
    case.given(bill_mailed("2024-03-04"))
    assert case.explain("2024-03-23")["DO-31"] == "blocks"
    assert case.explain("2024-03-25").because("DO-31") == "no notice of discontinuance was ever issued"


@pytest.mark.parametrize(
    ("act_by", "last_day", "next_day"),
    [("2024-05-23", "2024-05-23", "2024-05-24"), ("2024-05-25", "2024-05-28", "2024-05-29")],
)
def test_do_31_the_day_the_notice_names_is_in_time(case, act_by, last_day, next_day):
    acting = date.fromisoformat(act_by)
    case.given(bill_mailed("2024-03-04"), notice_served("2024-04-25", act_by=acting), contact_made("2024-05-20 10:00"))
    assert case.explain(last_day)["DO-31"] == "blocks"
    assert case.explain(next_day)["DO-31"] == "permits"


@pytest.mark.parametrize(("reported", "verdict"), [("89.99", "permits"), ("90.00", "blocks")])
def test_do_43_do_44_a_report_of_the_whole_counts(case, reported, verdict):
    case.given(*READY, payment_reported("2024-05-22 21:00", reported))
    told = case.explain("2024-05-23")
    assert told["DO-43"] == told["DO-44"] == told["DO-31"] == verdict


def test_do_43_a_report_counts_until_the_second_business_day_ends(case):
    case.given(*READY, payment_reported("2024-05-23 21:00", "90.00"))  # Thursday; Monday is Memorial Day
    assert case.explain("2024-05-28")["DO-43"] == "blocks"
    assert case.explain("2024-05-29")["DO-43"] == case.explain("2024-05-29")["DO-44"] == "permits"
    assert "is not waited for any longer" in case.explain("2024-05-29").because("DO-43")
    assert case.explain("2024-05-22")["DO-43"] == "not_applicable"
    assert case.explain("2024-05-24").earliest == date(2024, 5, 29)


def test_do_43_a_report_ends_when_the_payment_comes_or_does_not(case):
    case.given(*READY, payment_reported("2024-05-22 21:00", "90.00", payment="P-1"))
    case.given(payment_returned("P-1", "2024-05-23"))
    assert case.explain("2024-05-23")["DO-43"] == "permits"
    assert case.explain("2024-05-23").allowed


@pytest.mark.parametrize(
    ("mailed", "reported", "verdict"),
    [
        ("2024-04-04", "90.00", "blocks"),  # past due, and no ground yet
        ("2024-04-04", "89.99", "permits"),
        ("2024-02-01", "90.00", "permits"),  # the older bill takes it
        ("2024-02-01", "169.99", "permits"),
        ("2024-02-01", "170.00", "blocks"),
    ],
)
def test_do_43_do_44_a_report_holds_if_it_would_pay_the_ground(case, mailed, reported, verdict):
    case.given(*READY, bill_mailed(mailed, "80.00"), payment_reported("2024-05-22 21:00", reported))
    told = case.explain("2024-05-23")
    assert told["DO-43"] == told["DO-44"] == told["DO-31"] == verdict
    assert told.allowed == (verdict == "permits")


def test_do_43_money_goes_to_an_older_bill_first_aged_or_not(case):
    # The increase of the older bill is not aged, and is paid before the bill of March all the same.
    case.given(bill_mailed("2024-02-01", "50.00", bill="B-0"), bill_corrected("B-0", "70.00", "2024-04-04"), *READY)
    case.given(payment_reported("2024-05-22 21:00", "140.00"))
    assert case.explain("2024-05-23")["DO-43"] == "permits"
    case.given(payment_reported("2024-05-22 22:00", "20.00"))
    assert case.explain("2024-05-23")["DO-43"] == "blocks"


@pytest.mark.parametrize(
    ("past_due", "absorbed", "against"),
    [
        (
            "119.99",
            "119.99",
            {"DO-03", "DO-19", "DO-31", "DO-32", "HS-116908-A"},
        ),  # 0.01 of the deposit is left, nothing owed
        ("120.00", "120.00", {"DO-03", "DO-19", "DO-31", "HS-116908-A"}),
        ("120.01", "120.00", set()),
    ],
)
def test_do_32_the_deposit_is_absorbed_first(case, past_due, absorbed, against):
    case.given(bill_mailed("2024-03-04", past_due), *READY[1:], deposit_received("2020-01-02", "120.00"))
    assert case.explain("2024-05-23").against == {"DO-32"}
    assert case.explain("2024-05-23").earliest is None
    case.given(deposit_absorbed("2024-05-23", absorbed))
    assert case.explain("2024-05-23").against == against


@pytest.mark.parametrize(
    ("on", "because", "days"),
    [
        ("2024-03-23", "bill B-1 is not delinquent before 24 March 2024", None),
        ("2024-03-24", "no phone call, visit or written notice since bill B-1 became delinquent on 24 March 2024", 0),
    ],
)
def test_hs_116908_a_counts_no_days_before_a_bill_is_delinquent(case, on, because, days):
    case.given(bill_mailed("2024-03-04", "90.00", bill="B-1"))
    told = case.explain(on)
    assert (told["HS-116908-A"], told.because("HS-116908-A")) == ("blocks", because)
    assert told.facts("HS-116908-A").get("days") == days
    assert told.earliest is None


def test_an_order_is_named_once_and_its_end_is_said_as_a_day(case):
    case.given(bill_mailed("2020-04-01", "90.00"))
    assert case.explain("2021-12-31").because("ORD-2020-04").startswith("the order forbids shutoffs for nonpayment")
    assert case.explain("2022-01-01").because("ORD-2020-04") == "ended on 31 December 2021"


@pytest.mark.parametrize(
    ("on", "verdict"), [("2024-05-22", "blocks"), ("2024-05-23", "permits"), ("2024-05-24", "permits")]
)
def test_hs_116908_a_delinquent_for_60_days(case, on, verdict):
    case.given(*READY)
    assert case.explain(on)["HS-116908-A"] == verdict


@pytest.mark.parametrize(("on", "verdict"), [("2024-06-04", "blocks"), ("2024-06-05", "permits")])
def test_hs_116908_a_contact_seven_business_days_before(case, on, verdict):
    case.given(bill_mailed("2024-03-04"), contact_made("2024-05-24 16:00"))  # Monday 27 May is Memorial Day
    assert case.explain(on)["HS-116908-A"] == verdict


@pytest.mark.parametrize(
    ("contact", "verdict"),
    [
        (contact_made("2024-05-01 10:00"), "permits"),
        (contact_made("2024-05-01 10:00", "visit"), "permits"),
        (contact_made("2024-05-01 10:00", "text"), "blocks"),
        (contact_made("2024-05-01 10:00", outcome="message"), "blocks"),
        (contact_made("2024-03-01 10:00"), "blocks"),  # before the bill was past due
        (notice_served("2024-05-01"), "permits"),
        (notice_served("2024-05-01", "past_due"), "blocks"),
    ],
)
def test_hs_116908_a_what_is_a_contact(case, contact, verdict):
    case.given(bill_mailed("2024-03-04"), contact)
    assert case.explain("2024-05-23")["HS-116908-A"] == verdict


def test_hs_116908_a_a_notice_that_came_back_is_no_contact(case):
    case.given(
        bill_mailed("2024-03-04"), notice_served("2024-05-01", notice="N-1"), notice_returned("N-1", "2024-05-08")
    )
    assert case.explain("2024-05-23")["HS-116908-A"] == "blocks"


@pytest.mark.parametrize(
    ("district", "on", "verdict"),
    [
        ("Pine Mountain", "2024-07-31", "not_applicable"),  # 89 connections
        ("Pine Mountain", "2024-08-01", "permits"),
        ("Pine Flat", "2020-02-03", "permits"),  # 201 connections
        (None, "2020-02-03", "permits"),
        (None, "2020-01-31", "not_applicable"),
    ],
)
def test_hs_116908_a_the_size_of_the_system(case, district, on, verdict):
    case.opened(district=district).given(bill_mailed("2019-09-03"), notice_served("2019-10-15"))
    assert case.explain(on)["HS-116908-A"] == verdict
    other = {"not_applicable": "not_applicable", "permits": "not_applicable"}[verdict]
    assert case.explain(on)["HS-116910"] == case.explain(on)["HS-116908-B"] == other


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("2020-04-01", "not_applicable"),
        ("2020-04-02", "blocks"),
        ("2021-12-31", "blocks"),
        ("2022-01-01", "not_applicable"),
    ],
)
def test_ord_2020_04_no_shutoff_under_the_order(case, on, verdict):
    case.given(bill_mailed("2019-12-02"))
    assert case.explain(on)["ORD-2020-04"] == verdict
    assert case.explain(on).layers["orders"] == (verdict != "blocks")
    assert case.opened(service_class="nonresidential").explain(on)["ORD-2020-04"] == "not_applicable"


def test_do_30_what_is_asked_about_is_nonpayment(case):
    assert case.explain("2024-05-23")["DO-30"] == "permits"
