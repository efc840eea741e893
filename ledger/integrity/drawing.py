"""Drawing a sample of entries that nobody can choose: the order follows from the auditor's seed and a signed root.

The leaves of the log are taken in the order of SHA-256("waterledger/sample/v1\\n" ‖ lp(seed) ‖ root ‖ u64 leaf), the
smallest first; seals, and events that are not asked for, are passed over. Whoever knows the seed, the root and the
number of leaves can compute the order again, with nothing of the store.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from heapq import nsmallest
from typing import NamedTuple

from ledger.integrity.bundle import SealedLog, checkpoint
from ledger.integrity.seals import NotIntact
from ledger.store.log import Row


class Draw(NamedTuple):
    """A leaf in the order of drawing, and the event that stands there; None for a seal."""

    leaf: int
    row: Row | None
    taken: bool


def order(seed: str, root: bytes, size: int, few: int) -> Iterator[int]:
    """The leaves in the order of drawing; the first `few` come without the others being kept in memory."""
    text = seed.encode()
    start = b"waterledger/sample/v1\n" + len(text).to_bytes(4, "big") + text + root

    def rank(leaf: int) -> bytes:
        return sha256(start + leaf.to_bytes(8, "big")).digest()

    given = 0
    while given < size:
        yield from nsmallest(few, range(size), key=rank)[given:]
        given, few = few, few * 8


def draw(sealed: SealedLog, seed: str, count: int, wanted: Callable[[Row], bool]) -> Iterator[Draw]:
    """Draw leaves until `count` wanted events were taken, or all leaves were drawn; every draw is told."""
    point = checkpoint(sealed)
    for leaf in order(seed, point.root, point.size, 2 * count) if count else ():
        row = _row(sealed, leaf)
        taken = row is not None and wanted(row)
        yield Draw(leaf, row, taken)
        count -= taken
        if not count:
            return


def _row(sealed: SealedLog, leaf: int) -> Row | None:
    place = sealed.event_at(leaf)
    if place is None:
        return None
    shard, position = place
    rows = sealed.log.follow({shard: position - 1}, 1, shard)
    if not rows or rows[0].position != position:
        raise NotIntact(f"the event at position {position} of shard {shard} is missing (run 'audit verify')")
    return rows[0]
