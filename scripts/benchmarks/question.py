"""A question about one account: from the program's start to its exit, and the answer alone."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from scripts.benchmarks.command import seed
from scripts.benchmarks.measuring import Result, middle, rounds
from scripts.benchmarks.sample import COMMANDS, account_id
from scripts.benchmarks.stores import Place, contenders, place

QUESTIONS = ("balance", "status", "explain", "statement")


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """Milliseconds on a store of `size` accounts."""
    account = account_id(size // 2 + 1)
    with place(store, server) as where:
        with contenders(where) as (ledger, stock, _):
            seed(ledger, stock, size)
        calls = _calls(where, account)
        programs = _milliseconds({name: _runs(call) for name, call in calls.items()}, seconds)
        answers = {name: _answer(where, account, name) for name in QUESTIONS}
    what = f"a question about one of {size:,} accounts of {COMMANDS} events, from the program's start to its exit"
    limit = dict.fromkeys(QUESTIONS, "<= 150")
    inside = dict.fromkeys(QUESTIONS, "<= 5") if store == "sqlite" else {}
    return [
        Result("question", store, what, "ms", programs, targets=limit),
        Result("question", store, "the answer alone: read, folded, judged", "ms", answers, targets=inside),
    ]


def program(*arguments: str) -> list[str]:
    """The call of the installed program; where it is not installed, of its module."""
    installed = Path(sys.executable).with_name("water-ledger")
    return [*([str(installed)] if installed.exists() else [sys.executable, "-m", "commands.cli"]), *arguments]


def _calls(where: Place, account: str) -> dict[str, list[str]]:
    """The programs compared, by name: our questions, the stock library's balance, and floors."""
    stock = (
        "from scripts.benchmarks.stock import StockLedger\n"
        f"print(StockLedger(env={where.stock!r}).balance({account!r}))"
    )
    driver = "sqlite3" if where.kind == "sqlite" else "psycopg"
    return {
        **{name: program("--db", where.ledger_url, name, account, "--json") for name in QUESTIONS},
        "stock": [sys.executable, "-c", stock],
        "driver": [sys.executable, "-c", f"import {driver}; {driver}.connect({where.floor!r}).execute('SELECT 1')"],
        "libraries": [sys.executable, "-c", "import click, msgspec"],
        "python": [sys.executable, "-c", "pass"],
    }


def _runs(call: list[str]) -> Callable[[int], None]:
    def run(number: int) -> None:
        for _ in range(number):
            subprocess.run(call, check=True, stdout=subprocess.DEVNULL)

    return run


def _milliseconds(turns: dict[str, Callable[[int], None]], seconds: float) -> dict[str, float]:
    found = rounds(turns, dict.fromkeys(turns, 1), seconds)
    return middle([{name: 1000 * taken for name, taken in one.items()} for one in found])


def _answer(where: Place, account: str, name: str) -> float:
    """The median of five processes, each of which answers once; see `scripts.benchmarks.answering`."""
    call = [sys.executable, "-m", "scripts.benchmarks.answering", where.ledger_url, name, account]
    found = [float(subprocess.run(call, check=True, capture_output=True, text=True).stdout) for _ in range(5)]
    return round(median(found), 2)
