"""Writing the ledger's books for other programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, get_args

import click

from commands import clock
from commands.journal import Format
from commands.journal import journal as written
from commands.questions import Day, Moment, books_at


@click.group()
def export() -> None:
    """Write the books for other programs to read."""


@export.command()
@click.option("--format", "form", type=click.Choice(get_args(Format)), required=True, help="Whose journal to write.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), default="-", help="Write a file.  [default: print]")
@click.option("--on", type=Day(), metavar="DATE", help="As of the end of that day.  [default: now]")
@click.option("--known-at", type=Moment(), metavar="MOMENT", help="By what was known at that moment.  [default: now]")
@click.pass_obj
def journal(url: str, form: Format, output: str, on: date | None, known_at: datetime | None) -> None:
    """The books as a plain-text journal: receivables, revenue, cash, deposits, and what the Commission holds.

    Every movement is a balanced transaction, and every account ends with the balance that the ledger states, so that
    the program that reads the journal checks both.

    \b
    Example:
      water-ledger export journal --format hledger -o books.journal --on 2024-12-31
    """
    with books_at(url) as books, _whole(output) as file:
        file.writelines(written(form, books.histories(), on or clock.now(), known_at))


@contextmanager
def _whole(output: str) -> Iterator[IO[str]]:
    """A file to write, which takes its place when it is whole; what is no file (- prints) is written as it comes."""
    place = Path(output)
    if output == "-" or (place.exists() and not place.is_file()):
        with click.open_file(output, "w", encoding="utf-8") as file:
            yield file
        return
    part = place.with_name(f"{place.name}.part")
    try:
        opened = part.open("w", encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{place}: {error.strerror}", param_hint="-o") from None
    try:
        with opened as file:
            yield file
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
