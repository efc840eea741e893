"""Days counted one by one, at the edges of weekends, holidays, leap days and the change of the clocks."""

from datetime import date

import pytest

from projections.dossier.counting import business_days, calendar_days
from tests.cases import policies

CALENDAR = policies().calendar()


def day(text: str) -> date:
    return date.fromisoformat(text)


def test_day_0_is_not_counted_and_the_last_is():
    count = calendar_days(day("2024-03-04"), 79, CALENDAR)
    assert [met.number for met in count.days] == list(range(80))
    assert (count.zero, count.first, count.last, count.moved) == (
        day("2024-03-04"), day("2024-03-05"), day("2024-05-22"), day("2024-05-22"),
    )  # fmt: skip


def test_a_rule_that_gives_no_days_ends_on_day_0():
    for count in (calendar_days(day("2024-03-02"), 0, CALENDAR), business_days(day("2024-03-04"), 0, CALENDAR)):
        assert (count.first, count.last, count.ends.number) == (count.zero, count.zero, 0)
        assert count.moved == day("2024-03-04")


@pytest.mark.parametrize(
    ("mailed", "last", "moved", "closed"),
    [
        ("2024-01-31", "2024-02-19", "2024-02-20", ["Presidents' Day"]),  # the nineteenth day is the holiday
        ("2024-03-04", "2024-03-23", "2024-03-25", ["Saturday", "Sunday"]),
        ("2024-02-09", "2024-02-28", "2024-02-28", []),
        ("2024-02-10", "2024-02-29", "2024-02-29", []),  # a leap day is a day
        ("2024-12-06", "2024-12-25", "2024-12-26", ["Christmas Day"]),
    ],
)
def test_a_last_day_on_which_the_offices_are_closed_moves(mailed, last, moved, closed):
    count = calendar_days(day(mailed), 19, CALENDAR)
    assert (count.last, count.moved) == (day(last), day(moved))
    assert [met.closed for met in count.days if met.on >= count.last and met.closed] == closed
    assert [met.number for met in count.days if met.on > count.last] == [None] * (count.moved - count.last).days


def test_what_does_not_move_stays_on_a_closed_day():
    count = calendar_days(day("2024-05-10"), 15, CALENDAR, moves=False)
    assert count.last == count.moved == day("2024-05-25")
    assert count.days[-1].closed == "Saturday"


def test_business_days_skip_what_is_closed_and_name_it():
    count = business_days(day("2024-04-22"), 5, CALENDAR)
    assert [(met.on.day, met.closed) for met in count.days if met.number is None] == [
        (24, "Genocide Remembrance Day"), (27, "Saturday"), (28, "Sunday"),
    ]  # fmt: skip
    assert [met.on.day for met in count.days if met.number] == [23, 25, 26, 29, 30]
    assert (count.first, count.last, count.moved) == (day("2024-04-23"), day("2024-04-30"), day("2024-04-30"))
