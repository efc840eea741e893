"""What the yearly reports answer: the shutoffs of H&S Code 116918, and the performance figures of GO 103-A.

Every number comes with the list of what it counts. What a report asks for and the ledger does not hold is said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from commands.answers import Answer, When, asked, day_of
from commands.tables import Column, Page, Table, day, source
from ledger import events as e
from ledger.calendar import ONE_DAY, Calendar
from ledger.history import History
from ledger.money import decimals
from ledger.policy.case import said
from ledger.refusal import Refused
from ledger.showing import plain


def year_of(year: int) -> tuple[date, date]:
    """The first and the last day of a year."""
    return date(year, 1, 1), date(year, 12, 31)


def discontinuations(year: int, shutoffs: Answer) -> Answer:
    """Residential service discontinued for nonpayment in a year, from the register of shutoffs (H&S Code 116918)."""
    rows = [r for r in shutoffs["rows"] if r["reason"] == "nonpayment" and r["service_class"] == "residential"]
    events, districts = Counter(r["account"] for r in rows), sorted({r["district"] or "" for r in rows})
    figures = {
        "events": len(rows),
        "connections": len(events),
        "connections_shut_off_again": sum(count > 1 for count in events.values()),
        "repeats": len(rows) - len(events),
        "after_inability_shown": sum(bool(r["inability_shown"]) for r in rows),
        "found_wrongful": sum(r["wrongful_on"] is not None for r in rows),
        "reconnected": sum(r["on_at"] is not None for r in rows),
    }
    first: set[str] = set()
    for row in rows:
        row["repeat"] = row["account"] in first
        first.add(row["account"])
    return {
        "report": "116918",
        "year": year,
        **{name: shutoffs[name] for name in ("on", "known_at", "answered_from", "folded") if name in shutoffs},
        "cite": "Health and Safety Code 116918",
        "figures": figures,
        "districts": [_district(name, rows) for name in districts],
        "rows": rows,
        "notes": [*_over(year, shutoffs["on"]), *_NOTES_116918],
    }


def _district(name: str, rows: Sequence[Answer]) -> Answer:
    here = [row["account"] for row in rows if (row["district"] or "") == name]
    return {"district": name or None, "events": len(here), "connections": len(set(here))}


def _over(year: int, on: str) -> list[str]:
    return [f"The year was not over on {day(on)}."] if on < f"{year}-12-31" else []


_NOTES_116918 = (
    "The ledger holds that a shutoff was for nonpayment, not whether the customer was unable to pay.",
    "Every such shutoff of a residence is counted; those after a showing of inability to pay are also counted apart.",
    "A connection is an account: no mark of the place is kept, so two accounts at one address in a year count as two.",
    "Shutoffs found wrongful are counted, and listed with the finding.",
)


class Measure(NamedTuple):
    """A performance figure: what is counted, and of what."""

    name: str
    counted: str
    of: str


MEASURES = (
    Measure("reads_estimated", "reads that were estimated", "reads taken, by the day of the read"),
    Measure("estimates_not_trued_up", "followed by another estimate", "estimated reads with a later read"),
    Measure("bills_inaccurate", "bills corrected or voided since", "bills, by the day of mailing"),
    Measure("payments_misposted", "payments moved to another account since", "payments, by the day of receipt"),
    Measure("reconnections_late", "not made by the next business day", "reconnections asked for, by the day asked"),
    Measure("petitions_adjusted", "petitions that led to a changed bill", "petitions about bills, by the day filed"),
    Measure("complaints_to_commission", "appeals to the Commission, by day filed", "accounts open at the period's end"),
)
"""The figures of the report on performance, in its order (GO 103-A, Appendix E)."""

_NOTES_103A = (
    *(f"{measure.name.replace('_', ' ').capitalize()}: {measure.counted}, of {measure.of}." for measure in MEASURES),
    "The year's figures come from its events, not from the quarters' figures.",
    "Telephone: calls answered, abandoned and waiting times are not in the ledger.",
    "Billing: no schedule of billing days is in the ledger, so bills rendered late are not counted.",
    "Meter reading: no schedule of reads is in the ledger; an estimate stands for a read that was not made.",
    "Work completion: appointments and promised days are not in the ledger; reconnections are all the work it knows.",
    "Complaints: those the Commission's Consumer Affairs Branch took up without an appeal recorded here are not known.",
)


class _Found(NamedTuple):
    measure: str
    on: date
    counts: bool
    about: e.Event
    because: str


def performance(
    histories: Iterable[History],
    calendar: Calendar,
    year: int,
    when: When,
    known_at: datetime | None = None,
) -> Answer:
    """The figures of a year by quarter, and for the year from the same raw events (GO 103-A, Appendix E).

    What later became of a thing counts where it had happened by `when`.
    """
    when = asked(when)
    first, last = year_of(year)
    ends = _ends(year, day_of(when))
    counted: Counter[tuple[str, int]] = Counter()
    of: Counter[tuple[str, int]] = Counter()
    rows: list[Answer] = []
    for history in histories:
        try:
            events = history.effective(history.known(known_at), when)
        except Refused:
            continue
        for quarter in _open_at_the_end_of(events, ends):
            of["complaints_to_commission", quarter] += 1
        for found in _all_found(events, calendar):
            if first <= found.on <= last:
                quarter = _quarter(found.on)
                of[found.measure, quarter] += found.measure != "complaints_to_commission"
                if found.counts:
                    counted[found.measure, quarter] += 1
                    rows.append(_row(history.account, found, year))
    rows.sort(key=lambda row: (row["measure"], row["on"], row["account"]))
    on = plain(day_of(when))
    return {
        "report": "go-103a",
        "year": year,
        "on": on,
        "known_at": plain(known_at),
        "answered_from": "log",
        "cite": "CPUC General Order 103-A, Appendix E",
        "figures": [row for measure in MEASURES for row in _figures(measure, year, list(ends), counted, of)],
        "rows": rows,
        "notes": [*_over(year, on), *_NOTES_103A],
    }


def _quarter(on: date) -> int:
    return (on.month + 2) // 3


def _ends(year: int, on: date) -> dict[int, date]:
    """The quarters that had begun by a day, each with its last day, or that day while it lasted."""
    first = [date(year, month, 1) for month in (1, 4, 7, 10)]
    begun = [day for day in first if day <= on]
    after = [*first[1:], date(year + 1, 1, 1)]
    return {quarter: min(after[quarter - 1] - ONE_DAY, on) for quarter in range(1, len(begun) + 1)}


def _figures(
    measure: Measure,
    year: int,
    quarters: Sequence[int],
    counted: Mapping[tuple[str, int], int],
    of: Mapping[tuple[str, int], int],
) -> Iterator[Answer]:
    # The accounts of a year are those at its end; everything else adds up.
    stock = measure.name == "complaints_to_commission"
    periods = [(f"{year}-Q{q}", [q], [q]) for q in quarters]
    periods.append((str(year), list(quarters), list(quarters[-1:] if stock else quarters)))
    for period, above, below in periods:
        part, whole = sum(counted[measure.name, q] for q in above), sum(of[measure.name, q] for q in below)
        percent = decimals(Fraction(100 * part, whole), 1) if whole else None
        counts = {"number": part, "out_of": whole, "percent": percent}
        yield {"measure": measure.name, "period": period, "counted": measure.counted, "of": measure.of} | counts


def _row(account: str, found: _Found, year: int) -> Answer:
    return {
        "measure": found.measure,
        "period": f"{year}-Q{_quarter(found.on)}",
        "account": account,
        "on": plain(found.on),
        "version": found.about.version,
        "type": found.about.type,
        "because": found.because,
    }


def _open_at_the_end_of(events: Sequence[e.Event], ends: Mapping[int, date]) -> Iterator[int]:
    """The periods at whose end the account was open."""
    opened = next((event.day for event in events if isinstance(event, e.AccountOpened)), date.max)
    closed = next((event.day for event in events if isinstance(event, e.AccountClosed)), date.max)
    return (quarter for quarter, end in ends.items() if opened <= end < closed)


def _all_found(events: Sequence[e.Event], calendar: Calendar) -> Iterator[_Found]:
    of: dict[type[e.Event], list[Any]] = {}
    for event in events:
        of.setdefault(type(event), []).append(event)
    yield from _reads(of)
    yield from _bills(of)
    yield from _payments(of)
    yield from _reconnections(of, calendar)
    answers = {answer.dispute: answer for answer in of.get(e.PetitionAnswered, ())}
    for petition in of.get(e.PetitionFiled, ()):
        answer = answers.get(petition.dispute)
        adjusted = answer is not None and answer.outcome == "adjusted"
        because = f"petition {petition.dispute} about bill {petition.bill}"
        yield _Found("petitions_adjusted", petition.day, adjusted, petition, because)
    for appeal in of.get(e.AppealFiled, ()):
        because = f"appeal {appeal.appeal} of dispute {appeal.dispute}, {appeal.forum.replace('_', ' ')}"
        yield _Found("complaints_to_commission", appeal.day, True, appeal, because)


def _reads(of: Mapping[type[e.Event], Sequence[Any]]) -> Iterator[_Found]:
    reads = of.get(e.ReadTaken, ())
    latest: dict[str, Any] = {}
    for read in reads:
        because = f"meter {read.meter}"
        yield _Found("reads_estimated", read.day, read.kind == "estimated", read, because)
        before = latest.get(read.meter)
        if before is not None and before.kind == "estimated":
            again = f"meter {read.meter}: estimated on {said(before.read_on)}, and again on {said(read.read_on)}"
            yield _Found("estimates_not_trued_up", before.day, read.kind == "estimated", before, again)
        latest[read.meter] = read


def _bills(of: Mapping[type[e.Event], Sequence[Any]]) -> Iterator[_Found]:
    wrong = {each.bill: each for each in (*of.get(e.BillCorrected, ()), *of.get(e.BillVoided, ()))}
    for bill in of.get(e.BillIssued, ()):
        mended = wrong.get(bill.bill)
        because = f"bill {bill.bill}"
        if mended is not None:
            word = "voided" if isinstance(mended, e.BillVoided) else "corrected"
            because = f"bill {bill.bill} was {word} on {said(mended.day)}: {mended.reason}"
        yield _Found("bills_inaccurate", bill.day, mended is not None, bill, because)


def _payments(of: Mapping[type[e.Event], Sequence[Any]]) -> Iterator[_Found]:
    moved = {each.payment: each for each in of.get(e.PaymentTransferred, ())}
    for payment in of.get(e.PaymentReceived, ()):
        left = moved.get(payment.payment)
        because = f"payment {payment.payment}" + (
            f" went to account {left.to_account} on {said(left.on)}" if left else ""
        )
        yield _Found("payments_misposted", payment.day, left is not None, payment, because)


def _reconnections(of: Mapping[type[e.Event], Sequence[Any]], calendar: Calendar) -> Iterator[_Found]:
    made = of.get(e.ServiceReconnected, ())
    for request in of.get(e.ReconnectionRequested, ()):
        back = next((each.day for each in made if each.at >= request.at), None)
        last = calendar.add_business_days(request.day, 1)
        because = f"asked for on {said(request.day)}, " + (f"made on {said(back)}" if back else "not made yet")
        yield _Found("reconnections_late", request.day, back is None or back > last, request, because)


_FIGURES_116918 = (Column("figure", "word"), Column("number", "integer"))
_DISTRICTS = (Column("district"), Column("events", "integer"), Column("connections", "integer"))
_LIST_116918 = (
    Column("account", wraps=True),
    Column("district", wraps=True),
    Column("off_at", "when", "off"),
    Column("bill"),
    Column("mailed_on", "day", "mailed"),
    Column("days_elapsed", "integer", "days"),
    Column("on_at", "when", None),
    Column("repeat", "boolean"),
    Column("inability_shown", "boolean", None),
    Column("wrongful_on", "day", "wrongful"),
    Column("flags", heading=None),
    Column("version", "integer", None),
)
_FIGURES_103A = (
    Column("measure", "word"),
    Column("period"),
    Column("counted", heading=None),
    Column("of", heading=None),
    Column("number", "integer"),
    Column("out_of", "integer"),
    Column("percent", "percent"),
)
_LIST_103A = (
    Column("measure", "word", wraps=True),
    Column("period"),
    Column("account", wraps=True),
    Column("on", "day"),
    Column("because", wraps=True),
    Column("type", heading=None),
    Column("version", "integer", None),
)


def page(answer: Answer, *, listed: bool = False) -> Page:
    """A report as it is shown: its figures, or with `listed` what they count; a spreadsheet holds both."""
    as_of = day(answer["on"])
    if answer["report"] == "116918":
        title = f"Residential service discontinued for nonpayment in {answer['year']}, as of {as_of} ({answer['cite']})"
        numbers = [{"figure": name, "number": number} for name, number in answer["figures"].items()]
        tables = [Table("figures", _FIGURES_116918, numbers, title)]
        tables.append(Table("districts", _DISTRICTS, answer["districts"], apart=len(answer["districts"]) < 2))
        supporting = Table("list", _LIST_116918, answer["rows"], title)
    else:
        title = f"Performance in {answer['year']}, as of {as_of} ({answer['cite']})"
        tables = [Table("figures", _FIGURES_103A, answer["figures"], title)]
        supporting = Table("list", _LIST_103A, answer["rows"], title)
    if listed:
        tables = [supporting, *(table._replace(apart=True) for table in tables)]
    else:
        tables.append(supporting._replace(apart=True))
    return Page([], tables, ["", *answer["notes"], *source(answer)[1:]])


def listed(answer: Answer) -> Page:
    """What the figures of a report count."""
    return page(answer, listed=True)
