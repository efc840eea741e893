"""Pages of the manual whose commands are played: what a fenced block shows is what the program prints.

A block opened with ```console holds a transcript (tests/transcripts.py), and all blocks of a page share one ledger. A
remark above a block, `<!-- shown: 1-4 /over 90/ -->`, keeps these lines of each output, by number or by what is found
in them; where lines are left out, a line says how many. Hashes and signatures are different in each ledger, and masked.
"""

import io
import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ledger.calendar import PACIFIC
from tests.transcripts import run, steps

BLOCK = re.compile(
    r"(?:^<!-- shown: (?P<shown>[^\n]*) -->\n)?^```console\n(?P<text>.*?)(?=^```$)", re.MULTILINE | re.DOTALL
)
MASKED = re.compile(r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40,}=*|[A-Za-z0-9+/]{40,}=*")
MASK = "…"


class Played(NamedTuple):
    """A block as the page has it, and as it is printed today."""

    text: str
    printed: str


def play(page: str, folder: Path, clock: datetime) -> Iterator[Played]:
    """The blocks of a page in their order, played in a folder."""
    for block in BLOCK.finditer(page):
        printed = []
        for step in steps(block["text"]):
            printed += step.lines
            if step.command:
                printed += cut(_printed(step.command, step.fed, folder, clock), block["shown"])
                printed.append("")
        yield Played(block["text"], "\n".join(printed).rstrip("\n") + "\n")


def rewritten(page: str, folder: Path, clock: datetime) -> str:
    """The page with what its blocks print today."""
    printed = (found.printed for found in play(page, folder, clock))
    return BLOCK.sub(lambda block: block[0].removesuffix(block["text"]) + next(printed), page)


def cut(lines: list[str], shown: str | None) -> list[str]:
    """The lines that are shown; each gap says how many were left out."""
    if shown is None:
        return lines
    numbers = re.findall(r"(\d+)(?:-(\d+))?", re.sub(r"/[^/]*/", "", shown))
    kept = {n for first, last in numbers for n in range(int(first), int(last or first) + 1)}
    words = re.compile("|".join(re.findall(r"/([^/]*)/", shown)) or r"(?!)")
    found: list[str] = []
    gap: list[str] = []
    for number, line in enumerate([*lines, None], 1):
        if line is not None and number not in kept and not words.search(line):
            gap.append(line)
            continue
        # A mark would take as much room as one blank line or one rule.
        found += gap if not "".join(gap).strip("─ ") else [f"[… {len(gap)} line{'s' * (len(gap) > 1)} not shown]"]
        found += [] if line is None else [line]
        gap = []
    return found


def _printed(command: str, fed: bytes, folder: Path, clock: datetime) -> list[str]:
    """What a command prints on both streams; `> FILE` takes standard output away."""
    arguments = shlex.split(command)[1:]
    into = io.BytesIO()
    if arguments[-2:-1] == [">"]:
        _, code = printed = run(arguments[:-2], fed, folder, clock, into)
        (folder / arguments[-1]).write_bytes(into.getvalue())
    else:
        _, code = printed = run(arguments, fed, folder, clock)
    lines = MASKED.sub(MASK, printed[0].replace(f"{folder}/", "")).rstrip("\n").splitlines()
    return lines + ([f"[exit {code}]"] if code else [])


NOW = datetime(2025, 2, 3, 9, 0, tzinfo=PACIFIC)
"""When every page is played."""
