"""Logs to test on, and the shortest way to fill them."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from ledger.store.log import CommandKey, CommandRow, Entry, Log
from ledger.store.open import open_log

ORIGIN = "test.example/ledger"


def entries(account: str, first: int, count: int = 1) -> list[Entry]:
    """So many events of an account from version `first` on, each with a state of its own."""
    return [
        Entry(account, version, "BillIssued", b'{"type":"BillIssued","bill":"%s-%d"}' % (account.encode(), version))
        for version in range(first, first + count)
    ]


def command(key: str, account: str, version: int, digest: bytes = b"d" * 32) -> CommandRow:
    """A command known by one key, which recorded one event."""
    return [CommandKey(key, digest)], account, version, version


@pytest.fixture
def open_here(store_url: str) -> Iterator[Callable[[], Log]]:
    """Opens the same store again, as another program would."""
    opened: list[Log] = []

    def another(read_only: bool = False) -> Log:
        opened.append(open_log(store_url, read_only=read_only))
        return opened[-1]

    another().create(ORIGIN, "2026-01-01T00:00:00Z")
    yield another
    for log in opened:
        log.close()


@pytest.fixture
def log(open_here: Callable[[], Log]) -> Log:
    """An empty log, on each kind of store."""
    return open_here()


def positions(rows: Sequence[object]) -> list[tuple[int, int]]:
    """Shard and position of each row."""
    return [(row.shard, row.position) for row in rows]  # type: ignore[attr-defined]
