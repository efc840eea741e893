"""Seals in the ledger's own schema in PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any

import psycopg

from ledger.store.log import StoreUnavailable
from ledger.store.postgres_link import Link, explained
from ledger.store.postgres_roles import create_roles, owns_all
from ledger.store.postgres_schema import creation_lock
from ledger.store.seal_rows import APPEND_ONLY, PAGE_COLUMNS, SEAL_COLUMNS, HeadPage, Part, Plan, SealKey, SealRow
from ledger.store.seal_rows_read_postgres import PostgresReadings

_PAGES_AT_ONCE = 64

# Hashes do not compress: EXTERNAL spares the server from trying.
_TABLES = """
CREATE TABLE {s}.seal_key (
    number bigint PRIMARY KEY, since bigint NOT NULL, vkey text NOT NULL, handover text NOT NULL
);
CREATE TABLE {s}.seal_plan (
    number bigint PRIMARY KEY, sealed_at bigint NOT NULL, first_leaf bigint NOT NULL, heads bytea NOT NULL
);
CREATE TABLE {s}.seal (
    number bigint PRIMARY KEY,
    sealed_at bigint NOT NULL,
    first_leaf bigint NOT NULL,
    heads bytea NOT NULL,
    events bigint NOT NULL,
    accounts bigint NOT NULL,
    heads_root bytea NOT NULL,
    previous bytea NOT NULL,
    size bigint NOT NULL UNIQUE,
    root bytea NOT NULL,
    body text NOT NULL
);
CREATE TABLE {s}.seal_note (number bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE {s}.tree_part (
    level smallint NOT NULL, first bigint NOT NULL, hashes bytea NOT NULL, PRIMARY KEY (level, first)
);
CREATE TABLE {s}.head_page (
    number bigint PRIMARY KEY, first text COLLATE "C" NOT NULL, last text COLLATE "C" NOT NULL,
    root bytea NOT NULL, entries bytea NOT NULL
);
CREATE INDEX head_page_first ON {s}.head_page (first);
ALTER TABLE {s}.tree_part ALTER COLUMN hashes SET STORAGE EXTERNAL;
ALTER TABLE {s}.head_page ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE TABLE {s}.head_state (one integer PRIMARY KEY CHECK (one = 1), seal bigint NOT NULL);
CREATE FUNCTION {s}.settled_heads() RETURNS SETOF bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT head FROM {s}.head ORDER BY shard FOR UPDATE $$;
REVOKE ALL ON FUNCTION {s}.settled_heads() FROM PUBLIC;
""" + "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {{s}}.{table} "
    "EXECUTE FUNCTION {s}.refuse();\n"
    for table in APPEND_ONLY
)

# Who records events cannot seal them, and who seals cannot record: one stolen password is not enough to do both.
_GRANTS = """
GRANT USAGE ON SCHEMA {s} TO ledger_sealer;
GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO ledger_sealer;
GRANT INSERT ON {s}.seal_key, {s}.seal_plan, {s}.seal, {s}.seal_note, {s}.tree_part TO ledger_sealer;
GRANT INSERT, UPDATE, DELETE ON {s}.head_page, {s}.head_state TO ledger_sealer;
GRANT EXECUTE ON FUNCTION {s}.settled_heads() TO ledger_sealer;
GRANT SELECT ON {s}.seal_key, {s}.seal_plan, {s}.seal, {s}.seal_note, {s}.tree_part, {s}.head_page, {s}.head_state
    TO ledger_app, ledger_projector, ledger_auditor;
"""

_OWNERSHIP = "ALTER FUNCTION {s}.settled_heads() OWNER TO ledger_owner;\n" + "".join(
    f"ALTER TABLE {{s}}.{table} OWNER TO ledger_owner;\n" for table in (*APPEND_ONLY, "head_page", "head_state")
)


class PostgresSealRows(PostgresReadings):
    """The seals in the schema of that name, reached by `link`."""

    def exists(self) -> bool:
        """Whether the tables were made."""
        return self._link.has_table(self._schema, "seal_note")

    def create(self) -> None:
        """Make the tables where there are none; creators that start together wait for each other."""
        if self.exists():
            return
        rights = create_roles(self._link)
        with self._link.transaction():
            self._link.run("SELECT pg_advisory_xact_lock(%s, %s)", creation_lock(self._schema))
            if self.exists():
                return
            script = _TABLES + (_GRANTS if rights else "") + (_OWNERSHIP if owns_all(self._link) else "")
            self._link.script(script.format(s=self._schema))

    def keys(self) -> list[SealKey]:
        """The log's keys, the first to the current one."""
        return [
            SealKey(*row) for row in self._read("SELECT number, since, vkey, handover FROM {s}.seal_key ORDER BY 1")
        ]

    def add_key(self, key: SealKey) -> None:
        """Write down a key; raises Conflict where another came first."""
        self._run("INSERT INTO {s}.seal_key VALUES (%s, %s, %s, %s)", key)

    def seals(self, after: int = 0) -> list[SealRow]:
        """The seals with numbers over `after`."""
        query = f"SELECT {SEAL_COLUMNS} FROM {{s}}.seal WHERE number > %s ORDER BY number"
        return [SealRow(*row) for row in self._read(query, (after,))]

    def last(self) -> SealRow | None:
        """The latest seal, signed or not."""
        found = self._read(f"SELECT {SEAL_COLUMNS} FROM {{s}}.seal ORDER BY number DESC LIMIT 1")
        return SealRow(*found[0]) if found else None

    def note(self, number: int) -> str | None:
        """The signed note of a seal; None where it was not signed yet."""
        found = self._read("SELECT note FROM {s}.seal_note WHERE number = %s", (number,))
        return str(found[0][0]) if found else None

    def plan(self) -> Plan | None:
        """The latest plan."""
        query = "SELECT number, sealed_at, first_leaf, heads FROM {s}.seal_plan ORDER BY number DESC LIMIT 1"
        found = self._read(query)
        return Plan(*found[0]) if found else None

    def plans(self) -> int:
        """How many plans were made."""
        return int(self._read("SELECT count(*) FROM {s}.seal_plan")[0][0])

    def make_plan(self, decide: Callable[[list[int]], Plan | None]) -> Plan | None:
        """Write down what `decide` makes of the heads of all shards, while nobody appends."""
        with self._link.transaction():
            plan = decide([head for (head,) in self._run("SELECT {s}.settled_heads()")])
            if plan:
                self._run("INSERT INTO {s}.seal_plan VALUES (%s, %s, %s, %b)", plan)
        return plan

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Write down hashes of the tree."""
        with self._link.transaction():
            self._put_parts(parts)

    def add_seal(self, seal: SealRow, parts: Sequence[Part]) -> None:
        """Write down a seal with its own leaf."""
        with self._link.transaction():
            self._put_parts(parts)
            self._run(
                f"INSERT INTO {{s}}.seal ({SEAL_COLUMNS}) VALUES (%s, %s, %s, %b, %s, %s, %b, %b, %s, %b, %s)",
                seal,
            )

    def add_note(self, number: int, note: str) -> None:
        """Write down the signed note of a seal."""
        self._run("INSERT INTO {s}.seal_note VALUES (%s, %s)", (number, note))

    def parts(self, level: int, low: int, high: int) -> list[Part]:
        """The hashes of a level that begin from `low` on and before `high`, which are the first of tiles."""
        query = (
            "SELECT level, first, hashes FROM {s}.tree_part "
            "WHERE level = %s AND first >= %s AND first < %s ORDER BY first"
        )
        return [Part(*row) for row in self._read(query, (level, low, high))]

    def leaves_written(self) -> int:
        """How many leaves the tree has, those of an unfinished seal too."""
        query = "SELECT first, length(hashes) FROM {s}.tree_part WHERE level = 0 ORDER BY first DESC LIMIT 1"
        return sum(first + length // 32 for first, length in self._read(query))

    def leaves_kept(self) -> int:
        """How many hashes of leaves the tree keeps, wherever they stand."""
        query = "SELECT coalesce(sum(octet_length(hashes)), 0) FROM {s}.tree_part WHERE level = 0"
        return int(self._read(query)[0][0]) // 32

    @contextmanager
    def sealing(self) -> Iterator["PostgresHeadPages"]:
        """One sealer at a time, else StoreUnavailable is raised; the heads are kept if the block ends well."""
        with closing(self._link.another()) as connection:
            try:
                connection.execute("BEGIN")
                first, second = creation_lock(f"{self._schema} seals")
                if not connection.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (first, second)).fetchall()[0][0]:
                    raise StoreUnavailable(
                        f"{self.place} is being sealed by another program (wait for it, or run the command again)"
                    )
                yield PostgresHeadPages(connection, self._link, self._schema)
                connection.execute("COMMIT")
            except psycopg.Error as error:
                raise explained(error, self.place) from None

    def heads_of(self) -> int | None:
        """The number of the seal whose heads tree is kept."""
        found = self._read("SELECT seal FROM {s}.head_state")
        return int(found[0][0]) if found else None

    def page_of(self, account: str) -> HeadPage | None:
        """The last page that begins at or before this account."""
        query = f"SELECT {PAGE_COLUMNS} FROM {{s}}.head_page WHERE first <= %s ORDER BY first DESC LIMIT 1"
        found = self._read(query, (account,))
        return HeadPage(*found[0]) if found else None

    def page(self, number: int) -> HeadPage | None:
        """A page by its number."""
        found = self._read(f"SELECT {PAGE_COLUMNS} FROM {{s}}.head_page WHERE number = %s", (number,))
        return HeadPage(*found[0]) if found else None

    def page_roots(self) -> list[bytes]:
        """The root of every page, in order."""
        return [root for (root,) in self._read("SELECT root FROM {s}.head_page ORDER BY number")]

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self._link.close()

    def _run(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._link.run(query.format(s=self._schema), values)

    def _put_parts(self, parts: Sequence[Part]) -> None:
        self._link.copy_in(f"{self._schema}.tree_part", ("int2", "int8", "bytea"), parts)


class PostgresHeadPages:
    """The heads tree in the transaction of one sealer."""

    def __init__(self, connection: psycopg.Connection[Any], link: Link, schema: str) -> None:
        self._connection = connection
        self._link = link
        self._schema = schema

    def state(self) -> int | None:
        """The number of the seal whose heads these are; None where there are none."""
        found = self._run("SELECT seal FROM {s}.head_state").fetchone()
        return int(found[0]) if found else None

    def pages(self) -> Iterator[HeadPage]:
        """Every page in order, as they were before this transaction."""
        query = f"SELECT {PAGE_COLUMNS} FROM {self._schema}.head_page ORDER BY number"
        for page in self._link.pages(query, (), ("int8", "text", "text", "bytea", "bytea"), _PAGES_AT_ONCE):
            for row in page:
                yield HeadPage(*row)

    def put(self, pages: Iterable[HeadPage]) -> None:
        """Write pages over what is there."""
        query = (
            "INSERT INTO {s}.head_page "
            "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %b::bytea[], %b::bytea[]) "
            "ON CONFLICT (number) DO UPDATE SET first = excluded.first, last = excluded.last, root = excluded.root, "
            "entries = excluded.entries"
        )
        waiting = iter(pages)
        while some := list(islice(waiting, _PAGES_AT_ONCE)):
            self._run(query, [list(column) for column in zip(*some, strict=True)])

    def finish(self, seal: int, pages: int) -> None:
        """These are the heads of that seal, and so many pages."""
        self._run("DELETE FROM {s}.head_page WHERE number >= %s", (pages,))
        self._run(
            "INSERT INTO {s}.head_state VALUES (1, %s) ON CONFLICT (one) DO UPDATE SET seal = excluded.seal", (seal,)
        )

    def _run(self, query: str, values: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        return self._connection.execute(query.format(s=self._schema).encode(), values, binary=True)
