"""Many commands in one transaction."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from ledger.store.log import CommandKey, Conflict, Log, shard_of
from tests.store.conftest import command, entries
from tests.store.test_log import expected_hashes

ACCOUNTS = [f"70{n:02}" for n in range(40)]


def test_a_batch_is_recorded_as_a_whole(log: Log) -> None:
    log.append(entries("7000", 1, 2))
    with log.writing(ACCOUNTS) as batch:
        assert batch.load(["7000", "7001"]) == {"7000": log.states("7000"), "7001": []}
        first = batch.append(
            [e for a in ACCOUNTS for e in entries(a, 3 if a == "7000" else 1, 2)],
            [command(f"bill issue/{a}", a, 1) for a in ACCOUNTS],
        )
        second = batch.append(entries("7001", 3), [command("id/last", "7001", 3)])
        assert len(first) == 80
        assert batch.heads[shard_of("7001", log.shards)] == second[0]
    assert sum(log.heads().values()) == 83
    assert log.heads() | batch.heads == log.heads()
    for account in ACCOUNTS:
        rows = log.rows(account)
        assert [r.hash for r in rows] == expected_hashes(account, [(r.type, r.state) for r in rows])
        assert log.find([f"bill issue/{account}"], account)
    seen: dict[int, list[int]] = {}
    for row in log.follow({}, 1000):
        seen.setdefault(row.shard, []).append(row.position)
    assert all(found == list(range(1, log.heads()[shard] + 1)) for shard, found in seen.items())


def test_many_keys_are_found_at_once(log: Log) -> None:
    with log.writing(ACCOUNTS) as batch:
        rows = [([CommandKey(f"id/{a}", b"i"), CommandKey("bill issue/B-1", b"b")], a, 1, 1) for a in ACCOUNTS]
        batch.append([e for a in ACCOUNTS for e in entries(a, 1)], rows)
        wanted = [(key, a) for a in ACCOUNTS for key in (f"id/{a}", "bill issue/B-1", "bill issue/B-2")]
        found = batch.find(wanted)
        assert set(found) == {(key, a) for key, a in wanted if key != "bill issue/B-2"}
        assert all(recorded.account == a for (_, a), recorded in found.items())


def test_accounts_may_ask_for_the_same_id(log: Log) -> None:
    log.append(entries("7001", 1), [command("id/c-1", "7001", 1)])
    with log.writing(ACCOUNTS) as batch:
        found = batch.find([("id/c-1", "7002"), ("id/c-1", "7001"), ("id/c-2", "7002")])
    assert {pair: recorded.account for pair, recorded in found.items()} == {
        ("id/c-1", "7002"): "7001",
        ("id/c-1", "7001"): "7001",
    }


def test_an_error_rolls_a_batch_back(log: Log) -> None:
    def interrupted() -> None:
        with log.writing(["7001"]) as batch:
            batch.append(entries("7001", 1), [command("bill issue/B-1", "7001", 1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert sum(log.heads().values()) == 0
    assert log.find(["bill issue/B-1"], "7001") == {}
    log.append(entries("7001", 1), [command("bill issue/B-1", "7001", 1)])


def test_a_collision_that_is_swallowed_records_nothing(log: Log) -> None:
    log.append(entries("7001", 1), [command("bill issue/B-1", "7001", 1)])

    def swallowed() -> None:
        with log.writing(["7001", "7002"]) as batch:
            batch.append(entries("7002", 1))
            with suppress(Conflict):
                batch.append(entries("7001", 2), [command("bill issue/B-1", "7001", 2)])

    with pytest.raises(Conflict):
        swallowed()
    assert list(log.accounts()) == ["7001"]


def test_an_empty_batch_changes_nothing(log: Log) -> None:
    with log.writing(None) as batch:
        assert batch.append([], []) == []
        assert batch.heads == log.heads()
    with log.writing([]):
        pass
    assert sum(log.heads().values()) == 0


def test_a_batch_over_the_whole_ledger(log: Log) -> None:
    with log.writing(None) as batch:
        batch.append([e for a in ("@utility", *ACCOUNTS) for e in entries(a, 1)])
    assert sum(log.heads().values()) == 41


def test_heads_tell_whether_somebody_else_wrote(log: Log, open_here: Callable[[], Log]) -> None:
    with log.writing(["7001"]) as batch:
        batch.append(entries("7001", 1))
    left = dict(batch.heads)
    with log.writing(["7001"]) as batch:
        assert batch.heads == left
    open_here().append(entries("7001", 2))
    with log.writing(["7001"]) as batch:
        assert batch.heads != left
        assert len(batch.load(["7001"])["7001"]) == 2
        batch.append(entries("7001", 3))
