"""A question about one account: from the program's start to its exit, and the answer alone."""

import subprocess
import sys
from collections.abc import Callable
from statistics import median

from scripts.benchmarks.command import seed
from scripts.benchmarks.measuring import Result, middle, rounds
from scripts.benchmarks.sample import COMMANDS, account_id
from scripts.benchmarks.stores import Place, contenders, place

QUESTIONS = ("balance", "status", "explain", "statement")


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """Milliseconds on a store of `size` accounts; `python` is an interpreter that does nothing."""
    account = account_id(size // 2 + 1)
    with place(store, server) as where:
        with contenders(where) as (ledger, stock, _):
            seed(ledger, stock, size)
        programs = _milliseconds({name: _program(where, account, name) for name in _programs()}, seconds / 2)
        answers = {name: _answer(where, account, name) for name in QUESTIONS}
    what = f"a question about one of {size:,} accounts of {COMMANDS} events, from the program's start to its exit"
    limit = dict.fromkeys(QUESTIONS, "<= 150")
    inside = dict.fromkeys(QUESTIONS, "<= 5") if store == "sqlite" else {}
    return [
        Result("question", store, what, "ms", programs, targets=limit),
        Result("question", store, "the answer alone: read, folded, judged", "ms", answers, targets=inside),
    ]


def _programs() -> tuple[str, ...]:
    return (*QUESTIONS, "stock", "python")


def _program(where: Place, account: str, name: str) -> Callable[[int], None]:
    call = [sys.executable, "-m", "commands.cli", "--db", where.ledger_url, name, account, "--json"]
    if name == "stock":
        code = (
            "from scripts.benchmarks.stock import StockLedger\n"
            f"print(StockLedger(env={where.stock!r}).balance({account!r}))"
        )
        call = [sys.executable, "-c", code]
    elif name == "python":
        call = [sys.executable, "-c", "pass"]

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
