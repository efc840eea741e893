"""Counting days one by one: day 0, the first and the last counted, what was closed, where the last day moved."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count as numbers
from typing import Literal

from msgspec import Struct

from ledger.calendar import ONE_DAY, Calendar

Role = Literal["zero", "counted", "last", "skipped", "moved"]


class CountedDay(Struct, frozen=True):
    """A day met in a count: its number, or None where it is skipped; `closed` says why the offices were."""

    on: date
    number: int | None
    role: Role
    closed: str = ""


class Count(Struct, frozen=True):
    """Days counted from `zero`, itself not counted, to `last`; `moved` is where a closed last day went (C1, C2, C6)."""

    days: list[CountedDay]
    business: bool

    @property
    def zero(self) -> date:
        """The day that is not counted."""
        return self.days[0].on

    @property
    def first(self) -> date:
        """The first day counted; day 0 itself where a rule gives no days."""
        return next((day.on for day in self.days if day.number == 1), self.zero)

    @property
    def ends(self) -> CountedDay:
        """The last day counted; day 0 itself where a rule gives no days."""
        return next((day for day in self.days if day.role == "last"), self.days[0])

    @property
    def last(self) -> date:
        """The day of the last number, before it moves."""
        return self.ends.on

    @property
    def moved(self) -> date:
        """The last day after it moved off closed days; the last day itself where it did not."""
        return self.days[-1].on

    @property
    def closed(self) -> list[CountedDay]:
        """The days after day 0 on which the offices were closed."""
        return [day for day in self.days[1:] if day.closed]


def calendar_days(zero: date, days: int, calendar: Calendar, *, moves: bool = True) -> Count:
    """`days` calendar days from `zero`; where it `moves`, a last day on which the offices are closed does."""
    met = [_met(zero, 0, "zero", calendar)]
    for number in range(1, days + 1):
        met.append(_met(zero + timedelta(days=number), number, "last" if number == days else "counted", calendar))
    opened = calendar.next_open(met[-1].on) if moves else met[-1].on
    for day in _between(met[-1].on, opened):
        met.append(_met(day, None, "moved" if day == opened else "skipped", calendar))
    return Count(met, business=False)


def business_days(zero: date, days: int, calendar: Calendar) -> Count:
    """`days` business days from `zero`; days on which the offices are closed are skipped (C6)."""
    met, number = [_met(zero, 0, "zero", calendar)], numbers(1)
    last = calendar.add_business_days(zero, days)
    for day in _between(zero, last):
        if calendar.closed(day):
            met.append(_met(day, None, "skipped", calendar))
        else:
            met.append(_met(day, next(number), "last" if day == last else "counted", calendar))
    return Count(met, business=True)


def _met(day: date, number: int | None, role: Role, calendar: Calendar) -> CountedDay:
    return CountedDay(day, number, role, calendar.closed(day) or "")


def _between(first: date, last: date) -> Iterator[date]:
    day = first
    while day < last:
        day += ONE_DAY
        yield day
