"""Many writers and a follower at once: nothing lost, nothing twice, nothing passed over."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from ledger.store.log import CommandKey, Conflict, Log, Row, shard_of
from ledger.store.open import open_keys, open_log
from tests.store.conftest import ORIGIN, command, entries

WRITERS = 8


def together(work: Callable[[int], object], count: int = WRITERS) -> list[object]:
    """Run `work` with 0 to count - 1, all starting at the same moment."""
    ready = threading.Barrier(count)

    def one(number: int) -> object:
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_eight_creators_make_one_ledger(store_url: str) -> None:
    def create(number: int) -> bool:
        log = open_log(store_url)
        try:
            made = log.create(f"origin-{number}", "2026-01-01T00:00:00Z")
            keys = open_keys(store_url, log.origin)
            keys.create()
            digests.append(keys.digest(b"x"))
            keys.close()
            return made
        finally:
            log.close()

    digests: list[bytes] = []
    made = together(create)
    assert sorted(map(bool, made)) == [False] * 7 + [True]
    log = open_log(store_url)
    assert log.origin == f"origin-{made.index(True)}"
    assert len(set(digests)) == 1
    assert sum(log.heads().values()) == 0
    log.close()


def test_eight_writers_on_one_account(open_here: Callable[[], Log]) -> None:
    logs = [open_here() for _ in range(WRITERS)]

    def write(number: int) -> None:
        done = 0
        while done < 8:
            version = len(logs[number].states("7001")) + 1
            try:
                logs[number].append(entries("7001", version), [command(f"id/{number}-{done}", "7001", version)])
                done += 1
            except Conflict:
                continue

    together(write)
    log = open_here()
    assert [r.version for r in log.rows("7001")] == list(range(1, 65))
    found = log.find([f"id/{n}-{d}" for n in range(WRITERS) for d in range(8)], "7001")
    assert sorted(r.first for r in found.values()) == list(range(1, 65))


def test_a_follower_passes_over_nothing(open_here: Callable[[], Log]) -> None:
    logs = [open_here() for _ in range(WRITERS)]
    stopped = threading.Event()

    def write(number: int) -> None:
        log = logs[number]
        for version in range(1, 13):
            if version % 4:
                log.append(entries(f"A{number}", version))
            else:
                with log.writing([f"A{number}", f"B{number}"]) as batch:
                    batch.append([*entries(f"A{number}", version), *entries(f"B{number}", version // 4)])

    def follow() -> list[Row]:
        log, seen, rows = open_here(), dict[int, int](), list[Row]()
        while True:
            last = stopped.is_set()
            some = log.follow(seen, 7)
            for row in some:
                assert row.position == seen.get(row.shard, 0) + 1
                seen[row.shard] = row.position
            rows += some
            if last and not some:
                return rows

    with ThreadPoolExecutor(1) as follower:
        following = follower.submit(follow)
        together(write)
        stopped.set()
        rows = following.result()
    assert len({(r.account, r.version) for r in rows}) == len(rows) == WRITERS * (12 + 3)


def test_one_id_in_many_accounts_is_recorded_once(open_here: Callable[[], Log]) -> None:
    logs = [open_here() for _ in range(WRITERS)]

    def write(number: int) -> bool:
        account = f"A{number}"
        try:
            if number % 2:
                logs[number].append(entries(account, 1), [command("id/once", account, 1)])
            else:
                keys = [CommandKey("id/once", b"d"), CommandKey(f"id/own-{number}", b"d")]
                with logs[number].writing([account]) as batch:
                    batch.append(entries(account, 1), [(keys, account, 1, 1)])
        except Conflict:
            return False
        return True

    done = together(write)
    assert done.count(True) == 1
    log = open_here()
    assert list(log.accounts()) == [f"A{done.index(True)}"]
    assert log.find(["id/once"], "anything")["id/once"].account == f"A{done.index(True)}"


def test_batches_over_the_same_shards_do_not_wait_for_each_other_for_ever(open_here: Callable[[], Log]) -> None:
    logs = [open_here() for _ in range(4)]

    def write(number: int) -> None:
        accounts = [f"{number}-{n}" for n in range(60)]
        for version in (1, 2, 3):
            with logs[number].writing(reversed(accounts)) as batch:
                batch.append([e for a in accounts for e in entries(a, version)])

    together(write, 4)
    assert sum(open_here().heads().values()) == 4 * 60 * 3


def test_a_slow_transaction_hides_nothing_from_a_follower(postgres_store_url: str) -> None:
    log, fast = open_log(postgres_store_url), open_log(postgres_store_url)
    log.create(ORIGIN, "2026-01-01T00:00:00Z")
    other = next(f"B{n}" for n in range(99) if shard_of(f"B{n}", 64) != shard_of("A", 64))
    with log.writing(["A"]) as slow:
        slow.append(entries("A", 1))
        fast.append(entries(other, 1))
        seen = {row.shard: row.position for row in fast.follow({}, 100)}
        assert len(seen) == 1
    assert [r.account for r in fast.follow(seen, 100)] == ["A"]
    with psycopg.connect(postgres_store_url) as connection:
        assert connection.execute("SELECT count(*) FROM ledger.event").fetchone() == (2,)
    log.close()
    fast.close()
