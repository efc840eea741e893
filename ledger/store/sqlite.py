"""The log in an SQLite file: one shard, one connection, made append-only by triggers."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from threading import RLock
from typing import Any

import msgspec

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
    Tip,
    Wanted,
    address,
    addresses,
    by_account,
    chain,
    first_rows,
    no_ledger_at,
)
from ledger.store.sqlite_file import connect, in_plain_words, is_there, statements, to_wal, transaction

_APPLICATION_ID = 0x57415452
_PAGE = 5_000
_JOINED_PAGE = 200
_CACHE_KIB = 32_768
_RANGE = "account > ? AND account <= ?"
_EVENT = "shard, position, account, version, type, state, hash"
_COMMAND = "c.key, c.digest, c.account, c.first, c.last"

# The library's tables lost history to INSERT OR REPLACE and reused the positions of deleted rows, so every statement
# that takes something back aborts, and positions come from `head`, never from the row id.
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE head (shard INTEGER PRIMARY KEY, head INTEGER NOT NULL) STRICT;
CREATE TABLE event (
    shard INTEGER NOT NULL CHECK (shard = 0),
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    version INTEGER NOT NULL,
    type TEXT NOT NULL,
    state BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (account, version, shard)
) STRICT;
CREATE TABLE command (
    shard INTEGER NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    account TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (shard, key)
) STRICT, WITHOUT ROWID;
CREATE VIEW event_as_json AS
    SELECT shard, position, account, version, type, json(CAST(state AS TEXT)) AS data, lower(hex(hash)) AS hash
    FROM event;
CREATE TRIGGER event_once BEFORE INSERT ON event
    WHEN NEW.position <= (SELECT head FROM head)
      OR EXISTS (SELECT 1 FROM event WHERE account = NEW.account AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'this event is recorded already, and the ledger is append-only'); END;
CREATE TRIGGER command_once BEFORE INSERT ON command
    WHEN EXISTS (SELECT 1 FROM command WHERE shard = NEW.shard AND key = NEW.key)
    BEGIN SELECT RAISE(ABORT, 'this command is recorded already, and the ledger is append-only'); END;
CREATE TRIGGER meta_once BEFORE INSERT ON meta WHEN EXISTS (SELECT 1 FROM meta WHERE name = NEW.name)
    BEGIN SELECT RAISE(ABORT, 'this is written once, when the ledger is created'); END;
CREATE TRIGGER head_once BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head)
    BEGIN SELECT RAISE(ABORT, 'the ledger has its head already'); END;
CREATE TRIGGER head_forward BEFORE UPDATE ON head WHEN NEW.shard <> OLD.shard OR NEW.head < OLD.head
    BEGIN SELECT RAISE(ABORT, 'the head of the ledger only moves forward'); END;
CREATE TRIGGER head_kept BEFORE DELETE ON head
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
""" + "".join(
    f"CREATE TRIGGER {table}_{act.lower()}_refused BEFORE {act} ON {table}\n"
    "    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;\n"
    for table in ("meta", "event", "command")
    for act in ("UPDATE", "DELETE")
)


class SQLiteLog:
    """A log in the file `path`; `timeout` is how many seconds a busy file is waited for."""

    shards = 1

    def __init__(self, path: str, *, read_only: bool = False, timeout: int = 10) -> None:
        self.path = path
        self._read_only = read_only
        self._timeout = timeout
        self._lock = RLock()
        self._open: sqlite3.Connection | None = None
        self._origin: str | None = None
        self.chains = Chains()

    def create(
        self, origin: str, created_at: str, meta: Mapping[str, str] | None = None, entries: Sequence[Entry] = ()
    ) -> bool:
        """Create the log with its first events, all or nothing; False, and nothing changed, where there is one."""
        values = {**(meta or {}), "origin": origin, "schema": SCHEMA_VERSION, "created_at": created_at}
        with in_plain_words(self.path), closing(connect(self.path, "rwc", self._timeout)) as db:
            if _is_ledger(db, self.path):
                return False
            to_wal(db, self._timeout)
            db.execute("BEGIN IMMEDIATE")
            if _is_ledger(db, self.path):
                db.execute("ROLLBACK")
                return False
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            for statement in statements(_SCHEMA):
                db.execute(statement)
            db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(values.items()))
            db.executemany(f"INSERT INTO event ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?)", first_rows(origin, entries, 1))
            db.execute("INSERT INTO head SELECT 0, count(*) FROM event")
            db.execute("COMMIT")
        return True

    def exists(self) -> bool:
        """Whether a log stands at this path; raises NotALedger for another kind of file."""
        with self._lock, in_plain_words(self.path):
            if self._open is None and is_there(self.path):
                db = connect(self.path, "ro" if self._read_only else "rw", self._timeout)
                if not self._read_only:
                    # What one batch changes fits, so that no page goes to the disk twice.
                    db.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
                try:
                    self._open = db if _is_ledger(db, self.path) else None
                finally:
                    if self._open is None:
                        db.close()
            return self._open is not None

    @property
    def origin(self) -> str:
        """The name of this log, fixed at its creation; part of every hash."""
        if self._origin is None:
            self._origin = self.meta("origin") or ""
        return self._origin

    def meta(self, name: str) -> str | None:
        """What was written down at creation under `name`."""
        found = self._read("SELECT value FROM meta WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def states(self, account: str) -> list[bytes]:
        """The stored events of one account, by version."""
        return self._states(account, 0)

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """The stored events of each account, by version; of an account in `after` only versions over that one."""
        seen = after or {}
        return {account: self._states(account, seen.get(account, 0)) for account in accounts}

    def rows(self, account: str, after: int = 0) -> list[Row]:
        """The rows of one account with versions over `after`."""
        query = f"SELECT {_EVENT} FROM event WHERE account = ? AND version > ? ORDER BY version"
        return [Row(*row) for row in self._read(query, (account, after))]

    def tip(self, account: str) -> Tip | None:
        """The latest version of an account and its hash; None where it has no events."""
        query = "SELECT version, hash FROM event WHERE account = ? ORDER BY version DESC LIMIT 1"
        found = self._read(query, (account,))
        return Tip(*found[0]) if found else None

    def find(self, keys: Iterable[str], account: str) -> dict[str, Recorded]:
        """The commands recorded under these keys: explicit ids over the whole log, others in the account."""
        return {key: found for (key, _), found in self.find_all((key, account) for key in keys).items()}

    def find_all(self, wanted: Iterable[Wanted]) -> dict[Wanted, Recorded]:
        """The commands recorded under these (key, account) pairs."""
        asked = addresses(wanted, 1)
        query = f"SELECT {_COMMAND} FROM json_each(?) AS w CROSS JOIN command AS c ON c.shard = 0 AND c.key = w.value"
        found = self._read(query, (msgspec.json.encode([key for _, key in asked]).decode(),)) if asked else []
        return {pair: Recorded(pair[0], *rest) for key, *rest in found for pair in asked[0, key]}

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Record events and command keys in one durable transaction and return the events' positions."""
        with self.writing(()) as batch:
            return batch.append(entries, commands)

    @contextmanager
    def writing(self, accounts: Iterable[str] | None) -> Iterator["SQLiteBatch"]:
        """One durable transaction, committed at the end of the block; nobody else writes to the file meanwhile."""
        with self._lock, in_plain_words(self.path):
            db = self._connection()
            with transaction(db):
                batch = SQLiteBatch(self, db)
                yield batch
                if batch.failed:
                    raise Conflict("nothing was recorded, because a part of it collided")
                if batch.tips:
                    db.execute("UPDATE head SET head = ? WHERE shard = 0", (batch.heads[0],))
            self.chains.keep(batch.tips)

    def heads(self) -> dict[int, int]:
        """The last position of every shard."""
        return dict(self._read("SELECT shard, head FROM head", ()))

    def follow(self, after: Mapping[int, int], limit: int, shard: int | None = None) -> list[Row]:
        """At most `limit` rows beyond the position in `after`, by position."""
        if shard:
            return []
        query = f"SELECT {_EVENT} FROM event WHERE position > ? ORDER BY position LIMIT ?"
        return [Row(*row) for row in self._read(query, (after.get(0, 0), limit))]

    def scan(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, list[bytes]]]:
        """Every account over `after`, and at most `until`, with its stored events; in the order of accounts' bytes."""
        query = f"SELECT account, state FROM event WHERE {_RANGE} ORDER BY account, version"
        return by_account(self._pages(query, (after, until or LAST)))

    def scan_joined(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Like `scan`, each account's stored events joined by commas: twice as fast where they are decoded as one."""
        joined = "SELECT account, CAST(group_concat(state, ',') AS BLOB) FROM event"
        query = f"{joined} WHERE {_RANGE} GROUP BY account ORDER BY account"
        values = (after, until or LAST)
        plan = " ".join(step for *_, step in self._read(f"EXPLAIN QUERY PLAN {query}", values))
        # Only along the index are an account's events certain to come by version.
        if "USING INDEX" in plan and "TEMP B-TREE" not in plan:
            for page in self._pages(query, values, _JOINED_PAGE):
                yield from page
        else:
            for account, states in self.scan(after, until):
                yield account, b",".join(states)

    def accounts(self) -> Iterator[str]:
        """Every account with an event, in the order of their bytes."""
        for page in self._pages("SELECT account FROM event WHERE version = 1 ORDER BY account", ()):
            for (account,) in page:
                yield account

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None
            self.chains.forget()

    def _connection(self) -> sqlite3.Connection:
        if not self.exists() or self._open is None:
            raise no_ledger_at(self.path)
        return self._open

    def _states(self, account: str, after: int) -> list[bytes]:
        query = "SELECT state FROM event WHERE account = ? AND version > ? ORDER BY version"
        return [state for (state,) in self._read(query, (account, after))]

    def _read(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, in_plain_words(self.path):
            return self._connection().execute(query, values).fetchall()

    def _pages(self, query: str, values: tuple[object, ...], size: int = _PAGE) -> Iterator[list[tuple[Any, ...]]]:
        self._connection()
        # A connection of its own: one consistent view from the first row to the last, whatever is written meanwhile.
        with in_plain_words(self.path), closing(connect(self.path, "ro", self._timeout)) as db:
            db.execute("PRAGMA mmap_size = 1073741824")
            cursor = db.execute(query, values)
            while page := cursor.fetchmany(size):
                yield page


class SQLiteBatch:
    """Several commands in one transaction."""

    def __init__(self, log: SQLiteLog, db: sqlite3.Connection) -> None:
        self._log = log
        self._db = db
        self.heads = log.heads()
        if 0 not in self.heads:
            raise StoreError(f"{log.path} lacks the head of its events (restore a copy, or run 'audit verify')")
        self.tips: dict[str, Tip] = {}
        self.failed = False

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """The stored events of each account, by version; an account without events has an empty list."""
        return self._log.load(accounts, after)

    def find(self, wanted: Iterable[Wanted]) -> dict[Wanted, Recorded]:
        """The commands recorded under these (key, account) pairs."""
        return self._log.find_all(wanted)

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Add events and command keys and return the events' positions; raises Conflict."""
        tips, unknown = self._log.chains.known(entries, self.tips)
        for account in unknown:
            if tip := self._log.tip(account):
                tips[account] = tip
        hashes = chain(self._log.origin, entries, tips)
        head = self.heads[0]
        positions = list(range(head + 1, head + len(entries) + 1))
        events = [(0, position, *entry, hash) for position, entry, hash in zip(positions, entries, hashes, strict=True)]
        keys = sorted(
            [
                (address(key, account, 1)[1], digest, account, first, last)
                for pairs, account, first, last in commands
                for key, digest in pairs
            ]
        )
        try:
            self._db.executemany("INSERT INTO command VALUES (0, ?, ?, ?, ?, ?)", keys)
            self._db.executemany(f"INSERT INTO event ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?)", events)
        except sqlite3.IntegrityError:
            self.failed = True
            raise Conflict("one of these events or commands is recorded already") from None
        self.heads[0] = head + len(entries)
        self.tips.update(tips)
        return positions


def _is_ledger(db: sqlite3.Connection, path: str) -> bool:
    # In this order: a ledger that comes into being between the two readings has its mark in the second.
    has_tables = db.execute("SELECT 1 FROM sqlite_master").fetchone()
    if db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        if has_tables:
            raise NotALedger(f"{path} is an SQLite file, but not a ledger (name another file with --db)")
        return False
    (version,) = db.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone() or ("unknown",)
    if version != SCHEMA_VERSION:
        raise NotALedger(
            f"{path} has storage format {version}, and this version reads format {SCHEMA_VERSION} "
            "(use the version that wrote it)"
        )
    return True
