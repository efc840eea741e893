"""Writing the ledger's books for other programs."""

from datetime import date, datetime
from typing import get_args

import click

from commands import clock
from commands.journal import Format
from commands.journal import journal as written
from commands.outputs import whole
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
    with books_at(url) as books, whole(output) as file:
        file.writelines(written(form, books.histories(), on or clock.now(), known_at))
