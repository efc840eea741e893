"""Where wrapped keys are kept beside a ledger in SQLite: a file of their own."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple, Protocol

from ledger.store.log import StoreError
from ledger.store.sqlite_file import connect, in_plain_words, is_there, to_wal, transaction


class KeyRow(NamedTuple):
    """One data key, wrapped by the key-encryption key."""

    key_id: bytes
    account: str
    kind: str
    wrapped: bytes


Owner = tuple[str, str]
"""An account and a class of its personal data."""


class KeyRows(Protocol):
    """The table of wrapped keys."""

    place: str

    def create(self, secrets: Mapping[str, bytes]) -> None:
        """Create the table and write down these wrapped secrets, once; nothing changes where there is one already."""

    def secret(self, name: str) -> bytes | None:
        """A wrapped secret; None where this is not a key store yet."""

    def by_id(self, key_id: bytes) -> KeyRow | None:
        """The data key of that id; None where it was erased."""

    def of(self, owners: Iterable[Owner]) -> list[KeyRow]:
        """The data keys of these accounts and classes."""

    def add(self, rows: Iterable[KeyRow]) -> None:
        """Write data keys in one durable transaction."""

    def erase(self, key_ids: Iterable[bytes]) -> None:
        """Delete these data keys durably; those gone already stay gone."""

    def tidy(self) -> None:
        """Clear the bytes of deleted keys, as far as the store can; not in a transaction."""

    def close(self) -> None:
        """Let go of the store; the next use opens it again."""


class SQLiteKeyRows:
    """The table of wrapped keys in the file `path`, which only its owner can read."""

    def __init__(self, path: str, read_only: bool, timeout: int) -> None:
        self.place = path
        self._read_only = read_only
        self._timeout = timeout
        self._open: sqlite3.Connection | None = None

    def create(self, secrets: Mapping[str, bytes]) -> None:
        """Create the file and write down these wrapped secrets, once; nothing changes where there is one already."""
        try:
            with suppress(FileExistsError):
                os.close(os.open(self.place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError:
            raise StoreError(f"{self.place} cannot be created (check its folder)") from None
        with in_plain_words(self.place):
            db = self._connection()
            to_wal(db, self._timeout)
            with transaction(db):
                db.execute("CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS data_key (key_id BLOB PRIMARY KEY, account TEXT NOT NULL, "
                    "kind TEXT NOT NULL, wrapped BLOB NOT NULL) STRICT"
                )
                db.execute("CREATE INDEX IF NOT EXISTS data_key_owner ON data_key (account, kind)")
                db.executemany("INSERT INTO secret VALUES (?, ?) ON CONFLICT DO NOTHING", secrets.items())

    def secret(self, name: str) -> bytes | None:
        """A wrapped secret; None where this is not a key store yet."""
        if not is_there(self.place):
            return None
        with in_plain_words(self.place):
            db = self._connection()
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'secret'").fetchone():
                return None
            found = db.execute("SELECT wrapped FROM secret WHERE name = ?", (name,)).fetchone()
        return found[0] if found else None

    def by_id(self, key_id: bytes) -> KeyRow | None:
        """The data key of that id; None where it was erased."""
        query = "SELECT key_id, account, kind, wrapped FROM data_key WHERE key_id = ?"
        with in_plain_words(self.place):
            found = self._connection().execute(query, (key_id,)).fetchone()
        return KeyRow(*found) if found else None

    def of(self, owners: Iterable[Owner]) -> list[KeyRow]:
        """The data keys of these accounts and classes."""
        query = "SELECT key_id, account, kind, wrapped FROM data_key WHERE account = ? AND kind = ? ORDER BY key_id"
        with in_plain_words(self.place):
            db = self._connection()
            return [KeyRow(*row) for owner in owners for row in db.execute(query, owner)]

    def add(self, rows: Iterable[KeyRow]) -> None:
        """Write data keys in one durable transaction."""
        with in_plain_words(self.place):
            db = self._connection()
            with transaction(db):
                db.executemany("INSERT INTO data_key VALUES (?, ?, ?, ?)", rows)

    def erase(self, key_ids: Iterable[bytes]) -> None:
        """Delete these data keys durably; their bytes are overwritten."""
        with in_plain_words(self.place):
            db = self._connection()
            with transaction(db):
                db.executemany("DELETE FROM data_key WHERE key_id = ?", [(key_id,) for key_id in key_ids])
        self.tidy()

    def tidy(self) -> None:
        """Empty the file's log, which still holds the pages as they were."""
        with in_plain_words(self.place):
            self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            if not is_there(self.place):
                raise StoreError(f"the key store {self.place} is missing (put the file back beside the ledger)")
            self._open = connect(self.place, "ro" if self._read_only else "rw", self._timeout)
            self._open.execute("PRAGMA secure_delete = ON")
        return self._open
