"""What a campaign is: a fault, how often it is tried, and one round of it, which a seed repeats."""

import random
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.postgres_server import fresh_database

Store = Literal["sqlite", "postgresql"]
BOTH: tuple[Store, ...] = ("sqlite", "postgresql")


class Failed(AssertionError):
    """A promise did not hold; the sentence ends with how to see it again."""


class Round:
    """One try, the one of that `number`. Whatever is left to chance comes from `chance`.

    `counts` is what was seen, for the page of figures; `seen` is what a test asks for besides.
    """

    def __init__(
        self, number: int, seed: str, store: Store, server: str | None, folder: Path, stack: ExitStack
    ) -> None:
        self.number = number
        self.store = store
        self.server = server
        self.folder = folder
        self.stack = stack
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.seen: set[Any] = set()
        self._made = 0

    def fresh(self) -> str:
        """The address of an empty store of this round's kind."""
        self._made += 1
        if self.store == "sqlite":
            return f"sqlite:///{self.folder / f'ledger-{self._made}.db'}"
        assert self.server is not None
        return self.stack.enter_context(fresh_database(self.server))


class Campaign(NamedTuple):
    """`ci` and `deep` are numbers of rounds on each of `stores`."""

    number: int
    fault: str
    promises: str
    ci: int
    deep: int
    stores: tuple[Store, ...]
    play: Callable[[Round], None]


class Result(NamedTuple):
    """What a campaign came to on one store."""

    campaign: Campaign
    store: Store
    rounds: int
    seconds: float
    counts: Counter[str]
    seen: frozenset[Any] = frozenset()


_LONGEST = 600
"""How many characters of a reason are told."""


def _reason(error: Exception) -> str:
    """What was wrong, and where in the campaign or the ledger that came out."""
    kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(str(error).split())[:_LONGEST]
    return f"{kind}{said or place.line} [{Path(place.filename).name}, line {place.lineno}]"


@contextmanager
def _round(campaign: Campaign, store: Store, seed: int, number: int, server: str | None) -> Iterator[Round]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="water-ledger-torture-")))
        # A server of its own runs as another user where we are root.
        folder.chmod(0o755)
        yield Round(number, f"{seed}/{campaign.number}/{store}/{number}", store, server, folder, stack)


def play(
    campaign: Campaign,
    store: Store,
    server: str | None = None,
    *,
    seed: int = 1,
    rounds: int | None = None,
    first: int = 1,
    seconds: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Play rounds from number `first` on, `seconds` at most; raises Failed with the words that repeat the round."""
    total = campaign.ci if rounds is None else rounds
    counts: Counter[str] = Counter()
    seen: set[Any] = set()
    began, done = time.monotonic(), 0
    progress(done, total)
    while done < total and (not seconds or time.monotonic() - began < seconds):
        number = first + done
        with _round(campaign, store, seed, number, server) as each:
            try:
                campaign.play(each)
            except Exception as error:
                again = f"--only {campaign.number} --store {store} --seed {seed} --first {number} --rounds 1"
                what = f"campaign {campaign.number}, {campaign.fault}, round {number}: {_reason(error)}"
                raise Failed(f"{what} (see it again: scripts/torture {again})") from error
            counts += each.counts
            seen |= each.seen
        done += 1
        progress(done, total)
    return Result(campaign, store, done, time.monotonic() - began, counts, frozenset(seen))
