"""The benchmarks run and say what they promise to say; how fast anything is depends on the machine, so is not asked."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands import clock
from commands.base import read
from commands.catalogue import command_type
from ledger.application import Ledger, create
from ledger.store.codec import decode
from scripts.benchmarks import bundle, command, follow, post, question, rebuild, scale
from scripts.benchmarks.door import main
from scripts.benchmarks.lives import accounts_for, lived
from scripts.benchmarks.measuring import Result, ratios
from scripts.benchmarks.report import as_json, as_page
from scripts.benchmarks.sample import COMMANDS, interleaved, life

ROOT = Path(__file__).parent.parent.parent


def server_for(store: str, request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("postgres_url") if store == "postgresql" else None


def test_a_life_is_120_commands_that_a_feed_may_hold():
    commands = [
        read(command_type(str(record["command"])), {k: v for k, v in record.items() if k != "command"})
        for record in life(7)
    ]
    assert len(commands) == COMMANDS
    assert {c.account for c in commands} == {"000007"}
    assert len({c.content() for c in commands}) == COMMANDS


def test_lives_are_told_side_by_side():
    accounts = [record["account"] for record in interleaved([1, 2])]
    assert accounts[:4] == ["000001", "000002", "000001", "000002"]
    assert len(accounts) == 2 * COMMANDS


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_command_is_measured_beside_stock_and_commits(store, request):
    found = command.measure(store, 0, 2, server_for(store, request))
    assert [sorted(result.figures) for result in found] == [["commit", "ledger", "stock"]] * len(found)
    assert len(found) == (2 if store == "postgresql" else 1)
    assert all(sorted(result.ratios) == ["ledger/commit", "ledger/stock"] for result in found)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_post_is_measured_inside_and_as_a_program(store, request):
    inside, whole = post.measure(store, 0, 2, server_for(store, request))
    assert sorted(inside.figures) == ["ledger", "rows", "stock"]
    assert sorted(inside.ratios) == ["ledger/rows", "ledger/stock"]
    assert list(whole.figures) == ["program"]


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_a_bundle_is_measured_and_weighed(store, request):
    (found,) = bundle.measure(store, 0, 2, server_for(store, request))
    assert sorted(found.figures) == ["checked", "kilobytes", "made"]
    assert "120 events among" in found.what


def test_questions_are_measured_from_start_to_exit_and_alone():
    whole, answer = question.measure("sqlite", 0, 1)
    assert set(question.QUESTIONS) | {"stock", "driver", "libraries", "python"} == set(whole.figures)
    assert set(question.QUESTIONS) == set(answer.figures)


def test_an_ordinary_life_is_recorded_as_its_commands_would_be(tmp_path):
    """The events recorded in bulk are those that the commands of the same life decide, but for who noted them when."""
    url = f"sqlite:///{tmp_path / 'posted.db'}"
    create(url, clock.now)
    with Ledger(url, clock.now) as ledger:
        command.seed(ledger, None, 7)
        posted = decode(ledger.store.states("000007"))
    told = decode(entry.state for entry in lived(7))
    assert [(event.type, event.version, event.effective) for event in told] == [
        (event.type, event.version, event.effective) for event in posted
    ]
    facts = ("bill", "amount", "past_due_from", "payment", "channel", "meter", "reading", "notice", "kind", "method")
    assert [[getattr(event, fact, None) for fact in facts] for event in told] == [
        [getattr(event, fact, None) for fact in facts] for event in posted
    ]


def test_lives_beyond_the_models_bear_their_own_numbers():
    names = {event.bill for event in decode(entry.state for entry in lived(1234)) if hasattr(event, "delivery")}
    assert len(names) == 36
    assert all(name.startswith("B-001234-") for name in names)


def test_so_many_events_are_so_many_accounts():
    assert [accounts_for(n) for n in (1, 120, 121, 1_000_000)] == [1, 1, 2, 8334]


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_follow_is_measured_beside_stock(store, request):
    (found,) = follow.measure(store, 0, 2, server_for(store, request))
    assert sorted(found.figures) == ["ledger", "stock"]
    assert list(found.ratios) == ["ledger/stock"]


def test_scale_measures_time_and_memory_of_every_size(monkeypatch):
    monkeypatch.setattr(scale, "LEAST", 240)
    speed, memory = scale.measure("sqlite", 0, 20)
    assert list(speed.figures) == list(memory.figures) == ["240 events", "2,400 events"]
    assert list(speed.ratios) == ["2,400 events/240 events"]
    assert all(0 < value < 2000 for value in memory.figures.values())


def test_rebuild_may_be_measured_with_so_many_ordinary_events():
    (found,) = rebuild.measure("sqlite", 0, 0, events=480)
    assert "485 ordinary events" in found.what
    assert sorted(found.figures) == ["decode", "ledger", "one process", "stock"]


def test_events_are_refused_where_the_size_is_one_of_accounts():
    said = CliRunner().invoke(main, ["command", "--events", "100"])
    assert said.exit_code == 2
    assert "--events is for rebuild and scale" in said.output


def test_a_ratio_is_the_median_over_pairs():
    rounds = [{"ledger": 10.0, "stock": 5.0}, {"ledger": 90.0, "stock": 30.0}, {"ledger": 8.0, "stock": 1.0}]
    assert ratios(rounds) == {"ledger/stock": 3.0}


def test_a_target_may_be_a_floor_or_a_ceiling():
    result = Result(
        "b", "sqlite", "w", "ms", {"a": 150.0, "b": 151.0}, {"r": 4.0}, {"r": ">= 4", "a": "<= 150", "b": "<= 150"}
    )
    assert [result.met(name) for name in ("r", "a", "b")] == [True, True, False]


def test_the_page_holds_every_figure_and_says_which_target_was_missed():
    result = Result(
        "command",
        "sqlite",
        "one command",
        "commands/s",
        {"ledger": 1234.0},
        {"ledger/stock": 3.5},
        {"ledger/stock": ">= 4"},
    )
    page = as_page([result], date(2026, 11, 22))
    assert "| ledger | 1,234 |  |" in page
    assert "| ledger/stock | 3.50 | at least 4: missed |" in page
    for floor in ("stock", "commit", "rows", "driver", "libraries", "decode", "python"):
        assert f"(*{floor}*)" in page, f"the page does not say what {floor} is"
    assert json.loads(as_json([result]))["results"][0]["figures"] == {"ledger": 1234.0}


def test_the_script_prints_json_without_a_terminal(tmp_path):
    call = [sys.executable, "-m", "scripts.benchmarks", "command", "--store", "sqlite", "--seconds", "0", "--size", "1"]
    page = tmp_path / "page.md"
    done = subprocess.run(
        [*call, "--write", page],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    said = json.loads(done.stdout)
    assert set(said) == {"machine", "results"}
    assert set(said["results"][0]) == {"benchmark", "store", "what", "unit", "figures", "ratios", "targets"}
    assert page.read_text().startswith("# Performance\n")
