"""All projections rebuilt from a whole log, beside the stock library's replay and beside reading and decoding alone."""

import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from ledger.store.codec import decode
from ledger.store.log import Log
from ledger.store.open import open_log
from projections.rebuild import rebuild
from scripts.benchmarks.lives import accounts_for, record
from scripts.benchmarks.measuring import Result, middle, rates, ratios, rounds
from scripts.benchmarks.sample import COMMANDS, account_id, life
from scripts.benchmarks.stock import StockLedger
from scripts.benchmarks.stores import place
from scripts.simulation.command import main as simulate

TARGETS = {"sqlite": ">= 500000", "postgresql": ">= 350000"}
YEARS = 3
STOCK_SHARE = 20
"""The stock library replays one twentieth of the accounts, or the run would take all day."""


def measure(store: str, seconds: float, size: int, server: str | None = None, events: int = 0) -> list[Result]:
    """Events a second for a simulated utility of `size` addresses; `decode` reads and decodes in one process.

    With `events`, of ordinary accounts that have so many events together, recorded without their commands.
    """
    with place(store, server) as where:
        if events:
            size = accounts_for(events)
            with closing(open_log(where.ledger_url)) as log:
                record(log, 1, size)
        else:
            simulated(where.ledger_url, size)
        with closing(open_log(where.ledger_url)) as log, where.stock_ledger() as stock:
            count = sum(log.heads().values())
            some = max(size // STOCK_SHARE, 1)
            stock.seed(life(number) for number in range(1, some + 1))
            turns = {
                "ledger": lambda _: rebuild(where.ledger_url),
                "one process": lambda _: rebuild(where.ledger_url, 1),
                "decode": lambda _: _decode(log),
                "stock": lambda _: _replay(stock, some),
            }
            pieces = dict.fromkeys(turns, count) | {"stock": some * COMMANDS}
            found = rates(rounds(turns, pieces, seconds), pieces)
    kind = "ordinary" if events else "simulated"
    what = f"all projections from {count:,} {kind} events; stock replays balances alone"
    targets = {"ledger": TARGETS[store], "ledger/stock": ">= 5"}
    return [Result("rebuild", store, what, "events/s", middle(found), ratios(found), targets)]


def simulated(url: str, size: int) -> None:
    """Fill a ledger with the lives of customers at so many addresses."""
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder, "feed.jsonl")
        simulate(["--accounts", str(size), "--years", str(YEARS), "-o", str(feed)])
        posted = ["-m", "commands.cli", "--db", url, "post", "--backfill", str(feed)]
        # The simulator makes mistakes on purpose, which are refused: exit code 1.
        subprocess.run([sys.executable, *posted], check=False, stdout=subprocess.DEVNULL)


def _decode(log: Log) -> None:
    for _, joined in log.scan_joined():
        decode([joined])


def _replay(stock: StockLedger, accounts: int) -> None:
    for number in range(1, accounts + 1):
        stock.balance(account_id(number))
