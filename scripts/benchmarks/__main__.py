"""The door of scripts/bench."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from commands import clock
from scripts.benchmarks import bundle, command, follow, post, question, rebuild, scale, verify
from scripts.benchmarks.lives import accounts_for
from scripts.benchmarks.measuring import Result
from scripts.benchmarks.report import as_json, as_page, as_table
from scripts.benchmarks.stores import postgres

BENCHMARKS = {
    "bundle": bundle.measure,
    "command": command.measure,
    "post": post.measure,
    "question": question.measure,
    "rebuild": rebuild.measure,
    "follow": follow.measure,
    "scale": scale.measure,
    "verify": verify.measure,
}
SIZES = {
    "bundle": 860,
    "command": 200,
    "post": 200,
    "question": 300,
    "follow": 400,
    "scale": 8340,
    "verify": 500,
}
"""How many accounts each benchmark uses unless --size says otherwise."""

REBUILT = 1_000_000
"""How many ordinary events a rebuild is measured with, unless it is asked for accounts of a simulated utility."""

ON_DEMAND = {"scale"}
"""What `all` leaves out, because it takes minutes."""

STORES = ("sqlite", "postgresql")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("benchmark", type=click.Choice([*BENCHMARKS, "all"]))
@click.option("--store", type=click.Choice(STORES), help="One store only.  [default: both]")
@click.option("--seconds", type=float, default=20, show_default=True, help="How long to take turns, roughly.")
@click.option("--size", type=click.IntRange(min=1), help="How many accounts.")
@click.option("--events", type=click.IntRange(min=1), help="For rebuild and scale: so many events.")
@click.option("--json", "json", is_flag=True, help="Print JSON; so it is without a terminal.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write the page of figures to FILE.")
def main(
    benchmark: str,
    store: str | None,
    seconds: float,
    size: int | None,
    events: int | None,
    json: bool,
    write: Path | None,
) -> None:
    """Measure the ledger beside the stock eventsourcing library and beside the floor, in turns."""
    if events and benchmark not in ("rebuild", "scale"):
        raise click.UsageError("--events is for rebuild and scale; the others take --size, a number of accounts")
    results: list[Result] = []
    stores = [store] if store else STORES
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if "postgresql" in stores else None
        names = [each for each in BENCHMARKS if each not in ON_DEMAND] if benchmark == "all" else [benchmark]
        calls = [(name, kind) for name in names for kind in stores]
        for number, (name, kind) in enumerate(calls, 1):
            if sys.stderr.isatty():
                click.echo(f"{number} of {len(calls)}: {name}, {kind}", err=True)
            if name == "rebuild" and not size:
                results += rebuild.measure(kind, seconds, 0, server, events or REBUILT)
                continue
            accounts = accounts_for(events) if events else size or SIZES[name]
            results += BENCHMARKS[name](kind, seconds, accounts, server)
    if json or not sys.stdout.isatty():
        click.echo(as_json(results))
    else:
        as_table(results)
    if write:
        write.write_text(as_page(results, clock.now().date()))


if __name__ == "__main__":
    main()
