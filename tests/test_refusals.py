"""The catalogue of errors is a folder: each code of a refusal has a transcript, and each transcript a code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from commands.catalogue import all_commands
from ledger import events as e

ROOT = Path(__file__).parent.parent
CATALOGUE = Path(__file__).parent / "golden" / "refusals"
TRANSCRIPTS = sorted(CATALOGUE.glob("*.txt"))
SAID = re.compile(r"^(?:refused|invalid|Error): (.+)|\"message\":\"((?:[^\"\\]|\\.)+)\"", re.MULTILINE)


@cache
def codes() -> frozenset[str]:
    """Every code that the program refuses with, and "unknown_…" for each kind of thing that may be missing."""
    found: set[str] = set()
    for house in ("ledger", "projections", "commands"):
        for path in (ROOT / house).rglob("*.py"):
            found.update(_codes_in(path))
    return frozenset(found)


def _codes_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        first = node.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            if node.func.id in ("Refused", "Invalid"):
                yield first.value
            elif node.func.id == "missing":
                yield f"unknown_{first.value}"


def messages() -> list[tuple[str, str]]:
    return [(path.stem, a or b) for path in TRANSCRIPTS for a, b in SAID.findall(path.read_text(encoding="utf-8"))]


def test_every_code_has_a_transcript_and_every_transcript_a_code():
    assert {path.stem for path in TRANSCRIPTS} == codes()


@pytest.mark.parametrize(("code", "message"), messages())
def test_a_message_is_a_sentence_for_whoever_reads_it(code: str, message: str) -> None:
    classes = {kind.__name__ for kind in all_commands()} | {name for name in vars(e) if name[:1].isupper()}
    assert not classes & set(re.findall(r"\w+", message)) - {"UTILITY"}
    assert not re.search(r"Traceback|Error\b|Exception|None\b|<\w+ object|sqlite|psycopg|msgspec", message)
    assert len(message) <= 300, "a message that long is not read"
    assert not message.endswith((";", ":", ","))
