"""The log in PostgreSQL: 64 shards that commit side by side, and one for the utility's own stream."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain as links
from typing import Any

from ledger.store.log import (
    LAST,
    SCHEMA_VERSION,
    Chains,
    CommandRow,
    Conflict,
    Entry,
    NotALedger,
    Recorded,
    Row,
    StoreError,
    StoreUnavailable,
    Tip,
    Wanted,
    address,
    addresses,
    by_account,
    chain,
    first_rows,
    no_ledger_at,
    shard_of,
)
from ledger.store.postgres_link import Link, Lost
from ledger.store.postgres_roles import create_roles
from ledger.store.postgres_schema import SHARDS, TABLES, creation_lock

_PAGE = 5_000
_JOINED_PAGE = 200
_AT_ONCE = 8
"""Events, and command keys, that go in one statement; more go by COPY."""

StoredKey = tuple[int, str, bytes, str, int, int]

_EVENT = "e.shard, e.position, e.account, e.version, e.type, e.state, e.hash"
_RANGE = "account > %s AND account <= %s"
_EVENT_TYPES = ("int2", "int8", "text", "int8", "text", "bytea", "bytea")
_COMMAND_TYPES = ("int2", "text", "bytea", "text", "int8", "int8")


class PostgresLog:
    """A log in the schema of that name, reached by `link`."""

    shards = SHARDS

    def __init__(self, link: Link, schema: str) -> None:
        self.link = link
        self.schema = schema
        self.chains = Chains()
        self._origin: str | None = None
        self._session = 0

    def create(
        self, origin: str, created_at: str, meta: Mapping[str, str] | None = None, entries: Sequence[Entry] = ()
    ) -> bool:
        """Create the log with its first events, all or nothing; False, and nothing changed, where there is one."""
        if self.exists():
            return False
        values = {**(meta or {}), "origin": origin, "schema": SCHEMA_VERSION, "created_at": created_at}
        rights = create_roles(self.link)
        with self.link.transaction():
            # Creators that start together would collide in the catalogue; they wait for each other here.
            self.link.run("SELECT pg_advisory_xact_lock(%s, %s)", creation_lock(self.schema))
            if self.exists():
                return False
            self.link.script(TABLES.format(s=self.schema))
            for name, value in sorted(values.items()):
                self._run("INSERT INTO {s}.meta VALUES (%s, %s)", (name, value))
            self.link.copy_in(f"{self.schema}.event", _EVENT_TYPES, first_rows(origin, entries, SHARDS))
            heads = "SELECT n, (SELECT count(*) FROM {s}.event WHERE shard = n) FROM generate_series(0, %s) AS n"
            self._run(f"INSERT INTO {{s}}.head {heads}", (SHARDS,))
            if rights:
                self.link.script(rights.format(s=self.schema))
        return True

    def exists(self) -> bool:
        """Whether a log stands in this schema; raises NotALedger for another kind of table, StoreUnavailable."""
        if not self.link.has_table(self.schema, "event"):
            return False
        version = self.meta("schema")
        if version != SCHEMA_VERSION:
            raise NotALedger(
                f"{self.link.place} has storage format {version or 'unknown'}, and this version reads format "
                f"{SCHEMA_VERSION} (use the version that wrote it)"
            )
        return True

    @property
    def origin(self) -> str:
        """The name of this log, fixed at its creation; part of every hash."""
        if self._origin is None:
            if not self.exists():
                raise no_ledger_at(self.link.place)
            self._origin = self.meta("origin") or ""
        return self._origin

    def meta(self, name: str) -> str | None:
        """What was written down at creation under `name`."""
        found = self._read("SELECT value FROM {s}.meta WHERE name = %s", (name,))
        return str(found[0][0]) if found else None

    def states(self, account: str) -> list[bytes]:
        """The stored events of one account, by version."""
        found = self._read("SELECT state, hash FROM {s}.event WHERE account = %s ORDER BY version", (account,))
        if found:
            self.chains.keep({account: Tip(len(found), found[-1][1])})
        return [state for state, _ in found]

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """The stored events of each account, by version; of an account in `after` only versions over that one."""
        seen = {account: (after or {}).get(account, 0) for account in accounts}
        loaded: dict[str, list[bytes]] = {account: [] for account in seen}
        if len(seen) <= _AT_ONCE:
            # A single command appends to what it loads, and spares a round trip if the tips come along.
            few = "SELECT account, version, state, hash FROM {s}.event WHERE account = %s AND version > %s"
            query, values = " UNION ALL ".join([few] * len(seen)), [*links(*seen.items())]
        else:
            query, values = "SELECT account, version, state, NULL FROM {s}.event WHERE account = ANY(%s)", [list(seen)]
        last: dict[str, Tip] = {}
        for account, version, state, hash in self._read(f"{query} ORDER BY 1, 2", values) if seen else ():
            if version > seen[account]:
                loaded[account].append(state)
                last[account] = Tip(version, hash)
        self.chains.keep({account: tip for account, tip in last.items() if tip.hash})
        return loaded

    def rows(self, account: str, after: int = 0) -> list[Row]:
        """The rows of one account with versions over `after`."""
        query = f"SELECT {_EVENT} FROM {{s}}.event AS e WHERE account = %s AND version > %s ORDER BY version"
        return [Row(*row) for row in self._read(query, (account, after))]

    def tip(self, account: str) -> Tip | None:
        """The latest version of an account and its hash; None where it has no events."""
        return self.tips_of([account]).get(account)

    def tips_of(self, accounts: Sequence[str]) -> dict[str, Tip]:
        """The tips of these accounts, those without events left out."""
        query = (
            "SELECT e.account, e.version, e.hash FROM unnest(%s::text[]) AS a(account), "
            "LATERAL (SELECT * FROM {s}.event WHERE account = a.account ORDER BY version DESC LIMIT 1) AS e"
        )
        found = self._read(query, (list(accounts),)) if accounts else []
        return {account: Tip(version, hash) for account, version, hash in found}

    def find(self, keys: Iterable[str], account: str) -> dict[str, Recorded]:
        """The commands recorded under these keys: explicit ids over the whole log, others in the account."""
        return {key: found for (key, _), found in self.find_all((key, account) for key in keys).items()}

    def find_all(self, wanted: Iterable[Wanted]) -> dict[Wanted, Recorded]:
        """The commands recorded under these (key, account) pairs."""
        asked = addresses(wanted, SHARDS)
        query = (
            "SELECT c.shard, c.key, c.digest, c.account, c.first, c.last "
            "FROM unnest(%s::smallint[], %s::text[]) AS w(shard, key) JOIN {s}.command AS c USING (shard, key)"
        )
        shards, keys = [shard for shard, _ in asked], [key for _, key in asked]
        found = self._read(query, (shards, keys)) if asked else []
        return {pair: Recorded(pair[0], *rest) for shard, key, *rest in found for pair in asked[shard, key]}

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Record events and command keys in one durable transaction and return the events' positions."""
        keys = command_rows(commands)
        accounts = {entry.account for entry in entries}
        if max(len(entries), len(keys)) > _AT_ONCE or len(accounts) != 1:
            with self.writing(accounts) as batch:
                return batch.put(entries, keys)
        tips, hashes = self.hashes(entries, {})
        (account,) = accounts
        shard = shard_of(account, SHARDS)
        events = [(*entry, hash) for entry, hash in zip(entries, hashes, strict=True)]
        values = (len(entries), shard, *links(*keys), shard, len(entries), *links(*events))
        try:
            found = self._run(_append_statement(len(entries), len(keys)), tuple(values))
            if not found:
                raise self._headless()
            last: int = max(position for (position,) in found)
        except Lost:
            last = self._landed(shard, account, tips[account])
        self.chains.keep(tips)
        return list(range(last - len(entries) + 1, last + 1))

    @contextmanager
    def writing(self, accounts: Iterable[str] | None) -> Iterator["PostgresBatch"]:
        """One durable transaction that holds the shards of these accounts (None: all), taken in ascending order."""
        shards = range(SHARDS + 1) if accounts is None else sorted({shard_of(a, SHARDS) for a in accounts})
        batch = None
        try:
            with self.link.transaction():
                query = "SELECT shard, head FROM {s}.head WHERE shard = ANY(%s) ORDER BY shard FOR UPDATE"
                heads = dict(self._run(query, (list(shards),)))
                if len(heads) != len(shards):
                    raise self._headless()
                batch = PostgresBatch(self, heads)
                yield batch
                batch.move_heads()
        except Lost:
            # The transaction is there as a whole or not at all, so that one of its events tells.
            if batch is None:
                raise
            if not batch.complete or not batch.tips:
                raise self._undone() from None
            account, tip = next(iter(batch.tips.items()))
            self._landed(shard_of(account, SHARDS), account, tip)
        self.chains.keep(batch.tips)

    def heads(self) -> dict[int, int]:
        """The last position of every shard."""
        return dict(self._read("SELECT shard, head FROM {s}.head ORDER BY shard"))

    def follow(self, after: Mapping[int, int], limit: int, shard: int | None = None) -> list[Row]:
        """At most `limit` rows beyond the positions in `after`, by shard and position."""
        ranges: list[tuple[int, int, int]] = []
        for number, head in self.heads().items():
            seen = after.get(number, 0)
            if seen < head and limit > 0 and shard in (None, number):
                # Positions have no gaps, so that the heads tell which rows are the next ones.
                ranges.append((number, seen, min(head, seen + limit)))
                limit -= ranges[-1][2] - seen
        query = (
            f"SELECT {_EVENT} FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS r(shard, low, high) "
            "JOIN {s}.event AS e ON e.shard = r.shard AND e.position > r.low AND e.position <= r.high "
            "ORDER BY e.shard, e.position"
        )
        columns = [list(column) for column in zip(*ranges, strict=True)]
        return [Row(*row) for row in self._read(query, columns)] if ranges else []

    def scan(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, list[bytes]]]:
        """Every account over `after`, and at most `until`, with its stored events; in the order of accounts' bytes."""
        query = f"SELECT account, state FROM {{s}}.event WHERE {_RANGE} ORDER BY account, version"
        return by_account(self._pages(query, (after, until or LAST), ("text", "bytea")))

    def scan_joined(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Like `scan`, each account's stored events joined by commas: twice as fast where they are decoded as one."""
        query = (
            "SELECT account, string_agg(state, ',' ORDER BY version) FROM {s}.event WHERE "
            + _RANGE
            + " GROUP BY account"
        )
        for page in self._pages(query, (after, until or LAST), ("text", "bytea"), _JOINED_PAGE):
            yield from page

    def accounts(self) -> Iterator[str]:
        """Every account with an event, in the order of their bytes."""
        query = "SELECT account FROM {s}.event WHERE version = 1 ORDER BY account"
        for page in self._pages(query, (), ("text",)):
            for (account,) in page:
                yield account

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        self.link.close()
        self.chains.forget()

    def hashes(self, entries: Sequence[Entry], own: Mapping[str, Tip]) -> tuple[dict[str, Tip], list[bytes]]:
        """The tips after `entries`, and the chain hash of each; raises Conflict."""
        if self._session != self.link.sessions:
            # Behind a new connection may stand another server, which lost what this one had seen.
            self.chains.forget()
            self._session = self.link.sessions
        tips, unknown = self.chains.known(entries, own)
        tips.update(self.tips_of(unknown))
        return tips, chain(self.origin, entries, tips)

    def _landed(self, shard: int, account: str, tip: Tip) -> int:
        """The position of an event whose COMMIT was not answered; raises Conflict where it was not recorded."""
        try:
            with self.link.transaction():
                # A server that still works on the lost transaction holds the head: wait for it, then look.
                self._run("SELECT head FROM {s}.head WHERE shard = %s FOR UPDATE", (shard,))
                query = "SELECT position FROM {s}.event WHERE account = %s AND version = %s AND hash = %s"
                found = self._run(query, (account, tip.version, tip.hash))
        except StoreUnavailable:
            raise StoreUnavailable(
                f"the connection to {self.link.place} was lost, and whether this was recorded is not known "
                "(run the same command again: it takes effect once)"
            ) from None
        if not found:
            raise self._undone()
        return int(found[0][0])

    def _headless(self) -> StoreError:
        return StoreError(f"{self.link.place} lacks the head of a shard (restore a copy, or run 'audit verify')")

    def _undone(self) -> Conflict:
        return Conflict(f"the connection to {self.link.place} was lost before anything was recorded")

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.link.read(query.format(s=self.schema), values)

    def _pages(
        self, query: str, values: Sequence[object], types: Sequence[str], size: int = _PAGE
    ) -> Iterator[list[tuple[Any, ...]]]:
        return self.link.pages(query.format(s=self.schema), values, types, size)

    def _run(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.link.run(query.format(s=self.schema), values)


class PostgresBatch:
    """Several commands in one transaction that holds the heads of their shards."""

    def __init__(self, log: PostgresLog, heads: dict[int, int]) -> None:
        self._log = log
        self._held = dict(heads)
        self.heads = heads
        self.tips: dict[str, Tip] = {}
        self.complete = False

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """The stored events of each account, by version; an account without events has an empty list."""
        return self._log.load(accounts, after)

    def find(self, wanted: Iterable[Wanted]) -> dict[Wanted, Recorded]:
        """The commands recorded under these (key, account) pairs, in one round trip."""
        return self._log.find_all(wanted)

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Add events and command keys and return the events' positions; raises Conflict."""
        return self.put(entries, command_rows(commands))

    def put(self, entries: Sequence[Entry], keys: Iterable[StoredKey]) -> list[int]:
        """Add events and stored command keys; see `append`."""
        tips, hashes = self._log.hashes(entries, self.tips)
        positions, events = [], []
        for entry, hash in zip(entries, hashes, strict=True):
            shard = shard_of(entry.account, SHARDS)
            self.heads[shard] += 1
            positions.append(self.heads[shard])
            events.append((shard, self.heads[shard], *entry, hash))
        link, schema = self._log.link, self._log.schema
        link.copy_in(f"{schema}.command", _COMMAND_TYPES, keys)
        link.copy_in(f"{schema}.event", _EVENT_TYPES, events)
        self.tips.update(tips)
        return positions

    def move_heads(self) -> None:
        """Move the shards' heads to the last position taken; the last step before the commit."""
        moved = {shard: head for shard, head in self.heads.items() if head != self._held[shard]}
        query = (
            f"UPDATE {self._log.schema}.head AS h SET head = u.head "
            "FROM unnest(%s::smallint[], %s::bigint[]) AS u(shard, head) WHERE h.shard = u.shard"
        )
        if moved:
            self._log.link.run(query, (list(moved), list(moved.values())))
        self.complete = True


@cache
def _append_statement(events: int, keys: int) -> str:
    """One statement that moves the shard's head and inserts so many events and command keys."""
    key = "(%s::smallint, %s::text, %b::bytea, %s::text, %s::bigint, %s::bigint)"
    event = "(%s::text, %s::bigint, %s::text, %b::bytea, %b::bytea, {})"
    key_rows = f"VALUES {', '.join([key] * keys)}"
    event_rows = f"VALUES {', '.join(event.format(number + 1) for number in range(events))}"
    insert_keys = f", k AS (INSERT INTO {{s}}.command SELECT c.* FROM h, ({key_rows}) AS c)" if keys else ""
    return (
        "WITH h AS (UPDATE {s}.head SET head = head + %s WHERE shard = %s RETURNING head)"
        f"{insert_keys} INSERT INTO {{s}}.event "
        "SELECT %s, h.head - %s + e.number, e.account, e.version, e.type, e.state, e.hash "
        f"FROM h, ({event_rows}) AS e(account, version, type, state, hash, number) RETURNING position"
    )


def command_rows(commands: Iterable[CommandRow]) -> list[StoredKey]:
    """Command rows as stored, in the order in which every writer takes them, lest two wait for each other."""
    return sorted(
        (*address(key, account, SHARDS), digest, account, first, last)
        for keys, account, first, last in commands
        for key, digest in keys
    )
