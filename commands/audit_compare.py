"""`audit diff` and `audit sample`: what came since the last audit, and which entries to look at."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from commands.audit import fail, note_text
from commands.audit_bundles import Note, moment, sealed_at, write_bundle
from commands.cli import REFUSED
from commands.questions import Day, Words, event_types, write

if TYPE_CHECKING:
    from ledger.integrity.between import Between
    from ledger.integrity.bundle import SealedLog
    from ledger.integrity.drawing import Draw
    from ledger.store.log import Row

_SHOWN = 40


@click.command()
@click.argument("earlier", type=Note)
@click.argument("later", type=Note)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, with every account.")
@click.pass_obj
def diff(url: str, earlier: str, later: str, as_json: bool) -> None:
    """What was recorded between two notes: seals, and events by type and account.

    First it is shown that the log of the later note begins with that of the earlier one, in whichever order they are
    given; otherwise the exit code is 3.

    \b
    Example:
      water-ledger audit diff last-year.note today.note
    """
    from ledger.integrity.between import between
    from ledger.integrity.notes import read_vkey

    with sealed_at(url) as (store, sealed):
        kept = store.rows.keys()
        found = between(sealed, [read_vkey(key.vkey) for key in kept], note_text(earlier), note_text(later))
    if as_json:
        write(_diff_said(found))
        return
    old, new = found.earlier.size, found.later.size
    click.echo(f"log {found.earlier.origin}: {new:,} leaves, and the first {old:,} of them are as they were")
    for seal in found.seals:
        so_far = f"{seal.events:,} events of {seal.accounts:,} accounts so far"
        click.echo(f"seal {seal.number} of {moment(seal.sealed_at)}: {so_far}")
    added, touched = found.types.total(), len(found.accounts)
    click.echo(f"added: {added:,} events of {touched:,} accounts, {found.opened:,} of them new")
    for type_, count in sorted(found.types.items(), key=lambda each: (-each[1], each[0])):
        click.echo(f"  {count:>9,}  {type_}")
    for account, types in list(found.accounts.items())[:_SHOWN]:
        click.echo(f"account {account}: {', '.join(f'{count} {type_}' for type_, count in sorted(types.items()))}")
    if len(found.accounts) > _SHOWN:
        click.echo(f"and {len(found.accounts) - _SHOWN:,} accounts more (--json lists all)")


def _diff_said(found: "Between") -> dict[str, Any]:
    return {
        "origin": found.earlier.origin,
        "earlier": {"size": found.earlier.size},
        "later": {"size": found.later.size},
        "seals": [
            {
                "number": seal.number,
                "sealed_at": moment(seal.sealed_at),
                "events": seal.events,
                "accounts": seal.accounts,
                "size": seal.size,
            }
            for seal in found.seals
        ],
        "events": found.types.total(),
        "opened": found.opened,
        "types": dict(sorted(found.types.items())),
        "accounts": [
            {"account": account, "events": types.total(), "types": dict(sorted(types.items()))}
            for account, types in found.accounts.items()
        ],
    }


@click.command()
@click.option(
    "--seed", type=Words(), required=True, metavar="TEXT", help="Chosen by the auditor, after the log was sealed."
)
@click.option("--size", type=click.IntRange(1, 100_000), required=True, metavar="N", help="How many entries.")
@click.option("--from", "first", type=Day(), metavar="DATE", help="Only entries effective on that day or later.")
@click.option("--to", "last", type=Day(), metavar="DATE", help="Only entries effective on that day or earlier.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only this type, BillIssued; may be repeated.")
@click.option("--redact", is_flag=True, help="Leave the keys to personal data out of the bundle.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write the sampled accounts as one bundle.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, with every leaf that was drawn and passed over.")
@click.pass_obj
def sample(
    url: str,
    seed: str,
    size: int,
    first: date | None,
    last: date | None,
    types: tuple[str, ...],
    redact: bool,
    output: str | None,
    as_json: bool,
) -> None:
    """Draw entries for tests of detail, so that anybody can draw them again from the seed and the signed root.

    The leaves of the log are taken in the order of SHA-256("waterledger/sample/v1" newline, the seed after its length
    in four bytes, the root in 32 bytes, the leaf in eight), smallest first; seals and what is not asked for are passed
    over. With -o every sampled account goes into a bundle with its whole history and the proof of it.

    \b
    Example:
      water-ledger audit sample --seed "2024 audit, 17 dice" --size 25 --type BillIssued -o sample.bundle.json
    """
    from ledger.integrity.drawing import Draw, draw
    from ledger.store.codec import decode

    event_types(types)

    def wanted(row: "Row") -> bool:
        if types and row.type not in types:
            return False
        if first is None and last is None:
            return True
        (event,) = decode([row.state])
        return (first is None or first <= event.day) and (last is None or event.day <= last)

    if output == "-":
        raise click.BadParameter("the entries are printed here; name a file for the bundle", param_hint="-o")
    with sealed_at(url) as (store, sealed):
        draws, passed = list[Draw](), 0
        for each in draw(sealed, seed, size, wanted):
            passed += not each.taken
            # Most of a log may be passed over, and is not kept where nobody asked for it.
            if each.taken or as_json:
                draws.append(each)
        taken = [each for each in draws if each.taken]
        _tell(sealed, seed, draws, passed, as_json)
        if output and taken:
            accounts = {each.row.account for each in taken if each.row}
            write_bundle(store, sealed, accounts, redact=redact, output=output)
    if len(taken) < size:
        fail(f"the whole sealed log has only {len(taken):,} such entries", REFUSED)


def _tell(sealed: "SealedLog", seed: str, draws: "Iterable[Draw]", passed: int, as_json: bool) -> None:
    from ledger.integrity.bundle import checkpoint
    from ledger.store.codec import decode

    point = checkpoint(sealed)

    def said(draw: "Draw") -> dict[str, Any]:
        if draw.row is None:
            return {"leaf": draw.leaf, "taken": False, "seal": True}
        (event,) = decode([draw.row.state])
        about = {"account": draw.row.account, "version": draw.row.version, "type": draw.row.type}
        return {"leaf": draw.leaf, "taken": draw.taken, **about, "effective": event.day}

    if as_json:
        log = {"origin": point.origin, "size": point.size, "root": point.root.hex(), "seal": sealed.last.number}
        write({**log, "seed": seed, "draws": [said(draw) for draw in draws]})
        return
    click.echo(f"drawn from the {point.size:,} leaves of {point.origin}, root {point.root.hex()}")
    for each in map(said, draws):
        click.echo(
            f"leaf {each['leaf']:>8}  {each['effective']}  account {each['account']} version {each['version']} "
            f"{each['type']}"
        )
    if passed:
        click.echo(f"{passed:,} leaves were drawn and passed over (--json lists them)")
