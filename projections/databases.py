"""Where the rows are kept: an SQLite file beside the ledger's, or a schema beside its schema in PostgreSQL.

Both speak the same SQL here, with `?` for a value and `{s}` before a table.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any, Protocol

from ledger.store.log import Log
from ledger.store.open import open_log
from ledger.store.sqlite import SQLiteLog
from ledger.store.sqlite_file import connect, in_plain_words, is_there, to_wal, transaction
from projections.rows import Projection

_TIMEOUT = 60
Values = Sequence[object]


class Database(Protocol):
    """Tables of rows, their bookkeeping, and the views over them."""

    place: str

    def exists(self) -> bool:
        """Whether the bookkeeping was made."""

    def create(self, statements: Sequence[str]) -> None:
        """Make the bookkeeping, once; creators that start together wait for each other."""

    def run(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, in the transaction that is open or in one of its own."""

    def transaction(self, *, exclusive: bool = False) -> AbstractContextManager[None]:
        """One transaction; with `exclusive`, nobody else follows or swaps meanwhile."""

    def make_table(self, table: str, columns: Sequence[str]) -> None:
        """A table of one row for each account with a text for each projection."""

    def drop_table(self, table: str) -> None:
        """Drop a table, in the transaction that is open; raises StoreUnavailable where somebody reads it."""

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Write rows in bulk."""

    def delete(self, table: str, accounts: Iterable[str]) -> None:
        """Delete the rows of some accounts, in the transaction that is open."""

    def pages(self, query: str, columns: int = 2) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query of so many texts in pages: one view from the first row to the last."""

    def show(self, projection: Projection, table: str) -> None:
        """Point the view of a projection at a table, in the transaction that is open."""

    def close(self) -> None:
        """Let go of the database; the next use opens it again."""


def open_database(url: str, *, read_only: bool = False) -> tuple[Log, Database]:
    """The log at an address, and the database of the rows that belong to it; raises BadAddress."""
    log = open_log(url, read_only=read_only)
    if isinstance(log, SQLiteLog):
        return log, SQLiteDatabase(f"{log.path.removesuffix('.db')}.views.db", read_only=read_only)
    from projections.postgres import PostgresDatabase

    return log, PostgresDatabase(open_log(url, read_only=read_only))


class SQLiteDatabase:
    """Rows in the file `path`: what is written to the ledger need not wait for them."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self.place = path
        self._read_only = read_only
        self._open: sqlite3.Connection | None = None

    def exists(self) -> bool:
        """Whether the bookkeeping was made."""
        if not is_there(self.place):
            return False
        return bool(self.run("SELECT 1 FROM sqlite_master WHERE name = 'generation'"))

    def create(self, statements: Sequence[str]) -> None:
        """Make the bookkeeping, once; creators that start together wait for each other."""
        with in_plain_words(self.place), closing(connect(self.place, "rwc", _TIMEOUT)) as db:
            db.execute("PRAGMA page_size = 8192")
            to_wal(db, _TIMEOUT)
            db.execute("BEGIN IMMEDIATE")
            for statement in statements:
                db.execute(statement.format(s="", id="TEXT"))
            db.execute("COMMIT")

    def run(self, query: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, in the transaction that is open or in one of its own."""
        with in_plain_words(self.place):
            return self._connection().execute(query.format(s=""), tuple(values)).fetchall()

    @contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[None]:
        """One transaction; every one that writes waits for the others here."""
        with in_plain_words(self.place), transaction(self._connection()):
            yield

    def make_table(self, table: str, columns: Sequence[str]) -> None:
        """A table of one row for each account with a text for each projection."""
        texts = ", ".join(f"{column} TEXT" for column in columns)
        self.run(f"CREATE TABLE {table} (account TEXT PRIMARY KEY, {texts}) STRICT")

    def drop_table(self, table: str) -> None:
        """Drop a table, in the transaction that is open; who reads it reads on."""
        # Some builds write zeros over every page first, which takes as long as it took to fill them.
        self.run("PRAGMA secure_delete = FAST")
        self.run(f"DROP TABLE IF EXISTS {table}")

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Write rows in bulk."""
        marks = ", ".join("?" * len(columns))
        with in_plain_words(self.place):
            self._connection().executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def delete(self, table: str, accounts: Iterable[str]) -> None:
        """Delete the rows of some accounts, in the transaction that is open."""
        with in_plain_words(self.place):
            gone = ((account,) for account in accounts)
            self._connection().executemany(f"DELETE FROM {table} WHERE account = ?", gone)

    def pages(self, query: str, columns: int = 2) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query of so many texts in pages: one view from the first row to the last."""
        self._connection()
        with in_plain_words(self.place), closing(connect(self.place, "ro", _TIMEOUT)) as db:
            cursor = db.execute(query.format(s=""))
            while page := cursor.fetchmany(1000):
                yield page

    def show(self, projection: Projection, table: str) -> None:
        """Point the view of a projection at a table, in the transaction that is open."""
        columns = ", ".join(f"e.value ->> {n} AS {c.name}" for n, c in enumerate(projection.columns))
        self.run(f"DROP VIEW IF EXISTS {projection.name}")
        self.run(
            f"CREATE VIEW {projection.name} AS SELECT f.account, {columns} "
            f"FROM {table} AS f, json_each(f.{projection.name}) AS e"
        )

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self._open = connect(self.place, "ro" if self._read_only else "rw", _TIMEOUT)
            # What is lost in a power cut is folded again: the checkpoint goes back with its rows.
            self._open.execute("PRAGMA synchronous = NORMAL")
        return self._open
