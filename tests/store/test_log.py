"""What every log promises, on SQLite and on PostgreSQL alike."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from ledger.store.log import (
    UTILITY,
    CommandKey,
    Conflict,
    Entry,
    Log,
    NotALedger,
    Recorded,
    StoreError,
    address,
    by_account,
    event_hash,
    genesis,
    require_ledger,
    shard_of,
)
from ledger.store.open import open_log
from tests.store.conftest import ORIGIN, command, entries


def lp(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def expected_hashes(account: str, stored: list[tuple[str, bytes]]) -> list[bytes]:
    """The chain as the integrity page writes it, computed apart."""
    hash = sha256(b"waterledger/account/v1\n" + lp(ORIGIN.encode()) + lp(account.encode())).digest()
    hashes = []
    for version, (type, state) in enumerate(stored, 1):
        parts = [b"waterledger/event/v1\n", hash, version.to_bytes(8, "big")]
        parts += [lp(account.encode()), lp(type.encode()), lp(state)]
        hash = sha256(b"".join(parts)).digest()
        hashes.append(hash)
    return hashes


def test_a_hash_worked_by_hand() -> None:
    zero = genesis("o", "a")
    assert zero == sha256(b"waterledger/account/v1\n\0\0\0\1o\0\0\0\1a").digest()
    written = b"waterledger/event/v1\n" + zero + b"\0\0\0\0\0\0\0\1\0\0\0\1a\0\0\0\1T\0\0\0\2{}"
    assert event_hash(zero, 1, "a", "T", b"{}") == sha256(written).digest()


def test_shards_never_move() -> None:
    assert [shard_of(a, 64) for a in ("7001", "7002", "A-1", UTILITY)] == [29, 39, 48, 64]
    assert {shard_of(a, 1) for a in ("7001", "7002", UTILITY)} == {0}


def test_a_key_of_one_account_is_never_an_explicit_id() -> None:
    assert address("id/1", "7001", 64) == (shard_of("id/1", 64), "id/1")
    assert address("/1", "id", 64) != address("id/1", "id", 64)


def test_what_is_appended_is_read_back(log: Log) -> None:
    log.append(entries("7001", 1, 2))
    log.append(entries("7002", 1))
    log.append(entries("7001", 3, 20))
    wanted = entries("7001", 1, 22)
    assert log.states("7001") == [e.state for e in wanted]
    assert [(r.account, r.version, r.type, r.state) for r in log.rows("7001")] == wanted
    assert [r.version for r in log.rows("7001", after=20)] == [21, 22]
    assert log.load(["7002", "7001", "7003"]) == {
        "7001": [e.state for e in wanted],
        "7002": [e.state for e in entries("7002", 1)],
        "7003": [],
    }
    assert log.states("7003") == []
    assert log.tip("7003") is None


def test_every_event_is_chained(log: Log, open_here: Callable[[], Log]) -> None:
    log.append(entries("7001", 1, 3))
    open_here().append([Entry("7001", 4, "PaymentReceived", b"{}")])
    log.append(entries("7001", 5, 30))
    rows = log.rows("7001")
    hashes = expected_hashes("7001", [(r.type, r.state) for r in rows])
    assert [r.hash for r in rows] == hashes
    assert log.tip("7001") == (34, hashes[-1])


def test_a_version_is_taken_once(log: Log, open_here: Callable[[], Log]) -> None:
    other = open_here()
    log.append(entries("7001", 1))
    other.load(["7001"])
    log.append(entries("7001", 2))
    for stale in (entries("7001", 1), entries("7001", 2, 2), entries("7001", 5)):
        with pytest.raises(Conflict):
            other.append(stale)
    assert len(log.states("7001")) == 2
    other.append(entries("7001", 3))


def test_a_refused_append_leaves_nothing(log: Log) -> None:
    log.append(entries("7001", 1), [command("bill issue/B-1", "7001", 1)])
    with pytest.raises(Conflict):
        log.append(entries("7001", 2), [command("bill issue/B-1", "7001", 2)])
    with pytest.raises(Conflict):
        log.append([*entries("7002", 1), *entries("7001", 1)], [command("bill issue/B-2", "7002", 1)])
    assert sum(log.heads().values()) == 1
    assert log.find(["bill issue/B-2"], "7002") == {}
    assert log.append(entries("7001", 2)) == [2]


def test_commands_are_found_by_their_keys(log: Log) -> None:
    keys = [CommandKey("id/c-1", b"1" * 32), CommandKey("bill issue/B-1", b"2" * 32)]
    log.append(entries("7001", 1, 2), [(keys, "7001", 1, 2)])
    assert log.find(["bill issue/B-1", "bill issue/B-9"], "7001") == {
        "bill issue/B-1": Recorded("bill issue/B-1", b"2" * 32, "7001", 1, 2)
    }
    assert log.find(["bill issue/B-1"], "7002") == {}
    assert log.find(["id/c-1"], "7002") == {"id/c-1": Recorded("id/c-1", b"1" * 32, "7001", 1, 2)}
    assert log.find([], "7001") == {}


def test_an_explicit_id_is_unique_over_all_accounts(log: Log) -> None:
    log.append(entries("7001", 1), [command("id/c-1", "7001", 1)])
    for number in range(20):
        with pytest.raises(Conflict):
            log.append(entries(f"80{number}", 1), [command("id/c-1", f"80{number}", 1)])
    assert list(log.accounts()) == ["7001"]


def test_other_keys_are_the_account_s_own(log: Log) -> None:
    for number in range(70):
        log.append(entries(f"{number}", 1), [command("bill issue/B-1", f"{number}", 1)])
    assert log.find(["bill issue/B-1"], "5")["bill issue/B-1"].account == "5"


def test_positions_have_no_gap_and_followers_see_all(log: Log) -> None:
    for version in range(1, 6):
        for account in ("7001", "7002", "7003", UTILITY):
            log.append(entries(account, version))
    seen: dict[int, int] = {}
    rows = []
    while some := log.follow(seen, 3):
        assert len(some) <= 3
        rows += some
        seen.update({row.shard: row.position for row in some})
    assert len(rows) == 20
    assert seen == {shard: head for shard, head in log.heads().items() if head}
    for shard, head in log.heads().items():
        assert [r.position for r in rows if r.shard == shard] == list(range(1, head + 1))
    for account in ("7001", UTILITY):
        assert {r.shard for r in rows if r.account == account} == {shard_of(account, log.shards)}
    assert log.follow(seen, 100) == []
    only = shard_of("7001", log.shards)
    assert {r.shard for r in log.follow({}, 100, only)} == {only}
    assert len(log.heads()) == (1 if log.shards == 1 else 65)


def test_scans_go_by_account(log: Log) -> None:
    accounts = [f"A{n}" for n in range(30)]
    for version in range(1, 4):
        for account in reversed(accounts):
            log.append(entries(account, version))
    ordered = sorted(accounts)
    wanted = [(a, [e.state for e in entries(a, 1, 3)]) for a in ordered]
    assert list(log.scan()) == wanted
    assert list(log.scan_joined()) == [(a, b",".join(states)) for a, states in wanted]
    assert list(log.scan(after=ordered[3], until=ordered[7])) == wanted[4:8]
    assert [a for a, _ in log.scan_joined(until=ordered[7])] == ordered[:8]
    assert list(log.accounts()) == ordered


def test_a_scan_may_be_left_midway(log: Log) -> None:
    log.append(entries("7001", 1, 3))
    log.append(entries("7002", 1, 3))
    scan = log.scan()
    assert next(scan)[0] == "7001"
    scan.close()  # type: ignore[attr-defined]
    log.append(entries("7001", 4))


def test_rows_are_gathered_by_account_across_pages() -> None:
    pages = [[("a", b"1"), ("b", b"2")], [("b", b"3")], [], [("c", b"4")]]
    assert list(by_account(pages)) == [("a", [b"1"]), ("b", [b"2", b"3"]), ("c", [b"4"])]
    assert list(by_account([])) == []


def test_creating_twice_changes_nothing(log: Log, open_here: Callable[[], Log]) -> None:
    log.append(entries("7001", 1))
    assert open_here().create("other.example", "2027-01-01T00:00:00Z") is False
    assert log.origin == open_here().origin == ORIGIN
    assert log.meta("created_at") == "2026-01-01T00:00:00Z"
    assert log.meta("nothing") is None
    assert len(log.states("7001")) == 1


def test_a_log_that_is_not_there(store_url: str) -> None:
    log = open_log(store_url)
    assert not log.exists()
    for use in (
        lambda: log.origin,
        lambda: log.states("7001"),
        lambda: list(log.scan()),
        lambda: log.append(entries("1", 1)),
    ):
        with pytest.raises(NotALedger, match=r"there is no ledger at .+ \(create it with 'water-ledger init'\)"):
            use()
    with pytest.raises(NotALedger, match="there is no ledger here yet; 'water-ledger init' or any command creates one"):
        require_ledger(log)
    assert log.create(ORIGIN, "2026-01-01T00:00:00Z", {"policy": "del-oro"})
    require_ledger(log)
    assert log.meta("policy") == "del-oro"
    log.close()


def test_questions_read_only(log: Log, open_here: Callable[..., Log]) -> None:
    log.append(entries("7001", 1))
    reader = open_here(read_only=True)
    assert reader.exists()
    assert reader.states("7001") == log.states("7001")
    assert list(reader.scan()) == list(log.scan())
    with pytest.raises(StoreError):
        reader.append(entries("7001", 2))
    log.append(entries("7001", 2))
    assert len(reader.states("7001")) == 2


def test_a_closed_log_opens_again(log: Log) -> None:
    log.append(entries("7001", 1))
    log.close()
    log.append(entries("7001", 2))
    assert len(log.states("7001")) == 2
