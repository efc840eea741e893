"""Changing what stands in a store, past every guard, as whoever owns the machine can."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg

Change = Callable[..., bool]
"""Runs a statement with `%s` for its values; False, and nothing changed, where the store has no room for that."""


def tampered(url: str, statement: str, *values: Any) -> None:
    """Run a statement with `%s` for values where no trigger and no check holds; it has to change something."""
    with tampering(url) as change:
        assert change(statement, *values), "the store takes no such value"


@contextmanager
def tampering(url: str) -> Iterator[Change]:
    """What changes a store where no trigger and no check holds; every change has to change something."""
    with _in_sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else _in_postgres(url) as change:
        yield change


@contextmanager
def _in_sqlite(path: str) -> Iterator[Change]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("BEGIN")

        def change(statement: str, *values: Any) -> bool:
            try:
                count = db.execute(statement.replace("%s", "?"), values).rowcount
            except (sqlite3.IntegrityError, OverflowError):
                return False
            assert count > 0, "nothing was changed"
            return True

        yield change
        db.execute("COMMIT")


@contextmanager
def _in_postgres(url: str) -> Iterator[Change]:
    with psycopg.connect(url, options="-c search_path=ledger") as db:
        db.execute("SET session_replication_role = replica")

        def change(statement: str, *values: Any) -> bool:
            try:
                with db.transaction():
                    count = db.execute(statement.encode(), values).rowcount
            except (psycopg.IntegrityError, psycopg.DataError):
                return False
            assert count > 0, "nothing was changed"
            return True

        yield change
