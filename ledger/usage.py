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
from operator import attrgetter
from typing import Literal

from msgspec import Struct

from ledger import events as e
from ledger.account import Account
from ledger.evolve import order

State = Literal["complete", "partial", "open", "unmetered"]
Flag = Literal["negative", "overlap", "restated", "rollover", "same_day"]

_IN_CCF = {"CCF": Fraction(1), "CF": Fraction(1, 100), "GAL": Fraction(1, 748), "KGAL": Fraction(1000, 748)}
_GRAINS = 18_700
"""The least number by which every entry of `_IN_CCF` becomes whole."""

_UNIT_OF_BILLS: e.Unit = "CCF"
"""What a bill's usage is in where no meter says otherwise."""


class Period(Struct, frozen=True):
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


class Month(Struct, frozen=True):
    """A month's average daily use over the days covered, exact; None where no day is (CW-11)."""

    month: str
    average: Fraction | None
    days: int
    covered_days: int
    state: State
    estimated: bool = False
    flags: tuple[Flag, ...] = ()

    @property
    def literal(self) -> Fraction | None:
        """The same water divided by all days of the month, as the FAQ has it: too low where days are not covered."""
        if self.average is None or self.covered_days == self.days:
            return self.average
        return self.average * self.covered_days / self.days


def months(account: Account, through: date, last: int) -> list[Month]:
    """The `last` months up to that of `through`, for the account as it stood then."""
    return monthly(metering(account), through, last, still_open=account.closed_on is None)


def monthly(metered: Metering | None, through: date, last: int, *, still_open: bool = True) -> list[Month]:
    """The `last` months up to that of `through`; None is an unmetered service, which has no average."""
    window = _window(through.year, through.month, last)
    if metered is None:
        return [Month(m.name, None, m.end - m.start, 0, "unmetered") for m in window]
    tallies = _tallied(metered, window)
    known_until = metered.last_read.toordinal()
    return [_month(m, t, metered.grain, known_until, still_open) for m, t in zip(window, tallies, strict=True)]


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


class _Mark(Struct):
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
        self.removed = False

    def read(self, event: e.ReadTaken, meter: int) -> None:
        """A day keeps its first actual read; what a second one adds falls into the next period."""
        self.end = event.read_on
        estimated = event.kind == "estimated"
        found = self.marks.get(event.read_on)
        if found is None or (found.estimated and not estimated):
            self.marks[event.read_on] = _Mark(event.read_on, meter, event.reading, estimated, found is not None)
        else:
            found.same_day |= found.reading != event.reading

    def correct(self, event: e.ReadCorrected, place: int) -> None:
        meter, mark = self.meters[place], self.marks.get(event.read_on)
        if meter.start == event.read_on:
            meter.first = event.reading
        if meter.end == event.read_on:
            meter.final = event.reading
        if mark is not None and mark.meter == place:
            mark.reading = event.reading

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
        kept: list[_Mark] = []
        restated: set[date] = set()
        for mark in sorted(self.marks.values(), key=_day_of):
            while kept and kept[-1].estimated and not mark.estimated:
                kept.pop()
                restated.add(mark.on)
            kept.append(mark)
        for before, after in pairwise(kept):
            grains, flags = self._between(before, after)
            if after.on in restated:
                flags = (*flags, "restated")
            days, estimated = (after.on - before.on).days, before.estimated or after.estimated
            yield Period(before.on, after.on, grains, days, estimated, flags)

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


def _runs(meter_events: Sequence[e.Event]) -> list[_Run]:
    runs: list[_Run] = []
    served: dict[str, list[tuple[_Run, int]]] = {}
    for event in sorted(meter_events, key=order):
        if isinstance(event, e.ReadTaken) or isinstance(event, e.ReadCorrected):  # noqa: SIM101 – a union is slow here
            _read(event, served.get(event.meter, ()))
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


def _read(event: e.ReadTaken | e.ReadCorrected, served: Sequence[tuple[_Run, int]]) -> None:
    for run, place in reversed(served):
        end = run.meters[place].end
        if end is None or event.read_on <= end:
            if isinstance(event, e.ReadTaken):
                run.read(event, place)
            else:
                run.correct(event, place)
            return


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


class _Span(Struct, frozen=True):
    """A month of the window: its name, and its days as ordinals [`start`, `end`)."""

    name: str
    start: int
    end: int


@lru_cache(maxsize=256)
def _window(year: int, month: int, last: int) -> tuple[_Span, ...]:
    spans = []
    for n in range(year * 12 + month - last, year * 12 + month):
        y, m = divmod(n, 12)
        start = date(y, m + 1, 1).toordinal()
        spans.append(_Span(f"{y}-{m + 1:02}", start, start + monthrange(y, m + 1)[1]))
    return tuple(spans)


class _Tally:
    """What a month has gathered: `top`/`bottom` grains, over `covered` days."""

    __slots__ = ("bottom", "covered", "estimated", "flags", "top")

    def __init__(self) -> None:
        self.top, self.bottom = 0, 1
        self.covered = 0
        self.estimated = False
        self.flags: tuple[Flag, ...] = ()


def _tallied(metered: Metering, window: Sequence[_Span]) -> list[_Tally]:
    tallies = [_Tally() for _ in window]
    for stretch in metered.covered:
        start, end = stretch[0].toordinal(), stretch[1].toordinal()
        for month, tally in zip(window, tallies, strict=True):
            if start <= month.start and month.end <= end:
                tally.covered += month.end - month.start
            elif month.start < end and start < month.end:
                tally.covered += min(end, month.end) - max(start, month.start)
    until = metered.last_read.toordinal()
    first, last = 0, len(window)
    ends = [month.end for month in window]
    for period in metered.periods:
        start, end, days = period.start.toordinal(), period.end.toordinal(), period.days
        if end > until:
            end = until
        while first < last and ends[first] <= start:
            first += 1
        n = first
        # Comparisons, not min and max: this runs for every period of every account.
        while n < last and start < end:
            month, tally = window[n], tallies[n]
            begins, ceases = month.start, ends[n]
            if end <= begins:
                break
            shared = (min(ceases, end)) - (max(begins, start))
            # A sum of quotients in whole numbers: reduced once, at the end, it costs a fraction of adding Fractions.
            tally.top = tally.top * days + period.grains * shared * tally.bottom
            tally.bottom *= days
            n += 1
            tally.estimated |= period.estimated
            if period.flags:
                tally.flags = (*tally.flags, *period.flags)
    return tallies


def _month(span: _Span, tally: _Tally, grain: int, known_until: int, still_open: bool) -> Month:
    days, covered = span.end - span.start, tally.covered
    state: State = "complete"
    if covered != days:
        after_last_read = span.end - min(max(known_until, span.start), span.end)
        state = "open" if still_open and days - covered == after_last_read else "partial"
    average = Fraction(tally.top, tally.bottom * grain * covered) if covered else None
    flags = tuple(sorted(set(tally.flags))) if tally.flags else ()
    return Month(span.name, average, days, covered, state, tally.estimated, flags)
