"""Addresses of stores."""

import os
import re
from pathlib import Path

import pytest

from ledger.store.log import BadAddress
from ledger.store.open import open_log
from ledger.store.postgres import PostgresLog
from ledger.store.sqlite import SQLiteLog


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///water-ledger.db", "water-ledger.db"),
        ("sqlite:////var/lib/water-ledger.db", "/var/lib/water-ledger.db"),
        ("sqlite:///some%20folder/l.db", "some folder/l.db"),
        ("sqlite:///l.db?timeout=30", "l.db"),
    ],
)
def test_files(url: str, path: str) -> None:
    log = open_log(url)
    assert isinstance(log, SQLiteLog)
    assert log.path == path


@pytest.mark.parametrize(
    "url",
    ["postgresql://host/db", "postgres://u:p@host:5433/db?schema=a_1&sslmode=require", "postgresql:///db?host=/run/pg"],
)
def test_servers(url: str) -> None:
    log = open_log(url)
    assert isinstance(log, PostgresLog)
    assert log.schema in ("ledger", "a_1")
    assert ":p@" not in log.link.place


def test_an_address_may_name_several_servers() -> None:
    url = "postgresql://u:secret-word@one:5433,two,[::1]:5434/db?target_session_attrs=read-write&schema=a"
    log = open_log(url)
    assert isinstance(log, PostgresLog)
    assert log.link.place == "PostgreSQL at one:5433, two, ::1:5434/db (schema a)"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "begins with sqlite://"),
        ("water-ledger.db", "begins with sqlite://"),
        ("mysql://host/db", "not in 'mysql'"),
        ("sqlite://water-ledger.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:///folder/", "names no file"),
        ("sqlite:///:memory:", "not in memory"),
        ("sqlite:///l%00.db", "no zero byte"),
        ("sqlite:///l.db?mode=ro", "one option"),
        ("sqlite:///l.db?timeout=soon", "one option"),
        ("postgresql://host:port/db", "cannot be read"),
        ("postgresql://host:5432,other:port/db", "cannot be read"),
        ("postgresql://host/db?schema=A", "a schema is named"),
        ("postgresql://host/db?schema=a;drop", "a schema is named"),
        ('postgresql://host/db?schema=a"', "a schema is named"),
        ("postgresql://host/db?schema=" + "a" * 42, "a schema is named"),
        ("postgresql://host/db?schema=1a", "a schema is named"),
        ("postgresql://host/db?schema=a%0A", "a schema is named"),
        ("postgresql://u:secret-word@[host/db", "cannot be read"),
    ],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    with pytest.raises(BadAddress, match=words) as raised:
        open_log(url)
    assert "secret-word" not in str(raised.value)


def test_a_folder_is_no_ledger_and_a_file_in_it_may_be_one(tmp_path: Path) -> None:
    with pytest.raises(BadAddress, match="is a folder, and a ledger is kept in a file") as raised:
        open_log(f"sqlite:///{tmp_path}")
    (inside,) = re.findall(r"name one in it: (\S+)\)", str(raised.value))
    assert inside == f"sqlite:///{tmp_path}/water-ledger.db"
    assert not open_log(inside).exists()


def test_a_pipe_or_a_device_is_no_ledger_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.db")
    for path in (str(tmp_path / "pipe.db"), "/dev/null"):
        with pytest.raises(BadAddress, match="is a pipe or a device, and a ledger is kept in a file"):
            open_log(f"sqlite:///{path}")


def test_opening_touches_nothing(tmp_path: Path) -> None:
    open_log(f"sqlite:///{tmp_path}/ledger.db").exists()
    assert list(tmp_path.iterdir()) == []
