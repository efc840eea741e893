"""`dossier` as it is called: the files it writes, what it says, and what it withholds."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from commands.cli import cli
from commands.dossier import FILES
from ledger.refusal import Refused
from tests.pdf import squeezed, words_of

ROOT = Path(__file__).parents[2]
CANARIES = {
    "name": "Canary Customer",
    "service_address": "17 Canary Lane",
    "mailing_address": "PO Box 4711-0815, Canary City",
    "billing_email": "canary@example.com",
    "phone": "530-555-0199",
}

Call = Callable[..., Result]


@pytest.fixture
def call(store_url: str) -> Call:
    def called(*arguments: str, fed: str | None = None) -> Result:
        return CliRunner().invoke(cli, ["--db", store_url, *arguments], input=fed, catch_exceptions=False)

    return called


@pytest.fixture
def posted(call: Call) -> Call:
    """A disputed bill of a customer whose personal data are canaries."""
    lines = [
        {"command": "account open", "opened_on": "2019-01-01", **CANARIES},
        {"command": "account link", "login": "canary.login@example.com", "nickname": "Canary Cabin"},
        {"command": "meter install", "meter": "M-1", "on": "2023-12-01"},
        {"command": "meter read", "read_on": "2024-03-01", "reading": "58"},
        {"command": "bill issue", "bill": "B-1", "mailed_on": "2024-03-04", "amount": "467.67"},
        {"command": "dispute petition", "dispute": "D-1", "bill": "B-1", "filed_at": "2024-03-12T09:30-07:00"}
        | {"petitioner": "Canary Occupant", "role": "occupant"},
        {"command": "health certify", "on": "2024-03-12", "provider": "Dr Canary"},
        {"command": "adjustment post", "amount": "-5.00", "on": "2024-03-20", "reason": '=HYPERLINK("x")'},
    ]
    feed = "".join(json.dumps({"account": "7001", **line}) + "\n" for line in lines)
    assert call("post", "-", fed=feed).exit_code == 0
    return call


def test_it_writes_a_page_sheets_a_pdf_and_says_that_nothing_is_sealed(posted: Call, tmp_path: Path):
    done = posted("dossier", "7001", "-o", str(tmp_path / "case"))
    assert done.exit_code == 0
    assert done.stdout == f"written in {tmp_path / 'case'}: index.html, statement.csv, reads.csv, dossier.pdf\n"
    assert done.stderr == (
        "no bundle.json: nothing of account 7001 is sealed yet (run 'water-ledger audit seal' first)\n"
    )
    assert {path.name for path in (tmp_path / "case").iterdir()} == set(FILES) - {"bundle.json"}
    assert (tmp_path / "case" / "dossier.pdf").read_bytes().startswith(b"%PDF")


def test_the_sheets_are_safe_to_open(posted: Call, tmp_path: Path):
    posted("dossier", "7001", "-o", str(tmp_path))
    with (tmp_path / "statement.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["kind"], line["reference"], line["amount"], line["balance"]) for line in lines] == [
        ("bill", "B-1", "467.67", "467.67"),
        ("adjustment", '\'=HYPERLINK("x")', "-5.00", "462.67"),
    ]
    with (tmp_path / "reads.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [(line["event"], line["reading"], line["used"], line["days"]) for line in lines] == [
        ("MeterInstalled", "0", "", ""),
        ("ReadTaken", "58", "58.000", "91"),
    ]


def test_without_the_extra_the_rest_is_written_and_the_way_out_named(posted: Call, tmp_path: Path):
    with patch.dict(sys.modules, {"typst": None}):
        done = posted("dossier", "7001", "-o", str(tmp_path))
    assert done.exit_code == 1
    assert done.stdout == f"written in {tmp_path}: index.html, statement.csv, reads.csv\n"
    assert "no dossier.pdf: it needs typst, which is not installed (pip install 'water-ledger[pdf]')" in done.stderr


def test_nothing_of_an_older_case_file_stays_behind(posted: Call, tmp_path: Path):
    folder = tmp_path / "case"
    posted("dossier", "7001", "-o", str(folder))
    (folder / "notes.txt").write_text("somebody's own")
    with patch.dict(sys.modules, {"typst": None}):
        posted("dossier", "7001", "-o", str(folder))
    assert {path.name for path in folder.iterdir()} == {"index.html", "statement.csv", "reads.csv", "notes.txt"}


def test_personal_data_is_shown_unless_it_is_withheld(posted: Call, tmp_path: Path):
    posted("audit", "key", "create")
    assert posted("audit", "seal").exit_code == 0
    posted("dossier", "7001", "-o", str(tmp_path / "whole"))
    page = (tmp_path / "whole" / "index.html").read_text(encoding="utf-8")
    assert "Canary Customer" in page
    assert "Canary Occupant" in page
    shown = words_of((tmp_path / "whole" / "dossier.pdf").read_bytes())
    for canary in (*CANARIES.values(), "canary.login@example.com", "Canary Cabin", "Canary Occupant", "Dr Canary"):
        assert squeezed(canary) in shown, "what is in a PDF is found there"
    done = posted("dossier", "7001", "--redact", "-o", str(tmp_path / "redacted"))
    assert done.exit_code == 0
    assert {path.name for path in (tmp_path / "redacted").iterdir()} == set(FILES)
    for path in (tmp_path / "redacted").iterdir():
        found = path.read_bytes().lower()
        assert b"canary" not in found, path.name
        assert b"4711-0815" not in found, path.name
        assert b"530-555-0199" not in found, path.name
    shown = words_of((tmp_path / "redacted" / "dossier.pdf").read_bytes())
    assert "[withheld]" in shown
    for trace in ("canary", "4711-0815", "530-555-0199"):
        assert squeezed(trace) not in shown
    assert "canary" not in (done.stdout + done.stderr).lower()
    assert "[withheld]" in (tmp_path / "redacted" / "index.html").read_text(encoding="utf-8")
    assert "keys" not in json.loads((tmp_path / "redacted" / "bundle.json").read_bytes())["accounts"][0]


def test_a_case_file_with_personal_data_is_its_owner_s(posted: Call, tmp_path: Path):
    """Given a folder with a withheld case file that others may read; the one that is written over it they may not."""
    folder = tmp_path / "case"
    posted("audit", "key", "create")
    assert posted("audit", "seal").exit_code == 0
    posted("dossier", "7001", "--redact", "-o", str(folder))
    (folder / "index.html").chmod(0o644)
    assert posted("dossier", "7001", "-o", str(folder)).exit_code == 0
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(FILES, 0o600)
    posted("dossier", "7001", "--redact", "-o", str(folder))
    (folder / "any other file").touch()
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1, "what withholds is a file like any other"


def test_the_bundle_beside_the_page_holds(posted: Call, tmp_path: Path):
    vkey = posted("audit", "key", "create").stdout.strip()
    posted("audit", "seal")
    posted("dossier", "7001", "-o", str(tmp_path))
    checker = [sys.executable, str(ROOT / "scripts" / "check_bundle.py"), str(tmp_path / "bundle.json"), "--key", vkey]
    done = subprocess.run(checker, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_question_gives_the_same_files(posted: Call, tmp_path: Path):
    posted("audit", "key", "create")
    posted("audit", "seal")
    known = ("--known-at", "2030-01-01")
    for folder in ("one", "two"):
        posted("dossier", "7001", *known, "-o", str(tmp_path / folder))
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("9999",), "account 9999 is not in the ledger"),
        (("7001", "--dispute", "D-9"), "account 7001 has no dispute D-9: it has D-1"),
        (("7001", "--dispute", "D 9"), "dispute: "),
        (("7001", "--known-at", "2001-01-01"), "account 7001 was not known at"),
    ],
)
def test_what_cannot_be_told_is_refused_and_nothing_is_written(posted: Call, tmp_path: Path, arguments, sentence):
    with pytest.raises(Refused, match=sentence):
        posted("dossier", *arguments, "-o", str(tmp_path / "case"))
    assert not (tmp_path / "case").exists()


def test_what_is_no_folder_is_named_before_anything_is_done(posted: Call, tmp_path: Path):
    (tmp_path / "taken").write_text("somebody's own")
    for folder, wrong in ((str(tmp_path / "taken"), "taken is a file; give a folder"), ("", "it has no name; give a")):
        said = posted("dossier", "7001", "-o", folder)
        assert (said.exit_code, wrong in said.output) == (2, True)
    assert (tmp_path / "taken").read_text() == "somebody's own"


def test_a_file_that_cannot_be_put_in_its_place_leaves_no_part_of_it(posted: Call, tmp_path: Path):
    folder = tmp_path / "case"
    (folder / "index.html").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        posted("dossier", "7001", "-o", str(folder))
    assert [path.name for path in folder.iterdir()] == ["index.html"]
