"""The register of entries: what changed a balance, who made it, who approved it, and what it changed."""

from datetime import date, datetime

import pytest
from msgspec.structs import replace

from commands.entries import Wanted, entries, page
from commands.outputs import said
from ledger.calendar import PACIFIC
from ledger.history import History
from ledger.refusal import Refused
from tests.commands.world import NOW, World

OTHER = {"account": "7002", "name": "Sample Customer", "service_address": "2 Example Lane"}
ON = date(2025, 6, 30)


def told(world, on=ON, known_at=None, by=None, **narrowed):
    histories = [History(account, events) for account, events in sorted(world.events.items())]
    return entries(histories, on, known_at, Wanted(**narrowed), by)


def given(world, actor, title, source=None, **fields):
    """The command is recorded as somebody's, as posting does it."""
    for event in world.then(title, **fields):
        world.happened(replace(event, actor=actor, source=source))
    return world


def kinds(answer):
    return [(row["kind"], row["amount"]) for row in answer["rows"]]


@pytest.fixture
def world() -> World:
    """A bill of December voided in January, a fee given up, and 600.00 given back."""
    world = World().given("bill issue", bill="B-1", mailed_on="2023-12-20", amount="90.00")
    given(world, "clerk-3", "bill void", bill="B-1", on="2024-01-10", reason="issued twice")
    world.given("bill issue", bill="B-2", mailed_on="2024-01-22", amount="700.00")
    world.given("fee charge", fee="F-1", kind="late", on="2024-02-20", amount="3.10")
    world.given("fee waive", fee="F-1", on="2024-02-21", reason="asked for")
    given(world, "c-1", "adjustment post", amount="-500.00", on="2024-02-22", reason="leak", approved_by="s-1")
    given(world, "s-1", "adjustment post", amount="-500.01", on="2024-02-23", reason="leak", approved_by="s-1")
    paid = {"payment": "P-1", "amount": "20.00", "received_at": "2024-03-01T21:00", "channel": "internet"}
    return given(world, None, "payment receive", "internet-2024-03-02.csv", **paid)


def test_every_change_of_a_balance_is_listed_and_they_come_to_it(world):
    answer = told(world)
    assert kinds(answer) == [
        ("bill", "90.00"),
        ("bill_void", "-90.00"),
        ("bill", "700.00"),
        ("fee", "3.10"),
        ("fee_waiver", "-3.10"),
        ("adjustment", "-500.00"),
        ("adjustment", "-500.01"),
        ("payment", "-20.00"),
    ]
    assert answer["totals"] == {"entries": 8, "amount": "-320.01"}
    assert world.account().balance == -320_01


def test_an_entry_says_what_it_changed_who_made_it_and_why(world):
    (row,) = told(world, kinds=("bill_void",))["rows"]
    assert row == {
        "account": "7001",
        "on": "2024-01-10",
        "kind": "bill_void",
        "sort": "regular",
        "reference": "B-1",
        "about_on": "2023-12-20",
        "amount": "-90.00",
        "known_from": NOW.isoformat(),
        "actor": "clerk-3",
        "approved_by": None,
        "source": None,
        "reason": "issued twice",
        "remark": None,
        "version": 3,
    }


def test_a_waiver_is_of_the_sort_of_its_fee_and_a_payment_of_its_channel(world):
    assert [row["sort"] for row in told(world, kinds=("fee_waiver", "payment"))["rows"]] == ["late", "internet"]


@pytest.mark.parametrize(
    ("approved_by", "actor", "remark"),
    [
        ("s-1", "c-1", None),
        ("s-1", None, None),
        ("s-1", "s-1", "approved by who made it"),
        (None, "c-1", "approved by nobody"),
    ],
)
def test_an_adjustment_that_nobody_else_approved_is_remarked(approved_by, actor, remark):
    fields = {"amount": "-1.00", "on": "2024-02-22", "reason": "leak", "approved_by": approved_by}
    world = given(World(), actor, "adjustment post", **{name: value for name, value in fields.items() if value})
    assert [row["remark"] for row in told(world)["rows"]] == [remark]


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({"over": 499_99, "kinds": ("adjustment",)}, 2),
        ({"over": 500_00, "kinds": ("adjustment",)}, 1),
        ({"over": 500_01, "kinds": ("adjustment",)}, 0),
        ({"first": date(2024, 1, 10), "last": date(2024, 1, 10)}, 1),
        ({"first": date(2024, 1, 11), "last": date(2024, 1, 21)}, 0),
        ({"about_before": date(2023, 12, 21)}, 1),
        ({"about_before": date(2023, 12, 20)}, 0),
    ],
)
def test_only_what_is_asked_for_is_listed(world, narrowed, found):
    assert len(told(world, **narrowed)["rows"]) == found


def test_what_was_not_known_or_had_not_happened_is_left_out(world):
    assert kinds(told(world, on=date(2024, 1, 9))) == [("bill", "90.00")]
    assert told(world, known_at=datetime(2024, 11, 30, 9, 0, tzinfo=PACIFIC))["rows"] == []


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("kind", {"adjustment": 2, "bill": 2, "bill_void": 1, "fee": 1, "fee_waiver": 1, "payment": 1}),
        ("source", {"internet-2024-03-02.csv": 1, "none": 7}),
        ("approved_by", {"none": 6, "s-1": 2}),
        ("month", {"2023-12": 1, "2024-01": 2, "2024-02": 4, "2024-03": 1}),
    ],
)
def test_entries_are_counted_by_what_is_asked(world, by, groups):
    world.given("account open", opened_on="2019-01-01", **OTHER)
    answer = told(world, by=by)
    assert {row["group"]: row["entries"] for row in answer["rows"]} == groups
    assert answer["totals"] == {"entries": 8, "amount": "-320.01"}


def test_a_period_that_ends_before_it_begins_is_refused(world):
    with pytest.raises(Refused) as refused:
        told(world, first=date(2024, 2, 1), last=date(2024, 1, 1))
    assert refused.value.code == "invalid_period"


def test_a_person_reads_who_approved_it_and_what_an_auditor_looks_for(world):
    shown = page(told(world, over=500_00, kinds=("adjustment",)))
    (table,) = shown.tables
    (row,) = table.rows
    cells = {column.shown_as: said(column, row) for column in table.columns if column.heading is not None}
    assert cells["by"] == "s-1\napproved s-1"
    assert cells["reason"] == "leak\napproved by who made it"
    assert shown.after[1] == "entries 1, amount -500.01"
