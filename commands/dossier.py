"""Writing the case file of an account: the page, the PDF, the sheets and the proof."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from commands import clock
from commands.cli import REFUSED
from commands.outputs import FORMULA, whole
from commands.questions import Account, Moment, Named, books_at
from ledger import events as e

if TYPE_CHECKING:
    from ledger.books import Books
    from projections.dossier.document import Document
    from projections.dossier.proof import Proof

WITHHELD = "[withheld]"
"""What a redacted case file says in the place of personal data."""

FILES = ("index.html", "statement.csv", "reads.csv", "bundle.json", "dossier.pdf")
"""What a case file consists of; no name says whom it is about."""


class Dispute(Named):
    """A dispute on the command line."""

    name = "dispute"


class Folder(click.ParamType[str]):
    """A folder on the command line, made where it is missing."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("it has no name; give a folder, which is made where it is missing", param, ctx)
        if Path(value).exists() and not Path(value).is_dir():
            self.fail(f"{value} is a file; give a folder, which is made where it is missing", param, ctx)
        return str(value)


@click.command()
@click.argument("account", type=Account())
@click.option("--dispute", type=Dispute(), metavar="ID", help="The dispute it is about.  [default: the latest]")
@click.option("--at", type=Moment(), metavar="MOMENT", help="The moment to judge.  [default: the shutoff, else now]")
@click.option("--known-at", type=Moment(), metavar="MOMENT", help="Tell what was known at that moment.  [default: now]")
@click.option("--redact", is_flag=True, help="Withhold names, addresses and other personal data.")
@click.option("-o", "--output", "folder", type=Folder(), required=True, metavar="DIR", help="The folder to write.")
@click.pass_context
def dossier(
    ctx: click.Context, account: str, dispute: str | None, at: datetime | None, known_at: datetime | None,
    redact: bool, folder: str,
) -> None:  # fmt: skip
    """The case file of ACCOUNT for whoever decides a dispute: a page to read, sheets, a PDF, and the proof.

    index.html needs no network and no other file, checks itself in the browser, and can be sent alone. Every rule
    answers for the moment judged twice: by what was known then, and by what is known now. The PDF needs the extra
    [pdf], and the proof a seal ('water-ledger audit seal'). Unless --redact is given the page and the proof hold the
    keys that open the account's personal data: only their owner may read the files.

    \b
    Example:
      water-ledger dossier 7001 --dispute D-7001-1 -o case-7001
    """
    from projections.dossier.case import Question, case_file
    from projections.dossier.page import page
    from projections.dossier.sections import document
    from projections.dossier.sheets import READS, STATEMENT, read_rows, statement_rows

    with books_at(ctx.obj) as books:
        # Before the events: what is recorded in between is on the page and not proved, never the other way round.
        proof, why_not = _proof(ctx.obj, books, account, redact)
        states = books.log.states(account)
        asked = Question(known_at or clock.now(), dispute, at)
        case = case_file(books.history(account), books.utility(), asked, _shown(books, account, redact))
    written = document(case, states, redacted=redact)
    made = {
        "index.html": page(written, proof).encode(),
        "statement.csv": _sheet(STATEMENT, statement_rows(case)),
        "reads.csv": _sheet(READS, read_rows(case)),
    }
    if proof:
        made["bundle.json"] = proof.bundle
    pdf, no_pdf = _pdf(written, proof)
    if pdf:
        made["dossier.pdf"] = pdf
    _write(Path(folder), made, private=not redact)
    click.echo(f"written in {folder}: {', '.join(name for name in FILES if name in made)}")
    for sentence in filter(None, (why_not, no_pdf)):
        click.echo(sentence, err=True)
    if no_pdf:
        ctx.exit(REFUSED)


def _shown(books: "Books", account: str, redact: bool) -> Callable[[e.Event], e.Event]:
    from ledger.store.codec import with_personal

    if redact:
        return lambda event: with_personal(event, lambda kind, field, text: WITHHELD)
    return lambda event: books.opened(account, event)


def _proof(url: str, books: "Books", account: str, redact: bool) -> tuple["Proof | None", str]:
    """The bundle of the account as of the last seal; or None, and why there is none."""
    from commands.audit import in_words
    from ledger.integrity.bundle import NotSealed, SealedLog, make
    from ledger.store.open import seals_of
    from ledger.store.seal_rows import NotSealing
    from projections.dossier.proof import Proof

    missing = f"no bundle.json: nothing of account {account} is sealed yet (run 'water-ledger audit seal' first)"
    with closing(seals_of(url, read_only=True)) as rows, in_words():
        if not rows.exists():
            return None, missing
        try:
            made = make(SealedLog(books.log, rows), [account], None if redact else books.keys, dated=True)
        except (NotSealed, NotSealing) as error:
            return None, f"no bundle.json: {error}"
    proved = sum(len(history.events) for history in made.bundle.accounts)
    return (Proof(msgspec.json.encode(made.bundle), proved), "") if proved else (None, missing)


def _pdf(document: "Document", proof: "Proof | None") -> tuple[bytes | None, str]:
    from projections.dossier.pdf import NoTypst, pdf

    try:
        return pdf(document, proof), ""
    except NoTypst:
        return None, "no dossier.pdf: it needs typst, which is not installed (pip install 'water-ledger[pdf]')"


def _sheet(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV (RFC 4180) that a spreadsheet may open: text that would be run as a formula is quoted first."""
    from projections.dossier.sheets import NUMBERS

    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(_guarded(head, row, NUMBERS) for row in rows)
    return file.getvalue().encode()


def _guarded(head: Sequence[str], row: Sequence[str], numbers: frozenset[str]) -> Iterator[str]:
    for name, text in zip(head, row, strict=True):
        yield f"'{text}" if name not in numbers and text.startswith(FORMULA) else text


def _write(folder: Path, made: dict[str, bytes], *, private: bool) -> None:
    """Write each file whole or not at all; what an older case file left here and this one lacks goes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if name not in made:
            (folder / name).unlink(missing_ok=True)
            continue
        with whole(str(folder / name), binary=True, private=private) as file:
            file.write(made[name])
