"""What a register says beside the rows: days counted, weekdays, what an auditor looks for, what it comes to."""

import csv
import io
from datetime import date

import pytest

from commands import outputs
from commands.registers import REGISTERS, Asking, page, register
from commands.reports import discontinuations, performance
from ledger.history import History
from ledger.refusal import Refused
from ledger.utility import Rules
from projections.catalogue import PROJECTIONS
from projections.rows import Folded
from projections.rows import World as Around
from tests.commands.world import World

SHUTOFF = {"reason": "nonpayment"}
OTHER = {"account": "7002", "name": "Sample Customer", "service_address": "2 Example Lane"}


class Rows:
    """The rows of some worlds, folded; stands in for the tables and the log."""

    kept = folded = 0

    def __init__(self, world, names, when):
        self._world, self._names, self._when = world, ("accounts", *names), when

    def __iter__(self):
        around = Around(Rules(self._world.calendar, self._world.policies), lambda *_: None)
        for account, events in sorted(self._world.events.items()):
            folded = Folded(account, History.effective(events, self._when), around)
            yield account, {name: list(PROJECTIONS[name].rows(folded)) for name in self._names}


def told(world, name, on="2025-06-30", **narrowed):
    when = date.fromisoformat(on)
    rows = Rows(world, REGISTERS[name].projections, when)
    return register(name, rows, Asking(when, world.calendar, world.policies, **narrowed), when)


def only(world, name, on="2025-06-30"):
    (row,) = told(world, name, on)["rows"]
    return row


@pytest.fixture
def world() -> World:
    """A bill of 90.00 with its notice and two calls; Thursday 23 May 2024 is its 80th day."""
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    world.given("notice serve", notice="N-1", kind="discontinuance", on="2024-04-25", method="mail")
    world.given("contact attempt", at="2024-05-17T10:00", method="phone", outcome="failed")
    return world.given("contact attempt", at="2024-05-20T10:00", method="visit", outcome="reached")


def test_a_shutoff_has_all_that_it_rested_on(world):
    world.given("service authorize", at="2024-05-23T10:00")
    row = only(world.given("service disconnect", at="2024-05-23T10:20", **SHUTOFF), "shutoffs")
    assert (
        row
        | {
            "off_at": "2024-05-23T10:20:00-07:00",
            "weekday": "Thursday",
            "reason": "nonpayment",
            "service_class": "residential",
            "bill": "B-1",
            "mailed_on": "2024-03-04",
            "days_elapsed": 80,
            "past_due": "90.00",
            "notice": "N-1",
            "notice_served_on": "2024-04-25",
            "notice_method": "mail",
            "contacts": 2,
            "contact_at": "2024-05-20T10:00:00-07:00",
            "contact_outcome": "reached",
            "authorized_at": "2024-05-23T10:00:00-07:00",
            "override_reason": None,
            "inability_shown": False,
            "remarks": [],
            "flags": "",
        }
        == row
    )


@pytest.mark.parametrize(
    ("at", "remarks"),
    [
        ("2024-05-22T10:00", ["under 80 days"]),
        ("2024-05-23T10:00", []),
        ("2024-05-23T07:59", ["outside office hours"]),
        ("2024-05-24T10:00", ["Friday"]),
        ("2024-05-25T10:00", ["Saturday", "outside office hours"]),
        ("2024-05-26T10:00", ["Sunday", "before a holiday", "outside office hours"]),
        ("2024-05-27T10:00", ["holiday", "outside office hours"]),
        ("2024-07-03T10:00", ["before a holiday"]),
    ],
)
def test_what_an_auditor_looks_for_is_remarked(world, at, remarks):
    assert only(world.given("service disconnect", at=at, **SHUTOFF), "shutoffs")["remarks"] == remarks


def test_the_day_before_a_declared_closure_is_one_before_a_holiday(world):
    world.calendar = world.policies.calendar({date(2024, 5, 30): "inventory"})
    row = only(world.given("service disconnect", at="2024-05-29T10:00", **SHUTOFF), "shutoffs")
    assert (row["remarks"], row["flags"]) == (["before a holiday"], "DO-38")


def test_a_shutoff_with_no_notice_and_no_contact_says_so():
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    row = only(world.given("service disconnect", at="2024-05-23T10:00", **SHUTOFF), "shutoffs")
    assert row["remarks"] == ["no notice", "no contact"]
    assert row["flags"]


def test_a_shutoff_for_another_reason_rests_on_nothing_and_has_no_remarks(world):
    row = only(world.given("service disconnect", at="2024-05-26T23:00", reason="safety"), "shutoffs")
    assert (row["bill"], row["days_elapsed"], row["notice"], row["remarks"]) == (None, None, None, [])


def test_what_came_to_be_known_after_a_shutoff_does_not_change_what_it_rested_on(world):
    world.given("service disconnect", at="2024-05-23T10:20", **SHUTOFF)
    world.given("payment receive", payment="P-1", amount="90.00", received_at="2024-05-22T21:00", channel="internet")
    world.given("service wrongful", on="2024-05-24", reason="paid the evening before")
    row = only(world.given("service reconnect", at="2024-05-24T09:00"), "shutoffs")
    assert (row["bill"], row["past_due"]) == ("B-1", "90.00")
    assert (row["wrongful_on"], row["wrongful_reason"]) == ("2024-05-24", "paid the evening before")
    assert row["on_at"] == "2024-05-24T09:00:00-07:00"


def test_an_override_names_its_reason_and_who_approved_it(world):
    world.given(
        "service authorize", at="2024-05-24T10:00", override_reason="the crew is there only then", approved_by="M. Chen"
    )
    row = only(world.given("service disconnect", at="2024-05-24T10:20", **SHUTOFF), "shutoffs")
    assert (row["override_reason"], row["approved_by"]) == ("the crew is there only then", "M. Chen")
    shown = page(told(world, "shutoffs")).tables[0]
    remarks = next(column for column in shown.columns if column.name == "remarks")
    assert remarks.told(row) == "Friday, overridden by M. Chen: the crew is there only then"


@pytest.mark.parametrize(("filed", "in_time"), [("2024-03-14T16:00", True), ("2024-03-15T00:10", False)])
def test_a_petition_has_its_five_days_counted(world, filed, in_time):
    # Mailed on Monday the 4th, presumed received on Saturday the 9th, the fifth day from then is Thursday the 14th.
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at=filed, disputed_amount="30.00")
    row = only(world, "disputes")
    assert (row["received_on"], row["presumed"], row["last_day"]) == ("2024-03-09", True, "2024-03-14")
    assert (row["in_time"], row["state"], row["bill_amount"]) == (in_time, "open", "90.00")


def test_a_petition_waits_until_its_answer_or_the_day_asked_about(world):
    world.given("bill receipt", bill="B-1", received_on="2024-03-06", evidence="signed for")
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-11T16:00")
    assert only(world, "disputes", "2024-03-21")["waited_days"] == 10
    world.given("dispute answer", dispute="D-1", on="2024-03-25", outcome="adjusted", credit="12.00", language="es")
    row = only(world, "disputes")
    assert (row["waited_days"], row["state"], row["credit"], row["language"]) == (14, "adjusted", "12.00", "es")
    assert (row["received_on"], row["presumed"], row["in_time"]) == ("2024-03-06", False, True)
    assert told(world, "disputes")["totals"] == {
        "rows": 1,
        "accounts": 1,
        "adjusted": 1,
        "disputed_amount": "90.00",
        "credit": "12.00",
    }


def test_an_appeal_has_what_was_needed_and_what_is_held(world):
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-11T16:00", disputed_amount="30.00")
    world.given("dispute answer", dispute="D-1", on="2024-03-25", outcome="upheld")
    world.given("appeal file", appeal="A-1", dispute="D-1", on="2024-03-29")
    world.given("appeal deposit", appeal="A-1", amount="30.00", on="2024-04-01")
    row = only(world, "appeals")
    assert (row["bill"], row["needed"], row["deposited"], row["held"], row["state"]) == (
        "B-1",
        "30.00",
        "30.00",
        "30.00",
        "open",
    )
    world.given("appeal close", appeal="A-1", on="2024-06-03", outcome="no change")
    world.given("appeal disburse", appeal="A-1", on="2024-06-05", to_utility="30.00", to_customer="0.00")
    assert (only(world, "appeals")["held"], only(world, "appeals")["state"]) == ("0.00", "closed")
    assert only(world, "appeals", "2024-05-31")["state"] == "open"


def test_an_arrangement_says_what_became_of_it_by_the_day(world):
    world.given("arrangement request", arrangement="R-1", at="2024-04-29T09:00", channel="phone")
    assert only(world, "arrangements", "2024-04-29")["state"] == "requested"
    parts = [{"due_on": "2024-05-31", "amount": "45.00"}, {"due_on": "2024-06-28", "amount": "45.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="alternative", on="2024-05-01", installments=parts)
    assert only(world, "arrangements", "2024-05-31")["state"] == "kept"
    row = only(world, "arrangements", "2024-06-01")
    assert (row["state"], row["missed_from"], row["channel"]) == ("missed", "2024-06-01", "phone")
    assert [part["last_day"] for part in row["installments"]] == ["2024-05-31", "2024-06-28"]
    assert [part["amount"] for part in row["installments"]] == ["45.00", "45.00"]


@pytest.mark.parametrize(
    ("paid", "state"), [("2024-05-31", "paid"), ("2024-06-01", "paid late"), ("2024-06-04", "paid late")]
)
def test_an_installment_that_was_missed_and_made_good_keeps_its_day(world, paid, state):
    """Appeal staff ask what was missed, and when it was paid: a miss that was cured leaves a trace (B13)."""
    parts = [{"due_on": "2024-05-31", "amount": "45.00"}, {"due_on": "2024-06-28", "amount": "45.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="alternative", on="2024-05-01", installments=parts)
    world.given("payment receive", payment="P-1", amount="45.00", received_at=paid, channel="counter")
    row = only(world, "arrangements", "2024-06-05")
    first, second = row["installments"]
    assert (first["paid_on"], first["state"]) == (paid, state)
    assert (second["paid_on"], second["state"], row["state"]) == (None, "due", "kept")
    shown = page(told(world, "arrangements", "2024-06-05")).tables[0].rows[0]["installments"]
    late = f" paid {paid}" if state == "paid late" else ""
    assert shown == f"2024-05-31 45.00{late}; 2024-06-28 45.00"


def test_an_installment_is_missed_from_the_day_after_its_last_until_it_is_paid(world):
    parts = [{"due_on": "2024-05-31", "amount": "45.00"}, {"due_on": "2024-06-28", "amount": "45.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="alternative", on="2024-05-01", installments=parts)
    world.given("payment receive", payment="P-1", amount="44.99", received_at="2024-05-31", channel="counter")
    world.given("payment receive", payment="P-2", amount="45.00", received_at="2024-06-10", channel="counter")

    def states(on):
        return [part["state"] for part in only(world, "arrangements", on)["installments"]]

    assert [
        states(on) for on in ("2024-05-31", "2024-06-01", "2024-06-09", "2024-06-10", "2024-06-28", "2024-06-29")
    ] == [
        ["due", "due"],
        ["missed", "due"],
        ["missed", "due"],
        ["paid late", "due"],
        ["paid late", "due"],
        ["paid late", "missed"],
    ]


def test_what_fell_away_with_an_arrangement_was_not_missed(world):
    parts = [{"due_on": "2024-05-31", "amount": "45.00"}, {"due_on": "2024-06-28", "amount": "45.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="alternative", on="2024-05-01", installments=parts)
    world.given("payment receive", payment="P-1", amount="45.00", received_at="2024-05-20", channel="counter")
    world.given("arrangement cancel", arrangement="R-1", on="2024-06-28", reason="the customer moves away")
    row = only(world, "arrangements")
    assert [part["state"] for part in row["installments"]] == ["paid", "cancelled"]
    assert row["state"] == "cancelled"


def test_an_arrangement_paid_off_after_a_breach_counts_as_breached(world):
    """Who asks how many arrangements of a year were broken must not be told of those alone that still are."""
    parts = [{"due_on": "2024-05-31", "amount": "90.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="deferred", on="2024-05-01", installments=parts)
    world.given("arrangement breach", arrangement="R-1", on="2024-06-04", reason="nothing was paid")
    world.given("payment receive", payment="P-1", amount="90.00", received_at="2024-06-10", channel="counter")
    totals = [told(world, "arrangements", on)["totals"] for on in ("2024-06-03", "2024-06-04", "2024-06-10")]
    assert [each["breached"] for each in totals] == [0, 1, 1]
    assert [("missed" in each, "paid_off" in each) for each in totals] == [(True, False), (True, False), (False, True)]


def test_installments_are_on_the_terminal_and_in_the_csv(world):
    parts = [{"due_on": "2024-05-31", "amount": "45.00"}, {"due_on": "2024-06-28", "amount": "45.00"}]
    world.given("arrangement agree", arrangement="R-1", kind="alternative", on="2024-05-01", installments=parts)
    shown, terminal, file = page(told(world, "arrangements", "2024-05-31")), io.StringIO(), io.StringIO(newline="")
    outputs.show(shown, terminal)
    outputs.write_csv(shown, file)
    printed = terminal.getvalue().partition("Installments\n")[2]
    assert [" ".join(line.split()) for line in printed.splitlines() if "R-1" in line] == [
        "7001 R-1 1 31 May 2024 31 May 2024 45.00 – due",
        "7001 R-1 2 28 Jun 2024 28 Jun 2024 45.00 – due",
    ]
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row["installments"] == "2024-05-31 45.00; 2024-06-28 45.00"


def test_a_declined_request_says_why(world):
    world.given("arrangement request", arrangement="R-1", at="2024-04-29T09:00")
    world.given("arrangement decline", arrangement="R-1", on="2024-04-30", reason="an earlier one was not kept")
    row = only(world, "arrangements")
    assert (row["state"], row["reason"]) == ("declined", "an earlier one was not kept")


def test_notices_are_counted_by_kind_and_the_returned_ones(world):
    world.given("notice return", notice="N-1", on="2024-05-02")
    assert told(world, "notices")["totals"] == {"rows": 1, "accounts": 1, "discontinuance": 1, "returned": 1}
    assert only(world, "notices")["bills"] == "B-1"


# The yearly reports


def shut_off(world, *days):
    for number, day in enumerate(days):
        world.given("service disconnect", at=f"{day}T10:00", **SHUTOFF)
        world.given("service wrongful", on=day, reason="to be restored without payment")
        world.given("service reconnect", at=f"{day}T15:{number:02}")
    return world


def reported(world, year=2024, on="2025-06-30"):
    first, last = date(year, 1, 1), date(year, 12, 31)
    return discontinuations(year, told(world, "shutoffs", on, first=first, last=last))


def test_116918_counts_events_connections_and_repeats(world):
    shut_off(world, "2024-05-23", "2024-06-04", "2024-12-31", "2025-01-02")
    world.given("service disconnect", at="2025-01-07T10:00", reason="safety")
    answer = reported(world)
    assert answer["figures"] == {
        "events": 3,
        "connections": 1,
        "connections_shut_off_again": 1,
        "repeats": 2,
        "after_inability_shown": 0,
        "found_wrongful": 3,
        "reconnected": 3,
    }
    assert [row["repeat"] for row in answer["rows"]] == [False, True, True]
    assert answer["districts"] == [{"district": None, "events": 3, "connections": 1}]
    assert reported(world, 2025)["figures"]["events"] == 1


def test_116918_leaves_out_who_is_no_residence_and_says_when_the_year_is_not_over(world):
    world.given("account classify", effective_on="2024-05-01", service_class="nonresidential")
    world.given("service disconnect", at="2024-05-23T10:00", **SHUTOFF)
    answer = reported(world, on="2024-12-30")
    assert answer["figures"]["events"] == 0
    assert answer["notes"][0] == "The year was not over on 30 Dec 2024."
    assert "not over" not in reported(world, on="2024-12-31")["notes"][0]


def test_116918_counts_those_who_had_shown_inability_apart(world):
    world.given("health inability", on="2024-05-06", ground="lost work")
    assert reported(shut_off(world, "2024-05-23"))["figures"]["after_inability_shown"] == 1


def figures(world, year=2024, on="2025-06-30"):
    histories = [History(account, events) for account, events in sorted(world.events.items())]
    answer = performance(histories, world.calendar, year, date.fromisoformat(on))
    assert sum(row["number"] for row in answer["figures"] if "Q" in row["period"]) == len(answer["rows"])
    return {
        (row["measure"], row["period"]): (row["number"], row["out_of"], row["percent"]) for row in answer["figures"]
    }


def test_103a_the_year_is_from_raw_events_not_from_the_quarters():
    world = World().given("meter install", meter="M-1", on="2023-12-01", reading="0")
    kinds = {"01": "estimated", "04": "actual", "05": "actual", "06": "estimated", "07": "actual"}
    for month, kind in kinds.items():
        world.given("meter read", read_on=f"2024-{month}-15", reading=str(10 * int(month)), kind=kind)
    found = figures(world)
    assert found["reads_estimated", "2024-Q1"] == (1, 1, "100.0")
    assert found["reads_estimated", "2024-Q2"] == (1, 3, "33.3")
    assert found["reads_estimated", "2024-Q4"] == (0, 0, None)
    # The mean of the quarters would be 44.4.
    assert found["reads_estimated", "2024"] == (2, 5, "40.0")


@pytest.mark.parametrize(("estimated", "percent"), [(1, "14.3"), (2, "28.6"), (3, "42.9")])
def test_103a_percentages_have_one_decimal_rounded_half_up(estimated, percent):
    world = World().given("meter install", meter="M-1", on="2023-12-01", reading="0")
    for day in range(1, 8):
        kind = "estimated" if day <= estimated else "actual"
        world.given("meter read", read_on=f"2024-02-{day:02}", reading=str(day), kind=kind)
    assert figures(world)["reads_estimated", "2024-Q1"] == (estimated, 7, percent)


def test_103a_half_of_a_tenth_is_rounded_up():
    world = World().given("meter install", meter="M-1", on="2023-12-01", reading="0")
    for day in range(1, 9):
        kind = "estimated" if day == 1 else "actual"
        world.given("meter read", read_on=f"2024-02-{day:02}", reading=str(day), kind=kind)
        world.given("meter read", read_on=f"2024-03-{day:02}", reading=str(10 + day))
    # One of sixteen is 6.25 %.
    assert figures(world)["reads_estimated", "2024-Q1"][2] == "6.3"


def test_103a_an_estimate_is_trued_up_by_the_next_read():
    world = World().given("meter install", meter="M-1", on="2023-12-01", reading="0")
    for month, kind in (("01", "estimated"), ("02", "estimated"), ("03", "actual"), ("04", "estimated")):
        world.given("meter read", read_on=f"2024-{month}-15", reading=str(10 * int(month)), kind=kind)
    found = figures(world)
    assert found["estimates_not_trued_up", "2024-Q1"] == (1, 2, "50.0")
    # The last estimate has no later read yet.
    assert found["estimates_not_trued_up", "2024-Q2"] == (0, 0, None)


def test_103a_bills_and_payments_put_right_later_count_where_they_began(world):
    world.given("bill issue", bill="B-2", mailed_on="2024-05-06", amount="80.00")
    world.given("bill correct", bill="B-1", amount="70.00", mailed_on="2024-07-08", reason="misread")
    world.given("payment receive", payment="P-1", amount="9.00", received_at="2024-06-28T09:00", channel="mail")
    world.given(
        "account open", account="7002", opened_on="2019-01-01", name="Sample Customer", service_address="2 Lane"
    )
    world.given("payment transfer", payment="P-1", to_account="7002", on="2024-08-01", reason="wrong account")
    found = figures(world)
    assert found["bills_inaccurate", "2024-Q1"] == (1, 1, "100.0")
    assert found["bills_inaccurate", "2024"] == (1, 2, "50.0")
    assert found["payments_misposted", "2024-Q2"] == (1, 1, "100.0")
    assert found["payments_misposted", "2024-Q3"] == (0, 0, None)
    # What had not happened by the day asked about does not count.
    assert figures(world, on="2024-07-07")["bills_inaccurate", "2024"] == (0, 2, "0.0")


@pytest.mark.parametrize(("back", "late"), [("2024-05-28T16:00", 0), ("2024-05-29T09:00", 1)])
def test_103a_a_reconnection_is_late_after_the_next_business_day(world, back, late):
    # Asked for on a Friday before Memorial Day: the next business day is Tuesday.
    world.given("service disconnect", at="2024-05-23T10:00", **SHUTOFF)
    world.given("payment receive", payment="P-1", amount="90.00", received_at="2024-05-24T09:00", channel="counter")
    world.given("service request-reconnection", at="2024-05-24T10:00").given("service reconnect", at=back)
    assert figures(world)["reconnections_late", "2024-Q2"][:2] == (late, 1)


def test_103a_a_reconnection_earlier_that_day_does_not_answer_a_later_request(world):
    world.given("service disconnect", at="2024-05-23T08:30", reason="customer_request")
    world.given("service reconnect", at="2024-05-23T09:00")
    world.given("service disconnect", at="2024-05-23T09:30", reason="customer_request")
    world.given("service request-reconnection", at="2024-05-23T10:00")
    assert figures(world)["reconnections_late", "2024-Q2"][:2] == (1, 1)


def test_103a_complaints_are_of_the_accounts_open_at_the_end_of_the_period(world):
    world.given("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-11T16:00")
    world.given("dispute answer", dispute="D-1", on="2024-03-25", outcome="adjusted", credit="10.00")
    world.given("appeal file", appeal="A-1", dispute="D-1", on="2024-04-02")
    world.given(
        "account open", account="7002", opened_on="2024-07-01", name="Sample Customer", service_address="2 Lane"
    )
    world.given("account close", account="7002", closed_on="2024-12-31")
    found = figures(world)
    assert found["petitions_adjusted", "2024-Q1"] == (1, 1, "100.0")
    assert [found["complaints_to_commission", f"2024-Q{q}"][:2] for q in (1, 2, 3, 4)] == [
        (0, 1),
        (1, 1),
        (0, 2),
        (0, 1),
    ]
    assert found["complaints_to_commission", "2024"] == (1, 1, "100.0")


def test_103a_quarters_that_have_not_begun_have_no_figures(world):
    found = figures(world, on="2024-05-15")
    assert {period for _, period in found} == {"2024-Q1", "2024-Q2", "2024"}
    assert found["complaints_to_commission", "2024"] == (0, 1, "0.0")


def test_a_period_that_ends_before_it_begins_is_refused(world):
    with pytest.raises(Refused, match="swap the days"):
        told(world, "shutoffs", first=date(2024, 2, 1), last=date(2024, 1, 31))
