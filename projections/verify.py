"""Fold accounts anew and compare with the rows that are kept: what differs is named."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from ledger.events import UTILITY
from projections.catalogue import NO_ROWS, PROJECTIONS, Packed, unpack
from projections.rows import Projection
from projections.runner import Projector
from projections.store import Generation, Views, shown_of

_TRIES = 5


class Difference(NamedTuple):
    """A value that is kept and does not follow from the log; of a row too many or missing, `column` is empty."""

    account: str
    projection: str
    row: str
    column: str
    kept: Any
    folded: Any


def verify(projector: Projector, accounts: int | None = None, seed: int = 0) -> Iterator[list[Difference]]:
    """Compare all accounts, or so many chosen by `seed`; yields the differences of each, mostly none.

    Raises StoreError where there are no rows to compare.
    """
    for account in _chosen(projector, accounts, seed):
        yield _differences(projector, account)


def _chosen(projector: Projector, accounts: int | None, seed: int) -> list[str]:
    known = {account for account in projector.log.accounts() if account != UTILITY}
    known.update(projector.views.accounts(shown_of(projector.views)))
    if accounts is None or accounts >= len(known):
        return sorted(known)
    return sorted(random.Random(seed).sample(sorted(known), accounts))  # noqa: S311 – a sample, not a secret


def _differences(projector: Projector, account: str) -> list[Difference]:
    found: list[Difference] = []
    for _ in range(_TRIES):
        before = shown_of(projector.views)
        kept, folded = projector.views.stored(before, account), projector.held(before, account)
        if kept == folded:
            return []
        found = list(_compared(projector.views, before, account, kept or NO_ROWS, folded or NO_ROWS))
        # A follower may have come in between; what is wrong is still wrong when nothing moved.
        if shown_of(projector.views) == before:
            return found
    return found


def _compared(views: Views, generation: Generation, account: str, kept: Packed, folded: Packed) -> Iterator[Difference]:
    for projection, ours, theirs in zip(PROJECTIONS.values(), kept, folded, strict=True):
        if ours == theirs:
            continue
        try:
            mine = _by_key(projection, views.unpacked(projection.name, ours, generation))
        except msgspec.MsgspecError:
            yield Difference(account, projection.name, "", "", ours, theirs)
            continue
        right = _by_key(projection, unpack(projection.name, theirs))
        for key in dict.fromkeys((*mine, *right)):
            yield from _row(account, projection, key, mine.get(key), right.get(key))
        if list(mine) != list(right) and mine.keys() == right.keys():
            yield Difference(account, projection.name, "", "", list(mine), list(right))


def _by_key(projection: Projection, rows: Sequence[Any]) -> dict[str, Any]:
    return {" ".join(str(getattr(row, name)) for name in projection.key): row for row in rows}


def _row(account: str, projection: Projection, key: str, kept: Any, folded: Any) -> Iterator[Difference]:
    if kept is None or folded is None:
        yield Difference(account, projection.name, key, "", kept, folded)
        return
    for column in projection.columns:
        ours, theirs = getattr(kept, column.name), getattr(folded, column.name)
        if ours != theirs:
            yield Difference(account, projection.name, key, column.name, ours, theirs)
