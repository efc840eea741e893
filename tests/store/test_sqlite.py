"""What only a log in a file can be asked."""

import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from ledger.store.log import Conflict, Log, NotALedger, StoreError, StoreUnavailable
from ledger.store.open import open_log
from ledger.store.sqlite import SQLiteLog
from scripts.campaigns.forbidding import IN_A_FILE
from tests.store.conftest import ORIGIN, command, entries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def log(path: Path) -> SQLiteLog:
    log = SQLiteLog(str(path), timeout=1)
    log.create(ORIGIN, "2026-01-01T00:00:00Z")
    log.append(entries("7001", 1, 2), [command("bill issue/B-1", "7001", 1)])
    return log


@pytest.mark.parametrize("statement", IN_A_FILE)
def test_nothing_recorded_can_be_taken_back(log: SQLiteLog, path: Path, statement: str) -> None:
    def everything(db: sqlite3.Connection) -> list[object]:
        return [db.execute(f"SELECT * FROM {t}").fetchall() for t in ("event", "command", "head", "meta")]

    with closing(sqlite3.connect(path)) as db:
        before = everything(db)
        with pytest.raises(sqlite3.IntegrityError):
            db.execute(statement)
        db.rollback()
        assert everything(db) == before


def test_auditors_read_json(log: SQLiteLog, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT account, version, data ->> 'bill', hash FROM event_as_json").fetchall()
    assert found == [("7001", r.version, f"7001-{r.version}", r.hash.hex()) for r in log.rows("7001")]


def test_commits_reach_the_disk(log: SQLiteLog) -> None:
    db = log._connection()
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_busy_file(log: SQLiteLog, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        impatient = SQLiteLog(str(path), timeout=0)
        with pytest.raises(StoreUnavailable, match=r"ledger\.db stayed busy.*run the command again"):
            impatient.append(entries("7001", 3))
        assert len(impatient.states("7001")) == 2
    impatient.append(entries("7001", 3))
    impatient.close()


@pytest.mark.parametrize("room", range(1, 20, 2))
def test_a_full_disk(log: SQLiteLog, room: int) -> None:
    db = log._connection()
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages + room}")
    version = 2

    def fill() -> None:
        nonlocal version
        while version < 5000:
            log.append(entries("7001", version + 1, 9), [command(f"id/{version}", "7001", version + 1)])
            version += 9

    with pytest.raises(StoreUnavailable, match="the disk is full, and nothing was recorded"):
        fill()
    assert len(log.states("7001")) == log.heads()[0] == version
    db.execute("PRAGMA max_page_count = 100000")
    log.append(entries("7001", version + 1), [command(f"id/{version}", "7001", version + 1)])
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_files_that_are_no_ledger(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("accounts, amounts and other things that are not a database at all\n" * 100)
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE t (a)")
        db.commit()
    for path, words in ((text, "not an SQLite file"), (foreign, "not a ledger")):
        before = path.read_bytes()
        log = SQLiteLog(str(path))
        with pytest.raises(NotALedger, match=words):
            log.create(ORIGIN, "2026-01-01T00:00:00Z")
        for use in (log.exists, lambda log=log: log.states("7001")):
            with pytest.raises(NotALedger, match=words):
                use()
        assert path.read_bytes() == before
    missing = SQLiteLog(str(tmp_path / "no" / "such" / "folder.db"))
    assert not missing.exists()
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        missing.create(ORIGIN, "2026-01-01T00:00:00Z")


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    log = SQLiteLog(str(path))
    assert not log.exists()
    with pytest.raises(NotALedger, match="water-ledger init"):
        log.states("7001")
    assert log.create(ORIGIN, "2026-01-01T00:00:00Z")
    log.close()


def test_a_later_storage_format(log: SQLiteLog, path: Path) -> None:
    log.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TRIGGER meta_update_refused")
        db.execute("UPDATE meta SET value = '2' WHERE name = 'schema'")
        db.commit()
    with pytest.raises(NotALedger, match="storage format 2, and this version reads format 1"):
        log.exists()


LOOKED_AT = """
import os, sys, urllib.parse  # loaded while it may be: Python itself may lie where only the superuser reads
sys.path.insert(0, sys.argv[2])
from ledger.store.log import StoreUnavailable
from ledger.store.sqlite import SQLiteLog
if os.geteuid() == 0:
    os.setuid(65534)  # the superuser reads and writes where it likes
log = SQLiteLog(sys.argv[1], read_only=True)
try:
    print(len(log.states("7001")), len(list(log.scan())))
except StoreUnavailable as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("rights", "answer"),
    [(0o755, r"2 1\n"), (0o555, r"2 1\n"), (0o444, r".*ledger\.db cannot be opened \(check .*\)\n")],
)
def test_a_folder_where_nothing_may_be_written(rights: int, answer: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "ledger.db")
        log = SQLiteLog(str(path))
        log.create(ORIGIN, "2026-01-01T00:00:00Z")
        log.append(entries("7001", 1, 2))
        log.close()
        path.chmod(0o444)
        path.parent.chmod(rights)
        run = [sys.executable, "-c", LOOKED_AT, str(path), str(Path(__file__).parents[2])]
        done = subprocess.run(run, capture_output=True, text=True)
        path.parent.chmod(0o755)
    assert re.fullmatch(answer, done.stdout), done.stdout + done.stderr


def test_a_log_without_its_head_takes_nothing_in(log: SQLiteLog, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f'DROP TRIGGER "{trigger}"')
        db.execute("DELETE FROM head")
        db.commit()
    with pytest.raises(StoreError, match="lacks the head of its events"):
        log.append(entries("7001", 3))


def test_driver_s_words_stay_inside(log: SQLiteLog, path: Path) -> None:
    with pytest.raises(Conflict) as raised:
        log.append(entries("7001", 3), [command("bill issue/B-1", "7001", 3)])
    assert raised.value.__suppress_context__
    assert "UNIQUE" not in str(raised.value)
    assert "B-1" not in str(raised.value)


KILLED = """
import sys
import tempfile
sys.path.insert(0, sys.argv[2])
from ledger.store.sqlite import SQLiteLog
from ledger.store.log import CommandKey, Entry
log = SQLiteLog(sys.argv[1])
version = len(log.states("7001"))
while True:
    version += 1
    command = [CommandKey(f"id/{version}", b"d")], "7001", version, version
    log.append([Entry("7001", version, "BillIssued", b'{"n":%d}' % version)], [command])
    print(version, flush=True)
"""


def test_killed_while_appending(path: Path, log: SQLiteLog) -> None:
    log.close()
    for round in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path), str(Path(__file__).parents[2])], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            acknowledged = [int(writer.stdout.readline()) for _ in range(5 + 7 * round)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += [
                int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")
            ]
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = log.rows("7001")
        assert len(rows) in (acknowledged[-1], acknowledged[-1] + 1)
        assert log.heads()[0] == len(rows)
        found = log.find([f"id/{version}" for version in acknowledged], "7001")
        assert len(found) == len(acknowledged)
        log.close()


def test_options_of_the_address(path: Path, log: SQLiteLog) -> None:
    again: Log = open_log(f"sqlite:///{path}?timeout=3")
    assert again.states("7001") == log.states("7001")
    again.close()
    with pytest.raises(StoreError, match="one option"):
        open_log(f"sqlite:///{path}?mode=memory")
