"""The door of scripts/torture."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from commands import clock
from scripts.campaigns.catalogue import CAMPAIGNS
from scripts.campaigns.report import as_line, written
from scripts.campaigns.run import Failed, Result, play
from tests.postgres_server import SharedServer

NUMBERS = [str(campaign.number) for campaign in CAMPAIGNS]
_LIST = "\n".join(["\b", "Campaigns:", *(f"  {campaign.number:>2}  {campaign.fault}" for campaign in CAMPAIGNS)])


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_LIST)
@click.option(
    "--only",
    type=click.Choice(NUMBERS),
    multiple=True,
    metavar="NUMBER",
    help="This campaign; may be given several times.",
)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), help="One store only.  [default: both]")
@click.option("--seed", type=int, default=1, show_default=True, help="What all chance comes from.")
@click.option("--rounds", type=click.IntRange(min=1), help="How many rounds.  [default: the deep number of each]")
@click.option(
    "--first", type=click.IntRange(min=1), default=1, show_default=True, help="The number of the first round."
)
@click.option("--minutes", type=click.FloatRange(min=0), help="At most so long for each campaign on each store.")
@click.option("--ci", is_flag=True, help="The number of rounds that every change is tried with.")
@click.option(
    "--write",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Write the figures into this page, when all is done.",
)
def main(
    only: tuple[str, ...],
    store: str | None,
    seed: int,
    rounds: int | None,
    first: int,
    minutes: float | None,
    ci: bool,
    write: Path | None,
) -> None:
    """Break the ledger on purpose, again and again, and look whether every promise held.

    A failure names the round that repeats it; what is left to the speed of the machine (the instant of a kill) may
    need that round a few times. Without --ci, --rounds or --minutes it runs for a day or more. Ctrl-C ends it and
    leaves nothing behind. Exit codes: 0 all held, 3 a promise was broken, 130 stopped.

    \b
    Example:
      scripts/torture --only 1 --only 7 --minutes 5
    """
    results: list[Result] = []
    try:
        with _server() as server:
            for campaign in CAMPAIGNS:
                for kind in campaign.stores:
                    if (only and str(campaign.number) not in only) or (store and kind != store):
                        continue
                    wanted = rounds or (campaign.ci if ci else campaign.deep)
                    again = {"seed": seed, "rounds": wanted, "first": first, "seconds": minutes and minutes * 60}
                    url = server.url() if kind == "postgresql" else None
                    results.append(play(campaign, kind, url, progress=_progress(campaign.number, kind), **again))
                    _show("")
                    click.echo(as_line(results[-1]))
    except Failed as failed:
        _show("")
        click.echo(f"FAILED: {failed}", err=True)
        sys.exit(3)
    except KeyboardInterrupt:
        _show("")
        click.echo("stopped before the end" + (f"; {write} is as it was" if write else ""), err=True)
        sys.exit(130)
    if not results:
        raise click.UsageError(f"no campaign of these runs on {store}; leave --store out")
    if write:
        write.write_text(written(write.read_text(), results, clock.now().date()))


@contextmanager
def _server() -> Iterator[SharedServer]:
    """A server that starts when it is asked for, and is gone when this program is, however that ends."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    shared = SharedServer.for_this_run()
    try:
        yield shared
    finally:
        shared.stop()


def _progress(number: int, store: str) -> Callable[[int, int], None]:
    return lambda done, total: _show(f"campaign {number}, {store}: {done:,} of {total:,} rounds")


def _show(text: str) -> None:
    """Write over the last line of the terminal, if there is one."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<60}" + "\r" * (not text))
        sys.stderr.flush()


if __name__ == "__main__":
    main(prog_name="scripts/torture")
