"""Rows as of a day and as known at a moment: those that are kept where they tell, else folded from the log.

Both ways run the same functions, so that they cannot differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, Self

from ledger import events as e
from ledger.books import Books
from ledger.history import History
from ledger.refusal import Refused
from ledger.utility import Utility
from projections.catalogue import PROJECTIONS
from projections.databases import open_database
from projections.kept import Accounts, Kept
from projections.rows import Folded, World
from projections.store import Views

RULES = (e.OfficeClosed, e.OfficeHoursSet, e.PolicyPublished)
"""The events of the utility that rows follow from."""

Rows = Mapping[str, Sequence[Any]]


class RowsAsOf:
    """The rows of some projections, account by account, in the order of the accounts' ids.

    An account without a row of the first projection is left out. `answered_from` says, once all were read, where most
    of it came from.
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
        self._when = when
        self._known_at = known_at
        self._account = account
        self._utility: Utility = books.utility()
        self._world = World(self._utility.rules(known_at), _no_login)
        self._kept = 0

    @property
    def answered_from(self) -> Literal["tables", "log"]:
        return "tables" if self._kept else "log"

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
            with Accounts(self._books, self._url, self._names, self._tells) as accounts:
                for found in accounts:
                    yield from self._read(found) if isinstance(found, Kept) else self._folded(found)
                self._kept = accounts.kept

    def _tells(self, kept: Kept) -> bool:
        """Whether all that is recorded of the account had happened by then; to take away brings no row."""
        if not kept.has(self._first):
            return True
        (account,) = kept.rows("accounts")
        last: date = account.last_event_on
        return last < self._when.date() if isinstance(self._when, datetime) else last <= self._when

    def _read(self, kept: Kept) -> Iterator[tuple[str, Rows]]:
        if kept.has(self._first):
            found = {name: kept.rows(name) for name in self._names}
            if found["accounts"][0].opened_on is not None:
                yield kept.account, found

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
        _, database = open_database(self._url, read_only=True)
        try:
            shown = Views(database).shown()
        finally:
            database.close()
            _.close()
        return shown is None or any(isinstance(event, RULES) for event in self._utility.events[shown.utility :])


def _no_login(account: str, sealed: str) -> None:
    """No register shows log-ins, so no key is opened for them."""
