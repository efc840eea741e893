"""Transcripts: commands and what they print, kept as golden files and read as documents.

A line that begins with `$ ` is a command; what follows is what it printed, and `[exit N]` where it did not end with 0.
`<<END` feeds the lines up to END to it, and so does what stands before `| water-ledger`, run by the shell. A line that
begins with `# ` is a remark.
"""

import io
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple
from unittest.mock import patch

import commands.cli
from ledger.calendar import PACIFIC

MORNING = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
"""When every transcript is played, unless a remark `# now 2024-06-04T10:00` moves the clock."""


class Step(NamedTuple):
    """A remark, or a command with what it is fed."""

    lines: list[str]
    command: str = ""
    fed: bytes = b""


def steps(text: str) -> Iterator[Step]:
    """The remarks and commands of a transcript, without what the commands printed."""
    waiting = iter(text.splitlines())
    for line in waiting:
        if line.startswith("# "):
            yield Step([line])
        elif line.startswith("$ "):
            shown, fed = [line], []
            if line.endswith("<<END"):
                for each in waiting:
                    shown.append(each)
                    if each == "END":
                        break
                    fed.append(each)
            command = line[2:].removesuffix("<<END")
            before, piped, after = command.rpartition("| water-ledger ")
            if piped:
                made = subprocess.run(before, shell=True, check=True, stdout=subprocess.PIPE).stdout
                yield Step(shown, f"water-ledger {after}", made)
            else:
                yield Step(shown, command, "".join(f"{each}\n" for each in fed).encode())


def play(text: str, folder: Path) -> str:
    """The transcript as the commands print it today."""
    shown: list[str] = []
    clock = MORNING
    after_a_command = False
    for step in steps(text):
        if after_a_command:
            shown.append("")
        after_a_command = bool(step.command)
        shown += step.lines
        if not step.command:
            if step.lines[0].startswith("# now "):
                clock = datetime.fromisoformat(step.lines[0].removeprefix("# now ")).replace(tzinfo=PACIFIC)
            continue
        printed, code = run(shlex.split(step.command)[1:], step.fed, folder, clock)
        shown += printed.rstrip("\n").splitlines()
        if code:
            shown.append(f"[exit {code}]")
    return "\n".join(shown) + "\n"


def run(
    arguments: list[str], fed: bytes, folder: Path, clock: datetime, into: BinaryIO | None = None
) -> tuple[str, int]:
    """What one call prints on both streams, and its exit code; `into` takes standard output away."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    stdin = io.TextIOWrapper(io.BytesIO(fed), encoding="utf-8")
    argv = ["water-ledger", "--db", f"sqlite:///{folder / 'water-ledger.db'}", *arguments]
    with (
        patch.object(sys, "argv", argv),
        patch.object(sys, "stdin", stdin),
        patch("commands.clock.now", lambda: clock),
        patch.dict("os.environ", {"COLUMNS": "100", "NO_COLOR": "1"}),
        redirect_stdout(io.TextIOWrapper(into, encoding="utf-8", write_through=True) if into else out),
        redirect_stderr(out),
    ):
        try:
            commands.cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        else:
            code = 0
    return out.buffer.getvalue().decode(), code  # type: ignore[attr-defined]
