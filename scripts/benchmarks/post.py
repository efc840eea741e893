"""A feed through `post`: parsed, validated, decided, recorded once, answered. In this process, and as a program."""

import subprocess
import tempfile
from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

import orjson

from commands.feed import answer, parse
from scripts.benchmarks.measuring import Result, middle, rates, ratios, rounds, timed
from scripts.benchmarks.question import program
from scripts.benchmarks.sample import COMMANDS, feed, interleaved
from scripts.benchmarks.stores import contenders, place

TARGETS = {"sqlite": ">= 10000", "postgresql": ">= 6000"}
STOCK_SHARE = 20
"""The stock library is given one twentieth of the work, or the run would take all day."""


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """The rates for feeds of `size` accounts' three years, fresh accounts each time."""
    with place(store, server) as where:
        with contenders(where) as (ledger, stock, bare):
            ours, theirs = _feeds(size), _feeds(max(size // STOCK_SHARE, 1))

            def post(number: int) -> None:
                stream = BytesIO(next(ours))
                for outcome in ledger.post_all((item for _, item in parse(stream)), checked=True):
                    answer(1, outcome)
                    assert outcome.status == "recorded", outcome

            def post_stock(number: int) -> None:
                for line in next(theirs).splitlines():
                    stock.post(orjson.loads(line))

            pieces = {
                "ledger": size * COMMANDS,
                "stock": max(size // STOCK_SHARE, 1) * COMMANDS,
                "rows": size * COMMANDS,
            }
            turns = {"ledger": post, "stock": post_stock, "rows": bare.rows}
            found = rates(rounds(turns, pieces, seconds), pieces)
        what = f"a feed of {size * COMMANDS:,} commands on {size:,} accounts, read, decided, recorded, answered"
        targets = {"ledger": TARGETS[store]}
        results = [Result("post", store, what, "commands/s", middle(found), ratios(found), targets)]
    with place(store, server) as where:
        whole = {"program": round(size * COMMANDS / _program(where.ledger_url, size))}
        what = "the same feed by the program 'water-ledger post', from its start to its exit"
        results.append(Result("post", store, what, "commands/s", whole))
    return results


def _feeds(size: int) -> Iterator[bytes]:
    """Feeds of so many accounts each, every account new; renaming those of the first costs next to nothing."""
    text = feed(interleaved(range(1, size + 1)))
    for number in count():
        yield text.replace(b'"account":"0', b'"account":"%d' % number)


def _program(url: str, size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feed.jsonl")
        path.write_bytes(feed(interleaved(range(1, size + 1))))
        call = program("--db", url, "post", str(path))
        return timed(lambda: subprocess.run(call, check=True, stdout=subprocess.DEVNULL))
