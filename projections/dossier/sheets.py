"""The sheets beside the page: the statement and the reads, as rows of text."""

from collections.abc import Iterator

from ledger import events as e
from ledger.money import decimals, money, quantity
from ledger.showing import plain
from projections.dossier.case import CaseFile

STATEMENT = ("on", "known_at", "recorded_at", "version", "kind", "reference", "amount", "balance")
READS = ("on", "meter", "event", "kind", "reading", "reason", "known_at", "version", "used", "days", "a_day", "unit")
NUMBERS = frozenset({"version", "amount", "balance", "reading", "used", "days", "a_day"})
"""The columns that hold numbers; all others hold text."""


def statement_rows(case: CaseFile) -> Iterator[tuple[str, ...]]:
    """The movements of the balance with the balance after each."""
    running = 0
    for step in case.moved:
        if step.book == "balance":
            running += step.amount
            event = step.event
            yield (
                plain(step.on),
                plain(event.known_from),
                plain(event.recorded_at),
                str(event.version),
                step.kind,
                step.reference or "",
                money(step.amount),
                money(running),
            )


def read_rows(case: CaseFile) -> Iterator[tuple[str, ...]]:
    """Every event of a meter, with the water since the one before; a corrected day has what is known now."""
    periods = {period.end: period for period in case.metered.periods} if case.metered else {}
    for event in case.known:
        reading = _reading(event)
        if reading is None:
            continue
        period = None if isinstance(event, e.MeterInstalled) else periods.get(event.day)
        used: tuple[str, ...] = ("", "", "")
        if period and case.metered:
            days = (period.end - period.start).days
            used = (decimals(case.metered.usage(period), 3), str(days), decimals(case.metered.rate(period)))
        yield (
            plain(event.day),
            getattr(event, "meter", ""),
            event.type,
            getattr(event, "kind", ""),
            quantity(reading),
            getattr(event, "reason", ""),
            plain(event.known_from),
            str(event.version),
            *used,
            case.metered.unit if case.metered else "",
        )


def _reading(event: e.Event) -> int | None:
    match event:
        case e.MeterInstalled() | e.ReadTaken() | e.ReadCorrected():
            return event.reading
        case e.MeterExchanged() | e.MeterRemoved():
            return event.final_reading
    return None
