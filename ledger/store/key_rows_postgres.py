"""Where wrapped keys are kept beside a ledger in PostgreSQL: a schema of their own."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ledger.store.key_rows import KeyRow, Owner
from ledger.store.log import StoreUnavailable
from ledger.store.postgres_link import Link, Lost
from ledger.store.postgres_roles import create_roles
from ledger.store.postgres_schema import creation_lock

_TABLES = """
CREATE SCHEMA IF NOT EXISTS {s};
CREATE TABLE {s}.secret (name text PRIMARY KEY, wrapped bytea NOT NULL);
CREATE TABLE {s}.data_key (
    key_id bytea PRIMARY KEY,
    account text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    wrapped bytea NOT NULL
);
CREATE INDEX data_key_owner ON {s}.data_key (account, kind);
"""

_GRANTS = """
GRANT USAGE ON SCHEMA {s} TO ledger_app;
GRANT SELECT ON {s}.secret TO ledger_app;
GRANT SELECT, INSERT, DELETE ON {s}.data_key TO ledger_app;
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        GRANT MAINTAIN ON {s}.data_key TO ledger_app;
    END IF;
END $$;
"""


class PostgresKeyRows:
    """The table of wrapped keys in the schema of that name."""

    def __init__(self, link: Link, schema: str) -> None:
        self.place = f"{link.place}, key store {schema}"
        self._link = link
        self._schema = schema

    def create(self, secrets: Mapping[str, bytes]) -> None:
        """Create the tables and write down these wrapped secrets, once; nothing changes where they are already."""
        create_roles(self._link)
        with self._link.transaction():
            self._link.run("SELECT pg_advisory_xact_lock(%s, %s)", creation_lock(self._schema))
            if not self._link.has_table(self._schema, "secret"):
                self._link.script(_TABLES.format(s=self._schema))
            for name, wrapped in secrets.items():
                self._run("INSERT INTO {s}.secret VALUES (%s, %b) ON CONFLICT DO NOTHING", name, wrapped)
            if self._link.run("SELECT 1 FROM pg_roles WHERE rolname = 'ledger_app'"):
                self._link.script(_GRANTS.format(s=self._schema))

    def secret(self, name: str) -> bytes | None:
        """A wrapped secret; None where this is not a key store yet."""
        if not self._link.has_table(self._schema, "secret"):
            return None
        found = self._read("SELECT wrapped FROM {s}.secret WHERE name = %s", name)
        return bytes(found[0][0]) if found else None

    def by_id(self, key_id: bytes) -> KeyRow | None:
        """The data key of that id; None where it was erased."""
        found = self._read("SELECT key_id, account, kind, wrapped FROM {s}.data_key WHERE key_id = %b", key_id)
        return KeyRow(*found[0]) if found else None

    def of(self, owners: Iterable[Owner]) -> list[KeyRow]:
        """The data keys of these accounts and classes, in one round trip."""
        accounts, kinds = [], []
        for account, kind in owners:
            accounts.append(account)
            kinds.append(kind)
        query = (
            "SELECT key_id, account, kind, wrapped FROM unnest(%s::text[], %s::text[]) AS o(account, kind) "
            "JOIN {s}.data_key USING (account, kind) ORDER BY key_id"
        )
        return [KeyRow(*row) for row in self._read(query, accounts, kinds)]

    def add(self, rows: Iterable[KeyRow]) -> None:
        """Write data keys in one durable transaction."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        query = (
            "INSERT INTO {s}.data_key SELECT * FROM unnest(%b::bytea[], %s::text[], %s::text[], %b::bytea[]) "
            "ON CONFLICT DO NOTHING"
        )
        try:
            self._run(query, *columns)
        except Lost:
            # Writing the same keys twice is the same as writing them once.
            self._run(query, *columns)

    def erase(self, key_ids: Iterable[bytes]) -> None:
        """Delete these data keys durably; the server's write-ahead log and backups hold them until those are gone."""
        query, ids = "DELETE FROM {s}.data_key WHERE key_id = ANY(%b::bytea[])", list(key_ids)
        try:
            self._run(query, ids)
        except Lost:
            self._run(query, ids)

    def tidy(self) -> None:
        """Have the server clear the places of deleted rows, where no transaction still sees them."""
        # It does so by itself before long; and it passes over a role that may not.
        with suppress(StoreUnavailable):
            self._run("VACUUM (INDEX_CLEANUP ON, TRUNCATE OFF) {s}.data_key")

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self._link.close()

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._link.read(query.format(s=self._schema), values)

    def _run(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._link.run(query.format(s=self._schema), values)
