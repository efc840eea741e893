"""`audit archive` and `audit replay`: the log as sealed segments, and every account folded from them."""

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.audit import KEY_HELP, VKey, fail, in_words, store_at
from commands.cli import BROKEN, REFUSED
from commands.progress import reached
from ledger.events import UTILITY
from ledger.integrity.archive import Archive, BadArchive, NotEmpty, write
from ledger.integrity.bundle import NotSealed

if TYPE_CHECKING:
    from ledger.integrity.notes import Key


@click.command()
@click.option(
    "-o", "--output", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="An empty folder."
)
@click.pass_obj
def archive(url: str, folder: Path) -> None:
    """Write the log as of the last seal to a folder: JSON Lines by account, compressed, with an index.

    The archive holds the note, and proves itself to whoever has the log's key; personal data is in it as it is stored,
    encrypted. 'audit replay' checks it.

    \b
    Example:
      water-ledger audit archive -o archive-2026
    """
    with store_at(url, read_only=True) as store:
        try:
            index = write(store.rows, folder, partial(reached, what="events"))
        except NotSealed as error:
            fail(str(error), REFUSED)
        except NotEmpty as error:
            raise click.BadParameter(str(error), param_hint="-o") from None
    held = f"{index.seal.events:,} events, {index.seal.accounts:,} accounts, {len(index.segments):,} segments"
    click.echo(f"{folder}: {held}, sealed by seal {index.seal.number}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--key", "vkey", type=VKey(), metavar="VKEY", help=KEY_HELP)
@click.option("--tables", is_flag=True, help="Compare with the tables of the store, which must hold the same events.")
@click.pass_context
def replay(ctx: click.Context, folder: Path, vkey: "Key | None", tables: bool) -> None:
    """Check an archive against its note, fold every account in it, and print what the tables come to.

    Nothing is recorded. The store that --db names lends its key for looking up log-ins; where there is none, the
    archive is checked all the same, and no table is folded.

    \b
    Example:
      water-ledger audit replay archive-2026 --key log.vkey
    """
    with in_words():
        try:
            made, accounts, events = _replayed(ctx.obj, Archive(folder, vkey), tables)
        except BadArchive as error:
            fail(str(error), BROKEN)
    signed = "signed by the key given" if vkey else "its signature was not checked: give --key"
    click.echo(f"{events:,} events, {accounts:,} accounts: all chains, and the seal under the note; {signed}")
    differing = compared(ctx.obj, made) if tables else set()
    for name, digest in made.items():
        click.echo(f"{name:<14} {digest}" + ("  differs from the tables" if name in differing else ""))
    if not made:
        click.echo("no table was folded: there is no store here to lend its key (see --db)")
    ctx.exit(BROKEN if differing else 0)


def _replayed(url: str, opened: Archive, tables: bool) -> tuple[dict[str, str], int, int]:
    from ledger.store.codec import decode
    from ledger.store.log import require_ledger
    from ledger.utility import Utility
    from projections.catalogue import PROJECTIONS, pack
    from projections.rows import Folded, World
    from projections.runner import Projector
    from projections.store import line_of

    with Projector(url, read_only=True) as projector:
        if tables:
            require_ledger(projector.log)
        digests = {name: sha256() for name in PROJECTIONS} if projector.log.exists() else {}
        world = World(Utility(decode(opened.of(UTILITY))).rules(), projector.lookup)
        accounts = events = 0
        for account, states in opened.accounts():
            accounts, events = accounts + 1, events + len(states)
            reached(events, opened.seal.events, "events")
            if digests and account != UTILITY:
                for digest, row in zip(digests.values(), pack(Folded(account, decode(states), world)), strict=True):
                    digest.update(b"" if row is None else line_of(account, row))
    return {name: digest.hexdigest() for name, digest in digests.items()}, accounts, events


def compared(url: str, made: dict[str, str]) -> set[str]:
    """The projections whose rows in the store come to another digest."""
    from projections.runner import Projector

    with Projector(url, read_only=True) as projector:
        return {name for name, digest in made.items() if projector.views.digest(name) != digest}
