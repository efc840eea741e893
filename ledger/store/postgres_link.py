"""A connection to PostgreSQL: opened when needed, opened again when lost, its errors told in plain words."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from threading import RLock
from typing import Any

import psycopg
from psycopg import errors

from ledger.store.log import Conflict, StoreError, StoreUnavailable, no_ledger_at

_PATIENCE = 5
"""For how many seconds a server that answered before, or is starting, is tried again."""

_SETTINGS = (
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') <> 'remote_apply'; "
    "SET lock_timeout = '10s'; SET client_min_messages = error; "
    "SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = {}"
)

# In account order the events lie scattered: reading all and sorting takes half the time of following the index.
_SCANNING = "; SET enable_indexscan = off; SET work_mem = '64MB'; SET jit = off"


_NAME_ALL = "name every server in --db, with ?target_session_attrs=read-write, to reach the one that does"


class Lost(StoreUnavailable):
    """The connection broke before the answer came; what was sent may have been done, or not."""


class Link:
    """One connection to the database at `conninfo`; `place` is how messages call it (no user, no password)."""

    def __init__(self, conninfo: str, place: str, *, read_only: bool = False) -> None:
        self.place = place
        self.lock = RLock()
        self.busy = False
        self.sessions = 0
        self._conninfo = conninfo
        self._read_only = read_only
        self._open: psycopg.Connection[Any] | None = None

    def connection(self) -> psycopg.Connection[Any]:
        """The connection, opened now if there is none; raises StoreUnavailable."""
        if self._open is None:
            self._open = self.another()
            self.sessions += 1
        return self._open

    def another(self, settings: str = "") -> psycopg.Connection[Any]:
        """A further connection with the same settings, for the caller to close; raises StoreUnavailable."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                connection = psycopg.connect(self._conninfo, autocommit=True)
                connection.execute((_SETTINGS.format("on" if self._read_only else "off") + settings).encode())
                return connection
            except psycopg.OperationalError as error:
                coming = self.sessions or isinstance(error, errors.CannotConnectNow)
                if not coming or time.monotonic() > deadline:
                    raise _unreachable(error, self.place) from None
            except psycopg.ProgrammingError:
                raise StoreUnavailable(f"{self.place} is not an address PostgreSQL understands") from None
            time.sleep(1 / 20)

    def read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query that changes nothing: a lost connection is opened again, once."""
        with self.lock:
            try:
                return self.run(query, values)
            except Lost:
                if self.busy:
                    raise
                return self.run(query, values)

    def run(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, in the transaction that is open or in one of its own; raises Lost, Conflict."""
        with self.lock, self.in_plain_words():
            cursor = self.connection().cursor(binary=True)
            cursor.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is such a table, committed or made in the transaction that is open."""
        # Not to_regclass: in a transaction that waited for another creator it still answers from before.
        query = (
            "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s"
        )
        return bool(self.read(query, (schema, name)))

    def script(self, statements: str) -> None:
        """Run statements without values, in the transaction that is open or in one of their own."""
        with self.lock, self.in_plain_words():
            self.connection().execute(statements.encode())

    def copy_in(self, table: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write rows to a table in one go, in the transaction that is open."""
        statement = f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()
        with self.in_plain_words(), self.connection().cursor().copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def pages(
        self, query: str, values: Sequence[object], types: Sequence[str], size: int, settings: str = _SCANNING
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query in pages, over a connection of its own: one view from the first row to the last."""
        try:
            statement = f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()
            with closing(self.another(settings)) as connection, connection.cursor().copy(statement, values) as copy:
                copy.set_types(types)
                rows = copy.rows()
                while page := list(islice(rows, size)):
                    yield page
        except psycopg.Error as error:
            raise explained(error, self.place) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction; raises Lost from the end of the block where the answer to its COMMIT did not come."""
        with self.lock:
            assert not self.busy, "transactions do not nest"
            try:
                self.run("BEGIN")
            except Lost:
                self.run("BEGIN")
            self.busy = True
            try:
                yield
                self._commit()
            except BaseException:
                self._roll_back()
                raise
            finally:
                self.busy = False

    def _commit(self) -> None:
        with self.in_plain_words():
            # A transaction in which a statement failed is rolled back by its COMMIT, without an error.
            if self.connection().execute("COMMIT").statusmessage != "COMMIT":
                raise Conflict(f"{self.place}: nothing was recorded, because a part of it collided")

    def _roll_back(self) -> None:
        if self._open is None:
            return
        try:
            self._open.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    @contextmanager
    def in_plain_words(self) -> Iterator[None]:
        """Turn the driver's errors into the store's, without its words; a broken connection is let go."""
        try:
            yield
        except psycopg.Error as error:
            if self._open is not None and (self._open.broken or self._open.closed):
                self._open.close()
                self._open = None
                raise Lost(f"the connection to {self.place} was lost (run the command again)") from None
            raise explained(error, self.place) from None

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        with self.lock:
            if self._open is not None:
                self._open.close()
                self._open = None


def explained(error: psycopg.Error, place: str) -> Exception:
    """The store's error for one of the driver's."""
    match error:
        case (
            errors.UniqueViolation()
            | errors.DuplicateObject()
            | errors.DeadlockDetected()
            | errors.SerializationFailure()
            | errors.InFailedSqlTransaction()
        ):
            return Conflict(f"{place}: somebody else wrote first")
        case errors.LockNotAvailable() | errors.QueryCanceled():
            return StoreUnavailable(f"{place} stayed busy, and nothing was recorded (run the command again)")
        case errors.DiskFull() | errors.OutOfMemory():
            return StoreUnavailable(f"{place} is full, and nothing was recorded (make room, then run it again)")
        case errors.ReadOnlySqlTransaction():
            return StoreUnavailable(f"{place} is a standby and records nothing ({_NAME_ALL})")
        case errors.InsufficientPrivilege():
            return StoreError(f"{place}: this role may not do that (use one that is a member of ledger_app)")
        case errors.UndefinedTable() | errors.InvalidSchemaName() | errors.UndefinedColumn():
            return no_ledger_at(place)
        case psycopg.OperationalError():
            return StoreUnavailable(f"{place} could not do that, and nothing was recorded (run the command again)")
        case errors.InternalError_():
            # A file that may grow no further is one of these: the server has no code for it.
            return StoreUnavailable(f"{place} could not do that, and nothing was recorded (its own log says why)")
    return StoreError(f"{place} is not laid out as this version needs it (run 'audit verify')")


def _unreachable(error: psycopg.OperationalError, place: str) -> StoreUnavailable:
    # Refusals by the server carry no code when they come during the start of a session, only its words.
    words = str(error)
    if "authentication" in words or "password" in words or "role" in words:
        return StoreUnavailable(f"{place} refused the user or password (check the user and password in the address)")
    if "read-only" in words or "hot standby" in words:
        return StoreUnavailable(
            f"{place}: none that answers takes writes now, perhaps until a standby is promoted (run the command again)"
        )
    if "does not exist" in words:
        return StoreUnavailable(f"{place} has no such database (create it with createdb, or name another with --db)")
    if "too many" in words or "remaining connection slots" in words:
        return StoreUnavailable(f"{place} has no connection to spare (run the command again)")
    return StoreUnavailable(f"{place} could not be reached (check that the server runs and that --db names it)")
