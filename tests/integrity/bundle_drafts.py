"""A bundle on its way to becoming a case: drafts of good ones, and the register of changes made to them."""

import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.integrity.made_log import Json, MadeLog

Named = tuple[str | None, int | None]


class Case(NamedTuple):
    """A bundle, what it is checked with, whether it holds, and whom a finding has to name where that is plain."""

    name: str
    raw: bytes
    keys: list[str]
    since: str | None
    holds: bool
    names: Named | None = None


class Draft:
    """A good bundle of a made log, which a change makes into a case."""

    def __init__(self, log: MadeLog, chance: random.Random) -> None:
        self.log, self.chance = log, chance
        self.dated = chance.random() < 0.4
        self.old = chance.choice([None, 0, 1, 2])
        accounts = chance.sample(log.names, chance.choice([1, 1, 2, 4]))
        absent = chance.sample(["1", "7001", "7010", "9", "zz", "@utility"], chance.choice([0, 0, 1, 3]))
        keys = chance.random() < 0.7
        self.bundle = log.bundle(accounts, keys=keys, dated=self.dated, since=self.old, absent=absent)
        self.keys = [log.key.vkey]
        self.since = log.seals[self.old].note if self.old is not None else None
        self.raw: bytes | None = None
        self.names: Named | None = None

    @property
    def account(self) -> Json:
        """An account with a history of three events or more."""
        return max(self.bundle["accounts"], key=lambda each: len(each["events"]))

    def some_event(self, but_last: bool = False) -> Json:
        return self.chance.choice(self.account["events"][: -1 if but_last else None])

    def case(self, name: str, holds: bool) -> Case:
        raw = self.raw if self.raw is not None else written(self.bundle)
        return Case(name, raw, self.keys, self.since, holds, self.names)


def written(bundle: Any, **how: Any) -> bytes:
    return json.dumps(bundle, **({"ensure_ascii": False, "separators": (",", ":")} | how)).encode()


Change = Callable[[Draft], None]
GOOD: dict[str, Change] = {}
BAD: dict[str, Change] = {}


def good(change: Change) -> Change:
    GOOD[change.__name__] = change
    return change


def bad(change: Change) -> Change:
    BAD[change.__name__] = change
    return change
