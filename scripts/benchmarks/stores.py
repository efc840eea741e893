"""Where the contenders keep their data: throw-away stores that sync every commit, on the disk that TMPDIR names."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from msgspec import Struct

from commands import clock
from ledger.application import Ledger, create
from scripts.benchmarks.stock import StockLedger
from tests.postgres_server import SAFE, fresh_database, running

ROW = b"x" * 139
"""As long as a usual event."""


class Place(Struct, frozen=True):
    """Stores of one kind for the three contenders; the ledger stands, the others are made when they are opened."""

    kind: str
    ledger_url: str
    stock: dict[str, str]
    floor: str

    def ledger(self) -> Ledger:
        """The ledger, for the caller to close."""
        return Ledger(self.ledger_url, clock.now)

    def stock_ledger(self) -> StockLedger:
        """The stock library's application, for the caller to close."""
        return StockLedger(env=self.stock)

    def bare(self) -> "Bare":
        """The floor, for the caller to close."""
        return Bare(self)


class Bare:
    """Rows written by the driver and nothing else, each commit on disk before the next."""

    def __init__(self, place: Place) -> None:
        self._sqlite = place.kind == "sqlite"
        self._db: Any
        if self._sqlite:
            self._db = sqlite3.connect(place.floor, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("CREATE TABLE IF NOT EXISTS bare (row BLOB)")
        else:
            self._db = psycopg.connect(place.floor, autocommit=True)
            with self._db.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(1)")
                self._db.execute("CREATE TABLE IF NOT EXISTS bare (row bytea)")

    def commits(self, number: int) -> None:
        """So many transactions of one row."""
        mark = "?" if self._sqlite else "%b"
        for _ in range(number):
            self._db.execute(f"INSERT INTO bare VALUES ({mark})", (ROW,))

    def rows(self, number: int, at_once: int = 1000) -> None:
        """So many rows, `at_once` in a transaction."""
        for _ in range(0, number, at_once):
            if self._sqlite:
                self._db.execute("BEGIN")
                self._db.executemany("INSERT INTO bare VALUES (?)", [(ROW,)] * at_once)
                self._db.execute("COMMIT")
                continue
            with self._db.cursor().copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["bytea"])
                for _ in range(at_once):
                    copy.write_row((ROW,))

    def close(self) -> None:
        """Let go of the store."""
        self._db.close()


@contextmanager
def place(kind: str, server: str | None = None) -> Iterator[Place]:
    """Fresh stores of that kind, gone at the end; PostgreSQL on `server`, or on one started for it."""
    with ExitStack() as stack:
        if kind == "sqlite":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="water-ledger-bench-")))
            stock = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "stock.db")}
            found = Place(kind, f"sqlite:///{folder / 'ledger.db'}", stock, str(folder / "floor.db"))
        else:
            url = server or stack.enter_context(postgres())
            ours, theirs, floor = (stack.enter_context(fresh_database(url)) for _ in range(3))
            found = Place(kind, ours, _stock_postgres(theirs), floor)
        create(found.ledger_url, clock.now)
        yield found


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL that syncs every commit; yields its URL."""
    with tempfile.TemporaryDirectory(prefix="water-ledger-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with running(folder, SAFE | {"log_min_messages": "panic"}) as url:
            yield url


@contextmanager
def contenders(where: Place) -> Iterator[tuple[Ledger, StockLedger, Bare]]:
    """All three, opened and closed again."""
    with where.ledger() as ledger, where.stock_ledger() as stock, closing(where.bare()) as bare:
        yield ledger, stock, bare


def _stock_postgres(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path[1:],
        "POSTGRES_HOST": parts.hostname or "",
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "",
        "POSTGRES_PASSWORD": parts.password or "",
    }
