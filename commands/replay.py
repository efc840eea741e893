"""`replay`: every account folded anew from an export, here or on other machines."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.audit import Store, fail, store_at
from commands.audit_archive import compared
from commands.audit_bundles import NO_PYARROW
from commands.cli import BROKEN
from commands.progress import reached
from commands.questions import write

if TYPE_CHECKING:
    from projections.replay import Replayed


@click.command()
@click.option(
    "--parquet",
    "folder",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What 'audit export --parquet' wrote.",
)
@click.option("--dask", "address", metavar="ADDRESS", help="The scheduler of a Dask cluster.  [default: fold here]")
@click.option("--tables", is_flag=True, help="Compare with the tables of the store, which must hold the same events.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def replay(ctx: click.Context, folder: Path, address: str | None, tables: bool, as_json: bool) -> None:
    """Check every chain of an export, fold every account in it, and print what the tables come to.

    The digests are those of 'projections status --digest'. The store that --db names lends its key for looking up
    log-ins; the workers of a cluster get digests, never a key. They need this program and the folder at its place.

    \b
    Example:
      water-ledger replay --parquet export-2026 --dask tcp://10.0.0.5:8786
    """
    with store_at(ctx.obj, read_only=True) as store:
        made, seal = _replayed(store, folder, address)
    differing = compared(ctx.obj, made.digests) if tables else set()
    if as_json:
        write(made._asdict() | {"seal": seal} | ({"differing": sorted(differing)} if tables else {}))
    else:
        sealed = f"which seal {seal} states too" if seal else "of which the store has no seal"
        click.echo(f"{made.events:,} events, {made.accounts:,} accounts: all chains, and the root over them, {sealed}")
        for name, digest in made.digests.items():
            click.echo(f"{name:<14} {digest}" + ("  differs from the tables" if name in differing else ""))
    ctx.exit(BROKEN if differing else 0)


def _replayed(store: Store, folder: Path, address: str | None) -> "tuple[Replayed, int | None]":
    from ledger.integrity.archive import BadArchive
    from ledger.integrity.columns import Columns, NoPyArrow, seal_of
    from projections.machines import NoDask, workers
    from projections.replay import here
    from projections.replay import replay as fold_all
    from projections.runner import Projector

    try:
        export = Columns(folder)
        seal = seal_of(store.rows, export.index)
        with Projector(store.url, read_only=True) as projector, ExitStack() as stack:
            if address:
                fold = stack.enter_context(workers(address, export, projector.lookup))
            else:
                fold = here(export, projector.lookup)
            return fold_all(export, fold, partial(reached, what="events")), seal
    except BadArchive as error:
        fail(str(error), BROKEN)
    except NoPyArrow:
        raise click.UsageError(NO_PYARROW) from None
    except NoDask:
        raise click.UsageError("--dask needs Dask, which is not installed: pip install 'water-ledger[bulk]'") from None
