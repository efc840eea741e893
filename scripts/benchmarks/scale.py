"""Whether a rebuild's time grows with the log and no faster, and its memory not at all."""

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from multiprocessing import active_children
from os import getpid
from pathlib import Path

from ledger.store.open import open_log
from projections.rebuild import rebuild
from scripts.benchmarks.lives import record
from scripts.benchmarks.measuring import Result, timed
from scripts.benchmarks.sample import COMMANDS
from scripts.benchmarks.stores import place

STEP = 10
"""How many times as large each log is as the one before."""

LEAST = 100_000
"""How many events the smallest has, if the largest has more."""


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """Rebuilds of ever larger logs, up to `size` ordinary accounts; each once, however long it takes."""
    speed: dict[str, float] = {}
    memory: dict[str, float] = {}
    for accounts in _sizes(size):
        name = f"{accounts * COMMANDS:,} events"
        with place(store, server) as where:
            with closing(open_log(where.ledger_url)) as log:
                record(log, 1, accounts)
            gc.collect()
            with watched() as peak:
                taken = timed(lambda: rebuild(where.ledger_url))
        speed[name] = round(accounts * COMMANDS / taken)
        memory[name] = round(peak[0] / 2**20, 1)
    names = list(speed)
    what = f"all projections rebuilt from accounts of {COMMANDS} events"
    ratios = {f"{names[-1]}/{names[0]}": round(speed[names[-1]] / speed[names[0]], 2)} if len(names) > 1 else {}
    growth = "most memory that the processes of the rebuild had of their own at one time, without the pages of files"
    return [
        Result("scale", store, what, "events/s", speed, ratios, dict.fromkeys(ratios, ">= 0.8")),
        Result("scale", store, growth, "MB", memory, {}, dict.fromkeys(names[1:], "<= 300")),
    ]


def _sizes(accounts: int) -> list[int]:
    sizes = [accounts]
    while sizes[0] * COMMANDS // STEP >= LEAST:
        sizes.insert(0, sizes[0] // STEP)
    return sizes


@contextmanager
def watched() -> Iterator[list[int]]:
    """The most bytes that this process and its children hold at one time while the block runs; 0 where nobody says."""
    peak, done = [0], threading.Event()

    def look() -> None:
        while not done.is_set():
            peak[0] = max(peak[0], sum(map(own_memory, [getpid(), *(child.pid or 0 for child in active_children())])))
            time.sleep(1 / 50)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def own_memory(process: int) -> int:
    """The bytes a process holds that are no file's; 0 where the system does not say."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
