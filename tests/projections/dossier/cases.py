"""Case files of the scenarios, from a ledger in memory."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.store.codec import encode
from ledger.utility import Utility
from projections.dossier.case import CaseFile, Question, case_file
from projections.dossier.document import AnyBlock, Cell, Document, Facts, Flag, Paragraph, Table
from projections.dossier.page import page
from projections.dossier.sections import document
from tests.desk import MemoryLedger

SCENARIOS = Path(__file__).parents[3] / "scripts" / "simulation" / "scenarios"
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=PACIFIC)


@cache
def scenario(name: str) -> MemoryLedger:
    """A ledger in which the scenario was posted."""
    ledger = MemoryLedger()
    for line in (SCENARIOS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        ledger.post(record.pop("command"), **record)
    return ledger


def facts(ledger: MemoryLedger, account: str = "7001", **asked: Any) -> CaseFile:
    """The facts of the case, as known on 1 June 2026 unless asked otherwise."""
    utility = Utility(ledger.desk.streams[UTILITY].events)
    return case_file(ledger.history(account), utility, Question(**{"known_at": NOW, **asked}), lambda event: event)


def told(ledger: MemoryLedger, account: str = "7001", **asked: Any) -> Document:
    """The document of the case."""
    states = [encode(event) for event in ledger.history(account).events]
    return document(facts(ledger, account, **asked), states)


def html(ledger: MemoryLedger, account: str = "7001", **asked: Any) -> str:
    """The page of the case, without a proof."""
    return page(told(ledger, account, **asked), None)


def section(document: Document, name: str) -> list[AnyBlock]:
    return next(each.blocks for each in document.sections if each.name == name)


def cells(blocks: list[AnyBlock]) -> Iterator[Cell]:
    """Every statement in these blocks."""
    for block in blocks:
        match block:
            case Paragraph():
                yield block.cell
            case Flag():
                yield from block.cells
            case Facts():
                yield from (cell for _, cell in block.rows)
            case Table():
                yield from (cell for row in block.rows for cell in row.cells)
            case _ if hasattr(block, "rows"):
                yield from (cell for _, cell in block.rows)


def sentences(blocks: list[AnyBlock]) -> list[str]:
    """Every statement as it is read, with the word that leads it."""
    return [f"{cell.word} {cell.text}".strip() for cell in cells(blocks)]


def named(blocks: list[AnyBlock]) -> dict[str, str]:
    """Names with their values, of all such lists in these blocks; the first of a name."""
    found: dict[str, str] = {}
    for block in blocks:
        if isinstance(block, Facts) or (hasattr(block, "rows") and hasattr(block, "months")):
            for name, cell in block.rows:
                found.setdefault(name, cell.text)
    return found


class Text(HTMLParser):
    """A page as it is read aloud: a line for each row, term, heading and paragraph; what only eyes miss is read too."""

    LINES = frozenset(("p", "h1", "h2", "h3", "tr", "div", "li", "caption", "figcaption", "dl", "table", "section"))
    SILENT = frozenset(("style", "script", "pre", "svg", "summary"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self._lines: list[str] = [""]
        self._silent = 0
        self.feed(text)

    @property
    def lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self._lines if line.strip()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self.SILENT
        if tag in self.LINES:
            self._lines.append("")
        elif tag in ("td", "th", "dd"):
            self._lines[-1] += " | " if self._lines[-1].strip() else ""
        elif tag == "span":
            self._lines[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.SILENT
        if tag in self.LINES:
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._lines[-1] += data
