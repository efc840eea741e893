"""The books as a journal: what hledger and beancount add up is what the ledger answers."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import date, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from commands import answers
from commands.cli import cli
from commands.journal import component, entries
from commands.questions import books_at
from ledger.calendar import ONE_DAY, PACIFIC
from ledger.history import History
from ledger.money import cents, money
from ledger.movements import movements
from ledger.refusal import Refused
from scripts.simulation.command import main as simulate
from scripts.simulation.scenarios import FOLDER
from tests.commands.world import World

ODD = (
    "-", "--", ".", "..", "_", "a", "A", "a-1", "A-1", "A.1", "A_1", "A--1", "A-D1", "X-Xa", "9.9-x_Z", "z" * 40,
)  # fmt: skip
"""Ids that a program with narrower names could trip over or take for one another."""

KEPT = {
    "balance": ("assets:receivable:", "Assets:Receivable:", 1),
    "deposit": ("liabilities:deposits:", "Liabilities:Deposits:", -1),
    "commission_deposit": ("equity:memo:commission:", "Equity:Memo:Commission:", 1),
}

WAYS = [
    pytest.param(date(2024, 12, 31), None, id="at the end"),
    pytest.param(date(2024, 4, 10), None, id="on the day of a Commission deposit"),
    pytest.param(date(2024, 4, 30), datetime(2024, 4, 10, 9, 30, tzinfo=PACIFIC), id="as known before"),
]


def odd_records():
    """Bills, payments and deposits under odd ids, a movement of each book for each."""
    for number, odd in enumerate(ODD, 1):
        day = {"account": odd, "on": "2022-03-01", "learned_at": "2022-03-01T17:00-08:00"}
        billed = {"bill": odd, "mailed_on": "2022-03-01", "amount": f"{number}.07"}
        learned = {"account": odd, "learned_at": day["learned_at"]}
        yield learned | {
            "command": "account open",
            "opened_on": "2022-02-01",
            "name": "Sample Customer",
            "service_address": "1 Example Lane",
        }
        yield learned | {"command": "bill issue"} | billed
        yield learned | {
            "command": "payment receive",
            "payment": odd,
            "amount": "1.00",
            "received_at": "2022-03-01",
            "channel": "mail",
        }
        yield day | {"command": "deposit receive", "deposit": odd, "amount": f"{number}.50"}
        yield day | {"command": "adjustment post", "amount": "-0.01", "reason": '"date:1999-01-01, [2020-01-01]; | =\\'}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A made-up utility with every rare case and the odd ids; its URL."""
    folder = tmp_path_factory.mktemp("utility")
    feed, url = folder / "feed.jsonl", f"sqlite:///{folder / 'ledger.db'}"
    simulate(["--accounts", "40", "--from", "2021-01-01", "--years", "3", "--scenarios", "-o", str(feed)])
    with feed.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in odd_records())
    told = CliRunner().invoke(cli, ["--db", url, "post", "--backfill", str(feed)])
    assert told.exit_code in (0, 1), told.output
    assert all(json.loads(line)["status"] == "recorded" for line in told.stdout.splitlines()[-5 * len(ODD) :])
    return url


@pytest.fixture
def two_cases(tmp_path):
    """A ledger of two accounts: one deposited with the Commission, the other's credit deposit was absorbed; its URL."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    for case in ("appeal-with-commission-deposit", "deposit-absorption"):
        told = CliRunner().invoke(cli, ["--db", url, "post", "--backfill", str(FOLDER / f"{case}.jsonl")])
        assert told.exit_code in (0, 1), told.output
    return url


def exported(url, form, path, on, known_at=None):
    """The journal, written to a file by the command line."""
    arguments = ["export", "journal", "--format", form, "-o", str(path), "--on", str(on)]
    arguments += ["--known-at", known_at.isoformat()] if known_at else []
    told = CliRunner().invoke(cli, ["--db", url, *arguments], catch_exceptions=False)
    assert (told.exit_code, told.output) == (0, "")
    return path


def answered(url, on, known_at):
    """What the ledger answers for every account known, in signed cents by the journal's names."""
    found = {}
    with books_at(url) as books:
        rules = books.utility().rules(known_at)
        for history in books.histories():
            try:
                answer = answers.balance(history, *rules, on, known_at)
            except Refused:
                continue
            found[history.account] = {book: sign * cents(answer[book], "any") for book, (_, _, sign) in KEPT.items()}
    return found


def hledger(path, *arguments):
    program = shutil.which("hledger")
    assert program, "hledger is not installed: as root 'scripts/setup test' installs it, else 'apt-get install hledger'"
    return subprocess.run([program, "-f", path, *arguments], capture_output=True, text=True, timeout=120, check=False)


def bean_check(path):
    program = [sys.executable, "-m", "beancount.scripts.check", "--no-cache", path]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)


def hledger_balances(path):
    """What hledger adds up, in cents by account of the journal."""
    told = hledger(path, "balance", "--flat", "--empty", "--no-total", "--output-format=csv")
    assert told.returncode == 0, told.stderr
    return {row["account"]: cents(row["balance"].split()[0], "any") for row in csv.DictReader(told.stdout.splitlines())}


@pytest.mark.parametrize(("on", "known_at"), WAYS)
def test_hledger_comes_to_every_balance(store, tmp_path, on, known_at):
    path = exported(store, "hledger", tmp_path / "books.journal", on, known_at)
    checked = hledger(path, "check", "--strict")
    assert (checked.returncode, checked.stderr) == (0, "")
    added_up = hledger_balances(path)
    expected = answered(store, on, known_at)
    assert len(expected) > 20
    for book, (place, _, _) in KEPT.items():
        ours = {account: held[book] for account, held in expected.items() if held[book]}
        theirs = {name.removeprefix(place): a for name, a in added_up.items() if name.startswith(place) and a}
        assert theirs == ours, book
        assert ours or (book, on) == ("commission_deposit", date(2024, 12, 31))
    assert added_up.get("assets:transfers", 0) == 0
    assert sum(added_up.values()) == 0


@pytest.mark.parametrize(("on", "known_at"), WAYS)
def test_beancount_comes_to_every_balance(store, tmp_path, on, known_at):
    exported(store, "beancount", tmp_path / "books.beancount", on, known_at)
    opened = set(re.findall(r" open (\S+) USD", (tmp_path / "books.beancount").read_text()))
    lines = ['include "books.beancount"']
    for account, held in answered(store, on, known_at).items():
        for book, (_, place, _) in KEPT.items():
            name = place + component(account)
            assert name in opened or held[book] == 0
            if name in opened:
                lines.append(f"{on + ONE_DAY} balance {name}  {money(held[book])} ~ 0.00 USD")
    (tmp_path / "check.beancount").write_text("\n".join(lines) + "\n")
    assert len(lines) > 20
    checked = bean_check(tmp_path / "check.beancount")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("form", ["hledger", "beancount"])
@pytest.mark.parametrize("place", ["receivable", "deposits", "memo:commission"])
def test_a_cent_astray_is_found(two_cases, tmp_path, form, place):
    path = exported(two_cases, form, tmp_path / f"books.{form}", date(2024, 12, 31))
    check = bean_check if form == "beancount" else lambda path: hledger(path, "check")
    assert check(path).returncode == 0
    blocks = path.read_text().split("\n\n")
    postings = re.compile(
        rf"^( +\[?[a-z]+:{place}:.*?)(-?[\d.]+) USD\n( .*?)(-?[\d.]+) USD$", re.IGNORECASE | re.MULTILINE
    )
    at = next(n for n, block in enumerate(blocks) if " balances " not in block and postings.search(block))

    def astray(found):
        more, less = (money(cents(found[n], "any") + step) for n, step in ((2, 1), (4, -1)))
        return f"{found[1]}{more} USD\n{found[3]}{less} USD"

    blocks[at] = postings.sub(astray, blocks[at], count=1)
    path.write_text("\n\n".join(blocks))
    told = check(path)
    assert told.returncode != 0
    assert "balance" in told.stderr.lower()


def booked(world, account="7001"):
    """What stands in each place after an account's entries, in cents; every entry adds up to nothing."""
    total = defaultdict(int)
    for entry in entries(account, movements(History.effective(world.events[account]))):
        assert sum(amount for _, amount in entry.postings) == 0
        for name, amount in entry.postings:
            total[name.place] += amount
    return {place: amount for place, amount in total.items() if amount}


LINES = [
    {"kind": "service", "amount": "50.00"},
    {"kind": "usage", "amount": "28.00"},
    {"kind": "tax", "amount": "1.00"},
]


def test_a_bill_is_revenue_by_kind_of_line():
    world = World().given("bill issue", bill="B1", mailed_on="2024-02-01", lines=LINES)
    by_kind = {"revenue:service": -5000, "revenue:usage": -2800, "revenue:tax": -100}
    assert booked(world) == {"assets:receivable": 7900, **by_kind}
    world.given("bill correct", bill="B1", mailed_on="2024-02-09", amount="70.00", reason="leak")
    assert booked(world) == {"assets:receivable": 7000, **by_kind, "revenue:bill-corrections": 900}
    world.given("bill void", bill="B1", on="2024-02-10", reason="wrong meter")
    assert booked(world) == {}


def test_a_bill_without_lines_and_a_fee_are_taken_back_from_where_they_stood():
    world = World().given("bill issue", bill="B1", mailed_on="2024-02-01", amount="79.00")
    world.given("fee charge", fee="F1", kind="returned_payment", on="2024-02-02", amount="15.00")
    assert booked(world) == {
        "assets:receivable": 9400,
        "revenue:bills": -7900,
        "revenue:fees:returned-payment": -1500,
    }
    world.given("fee waive", fee="F1", on="2024-02-03", reason="courtesy")
    world.given("bill void", bill="B1", on="2024-02-03", reason="wrong account")
    assert booked(world) == {}


def test_a_transferred_payment_leaves_the_cash_where_it_came_in():
    world = World().given("account open", account="7002", opened_on="2019-01-01", name="N", service_address="2 Elm St")
    world.given("payment receive", payment="P1", amount="20.00", received_at="2024-02-01", channel="phone")
    world.given("payment transfer", payment="P1", to_account="7002", on="2024-02-03", reason="typed wrong")
    assert booked(world) == {"assets:cash:phone": 2000, "assets:transfers": -2000}
    assert booked(world, "7002") == {"assets:receivable": -2000, "assets:transfers": 2000}
    world.given("payment return", account="7002", payment="P1", on="2024-02-05", reason="no funds")
    assert booked(world, "7002") == {"assets:cash:phone": -2000, "assets:transfers": 2000}


def test_a_return_known_only_by_its_day_may_precede_the_payment():
    world = World().given(
        "payment receive", payment="P1", amount="20.00", received_at="2024-02-01T10:00", channel="bank"
    )
    world.given("payment return", payment="P1", on="2024-02-01", reason="no funds")
    assert booked(world) == {}


@given(st.text("AaDUXx09.-_", min_size=1, max_size=8))
def test_an_id_can_be_read_back_from_a_beancount_name(account):
    name = component(account)
    assert re.fullmatch(r"[A-Z0-9][A-Za-z0-9-]*", name)
    back = {"--": "-", "-D": ".", "-U": "_"}
    assert re.sub("-[-DU]", lambda found: back[found[0]], name.removeprefix("X-X")) == account


def test_a_journal_that_failed_leaves_the_file_as_it_was(store, tmp_path, monkeypatch):
    path = tmp_path / "books.journal"
    path.write_text("yesterday's\n")

    def fails(*_):
        yield "half a journal\n"
        raise Refused("too_much", "the ledger could not be read to its end")

    monkeypatch.setattr("commands.export.written", fails)
    told = CliRunner().invoke(cli, ["--db", store, "export", "journal", "--format", "hledger", "-o", str(path)])
    assert isinstance(told.exception, Refused)
    assert path.read_text() == "yesterday's\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(store, tmp_path):
    path = tmp_path / "nowhere" / "books.journal"
    told = CliRunner().invoke(cli, ["--db", store, "export", "journal", "--format", "hledger", "-o", str(path)])
    assert (told.exit_code, str(told.exception)) == (1, f"[Errno 2] No such file or directory: '{path}'")
