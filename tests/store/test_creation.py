"""A ledger is created whole or not at all, however many begin at once and wherever one of them dies."""

import shutil
import subprocess
import sys
from base64 import b64encode
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from commands.base import read
from commands.catalogue import command_type
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.policy.parameters import builtin_packs
from ledger.store.log import StoreError, event_hash, genesis
from ledger.store.open import keys_of, open_keys, open_log

ROOT = str(Path(__file__).parents[2])
NOW = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)


def clock() -> datetime:
    return NOW


@pytest.fixture(autouse=True)
def own_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WATER_LEDGER_KEK", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def place(url: str, number: int) -> str:
    """The address of another empty store beside this one."""
    return url.replace(".db", f"-{number}.db") if url.startswith("sqlite") else f"{url}?schema=s{number}"


def script(text: str, *arguments: str) -> list[str]:
    run = [sys.executable, "-c", f"import sys\nsys.path.insert(0, {ROOT!r})\n{text}", *arguments]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


AT_ONCE = """
import os, time
from commands.base import read
from commands.catalogue import command_type
from ledger.application import Ledger, create
from ledger.moments import moment

clock = lambda: moment("2024-06-03T09:00")
for url in sys.argv[1:]:
    start, children = time.monotonic() + 0.05, []
    for number in range(8):
        if not (child := os.fork()):
            code = 1
            try:
                record = {"account": f"A{number}", "opened_on": "2024-01-02", "name": "x", "service_address": "y"}
                time.sleep(max(0, start - time.monotonic()))
                made = create(url, clock)
                with Ledger(url, clock) as ledger:
                    outcome = ledger.post(read(command_type("account open"), record))
                os.write(1, f"{made} {outcome.status}\\n".encode())
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
"""


def test_eight_first_commands_at_once(store_url: str) -> None:
    urls = [place(store_url, number) for number in range(4 if store_url.startswith("sqlite") else 2)]
    said = script(AT_ONCE, *urls)
    assert said.count("True") == len(urls)
    assert said.count("recorded") == 8 * len(urls)
    for url in urls:
        with closing(open_log(url)) as log:
            assert len(log.states(UTILITY)) == len(builtin_packs("del-oro"))
            assert len(list(log.accounts())) == 9


DYING = """
import os
from ledger.application import create
from ledger.moments import moment

def step(frame, event, argument):
    global left
    if "/ledger/store/" not in frame.f_code.co_filename.replace(os.sep, "/") and frame.f_code.co_name != "create":
        return None
    left -= event == "line"
    if left == 0:
        os._exit(9)
    return step

def attempt(url, lines):
    global left
    if not (child := os.fork()):
        left, code = lines, 1
        try:
            sys.settrace(step)
            create(url, lambda: moment("2024-06-03T09:00"))
            sys.settrace(None)
            print(lines - left, flush=True)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

first, *others = sys.argv[1:]
if attempt(first, 10**9):
    sys.exit(1)
sys.stdout.flush()
"""
DIES = """
total = int(others.pop(0))
for number, url in enumerate(others, 1):
    assert attempt(url, total * number // (len(others) + 1)) == 9
"""


def test_whoever_dies_while_creating_leaves_nothing_in_the_way(store_url: str) -> None:
    deaths = 24 if store_url.startswith("sqlite") else 10
    (total,) = script(DYING, place(store_url, 0))
    urls = [place(store_url, number) for number in range(1, deaths + 1)]
    script(DYING.replace("if attempt(first", "if first and attempt(first") + DIES, "", total, *urls)
    made = []
    for url in urls:
        made.append(create(url, clock))
        assert not create(url, clock)
        record = {"account": "7001", "opened_on": "2024-01-02", "name": "Canary", "service_address": "y"}
        with Ledger(url, clock) as ledger:
            assert ledger.post(read(command_type("account open"), record)).status == "recorded"
            assert len(ledger.books.utility().events) == len(builtin_packs("del-oro"))
            opened = ledger.books.opened("7001", ledger.books.history("7001").events[0])
            assert opened.name == "Canary"  # type: ignore[attr-defined]
    assert True in made


def test_a_new_ledger_has_its_packs_in_its_chain(store_url: str) -> None:
    assert create(store_url, clock, origin="a.example/l")
    with closing(open_log(store_url)) as log:
        expected = genesis("a.example/l", UTILITY)
        rows = log.rows(UTILITY)
        for row in rows:
            expected = event_hash(expected, row.version, row.account, row.type, row.state)
            assert row.hash == expected
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        assert sum(log.heads().values()) == len(rows)
        assert log.meta("policy") == "del-oro"


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="check its folder"):
        create(f"sqlite:///{tmp_path}/no/such/ledger.db", clock)
    assert list(tmp_path.iterdir()) == []


def test_the_keys_of_another_ledger_are_refused(sqlite_store_url: str) -> None:
    urls = [place(sqlite_store_url, number) for number in (1, 2)]
    command = read(command_type("account open"), {
        "account": "7001", "opened_on": "2024-01-02", "name": "Canary", "service_address": "y",
    })  # fmt: skip
    for url in urls:
        assert create(url, clock)
        with Ledger(url, clock) as ledger:
            assert ledger.post(command).status == "recorded"
    mine, theirs = (Path(url.removeprefix("sqlite:///").removesuffix(".db")) for url in urls)
    for suffix in (".keys.db", ".kek"):
        shutil.copy(f"{theirs}{suffix}", f"{mine}{suffix}")
    refused = pytest.raises(StoreError, match=r"the keys of another ledger \(put back those made with this one\)")
    with Ledger(urls[0], clock) as ledger:
        with refused:
            ledger.post(command)
        with refused:
            ledger.books.opened("7001", ledger.books.history("7001").events[0])
    with closing(open_log(urls[0])) as log, closing(keys_of(urls[0], log, read_only=True)) as keys:
        with refused:
            keys.open("7001", "contact", "name", keys_sealed(urls[1]))
        with refused:
            keys.erase("7001")
        assert len(log.states("7001")) == 1


def keys_sealed(url: str) -> str:
    with closing(open_log(url)) as log, closing(keys_of(url, log)) as keys:
        return keys.seal("7001", "contact", "name", "Canary")


def test_keys_that_do_not_fit_are_named_at_the_creation(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATER_LEDGER_KEK", b64encode(b"k" * 32).decode())
    with closing(open_keys(store_url, "another.example/ledger")) as keys:
        keys.create()
    with pytest.raises(StoreError, match="holds the keys of another ledger"):
        create(store_url, clock)
    assert create(store_url, clock, origin="another.example/ledger")
    with Ledger(store_url, clock) as ledger:
        assert ledger.keys.commitment == ledger.store.meta("digest_key_commitment")
