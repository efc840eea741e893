"""Contenders measured in turns, A B A B, and what came out of it."""

import time
from collections.abc import Callable, Mapping
from statistics import median

from msgspec import Struct, field

Turns = Mapping[str, Callable[[int], object]]
"""What each contender does, by name; called with a number of pieces of work."""

LEAST_ROUNDS = 3


class Result(Struct):
    """One benchmark on one store: figures by contender, ratios of pairs, and what `targets` ask of either."""

    benchmark: str
    store: str
    what: str
    unit: str
    figures: dict[str, float]
    ratios: dict[str, float] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)

    def met(self, name: str) -> bool:
        """Whether the target set on a figure or a ratio was reached."""
        sign, wanted = self.targets[name].split()
        value = (self.figures | self.ratios)[name]
        return value >= float(wanted) if sign == ">=" else value <= float(wanted)


def rounds(turns: Turns, pieces: Mapping[str, int], seconds: float) -> list[dict[str, float]]:
    """Seconds for each contender's `pieces`, round after round for `seconds`, three rounds at the least."""
    found: list[dict[str, float]] = []
    end = time.perf_counter() + seconds
    while len(found) < LEAST_ROUNDS or time.perf_counter() < end:
        found.append({name: timed(lambda name=name: turns[name](pieces[name])) for name in turns})
    return found


def timed(work: Callable[[], object]) -> float:
    """How many seconds it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def rates(times: list[dict[str, float]], pieces: Mapping[str, int]) -> list[dict[str, float]]:
    """Pieces a second, from the seconds of each round."""
    return [{name: pieces[name] / taken for name, taken in one.items()} for one in times]


def middle(found: list[dict[str, float]]) -> dict[str, float]:
    """The median of each contender."""
    return {name: _rounded(median(one[name] for one in found)) for name in found[0]}


def ratios(found: list[dict[str, float]], ours: str = "ledger") -> dict[str, float]:
    """How `ours` stands to each other contender: the median over the pairs of one round."""
    return {
        f"{ours}/{name}": _rounded(median(one[ours] / one[name] for one in found)) for name in found[0] if name != ours
    }


def _rounded(value: float) -> float:
    return round(value) if value >= 100 else round(value, 2)
