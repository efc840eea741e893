"""The bill in question: its amounts and reads, and the water of the same days and months in the two years before."""

from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction

from msgspec import Struct

from ledger import events as e
from ledger.account import Bill
from ledger.charges import Paid
from ledger.moments import MONTHS
from ledger.money import decimals, quantity
from ledger.policy.arrangements import add_months
from ledger.policy.case import said
from ledger.usage import Metering, Month, Period, monthly
from projections.dossier.case import CaseFile
from projections.dossier.document import (
    AnyBlock,
    Cell,
    Facts,
    Heading,
    Paragraph,
    Plot,
    Row,
    Section,
    Table,
    counted,
    dated,
    dollars,
    timed,
)
from projections.dossier.plots import Line, plot

YEARS = 3
"""The year of the bill and the two before it."""

_ORDINALS = ("this year", "a year before", "two years before")
_SHORT = tuple(name[:3] for name in MONTHS)


def bill(case: CaseFile) -> Section:
    """The bill, its reads, and how it compares."""
    title = "The disputed bill" if case.petition else "The bill in question"
    if case.bill is None:
        missing = f"Bill {case.petition.bill} is not in this ledger." if case.petition else ""
        why = missing or f"No bill was issued, as known on {timed(case.known_at)}."
        return Section("bill", title, [Paragraph(cell=Cell(why))])
    return Section("bill", title, [Facts(rows=list(_facts(case, case.bill))), *_compared(case, case.bill)])


def _facts(case: CaseFile, found: Bill) -> Iterator[tuple[str, Cell]]:
    issued, cite = found.issued, (found.issued.version,)
    yield "Bill", Cell(f"{found.id}, {issued.kind}", cite)
    how = {"mail": "Mailed", "email": "Sent by e-mail", "hand": "Handed over"}[issued.delivery]
    yield how, Cell(dated(found.mailed_on), cite, issued.note or "")
    yield "Received", _received(case, found)
    amount = f"{dollars(issued.amount)} as issued"
    if found.amount != issued.amount:
        amount += f", {dollars(found.amount)} as corrected"
    yield "Amount", Cell(amount, tuple(found.versions))
    if issued.lines:
        yield "Made up of", Cell(", ".join(f"{line.kind} {dollars(line.amount)}" for line in issued.lines), cite)
    if issued.period_start and issued.period_end:
        days = (issued.period_end - issued.period_start).days
        text = f"{said(issued.period_start)} to {said(issued.period_end)}, {counted(days, 'day')} by the calendar"
        yield "Billing period", Cell(text, cite, "the day of the last read belongs to the next period")
    if issued.usage is not None:
        yield "Usage billed", Cell(f"{quantity(issued.usage)} {_unit(case.metered)}", cite)
    if found.voided_on:
        yield "Voided", Cell(dated(found.voided_on), tuple(found.versions), mark="changed")
    yield "Paid or credited", _paid(case, case.account.settled.paid.get(f"bill {found.id}", []))
    yield "Unpaid now", Cell(dollars(case.account.unpaid(found.id)))


def _received(case: CaseFile, found: Bill) -> Cell:
    if found.received_on:
        evidence = [
            event
            for event in case.known
            if isinstance(event, e.BillReceiptEvidenced)
            and (event.bill, event.received_on) == (found.id, found.received_on)
        ]
        why = next((event.evidence for event in evidence if event.evidence), None) or "as evidenced"
        return Cell(f"{dated(found.received_on)}: {why}", tuple(event.version for event in evidence))
    return Cell("no evidence of the day is recorded; a presumption counts (section 3)")


def _paid(case: CaseFile, laid: Iterable[Paid]) -> Cell:
    laid = list(laid)
    if not laid:
        return Cell("nothing")
    versions = tuple(dict.fromkeys(paid.credit.version for paid in laid))
    kinds = {step.event.version: step.kind.replace("_", " ") for step in case.moved if step.book == "balance"}
    parts = (f"{dollars(paid.amount)} on {said(paid.on)} ({kinds[paid.credit.version]})" for paid in laid)
    return Cell(", ".join(parts), versions)


def _unit(metered: Metering | None) -> str:
    return metered.unit if metered else "CCF"


def _compared(case: CaseFile, found: Bill) -> Iterator[AnyBlock]:
    metered = case.metered
    yield Heading(text="The same days in the two years before")
    if metered is None:
        yield Paragraph(
            cell=Cell(
                "No meter is recorded, and no bill tells its usage with its period, so there is nothing to compare."
            )
        )
        return
    start, end = found.issued.period_start, found.issued.period_end
    if start and end:
        yield _same_days(metered, start, end)
    last = end or found.mailed_on
    window = monthly(metered, last, 12 * YEARS, still_open=case.account.closed_on is None)
    yield from _by_month(metered, window, (start or last).isoformat()[:7], last.isoformat()[:7])
    yield Heading(text="Reads")
    yield from _reads(case, metered, start or found.mailed_on, end or found.mailed_on)


class _Stretch(Struct, frozen=True):
    start: date
    end: date
    used: Fraction
    covered: int
    estimated: bool

    @property
    def average(self) -> Fraction | None:
        """The water of a day covered, in the meter's unit."""
        return self.used / self.covered if self.covered else None


def _stretch(metered: Metering, start: date, end: date) -> _Stretch:
    """The water of the days from `start` up to `end`, and how many of them a read covers."""
    used, covered, estimated = Fraction(0), 0, False
    for period in metered.periods:
        days = (min(period.end, end) - max(period.start, start)).days
        if days > 0:
            used += metered.rate(period) * days
            estimated |= period.estimated
    for first, last in metered.covered:
        covered += max((min(last, end) - max(first, start)).days, 0)
    return _Stretch(start, end, used, covered, estimated)


def _same_days(metered: Metering, start: date, end: date) -> Table:
    found = [_stretch(metered, add_months(start, -12 * year), add_months(end, -12 * year)) for year in range(YEARS)]
    now = found[0].average
    rows = []
    for year, stretch in enumerate(found):
        days, average = (stretch.end - stretch.start).days, stretch.average
        # What corrections leave below zero is nothing to be times as much of.
        times = f"{decimals(now / average, 1)} times" if year and now is not None and average and average > 0 else ""
        partly = "" if stretch.covered >= days else f"{stretch.covered} of {days} days are covered by reads"
        covered = "; ".join(filter(None, (partly, "estimated" if stretch.estimated else "")))
        rows.append(
            Row(
                [
                    Cell(_ORDINALS[year], sub=covered),
                    Cell(f"{said(stretch.start)} to {said(stretch.end)}"),
                    Cell(str(days)),
                    Cell(decimals(stretch.used, 1) if stretch.covered else "no reads"),
                    Cell(decimals(average, 3) if average is not None else "–"),
                    Cell(times or ("–" if year else "")),
                ],
                "key" if not year else "",
            )
        )
    head = ["", "Days", "Number", metered.unit, f"{metered.unit} a day", "This bill is"]
    caption = f"The days of the bill and the same days before, in {metered.unit} a day"
    return Table(caption=caption, head=head, rows=rows, numbers=(2, 3, 4, 5), widths=(3, 5, 2, 2, 2, 2))


def _by_month(metered: Metering, window: list[Month], start: str, end: str) -> Iterator[AnyBlock]:
    years = [window[12 * (YEARS - 1 - year) :][:12] for year in range(YEARS)]
    names = [_SHORT[int(month.month[5:]) - 1] for month in years[0]]
    lines = [Line(_span(year), [month.average for month in year]) for year in years]
    marked = [at for at, month in enumerate(years[0]) if start <= month.month <= end]
    if any(value is not None for line in lines for value in line.values):
        caption = f"Average daily use by month, in {metered.unit} a day; the months of the bill are shaded"
        yield Plot(caption=caption, svg=plot(names, lines, marked, f"{metered.unit} a day"))
    rows = [
        Row(
            [Cell(names[at]), *(_average(year[at]) for year in years)],
            "key" if at in marked else "",
        )
        for at in range(12)
        if any(year[at].average is not None for year in years)
    ]
    if not rows:
        yield Paragraph(cell=Cell("No month of these three years is covered by reads."))
        return
    head = ["Month", *(_span(year) for year in years)]
    caption = f"Average daily use by month, in {metered.unit} a day: each day has its period's average"
    if len(rows) < 12:
        caption += "; months without reads are left out"
    yield Table(caption=caption, head=head, rows=rows, numbers=(1, 2, 3), widths=(2, 3, 3, 3))


def _span(year: list[Month]) -> str:
    return f"{_named(year[0])} – {_named(year[-1])}"


def _named(month: Month) -> str:
    return f"{_SHORT[int(month.month[5:]) - 1]} {month.month[:4]}"


def _average(month: Month) -> Cell:
    if month.average is None:
        return Cell("–", sub="no reads")
    notes = []
    if month.covered_days < month.days:
        notes.append(f"{month.covered_days} of {month.days} days")
    if month.estimated:
        notes.append("estimated")
    return Cell(decimals(month.average, 3), sub=", ".join(notes))


def _reads(case: CaseFile, metered: Metering, start: date, end: date) -> Iterator[AnyBlock]:
    first, last = add_months(start, -3), add_months(end, 3)
    shown = [event for event in case.known if isinstance(event, _METER) and first <= event.day <= last]
    if not shown:
        yield Paragraph(cell=Cell("No reads of a meter are recorded around that bill; its usage is as printed."))
        return
    ends = {period.end: period for period in metered.periods}
    rows = [_read(case, metered, event, ends.get(event.day), start < event.day <= end) for event in shown]
    head = ["Day", "Meter", "What was recorded", metered.unit, "Days", f"{metered.unit} a day"]
    caption = "Meter events from three months before the bill's period to three after it; all of them are in reads.csv"
    yield Table(caption=caption, head=head, rows=rows, numbers=(3, 4, 5), widths=(3, 2, 5, 1, 1, 2))


_METER = e.MeterInstalled | e.ReadTaken | e.ReadCorrected | e.MeterExchanged | e.MeterRemoved


def _read(case: CaseFile, metered: Metering, event: e.Event, period: Period | None, of_the_bill: bool) -> Row:
    used = [Cell("")] * 3
    if period and not isinstance(event, e.MeterInstalled):
        days = (period.end - period.start).days
        used = [Cell(decimals(metered.usage(period), 1)), Cell(str(days)), Cell(decimals(metered.rate(period), 3))]
    corrected = isinstance(event, e.ReadCorrected)
    sub = f"learned {timed(event.known_from)}" if corrected else event.note or ""
    cells = [
        Cell(dated(event.day)),
        Cell(getattr(event, "meter", "")),
        Cell(read_as(event), (event.version,), sub),
        *used,
    ]
    return Row(cells, "key" if of_the_bill else "changed" if corrected else "")


def read_as(event: e.Event) -> str:
    """A meter event in words."""
    match event:
        case e.MeterInstalled():
            return f"installed at {quantity(event.reading)}"
        case e.ReadTaken():
            return f"read {quantity(event.reading)}, {event.kind}"
        case e.ReadCorrected():
            return f"corrected to {quantity(event.reading)}: {event.reason}"
        case e.MeterExchanged():
            return (
                f"exchanged at {quantity(event.final_reading)} for {event.new_meter} at {quantity(event.new_reading)}"
            )
        case e.MeterRemoved():
            return f"removed at {quantity(event.final_reading)}"
    return event.type
