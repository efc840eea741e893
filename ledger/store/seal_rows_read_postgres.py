"""The events and command keys on a server, as whoever seals or audits them reads them: rows as they are stored."""

from collections.abc import Iterator, Sequence
from typing import Any

from ledger.store.postgres_link import Link
from ledger.store.seal_rows import EXPLICIT_KEYS, Head, LeafEvent, Mark, Span, StoredCommand, StoredEvent, after_all

_ROWS = 5_000
_STATES = 500
_SORTING = "; SET work_mem = '64MB'; SET jit = off"


class PostgresReadings:
    """Reads the ledger in the schema of that name, reached by `link`."""

    def __init__(self, link: Link, schema: str) -> None:
        self.place = link.place
        self._link = link
        self._schema = schema

    def hashes(self, shard: int, after: int, until: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Pages of positions and event hashes of a shard, over `after` and at most `until`, by position."""
        where = "FROM {s}.event WHERE shard = %s AND position > %s AND position <= %s"
        while after < until:
            # Positions have no gaps: a page of them is a range, which the primary key finds without sorting anything.
            high = min(after + _ROWS, until)
            if page := self._read(f"SELECT position, hash {where} ORDER BY position", (shard, after, high)):
                yield page
            else:
                # A gap there is all the same may be as wide as a damaged position says.
                ((following,),) = self._read(f"SELECT min(position) {where}", (shard, high, until))
                high = following - 1 if following else until
            after = high

    def stored(self, after: str, until: str) -> Iterator[Sequence[StoredEvent]]:
        """Pages of the events of accounts over `after` and at most `until`, by account and version."""
        query = (
            "SELECT shard, position, convert_to(account, 'UTF8'), version, convert_to(type, 'UTF8'), state, hash "
            f"FROM {self._schema}.event WHERE account > %s AND account <= %s ORDER BY account, version"
        )
        types = ("int2", "int8", "bytea", "int8", "bytea", "bytea", "bytea")
        return self._link.pages(query, (after, until), types, _STATES, settings=_SORTING)

    def recorded(self, spans: Sequence[Span]) -> Iterator[Sequence[LeafEvent]]:
        """Pages of the events at these positions, span after span and by position."""
        # Each span is read along the primary key, one after the other: nothing is sorted.
        query = (
            "SELECT e.position, convert_to(e.account, 'UTF8'), e.version, convert_to(e.type, 'UTF8'), e.state, e.hash "
            "FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS r(shard, low, high, place) "
            f"CROSS JOIN LATERAL (SELECT * FROM {self._schema}.event WHERE shard = r.shard AND position > r.low "
            "AND position <= r.high ORDER BY position) AS e ORDER BY r.place"
        )
        columns = [list(column) for column in zip(*spans, strict=True)]
        types = ("int8", "bytea", "int8", "bytea", "bytea", "bytea")
        return self._link.pages(query, columns, types, _STATES, settings="; SET jit = off") if spans else iter(())

    def reached(self) -> list[int]:
        """The last position of every shard at which an event stands; 0 where none does."""
        last = "SELECT max(position) FROM {s}.event AS e WHERE e.shard = h.shard"
        return [last for (last,) in self._read(f"SELECT coalesce(({last}), 0) FROM {{s}}.head AS h ORDER BY shard")]

    def count(self) -> int:
        """How many events there are, wherever they stand."""
        return int(self._read("SELECT count(*) FROM {s}.event")[0][0])

    def strays(self) -> bool:
        """Whether an event stands where no shard's head reaches."""
        query = (
            "SELECT 1 FROM {s}.event WHERE shard < 0 OR shard > (SELECT max(shard) FROM {s}.head) UNION ALL "
            "SELECT 1 FROM {s}.head AS h WHERE EXISTS (SELECT 1 FROM {s}.event AS e WHERE e.shard = h.shard AND "
            "e.position < 1) OR EXISTS (SELECT 1 FROM {s}.event AS e WHERE e.shard = h.shard AND e.position > h.head) "
            "LIMIT 1"
        )
        return bool(self._read(query))

    def before(self, shard: int, events: Sequence[tuple[bytes, int]]) -> list[tuple[int, bytes] | None]:
        """Position and hash of the events of these accounts and versions in a shard."""
        query = (
            "SELECT e.position, e.hash FROM unnest(%s::text[], %s::bigint[]) WITH ORDINALITY AS r(account, version, n) "
            "LEFT JOIN {s}.event AS e ON e.account = r.account AND e.version = r.version AND e.shard = %s ORDER BY r.n"
        )
        wanted = [account.decode() for account, _ in events], [version for _, version in events], shard
        return [(place, hash) if hash else None for place, hash in self._read(query, wanted)]

    def states(self, account: str) -> Iterator[Sequence[tuple[int, bytes]]]:
        """Pages of the versions and stored bytes of one account, by version."""
        query = f"SELECT version, state FROM {self._schema}.event WHERE account = %s ORDER BY version"
        return self._link.pages(query, (account,), ("int8", "bytea"), _STATES)

    def lengths(self, low: Mark, high: Mark) -> Iterator[Sequence[tuple[bytes, int]]]:
        """Pages of the accounts over `low` and at most `high`, each with its last version."""
        query = (
            "SELECT convert_to(account, 'UTF8'), max(version) FROM {s}.event WHERE shard > %s AND shard <= %s "
            "GROUP BY account"
        )
        yield self._read(query, (low[0], high[0]))

    def commands(self, low: Mark, high: Mark) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys of accounts over `low` and at most `high`, by shard and key; no explicit ids."""
        where = f"(c.shard, key) > (%s, %s) AND (c.shard, key) <= (%s, %s) AND NOT {EXPLICIT_KEYS}"
        return self._commands(where, (*after_all(low), *after_all(high)))

    def explicit_commands(self) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys that are explicit ids."""
        return self._commands(EXPLICIT_KEYS, ())

    def explicit_count(self) -> int:
        """How many command keys are explicit ids with a digest as long as it has to be."""
        return int(
            self._read(f"SELECT count(*) FROM {{s}}.command WHERE {EXPLICIT_KEYS} AND length(digest) = 32")[0][0]
        )

    def explicit(self, keys: Sequence[tuple[int, str]]) -> dict[str, tuple[bytes, int, int]]:
        """Account, first and last version of the commands under these shards and keys, where there are such."""
        query = (
            "SELECT key, convert_to(account, 'UTF8'), first, last "
            "FROM unnest(%s::bigint[], %s::text[]) AS r(shard, key) JOIN {s}.command USING (shard, key)"
        )
        found = self._read(query, ([shard for shard, _ in keys], [key for _, key in keys]))
        return {key: (account, first, last) for key, account, first, last in found}

    def _commands(self, where: str, values: Sequence[object]) -> Iterator[Sequence[StoredCommand]]:
        s = self._schema
        query = (
            "SELECT c.shard, convert_to(key, 'UTF8'), digest, convert_to(c.account, 'UTF8'), first, last, a.state, "
            f"b.state FROM {s}.command AS c LEFT JOIN {s}.event AS a ON a.account = c.account AND a.version = first "
            f"LEFT JOIN {s}.event AS b ON b.account = c.account AND b.version = nullif(last, first) "
            f"WHERE {where} ORDER BY c.shard, key"
        )
        types = ("int2", "bytea", "bytea", "bytea", "int8", "int8", "bytea", "bytea")
        return self._link.pages(query, values, types, _STATES, settings=_SORTING)

    def accounts(self) -> Iterator[str]:
        """The accounts, by account."""
        query = f"SELECT account FROM {self._schema}.event WHERE version = 1 ORDER BY account"
        for page in self._link.pages(query, (), ("text",), _ROWS):
            for (account,) in page:
                yield account

    def event_at(self, shard: int, position: int) -> tuple[str, int] | None:
        """The account and version of the event at a position."""
        query = "SELECT account, version FROM {s}.event WHERE shard = %s AND position = %s"
        found = self._read(query, (shard, position))
        return (found[0][0], found[0][1]) if found else None

    def heads(self) -> list[int]:
        """The last position of every shard."""
        return [head for (head,) in self._read("SELECT head FROM {s}.head ORDER BY shard")]

    def changed(self, after: Sequence[int], until: Sequence[int]) -> Iterator[Head]:
        """The last event of each account with one over the heads `after` and at most `until`, by account."""
        query = (
            "SELECT DISTINCT ON (account) e.account, e.version, e.hash "
            "FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS r(low, high, shard) "
            "JOIN {s}.event AS e ON e.shard = r.shard - 1 AND e.position > r.low AND e.position <= r.high "
            "ORDER BY e.account, e.version DESC"
        )
        moved = [list(after), list(until)]
        for page in self._link.pages(
            query.format(s=self._schema), moved, ("text", "int8", "bytea"), _ROWS, settings=_SORTING
        ):
            for row in page:
                yield Head(*row)

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._link.read(query.format(s=self._schema), values)
