"""The whole answer: which rules are listed, the earliest day, the stage, what protects; the same rules elsewhere."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.policy.case import Case
from ledger.policy.explain import HORIZON, RuleVerdict, earliest, explain, judged
from tests.cases import (
    Book,
    appeal_filed,
    arrangement_agreed,
    arrangement_breached,
    arrangement_cancelled,
    arrangement_requested,
    bill_mailed,
    commission_deposit,
    contact_made,
    deposit_absorbed,
    deposit_received,
    disconnected,
    health_accepted,
    health_submitted,
    notice_served,
    payment,
    payment_reported,
    payment_returned,
    petition_answered,
    petition_filed,
    reconnected,
)

BILL = "B-2024-03-04"
READY = (bill_mailed("2024-03-04"), notice_served("2024-04-25"), contact_made("2024-05-20 10:00"))
LISTED = [
    "DO-02",
    "DO-03",
    "DO-04",
    "DO-06",
    "DO-07",
    "DO-11",
    "DO-12",
    "DO-13",
    "DO-14",
    "DO-15",
    "DO-16",
    "DO-17",
    "DO-18",
    "DO-19",
    "DO-20",
    "DO-21",
    "DO-23",
    "DO-24",
    "DO-25",
    "DO-26",
    "DO-29",
    "DO-30",
    "DO-31",
    "DO-32",
    "DO-33",
    "DO-34",
    "DO-35",
    "DO-36",
    "DO-37",
    "DO-38",
    "DO-43",
    "DO-44",
    "HS-116908-A",
    "HS-116908-B",
    "HS-116910",
    "HS-116916",
    "PUC-777",
    "PUC-777.1",
    "PUC-779-A",
    "PUC-779-C",
    "PUC-779.1-A",
    "PUC-779.1-B",
    "PUC-780",
    "GOV-6800",
    "ORD-2020-04",
]


def test_every_rule_is_listed_under_its_own_id_in_the_order_of_the_catalogue(case):
    told = case.given(*READY).explain("2024-05-23")
    assert list(told) == LISTED
    for rule in told.explanation.rules:
        assert rule.because
        assert rule.cite
        assert rule.recorded().rule == rule.rule


def test_the_versions_that_were_read_are_named(case):
    told = case.given(*READY).explain("2024-05-23")
    assert told.rules["DO-04"].events == (2,)
    assert told.rules["DO-19"].events == (3,)
    assert told.rules["PUC-779.1-B"].events == (4,)


def test_each_layer_is_told_apart(case):
    case.given(*READY, arrangement_requested("2024-05-21 09:00"))
    told = case.explain("2024-05-23")
    assert told.layers == {"policy": True, "statute": False, "orders": True}
    assert told.against == {"PUC-779-C"}
    assert not told.allowed


def test_before_the_books_begin_nobody_can_say(case):
    told = case.opened("1998-01-05").given(bill_mailed("1998-05-04")).explain("1998-12-31")
    assert set(told.values()) == {"unknown"}
    assert not told.allowed
    assert told.because("DO-31").startswith("DO-31: no version before 1 January 1999")
    assert case.flags("1998-12-31") == ()  # of what nobody can say, nothing is known to be broken


def test_the_older_tariff_had_19_days_and_a_notice(case):
    case.given(bill_mailed("2010-03-04"), notice_served("2010-03-24"), contact_made("2010-04-06 10:00"))
    told = case.explain("2010-04-08")
    assert told["DO-04"] == told["HS-116908-A"] == "not_applicable"
    assert told.allowed
    assert case.explain("2010-04-07")["DO-20"] == "blocks"


def test_another_utility_is_data_alone():
    book = Book("cal-water").given(*READY)
    told = book.explain("2024-05-23")
    assert told.allowed
    assert told["CWS-05"] == "permits"
    assert book.explain("2024-05-22").against == {"CWS-05", "HS-116908-A"}
    assert not {rule for rule in told if rule.startswith("DO-")}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2024-04-25 10:00", "2024-05-23"),
        ("2024-05-23 07:00", "2024-05-23"),
        ("2024-05-23 17:00", "2024-05-28"),  # Friday is avoided, Monday is Memorial Day
        ("2024-06-09 10:00", None),  # stale tomorrow, and today is a Sunday
        ("2024-06-06 12:00", "2024-06-06"),
    ],
)
def test_the_earliest_day(case, asked, expected):
    told = case.given(*READY[:2], contact_made("2024-04-25 09:00")).explain(asked)
    assert told.earliest == (date.fromisoformat(expected) if expected else None)


@pytest.mark.parametrize(
    ("events", "on", "stage"),
    [
        ([], "2024-03-25", "current"),  # in grace: the 19th day was a Saturday
        ([], "2024-03-26", "past_due"),
        ([notice_served("2024-04-25")], "2024-04-24", "past_due"),
        ([notice_served("2024-04-25")], "2024-04-25", "noticed"),
        ([notice_served("2024-04-25")], "2024-06-10", "past_due"),  # stale
        ([notice_served("2024-04-25"), contact_made("2024-05-20 10:00")], "2024-05-22", "noticed"),
        ([notice_served("2024-04-25"), contact_made("2024-05-20 10:00")], "2024-05-23", "eligible"),
        ([notice_served("2024-04-25"), contact_made("2024-05-20 10:00")], "2024-05-25", "eligible"),  # but for the day
        ([notice_served("2024-04-25"), contact_made("2024-05-20 10:00")], "2024-05-23 03:00", "eligible"),  # the hour
        ([notice_served("2024-04-25"), deposit_received("2024-01-02", "5.00")], "2024-05-23", "noticed"),
        ([payment("2024-05-01", "90.00")], "2024-05-23", "current"),
        ([disconnected("2024-05-23 10:00")], "2024-05-23 11:00", "disconnected"),
        ([disconnected("2024-05-23 10:00"), reconnected("2024-05-24 10:00")], "2024-05-24 11:00", "past_due"),
        ([disconnected("2024-05-23 10:00"), e.AccountClosed(closed_on=date(2024, 6, 3))], "2024-06-03", "closed"),
    ],
)
def test_the_stage_of_an_account(case, events, on, stage):
    assert case.given(READY[0], *events).stage(on) == stage


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([arrangement_agreed("2024-05-01", ("2024-06-03", "90.00"))],
         [("arrangement", "2024-05-01", ("DO-11", "DO-12", "PUC-779-A"))]),
        ([arrangement_agreed("2024-05-01", ("2024-06-03", "90.00"), arrangement_basis="health")],
         [("arrangement", "2024-05-01", ("DO-11", "DO-12", "HS-116910", "PUC-779-A"))]),
        ([arrangement_agreed("2024-05-01", ("2024-06-03", "90.00")), arrangement_breached("2024-05-02")], []),
        ([arrangement_requested("2024-05-02 09:00")], [("request", "2024-05-02", ("PUC-779-C",))]),
        ([petition_filed("2024-03-12 09:00", BILL)],
         [("petition", "2024-03-12", ("DO-23", "HS-116908-B", "PUC-779-A"))]),
        ([petition_filed("2024-04-12 09:00", BILL)], [("petition", "2024-04-12", ("HS-116908-B", "PUC-779-A"))]),
        ([petition_filed("2024-03-12 09:00", BILL), petition_answered("2024-04-01"), appeal_filed("2024-04-08")],
         [("appeal", "2024-04-08", ("HS-116908-B",))]),
        ([petition_filed("2024-03-12 09:00", BILL), petition_answered("2024-04-01"), appeal_filed("2024-04-08"),
          commission_deposit("2024-04-09", "90.00")],
         [("appeal", "2024-04-08", ("DO-29", "HS-116908-B"))]),
        ([health_submitted(part, "2024-05-01") for part in ("certification", "inability", "willingness")],
         [("health", "2024-05-01", ("PUC-779-A",))]),
    ],
)  # fmt: skip
def test_what_protects_an_account(case, events, expected):
    found = case.given(READY[0], *events).protections("2024-05-23")
    assert [(p.kind, p.since and p.since.isoformat(), p.rules) for p in found] == expected


def test_an_accepted_health_exception_protects_under_three_rules(case):
    for part in ("certification", "inability", "willingness"):
        case.given(health_submitted(part, "2024-05-01"), health_accepted(part, "2024-05-02"))
    (found,) = case.protections("2024-05-23")
    assert found.rules == ("DO-15", "HS-116910", "PUC-779-A")


def test_a_deposit_and_an_order_protect(case):
    case.given(bill_mailed("2020-03-04"), deposit_received("2019-01-02", "50.00"))
    assert [(p.kind, p.rules) for p in case.protections("2020-08-03")] == [
        ("deposit", ("DO-32",)),
        ("order", ("ORD-2020-04",)),
    ]
    assert case.protections("2020-08-03")[1].since == date(2020, 4, 2)
    case.given(deposit_absorbed("2022-01-03", "50.00"))
    assert case.protections("2022-01-03") == []


# Histories that are near a shutoff, and what may happen to them between January and June 2024, in any order.
START = date(2024, 1, 2)


def on(offset: int) -> str:
    return (START + timedelta(days=offset)).isoformat()


def days(first: int, last: int) -> st.SearchStrategy[str]:
    return st.integers(first, last).map(on)


amounts = st.sampled_from(["20.00", "45.00", "90.00", "200.00"])
mailed = st.sampled_from(["2024-01-02", "2024-01-05", "2024-02-01", "2024-03-04"])
methods = st.sampled_from(["mail", "posted"])
near = st.tuples(
    st.builds(notice_served, days(60, 100), method=methods),
    st.builds(contact_made, days(60, 110).map("{} 14:00".format)),
    st.builds(lambda at, method: notice_served(at, "occupants", method=method), days(30, 110), methods),
)
happenings = st.one_of(
    st.builds(lambda at, by: notice_served(at, act_by=date.fromisoformat(by)), days(50, 100), days(80, 130)),
    st.builds(lambda at, method: notice_served(at, "final", method=method), days(80, 130), methods),
    st.builds(lambda at, amount: payment(at, amount), days(0, 130), amounts),
    st.builds(lambda at, amount: payment_reported(f"{at} 21:00", amount, payment=f"R-{at}"), days(80, 130), amounts),
    st.builds(lambda start, each, **more: arrangement_agreed(on(start), (on(start + 10), each), (on(start + 20), each),
              name=f"A-{start}", **more), st.integers(20, 90), amounts,
              arrangement_basis=st.sampled_from(["ordinary", "ordinary", "health"])),
    st.builds(lambda start, bill, means, answer: [
        petition_filed(f"{on(start)} 09:00", f"B-{bill}", dispute=f"D-{start}", beyond_means=means),
        *([petition_answered(on(start + answer), f"D-{start}")] if answer else [])],
        st.integers(0, 80), mailed, st.booleans(), st.sampled_from([0, 20, 60])),
    st.builds(lambda at: [payment(at, "400.00", payment="P-NSF"), payment_returned("P-NSF", on(120))], days(60, 119)),
    st.builds(lambda at: arrangement_breached(at, "A-40"), days(45, 100)),
    st.builds(lambda start, after: [arrangement_agreed(on(start), (on(start + 10), "90.00"), name=f"C-{start}"),
              arrangement_cancelled(on(start + after), f"C-{start}")], st.integers(20, 90), st.integers(0, 25)),
)  # fmt: skip
services = st.sampled_from([
    {},
    {"service_class": "nonresidential"},
    {"occupancy": "tenants_metered"},
    {"occupancy": "tenants_master_metered"},
])  # fmt: skip


def first_allowed(case: Case) -> date | None:
    """The earliest day found the long way: every rule asked about every day, and at two, for calls were made then."""
    openings = (case.calendar.opening(case.on + timedelta(days=n)) for n in range(HORIZON.days + 1))
    moments = [at for opening in openings if opening for at in (opening, opening.replace(hour=14))]
    later = sorted([case.at, *(at for at in moments if at > case.at)])
    return next((at.date() for at in later if not forbidding(case.moved(at))), None)


@settings(max_examples=40)
@given(services, st.lists(mailed, min_size=1, unique=True), near, st.lists(happenings, max_size=2), days(55, 130))
def test_the_earliest_day_is_the_first_that_explain_allows(service, bills, ready, happened, asked):
    """`earliest` skips no day on which every rule would allow it; no rule permits it within its own `until`.

    Seen to catch: any `until` a day late, or for ever where an event of the past ends it.
    """
    book = Book().opened(**service).given(*(bill_mailed(each) for each in bills), *ready)
    for each in happened:
        book.given(*(each if isinstance(each, list) else [each]))
    case = book.at(asked)
    assert earliest(case) == first_allowed(case)
    if not case.reports:
        for verdict in forbidding(case):
            if verdict.until and verdict.until > case.on:
                then = morning(case, min(verdict.until, case.on + HORIZON))
                assert {each.function: each.verdict for each in judged(then)}[verdict.function] != "permits", verdict


def forbidding(case: Case) -> list[RuleVerdict]:
    return [verdict for verdict in judged(case) if verdict.forbids]


def morning(case: Case, day: date) -> Case:
    return case.moved(case.calendar.opening(day) or datetime.combine(day, time(8), PACIFIC))


@settings(max_examples=40)
@given(
    st.sampled_from(["del-oro", "cal-water"]),
    st.sampled_from(["2024-03-28", "2024-05-22", "2024-05-28"]),
    st.tuples(st.integers(-1, 1), st.integers(6, 17), st.sampled_from(["00", "30"])),
    st.tuples(st.integers(0, 2), st.integers(0, 23), st.sampled_from(["00", "30"])),
)
@example("cal-water", "2024-03-28", (-1, 9, "00"), (1, 12, "30"))
def test_the_earliest_day_allows_it_at_some_moment_of_the_hours(policy, start, contact, asked):
    """Judged the long way, each half hour of each day; Good Friday 2024, 29 March, is a holiday from noon to three.

    Seen to catch: only the opening judged; a holiday of three hours that lasts the day.
    """
    first = date.fromisoformat(start)
    called, when = (f"{first + timedelta(days=n)} {hour:02}:{minute}" for n, hour, minute in (contact, asked))
    book = Book(policy).given(bill_mailed(first - timedelta(days=81)), notice_served(first - timedelta(days=30)))
    case = book.given(contact_made(called)).at(when)
    noon = datetime.combine(case.on, time(), PACIFIC)
    moments = [noon + timedelta(days=n, minutes=30 * half) for n in range(8) for half in range(48)]
    later = [
        at for at in moments if at > case.at and case.calendar.opening(at.date()) and case.calendar.office_open(at)
    ]
    allowed = [at.date() for at in (case.at, *later) if not forbidding(case.moved(at))]
    found = earliest(case)
    assert (found if found and found < case.on + timedelta(days=8) else None) == (allowed[0] if allowed else None)


@pytest.mark.parametrize(
    ("called", "asked", "expected"),
    [
        ("2024-05-28 10:30", "2024-05-28 11:00", "2024-05-29"),
        ("2024-05-28 16:59", "2024-05-28 17:30", "2024-05-29"),
        ("2024-05-28 17:00", "2024-05-28 17:30", "2024-05-30"),  # closed by then
        ("2024-05-28 10:30", "2024-05-29 08:30", "2024-05-29"),
        ("2024-05-28 10:30:45", "2024-05-29 08:30", "2024-05-29"),
        ("2024-05-28 10:30", "2024-05-29 16:59", "2024-05-29"),
        ("2024-05-28 10:30", "2024-05-29 17:00", "2024-05-30"),
    ],
)
def test_puc_779_1_b_ends_within_the_day(case, called, asked, expected):
    case.given(bill_mailed("2024-03-04"), notice_served("2024-05-06"), contact_made(called))
    assert case.explain(asked).earliest == date.fromisoformat(expected)


def test_a_jump_stops_at_a_new_rule_book(case):
    # Until 2020-02-01 nothing else stands in the way of a bill of the older tariff; then the 79 days begin.
    case.given(bill_mailed("2020-01-06"), notice_served("2020-01-27"), contact_made("2020-01-28 10:00"))
    asked = case.at("2020-01-29")
    assert earliest(asked) == first_allowed(asked)
    assert explain(asked).earliest == earliest(asked)
