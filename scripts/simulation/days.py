"""The days of a run: day numbers and minute numbers, their texts, the office calendar and the dates of each cycle.

A day is its ordinal, a minute `day * 1440 + minute of the day`. No minute lies before 05:00, so that a day has one
offset even where the clocks change.
"""

from datetime import date, datetime, time

from ledger.calendar import PACIFIC, Calendar, Hours
from ledger.policy.parameters import Policies

DAY = 1440
_CLOCK = tuple(f"T{minute // 60:02}:{minute % 60:02}" for minute in range(DAY))

HOURS = (("08:00", "17:00"), ("08:00", "16:30"))
"""The office hours from the first day, and from the second year on."""


class Days:
    """The calendar of a utility from the first day of a run to its last, as the utility kept it."""

    def __init__(self, policy: str, first: date, last: date) -> None:
        self.first, self.last = first.toordinal(), last.toordinal()
        self.closures = _closures(first.year, last.year)
        self.hours = list(zip((first, date(first.year + 1, 1, 2)), HOURS, strict=True))
        kept = [Hours(since, time.fromisoformat(a), time.fromisoformat(b)) for since, (a, b) in self.hours]
        self.calendar: Calendar = Policies.builtin(policy).calendar(self.closures, kept)
        self._texts: dict[int, tuple[str, str]] = {}
        self._business: dict[tuple[int, int], list[int]] = {}

    def text(self, day: int) -> str:
        """A day as it is written in a feed."""
        return self._text(day)[0]

    def moment(self, minute: int) -> str:
        """A minute as it is written in a feed, with its offset."""
        day, clock = divmod(minute, DAY)
        on, offset = self._text(day)
        return on + _CLOCK[clock] + offset

    def day(self, year: int, month: int, day: int) -> int:
        """The number of a day."""
        return date(year, month, day).toordinal()

    def open(self, day: int) -> bool:
        """Whether the offices are open on that day."""
        return self.calendar.closed(date.fromordinal(day)) is None

    def next_open(self, day: int, skip: int = 0) -> int:
        """The first business day from `day` on, or so many business days after it."""
        day = self.calendar.next_open(date.fromordinal(day)).toordinal()
        for _ in range(skip):
            day = self.calendar.next_open(date.fromordinal(day + 1)).toordinal()
        return day

    def back(self, day: int, count: int) -> int:
        """The business day so many before `day`."""
        while count:
            day -= 1
            count -= self.open(day)
        return day

    def holiday(self, day: int) -> bool:
        """Whether a day is a legal holiday."""
        return self.calendar.holiday(date.fromordinal(day)) is not None

    def weekday(self, day: int) -> int:
        """Monday is 0."""
        return (day - 1) % 7

    def business_days(self, year: int, month: int) -> list[int]:
        """The business days of a month."""
        found = self._business.get((year, month))
        if found is None:
            start = date(year, month, 1).toordinal()
            end = date(year + month // 12, month % 12 + 1, 1).toordinal()
            found = self._business[year, month] = [day for day in range(start, end) if self.open(day)]
        return found

    def mailing(self, cycle: int, cycles: int, month: int) -> int:
        """The day on which a cycle's bills go out; the last cycle's on the month's last business day."""
        days = self.business_days(month // 12, month % 12 + 1)
        return days[-1] if cycle == cycles - 1 else days[cycle * len(days) // cycles]

    def calendar_year(self, day: int) -> int:
        """The year a day lies in."""
        return int(self._text(day)[0][:4])

    def _text(self, day: int) -> tuple[str, str]:
        found = self._texts.get(day)
        if found is None:
            on = date.fromordinal(day)
            offset = f"{datetime.combine(on, time(12), PACIFIC):%z}"
            found = self._texts[day] = (on.isoformat(), f"{offset[:3]}:{offset[3:]}")
        return found


def month_of(day: int) -> int:
    """The month a day lies in, counted from year 0."""
    on = date.fromordinal(day)
    return on.year * 12 + on.month - 1


def _closures(first: int, last: int) -> dict[date, str]:
    """The days a utility closes beside the holidays: the day after Thanksgiving, and what it announced in 2024."""
    found = {}
    for year in range(first, last + 1):
        november = date(year, 11, 1)
        thursday = 1 + (3 - november.weekday()) % 7 + 21
        found[date(year, 11, thursday + 1)] = "the day after Thanksgiving"
        if year == 2024:
            found[date(2024, 2, 19)] = "Presidents Day"
            found[date(2024, 7, 5)] = "staff training"
    return found
