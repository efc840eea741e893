"""The ways out of a table: on a terminal, as CSV, as XLSX.

A page is at most 100 columns wide, with money to the right and days as 22 May 2024. On a terminal there is bold and
colour; into a pipe or a file goes plain text. What a library is needed for is imported by what needs it.
"""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from commands.tables import NUMBERS, Column, Kind, Page, Row, day

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

WIDTH = 100
_BETWEEN = 3

MOST_ROWS = 1_048_576
"""How many rows a sheet can hold; more would be left out without a word."""

_FIRST_DAY = "1900-03-01"
"""Earlier days are text: spreadsheets do not agree on their numbers."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a cell of a spreadsheet begins with that would be run."""
_STYLES = {"blocks": "red", "avoids": "yellow", "unknown": "magenta", "permits": "green"}
_FORMATS: dict[Kind, str] = {
    "money": "#,##0.00",
    "integer": "0",
    "number": "0.000000",
    "percent": "0.0",
    "day": "yyyy-mm-dd",
    "moment": "yyyy-mm-dd hh:mm",
}


def show(page: Page, file: IO[str] | None = None) -> None:
    """Print a page for a person, on standard output or into `file`."""
    from rich.console import Console

    file = file or sys.stdout
    tty = file.isatty()
    into = file if tty else io.StringIO()
    console = Console(
        file=into, width=None if tty else WIDTH, no_color=not tty, highlight=False, emoji=False, markup=False
    )
    if console.width > WIDTH:
        console.width = WIDTH
    _print(page, console)
    if isinstance(into, io.StringIO):
        # Cells are filled up with blanks; in a file they would only be noise.
        file.writelines(f"{line.rstrip()}\n" for line in into.getvalue().splitlines())


def _print(page: Page, console: "Console") -> None:
    for line in page.before:
        console.print(line, soft_wrap=False)
    begun = bool(page.before)
    for table in page.tables:
        if table.apart:
            continue
        if table.title and begun:
            console.print()
        begun = True
        columns = [column for column in table.columns if column.heading is not None]
        rows = [[said(column, row) for column in columns] for row in table.rows]
        if table.total is not None:
            total = table.total
            rows.append([said(column, total) if column.name in total else "" for column in columns])
        if table.title and not rows:
            console.print(f"{table.title}: none", soft_wrap=False)
            continue
        if table.title:
            console.print(table.title, style="bold")
        console.print()
        least = [_least(column, [row[place] for row in rows]) for place, column in enumerate(columns)]
        if sum(least) + _BETWEEN * (len(least) - 1) <= console.width:
            console.print(_drawn(columns, least, rows))
        else:
            _print_apart(columns, rows, console)
    for line in page.after:
        console.print(line, soft_wrap=False)


def _least(column: Column, texts: list[str]) -> int:
    """How narrow a column may become: one that wraps may break a word, but into no less than twelve letters."""
    texts = [column.shown_as, *texts]
    if not column.wraps:
        return max(len(line) for text in texts for line in text.splitlines() or [""])
    return min(12, max((len(word) for text in texts for word in text.split()), default=1))


def _drawn(columns: list[Column], least: list[int], rows: list[list[str]]) -> "Drawn":
    from rich import box
    from rich.table import Table as Drawn

    drawn = Drawn(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column, width in zip(columns, least, strict=True):
        drawn.add_column(
            column.shown_as,
            justify="right" if column.kind in NUMBERS else "left",
            no_wrap=not column.wraps,
            overflow="fold",
            min_width=width,
        )
    for row in rows:
        drawn.add_row(*(_cell(column, text) for column, text in zip(columns, row, strict=True)))
    return drawn


def _cell(column: Column, text: str) -> "Text":
    from rich.text import Text

    return Text(text, _STYLES.get(text, "") if column.kind == "verdict" else "")


def _print_apart(columns: list[Column], rows: list[list[str]], console: "Console") -> None:
    """Rows too wide to stand side by side: one below the other, a line for each value."""
    wide = max(len(column.shown_as) for column in columns)
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column, text in zip(columns, row, strict=True):
            console.print(f"{column.shown_as:<{wide}}  {', '.join(text.splitlines()) or '–'}", soft_wrap=False)


def said(column: Column, row: Row) -> str:
    """A value as a person reads it; a dash where there is none."""
    if column.told is not None:
        return str(column.told(row))
    value = row[column.name]
    if value is None:
        return "–"
    match column.kind:
        case "day" | "moment" | "when":
            return day(value)
        case "word" | "verdict":
            return str(value).replace("_", " ")
        case "list":
            return ", ".join(value)
        case "boolean":
            return "yes" if value else "no"
    return str(value)


def write_csv(page: Page, file: IO[str]) -> None:
    """Write the table that is `listed`, and those with its columns, as CSV (RFC 4180); open with newline=""."""
    import csv

    writer = csv.writer(file, lineterminator="\r\n")
    names = [column.name for column in page.tables[page.listed].columns]
    writer.writerow(names)
    for table in page.tables:
        if [column.name for column in table.columns] == names:
            writer.writerows([_guarded(column, row) for column in table.columns] for row in table.rows)


def plain(value: object) -> str:
    """A value as a file holds it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _guarded(column: Column, row: Row) -> str:
    """A value as a spreadsheet may open it: text that would be run as a formula is quoted first."""
    text = plain(row[column.name])
    return f"'{text}" if column.kind not in NUMBERS and text.startswith(FORMULA) else text


def write_xlsx(page: Page, file: IO[bytes], created: date | datetime) -> None:
    """Write every table as a sheet: money as numbers, days as days, moments in Pacific time.

    The same answer gives the same bytes. Raises click.UsageError where the extra is missing, or a sheet too small.
    """
    try:
        from xlsxwriter import Workbook
    except ImportError:
        raise click.UsageError(
            "--xlsx needs XlsxWriter, which is not installed: pip install 'water-ledger[xlsx]'"
        ) from None
    # Closed in any case, because the rows wait in files of their own; half a book is thrown away by who opened `file`.
    with Workbook(file, {"constant_memory": True}) as book:
        book.set_properties({"created": _local(created)})
        bold = book.add_format({"bold": True})
        formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        for table in page.tables:
            sheet = book.add_worksheet(table.name[:31])
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.columns):
                sheet.set_column(place, place, 40 if column.wraps else 16)
                sheet.write_string(0, place, column.name, bold)
            for line, row in enumerate(table.rows, 1):
                if line >= MOST_ROWS:
                    raise click.UsageError(
                        f"a sheet holds {MOST_ROWS - 1:,} rows and there are more; write --csv instead"
                    )
                for place, column in enumerate(table.columns):
                    _put(sheet, line, place, column.kind, row[column.name], formats)


def _put(sheet: Any, line: int, place: int, kind: Kind, value: Any, formats: dict[Kind, Any]) -> None:
    from decimal import Decimal

    if value is None:
        return
    if kind == "when":
        kind = "moment" if "T" in value else "day"
    match kind:
        case "money" | "integer" | "number" | "percent":
            sheet.write_number(line, place, Decimal(value), formats[kind])
        case "day" | "moment" if value >= _FIRST_DAY:
            found = datetime.fromisoformat(value)
            kind = "moment" if "T" in value else "day"
            sheet.write_datetime(line, place, found.replace(tzinfo=None), formats[kind])
        case "boolean":
            sheet.write_boolean(line, place, value)
        case _:
            sheet.write_string(line, place, plain(value))


def _local(when: date | datetime) -> datetime:
    return when.replace(tzinfo=None) if isinstance(when, datetime) else datetime(when.year, when.month, when.day)


@contextmanager
def whole(output: str, *, binary: bool = False, newline: str | None = None, private: bool = False) -> Iterator[IO[Any]]:
    """A file to write, which takes its place when it is whole; what is no file (- prints) is written as it comes.

    A private one only its owner may read.

    Raises OSError naming it where it cannot be written, and click.UsageError where it has no name.
    """
    if not output:
        raise click.UsageError("the file to write has no name; give one")
    place, mode, encoding = Path(output), "wb" if binary else "w", None if binary else "utf-8"
    if output == "-":
        with _printed(newline) if not binary else click.open_file("-", "wb") as file:
            yield file
        return
    special = place.exists() and not place.is_file()
    part = place if special else place.with_name(f"{place.name}.part")
    try:
        if private and not special:
            # What an interrupted run left may be readable for others, and stays so where it is written over.
            part.unlink(missing_ok=True)
            part.touch(0o600)
        opened = part.open(mode, encoding=encoding, newline=newline)
    except OSError as error:
        raise OSError(error.errno, error.strerror, output) from None
    try:
        with opened as file:
            yield file
        if not special:
            part.replace(place)
    finally:
        if not special:
            part.unlink(missing_ok=True)


@contextmanager
def _printed(newline: str | None) -> Iterator[IO[str]]:
    """Standard output as UTF-8 with these line ends, whatever the terminal's are."""
    sys.stdout.flush()
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline=newline)
    try:
        yield file
        file.flush()
    finally:
        file.detach()


def files(page: Page, csv: str | None, xlsx: str | None, created: date | datetime) -> None:
    """Write the files that were asked for."""
    if xlsx == "-":
        raise click.BadParameter("a spreadsheet is no text to print; name a file", param_hint="--xlsx")
    if csv is not None:
        with whole(csv, newline="") as file:
            write_csv(page, file)
    if xlsx is not None:
        with whole(xlsx, binary=True) as file:
            write_xlsx(page, file, created)
