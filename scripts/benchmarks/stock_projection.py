"""The stock library's projection of a log: one event, one transaction, with the position it stands at beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.sqlite import SQLiteTrackingRecorder
from psycopg.sql import SQL, Identifier

from scripts.benchmarks.stock import StockLedger

_COLUMNS = "(account text PRIMARY KEY, cents bigint NOT NULL)"
_ADD = "ON CONFLICT (account) DO UPDATE SET cents = balance.cents + excluded.cents"


class SQLiteBalances(SQLiteTrackingRecorder):
    """A row for each account in SQLite, and how far the log was read."""

    def construct_create_table_statements(self) -> list[str]:
        return [*super().construct_create_table_statements(), f"CREATE TABLE IF NOT EXISTS balance {_COLUMNS}"]

    def move(self, account: str, cents: int, tracking: Tracking) -> None:
        """Move a balance and the position, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            if cents:
                cursor.execute(f"INSERT INTO balance VALUES (?, ?) {_ADD}", (account, cents))


class PostgresBalances(PostgresTrackingRecorder):
    """A row for each account in PostgreSQL, and how far the log was read."""

    def __init__(self, datastore: Any, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        create = SQL("CREATE TABLE IF NOT EXISTS {}.balance " + _COLUMNS)
        self.sql_create_statements.append(create.format(Identifier(self.datastore.schema)))

    def move(self, account: str, cents: int, tracking: Tracking) -> None:
        """Move a balance and the position, in one transaction."""
        insert = SQL("INSERT INTO {}.balance VALUES (%s, %s) " + _ADD).format(Identifier(self.datastore.schema))
        with self.datastore.get_connection() as connection, connection.transaction(), connection.cursor() as cursor:
            self._insert_tracking(cursor, tracking)
            if cents:
                cursor.execute(insert, (account, cents))


class Balances(Projection[Any]):
    """What every account owes, of all that the ledger's projections hold."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take in one event."""
        kind = type(domain_event).__name__
        cents = {"BillIssued": 1, "PaymentReceived": -1}.get(kind, 0) * getattr(domain_event, "amount", 0)
        self.view.move(str(domain_event.originator_id), cents, tracking)


@contextmanager
def following(stock: StockLedger) -> Iterator[Any]:
    """A function that takes in so many of the next events."""
    recorder: Any = SQLiteBalances if "SQLITE_DBNAME" in stock.env else PostgresBalances
    factory: Any = InfrastructureFactory.construct(stock.env)
    view = factory.tracking_recorder(recorder)
    projection = Balances(view)

    def follow(number: int) -> None:
        # As its runners pull, because over SQLite it has no subscriptions.
        start = (view.max_tracking_id(stock.name) or 0) + 1
        for notification in stock.recorder.select_notifications(start, number):
            projection.process_event(stock.mapper.to_domain_event(notification), Tracking(stock.name, notification.id))

    try:
        yield follow
    finally:
        factory.close()
