"""The log tree (RFC 6962): hashes, proofs, and their checks. Bytes in, bytes out; nodes may be kept anywhere.

`get(level, index)` is how a proof reads the tree: the hash of the complete subtree over 2**level leaves from leaf
`index * 2**level` on. Level 0 is a leaf's hash.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

Get = Callable[[int, int], bytes]
Node = tuple[int, int]
"""Level and index of a complete subtree."""

EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of complete subtrees of one size, of which the last may be cut."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        # A last one without a partner moves up as it is, which is where the recursive definition puts it.
        rest = level[-1:] if len(level) % 2 else []
        each = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=False)] + rest
    return level[0]


def complete(low: int, high: int) -> list[Node]:
    """The complete subtrees that the tree over the leaves from `low` to before `high` consists of, left to right."""
    found = []
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        found.append((level, low >> level))
        low += 1 << level
    return found


def over(low: int, high: int, get: Get) -> bytes:
    """The root of the subtree over the leaves from `low` to before `high`."""
    return _joined([get(level, index) for level, index in complete(low, high)])


def inclusion(size: int, index: int, get: Get) -> list[bytes]:
    """What proves that leaf `index` stands in the tree of `size` leaves, from the leaf up; raises ValueError if not."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    low, high, proof = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(over(middle, high, get))
            high = middle
        else:
            proof.append(over(low, middle, get))
            low = middle
    return proof[::-1]


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that leaf `index` of the tree of `size` leaves with that root has this hash."""
    if not 0 <= index < size or any(len(each) != 32 for each in proof):
        return False
    node, last, found = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def consistency(old: int, new: int, get: Get) -> list[bytes]:
    """What proves that the tree of `new` leaves begins with the tree of `old`; raises ValueError if it has more."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not extend one of {old}")
    if old in (0, new):
        return []
    low, high, whole, proof = 0, new, True, []
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(over(middle, high, get))
            high = middle
        else:
            proof.append(over(low, middle, get))
            low, whole = middle, False
    return ([] if whole else [over(low, high, get)]) + proof[::-1]


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new_size` leaves begins with that of `old_size`, given both roots."""
    if not 0 <= old_size <= new_size or any(len(each) != 32 for each in proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY
    steps = list(proof)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def nodes_for(size: int, indices: Iterable[int]) -> list[Node]:
    """The complete subtrees that give the root of `size` leaves with those at `indices`; by level, then index."""
    wanted = _ascending(size, indices)
    found: list[Node] = []
    _walk(0, size, wanted, 0, len(wanted), found.extend)
    return sorted(found)


def root_from(size: int, leaves: Mapping[int, bytes], nodes: Sequence[bytes]) -> bytes:
    """The root of `size` leaves from some leaves' hashes and the nodes that `nodes_for` names; raises ValueError."""
    wanted = _ascending(size, leaves)
    places = nodes_for(size, wanted)
    if len(places) != len(nodes) or any(len(each) != 32 for each in (*nodes, *leaves.values())):
        raise ValueError(f"a root over {size} leaves from {len(wanted)} of them takes {len(places)} nodes of 32 bytes")
    if not size:
        return EMPTY
    known = dict(zip(places, nodes, strict=True))
    known.update(((0, index), hash) for index, hash in leaves.items())
    return _folded(0, size, wanted, 0, len(wanted), known)


def _walk(low: int, high: int, wanted: list[int], first: int, last: int, emit: Callable[[list[Node]], object]) -> None:
    """Emit the complete subtrees under [low, high) that hold none of wanted[first:last]."""
    if first == last:
        emit(complete(low, high))
    elif high - low > 1:
        middle = low + _split(high - low)
        cut = bisect_left(wanted, middle, first, last)
        _walk(low, middle, wanted, first, cut, emit)
        _walk(middle, high, wanted, cut, last, emit)


def _folded(low: int, high: int, wanted: list[int], first: int, last: int, known: Mapping[Node, bytes]) -> bytes:
    if first == last:
        return _joined([known[node] for node in complete(low, high)])
    if high - low == 1:
        return known[0, low]
    middle = low + _split(high - low)
    cut = bisect_left(wanted, middle, first, last)
    return node_hash(_folded(low, middle, wanted, first, cut, known), _folded(middle, high, wanted, cut, last, known))


def _ascending(size: int, indices: Iterable[int]) -> list[int]:
    wanted = sorted(set(indices))
    if wanted and not 0 <= wanted[0] <= wanted[-1] < size:
        raise ValueError(f"leaf {wanted[0] if wanted[0] < 0 else wanted[-1]} is not in a tree of {size} leaves")
    return wanted


def _joined(parts: list[bytes]) -> bytes:
    """The root over complete subtrees that grow smaller from left to right."""
    if not parts:
        return EMPTY
    found = parts[-1]
    for part in reversed(parts[:-1]):
        found = node_hash(part, found)
    return found


def _split(size: int) -> int:
    """The largest power of two below `size`: how many leaves the left side has."""
    return 1 << (size - 1).bit_length() - 1
