"""`init` and `post`: a new ledger, and a feed into it."""

import os
import re
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from io import BufferedReader
from tempfile import TemporaryDirectory, TemporaryFile
from typing import BinaryIO
from urllib.parse import quote

import click
from click.core import ParameterSource

from commands import clock
from commands.base import Command
from commands.feed import Numbered, answer, arriving, pieces
from commands.progress import Progress, stopped_by_sigterm
from ledger.application import Ledger, create
from ledger.policy.parameters import UTILITIES
from ledger.posting import Outcome
from ledger.store.open import open_log

# What a signed note can say in its first line and in the name of its key (C2SP signed-note).
_ORIGIN = re.compile(r"[!-*,-~]{1,200}")


@contextmanager
def ledger_at(url: str, *, rehearsing: bool = False) -> Iterator[Ledger]:
    """The ledger at `url`, created with the default policy where there is none yet.

    `rehearsing` leaves no trace: where there is none, one in a temporary folder stands in for it.
    """
    with ExitStack() as stack:
        if rehearsing and not _is_there(url):
            url = f"sqlite:///{quote(stack.enter_context(TemporaryDirectory()))}/rehearsal.db"
        create(url, clock.now)
        yield stack.enter_context(Ledger(url, clock.now))


def _is_there(url: str) -> bool:
    with closing(open_log(url, read_only=True)) as log:
        return log.exists()


def _named(ctx: click.Context, param: click.Parameter, origin: str | None) -> str | None:
    if origin is not None and not _ORIGIN.fullmatch(origin):
        raise click.BadParameter("an origin is 1 to 200 printable ASCII characters without blanks and '+'")
    return origin


@click.command()
@click.option(
    "--policy", type=click.Choice(UTILITIES), default="del-oro", show_default=True, help="The utility's policy pack."
)
@click.option(
    "--origin",
    callback=_named,
    help="The log's name, part of every hash; fixed for ever.  [default: POLICY.example/ledger]",
)
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
    with closing(open_log(ctx.obj, read_only=True)) as log:
        there = {"policy": log.meta("policy"), "origin": log.origin}
    asked = {n: ctx.params[n] for n in there if ctx.get_parameter_source(n) is not ParameterSource.DEFAULT}
    if differs := [
        f"its {name} is {there[name]}, not {value}" for name, value in asked.items() if value != there[name]
    ]:
        click.echo(f"Error: there is a ledger already, and {' and '.join(differs)} (name another with --db)", err=True)
        ctx.exit(1)
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

    A line that is refused or invalid loses no other. Whenever standard input pauses, what came so far is answered; with
    --atomic or --dry-run it is read to its end first. The same feed may be posted again: what is recorded already is
    answered "duplicate". Feed history in the order in which it was learned: a decision is judged by all that was
    recorded before it.

    \b
    Example:
      echo '{"command": "bill issue", "account": "7001", "bill": "B-2402",
             "mailed_on": "2024-02-01", "amount": "85.00"}' | tr -d '\\n' | water-ledger post -
    """
    answered, fell_short = 0, False
    lines: deque[int] = deque()
    try:
        with ExitStack() as opened:
            opened.enter_context(stopped_by_sigterm())
            ledger = opened.enter_context(ledger_at(ctx.obj, rehearsing=dry_run))
            progress = opened.enter_context(Progress(feed))
            if atomic or dry_run:
                # Others who write wait for the whole feed; they do not wait for whoever sends it.
                feed = opened.enter_context(_to_its_end(feed))
            items = _noting_lines(arriving(feed), lines)
            how = {"backfill": backfill, "checked": True}
            outcomes: Iterable[Outcome]
            if atomic:
                outcomes = ledger.post_together(items, dry_run=dry_run, called=lambda n: f"line {lines[n - 1]}", **how)
            elif dry_run:
                # A rehearsal that is broken off is taken back while the store is still open.
                outcomes = opened.enter_context(closing(ledger.rehearse(items, **how)))
            else:
                outcomes = ledger.post_all(items, **how)
            for outcome in outcomes:
                # It is recorded, whoever stops this before the line is out.
                answered += 1
                _say(lines.popleft(), outcome, quiet)
                fell_short = fell_short or outcome.error is not None
                progress.step()
                if not lines:
                    # All that came is answered, so somebody may be waiting for it.
                    _flush()
            _flush()
    except (KeyboardInterrupt, _Unheard) as reason:
        said = "1 answer" if answered == 1 else f"{answered:,} answers"
        click.echo(f"{str(reason) or 'stopped'} after {said}; {_kept(atomic, dry_run)}", err=True)
        ctx.exit(1)
    ctx.exit(1 if fell_short else 0)


@contextmanager
def _to_its_end(feed: BinaryIO) -> Iterator[BinaryIO]:
    """The feed once all of it is here: a pipe is laid down in a file without a name; raises OSError naming its folder.

    That file is written unbuffered: what found no room would else be tried again when it is closed.
    """
    if feed.seekable():
        yield feed
        return
    with ExitStack() as opened:
        with _laying_down():
            laid_down = opened.enter_context(TemporaryFile(buffering=0))
        for piece in pieces(feed):
            with _laying_down():
                rest = piece
                while rest:
                    rest = rest[laid_down.write(rest) :]
        laid_down.seek(0)
        yield BufferedReader(laid_down)


@contextmanager
def _laying_down() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        way_out = "nothing was recorded (make room, name another folder with TMPDIR, or post a file instead of a pipe)"
        reason = f"the feed cannot be laid down here until its end has come ({error.strerror}); {way_out}"
        raise OSError(error.errno, reason, tempfile.tempdir or "a folder for temporary files") from None


class _Unheard(Exception):
    """The answers cannot be written any more."""


def _say(line: int, outcome: Outcome, quiet: bool) -> None:
    if not quiet or outcome.error:
        with _heard():
            sys.stdout.buffer.write(answer(line, outcome) + b"\n")


def _flush() -> None:
    with _heard():
        sys.stdout.buffer.flush()


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # What waits to be written goes nowhere; else the interpreter tries again at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        gone = isinstance(error, BrokenPipeError)
        why = "nobody reads the answers any more" if gone else f"the answers cannot be written ({error.strerror})"
        raise _Unheard(f"{why}: stopped") from None


def _kept(atomic: bool, dry_run: bool) -> str:
    if dry_run:
        return "nothing was recorded"
    if atomic:
        return "the feed was recorded as a whole or not at all: post it again, and it takes effect once"
    return "what was answered is recorded: post the same feed again for the rest, and it takes effect once"


def _noting_lines(feed: Iterable[Numbered | None], lines: deque[int]) -> Iterator[Command | Outcome | None]:
    for each in feed:
        if each is not None:
            lines.append(each.line)
        yield each.item if each else None
