"""What only a log on a server can be asked."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from ledger.store import postgres_link
from ledger.store.log import Conflict, NotALedger, StoreError, StoreUnavailable, shard_of
from ledger.store.open import open_keys, open_log
from ledger.store.postgres import PostgresLog
from ledger.store.postgres_roles import create_roles
from scripts.campaigns.forbidding import MAY_NOT, OWNERS, attempt
from scripts.campaigns.tampering import tampered
from tests.store.conftest import ORIGIN, command, entries
from tests.store.proxy import Proxy


@pytest.fixture
def log(postgres_store_url: str) -> Iterator[PostgresLog]:
    log = open_log(postgres_store_url)
    assert isinstance(log, PostgresLog)
    log.create(ORIGIN, "2026-01-01T00:00:00Z")
    log.append(entries("7001", 1, 2), [command("bill issue/B-1", "7001", 1)])
    yield log
    log.close()


@pytest.fixture
def proxy(postgres_store_url: str) -> Iterator[Proxy]:
    parts = urlsplit(postgres_store_url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy = Proxy(parts.hostname, parts.port)
    yield proxy
    proxy.close()


@pytest.fixture
def far(log: PostgresLog, proxy: Proxy, postgres_store_url: str) -> Iterator[PostgresLog]:
    """The same log, reached through the proxy."""
    parts = urlsplit(postgres_store_url)
    far = open_log(
        parts._replace(netloc=f"postgres:{parts.password}@127.0.0.1:{proxy.port}").geturl() + "?sslmode=disable"
    )
    assert isinstance(far, PostgresLog)
    yield far
    far.close()


def test_an_answer_lost_after_the_commit(log: PostgresLog, far: PostgresLog, proxy: Proxy) -> None:
    positions = []
    for version in range(3, 15):
        proxy.cut = "after"
        positions += far.append(entries("7001", version), [command(f"id/{version}", "7001", version)])
    assert proxy.cuts == 12
    assert [r.version for r in log.rows("7001")] == list(range(1, 15))
    assert positions == [r.position for r in log.rows("7001", after=2)]


def test_a_batch_s_answer_lost_after_the_commit(log: PostgresLog, far: PostgresLog, proxy: Proxy) -> None:
    for version in range(1, 4):
        with far.writing(None) as batch:
            batch.append([e for n in range(20) for e in entries(f"A{n}", version)])
            proxy.cut = "after"
    assert proxy.cuts == 3
    assert sum(log.heads().values()) == 2 + 60
    assert sum(len(states) for _, states in log.scan()) == 2 + 60


def test_an_answer_lost_by_a_server_that_stays_away(
    log: PostgresLog, far: PostgresLog, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_link, "_PATIENCE", 0)
    far.states("7001")
    proxy.cut, proxy.gone = "after", True
    with pytest.raises(StoreUnavailable, match="whether this was recorded is not known"):
        far.append(entries("7001", 3), [command("id/3", "7001", 3)])
    proxy.gone = False
    with pytest.raises(Conflict):
        far.append(entries("7001", 3), [command("id/3", "7001", 3)])
    assert far.find(["id/3"], "7001")["id/3"].last == 3
    assert len(log.states("7001")) == 3


def test_a_connection_lost_before_the_commit(log: PostgresLog, far: PostgresLog, proxy: Proxy) -> None:
    for version in range(3, 8):
        proxy.cut = "before"
        with pytest.raises(Conflict, match="before anything was recorded"):
            far.append(entries("7001", version), [command(f"id/{version}", "7001", version)])
        far.append(entries("7001", version), [command(f"id/{version}", "7001", version)])
    assert proxy.cuts == 5
    assert [r.version for r in log.rows("7001")] == list(range(1, 8))

    def batch() -> None:
        with far.writing(["A"]) as batch:
            batch.append(entries("A", 1))
            proxy.cut = "before"

    def cut_midway() -> None:
        with far.writing(["A"]) as batch:
            (pid,) = far.link.run("SELECT pg_backend_pid()")[0]
            log.link.run("SELECT pg_terminate_backend(%s)", (pid,))
            batch.append(entries("A", 1))

    with pytest.raises(Conflict, match="before anything was recorded"):
        batch()
    with pytest.raises(Conflict, match="before anything was recorded"):
        cut_midway()
    assert log.states("A") == []
    batch_again = far.append(entries("A", 1))
    assert batch_again == [1]


def test_a_connection_lost_while_idle(log: PostgresLog, postgres_store_url: str) -> None:
    def cut() -> None:
        with psycopg.connect(postgres_store_url, autocommit=True) as other:
            other.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND datname = current_database()"""
            )

    cut()
    assert len(log.states("7001")) == 2
    cut()
    with log.writing(["7001"]) as batch:
        batch.append(entries("7001", 3))
    cut()
    with suppress(Conflict):
        log.append(entries("7001", 4))
    assert len(log.states("7001")) in (3, 4)


def test_a_server_that_is_not_there() -> None:
    log = open_log("postgresql://somebody:secret-word@127.0.0.1:1/ledger")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/ledger.* could not be reached") as raised:
        log.exists()
    assert "secret-word" not in str(raised.value)
    assert "somebody" not in str(raised.value)


def test_a_wrong_password_and_a_wrong_database(postgres_store_url: str) -> None:
    parts = urlsplit(postgres_store_url)
    wrong = parts._replace(netloc=f"postgres:not-the-word@{parts.hostname}:{parts.port}").geturl()
    with pytest.raises(StoreUnavailable, match="refused the user or password") as raised:
        open_log(wrong).exists()
    assert "not-the-word" not in str(raised.value)
    with pytest.raises(StoreUnavailable, match="no such database"):
        open_log(parts._replace(path="/nowhere").geturl()).exists()


def test_a_shard_that_stays_busy(log: PostgresLog, postgres_store_url: str) -> None:
    log.link.run("SET lock_timeout = '50ms'")
    with psycopg.connect(postgres_store_url) as other:
        other.execute("SELECT * FROM ledger.head FOR UPDATE")
        with pytest.raises(StoreUnavailable, match="stayed busy, and nothing was recorded"):
            log.append(entries("7001", 3))
    log.append(entries("7001", 3))


@pytest.mark.parametrize("count", [1, 20])
def test_a_log_without_the_head_of_a_shard_takes_nothing_in(
    log: PostgresLog, postgres_store_url: str, count: int
) -> None:
    before = log.states("7001")
    tampered(postgres_store_url, "DELETE FROM head WHERE shard = %s", shard_of("7001", log.shards))
    with pytest.raises(StoreError, match="lacks the head of a shard"):
        log.append(entries("7001", len(before) + 1, count), [command("bill issue/B-9", "7001", len(before) + 1)])
    assert log.states("7001") == before
    assert log.find(["bill issue/B-9"], "7001") == {}


def test_schemas_are_apart(postgres_store_url: str) -> None:
    one, two = (open_log(f"{postgres_store_url}?schema={name}") for name in ("one", "_two2"))
    one.create("one.example", "2026-01-01T00:00:00Z")
    assert not two.exists()
    two.create("two.example", "2026-01-01T00:00:00Z")
    one.append(entries("7001", 1))
    assert two.states("7001") == []
    assert (one.origin, two.origin) == ("one.example", "two.example")
    one.close()
    two.close()


def test_commits_are_durable_whatever_the_server_s_default(log: PostgresLog, postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url, autocommit=True) as db:
        name = urlsplit(postgres_store_url).path[1:]
        db.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        db.execute(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'")
    log.close()
    assert log.link.run("SHOW synchronous_commit") == [("on",)]
    assert log.link.run("SHOW transaction_isolation") == [("read committed",)]


def test_bulk_of_many_megabytes(log: PostgresLog) -> None:
    big = [e._replace(state=b'{"x":"' + b"x" * 20_000 + b'"}') for e in entries("A", 1, 200)]
    log.append(big)
    assert log.states("A") == [e.state for e in big]


def test_auditors_read_json(log: PostgresLog) -> None:
    found = log.link.run("SELECT account, version, data ->> 'bill', hash FROM ledger.event_as_json ORDER BY version")
    assert found == [("7001", r.version, f"7001-{r.version}", r.hash.hex()) for r in log.rows("7001")]


def test_a_later_storage_format(log: PostgresLog, postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url) as db:
        db.execute("ALTER TABLE ledger.meta DISABLE TRIGGER ALL")
        db.execute("UPDATE ledger.meta SET value = '2' WHERE name = 'schema'")
    with pytest.raises(NotALedger, match="storage format 2, and this version reads format 1"):
        log.exists()


def test_no_role_may_more_than_it_should(log: PostgresLog, postgres_store_url: str) -> None:
    keys = open_keys(postgres_store_url, log.origin)
    keys.create()
    keys.close()
    refused = 0
    with psycopg.connect(postgres_store_url) as db:
        for role, statements in MAY_NOT.items():
            for statement in statements:
                with pytest.raises(errors.InsufficientPrivilege):
                    attempt(db, role, statement)
                refused += 1
            with db.transaction():
                db.execute(f"SET LOCAL ROLE {role}")
                assert db.execute("SELECT count(*) FROM ledger.event").fetchone() == (2,)
    assert refused == sum(map(len, MAY_NOT.values()))


def test_even_the_owner_is_held_back(log: PostgresLog, postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url) as db:
        for statement in OWNERS:
            with pytest.raises(errors.InsufficientPrivilege, match="append-only"), db.transaction():
                db.execute(statement.encode())


def test_the_application_s_role_suffices(log: PostgresLog, postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url, autocommit=True) as db:
        name = f"u_{urlsplit(postgres_store_url).path[1:]}"
        db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w' IN ROLE ledger_app")
        parts = urlsplit(postgres_store_url)
        url = parts._replace(netloc=f"{name}:w@{parts.hostname}:{parts.port}").geturl()
        as_app, elsewhere = open_log(url), open_log(f"{url}?schema=elsewhere")
        try:
            as_app.append(entries("7001", 3), [command("id/1", "7001", 3)])
            with as_app.writing(["7001", "7002"]) as batch:
                batch.append([*entries("7001", 4), *entries("7002", 1)])
            assert as_app.create(ORIGIN, "2026-01-01T00:00:00Z") is False
            assert len(as_app.follow({}, 10)) == 5
            with pytest.raises(StoreError, match="may not do that"):
                elsewhere.create(ORIGIN, "2026-01-01T00:00:00Z")
        finally:
            as_app.close()
            elsewhere.close()
            db.execute(f"DROP ROLE {name}")


def test_without_the_right_to_create_roles(postgres_store_url: str) -> None:
    with psycopg.connect(postgres_store_url, autocommit=True) as db:
        database = urlsplit(postgres_store_url).path[1:]
        name = f"u_{database}"
        db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w'")
        db.execute(f'GRANT CREATE ON DATABASE "{database}" TO {name}')
        parts = urlsplit(postgres_store_url)
        plain = open_log(parts._replace(netloc=f"{name}:w@{parts.hostname}:{parts.port}").geturl())
        assert isinstance(plain, PostgresLog)
        try:
            assert plain.create(ORIGIN, "2026-01-01T00:00:00Z")
            assert create_roles(plain.link) == ""
            plain.append(entries("7001", 1))
        finally:
            plain.close()
            db.execute(f"DROP OWNED BY {name} CASCADE")
            db.execute(f"DROP ROLE {name}")
