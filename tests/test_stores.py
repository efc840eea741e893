import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.postgres_server import SAFE, fresh_database, running

ROOT = Path(__file__).parent.parent


def test_the_server_is_a_postgresql_18(postgres_store_url):
    with psycopg.connect(postgres_store_url) as connection:
        assert connection.execute("SELECT version()").fetchone()[0].startswith("PostgreSQL 18.")


def test_two_databases_know_nothing_of_each_other(postgres_url, postgres_store_url):
    with fresh_database(postgres_url) as other_url, psycopg.connect(postgres_store_url) as connection:
        connection.execute("CREATE TABLE seen (n int)")
        connection.commit()
        with psycopg.connect(other_url) as other:
            assert other.execute("SELECT to_regclass('seen')").fetchone() == (None,)


def test_a_database_is_dropped_though_somebody_is_still_connected(postgres_url):
    with fresh_database(postgres_url) as url:
        left_open = psycopg.connect(url)
    left_open.close()
    name = url.rpartition("/")[2]
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None


def test_each_kind_of_store_starts_empty(store_url):
    if store_url.startswith("sqlite:///"):
        connection = sqlite3.connect(store_url.removeprefix("sqlite:///"))
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        connection.close()
    else:
        with psycopg.connect(store_url) as connection:
            tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_durable_server_can_be_had_for_oneself_and_leaves_nothing_running():
    with tempfile.TemporaryDirectory(prefix="water-ledger-") as name:
        Path(name).chmod(0o755)
        with running(Path(name), SAFE) as url, psycopg.connect(url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert not (Path(name) / "data" / "postmaster.pid").exists()


def test_a_killed_run_takes_its_server_with_it():
    code = (
        "from tests.postgres_server import SharedServer; import sys, time;"
        "shared = SharedServer.for_this_run(); print(shared.folder, shared.url(), flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        folder, url = run.stdout.readline().split()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        run.kill()
    deadline = time.monotonic() + 30
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
