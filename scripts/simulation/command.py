"""The command line of the simulator."""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from scripts.simulation import billing, scenarios
from scripts.simulation.days import Days
from scripts.simulation.life import Life
from scripts.simulation.profile import PROFILES
from scripts.simulation.stream import Sorter
from scripts.simulation.summary import observe, summary
from scripts.simulation.world import World


def main(arguments: list[str] | None = None) -> int:
    """Simulate, and write the feed; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    first: date = given.first
    last = date(first.year + given.years, first.month, 1) - timedelta(days=1)
    days = Days(given.profile, first, last)
    world = World(PROFILES[given.profile], given.seed, days, Sorter(), Sorter() if given.truth else None)
    try:
        # Before years are lived for nothing. What is no file, such as a pipe, is opened once.
        for path in map(Path, filter(None, (_file(given.output), given.truth))):
            if path.is_file() or not path.exists():
                path.open("ab").close()
        simulate(world, given.accounts)
        if given.scenarios:
            for minute, count, record in scenarios.lines():
                world.recorded.add(minute, 0, 100 + count, record)
                world.lines[str(record["command"])] += 1
        _write(_file(given.output), iter(world.recorded))
        if world.truth is not None:
            _write(given.truth, iter(world.truth))
    except BrokenPipeError:
        # Whoever reads has enough; the interpreter is not to try once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error.filename or given.output or 'standard output'}: {error.strerror}\n")
    if given.summary:
        print(json.dumps(summary(world), indent=2), file=sys.stderr)
    return 0


def simulate(world: World, accounts: int) -> None:
    """Live the years of so many addresses, one customer after the other."""
    world.offices()
    for number in range(1, accounts + 1):
        turn, opens = 1, None
        while True:
            life = Life(world, world.plan(number, turn, opens))
            billing.start(life)
            life.live()
            life.settle()
            observe(life)
            if life.closed is None or life.closed + 40 > world.last:
                break
            turn, opens = turn + 1, life.closed + 1 + life.rng.below(20)


def _file(output: str | None) -> str | None:
    """The file that is named; None for standard output."""
    return None if output == "-" else output


def _write(path: str | None, lines: Iterator[bytes]) -> None:
    if path is None:
        sys.stdout.buffer.writelines(lines)
        sys.stdout.buffer.flush()
        return
    with Path(path).open("wb", 1 << 20) as file:
        file.writelines(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Make up a utility's customers and years, and write what it would have recorded: JSON lines in the "
        "order in which it learned them, for 'water-ledger post --backfill -'. The same seed gives the same bytes.",
        epilog="example: scripts/simulate --accounts 300 --years 3 --seed 7 | water-ledger post --backfill -",
    )
    parser.add_argument("--profile", choices=sorted(PROFILES), default="del-oro", help="the utility (del-oro)")
    parser.add_argument("--accounts", type=_accounts, default=300, metavar="N", help="addresses served (300)")
    start = date(2021, 1, 1)
    parser.add_argument("--from", dest="first", type=_month, default=start, metavar="DATE", help=f"first day ({start})")
    parser.add_argument("--years", type=_years, default=3, metavar="N", help="how many years (3)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="another seed, another utility (7)")
    parser.add_argument("--scenarios", action="store_true", help="add the pack of rare cases (scenarios/index.jsonl)")
    parser.add_argument("-o", dest="output", metavar="FILE", help="where the feed goes (standard output)")
    parser.add_argument("--truth", metavar="FILE", help="also write what truly happened, in the order in which it did")
    parser.add_argument("--summary", action="store_true", help="count what was made up, on standard error")
    return parser


def _accounts(text: str) -> int:
    return _count(text, 9_999_999)


def _years(text: str) -> int:
    return _count(text, 100)


def _count(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to {most:,}")
    return int(text)


def _month(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; write one as 2021-01-01") from None
    if day.day != 1 or not 2000 <= day.year <= 2099:
        raise argparse.ArgumentTypeError(f"{text}: a run begins on the first of a month, from 2000 to 2099")
    return day
