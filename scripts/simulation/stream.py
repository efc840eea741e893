"""Lines in the order of their minute, however many: sorted runs are spilled to disk and merged."""

import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

LINES_IN_MEMORY = 150_000
MOST_RUNS = 200
_KEY = 27


class Sorter:
    """Takes lines in any order and gives them back by minute, account and number; memory stays flat."""

    def __init__(self, lines_in_memory: int = LINES_IN_MEMORY) -> None:
        self._held: list[bytes] = []
        self._most = lines_in_memory
        self._folder: TemporaryDirectory[str] | None = None
        self._runs: list[Path] = []
        self._made = 0

    def add(self, minute: int, account: int, number: int, record: object) -> None:
        """Put in one record; the key's widths hold any minute of the calendar and ten digits of accounts."""
        self._held.append(b"%010d%010d%06d " % (minute, account, number) + orjson.dumps(record) + b"\n")
        if len(self._held) >= self._most:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        self._held.sort()
        try:
            for line in heapq.merge(*map(_lines, self._runs), self._held):
                yield line[_KEY:]
        finally:
            if self._folder is not None:
                self._folder.cleanup()

    def _spill(self) -> None:
        self._held.sort()
        self._write(self._held)
        self._held = []
        if len(self._runs) >= MOST_RUNS:
            runs, self._runs = self._runs, []
            self._write(heapq.merge(*map(_lines, runs)))
            for run in runs:
                run.unlink()

    def _write(self, lines: Iterable[bytes]) -> None:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="water-ledger-simulate-")
        self._made += 1
        run = Path(self._folder.name) / f"{self._made}"
        with run.open("wb", 1 << 18) as file:
            file.writelines(lines)
        self._runs.append(run)


def _lines(run: Path) -> Iterator[bytes]:
    with run.open("rb", 1 << 17) as file:
        yield from file
