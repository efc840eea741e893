"""Every entry in the receivables over all accounts: what changed, who made it, who approved it, from which document."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from commands.answers import Answer, When, asked, check_period, day_of
from commands.tables import Column, Page, Row, Table, day, source
from ledger.history import History
from ledger.money import money
from ledger.movements import KINDS, Movement, movements
from ledger.refusal import Refused
from ledger.showing import plain

ENTRY_KINDS = KINDS["balance"]
"""The kinds of entries, in the order of the trial balance."""

GROUPS = ("kind", "sort", "actor", "approved_by", "source", "month")
"""What entries are counted by: a sort is the kind of a bill or a fee, and the channel of a payment."""


class Wanted(NamedTuple):
    """Which entries: effective from `first` to `last`, of these kinds, over so many cents either way.

    `about_before` takes only what changes a bill, fee or payment that is dated before that day.
    """

    first: date | None = None
    last: date | None = None
    kinds: tuple[str, ...] = ()
    over: int | None = None
    about_before: date | None = None

    def takes(self, step: Movement, about_on: date | None) -> bool:
        """Whether an entry is one of them; `about_on` is the day of what it changes."""
        return (
            (self.first is None or step.on >= self.first)
            and (self.last is None or step.on <= self.last)
            and (not self.kinds or step.kind in self.kinds)
            and (self.over is None or abs(step.amount) > self.over)
            and (self.about_before is None or (about_on is not None and about_on < self.about_before))
        )


def entries(
    histories: Iterable[History],
    when: When,
    known_at: datetime | None = None,
    wanted: Wanted | None = None,
    by: str | None = None,
) -> Answer:
    """The entries in effective order, account by account; `by` counts them by one of GROUPS instead.

    Raises Refused for a period that ends before it begins.
    """
    wanted = wanted or Wanted()
    check_period(wanted.first, wanted.last)
    rows: list[Answer] = []
    groups: dict[str, list[int]] = {}
    count = total = 0
    for history in histories:
        for row, cents in _of(history, when, known_at, wanted):
            count, total = count + 1, total + cents
            if by is None:
                rows.append(row)
            else:
                group = groups.setdefault((row["on"][:7] if by == "month" else row[by]) or "none", [0, 0])
                group[0] += 1
                group[1] += cents
    counted = [{"group": name, "entries": n, "amount": money(sum_)} for name, (n, sum_) in sorted(groups.items())]
    return {
        "on": plain(day_of(when)),
        "known_at": plain(known_at),
        "from": plain(wanted.first),
        "to": plain(wanted.last),
        "by": by,
        "answered_from": "log",
        "rows": counted if by else rows,
        "totals": {"entries": count, "amount": money(total)},
    }


def _of(history: History, when: When, known_at: datetime | None, wanted: Wanted) -> Iterator[tuple[Answer, int]]:
    try:
        known = history.known(known_at)
    except Refused:
        return
    made: dict[tuple[str, str | None], Movement] = {}
    for step in movements(history.effective(known, asked(when))):
        if step.book == "balance":
            about = made.setdefault((_ABOUT.get(step.kind, step.kind), step.reference), step)
            about_on = about.on if about is not step and step.kind in _ABOUT else None
            if wanted.takes(step, about_on):
                yield _entry(history.account, step, about, about_on), step.amount


_ABOUT = {"bill_correction": "bill", "bill_void": "bill", "fee_waiver": "fee"} | dict.fromkeys(
    ("payment_return", "payment_transfer"), "payment"
)
"""The kinds that change an earlier entry, and the kind of that one."""


def _entry(account: str, step: Movement, about: Movement, about_on: date | None) -> Answer:
    event: Any = step.event
    approved_by = getattr(event, "approved_by", None)
    return {
        "account": account,
        "on": plain(step.on),
        "kind": step.kind,
        "sort": getattr(about.event, "channel", None) or getattr(about.event, "kind", None),
        "reference": None if step.kind == "adjustment" else step.reference,
        "about_on": plain(about_on),
        "amount": money(step.amount),
        "known_from": plain(event.known_from),
        "actor": event.actor,
        "approved_by": approved_by,
        "source": event.source,
        "reason": getattr(event, "reason", None) or event.note,
        "remark": _remark(step.kind, event.actor, approved_by),
        "version": event.version,
    }


def _remark(kind: str, actor: str | None, approved_by: str | None) -> str | None:
    """What of an adjustment an auditor looks for: that somebody else approved it."""
    if kind != "adjustment":
        return None
    if approved_by is None:
        return "approved by nobody"
    return "approved by who made it" if approved_by == actor else None


def _lines(*texts: str | None) -> str:
    return "\n".join(filter(None, texts)) or "–"


def _on(row: Row) -> str:
    known = row["known_from"][:10]
    return _lines(day(row["on"]), None if known == row["on"] else f"known {day(known)}")


def _kind(row: Row) -> str:
    sort = "" if row["sort"] == "regular" else row["sort"]
    return _lines(*(str(part or "").replace("_", " ") for part in (row["kind"], sort)))


def _reference(row: Row) -> str:
    return _lines(row["reference"], f"of {day(row['about_on'])}" if row["about_on"] else None)


def _who(row: Row) -> str:
    return _lines(row["actor"], row["approved_by"] and f"approved {row['approved_by']}", row["source"])


_COLUMNS = (
    Column("account"),
    Column("on", "day", told=_on),
    Column("kind", "word", wraps=True, told=_kind),
    Column("sort", "word", None),
    Column("reference", wraps=True, told=_reference),
    Column("about_on", "day", None),
    Column("amount", "money"),
    Column("known_from", "when", None),
    Column("actor", heading="by", wraps=True, told=_who),
    Column("approved_by", heading=None),
    Column("source", heading=None),
    Column("reason", wraps=True, told=lambda row: _lines(row["reason"], row["remark"])),
    Column("remark", heading=None),
    Column("version", "integer", None),
)
_COUNTED = (Column("group"), Column("entries", "integer"), Column("amount", "money"))


def page(answer: Answer) -> Page:
    """The entries, or what they are counted by, as they are shown."""
    by, totals = answer["by"], answer["totals"]
    period = " ".join(f"{word} {day(answer[key])}" for key, word in (("from", "from"), ("to", "to")) if answer[key])
    title = f"Entries{' ' if period else ''}{period}, as of {day(answer['on'])}"
    if by is None:
        table = Table("entries", _COLUMNS, answer["rows"], title)
    else:
        columns = (_COUNTED[0]._replace(heading=by.replace("_", " ")), *_COUNTED[1:])
        table = Table("entries", columns, answer["rows"], f"{title}, by {by.replace('_', ' ')}")
    return Page([], [table], ["", f"entries {totals['entries']}, amount {totals['amount']}", *source(answer)[1:]])
