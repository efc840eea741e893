"""The ways out of a table: safe in a spreadsheet, the same columns everywhere, the same bytes for the same answer."""

import csv
import io
import sys
import zipfile
from datetime import date
from xml.etree import ElementTree as ET

import click
import pytest
from click.testing import CliRunner

from commands import answers, outputs, tables
from commands.cli import cli
from commands.tables import Column, Page, Table
from tests.cases import bill_mailed, payment
from tests.commands.told import RULES, history

NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
COLUMNS = (
    Column("name"),
    Column("amount", "money"),
    Column("on", "day"),
    Column("at", "moment"),
    Column("ok", "boolean"),
)


def table(*rows, columns=COLUMNS):
    return Page([], [Table("things", columns, rows)])


def as_csv(page):
    file = io.StringIO(newline="")
    outputs.write_csv(page, file)
    return file.getvalue()


def as_xlsx(page, created=date(2024, 6, 3)):
    file = io.BytesIO()
    outputs.write_xlsx(page, file, created)
    return file.getvalue()


def sheet(made, number=1):
    """The cells of a sheet by their place: type, style, and what is in them."""
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        found = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
        styles = ET.fromstring(book.read("xl/styles.xml"))
    formats = {f.get("numFmtId"): f.get("formatCode") for f in styles.findall(".//x:numFmt", NS)}
    kinds = [formats.get(xf.get("numFmtId"), xf.get("numFmtId")) for xf in styles.findall("x:cellXfs/x:xf", NS)]
    cells = {}
    for cell in found.findall(".//x:c", NS):
        text = "".join(cell.itertext())
        cells[cell.get("r")] = (cell.get("t", "n"), kinds[int(cell.get("s", "0"))], text)
        assert cell.find("x:f", NS) is None, "a formula"
    return cells


ROW = {"name": "P-1", "amount": "-1234.50", "on": "2024-02-29", "at": "2024-02-29T21:15:00-08:00", "ok": True}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_a_text_that_would_run_as_a_formula_gets_an_apostrophe(start):
    made = as_csv(table(ROW | {"name": f"{start}1+1"}))
    assert list(csv.reader(io.StringIO(made, newline="")))[1][0] == f"'{start}1+1"
    (shown,) = [each for place, each in sheet(as_xlsx(table(ROW | {"name": f"{start}1+1"}))).items() if place == "A2"]
    assert shown[0] == "inlineStr"


def test_numbers_are_not_quoted_and_text_with_commas_quotes_and_lines_is():
    made = as_csv(table(ROW | {"name": 'a "b", c\nd'}, ROW | {"amount": None, "ok": False}))
    assert made == (
        "name,amount,on,at,ok\r\n"
        '"a ""b"", c\nd",-1234.50,2024-02-29,2024-02-29T21:15:00-08:00,true\r\n'
        "P-1,,2024-02-29,2024-02-29T21:15:00-08:00,false\r\n"
    )


def test_a_spreadsheet_holds_numbers_days_and_moments():
    cells = sheet(as_xlsx(table(ROW)))
    assert [cells[f"{letter}1"][2] for letter in "ABCDE"] == [column.name for column in COLUMNS]
    assert cells["B2"][1:] == ("#,##0.00", "-1234.50")
    # Day 1 is 1 January 1900, and the 29 February 1900 that never was is counted.
    assert cells["C2"][1:] == ("yyyy-mm-dd", str((date(2024, 2, 29) - date(1899, 12, 30)).days))
    assert cells["D2"][1] == "yyyy-mm-dd hh:mm"
    assert cells["D2"][2].startswith("45351.88541")
    assert cells["E2"][:1] == ("b",)


def test_a_day_that_spreadsheets_do_not_agree_on_is_text():
    cells = sheet(as_xlsx(table(ROW | {"on": "1899-12-31", "at": None})))
    assert cells["C2"][::2] == ("inlineStr", "1899-12-31")
    assert "D2" not in cells


def test_more_rows_than_a_sheet_holds_are_an_error(monkeypatch):
    monkeypatch.setattr(outputs, "MOST_ROWS", 3)
    as_xlsx(table(ROW, ROW))
    with pytest.raises(click.UsageError, match="write --csv instead"):
        as_xlsx(table(ROW, ROW, ROW))


def test_the_same_answer_gives_the_same_bytes():
    assert as_xlsx(table(ROW)) == as_xlsx(table(ROW))


def test_every_table_of_a_page_is_a_sheet_and_those_with_the_same_columns_are_one_csv():
    page = Page([], [Table("one", COLUMNS, [ROW]), Table("two", COLUMNS, [ROW]), Table("three", COLUMNS[:1], [ROW])])
    assert as_csv(page).count("\r\n") == 3
    made = as_xlsx(page)
    assert sheet(made, 3) == {place: cell for place, cell in sheet(made, 1).items() if place[0] == "A"}


def test_the_columns_of_a_question_are_the_same_everywhere():
    told = history(bill_mailed("2024-02-01", "90.00", "B1"), payment("2024-02-09", "1000.00", payment="P1"))
    answer = answers.statement(told, *RULES, date(2024, 2, 29))
    header, *rows = csv.reader(io.StringIO(as_csv(tables.page("statement", answer)), newline=""))
    cells = sheet(as_xlsx(tables.page("statement", answer)))
    assert header == ["account", "on", "recorded_at", "version", "kind", "reference", "amount", "balance"]
    assert [cells[f"{letter}1"][2] for letter in "ABCDEFGH"] == header
    assert [row[5:] for row in rows] == [["B1", "90.00", "90.00"], ["P1", "-1000.00", "-910.00"]]
    assert [cells[f"{letter}3"][2] for letter in "GH"] == ["-1000.00", "-910.00"]


def test_where_the_extra_is_missing_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(click.UsageError, match=r"pip install 'water-ledger\[xlsx\]'"):
        as_xlsx(table(ROW))


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "statement.csv"
    path.write_text("yesterday's")

    def rows():
        yield ROW
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        outputs.files(Page([], [Table("things", COLUMNS, rows())]), str(path), None, date(2024, 6, 3))
    assert [each.read_text() for each in tmp_path.iterdir()] == ["yesterday's"]
    outputs.files(table(ROW), str(path), str(tmp_path / "statement.xlsx"), date(2024, 6, 3))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["statement.csv", "statement.xlsx"]


def test_a_question_writes_both_files_and_prints_nothing(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    opened = ("--account", "7001", "--opened-on", "2019-06-01", "--name", "A", "--service-address", "1 Example Lane")
    assert CliRunner().invoke(cli, ["--db", url, "account", "open", *opened]).exit_code == 0
    for question in (["balance", "7001"], ["history", "7001"], ["aging"], ["rules"], ["register", "notices"]):
        written = [tmp_path / "answer.csv", tmp_path / "answer.xlsx"]
        options = ["--csv", str(written[0]), "--xlsx", str(written[1])]
        told = CliRunner().invoke(cli, ["--db", url, *question, *options])
        assert (told.exit_code, told.output) == (0, ""), told.exception
        header = written[0].read_text().splitlines()[0].split(",")
        cells = sheet(written[1].read_bytes())
        assert [cells[f"{chr(ord('A') + n)}1"][2] for n in range(len(header))] == header
        for each in written:
            each.unlink()


def test_a_spreadsheet_is_not_printed():
    with pytest.raises(click.BadParameter, match="name a file"):
        outputs.files(table(ROW), None, "-", date(2024, 6, 3))
