"""Is the log as it was recorded and sealed? One reading of it, in the order of its leaves, that says yes or no.

Chains, times, leaves and tiles are computed anew from each event as it is read. What is wrong, and where, is not asked
here: nearly always nothing is, and where something is the log is read again, by account (`chains`) and by leaf
(`growth`). Besides, every command id that an event holds is looked up among the command keys.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import chain, islice
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.chains import RECORDED, Frame, Times
from ledger.integrity.command_keys import Ids, check_ids
from ledger.integrity.growth import Grown, Stretch, cut_roots, kept_nodes, stretches, tile_roots
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.seals import stated
from ledger.integrity.tiles import event_leaves
from ledger.store.log import START, genesis, lp, shard_of
from ledger.store.seal_rows import LeafEvent, SealRow, SealRows, Span

_AT_ONCE = 1_000
_SHORT = 4_096
_NUMBERS = [number.to_bytes(8, "big") for number in range(_SHORT)]
_LENGTHS = [length.to_bytes(4, "big") for length in range(_SHORT)]
_ENDS = {b'-07:00"', b'-08:00"'}
_MOST_MOMENTS = 10_000

Tip = tuple[int, bytes, bytes]
"""The version and hash of an account's last event, and the account as it is hashed."""


class Piece(NamedTuple):
    """Neighbouring leaves of one kind, as `Stretch`, and the seal (by its place) that took them or would have."""

    shard: int
    position: int
    leaves: int
    seal: int


class Seen(NamedTuple):
    """What a range of leaves comes to; the rest is right where it is `whole`, which is where nothing is wrong with it.

    `tips` are the last version and hash of each account that a seal took, `opened` says how many began under which.
    """

    whole: bool
    tips: dict[bytes, tuple[int, bytes]]
    opened: dict[int, int]
    grown: Grown
    ids: Ids


def laid_out(seals: Sequence[SealRow], heads: Sequence[int]) -> list[Stretch] | None:
    """All leaves in order, and behind them the events that no seal took; None where the seals contradict each other."""
    low, size = [0] * len(heads), 0
    for high in [*(unpacked_heads(seal.heads) for seal in seals), heads]:
        if any(a > b for a, b in zip(low, high, strict=True)):
            return None
        low = list(high)
    found = list(stretches(seals))
    size = sum(each.leaves for each in found)
    if seals and seals[-1].size != size:
        return None
    taken = unpacked_heads(seals[-1].heads) if seals else [0] * len(heads)
    for shard, (after, head) in enumerate(zip(taken, heads, strict=True)):
        if head > after:
            found.append(Stretch(size, head - after, shard, after + 1))
            size += head - after
    return found


def look(rows: SealRows, frame: Frame, seals: Sequence[SealRow], low: int, high: int) -> Seen:
    """Look at the leaves from `low` to before `high`; no range holds both sealed and unsealed ones."""
    pieces = _within(laid_out(seals, frame.heads) or [], low, high)
    sight = _FirstSight(rows, frame)
    leaves: list[bytes] = []
    spans = [Span(shard, at - 1, at - 1 + count) for shard, at, count, _ in pieces if shard >= 0]
    events = chain.from_iterable(rows.recorded(spans))
    for shard, position, count, seal in pieces:
        if shard < 0:
            leaves.append(tree.leaf_hash(stated(seals[position]).leaf))
            continue
        for done in range(0, count, _AT_ONCE):
            some = min(_AT_ONCE, count - done)
            leaves += sight.take(list(islice(events, some)), shard, position + done, some, seal)
    whole = sight.whole and next(events, None) is None
    if not seals or low >= seals[-1].size:
        return Seen(whole, {}, sight.opened, Grown([], [], {}, {}, []), sight.ids())
    tips = {account: tip[:2] for account, tip in sight.tips.items()}
    whole = whole and kept_nodes(rows, 0, low, high) == leaves
    tiles, cut = tile_roots(leaves), cut_roots(leaves, low, [s.size for s in seals if low < s.size <= high])
    return Seen(whole, tips, sight.opened, Grown(tiles, tiles, cut, cut, []), sight.ids())


def _within(order: Sequence[Stretch], low: int, high: int) -> list[Piece]:
    found, seal = [], 0
    for stretch in order:
        first, last = max(stretch.first, low), min(stretch.first + stretch.leaves, high)
        if first < last:
            found.append(Piece(stretch.shard, stretch.position + first - stretch.first, last - first, seal))
        seal += stretch.shard < 0
    return found


class _FirstSight:
    """Goes through the events of a range; `whole` until something is not as it must be."""

    def __init__(self, rows: SealRows, frame: Frame) -> None:
        self.whole = True
        self.tips: dict[bytes, Tip] = {}
        self.opened = dict.fromkeys(range(len(frame.sealed_at) + 1), 0)
        self._rows = rows
        self._origin = frame.origin
        self._shards = max(len(frame.heads) - 1, 1)
        self._times = Times(frame.sealed_at)
        self._types: dict[bytes, bytes] = {}
        self._seal = -1
        self._moments: set[bytes] = set()
        self._ids: list[Ids] = []

    def take(self, page: list[LeafEvent], shard: int, position: int, count: int, seal: int) -> list[bytes]:
        """Look at so many events of a shard that stand from a position on; the hashes of their leaves."""
        self._ids.append(check_ids(self._rows, self._shards, page))
        if not self.whole:
            return []
        if seal != self._seal or len(self._moments) > _MOST_MOMENTS:
            self._seal = seal
            self._moments.clear()
        there = [event[0] for event in page] == list(range(position, position + count))
        self.whole = there and self._linked(page, shard)
        return event_leaves(shard, enumerate([event[5] for event in page], position))

    def ids(self) -> Ids:
        """What became of the command ids."""
        found = [finding for each in self._ids for finding in each.findings]
        return Ids(found, sum(each.begun for each in self._ids), sum(each.ended for each in self._ids))

    def _linked(self, page: list[LeafEvent], shard: int) -> bool:
        """Whether each event follows the one before it in its account: written flat, being run for every event."""
        digest_of, join, tips, types, moments = sha256, b"".join, self.tips, self._types, self._moments
        earlier: list[tuple[bytes, int, int, bytes, bytes]] = []
        for position, account, version, type, state, hash in page:
            last, previous, who = tips.get(account) or self._begin(account, version, shard)
            at = state.find(RECORDED) + len(RECORDED)
            moment = state[at : at + 33]
            if version != last + 1 or (moment not in moments and not self._fits(moment, state)):
                return False
            number = _NUMBERS[version] if version < _SHORT else version.to_bytes(8, "big")
            length = _LENGTHS[len(state)] if len(state) < _SHORT else len(state).to_bytes(4, "big")
            what = types.get(type) or types.setdefault(type, lp(type))
            if not previous:
                earlier.append((account, version - 1, position, join((number, who, what, length, state)), hash))
            elif digest_of(join((START, previous, number, who, what, length, state))).digest() != hash:
                return False
            tips[account] = version, hash, who
        return self._continue(earlier, shard)

    def _begin(self, account: bytes, version: int, shard: int) -> Tip:
        """What the first event of an account in this range has to follow; its hash is empty where it is not known."""
        try:
            name = account.decode()
        except UnicodeDecodeError:
            return -1, b"", b""
        if shard_of(name, self._shards) != shard or version < 1:
            return -1, b"", b""
        if version > 1:
            return version - 1, b"", lp(account)
        self.opened[self._seal] += 1
        return 0, genesis(self._origin, name), lp(account)

    def _continue(self, earlier: list[tuple[bytes, int, int, bytes, bytes]], shard: int) -> bool:
        """Whether events follow those of their accounts that stand before this range."""
        found = self._rows.before(shard, [each[:2] for each in earlier]) if earlier else []
        return all(
            tip is not None and tip[0] < position and sha256(START + tip[1] + rest).digest() == hash
            for tip, (_, _, position, rest, hash) in zip(found, earlier, strict=True)
        )

    def _fits(self, moment: bytes, state: bytes) -> bool:
        """Whether an event says that it was recorded when its seal says; many share their moment."""
        low, high = self._times.texts[self._seal]
        plain = low < moment[:19] < high and moment[26:] in _ENDS and _is_one(moment[:-1])
        if not plain and not self._times.fits(self._seal, state):
            return False
        if moment.endswith(b'"'):
            self._moments.add(moment)
        return True


def _is_one(moment: bytes) -> bool:
    try:
        datetime.fromisoformat(moment.decode())
    except ValueError:
        return False
    return True
