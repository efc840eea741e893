"""SQLite files: opened durably, their errors told in plain words."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.store.log import Conflict, NotALedger, StoreError, StoreUnavailable

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "stayed busy: another program is writing to it (run the command again)",
    sqlite3.SQLITE_LOCKED: "stayed busy: another program is writing to it (run the command again)",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened (check that its folder exists and that you may read and write there)",
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error (check the disk, then run it again)",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full, and nothing was recorded (make room, then run it again)",
    sqlite3.SQLITE_READONLY: "may only be read (check the permissions of the file and its folder)",
    sqlite3.SQLITE_PERM: "may not be opened (check its permissions)",
    sqlite3.SQLITE_AUTH: "may not be opened (check its permissions)",
}


def is_there(path: str) -> bool:
    """Whether there is a file; raises StoreUnavailable where its folder may not be entered."""
    try:
        return Path(path).exists()
    except OSError:
        raise StoreUnavailable(f"{path} {_UNAVAILABLE[sqlite3.SQLITE_CANTOPEN]}") from None


def connect(path: str, mode: str, timeout: int) -> sqlite3.Connection:
    """Open a file in `mode` (ro, rw, rwc), waiting `timeout` seconds at most for others; commits reach the disk."""
    address = f"{Path(path).absolute().as_uri()}?mode={mode}"
    if mode == "ro" and _untouchable(path):
        address += "&immutable=1"
    db = sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)
    # FULL syncs the log at each commit; fullfsync is what makes that reach the platters on macOS.
    for setting in ("synchronous = FULL", "fullfsync = ON", "trusted_schema = OFF"):
        db.execute(f"PRAGMA {setting}")
    return db


def to_wal(db: sqlite3.Connection, timeout: int) -> None:
    """Turn on the write-ahead log, once; creators that meet here wait for each other for `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The change of mode is refused at once, without the busy timeout, when another creator is at it.
            if not _busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(1 / 100)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: run as a whole it would end the transaction that is open."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


HEADS = ".heads.db"
"""How the file of the heads tree ends, which holds nothing that the ledger does not."""


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """A transaction that nobody else writes beside; taken back where it fails."""
    # A deferred BEGIN that reads before it writes is told "locked" at once instead of waiting.
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@contextmanager
def in_plain_words(path: str) -> Iterator[None]:
    """Turn the driver's errors into the store's, without its words."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(error, path) from None


def _explained(error: sqlite3.Error, path: str) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_CONSTRAINT:
        return Conflict(f"{path}: what was to be written is there already")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        way_out = (
            "remove it, and 'water-ledger audit seal' makes it anew"
            if path.endswith(HEADS)
            else "name another with --db, or restore a copy"
        )
        return NotALedger(f"{path} is not an SQLite file, or a damaged one ({way_out})")
    if code in _UNAVAILABLE:
        return StoreUnavailable(f"{path} {_UNAVAILABLE[code]}")
    return StoreError(f"{path} is not laid out as this version needs it (restore a copy, or run 'audit verify')")


def _busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _untouchable(path: str) -> bool:
    """Whether a closed file stands in a folder where nothing can be written, so that no log can stand beside it."""
    return not os.access(Path(path).absolute().parent, os.W_OK) and not Path(path + "-wal").exists()
