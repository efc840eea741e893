"""The door of scripts/torture."""

import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from commands import clock
from scripts.campaigns.catalogue import CAMPAIGNS
from scripts.campaigns.report import as_line, written
from scripts.campaigns.run import Failed, Result, play
from tests.postgres_server import QUICK, running

NUMBERS = [str(campaign.number) for campaign in CAMPAIGNS]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--only", type=click.Choice(NUMBERS), multiple=True, help="This campaign; may be given several times.")
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), help="One store only.  [default: both]")
@click.option("--seed", type=int, default=1, show_default=True, help="What all chance comes from.")
@click.option("--rounds", type=click.IntRange(min=1), help="How many rounds.  [default: the deep number of each]")
@click.option(
    "--first", type=click.IntRange(min=1), default=1, show_default=True, help="The number of the first round."
)
@click.option("--minutes", type=click.FloatRange(min=0), help="At most so long for each campaign on each store.")
@click.option("--ci", is_flag=True, help="The number of rounds that every change is tried with.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures into this page.")
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
    need that round a few times.

    \b
    Example:
      scripts/torture --only 1 --only 7 --minutes 5
    """
    results: list[Result] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="water-ledger-torture-")))
        folder.chmod(0o755)
        server = stack.enter_context(running(folder, QUICK | {"log_min_messages": "panic"}))
        for campaign in CAMPAIGNS:
            if only and str(campaign.number) not in only:
                continue
            for kind in campaign.stores:
                if store and kind != store:
                    continue
                wanted = rounds or (campaign.ci if ci else campaign.deep)
                again = {"seed": seed, "rounds": wanted, "first": first, "seconds": minutes and minutes * 60}
                try:
                    found = play(campaign, kind, server, progress=_progress(campaign.number, kind), **again)
                except Failed as failed:
                    click.echo(f"FAILED: {failed}", err=True)
                    sys.exit(3)
                results.append(found)
                click.echo(as_line(found))
    if write:
        write.write_text(written(write.read_text(), results, clock.now().date()))


def _progress(number: int, store: str) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\rcampaign {number}, {store}: round {done:,} of {total:,} ")
            sys.stderr.write("\r" if done == total else "")
            sys.stderr.flush()

    return told


if __name__ == "__main__":
    main()
