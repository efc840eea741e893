"""Seals in the ledger's own SQLite file; the heads tree, which can be made anew, in a file beside it."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from ledger.store.log import StoreUnavailable
from ledger.store.seal_rows import APPEND_ONLY, PAGE_COLUMNS, SEAL_COLUMNS, HeadPage, Part, Plan, SealKey, SealRow
from ledger.store.seal_rows_read_sqlite import SQLiteReadings
from ledger.store.sqlite_file import HEADS, connect, in_plain_words, is_there, statements, to_wal, transaction

_SCHEMA = """
CREATE TABLE seal_key (number INTEGER PRIMARY KEY, since INTEGER NOT NULL, vkey TEXT NOT NULL, handover TEXT NOT NULL)
    STRICT;
CREATE TABLE seal_plan (
    number INTEGER PRIMARY KEY, sealed_at INTEGER NOT NULL, first_leaf INTEGER NOT NULL, heads BLOB NOT NULL
) STRICT;
CREATE TABLE seal (
    number INTEGER PRIMARY KEY,
    sealed_at INTEGER NOT NULL,
    first_leaf INTEGER NOT NULL,
    heads BLOB NOT NULL,
    events INTEGER NOT NULL,
    accounts INTEGER NOT NULL,
    heads_root BLOB NOT NULL,
    previous BLOB NOT NULL,
    size INTEGER NOT NULL UNIQUE,
    root BLOB NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE seal_note (number INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE tree_part (
    level INTEGER NOT NULL, first INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, first)
) STRICT;
CREATE TRIGGER seal_once BEFORE INSERT ON seal WHEN EXISTS (SELECT 1 FROM seal WHERE number >= NEW.number)
    OR EXISTS (SELECT 1 FROM seal WHERE size >= NEW.size)
    BEGIN SELECT RAISE(ABORT, 'this is sealed already, and seals are append-only'); END;
CREATE TRIGGER tree_part_once BEFORE INSERT ON tree_part
    WHEN EXISTS (SELECT 1 FROM tree_part WHERE level = NEW.level AND first = NEW.first)
    BEGIN SELECT RAISE(ABORT, 'these hashes are kept already, and the tree is append-only'); END;
""" + "".join(
    f"CREATE TRIGGER {table}_{act.lower()}_refused BEFORE {act} ON {table}{when}\n"
    "    BEGIN SELECT RAISE(ABORT, 'seals are append-only'); END;\n"
    for table in APPEND_ONLY
    for act, when in [
        ("UPDATE", ""),
        ("DELETE", ""),
        *(
            [("INSERT", f" WHEN EXISTS (SELECT 1 FROM {table} WHERE number >= NEW.number)")]
            if table in ("seal_key", "seal_plan", "seal_note")
            else []
        ),
    ]
)

_HEADS_SCHEMA = """
CREATE TABLE IF NOT EXISTS head_page (
    number INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL, root BLOB NOT NULL, entries BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS head_page_first ON head_page (first);
CREATE TABLE IF NOT EXISTS head_state (one INTEGER PRIMARY KEY CHECK (one = 1), seal INTEGER NOT NULL) STRICT;
"""


class SQLiteSealRows(SQLiteReadings):
    """The seals in the ledger at `path`."""

    @property
    def _heads_path(self) -> str:
        return self.place.removesuffix(".db") + HEADS

    def exists(self) -> bool:
        """Whether the tables were made."""
        return bool(self._read("SELECT 1 FROM sqlite_master WHERE name = 'seal_note'"))

    def create(self) -> None:
        """Make the tables where there are none; creators that start together wait for each other."""
        with self._writing() as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'seal_note'").fetchone():
                for statement in statements(_SCHEMA):
                    db.execute(statement)

    def keys(self) -> list[SealKey]:
        """The log's keys, the first to the current one."""
        return [SealKey(*row) for row in self._read("SELECT number, since, vkey, handover FROM seal_key ORDER BY 1")]

    def add_key(self, key: SealKey) -> None:
        """Write down a key; raises Conflict where another came first."""
        with self._writing() as db:
            db.execute("INSERT INTO seal_key VALUES (?, ?, ?, ?)", key)

    def seals(self, after: int = 0) -> list[SealRow]:
        """The seals with numbers over `after`."""
        query = f"SELECT {SEAL_COLUMNS} FROM seal WHERE number > ? ORDER BY number"
        return [SealRow(*row) for row in self._read(query, (after,))]

    def last(self) -> SealRow | None:
        """The latest seal, signed or not."""
        found = self._read(f"SELECT {SEAL_COLUMNS} FROM seal ORDER BY number DESC LIMIT 1")
        return SealRow(*found[0]) if found else None

    def note(self, number: int) -> str | None:
        """The signed note of a seal; None where it was not signed yet."""
        found = self._read("SELECT note FROM seal_note WHERE number = ?", (number,))
        return str(found[0][0]) if found else None

    def plan(self) -> Plan | None:
        """The latest plan."""
        query = "SELECT number, sealed_at, first_leaf, heads FROM seal_plan ORDER BY number DESC LIMIT 1"
        found = self._read(query)
        return Plan(*found[0]) if found else None

    def plans(self) -> int:
        """How many plans were made."""
        return int(self._read("SELECT count(*) FROM seal_plan")[0][0])

    def make_plan(self, decide: Callable[[list[int]], Plan | None]) -> Plan | None:
        """Write down what `decide` makes of the heads of all shards, while nobody appends."""
        with self._writing() as db:
            plan = decide([head for (head,) in db.execute("SELECT head FROM head ORDER BY shard")])
            if plan:
                db.execute("INSERT INTO seal_plan VALUES (?, ?, ?, ?)", plan)
        return plan

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Write down hashes of the tree."""
        with self._writing() as db:
            db.executemany("INSERT INTO tree_part VALUES (?, ?, ?)", parts)

    def add_seal(self, seal: SealRow, parts: Sequence[Part]) -> None:
        """Write down a seal with its own leaf."""
        with self._writing() as db:
            db.executemany("INSERT INTO tree_part VALUES (?, ?, ?)", parts)
            db.execute(f"INSERT INTO seal ({SEAL_COLUMNS}) VALUES ({', '.join('?' * len(seal))})", seal)

    def add_note(self, number: int, note: str) -> None:
        """Write down the signed note of a seal."""
        with self._writing() as db:
            db.execute("INSERT INTO seal_note VALUES (?, ?)", (number, note))

    def parts(self, level: int, low: int, high: int) -> list[Part]:
        """The hashes of a level that begin from `low` on and before `high`, which are the first of tiles."""
        query = "SELECT level, first, hashes FROM tree_part WHERE level = ? AND first >= ? AND first < ? ORDER BY first"
        return [Part(*row) for row in self._read(query, (level, low, high))]

    def leaves_written(self) -> int:
        """How many leaves the tree has, those of an unfinished seal too."""
        query = "SELECT first, length(hashes) FROM tree_part WHERE level = 0 ORDER BY first DESC LIMIT 1"
        return sum(first + length // 32 for first, length in self._read(query))

    def leaves_kept(self) -> int:
        """How many hashes of leaves the tree keeps, wherever they stand."""
        return int(self._read("SELECT coalesce(sum(length(hashes)), 0) FROM tree_part WHERE level = 0")[0][0]) // 32

    @contextmanager
    def sealing(self) -> Iterator["SQLiteHeadPages"]:
        """One sealer at a time, else StoreUnavailable is raised; the heads are kept if the block ends well."""
        with in_plain_words(self._heads_path), closing(connect(self._heads_path, "rwc", self._timeout)) as db:
            to_wal(db, self._timeout)
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                raise StoreUnavailable(
                    f"{self.place} is being sealed by another program (wait for it, or run the command again)"
                ) from None
            try:
                for statement in statements(_HEADS_SCHEMA):
                    db.execute(statement)
                yield SQLiteHeadPages(db, self._heads_path, self._timeout)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def heads_of(self) -> int | None:
        """The number of the seal whose heads tree is kept."""
        found = self._ask_heads("SELECT seal FROM head_state")
        return int(found[0][0]) if found else None

    def page_of(self, account: str) -> HeadPage | None:
        """The last page that begins at or before this account."""
        query = f"SELECT {PAGE_COLUMNS} FROM head_page WHERE first <= ? ORDER BY first DESC LIMIT 1"
        found = self._ask_heads(query, (account,))
        return HeadPage(*found[0]) if found else None

    def page(self, number: int) -> HeadPage | None:
        """A page by its number."""
        found = self._ask_heads(f"SELECT {PAGE_COLUMNS} FROM head_page WHERE number = ?", (number,))
        return HeadPage(*found[0]) if found else None

    def page_roots(self) -> list[bytes]:
        """The root of every page, in order."""
        return [root for (root,) in self._ask_heads("SELECT root FROM head_page ORDER BY number")]

    def _ask_heads(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if not is_there(self._heads_path):
            return []
        with in_plain_words(self._heads_path), closing(connect(self._heads_path, "ro", self._timeout)) as db:
            made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'head_state'").fetchone()
            return db.execute(query, values).fetchall() if made else []

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with in_plain_words(self.place):
            db = self._connection()
            with transaction(db):
                yield db


class SQLiteHeadPages:
    """The heads tree in the transaction of one sealer."""

    def __init__(self, db: sqlite3.Connection, path: str, timeout: int) -> None:
        self._db = db
        self._path = path
        self._timeout = timeout

    def state(self) -> int | None:
        """The number of the seal whose heads these are; None where there are none."""
        found = self._db.execute("SELECT seal FROM head_state").fetchone()
        return int(found[0]) if found else None

    def pages(self) -> Iterator[HeadPage]:
        """Every page in order, as they were before this transaction."""
        with in_plain_words(self._path), closing(connect(self._path, "ro", self._timeout)) as db:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'head_page'").fetchone():
                for row in db.execute(f"SELECT {PAGE_COLUMNS} FROM head_page ORDER BY number"):
                    yield HeadPage(*row)

    def put(self, pages: Iterable[HeadPage]) -> None:
        """Write pages over what is there."""
        self._db.executemany(f"INSERT OR REPLACE INTO head_page ({PAGE_COLUMNS}) VALUES (?, ?, ?, ?, ?)", pages)

    def finish(self, seal: int, pages: int) -> None:
        """These are the heads of that seal, and so many pages."""
        self._db.execute("DELETE FROM head_page WHERE number >= ?", (pages,))
        self._db.execute("INSERT OR REPLACE INTO head_state VALUES (1, ?)", (seal,))
