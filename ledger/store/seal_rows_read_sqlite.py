"""The events and command keys of an SQLite file, as whoever seals or audits it reads them: rows as they are stored."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any

from ledger.store.log import LAST
from ledger.store.seal_rows import EXPLICIT_KEYS, Head, LeafEvent, Mark, Span, StoredCommand, StoredEvent, after_all
from ledger.store.sqlite_file import connect, in_plain_words

_ROWS = 5_000
_STATES = 500
_END = b""
"""Sorts after every text, a damaged one too, being none."""

# Where the first event is the last one, the last is looked for under no version, which costs nothing.
_COMMANDS = (
    "SELECT c.shard, key, digest, c.account, first, last, a.state, b.state "
    "FROM command AS c LEFT JOIN event AS a ON a.account = c.account AND a.version = first "
    "LEFT JOIN event AS b ON b.account = c.account AND b.version = nullif(last, first) "
    "WHERE {} ORDER BY c.shard, key"
)


class SQLiteReadings:
    """Reads the ledger at `path`."""

    def __init__(self, path: str, *, read_only: bool = False, timeout: int = 10) -> None:
        self.place = path
        self._mode = "ro" if read_only else "rw"
        self._timeout = timeout
        self._open: sqlite3.Connection | None = None

    def hashes(self, shard: int, after: int, until: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Pages of positions and event hashes of a shard, over `after` and at most `until`, by position."""
        query = "SELECT position, hash FROM event WHERE position > ? AND position <= ? ORDER BY position"
        return self._pages(query, (after, until))

    def recorded(self, spans: Sequence[Span]) -> Iterator[Sequence[LeafEvent]]:
        """Pages of the events at these positions, span after span and by position."""
        query = (
            "SELECT position, account, version, type, state, hash FROM event "
            "WHERE position > ? AND position <= ? AND shard = 0 ORDER BY position"
        )
        # What stands between two spans is a seal, which has no position.
        for low, high in _joined(spans):
            yield from self._pages(query, (low, high), _STATES)

    def reached(self) -> list[int]:
        """The last position of every shard at which an event stands; 0 where none does."""
        return [last for (last,) in self._read("SELECT coalesce(max(position), 0) FROM event")]

    def count(self) -> int:
        """How many events there are, wherever they stand."""
        return int(self._read("SELECT count(*) FROM event")[0][0])

    def strays(self) -> bool:
        """Whether an event stands where no shard's head reaches."""
        query = "SELECT 1 FROM event WHERE position {} LIMIT 1"
        return any(self._read(query.format(where)) for where in ("< 1", "> (SELECT head FROM head WHERE shard = 0)"))

    def before(self, shard: int, events: Sequence[tuple[bytes, int]]) -> list[tuple[int, bytes] | None]:
        """Position and hash of the events of these accounts and versions in a shard."""
        query = "SELECT position, hash FROM event WHERE account = CAST(? AS TEXT) AND version = ? AND shard = ?"
        with in_plain_words(self.place):
            db = self._connection()
            return [db.execute(query, (*event, shard)).fetchone() for event in events]

    def stored(self, after: str, until: str) -> Iterator[Sequence[StoredEvent]]:
        """Pages of the events of accounts over `after` and at most `until`, by account and version."""
        query = (
            "SELECT shard, position, account, version, type, state, hash FROM event "
            "WHERE account > ? AND account <= ? ORDER BY account, version"
        )
        return self._pages(query, (after, _END if until == LAST else until), _STATES)

    def states(self, account: str) -> Iterator[Sequence[tuple[int, bytes]]]:
        """Pages of the versions and stored bytes of one account, by version."""
        query = "SELECT version, state FROM event WHERE account = ? ORDER BY version"
        return self._pages(query, (account,), _STATES)

    def lengths(self, low: Mark, high: Mark) -> Iterator[Sequence[tuple[bytes, int]]]:
        """Pages of the accounts over `low` and at most `high`, each with its last version."""
        query = (
            "SELECT account, max(version) FROM event WHERE account > ? AND account <= ? "
            "GROUP BY account ORDER BY account"
        )
        return self._pages(query, (low[1], _END if high[1] == LAST else high[1]))

    def commands(self, low: Mark, high: Mark) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys of accounts over `low` and at most `high`, by shard and key; no explicit ids."""
        where = f"(c.shard, key) > (?, ?) AND (c.shard, key) <= (?, ?) AND NOT {EXPLICIT_KEYS}"
        return self._pages(_COMMANDS.format(where), (*after_all(low), *after_all(high)), _STATES)

    def explicit_commands(self) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys that are explicit ids."""
        return self._pages(_COMMANDS.format(EXPLICIT_KEYS), (), _STATES)

    def explicit_count(self) -> int:
        """How many command keys are explicit ids with a digest as long as it has to be."""
        return int(self._read(f"SELECT count(*) FROM command WHERE {EXPLICIT_KEYS} AND length(digest) = 32")[0][0])

    def explicit(self, keys: Sequence[tuple[int, str]]) -> dict[str, tuple[bytes, int, int]]:
        """Account, first and last version of the commands under these shards and keys, where there are such."""
        query = "SELECT CAST(account AS BLOB), first, last FROM command WHERE shard = ? AND key = ?"
        with in_plain_words(self.place):
            db = self._connection()
            return {key: row for shard, key in keys if (row := db.execute(query, (shard, key)).fetchone())}

    def accounts(self) -> Iterator[str]:
        """The accounts, by account; one whose name is damaged is left out."""
        for page in self._pages("SELECT account FROM event WHERE version = 1 ORDER BY account", ()):
            for (account,) in page:
                with suppress(UnicodeDecodeError):
                    yield account.decode()

    def event_at(self, shard: int, position: int) -> tuple[str, int] | None:
        """The account and version of the event at a position."""
        found = self._read("SELECT CAST(account AS BLOB), version FROM event WHERE position = ?", (position,))
        return (found[0][0].decode(errors="replace"), found[0][1]) if found else None

    def heads(self) -> list[int]:
        """The last position of every shard."""
        return [head for (head,) in self._read("SELECT head FROM head ORDER BY shard")]

    def changed(self, after: Sequence[int], until: Sequence[int]) -> Iterator[Head]:
        """The last event of each account with one over the heads `after` and at most `until`, by account."""
        # Of an aggregate with max() SQLite takes the other columns from the row that has it. The + keeps the reading in
        # the order of positions, of which only the new ones are touched.
        query = (
            "SELECT account, max(version), hash FROM event WHERE position > ? AND position <= ? "
            "GROUP BY +account ORDER BY +account"
        )
        for page in self._pages(query, (after[0], until[0]), texts=str):
            for row in page:
                yield Head(*row)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = connect(self.place, self._mode, self._timeout)
            if self._mode == "ro":
                # Whatever a damaged text is, an audit says what it finds in it.
                self._open.text_factory = partial(str, encoding="utf-8", errors="replace")
        return self._open

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with in_plain_words(self.place):
            return self._connection().execute(query, values).fetchall()

    def _pages(
        self, query: str, values: Sequence[object], size: int = _ROWS, texts: type = bytes
    ) -> Iterator[list[tuple[Any, ...]]]:
        with in_plain_words(self.place), closing(connect(self.place, "ro", self._timeout)) as db:
            # Whatever a damaged text is, its bytes can be read.
            db.text_factory = texts
            db.execute("PRAGMA mmap_size = 1073741824")
            cursor = db.execute(query, values)
            while page := cursor.fetchmany(size):
                yield page


def _joined(spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    low = high = 0
    for _, after, until in spans:
        if after != high and high > low:
            yield low, high
        low, high = (low if after == high and high else after), until
    if high > low:
        yield low, high
