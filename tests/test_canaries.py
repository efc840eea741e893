"""Personal data leaves no trace: canaries are planted through every door and looked for wherever they should not be.

They are looked for as text, in hexadecimal and in base64, in whatever case, in everything that the program prints and
in every byte of the files that a store leaves, the server's log and its write-ahead log included.
"""

import base64
import json
import sqlite3
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

import commands.cli
from commands.base import read
from commands.catalogue import all_commands, command_type
from commands.fields import fields_of
from ledger.application import Ledger
from ledger.calendar import PACIFIC
from ledger.events import EVENTS
from ledger.store.codec import personal_fields
from ledger.store.kek import VARIABLE
from tests.postgres_server import QUICK, running
from tests.transcripts import run

NOW = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
CANARIES = {
    "name": "Zaqxname Canary-One",
    "service_address": "71 Zaqxstreet Lane, Exampletown",
    "mailing_address": "PO Box 7113 Zaqxmail, Exampletown",
    "billing_email": "zaqxbilling@example.com",
    "phone": "530-555-0177-zaqxphone",
    "login": "zaqxlogin@example.com",
    "nickname": "zaqxnickname of the cabin",
    "petitioner": "Zaqxpetitioner Canary-Two",
    "provider": "Zaqxprovider Clinic",
}
VERBOSE = {
    "logging_collector": "on",
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_min_messages": "debug1",
    "log_error_verbosity": "verbose",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}
"""A server that writes down every statement with its values."""


def traces() -> Iterator[tuple[str, bytes]]:
    """What would give a canary away: itself, and how it looks when it was encoded."""
    for field, canary in CANARIES.items():
        text = canary.encode()
        yield field, text.lower()
        yield field, text.hex().encode()
        for shift in range(3):
            # Of three alignments one is how base64 shows it within a longer text; the ends depend on the neighbours.
            encoded = base64.b64encode(b"\0" * shift + text)
            yield field, encoded[4 if shift else 0 : -4].lower()


TRACES = list(traces())


def found_in(what: bytes) -> list[str]:
    """The fields whose canary stands somewhere in these bytes."""
    lower = what.lower()
    return sorted({field for field, trace in TRACES if trace in lower})


class Told:
    """Everything that the program has said, call by call."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.said: list[tuple[list[str], str]] = []

    def __call__(self, *arguments: str, fed: bytes = b"") -> str:
        try:
            printed, _ = run(["--db", self.url, *arguments], fed, self.folder, NOW)
        except Exception:  # noqa: BLE001
            # What nobody expected is printed as a traceback, and somebody mails it.
            printed = traceback.format_exc()
        self.said.append((list(arguments), printed))
        return printed


@pytest.fixture(autouse=True)
def kek(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, base64.b64encode(bytes(range(32))).decode())


def of(title: str, **more: Any) -> dict[str, Any]:
    """A command's record with every personal field a canary."""
    kind = command_type(title)
    personal = {field: CANARIES[field] for field in fields_of(kind) if field in CANARIES}
    return {"command": title, "account": "7001", **personal, **more}


PLANTED = [
    of("account open", opened_on="2024-01-05"),
    of("account correct", reason="misspelt"),
    of("account link"),
    of("account unlink"),
    of("health certify", on="2024-04-02"),
    {"command": "bill issue", "account": "7001", "bill": "B-1", "mailed_on": "2024-03-04", "amount": "90.00"},
    of("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-06"),
]


def plant(told: Told) -> None:
    """Every command that takes personal data, through each door."""
    for record in PLANTED:
        assert "recorded" in told(*command_line(record)), told.said[-1]
    second = [{**record, "account": "7002"} for record in PLANTED]
    assert told("post", "-", fed=feed(second)).count("recorded") == len(second)
    with Ledger(told.url, lambda: NOW) as ledger:
        for record in PLANTED:
            fields = {name: value for name, value in record.items() if name != "command"} | {"account": "7003"}
            assert ledger.post(read(command_type(record["command"]), fields)).status == "recorded"


def command_line(record: dict[str, Any]) -> list[str]:
    words = record["command"].split()
    for name, value in record.items():
        if name != "command":
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def feed(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def go_wrong(told: Told) -> None:
    """Whatever can be wrong with a command, while it carries personal data."""
    for record in PLANTED:
        line = command_line(record)
        told(*line)  # a duplicate
        told(*line, "--json", "--learned-at", "2024-01-01")
        told(*line, "--nonsense", "x")
        told(*line, "Canary", CANARIES["name"])
        told(*line[:-1])
        told(*line[:2], *line[4:])
        told(*[word if word != "7001" else "7009" for word in line], "--json")
        told(*line, "--dry-run", "--id", "X-1")
        for field in set(record) & set(CANARIES):
            for bad in wrong_texts(field):
                told(*command_line({**record, field: bad}))
            other = {**record, field: f"other{CANARIES[field]}", "account": "7004"}
            told("post", "-", "--atomic", fed=feed([other, {"command": "bill void"}]))
        told("post", "-", fed=b"".join(wrong_lines(record)))
    told("balance", CANARIES["login"])
    told("privacy", "report", CANARIES["login"])
    told("privacy", "find", CANARIES["name"])
    told("privacy", "find", CANARIES["login"], CANARIES["name"])
    told("privacy", "find", "-", fed=CANARIES["phone"].encode())
    told("privacy", "find", CANARIES["login"])  # before there are tables


def wrong_texts(field: str) -> list[str]:
    canary = CANARIES[field]
    return [f"{canary} {CANARIES['login']}\n", canary * 150, f"{canary}\ud800", " "]


def wrong_lines(record: dict[str, Any]) -> Iterator[bytes]:
    """Lines of a feed that are no command, or not this one."""
    for field in set(record) & set(CANARIES):
        for bad in (*wrong_texts(field), [CANARIES[field]], {CANARIES[field]: 1}, 530_555_0177):
            yield feed([{**record, field: bad}])
        yield feed([{**record, field: f"other{CANARIES[field]}"}])
    whole, name = json.dumps(record).encode(), CANARIES["name"].encode()
    yield whole[:-3] + b"\n"
    yield whole.replace(b"}", b', "name": "%b"}' % name) + b"\n"
    yield whole + b"\xff\n"
    yield feed([{**record, "id": "X-2"}, {**record, "id": "X-2", "account": "7005"}])
    yield b'{"name": "%b' % (name * 60_000)


def ask(told: Told) -> None:
    """Every question, export and table; the history alone shows personal data, and is asked apart."""
    for question in ("balance", "status", "explain", "reconnection", "usage", "statement"):
        for account in ("7001", "7002"):
            told(question, account)
            told(question, account, "--json")
    for question in ("aging", "trial-balance", "worklist", "rules"):
        told(question)
        told(question, "--json")
    told("export", "journal", "--format", "hledger")
    told("export", "journal", "--format", "beancount")
    told("projections", "follow", "--once")
    told("projections", "rebuild", "--processes", "1")
    told("projections", "verify", "--json")
    told("projections", "status", "--digest", "--json")
    assert "7001" in told("privacy", "find", CANARIES["login"])
    assert "7002" in told("privacy", "find", "-", "--json", fed=CANARIES["billing_email"].upper().encode())
    told("privacy", "report", "7001")
    told("privacy", "report", "7001", "--json")
    changed = feed([of("account correct", reason="what if"), of("health certify", on="2024-04-03")])
    assert '"status":"recorded"' in told("whatif", "7001", "--feed", "-", "--json", fed=changed)
    told("whatif", "7001", "--feed", "-", "--without", "2", fed=changed)
    told("audit", "recheck", "--json")


def break_the_store(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails in the middle of recording: by its own errors, and by one that nobody foresaw."""
    kind = command_type("account open")
    fields = {name: value for name, value in of("account open").items() if name != "command"}
    opening = read(kind, fields | {"account": "7008", "opened_on": "2024-01-05"})
    for error in (
        sqlite3.OperationalError("disk I/O error"),
        psycopg.OperationalError("lost"),
        ValueError("unforeseen"),
    ):
        with monkeypatch.context() as patch, Ledger(told.url, lambda: NOW) as ledger:

            def fail(*_: Any, error: Exception = error, **__: Any) -> None:
                raise error

            patch.setattr(type(ledger.recorder), "insert_events", fail)
            patch.setattr(commands.cli, "_called", lambda: ledger.post(opening))
            told("balance", "7001")
            assert "Error" in told.said[-1][1]


def nothing_was_said(told: Told) -> None:
    assert len(told.said) > 150
    for arguments, printed in told.said:
        assert found_in(printed.encode("utf-8", "backslashreplace")) == [], (arguments, printed[:2000])


def nothing_lies_in(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 20_000
    for path in files:
        assert found_in(path.read_bytes()) == [], path


def play(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole life of the canaries, up to their erasure."""
    assert "created" in told("init")
    plant(told)
    go_wrong(told)
    break_the_store(told, monkeypatch)
    ask(told)
    nothing_was_said(told)
    # They are there for whoever may see them, or nothing would have been tested.
    shown, _ = run(["--db", told.url, "history", "7001", "--json"], b"", told.folder, NOW)
    assert found_in(shown.encode()) == sorted(CANARIES)


def erase(told: Told) -> None:
    for kind in ("contact", "medical"):
        told("privacy", "erase", "7001", "--class", kind, "--authority", "request 118")
        told("privacy", "erase", "7001", "--class", kind, "--authority", "request 118", "--override-reason", "order")
    shown = told("history", "7001", "--json") + told("history", "7001")
    assert shown.count("[erased]") >= 2 * len(CANARIES)
    nothing_was_said(told)


def test_every_personal_field_has_a_canary() -> None:
    assert {field for kind in EVENTS.values() for field, _ in personal_fields(kind)} == set(CANARIES)
    takes = {kind.title() for kind in all_commands() if set(fields_of(kind)) & set(CANARIES)}
    assert takes == {record["command"] for record in PLANTED} - {"bill issue"}


def test_a_trace_is_found_however_it_is_written() -> None:
    for field, canary in CANARIES.items():
        for before in (b"", b"a", b"ab", b"abc"):
            whole = before + canary.encode() + b"; more"
            for written in (whole, whole.upper(), whole.hex().encode(), base64.b64encode(whole)):
                assert field in found_in(written), (field, written)
    assert found_in(b"Sample Customer, 1 Example Lane") == []


def test_no_canary_in_the_files_of_sqlite_nor_in_anything_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(f"sqlite:///{tmp_path / 'water-ledger.db'}", tmp_path)
    play(told, monkeypatch)
    # Another reader keeps the write-ahead logs from being folded into their files.
    with sqlite3.connect(tmp_path / "water-ledger.db") as reader:
        reader.execute("BEGIN").execute("SELECT count(*) FROM sqlite_master").fetchone()
        erase(told)
        assert {path.name for path in tmp_path.iterdir()} >= {"water-ledger.db", "water-ledger.views.db"}
        nothing_lies_in(tmp_path)
    reader.close()


def test_no_canary_in_the_files_of_postgresql_nor_in_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="water-ledger-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with running(folder, QUICK | VERBOSE) as url:
            told = Told(url, tmp_path)
            play(told, monkeypatch)
            erase(told)
            with psycopg.connect(url, autocommit=True) as server:
                server.execute("CHECKPOINT")
                with suppress(psycopg.Error):
                    server.execute("INSERT INTO ledger.event SELECT * FROM ledger.event")
            log = b"".join(path.read_bytes() for path in (folder / "data" / "log").iterdir())
            assert b"sealed:1:".hex().encode() in log, "the server wrote down what it was sent"
            assert b"duplicate key" in log
            nothing_lies_in(folder / "data")
