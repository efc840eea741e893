"""A program to be killed: seals, and dies just before or just after the step of that number."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.integrity import seals
from ledger.integrity.signing import FileSigner
from ledger.store.log import StoreUnavailable
from ledger.store.open import seals_of

BUSY = 7
"""The exit code of a sealer that another one turned away."""

STEPS = ("make_plan", "add_parts", "add_seal", "sign", "add_note")


class Dying:
    """Stands before the rows or the signer, and counts the steps that go through it."""

    def __init__(self, inner: Any, last: int, taken: list[str]) -> None:
        self._inner = inner
        self._last = last
        self._taken = taken

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._stepping(name, found) if name in STEPS else found

    def _stepping(self, name: str, act: Any) -> Any:
        def step(*values: Any) -> Any:
            self._at_the_end(f"before {name}")
            result = act(*values)
            self._at_the_end(f"after {name}")
            return result

        return step

    def _at_the_end(self, what: str) -> None:
        self._taken.append(what)
        if len(self._taken) == self._last:
            print(what, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)


class Noting(FileSigner):
    """Notes down every text before it signs it."""

    def sign(self, message: bytes) -> bytes:
        with self.path.with_suffix(".signed").open("ab") as file:
            file.write(message + b"\n")
        return super().sign(message)


def sealing(url: str, key: str, now: str, last: int) -> None:
    """Seal, and die at the step of that number; says how many there were, and ends with BUSY where another seals."""
    seals.LEAVES = 20
    taken: list[str] = []
    rows: Any = Dying(seals_of(url), last, taken)
    signer: Any = Dying(Noting(Path(key)), last, taken)
    try:
        seals.seal(rows, "test.example/ledger", signer, lambda: datetime.fromisoformat(now))
    except StoreUnavailable as error:
        if "is being sealed by another program" not in str(error):
            raise
        sys.exit(BUSY)
    print(f"{len(taken)} steps", flush=True)


if __name__ == "__main__":
    url, key, now, last = sys.argv[1:]
    sealing(url, key, now, int(last))
