"""`audit export --parquet` and `replay` as people call them: what they print, and how they end."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ledger.calendar import PACIFIC
from projections import machines
from tests import transcripts

NOW = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
OPEN = "account open --opened-on 2019-06-01 --name Sample --service-address Here --billing-email sample@example.com"
Shell = Callable[[str], tuple[str, int]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A sealed ledger with three accounts, exported to the folder `out`."""

    def run(line: str) -> tuple[str, int]:
        words = [word.replace("~", f"{tmp_path}/") for word in line.split()]
        return transcripts.run(words, b"", tmp_path, NOW)

    run("init")
    for account in ("7001", "7002", "7003"):
        assert run(f"{OPEN} --account {account}")[1] == 0
    run("audit key create")
    run("audit seal")
    run("projections rebuild")
    printed, code = run("audit export --parquet ~out --parts 2")
    assert ("8 events of 4 accounts in 2 files" in printed, code) == (True, 0), printed
    return run


def test_a_replay_compares_with_the_seal_and_the_tables(shell: Shell):
    printed, code = shell("replay --parquet ~out --tables")
    assert code == 0
    assert "8 events, 4 accounts: all chains, and the root over them, which seal 1 states too" in printed
    assert "differs" not in printed
    digests = json.loads(shell("projections status --digest --json")[0])["digests"]
    assert json.loads(shell("replay --parquet ~out --json")[0])["digests"] == digests


def test_what_differs_from_the_tables_is_named(shell: Shell):
    shell(f"{OPEN} --account 7004")
    shell("projections follow --once")
    printed, code = shell("replay --parquet ~out --tables")
    assert code == 3
    assert "accounts       " in printed
    assert printed.count("differs from the tables") >= 2


def test_a_seal_of_the_same_events_with_another_root_is_told(shell: Shell, tmp_path: Path):
    index = tmp_path / "out" / "index.json"
    told = json.loads(index.read_bytes())
    index.write_text(json.dumps(told | {"heads_root": "0" * 64}))
    printed, code = shell("replay --parquet ~out")
    assert (code, "seal 1 is of the same events" in printed) == (3, True), printed
    shell(f"{OPEN} --account 7004")
    assert shell("audit export --parquet ~new")[1] == 0
    assert "of which the store has no seal" in shell("replay --parquet ~new")[0]


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("audit export", 2, "give the file to write with -o, or a folder with --parquet"),
        ("audit export --parts 3 -o ~file", 2, "give the file to write with -o, or a folder with --parquet"),
        ("audit export --parquet ~out --account 7001", 2, "only --parts goes with it"),
        ("audit export --parquet ~out", 4, "is not empty"),
        ("replay --parquet ~nowhere", 2, "does not exist"),
        ("replay --parquet ~", 3, "holds no finished export"),
        ("replay --parquet ~out --dask tcp://127.0.0.1:1", 4, "the Dask scheduler at tcp://127.0.0.1:1 cannot be"),
        ("replay --parquet ~out --dask here:there", 4, "the Dask scheduler at here:there cannot be"),
    ],
)
def test_what_cannot_be_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch, line: str, code: int, told: str):
    monkeypatch.setattr(machines, "PATIENCE", 1)
    printed, ended = shell(line)
    assert (told in printed, ended) == (True, code), printed


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("pyarrow", "audit export --parquet ~new"),
        ("pyarrow", "replay --parquet ~out"),
        ("distributed", "replay --parquet ~out --dask tcp://127.0.0.1:1"),
    ],
)
def test_without_the_extra_its_name_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch, module: str, line: str):
    monkeypatch.setitem(sys.modules, module, None)
    printed, code = shell(line)
    assert (code, "which is not installed: pip install 'water-ledger[bulk]'" in printed) == (2, True), printed
