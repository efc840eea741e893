"""Where the date on which an entry takes effect and the date on which it was known fall into different periods."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import msgspec

from commands.answers import Answer, When, day_of, moment_of
from ledger import events as e
from ledger.books import Books
from ledger.calendar import PACIFIC
from ledger.closing import arrivals, late
from ledger.history import History, happened
from ledger.money import money
from ledger.movements import KINDS, Movement, entry, movements
from ledger.showing import plain
from ledger.store.codec import decode

_AT_ONCE = 10_000


class Cutoff:
    """The entries of a period that a cut-off by the other date would move: `known_after` took effect in the period and
    was known only after it, `known_within` was known in the period and takes effect before or after it.

    What was known only after it may change an older entry (a bill corrected late is voided by more): that is a row of
    its own, whose `changes` is the version of the older one. So the period as known at its end, and `known_after`, come
    to the period as known now.
    """

    def __init__(self, first: date | None, when: When) -> None:
        self._when = when
        self._first, self._last = first or date.min, day_of(when)
        self._begins = datetime.combine(first, time.min, PACIFIC) if first else None
        self._ends = moment_of(when)
        self._found: dict[str, list[Answer]] = {"known_after": [], "known_within": []}
        self._totals = {name: dict.fromkeys(KINDS, 0) for name in self._found}

    def take(self, account: str, known: Sequence[e.Event]) -> None:
        """Look at an account's events: at the movements known in the period, and at what was learned after it."""
        for step in movements(History.effective(known)):
            inside = self._first <= step.on and happened(step.event, self._when)
            since = step.event.known_from
            if not inside and since <= self._ends and (self._begins is None or since >= self._begins):
                self._find("known_within", account, step, step.event, step.amount)
        by_then = [event for event in known if happened(event, self._when)]
        then = [event for event in by_then if event.known_from <= self._ends]
        later = sorted((event for event in by_then if event.known_from > self._ends), key=lambda event: event.version)
        if any(map(entry, then)):
            for event, step, amount in arrivals(then, later, self._first, self._last):
                self._find("known_after", account, step, event, amount)
        elif later:
            # Nothing had moved by then, so that nothing can have been changed.
            for step in movements(History.effective([*then, *later])):
                if step.on >= self._first:
                    self._find("known_after", account, step, step.event, step.amount)

    def _find(self, name: str, account: str, step: Movement, event: e.Event, amount: int) -> None:
        changes = step.event.version if step.event is not event else None
        about = {"known_from": plain(event.known_from), "changes": changes}
        self._found[name].append(_entry(account, step, step.on, amount, event.version) | about)
        self._totals[name][step.book] += amount

    def answer(self) -> Answer:
        """Both lists, and what each comes to in each book."""
        return {
            name: {"totals": {book: money(total) for book, total in self._totals[name].items()}, "rows": rows}
            for name, rows in self._found.items()
        }


def late_entries(books: Books, first: date | None, last: date, known_at: datetime | None) -> Answer:
    """What came into closed periods after they were closed, with the totals recorded at each close.

    A row's `version` is that of the event that arrived late; `changes` is that of an older entry which because of it
    comes to another amount. Only entries that take effect from `first` to `last` are listed; the totals of a close and
    all its late entries come to what the period holds now.
    """
    closes = [each for each in books.utility().closes() if known_at is None or each.known_from <= known_at]
    totals = {each.through: dict.fromkeys(KINDS, 0) for each in closes}
    rows = []
    for account in _late_accounts(books, closes):
        stored = books.log.rows(account)
        places = {row.version: e.Position(row.shard, row.position) for row in stored}
        events = decode([row.state for row in stored])
        history = History(account, [each for each in events if known_at is None or each.known_from <= known_at])
        for closed, event, step, amount in late(history, closes, places):
            totals[closed.through][step.book] += amount
            if (first or date.min) <= step.on <= last:
                found = _entry(account, step, step.on, amount, event.version)
                changes = step.event.version if step.event is not event else None
                about = {"recorded_at": plain(event.recorded_at), "closed": plain(closed.through), "changes": changes}
                rows.append(found | about)
    return {"closes": [_close(each, totals[each.through]) for each in closes], "rows": rows}


def _late_accounts(books: Books, closes: list[e.BooksClosed]) -> list[str]:
    """The accounts with an entry that was flagged when it was recorded, found without decoding what is not."""
    if not closes:
        return []
    positions = {place.shard: place.position for place in closes[0].positions}
    mark, found = msgspec.json.encode(e.LATE), set[str]()
    while rows := books.log.follow(positions, _AT_ONCE):
        for row in rows:
            positions[row.shard] = row.position
            if mark in row.state:
                found.add(row.account)
    return sorted(found - {e.UTILITY})


def _close(closed: e.BooksClosed, late_totals: dict[e.Book, int]) -> Answer:
    recorded: dict[str, dict[str, str]] = {}
    for total in closed.totals:
        recorded.setdefault(total.book, {})[total.kind] = money(total.amount)
    return {
        "through": plain(closed.through),
        "since": plain(closed.since),
        "recorded_at": plain(closed.recorded_at),
        "accounts": closed.accounts,
        "totals": recorded,
        "late": {book: money(amount) for book, amount in late_totals.items()},
    }


def _entry(account: str, step: Any, on: date, amount: int, version: int) -> Answer:
    return {
        "account": account,
        "book": step.book,
        "kind": step.kind,
        "reference": step.reference,
        "on": plain(on),
        "amount": money(amount),
        "version": version,
    }
