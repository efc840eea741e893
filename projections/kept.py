"""The rows that are shown, read for an answer about all accounts: rows where they tell, histories where they do not.

Rows hold all that was recorded up to a point of the log. What was recorded since is folded, and so is every account of
which the rows cannot tell what was asked: both ways give the same answer.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Self

import msgspec

from ledger.books import Books
from ledger.events import UTILITY
from ledger.history import History
from ledger.store.codec import decode
from ledger.store.log import StoreError
from projections.catalogue import unpack
from projections.databases import open_database
from projections.store import Views, code

FAR = 20_000
"""How many events behind the rows may be; beyond, all is folded."""

AT_ONCE = 500
"""How many accounts are looked at together: so many histories are held at most."""


class Kept:
    """The rows of one account, as they are kept."""

    __slots__ = ("_texts", "account")

    def __init__(self, account: str, texts: dict[str, str | None]) -> None:
        self.account = account
        self._texts = texts

    def has(self, name: str) -> bool:
        """Whether a projection has a row for the account."""
        return self._texts[name] is not None

    def rows(self, name: str) -> Sequence[Any]:
        """The account's rows of a projection."""
        return unpack(name, self._texts[name])

    def happened_by(self, when: date | datetime) -> bool:
        """Whether the account was opened, and all that is recorded of it had certainly happened by then."""
        (account,) = self.rows("accounts")
        last: date = account.last_event_on
        if account.opened_on is None:
            return False
        return last < when.date() if isinstance(when, datetime) else last <= when


class Source(NamedTuple):
    """The projections that an answer is taken from, and whether an account's rows tell what is asked of a moment."""

    names: tuple[str, ...]
    tells: Callable[[Kept, date | datetime], bool]


class Accounts:
    """Every account in the order of the ids: its rows where they are current and tell what is asked, else its history.

    Without rows of this version of the program, every account is folded.
    """

    def __init__(self, books: Books, url: str, source: Source, when: date | datetime) -> None:
        self._books = books
        self._names, self._tells = source
        self._when = when
        self._log, self._database = open_database(url, read_only=True)
        self.kept = 0
        self.folded = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._log.close()

    def __iter__(self) -> Iterator[Kept | History]:
        rows = self._rows()
        if rows is None:
            yield from self._books.histories()
            return
        some: list[Kept | str] = []
        for found in rows:
            some.append(found if isinstance(found, Kept) and self._tells(found, self._when) else _name(found))
            if len(some) == AT_ONCE:
                yield from self._seen(some)
                some = []
        yield from self._seen(some)

    def _seen(self, some: Sequence[Kept | str]) -> Iterator[Kept | History]:
        loaded = self._books.log.load(each for each in some if isinstance(each, str))
        self.folded += len(loaded)
        self.kept += len(some) - len(loaded)
        for each in some:
            yield History(each, decode(loaded[each])) if isinstance(each, str) else each

    def _rows(self) -> Iterator[Kept | str] | None:
        """Each account with its rows, or its name alone where more was recorded since; None where nothing can be read.

        The checkpoint and the rows are read in one statement, so that they belong together whoever follows meanwhile.
        """
        views = Views(self._database)
        generation = views.shown()
        if generation is None or generation.code != code():
            return None
        texts, empty = ", ".join(self._names), ", NULL" * (len(self._names) - 1)
        query = (
            f"SELECT '' AS account, positions AS first{empty} FROM {{s}}generation WHERE number = {generation.number} "
            f"UNION ALL SELECT account, {texts} FROM {{s}}{generation.table} ORDER BY account"
        )
        try:
            pages = self._database.pages(query, 1 + len(self._names))
            found = (row for page in pages for row in page)
            checkpoint = next(found, None)
        except StoreError:
            # Another generation took its place at this moment.
            return None
        if checkpoint is None or checkpoint[0]:
            return None
        positions = msgspec.json.decode(checkpoint[1], type=dict[int, int])
        since = self._books.log.follow(positions, FAR + 1)
        return None if len(since) > FAR else self._merged(found, {row.account for row in since} - {UTILITY})

    def _merged(self, rows: Iterator[tuple[Any, ...]], changed: set[str]) -> Iterator[Kept | str]:
        left = sorted(changed, reverse=True)
        for account, *texts in rows:
            while left and left[-1] < account:
                yield left.pop()
            if left and left[-1] == account:
                yield left.pop()
            else:
                yield Kept(account, dict(zip(self._names, texts, strict=True)))
        yield from reversed(left)


def _name(found: Kept | str) -> str:
    return found if isinstance(found, str) else found.account
