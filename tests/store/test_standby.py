"""A primary and its standby: what each answers, and what an address that names both leads to."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.store.log import Entry, StoreUnavailable
from ledger.store.open import open_log
from tests.postgres_server import QUICK, Cluster, Standby, over_both

ENTRY = Entry("7001", 1, "BillIssued", b"{}")
Pair = tuple[Cluster, Standby]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A ledger on a primary, and a synchronous standby that follows it."""
    settings = QUICK | {"log_min_messages": "panic"}
    waiting = {"synchronous_standby_names": "standby", "synchronous_commit": "remote_apply"}
    with tempfile.TemporaryDirectory(prefix="water-ledger-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (
            Cluster(folder / "primary", settings | waiting) as primary,
            Standby(folder / "standby", primary, settings) as standby,
        ):
            with closing(open_log(primary.url)) as log:
                log.create("test.example/ledger", "2026-01-05T09:00:00-08:00")
            yield primary, standby


def test_a_standby_answers_and_the_one_promoted_records(pair: Pair) -> None:
    primary, standby = pair
    with closing(open_log(over_both(*pair))) as log:
        log.append([ENTRY])
        with closing(open_log(standby.url, read_only=True)) as read:
            assert read.states("7001") == [b"{}"]
        with closing(open_log(standby.url)) as other, pytest.raises(StoreUnavailable, match="is a standby"):
            other.append([ENTRY._replace(version=2)])
        primary.stop()
        with closing(open_log(over_both(*pair))) as new, pytest.raises(StoreUnavailable, match="none that answers"):
            new.append([ENTRY._replace(version=2)])
        standby.promote()
        log.append([ENTRY._replace(version=2)])
        assert log.states("7001") == [b"{}", b"{}"]
