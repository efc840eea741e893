"""Long work: how far it is, on standard error and only on a terminal, and how it is stopped."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self

_EVERY = 500
"""After how many commands the count moves."""


class Progress:
    """A count of commands and, where the size is known, how much of the feed was read."""

    def __init__(self, feed: BinaryIO) -> None:
        self._feed = feed
        self._count = 0
        self._shows = sys.stderr.isatty()
        self._size = _size(feed) if self._shows else 0

    def __enter__(self) -> Self:
        return self

    def step(self) -> None:
        """One more command was answered."""
        self._count += 1
        if self._shows and self._count % _EVERY == 0:
            self._show()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._shows and self._count >= _EVERY:
            self._show()
            sys.stderr.write("\n")

    def _show(self) -> None:
        read = f", {100 * self._feed.tell() // self._size} % of the feed read" if self._size else ""
        # Answers may go to the same terminal: whole lines stand before the count, and the next one covers it.
        if sys.stdout.isatty():
            sys.stdout.flush()
        sys.stderr.write(f"{self._count:,} commands{read}\r")
        sys.stderr.flush()


def reached(done: int, total: int, what: str) -> None:
    """So much of a known total is done; says nothing where no terminal listens."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {total:,} {what}" + ("\n" if done >= total else ""))
        sys.stderr.flush()


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let what a service manager sends stop the work as Ctrl-C does: transactions are taken back, workers ended."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _size(feed: BinaryIO) -> int:
    try:
        return os.fstat(feed.fileno()).st_size if feed.seekable() else 0
    except OSError:
        return 0
