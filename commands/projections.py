"""What people read from tables: whether it is current, keeping it so, making it anew, and checking it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import click

from commands.cli import BROKEN, DONE, REFUSED
from commands.progress import reached, stopped_by_sigterm
from commands.questions import write
from ledger.showing import plain
from ledger.store.log import require_ledger


@contextmanager
def _projector(url: str) -> Iterator[Any]:
    from projections.runner import Projector

    with Projector(url) as projector:
        require_ledger(projector.log)
        yield projector


@click.command()
@click.option("--digest", is_flag=True, help="Add what the rows of each projection come to.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_obj
def status(url: str, digest: bool, as_json: bool) -> None:
    """How far the rows have followed the ledger.

    \b
    Example:
      water-ledger projections status --digest --json
    """
    from projections.catalogue import PROJECTIONS
    from projections.store import code

    with _projector(url) as projector:
        shown = projector.views.shown()
        answer: dict[str, Any] = {"generation": shown.number if shown else None}
        if shown:
            answer |= {"behind": projector.behind(shown), "current_program": shown.code == code()}
            if digest:
                answer["digests"] = {name: projector.views.digest(name) for name in PROJECTIONS}
    if as_json:
        write(answer)
    elif not shown:
        click.echo("no rows yet: run 'water-ledger projections rebuild'")
    else:
        made = "" if answer["current_program"] else ", made by another version of the program: run a rebuild"
        click.echo(f"generation {answer['generation']}, {answer['behind']:,} events behind{made}")
        for name, found in answer.get("digests", {}).items():
            click.echo(f"{name:<14} {found}")


@click.command()
@click.option("--once", is_flag=True, help="Stop when the rows are current.")
@click.option("--every", type=click.IntRange(1, 3600), default=1, show_default=True, metavar="SECONDS", help="Pause.")
@click.pass_obj
def follow(url: str, once: bool, every: int) -> None:
    """Keep the rows current, until stopped by Ctrl-C or SIGTERM, with exit code 0; several may run at once.

    \b
    Example:
      water-ledger projections follow --once
    """
    taken, anew = 0, ""
    try:
        # From the first: what stops it may come while it still loads.
        with stopped_by_sigterm():
            from projections.rebuild import rebuild as make_anew

            with _projector(url) as projector:
                projector.prepare()
                while (found := projector.step()) or found is None or not once:
                    if found is None:
                        make_anew(url, progress=partial(reached, what="accounts"))
                        anew = "made anew; "
                    elif found:
                        taken += found
                    else:
                        time.sleep(every)
    except KeyboardInterrupt:
        # The way to stop it: what was taken in is on disk, and the next one goes on from there.
        click.echo(f"stopped; {taken:,} events taken in")
        return
    click.echo(f"current; {anew}{taken:,} events taken in")


@click.command()
@click.option("--processes", type=click.IntRange(1, 64), metavar="N", help="At most so many.  [default: processors]")
@click.pass_obj
def rebuild(url: str, processes: int | None) -> None:
    """Fold every account anew, beside the rows that people read, and swap; a killed one goes on where it stopped.

    \b
    Example:
      water-ledger projections rebuild --processes 2
    """
    from projections.rebuild import rebuild as make_anew

    generation = make_anew(url, processes, partial(reached, what="accounts"))
    click.echo(f"generation {generation.number} is shown, {sum(generation.positions.values()):,} events folded")


@click.command()
@click.option("--accounts", type=click.IntRange(min=1), metavar="N", help="A sample of so many.  [default: all]")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Another seed, another sample.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def verify(ctx: click.Context, accounts: int | None, seed: int, as_json: bool) -> None:
    """Fold accounts anew and compare with the rows; what differs is named, and the exit code is 3.

    \b
    Example:
      water-ledger projections verify --accounts 100 --seed 7
    """
    from projections.verify import verify as compare

    checked, differences = 0, []
    with _projector(ctx.obj) as projector:
        for found in compare(projector, accounts, seed):
            checked += 1
            differences += found
    if as_json:
        write({"accounts": checked, "differences": [plain(each) for each in differences]})
    else:
        for each in differences:
            click.echo(f"account {each.account}: {kept_otherwise(each)}")
        click.echo(f"{checked:,} accounts compared, {len(differences):,} differences")
    ctx.exit(BROKEN if differences else 0)


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="Print every difference, not the first 50.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def diff(ctx: click.Context, a: str, b: str, every: bool, as_json: bool) -> None:
    """Compare two rebuilds, A and B: each value that differs, and the event that made the difference.

    \b
    A and B are each one of
      shown               the rows that people read
      log                 the log, folded now
      known-at:MOMENT     what was known at a moment, by the rules known then
      pack:FILE           the log by another policy pack, in the place of the pack of its name
      db:URL              the log of another ledger
      views:FILE          the rows that another version of the program made, in an SQLite file

    Beyond the first 50 differences those left are counted by table; --all and --json tell each of them. Only tables and
    columns that both have are compared. The exit code is 1 where they differ.

    \b
    Examples:
      water-ledger projections diff shown known-at:2024-05-01
      water-ledger projections diff log pack:del-oro-2025.toml --json
    """
    from commands.rebuilds import side
    from projections.compare import compare, not_shared

    compared, found = 0, list[Any]()
    with ExitStack() as stack:
        sides = [side(stack, ctx.obj, each) for each in (a, b)]
        for differences in compare(*sides):
            compared += 1
            room = len(differences) if every else max(FEW - len(found), 0)
            for each in differences[:room] if not as_json else ():
                click.echo(_unlike(each, a, b))
            found += differences
        left_out = not_shared(*sides)
    if as_json:
        differences = [plain(each) for each in found]
        write({"a": a, "b": b, "accounts": compared, "not_compared": left_out, "differences": differences})
    else:
        if left := [] if every else found[FEW:]:
            tables = Counter(each.projection for each in left).most_common()
            counts = ", ".join(f"{count:,} in {name}" for name, count in tables)
            click.echo(f"and {len(left):,} more ({counts}): --all prints each")
        only = f"; only in one of them: {', '.join(left_out)}" if left_out else ""
        click.echo(f"{compared:,} accounts compared, {len(found):,} differences{only}")
    ctx.exit(REFUSED if found else DONE)


FEW = 50
"""How many differences are printed one by one unless all are asked for: a person reads no more of them."""


def _unlike(each: Any, a: str, b: str) -> str:
    where = _where(each)
    made = f", since {each.event.type}, version {each.event.version}" if each.event else ""
    if each.column:
        return f"account {each.account}: {where} is {_said(each.a)} by {a} and {_said(each.b)} by {b}{made}"
    return f"account {each.account}: {where} is only there by {a if each.b is None else b}{made}"


def kept_otherwise(each: Any) -> str:
    """What a table holds that does not follow from the log; `each` is a Difference of `projections.verify`."""
    return f"{_where(each)} is kept as {each.kept!r}, and the log gives {each.folded!r}"


def _where(each: Any) -> str:
    return " ".join(filter(None, (each.projection, each.row, each.column)))


def _said(value: Any) -> str:
    return "empty" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


projections = click.Group(
    "projections",
    commands=[status, follow, rebuild, verify, diff],
    help="Tables of rows for reports and for SQL, described in docs/tables.md.",
)
