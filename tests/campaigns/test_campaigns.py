"""Every campaign against the promises, with as many rounds as every change is tried with."""

import os
import signal
import sys
import time
from collections import Counter
from datetime import date
from subprocess import PIPE, Popen
from types import SimpleNamespace

import orjson
import pytest
from click.testing import CliRunner

from commands.catalogue import titles
from ledger.events import EVENTS
from scripts.campaigns.__main__ import main
from scripts.campaigns.acting import Resent
from scripts.campaigns.catalogue import CAMPAIGNS
from scripts.campaigns.golden import LOGS, ROOT, said, version
from scripts.campaigns.looking import check_resent
from scripts.campaigns.report import BEGIN, END, written
from scripts.campaigns.run import BOTH, Campaign, Failed, Result, Round, play
from scripts.campaigns.simulating import simulated

EACH = [(campaign, store) for campaign in CAMPAIGNS for store in campaign.stores]


@pytest.mark.parametrize(("campaign", "store"), EACH, ids=[f"{c.number}-{store}" for c, store in EACH])
def test_the_promises_hold(campaign, store, request):
    server = request.getfixturevalue("postgres_url") if store == "postgresql" else None
    result = play(campaign, store, server)
    assert result.rounds == campaign.ci
    assert all(result.counts.values())
    assert result.counts
    if campaign.play is simulated:
        assert titles() - decided(result) == set()


def decided(result):
    """The commands that were recorded, or refused by a rule of their own."""
    return {title for title, became in result.seen if became not in NOT_BY_ITS_RULE}


NOT_BY_ITS_RULE = {
    "",  # the store failed, and there was no answer
    "duplicate",
    *("invalid_value", "missing_field", "unknown_field", "invalid_pack"),
    *("id_used", "recorded_differently", "account_closed"),
    *(f"unknown_{thing}" for thing in ("account", "bill", "fee", "payment", "deposit", "arrangement", "dispute")),
    *("unknown_appeal", "unknown_notice", "unknown_meter", "unknown_read"),
}


def breaks(round: Round) -> None:
    assert round.chance.random() < 0.5, "a promise was broken"


def test_a_failure_names_the_round_that_repeats_it():
    campaign = Campaign(99, "a coin is tossed", "P1", 20, 20, BOTH, breaks)
    with pytest.raises(Failed, match=r"a promise was broken.*--only 99 --store sqlite --seed 3") as failed:
        play(campaign, "sqlite", seed=3)
    first = int(str(failed.value).split("--first ")[1].split()[0])
    with pytest.raises(Failed, match=f"--first {first} "):
        play(campaign, "sqlite", seed=3, first=first, rounds=1)


@pytest.fixture
def heeded():
    """Ctrl-C heeded by what is started here; a shell has it ignored by all that it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing_behind(how, tmp_path):
    program = [sys.executable, "-m", "scripts.campaigns", "--only", "1"]
    surroundings = os.environ | {"TMPDIR": str(tmp_path)}
    with Popen(program, cwd=ROOT, env=surroundings, stderr=PIPE, text=True) as run:
        while not any(tmp_path.glob("*/ledger-1.db")):
            time.sleep(0.01)
            assert run.poll() is None
        run.send_signal(how)
        _, said = run.communicate(timeout=60)
    assert (run.returncode, said) == (130, "stopped before the end\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("there", "said"),
    [([True], ["recorded"]), ([False], ["duplicate"]), ([True, False], ["duplicate", "recorded"])],
    ids=["twice", "there after all", "half a batch"],
)
def test_what_had_no_answer_is_there_once(there, said):
    writer = SimpleNamespace(unanswered={3}, resent=[Resent(there, said)])
    with pytest.raises(AssertionError):
        check_resent(writer)
    check_resent(SimpleNamespace(unanswered={3}, resent=[Resent([True, True], ["duplicate", "duplicate"])]))
    with pytest.raises(AssertionError, match="not sent again"):
        check_resent(SimpleNamespace(unanswered={3}, resent=[]))


def test_the_help_names_every_campaign():
    said = CliRunner().invoke(main, ["--help"]).output
    assert [campaign.fault for campaign in CAMPAIGNS if campaign.fault not in said] == []


def test_a_campaign_that_does_not_run_on_the_store_named_is_no_success():
    said = CliRunner().invoke(main, ["--only", "1", "--store", "postgresql"])
    assert said.exit_code == 2
    assert "leave --store out" in said.output


def test_the_figures_are_written_between_their_marks(tmp_path):
    campaign = Campaign(1, "a writer is killed", "P1", 1, 2, BOTH, breaks)
    result = Result(campaign, "sqlite", 2, 1.5, Counter(killed=2))
    page = written(f"before\n{BEGIN}\nold\n{END}\nafter\n", [result], date(2026, 1, 5))
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert "| 1 | a writer is killed | P1 | SQLite | 2 | 2 | 2 | 2 killed |" in page
    assert "old" not in page
    with pytest.raises(ValueError, match="no place for figures"):
        written("a page", [result], date(2026, 1, 5))


def test_the_numbers_are_those_of_the_table_of_faults():
    """In order; what both stores have, but not by the same fault, has one number."""
    numbers = [(campaign.number, *sorted(campaign.stores, reverse=True)) for campaign in CAMPAIGNS]
    assert numbers == sorted(numbers, key=lambda each: each[0])
    each = [(number, store) for number, *stores in numbers for store in stores]
    assert len(each) == len(set(each))


def test_the_golden_log_of_this_version_has_every_event():
    """Before a release: record it anew with `python -m scripts.campaigns.golden`; afterwards it never changes."""
    lines = (LOGS / f"{version()}.jsonl").read_bytes()
    recorded = {orjson.loads(line).get("type") for line in lines.splitlines()}
    assert EVENTS.keys() - recorded == set()
    assert len(lines) < 700_000


def test_a_golden_log_tells_what_it_was_told_from():
    """Given another balance in it, then the replay says which account."""
    *rows, last = (LOGS / f"{version()}.jsonl").read_bytes().splitlines()
    states: dict[str, list[bytes]] = {}
    for row in map(orjson.loads, rows[1:]):
        states.setdefault(row["account"], []).append(row["state"].encode())
    assert said(orjson.loads(rows[0])["origin"], states) == orjson.loads(last)
    states["M-1"][-1] = states["M-1"][-1].replace(b"2024", b"2023")
    assert said(orjson.loads(rows[0])["origin"], states)["heads"]["M-1"] != orjson.loads(last)["heads"]["M-1"]
