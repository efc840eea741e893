"""`init` and `post`: a new ledger, and a feed into it."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import click

from commands import clock
from commands.base import Command
from commands.feed import Numbered, answer, parse
from commands.progress import Progress
from ledger.application import Ledger, create
from ledger.posting import Outcome


@contextmanager
def ledger_at(url: str) -> Iterator[Ledger]:
    """The ledger at `url`, created with the default policy where there is none yet."""
    create(url, clock.now)
    with Ledger(url, clock.now) as ledger:
        yield ledger


@click.command()
@click.option("--policy", default="del-oro", show_default=True, help="The utility's policy pack.")
@click.option("--origin", help="The log's name, part of every hash; fixed for ever.  [default: POLICY.example/ledger]")
@click.pass_context
def init(ctx: click.Context, policy: str, origin: str | None) -> None:
    """Create a ledger.

    \b
    Example:
      water-ledger --db sqlite:///del-oro.db init --policy del-oro --origin del-oro.example/ledger
    """
    if create(ctx.obj, clock.now, policy=policy, origin=origin):
        click.echo(f"created a ledger with policy {policy}")
        return
    click.echo("there is a ledger already; nothing was changed")


@click.command()
@click.argument("feed", type=click.File("rb"))
@click.option("--backfill", is_flag=True, help="History brought in from another system: lines may say learned_at.")
@click.option("--atomic", is_flag=True, help="Record all lines or none.")
@click.option("--dry-run", is_flag=True, help="Record nothing and answer as if.")
@click.option("--quiet", is_flag=True, help="Print only what was not recorded.")
@click.pass_context
def post(ctx: click.Context, feed: BinaryIO, backfill: bool, atomic: bool, dry_run: bool, quiet: bool) -> None:
    """Post FEED, one JSON object a line (- for standard input), and answer each line in order.

    A line that is refused or invalid loses no other. The same feed may be posted again: what is recorded already is
    answered "duplicate".

    \b
    Example:
      echo '{"command": "bill issue", "account": "7001", "bill": "B-2402",
             "mailed_on": "2024-02-01", "amount": "85.00"}' | tr -d '\\n' | water-ledger post -
    """
    fell_short = False
    lines: deque[int] = deque()
    items = _noting_lines(parse(feed), lines)
    with ledger_at(ctx.obj) as ledger, Progress(feed) as progress:
        outcomes: Iterable[Outcome]
        if atomic:
            outcomes = ledger.post_together(items, backfill=backfill, dry_run=dry_run)
        elif dry_run:
            outcomes = ledger.rehearse(items, backfill=backfill)
        else:
            outcomes = ledger.post_all(items, backfill=backfill)
        for outcome in outcomes:
            line = lines.popleft()
            fell_short = fell_short or outcome.error is not None
            progress.step()
            if not quiet or outcome.error:
                sys.stdout.buffer.write(answer(line, outcome) + b"\n")
    sys.stdout.buffer.flush()
    ctx.exit(1 if fell_short else 0)


def _noting_lines(feed: Iterable[Numbered], lines: deque[int]) -> Iterator[Command | Outcome]:
    for line, item in feed:
        lines.append(line)
        yield item
