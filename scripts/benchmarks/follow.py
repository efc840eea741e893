"""A follower that takes in the month's events, beside the stock library's projection of balances."""

import time
from contextlib import closing

from ledger.store.open import open_log
from projections.rebuild import rebuild
from projections.runner import Projector
from scripts.benchmarks.lives import record_interleaved
from scripts.benchmarks.measuring import LEAST_ROUNDS, Result, middle, rates, ratios, timed
from scripts.benchmarks.sample import COMMANDS, life
from scripts.benchmarks.stock_projection import following
from scripts.benchmarks.stores import place

A_TURN = 3
"""How many events of each account a turn brings: a read, a bill, a payment."""

FIRST = 60
"""How many events each account has before: a year and a half."""

STOCK_SHARE = 20
"""The stock library takes in one twentieth of the events."""


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """Events a second for `size` accounts of a year and a half and more, in the order in which they were recorded."""
    turns = (COMMANDS - FIRST) // A_TURN
    with place(store, server) as where, closing(open_log(where.ledger_url)) as log, where.stock_ledger() as stock:
        record_interleaved(log, size, 0, FIRST)
        some = max(size // STOCK_SHARE, 1)
        stock.seed(life(number) for number in range(1, some + 1))
        rebuild(where.ledger_url, 1)
        found = []
        pieces = {"ledger": size * A_TURN, "stock": some * A_TURN}
        end = time.perf_counter() + seconds
        with Projector(where.ledger_url) as projector, following(stock) as follow:
            for turn in range(turns):
                if turn >= LEAST_ROUNDS and time.perf_counter() > end:
                    break
                start = FIRST + turn * A_TURN
                record_interleaved(log, size, start, start + A_TURN)
                found.append(
                    {
                        "ledger": timed(lambda: _catch_up(projector, size * A_TURN)),
                        "stock": timed(lambda: follow(some * A_TURN)),
                    }
                )
    what = f"new events of {size:,} accounts into all projections as they come; stock follows balances alone"
    measured = rates(found, pieces)
    return [Result("follow", store, what, "events/s", middle(measured), ratios(measured), {"ledger/stock": ">= 1"})]


def _catch_up(projector: Projector, events: int) -> None:
    taken = 0
    while taken < events:
        step = projector.step()
        assert step, "the follower stopped before it had taken in all"
        taken += step
