"""The simulator: the same seed gives the same bytes, a likely utility, and a feed that the ledger takes."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.base import read
from commands.catalogue import command_type
from commands.cli import cli
from scripts.simulation import scenarios, stream
from scripts.simulation.command import main, simulate
from scripts.simulation.days import Days
from scripts.simulation.money import dollars
from scripts.simulation.profile import PROFILES
from scripts.simulation.stream import Sorter
from scripts.simulation.summary import summary
from scripts.simulation.world import World

SIMULATE = Path(__file__).parents[2] / "scripts" / "simulate"
CASES = scenarios.index()


def made_up(policy, accounts, first, last, seed, **otherwise):
    """The feed, the truth and the summary of a run, as records."""
    profile = PROFILES[policy]._replace(**otherwise)
    world = World(profile, seed, Days(policy, first, last), Sorter(), Sorter())
    simulate(world, accounts)
    return [[json.loads(line) for line in lines] for lines in (world.recorded, world.truth)], summary(world)


@cache
def three_years():
    return made_up("del-oro", 300, date(2022, 1, 1), date(2024, 12, 31), 7)


def fed(url, *arguments):
    """What the command line answers, a JSON object a line."""
    told = CliRunner().invoke(cli, ["--db", url, *arguments])
    assert told.exit_code in (0, 1), told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


def scripted(seed, hash_seed):
    arguments = ["--accounts", "12", "--years", "2", "--seed", str(seed), "--scenarios"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run([sys.executable, SIMULATE, *arguments], env=environment, capture_output=True, check=True)
    assert run.stdout
    return run.stdout


def test_a_seed_decides_every_byte():
    first = scripted(7, "1")
    assert scripted(7, "1") == first
    assert scripted(7, "2") == first
    assert scripted(8, "1") != first


def test_a_longer_list_of_addresses_changes_nobody_before_it():
    few, many = (made_up("del-oro", n, date(2022, 1, 1), date(2022, 12, 31), 7)[0][0] for n in (3, 5))
    those = {record["account"] for record in few if "account" in record}
    assert [record for record in many if record.get("account") in those] == [r for r in few if "account" in r]


def test_the_feed_is_in_the_order_of_learning_and_the_truth_in_the_order_of_happening():
    (feed, truth), _ = three_years()
    assert len(feed) > 30_000
    assert [r["learned_at"] for r in feed] == sorted(r["learned_at"] for r in feed)
    assert [r["happened"] for r in truth] == sorted(r["happened"] for r in truth)


def test_what_is_spilled_to_disk_comes_back_in_order(monkeypatch):
    monkeypatch.setattr(stream, "MOST_RUNS", 3)
    sorter = Sorter(lines_in_memory=4)
    for number in range(101):
        sorter.add(number * 37 % 101, 1, number, {"at": number * 37 % 101})
    assert [json.loads(line)["at"] for line in sorter] == list(range(101))


@pytest.mark.parametrize("policy", ["del-oro", "cal-water"])
def test_every_line_is_a_command_with_its_fields(policy):
    (feed, _), _ = made_up(policy, 40, date(2020, 1, 1), date(2022, 12, 31), 3)
    known = 0
    for line in feed:
        record = dict(line)
        read(command_type(record.pop("command")), record)
        known += 1
    assert known == len(feed)
    for case in CASES:
        for line in (scenarios.FOLDER / case["feed"]).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            read(command_type(record.pop("command")), record)


def test_bills_add_up_and_follow_the_meter():
    (feed, _), _ = three_years()
    ends = {}
    for bill in (r for r in feed if r["command"] == "bill issue" and not r["bill"].endswith("X")):
        assert sum(cents(line["amount"]) for line in bill["lines"]) == cents(bill["amount"]) > 0
        assert bill["period_start"] < bill["period_end"] < bill["mailed_on"]
        assert ends.setdefault(bill["account"], bill["period_start"]) == bill["period_start"]
        ends[bill["account"]] = bill["period_end"]


def cents(text):
    return round(float(text) * 100)


RANGES = {
    "residential": (900, 980), "low_income": (120, 220), "landlords": (70, 170), "autopay": (170, 270),
    "unpaid at 20 days": (120, 220), "unpaid at 35 days": (45, 110), "unpaid at 50 days": (20, 70),
    "unpaid at 80 days": (5, 40), "discontinuance notices": (10, 35),
}  # fmt: skip
RATES = {
    "closed": (60, 140), "shutoffs": (3, 60), "arrangements": (10, 50), "meter exchanges": (30, 70),
    "petitions": (2, 30), "lines": (35_000, 65_000),
}  # fmt: skip


def test_the_shares_are_those_of_a_likely_utility():
    _, found = three_years()
    shares, rates = found["shares, permille"], found["per thousand account-years"]
    assert {n: shares[n] for n, (low, high) in RANGES.items() if not low <= shares[n] <= high} == {}
    assert {n: rates[n] for n, (low, high) in RATES.items() if not low <= rates[n] <= high} == {}
    assert all(found["of note"].values()), found["of note"]


def test_petitions_come_on_the_fifth_day_and_on_the_sixth():
    (feed, _), _ = made_up("del-oro", 60, date(2024, 1, 1), date(2024, 12, 31), 7, petitions=9_000)
    bills = {r["bill"]: r for r in feed if r["command"] == "bill issue"}
    days = Counter()
    for petition in (r for r in feed if r["command"] == "dispute petition"):
        bill = bills[petition["bill"]]
        since = date.fromisoformat(petition["filed_at"][:10]) - date.fromisoformat(bill["mailed_on"])
        days[since.days - (0 if bill.get("delivery") == "email" else 5)] += 1
    assert min(days) >= 0
    assert days[5]
    assert days[6]


def test_nobody_is_shut_off_in_the_moratorium_and_notices_go_on():
    (feed, _), _ = made_up("del-oro", 150, date(2021, 1, 1), date(2022, 12, 31), 5)
    shut = [r["at"] for r in feed if r["command"] == "service disconnect"]
    assert shut
    assert min(shut) > "2022"
    assert any(r["command"] == "notice serve" and r["kind"] == "discontinuance" and r["on"] < "2022" for r in feed)


@pytest.mark.parametrize("policy", ["del-oro", "cal-water"])
def test_the_ledger_takes_the_feed_and_agrees_on_every_balance(policy, tmp_path):
    (feed, truth), _ = made_up(policy, 50, date(2021, 7, 1), date(2023, 6, 30), 11)
    path, url = tmp_path / "feed.jsonl", f"sqlite:///{tmp_path / 'ledger.db'}"
    path.write_text("".join(json.dumps(record) + "\n" for record in feed), encoding="utf-8")
    CliRunner().invoke(cli, ["--db", url, "init", "--policy", policy])
    answers = fed(url, "post", "--backfill", str(path))
    assert len(answers) == len(feed)
    refused = [(record, a) for record, a in zip(feed, answers, strict=True) if "error" in a]
    assert [pair for pair in refused if not pair[0].get("note", "").startswith("meant to be refused")] == []
    duplicates = sum(a["status"] == "duplicate" for a in answers)
    assert duplicates == len(feed) - len({json.dumps({**r, "learned_at": ""}) for r in feed})
    owed = {r["account"]: r["balance"] for r in truth if r.get("fact") == "balance"}
    for account in list(owed)[::6]:
        assert fed(url, "balance", account, "--on", "2023-06-30", "--json")[0]["balance"] == owed[account]


@pytest.mark.parametrize("case", CASES, ids=[case["feed"].removesuffix(".jsonl") for case in CASES])
def test_a_scenario_is_answered_as_its_index_says(case, tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    answers = fed(url, "post", "--backfill", str(scenarios.FOLDER / case["feed"]))
    assert Counter(answer["status"] for answer in answers) == case["answers"]
    for ask in case["ask"]:
        moments = [(f"--{key.replace('_', '-')}", ask[key]) for key in ("at", "on", "known_at") if key in ask]
        question = [ask["question"], ask.get("account", case["account"]), "--json"]
        answer = fed(url, *question, *(part for moment in moments for part in moment))[0]
        assert part_of(ask["answer"], answer) == ask["answer"], ask["say"]


def part_of(asked, answer):
    """Of an answer, what was asked about: rules by their id, rows where one of them agrees."""
    if isinstance(asked, dict) and isinstance(answer, list):
        answer = {rule["rule"]: rule["verdict"] for rule in answer}
    if isinstance(asked, dict):
        return {key: part_of(wanted, answer[key]) for key, wanted in asked.items()}
    if isinstance(asked, list):
        rows = [[part_of(wanted, row) for row in answer] for wanted in asked]
        return [wanted if wanted in found else found for wanted, found in zip(asked, rows, strict=True)]
    return answer


def test_scenarios_are_listed_once_each_and_told_among_the_rest(tmp_path, capfdbinary):
    listed = [case["feed"] for case in CASES]
    assert sorted(listed) == sorted(p.name for p in scenarios.FOLDER.glob("*.jsonl") if p.name != "index.jsonl")
    arguments = ["--accounts", "1", "--years", "1", "--scenarios", "--truth", str(tmp_path / "truth"), "--summary"]
    assert main(arguments) == 0
    told = capfdbinary.readouterr()
    records = [json.loads(line) for line in told.out.splitlines()]
    assert {case["account"] for case in CASES} <= {record["account"] for record in records if "account" in record}
    assert json.loads(told.err)["lines"] == len(records)
    assert (tmp_path / "truth").read_bytes().startswith(b'{"happened":"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--accounts", "abc"], "abc is not a number from 1 to 9,999,999"),
        (["--years", "8000"], "8000 is not a number from 1 to 100"),
        (["--from", "2021-02-30"], "2021-02-30 is no date"),
        (["-o", "nowhere/feed.jsonl"], "nowhere/feed.jsonl: No such file"),
        (["-o", os.devnull, "--truth", "nowhere/truth.jsonl"], "nowhere/truth.jsonl: No such file"),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_what_cannot_be_made_is_said_in_words(arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


def test_a_reader_who_has_enough_leaves_no_trace():
    program = [sys.executable, SIMULATE, "--accounts", "12", "--years", "2"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 1


def test_amounts_are_written_with_two_decimals():
    assert [dollars(cents) for cents in (0, 5, 123_45, -10_00)] == ["0.00", "0.05", "123.45", "-10.00"]
