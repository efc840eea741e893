"""The manual's played pages show what the program prints (rewrite them with --rewrite, and read the diff)."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.manual import NOW, cut, play, rewritten

ROOT = Path(__file__).parent.parent
QUESTIONS = ROOT / "docs" / "questions.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a page is played: an empty folder beside the project's scripts, which run on this Python."""
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    return tmp_path


def test_the_questions_show_what_the_program_prints(folder: Path, request: pytest.FixtureRequest) -> None:
    page = QUESTIONS.read_text(encoding="utf-8")
    if request.config.getoption("--rewrite"):
        QUESTIONS.write_text(rewritten(page, folder, NOW), encoding="utf-8")
        return
    blocks = list(play(page, folder, NOW))
    assert len(blocks) > 50
    for block in blocks:
        assert block.printed == block.text
        assert str(folder) not in block.printed


def test_every_question_has_a_command_and_a_sentence_on_how_to_read_it() -> None:
    """Twenty-five of the auditors, twenty-five of the Commission's staff, in their order."""
    page = QUESTIONS.read_text(encoding="utf-8")
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    titles = [section.partition(" ")[0] for section in sections]
    assert titles == [f"{who}{number}." for who in "AB" for number in range(1, 26)]
    for section in sections:
        title, _, body = section.partition("\n")
        assert title.endswith("?"), title
        assert "```console\n$ water-ledger" in body, title
        assert re.search(r"^\*\*Read:\*\* \S.{20,}", body, flags=re.MULTILINE), title


def test_what_is_cut_says_how_much() -> None:
    lines = ["title", "", "a 1", "b 2", "c 3", "total 6"]
    assert cut(lines, None) == lines
    assert cut(lines, "1-2 /total/") == ["title", "", "[… 3 lines not shown]", "total 6"]
    assert cut(lines, "/^[ac] /") == [
        "[… 2 lines not shown]",
        "a 1",
        "[… 1 line not shown]",
        "c 3",
        "[… 1 line not shown]",
    ]
