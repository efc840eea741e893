"""The log tree as it is kept: the hashes of every eighth level in tiles of 256, each written once."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

from ledger.integrity import tree
from ledger.store.seal_rows import PAGE, Part, SealRows

HEIGHT = 8
"""Levels between one row of tiles and the next."""


class Edge:
    """The right edge of a growing tree: the last tile of each row, as far as it is filled."""

    def __init__(self, size: int = 0, tails: Sequence[list[bytes]] = ()) -> None:
        self.size = size
        self._tails = [list(tail) for tail in tails] or [[]]

    def add(self, hashes: Sequence[bytes]) -> list[Part]:
        """Add the hashes of leaves, and return what is to be kept of them and of the levels above."""
        self.size += len(hashes)
        parts: list[Part] = []
        first = self.size - len(hashes)
        for number, row in enumerate(self._rows()):
            if not hashes:
                break
            parts += _parts(number * HEIGHT, first, hashes)
            row += hashes
            full = len(row) // PAGE
            first //= PAGE
            hashes = [tree.root(row[at * PAGE : (at + 1) * PAGE]) for at in range(full)]
            del row[: full * PAGE]
        return parts

    def root(self, last: Sequence[bytes] = ()) -> bytes:
        """The root of the tree as it stands; `last` is the root of a cut subtree that follows the leaves, if any."""
        found = list(last)
        for row in self._tails:
            found = [tree.root(row + found)] if row or found else []
        return found[0] if found else tree.EMPTY

    def _rows(self) -> Iterator[list[bytes]]:
        number = 0
        while True:
            if number == len(self._tails):
                self._tails.append([])
            yield self._tails[number]
            number += 1


class StoredTree:
    """Reads the tree that is kept; `get` is what proofs ask for. What is kept is believed."""

    def __init__(self, rows: SealRows) -> None:
        self._rows = rows
        self._tile = lru_cache(maxsize=512)(self._read)

    def get(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree; raises KeyError where it is not kept."""
        row = level - level % HEIGHT
        low, count = index << level - row, 1 << level - row
        hashes = self._tile(row, low // PAGE)[low % PAGE : low % PAGE + count]
        if len(hashes) != count:
            raise KeyError(f"the tree keeps no node {index} on level {level}")
        return tree.root(hashes)

    def edge(self, size: int) -> Edge:
        """The right edge of the tree as it was with `size` leaves."""
        tails, row, count = list[list[bytes]](), 0, size
        while count or not tails:
            whole, over = divmod(count, PAGE)
            tails.append(self._tile(row, whole)[:over])
            row, count = row + HEIGHT, whole
        return Edge(size, tails)

    def _read(self, row: int, tile: int) -> list[bytes]:
        found: list[bytes] = []
        for part in self._rows.parts(row, tile * PAGE, (tile + 1) * PAGE):
            # A part that is missing or too much shows as hashes that are not where they belong.
            found += [bytes(32)] * (part.first - tile * PAGE - len(found))
            found += split(part.hashes)
        return found


def split(hashes: bytes) -> list[bytes]:
    """Concatenated hashes, one by one."""
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]


def event_leaves(shard: int, page: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """The hashes of the leaves of events of one shard, given their positions and hashes."""
    start = b"\x00\x01" + shard.to_bytes(2, "big")
    return [sha256(start + position.to_bytes(8, "big") + hash).digest() for position, hash in page]


def _parts(level: int, first: int, hashes: Sequence[bytes]) -> Iterator[Part]:
    at = 0
    while at < len(hashes):
        count = PAGE - (first + at) % PAGE
        yield Part(level, first + at, b"".join(hashes[at : at + count]))
        at += count
