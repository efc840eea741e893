"""Average daily use of each month, from the reads of the meters (CW-10, CW-11).

A billing period runs from one read to the next and is half-open: the day of a read belongs to the period that begins.
Each day uses the period's usage divided by its days; a month's average is over the days that a period covers. All of it
in whole numbers and Fractions.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from ledger import events as e
from ledger.account import Account

State = Literal["complete", "partial", "open", "unmetered"]
Flag = Literal["negative", "overlap", "restated", "rollover", "same_day"]

_IN_CCF = {"CCF": Fraction(1), "CF": Fraction(1, 100), "GAL": Fraction(1, 748), "KGAL": Fraction(1000, 748)}
_GRAINS = 18_700
"""The least number by which every entry of `_IN_CCF` becomes whole: one CCF is 748 gallons (the billing FAQ)."""

_UNIT_OF_BILLS: e.Unit = "CCF"
"""What a bill's usage is in where no meter says otherwise."""


class Period(Struct, frozen=True, gc=False):
    """A billing period, or what another left of it, [`start`, `end`): `grains` of water in each `days` of it."""

    start: date
    end: date
    grains: int
    days: int
    estimated: bool = False
    flags: tuple[Flag, ...] = ()


class Metering(Struct, frozen=True):
    """All billing periods of an account in one unit, by start; several meters' periods lie over each other.

    A grain is 1/`grain` of `unit`. `covered` are the stretches in which every meter in service has a period, in order.
    """

    unit: e.Unit
    grain: int
    periods: list[Period]
    covered: list[tuple[date, date]]
    last_read: date

    def usage(self, period: Period) -> Fraction:
        """The water of a period, in `unit`."""
        return self.rate(period) * (period.end - period.start).days

    def rate(self, period: Period) -> Fraction:
        """The water of each day of a period, in `unit`."""
        return Fraction(period.grains, self.grain * period.days)


class Month(Struct, frozen=True, gc=False):
    """A month's average daily use over the days covered: `above`/`below`, reduced; 0/0 where no day is (CW-11)."""

    month: str
    above: int
    below: int
    days: int
    covered_days: int
    state: State
    estimated: bool = False
    flags: tuple[Flag, ...] = ()

    @property
    def average(self) -> Fraction | None:
        """The average daily use; None where no day is covered."""
        return Fraction(self.above, self.below) if self.below else None

    @property
    def literal(self) -> Fraction | None:
        """The same water divided by all days of the month, as the FAQ has it: too low where days are not covered."""
        average = self.average
        return average and average * self.covered_days / self.days


def monthly(metered: Metering | None, through: date, last: int, *, still_open: bool = True) -> list[Month]:
    """The `last` months up to that of `through` (CW-09); a `metered` of None is a service that has no average."""
    window = _window(through.year, through.month, last)
    if metered is None:
        return [Month(m.name, 0, 0, m.days, 0, "unmetered") for m in window]
    return list(_Tallies(metered, window).months(still_open))


def metering(account: Account) -> Metering | None:
    """The billing periods of an account: by its meters, else as printed on its bills; None where neither tells."""
    runs = _runs(account.meter_events)
    if not runs:
        return _from_bills(account)
    meters = [meter for run in runs for meter in run.meters]
    units = {meter.unit for meter in meters}
    unit, grain = (units.pop(), 1000) if len(units) == 1 else ("CCF", 1000 * _GRAINS)
    for meter in meters:
        in_unit = 1 if grain == 1000 else int(_IN_CCF[meter.unit] * _GRAINS)
        meter.scale = meter.multiplier * in_unit
    # Past the last read of a meter still in service the account's use is not known, whatever its other meters say.
    last = min((run.end for run in runs if not run.removed), default=max(run.end for run in runs))
    periods = [period for run in runs for period in run.periods()]
    periods.sort(key=lambda period: period.start)
    return Metering(unit, grain, periods, _union((run.start, min(run.end, last)) for run in runs), last)


def implausible(previous: int, reading: int, dials: int) -> bool:
    """Whether a reading is below the previous one and no rollover explains it: a misread or an unrecorded exchange."""
    return advance(previous, reading, dials) < 0


def advance(previous: int, reading: int, dials: int) -> int:
    """The thousandths counted from one reading to the next, over a rollover if that is less than a tenth of the dials.

    Negative where the reading fell and no rollover explains it; it is kept so, never clamped.
    """
    counted = reading - previous
    around = 1000 * 10**dials
    return counted + around if counted < 0 and 10 * (counted + around) < around else counted


class _Meter(Struct):
    """A meter in service: what it counts in, and its readings at the ends of its service."""

    unit: e.Unit
    dials: int
    multiplier: int
    start: date
    first: int
    end: date | None = None
    final: int = 0
    scale: int = 1


class _Mark(Struct, gc=False):
    """What a meter of a run showed on a day; `meter` is its place in the run."""

    on: date
    meter: int
    reading: int
    estimated: bool = False
    same_day: bool = False


_day_of = attrgetter("on")


class _Run:
    """Meters that followed one another by exchange: one line of reads, so that an exchange splits no period."""

    def __init__(self, meter: _Meter) -> None:
        self.meters = [meter]
        self.marks = {meter.start: _Mark(meter.start, 0, meter.first)}
        self.start = self.end = meter.start
        self.removed = self.estimates = False

    def take(self, event: e.ReadTaken, place: int) -> None:
        """A day keeps its first actual read; what a second one adds falls into the next period."""
        on, reading, estimated = event.read_on, event.reading, event.kind == "estimated"
        self.end = on
        if estimated:
            self.estimates = True
        found = self.marks.get(on)
        if found is None:
            self.marks[on] = _Mark(on, place, reading, estimated)
        elif found.estimated and not estimated:
            self.marks[on] = _Mark(on, place, reading, same_day=True)
        else:
            found.same_day |= found.reading != reading

    def correct(self, event: e.ReadCorrected, place: int) -> None:
        on, reading = event.read_on, event.reading
        meter, mark = self.meters[place], self.marks.get(on)
        if meter.start == on:
            meter.first = reading
        if meter.end == on:
            meter.final = reading
        if mark is not None and mark.meter == place:
            mark.reading = reading

    def exchange(self, event: e.MeterExchanged) -> None:
        self.meters[-1].end, self.meters[-1].final = event.on, event.final_reading
        self.meters.append(_Meter(event.unit, event.dials, event.multiplier, event.on, event.new_reading))

    def remove(self, event: e.MeterRemoved) -> None:
        self.meters[-1].end, self.meters[-1].final = event.on, event.final_reading
        self.end = event.on
        self.marks[event.on] = _Mark(event.on, len(self.meters) - 1, event.final_reading)
        self.removed = True

    def periods(self) -> Iterator[Period]:
        """From read to read; an actual read takes in the estimates since the actual read before it."""
        kept = sorted(self.marks.values(), key=_day_of)
        restated: set[date] = set()
        if self.estimates:
            kept, restated = _without_estimates(kept)
        for before, after in pairwise(kept):
            start, end, counted = before.on, after.on, after.reading - before.reading
            flags: tuple[Flag, ...] = ()
            if before.meter == after.meter and counted >= 0 and not before.same_day:
                grains = counted * self.meters[after.meter].scale
            else:
                grains, flags = self._between(before, after)
            if restated and end in restated:
                flags = (*flags, "restated")
            yield Period(start, end, grains, (end - start).days, before.estimated or after.estimated, flags)

    def _between(self, before: _Mark, after: _Mark) -> tuple[int, tuple[Flag, ...]]:
        total, reading, around = 0, before.reading, False
        for place in range(before.meter, after.meter + 1):
            meter = self.meters[place]
            until = after.reading if place == after.meter else meter.final
            counted = until - reading
            if counted < 0:
                counted = advance(reading, until, meter.dials)
                around |= counted >= 0
            total += counted * meter.scale
            if place < after.meter:
                reading = self.meters[place + 1].first
        if total >= 0 and not around and not before.same_day:
            return total, ()
        told: tuple[tuple[Flag, bool], ...] = (
            ("negative", total < 0), ("rollover", around), ("same_day", before.same_day)
        )  # fmt: skip
        return total, tuple(flag for flag, holds in told if holds)


def _without_estimates(marks: Iterable[_Mark]) -> tuple[list[_Mark], set[date]]:
    kept, restated = list[_Mark](), set[date]()
    for mark in marks:
        while kept and kept[-1].estimated and not mark.estimated:
            kept.pop()
            restated.add(mark.on)
        kept.append(mark)
    return kept, restated


def _runs(meter_events: Sequence[e.Event]) -> list[_Run]:
    runs: list[_Run] = []
    served: dict[str, list[tuple[_Run, int]]] = {}
    for event in meter_events:
        if isinstance(event, e.ReadTaken) or isinstance(event, e.ReadCorrected):  # noqa: SIM101 – a union is slow here
            for run, place in reversed(served.get(event.meter, ())):
                end = run.meters[place].end
                if end is None or event.read_on <= end:
                    run.take(event, place) if isinstance(event, e.ReadTaken) else run.correct(event, place)
                    break
        elif isinstance(event, e.MeterInstalled):
            run = _Run(_Meter(event.unit, event.dials, event.multiplier, event.on, event.reading))
            runs.append(run)
            served.setdefault(event.meter, []).append((run, 0))
        elif isinstance(event, e.MeterExchanged | e.MeterRemoved):
            if event.meter not in served:
                continue
            run, place = served[event.meter][-1]
            if run.meters[place].end is not None:
                continue
            if isinstance(event, e.MeterRemoved):
                run.remove(event)
            else:
                run.exchange(event)
                served.setdefault(event.new_meter, []).append((run, place + 1))
    return runs


def _from_bills(account: Account) -> Metering | None:
    """The periods printed on bills; where they overlap, a day belongs to the bill recorded last."""
    printed: list[tuple[int, Period]] = []
    for bill in account.bills.values():
        b = bill.issued
        if bill.voided_on is None and b.period_start and b.period_end and b.usage is not None:
            days = (b.period_end - b.period_start).days
            printed.append((b.version, Period(b.period_start, b.period_end, b.usage, days)))
    if not printed:
        return None
    printed.sort(key=lambda each: each[1].start)
    periods = [period for _, period in printed]
    if any(b.start < a.end for a, b in pairwise(periods)):
        periods = list(_without_overlap(printed))
    covered = _union((period.start, period.end) for period in periods)
    return Metering(_UNIT_OF_BILLS, 1000, periods, covered, covered[-1][1])


def _without_overlap(printed: Sequence[tuple[int, Period]]) -> Iterator[Period]:
    seams = sorted({day for _, period in printed for day in (period.start, period.end)})
    for start, end in pairwise(seams):
        over = [each for each in printed if each[1].start <= start and end <= each[1].end]
        if over:
            _, last = max(over, key=lambda each: each[0])
            yield Period(start, end, last.grains, last.days, flags=("overlap",) if len(over) > 1 else ())


def _union(stretches: Iterable[tuple[date, date]]) -> list[tuple[date, date]]:
    joined: list[tuple[date, date]] = []
    for start, end in sorted(stretches):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


class _Span(Struct, frozen=True, gc=False):
    """A month of the window: its name, and its days as ordinals [`start`, `end`)."""

    name: str
    start: int
    end: int
    days: int


@lru_cache(maxsize=4096)
def _span(n: int) -> _Span:
    year, month = n // 12, n % 12 + 1
    start, days = date(year, month, 1).toordinal(), monthrange(year, month)[1]
    return _Span(f"{year}-{month:02}", start, start + days, days)


@lru_cache(maxsize=4096)
def _window(year: int, month: int, last: int) -> tuple[_Span, ...]:
    return tuple(map(_span, range(year * 12 + month - last, year * 12 + month)))


class _Tallies:
    """What the months of a window gather, by their place in it: `tops`/`bottoms` grains, over `covered` days."""

    def __init__(self, metered: Metering, window: Sequence[_Span]) -> None:
        self._window, self._grain = window, metered.grain
        self._known_until = metered.last_read.toordinal()
        self._tops, self._bottoms = [0] * len(window), [1] * len(window)
        self._estimated: set[int] = set()
        self._flags: dict[int, set[Flag]] = {}
        self._covered = _covered(metered.covered, window)
        self._take(metered.periods)

    def _take(self, periods: Iterable[Period]) -> None:
        tops, bottoms, until = self._tops, self._bottoms, self._known_until
        opens, ends = self._window[0].start if self._window else 0, [month.end for month in self._window]
        first, last = 0, len(ends)
        for period in periods:
            day, end, grains, days = period.start.toordinal(), period.end.toordinal(), period.grains, period.days
            end = min(end, until)
            while first < last and ends[first] <= day:
                first += 1
            if day < opens:
                day = opens
            n = first
            while day < end and n < last:
                closes = ends[n]
                # Compared, where `min` would take longer than all the rest.
                if closes > end:
                    closes = end
                # A sum of quotients in whole numbers: reduced once, at the end, it costs less than adding Fractions.
                tops[n] = tops[n] * days + grains * (closes - day) * bottoms[n]
                bottoms[n] *= days
                if period.estimated:
                    self._estimated.add(n)
                if period.flags:
                    self._flags.setdefault(n, set()).update(period.flags)
                day = closes
                n += 1

    def months(self, still_open: bool) -> Iterator[Month]:
        """Every month of the window, in order."""
        grain, estimated, flags = self._grain, self._estimated, self._flags
        spans = zip(self._window, self._tops, self._bottoms, self._covered, strict=True)
        for n, (span, above, bottom, covered) in enumerate(spans):
            below = bottom * grain * covered
            shared = gcd(above, below) if covered else 0
            above, below = (above // shared, below // shared) if shared else (0, 0)
            state: State = "complete" if covered == span.days else self._state(span, covered, still_open)
            told = tuple(sorted(flags[n])) if n in flags else ()
            yield Month(span.name, above, below, span.days, covered, state, n in estimated, told)

    def _state(self, span: _Span, covered: int, still_open: bool) -> State:
        after_last_read = span.end - min(max(self._known_until, span.start), span.end)
        return "open" if still_open and span.days - covered == after_last_read else "partial"


def _covered(stretches: Iterable[tuple[date, date]], window: Sequence[_Span]) -> list[int]:
    counts = [0] * len(window)
    for first, last in stretches:
        start, end = first.toordinal(), last.toordinal()
        for n, month in enumerate(window):
            if start <= month.start and month.end <= end:
                counts[n] += month.days
            elif month.start < end and start < month.end:
                counts[n] += min(end, month.end) - max(start, month.start)
    return counts
