"""Ledgers with a few accounts, keys to seal them with, and the means to tamper with both stores."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.calendar import PACIFIC
from ledger.integrity.seals import Sealed, seal
from ledger.integrity.signing import FileSigner, introduce, make_key_file
from ledger.store.log import Entry, Log
from ledger.store.open import open_log, seals_of
from ledger.store.seal_rows import SealRows

ORIGIN = "test.example/ledger"
START = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)


class House:
    """A ledger, its seals, its key, and a clock that moves on by an hour whenever something is recorded or sealed."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.now = START
        self.log: Log = open_log(url)
        self.log.create(ORIGIN, START.isoformat())
        self.rows: SealRows = seals_of(url)
        self.rows.create()
        self.signer = make_key_file(folder / "log.key", ORIGIN)
        introduce(self.rows, ORIGIN, self.signer, None)

    def record(self, account: str, count: int = 1, at: datetime | None = None) -> None:
        """So many events of an account, recorded now."""
        self.now += timedelta(hours=1)
        tip = self.log.tip(account)
        first = tip.version + 1 if tip else 1
        when = (at or self.now).isoformat(timespec="microseconds")
        kinds = {version: "BillVoided" if version % 3 else "BillIssued" for version in range(first, first + count)}
        self.log.append(
            [
                Entry(
                    account,
                    version,
                    kind,
                    b'{"type":"%b","version":%d,"recorded_at":"%b","bill":"B-%d"}'
                    % (kind.encode(), version, when.encode(), version),
                )
                for version, kind in kinds.items()
            ]
        )

    def seal(self, signer: FileSigner | None = None) -> Sealed:
        self.now += timedelta(hours=1)
        made = seal(self.rows, ORIGIN, signer or self.signer, lambda: self.now)
        assert made is not None
        return made

    def close(self) -> None:
        self.log.close()
        self.rows.close()


@pytest.fixture
def house(store_url: str, tmp_path: Path) -> Iterator[House]:
    """An empty ledger on each kind of store, ready to be sealed."""
    made = House(store_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def sealed_house(house: House) -> House:
    """Two seals over nine accounts, and an event that is not sealed yet."""
    for number in range(7001, 7009):
        house.record(str(number), 3)
    house.record("@utility", 2)
    house.seal()
    house.record("7001", 2)
    house.record("7009", 4)
    house.seal()
    house.record("7002")
    return house


@pytest.fixture
def tamper(store_url: str) -> Callable[..., None]:
    """Changes what stands in a store, past every guard, as whoever owns the machine can."""

    def change(statement: str, *values: object) -> None:
        if store_url.startswith("sqlite:"):
            _in_sqlite(store_url.removeprefix("sqlite:///"), statement, values)
        else:
            _in_postgres(store_url, statement, values)

    return change


def _in_sqlite(path: str, statement: str, values: tuple[object, ...]) -> None:
    import sqlite3

    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        assert db.execute(statement.replace("%s", "?"), values).rowcount > 0, "nothing was changed"


def _in_postgres(url: str, statement: str, values: tuple[Any, ...]) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True, options="-c search_path=ledger") as db:
        db.execute("SET session_replication_role = replica")
        assert db.execute(statement.encode(), values).rowcount > 0, "nothing was changed"
