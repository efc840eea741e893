"""Changing what stands in a store, past every guard, as whoever owns the machine can."""

import sqlite3
from contextlib import closing
from typing import Any

import psycopg


def tampered(url: str, statement: str, *values: Any) -> None:
    """Run a statement with `%s` for values where no trigger and no check holds; it has to change something."""
    if url.startswith("sqlite:"):
        _in_sqlite(url.removeprefix("sqlite:///"), statement, values)
    else:
        _in_postgres(url, statement, values)


def _in_sqlite(path: str, statement: str, values: tuple[Any, ...]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(statement.replace("%s", "?"), values).rowcount > 0, "nothing was changed"


def _in_postgres(url: str, statement: str, values: tuple[Any, ...]) -> None:
    with psycopg.connect(url, autocommit=True, options="-c search_path=ledger") as db:
        db.execute("SET session_replication_role = replica")
        assert db.execute(statement.encode(), values).rowcount > 0, "nothing was changed"
