"""Rows as of a day and as known at a moment: those that are kept where they tell, else folded from the log.

Both ways run the same functions, so that they cannot differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from typing import Any

from ledger.books import Books
from ledger.history import History
from ledger.moments import is_bare
from ledger.refusal import Refused
from ledger.utility import Utility
from projections.catalogue import PROJECTIONS
from projections.databases import open_database
from projections.kept import Accounts, Kept, Source
from projections.rows import Folded, World
from projections.runner import RULES
from projections.store import Views

Rows = Mapping[str, Sequence[Any]]


class RowsAsOf:
    """The rows of some projections, account by account, in the order of the accounts' ids.

    An account without a row of the first projection is left out. `kept` counts the accounts that the tables told of,
    and `folded` those that were folded beside them, once all were read.
    """

    def __init__(
        self,
        books: Books,
        url: str,
        names: Sequence[str],
        when: date | datetime,
        known_at: datetime | None = None,
        account: str | None = None,
    ) -> None:
        self._books = books
        self._url = url
        self._names = ("accounts", *names)
        self._first = names[0]
        self._when = when.date() if isinstance(when, datetime) and is_bare(when) else when
        self._known_at = known_at
        self._account = account
        self._utility: Utility = books.utility()
        self._world = World(self._utility.rules(known_at), _no_login)
        self.kept = self.folded = 0

    def __iter__(self) -> Iterator[tuple[str, Rows]]:
        if self._account is not None:
            # One account is folded sooner than the tables are found; that it is not known is an error.
            history = self._books.history(self._account)
            history.known(self._known_at)
            yield from self._folded(history)
        elif self._known_at is not None or self._rules_are_newer():
            for history in self._books.histories():
                yield from self._folded(history)
        else:
            with Accounts(self._books, self._url, Source(self._names, self._tells), self._when) as accounts:
                for found in accounts:
                    yield from self._read(found) if isinstance(found, Kept) else self._folded(found)
                self.kept, self.folded = accounts.kept, accounts.folded

    def _tells(self, kept: Kept, when: date | datetime) -> bool:
        """Whether the rows are those of that day; where there is none, fewer events bring none."""
        return not kept.has(self._first) or kept.happened_by(when)

    def _read(self, kept: Kept) -> Iterator[tuple[str, Rows]]:
        if kept.has(self._first):
            yield kept.account, {name: kept.rows(name) for name in self._names}

    def _folded(self, history: History) -> Iterator[tuple[str, Rows]]:
        try:
            events = history.effective(history.known(self._known_at), self._when)
        except Refused:
            return
        if events:
            folded = Folded(history.account, events, self._world)
            first = list(PROJECTIONS[self._first].rows(folded))
            if first:
                others = (name for name in self._names if name != self._first)
                yield history.account, {self._first: first} | {n: list(PROJECTIONS[n].rows(folded)) for n in others}

    def _rules_are_newer(self) -> bool:
        """Whether a rule, a closure or office hours were recorded after the rows were folded."""
        log, database = open_database(self._url, read_only=True)
        with closing(log), closing(database):
            shown = Views(database).shown()
        newer = self._utility.events[shown.utility :] if shown else ()
        return shown is None or any(event.type in RULES for event in newer)


def _no_login(account: str, field: str, sealed: str) -> None:
    """No register shows log-ins, so no key is opened for them."""
