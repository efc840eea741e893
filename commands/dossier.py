"""Writing the case file of an account: the page, the sheets, the proof and the PDF."""

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from commands import clock
from commands.fields import identifier
from commands.questions import Account, Moment, books_at
from ledger import events as e
from ledger.books import Books
from ledger.refusal import Invalid
from ledger.store.codec import with_personal

WITHHELD = "[withheld]"


class Dispute(click.ParamType[str]):
    """A dispute on the command line."""

    name = "dispute"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return identifier(value)
        except ValueError as error:
            raise Invalid("invalid_value", f"dispute: {error}", "dispute") from None


@click.command()
@click.argument("account", type=Account())
@click.option("--dispute", type=Dispute(), metavar="ID", help="The dispute it is about.  [default: the latest]")
@click.option("--at", type=Moment(), metavar="MOMENT", help="The moment to judge.  [default: the shutoff, else now]")
@click.option("--known-at", type=Moment(), metavar="MOMENT", help="Tell what was known at that moment.  [default: now]")
@click.option("--redact", is_flag=True, help="Withhold names, addresses and other personal data.")
@click.option("-o", "--output", "folder", required=True, metavar="DIR", help="The folder to write.")
@click.pass_obj
def dossier(
    url: str,
    account: str,
    dispute: str | None,
    at: datetime | None,
    known_at: datetime | None,
    redact: bool,
    folder: str,
) -> None:
    """The case file of ACCOUNT for whoever decides a dispute: a page to read, sheets, a PDF, and the proof.

    index.html needs no network and no other file, checks itself in the browser, and can be sent alone. Every rule
    answers for the moment judged twice: by what was known then, and by what is known now.

    \b
    Example:
      water-ledger dossier 7001 --dispute D-7001-1 -o case-7001
    """
    from projections.dossier.case import Question, case_file
    from projections.dossier.page import page
    from projections.dossier.pdf import pdf
    from projections.dossier.sections import document
    from projections.dossier.sheets import READS, STATEMENT, read_rows, statement_rows

    with books_at(url) as books:
        states = books.log.states(account)
        asked = Question(known_at or clock.now(), dispute, at)
        case = case_file(books.history(account), books.utility(), asked, _shown(books, account, redact))
    written = document(case, states, redacted=redact)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    _write(place / "index.html", page(written, None))
    _write(place / "dossier.pdf", pdf(written, None))
    _sheet(place / "statement.csv", STATEMENT, statement_rows(case))
    _sheet(place / "reads.csv", READS, read_rows(case))


def _shown(books: Books, account: str, redact: bool) -> Callable[[e.Event], e.Event]:
    if redact:
        return lambda event: with_personal(event, lambda kind, field, text: WITHHELD)
    return lambda event: books.opened(account, event)


def _write(path: Path, content: str | bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content if isinstance(content, bytes) else content.encode())
    part.replace(path)


def _sheet(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


_: Any = msgspec
