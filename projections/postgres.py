"""Rows in PostgreSQL: the schema `<ledger>_read`, written by whoever follows, read by everybody who may read."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ledger.store.log import Log
from ledger.store.postgres import PostgresLog
from ledger.store.postgres_schema import creation_lock
from projections.rows import Column, Projection

# Readers queue behind whoever waits for their table: give up soon and let it be tried again.
_HASTE = "SET LOCAL lock_timeout = '200ms'"
_READERS = ("ledger_app", "ledger_projector", "ledger_auditor")


class PostgresDatabase:
    """Rows in a schema beside the log's, over a connection of their own."""

    def __init__(self, log: Log) -> None:
        assert isinstance(log, PostgresLog)
        self._link = log.link
        self.schema = f"{log.schema}_read"
        self.place = log.link.place

    def exists(self) -> bool:
        """Whether the bookkeeping was made."""
        return self._link.has_table(self.schema, "generation")

    def create(self, statements: Sequence[str]) -> None:
        """Make the bookkeeping, once; creators that start together wait for each other."""
        s = self.schema
        with self._link.transaction():
            self._link.run("SELECT pg_advisory_xact_lock(%s, %s)", creation_lock(s))
            self._link.script(f"CREATE SCHEMA IF NOT EXISTS {s}")
            for statement in statements:
                self._link.script(statement.format(s=f"{s}.", id='TEXT COLLATE "C"'))
            found = self._link.run("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(_READERS),))
            for (role,) in found:
                self._link.script(
                    f"GRANT USAGE ON SCHEMA {s} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO {role}; "
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO {role}"
                )

    def run(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, in the transaction that is open or in one of its own."""
        return self._link.run(self._named(query).replace("?", "%s"), values)

    @contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[None]:
        """One transaction; with `exclusive`, nobody else follows or swaps meanwhile."""
        with self._link.transaction():
            if exclusive:
                self._link.script(f"LOCK TABLE {self.schema}.generation IN SHARE ROW EXCLUSIVE MODE")
            yield

    def make_table(self, table: str, columns: Sequence[str]) -> None:
        """A table of one row for each account with a text for each projection."""
        name = f"{self.schema}.{table}"
        texts = ", ".join(f"{column} TEXT" for column in columns)
        # Compressing every row would take longer than folding it.
        storage = ", ".join(f"ALTER COLUMN {column} SET STORAGE EXTERNAL" for column in columns)
        self._link.script(f'CREATE TABLE {name} (account TEXT COLLATE "C" PRIMARY KEY, {texts})')
        self._link.script(f"ALTER TABLE {name} {storage}")

    def drop_table(self, table: str) -> None:
        """Drop a table, in the transaction that is open; raises StoreUnavailable where somebody reads it."""
        self._link.script(_HASTE)
        self._link.script(f"DROP TABLE IF EXISTS {self.schema}.{table}")

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write rows in bulk."""
        self._link.copy_in(f"{self.schema}.{table} ({', '.join(columns)})", ["text"] * len(columns), rows)

    def delete(self, table: str, accounts: Iterable[str]) -> None:
        """Delete the rows of some accounts, in the transaction that is open."""
        self._link.run(f"DELETE FROM {self.schema}.{table} WHERE account = ANY(%s)", (list(accounts),))

    def pages(self, query: str, columns: int = 2) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a query of so many texts in pages: one view from the first row to the last."""
        return self._link.pages(self._named(query), (), ("text",) * columns, 1000)

    def show(self, projection: Projection, table: str) -> None:
        """Point the view of a projection at a table, in the transaction that is open."""
        self._link.script(_HASTE)
        view, columns = f"{self.schema}.{projection.name}", projection.columns
        if self._columns(projection.name) not in ([], ["account", *(column.name for column in columns)]):
            self._link.script(f"DROP VIEW {view}")
        texts = ", ".join(f"{_cast(n, column)} AS {column.name}" for n, column in enumerate(columns))
        self._link.script(
            f"CREATE OR REPLACE VIEW {view} AS SELECT f.account, {texts} FROM {self.schema}.{table} AS f "
            f"CROSS JOIN LATERAL json_array_elements(f.{projection.name}::json) AS e(value)"
        )

    def _columns(self, view: str) -> list[str]:
        query = (
            "SELECT attname::text FROM pg_attribute "
            "WHERE attrelid = (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return [name for (name,) in self._link.run(query, (self.schema, view))]

    def _named(self, query: str) -> str:
        return query.format(s=f"{self.schema}.")

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        self._link.close()


def _cast(n: int, column: Column) -> str:
    value = f"e.value ->> {n}"
    return {"integer": f"({value})::bigint", "boolean": f"({value})::boolean"}.get(column.kind, value)
