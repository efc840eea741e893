"""The log tree computed anew from the positions and hashes of the events, and what differs named."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.chains import Finding
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.seals import stated
from ledger.integrity.tiles import event_leaves, split
from ledger.store.seal_rows import PAGE, SealRow, SealRows

NAMED = 1_000
"""How many differing leaves of a range are named."""


class Stretch(NamedTuple):
    """Neighbouring leaves of one kind: events of a shard from `position` on, or a seal (shard -1), by its place."""

    first: int
    leaves: int
    shard: int
    position: int


class Grown(NamedTuple):
    """A range of leaves: the roots of its tiles by the events, and by what the tree keeps where an event differs.

    `cut` holds, for each size of a sealed tree within, the root over the leaves of its last tile.
    """

    tiles: list[bytes]
    kept_tiles: list[bytes]
    cut: dict[int, bytes]
    kept_cut: dict[int, bytes]
    findings: list[Finding]


def stretches(seals: Sequence[SealRow]) -> Iterator[Stretch]:
    """The leaves of the tree, in order, as the seals' heads say."""
    before: Sequence[int] = ()
    leaf = 0
    for at, seal in enumerate(seals):
        heads = unpacked_heads(seal.heads)
        for shard, (low, high) in enumerate(zip(before or [0] * len(heads), heads, strict=True)):
            if high > low:
                yield Stretch(leaf, high - low, shard, low + 1)
                leaf += high - low
        yield Stretch(leaf, 1, -1, at)
        leaf, before = leaf + 1, heads


def grow(rows: SealRows, seals: Sequence[SealRow], low: int, high: int) -> Grown:
    """Compute the leaves from `low` to before `high` anew, `low` being the first of a tile."""
    ours, findings = list[bytes](), list[Finding]()
    kept = kept_nodes(rows, 0, low, high)
    for stretch in stretches(seals):
        first, last = max(stretch.first, low), min(stretch.first + stretch.leaves, high)
        if first >= last:
            continue
        if stretch.shard < 0:
            ours.append(tree.leaf_hash(stated(seals[stretch.position]).leaf))
            continue
        position = stretch.position + first - stretch.first
        ours += _events(rows, stretch.shard, position, last - first, kept[first - low : last - low], findings)
    # Where the seals contradict each other there may be fewer leaves than they state.
    ours += kept[len(ours) :]
    believed = ours
    if ours != kept:
        believed = list(ours)
        wrong = [at for at, (leaf, hash) in enumerate(zip(ours, kept, strict=True)) if leaf != hash]
        for at in wrong:
            believed[at] = kept[at]
        order = list(stretches(seals))
        findings += [_differs(rows, order, low + at) for at in wrong[:NAMED]]
        if len(wrong) > NAMED:
            findings.append(
                Finding("", 0, f"{len(wrong) - NAMED} more leaves after {low + wrong[NAMED - 1]} differ too")
            )
    sizes = [seal.size for seal in seals if low < seal.size <= high and seal.size % PAGE]
    return Grown(*_roots(ours, believed, low, sizes), findings)


def _roots(
    ours: list[bytes], kept: list[bytes], low: int, sizes: list[int]
) -> tuple[list[bytes], list[bytes], dict[int, bytes], dict[int, bytes]]:
    tiles, cut = tile_roots(ours), cut_roots(ours, low, sizes)
    return (tiles, tiles, cut, cut) if kept is ours else (tiles, tile_roots(kept), cut, cut_roots(kept, low, sizes))


def tile_roots(leaves: list[bytes]) -> list[bytes]:
    """The roots of the full tiles that these leaves fill, from the first of one on."""
    return [tree.root(leaves[at : at + PAGE]) for at in range(0, len(leaves) - PAGE + 1, PAGE)]


def cut_roots(leaves: list[bytes], low: int, sizes: list[int]) -> dict[int, bytes]:
    """For each of these sizes of the tree, the root over the leaves of its last tile; `low` is the first leaf."""
    return {size: tree.root(leaves[size // PAGE * PAGE - low : size - low]) for size in sizes}


def kept_nodes(rows: SealRows, level: int, low: int, high: int) -> list[bytes]:
    """The hashes that the tree keeps of these nodes, each in its own place; what is missing is zero."""
    found: list[bytes] = []
    for part in rows.parts(level, low, high):
        at = part.first - low
        found += [bytes(32)] * (at - len(found))
        found[at:] = split(part.hashes)
    return (found + [bytes(32)] * (high - low))[: high - low]


def _events(
    rows: SealRows, shard: int, position: int, count: int, kept: Sequence[bytes], findings: list[Finding]
) -> list[bytes]:
    """The leaves of so many events; where one is missing, what the tree keeps stands in for it."""
    found: list[bytes] = []
    for page in rows.hashes(shard, position - 1, position + count - 1):
        if page[0][0] == position + len(found) and page[-1][0] - page[0][0] == len(page) - 1:
            found += event_leaves(shard, page)
            continue
        for place, hash in page:
            _missing(shard, position, place - position, found, kept, findings)
            found += event_leaves(shard, [(place, hash)])
    _missing(shard, position, count, found, kept, findings)
    return found


def _missing(
    shard: int, position: int, until: int, found: list[bytes], kept: Sequence[bytes], findings: list[Finding]
) -> None:
    while len(found) < until:
        findings.append(Finding("", 0, f"the event at position {position + len(found)} of shard {shard} is missing"))
        found.append(kept[len(found)])


def _differs(rows: SealRows, order: Sequence[Stretch], leaf: int) -> Finding:
    stretch = order[bisect_right(order, leaf, key=lambda each: each.first) - 1]
    if stretch.shard < 0:
        return Finding("", 0, f"seal {stretch.position + 1} is not what the log tree keeps of it (leaf {leaf})")
    account, version = rows.event_at(stretch.shard, stretch.position + leaf - stretch.first) or ("", 0)
    return Finding(account, version, f"it is not what the log tree keeps of it (leaf {leaf})")
