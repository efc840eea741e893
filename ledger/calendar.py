"""Pacific civil days: legal holidays, closures, business days and office hours (C1–C9).

A calendar is a value: built from a holiday table, the declared closures and the dated office hours, and never changed.
It remembers each year once asked.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.refusal import Refused

PACIFIC = ZoneInfo("America/Los_Angeles")
"""The time zone of every civil day (C3)."""

ONE_DAY = timedelta(days=1)
FURTHEST = timedelta(days=366)
"""How far ahead a day that the offices are open is looked for."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""What a weekday is called where hours and holidays are declared; Monday is 0."""

_FULL_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SATURDAY, _SUNDAY = 5, 6


class Holiday(NamedTuple):
    """One entry of the holiday table: a rule for its day in each year, in force from `since` to `until` inclusive.

    Exactly one rule is given: `month` and `day`; `month`, `weekday` (Monday is 0) and `nth` (-1 is the last); `easter`,
    days from Easter Sunday; or `dates`. With `hours` only that part of the day is a holiday.
    """

    id: str
    name: str
    source: str
    since: date
    until: date | None = None
    month: int = 0
    day: int = 0
    weekday: int = 0
    nth: int = 0
    easter: int | None = None
    dates: tuple[date, ...] = ()
    hours: tuple[time, time] | None = None
    sunday_to_monday: bool = False
    saturday_to_friday: bool = False

    def days(self, year: int) -> Iterator[tuple[date, str]]:
        """Its day of that year and the weekday it moves to, each with a name (Gov. Code 6701; 5 USC 6103)."""
        day = self._nominal(year)
        if day is None or day < self.since or (self.until is not None and day > self.until):
            return
        yield day, self.name
        if self.sunday_to_monday and day.weekday() == _SUNDAY:
            yield day + ONE_DAY, f"{self.name} (observed)"
        if self.saturday_to_friday and day.weekday() == _SATURDAY:
            yield day - ONE_DAY, f"{self.name} (observed)"

    def _nominal(self, year: int) -> date | None:
        """The day itself in that year, before it moves and in force or not."""
        if self.dates:
            return next((day for day in self.dates if day.year == year), None)
        if self.easter is not None:
            return _easter(year) + timedelta(days=self.easter)
        if not self.nth:
            return date(year, self.month, self.day)
        if self.nth > 0:
            first = date(year, self.month, 1)
            return first + timedelta(days=(self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1))
        last = date(year, self.month + 1, 1) - ONE_DAY if self.month < 12 else date(year, 12, 31)
        return last - timedelta(days=(last.weekday() - self.weekday) % 7)


class Hours(NamedTuple):
    """Office hours kept from `since` on: the opening minute is open, the closing minute is not."""

    since: date
    opens: time
    closes: time
    weekdays: frozenset[int] = frozenset(range(5))
    assumed: bool = False


class Calendar:
    """The days and hours on which the utility's offices are open; immutable.

    `hours` are those the utility declared; until the first of them, `usual_hours` hold (a policy pack's own).
    """

    __slots__ = ("_closures", "_holidays", "_hours", "_names", "_next", "_partial", "_usual_hours", "_years")

    def __init__(
        self,
        holidays: Iterable[Holiday] = (),
        closures: Mapping[date, str] | None = None,
        hours: Iterable[Hours] = (),
        usual_hours: Iterable[Hours] = (),
    ) -> None:
        self._holidays = tuple(holidays)
        self._closures = dict(closures or {})
        self._hours = sorted(hours, key=lambda kept: kept.since)
        self._usual_hours = sorted(usual_hours, key=lambda kept: kept.since)
        self._names: dict[int, dict[date, str]] = {}
        self._partial: dict[int, dict[date, tuple[time, time, str]]] = {}
        self._years: dict[int, dict[date, str]] = {}
        self._next: dict[date, date] = {}

    def holiday(self, day: date) -> str | None:
        """The legal holiday that `day` is, by name; None on a plain Sunday, which `closed` covers (DO-34, DO-35)."""
        return self._named(day.year).get(day)

    def holiday_at(self, moment: datetime) -> str | None:
        """The legal holiday at that moment: as `holiday`, and Good Friday from noon to 3 pm."""
        local = pacific(moment)
        name = self.holiday(local.date())
        if name is not None:
            return name
        starts, ends, part = self._partial[local.year].get(local.date(), (time.min, time.min, ""))
        return part if starts <= local.time() < ends else None

    def closure(self, day: date) -> str | None:
        """Why the utility declared its offices closed all of `day` (DO-00); None where it did not."""
        return self._closures.get(day)

    def closed(self, day: date) -> str | None:
        """Why `day` is not a business day: Saturday, Sunday, the holiday, the closure; None where it is one (C6)."""
        return self._year(day.year).get(day)

    def next_open(self, day: date) -> date:
        """The first business day from `day` on: itself where it is one (C2, Gov. Code 6800).

        Raises Refused if there is none within a year.
        """
        found = self._next.get(day)
        if found is None:
            found, last = day, day + FURTHEST
            while found in self._year(found.year):
                found += ONE_DAY
                if found > last:
                    days = f"from {day} to {last}"
                    raise Refused("no_open_day", f"the offices are closed on every day {days}; declare office hours")
            self._next[day] = found
        return found

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th business day after `day`, which itself is not counted (C6); `day` where `count` is 0."""
        for _ in range(count):
            day = self.next_open(day + ONE_DAY)
        return day

    def hours_in_force(self, day: date) -> Hours | None:
        """The office hours that hold in the week of `day`, open or not; None where nobody said."""
        for kept in (self._hours, self._usual_hours):
            at = bisect_right(kept, day, key=lambda hours: hours.since)
            if at:
                return kept[at - 1]
        return None

    def hours_on(self, day: date) -> Hours | None:
        """The hours the offices keep on `day`; None where they are closed all day or nobody said (C7)."""
        hours = self.hours_in_force(day)
        if hours is None or day.weekday() not in hours.weekdays or self.holiday(day) or day in self._closures:
            return None
        return hours

    def office_open(self, moment: datetime) -> bool:
        """Whether the offices are open to the public at that moment (DO-36): opening minute yes, closing minute no."""
        local = pacific(moment)
        hours = self.hours_on(local.date())
        return hours is not None and hours.opens <= local.time() < hours.closes

    def opening(self, day: date) -> datetime | None:
        """The moment the offices open on `day`; None where they do not."""
        hours = self.hours_on(day)
        return None if hours is None else datetime.combine(day, hours.opens, PACIFIC)

    def _named(self, year: int) -> dict[date, str]:
        names = self._names.get(year)
        if names is None:
            names = {}
            partial: dict[date, tuple[time, time, str]] = {}
            # A New Year's Day that falls on a Saturday is observed in the year before.
            for nominal_year in range(year, min(year + 1, MAXYEAR) + 1):
                for holiday in self._holidays:
                    for day, name in holiday.days(nominal_year):
                        if day.year != year:
                            continue
                        if holiday.hours is None:
                            names.setdefault(day, name)
                        else:
                            partial.setdefault(day, (*holiday.hours, name))
            self._names[year], self._partial[year] = names, partial
        return names

    def _year(self, year: int) -> dict[date, str]:
        reasons = self._years.get(year)
        if reasons is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            days = map(date.fromordinal, range(first, last + 1))
            reasons = self._years[year] = {day: why for day in days if (why := self._why_closed(day))}
        return reasons

    def _why_closed(self, day: date) -> str | None:
        weekday = day.weekday()
        if weekday in (_SATURDAY, _SUNDAY):
            return _FULL_NAMES[weekday]
        why = self.holiday(day) or self._closures.get(day)
        hours = self.hours_in_force(day)
        if why is None and hours is not None and weekday not in hours.weekdays:
            return f"the offices keep no hours on a {_FULL_NAMES[weekday]}"
        return why


def pacific(moment: datetime) -> datetime:
    """`moment` on the Pacific clock; one without an offset is Pacific already (C3)."""
    return moment.replace(tzinfo=PACIFIC) if moment.tzinfo is None else moment.astimezone(PACIFIC)


def weekdays(text: str) -> frozenset[int]:
    """The weekdays in "mon-fri" or "mon,wed,fri" (Monday is 0); raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise ValueError(f'"{text}" names no weekdays; write them as "mon-fri" or "mon,wed,fri"')
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
        if end < start:
            raise ValueError(f'"{text}" runs backwards; a week starts on mon')
        found.update(range(start, end + 1))
    return frozenset(found)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar: the Sunday after the Church's full moon of spring."""
    century, golden = year // 100, year % 19
    days = (19 * golden + 15 + century - century // 4 - (8 * century + 13) // 25) % 30
    days -= days == 29 or (days == 28 and golden > 10)
    moon = date(year, 3, 21) + timedelta(days=days)
    return moon + timedelta(days=7 - (moon.weekday() + 1) % 7)
