"""Every account's chain, its counts and its times, computed anew from the stored bytes, and what is wrong named."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import NamedTuple

from ledger.calendar import PACIFIC
from ledger.integrity import tree
from ledger.integrity.leaves import head_entry, unpacked_heads
from ledger.integrity.seals import SLACK, moment_of
from ledger.store.log import START, genesis, lp, shard_of
from ledger.store.seal_rows import SealRow, StoredEvent

SUMMER, WINTER = timezone(timedelta(hours=-7)), timezone(timedelta(hours=-8))

RECORDED = b'"recorded_at":"'

Suspect = tuple[int, int, int, bytes, bytes]
"""Shard, position, version, state and hash of an event."""


class Finding(NamedTuple):
    """What is wrong, and where; `version` 0 speaks of an account as a whole, no account of the log as a whole."""

    account: str
    version: int
    reason: str


class Frame(NamedTuple):
    """What the seals say, as far as chains are judged by it."""

    origin: str
    heads: tuple[int, ...]
    sealed_heads: tuple[tuple[int, ...], ...]
    sealed_at: tuple[int, ...]


def framed(origin: str, heads: Sequence[int], seals: Sequence[SealRow]) -> Frame:
    """What is judged by, from the heads of all shards and from the seals."""
    sealed_heads = tuple(tuple(unpacked_heads(seal.heads)) for seal in seals)
    return Frame(origin, tuple(heads), sealed_heads, tuple(seal.sealed_at for seal in seals))


class Told(NamedTuple):
    """What the accounts of a range come to: their heads at the last seal, and counts that only all ranges complete."""

    findings: list[Finding]
    heads: bytes
    events: dict[int, int]
    opened: dict[int, int]


class Times:
    """When an event that a seal took must have been recorded: after the seal before it, and before that one."""

    def __init__(self, sealed_at: Sequence[int]) -> None:
        first, last = datetime(1, 1, 2, tzinfo=PACIFIC), datetime(9999, 12, 30, tzinfo=PACIFIC)
        self._lows = [first, *(moment_of(at - SLACK) for at in sealed_at)]
        self._highs = [*(moment_of(at + SLACK) for at in sealed_at), last]
        self._moments = [moment_of(at) for at in sealed_at]
        self.texts = [
            (_local(low, SUMMER) if low != first else b"", _local(high, WINTER) if high != last else b"~")
            for low, high in zip(self._lows, self._highs, strict=True)
        ]
        """For each seal, between which texts a Pacific moment surely lies within its bounds, in summer or winter."""

    def fits(self, seal: int, state: bytes) -> bool:
        """Whether an event says that it was recorded when that seal says."""
        at = state.find(RECORDED) + len(RECORDED)
        try:
            moment = datetime.fromisoformat(state[at : state.find(b'"', at)].decode())
            return self._lows[seal] <= moment <= self._highs[seal]
        except (ValueError, TypeError):
            return False

    def bounds(self, seal: int) -> str:
        """When the events of a seal must have been recorded, in words."""
        at = [moment.isoformat(timespec="seconds") for moment in self._moments]
        bounds = [f"after seal {seal} of {at[seal - 1]}"] if seal else []
        bounds += [f"before seal {seal + 1} of {at[seal]}"] if seal < len(at) else []
        return " and ".join(bounds) or "at some time"


class Walk:
    """One account on its way through the check."""

    def __init__(self, account: str, shard: int, genesis: bytes) -> None:
        self.account = account
        self.shard = shard
        self.genesis = genesis
        self.doubted = b""
        self.extra = 0
        self.tip: tuple[int, bytes] | None = None


class Chains:
    """Checks the accounts of one range, page by page."""

    def __init__(self, frame: Frame, live_heads: Callable[[], Sequence[int]]) -> None:
        self._frame = frame
        self._live_heads = live_heads
        self._times = Times(frame.sealed_at)
        # What no seal took yet reaches from the last seal to the head.
        self._uppers = [[*(heads[shard] for heads in frame.sealed_heads), 2**63] for shard in range(len(frame.heads))]
        self._shards = max(len(frame.heads) - 1, 1)
        self._findings: list[Finding] = []
        self._heads: list[bytes] = []
        self._events = dict.fromkeys(range(len(frame.heads)), 0)
        self._opened = dict.fromkeys(range(len(frame.sealed_at) + 1), 0)

    def check(self, pages: Iterable[Sequence[StoredEvent]]) -> Told:
        """Check all that the pages hold."""
        walk, current = None, None
        expected = seal = upper = 0
        previous = b""
        uppers: list[int] = []
        for page in pages:
            for kept_shard, position, account, version, type, state, hash in page:
                if walk is None or account != current:
                    if walk is not None:
                        self._close(walk, expected, previous, seal)
                    current, walk = account, self._begin(account)
                    previous, expected, seal, upper = walk.genesis, 1, -1, -1
                    uppers = self._uppers[walk.shard]
                if position > upper:
                    before, seal = seal, bisect_left(uppers, position)
                    self._crossed(walk, before, seal, expected, previous)
                    upper = uppers[seal]
                number, length = version.to_bytes(8, "big", signed=True), len(state).to_bytes(4, "big")
                rest = b"".join((number, lp(account), lp(type), length, state))
                self._look(walk, expected, previous, rest, seal, (kept_shard, position, version, state, hash))
                expected, previous = version + 1, hash
        if walk is not None:
            self._close(walk, expected, previous, seal)
        return Told(self._findings, b"".join(self._heads), self._events, self._opened)

    def _begin(self, who: bytes) -> Walk:
        account = who.decode(errors="replace")
        return Walk(account, shard_of(account, self._shards), genesis(self._frame.origin, account))

    def _crossed(self, walk: Walk, before: int, seal: int, expected: int, previous: bytes) -> None:
        """An account's next event is one that a later seal took, or none."""
        if before < 0:
            self._opened[seal] += 1
        elif before < len(self._frame.sealed_at) <= seal:
            walk.tip = expected - 1, previous

    def _close(self, walk: Walk, expected: int, previous: bytes, seal: int) -> None:
        """There are no further events of an account."""
        self._events[walk.shard] += expected - 1 + walk.extra
        tip = (expected - 1, previous) if seal < len(self._frame.sealed_at) else walk.tip
        if tip:
            self._heads.append(tree.leaf_hash(head_entry(walk.account, *tip)))

    def _look(self, walk: Walk, expected: int, previous: bytes, rest: bytes, seal: int, event: Suspect) -> None:
        """Say all that is wrong with an event."""
        kept_shard, position, version, state, hash = event
        if version != expected:
            walk.extra += expected - version
            self._find(walk, min(version, expected), _misnumbered(version, expected))
        right = sha256(START + previous + rest).digest() == hash
        if not right and walk.doubted:
            # The hash before this one was altered, which was told there; this one may be as it was.
            right = sha256(START + walk.doubted + rest).digest() == hash
        if not right:
            walk.doubted = sha256(START + previous + rest).digest()
            self._find(walk, version, "its stored bytes, or its hash, are not those that were recorded")
        elif not self._times.fits(seal, state):
            self._find(walk, version, f"it must have been recorded {self._times.bounds(seal)}, and says otherwise")
        if kept_shard != walk.shard:
            self._find(walk, version, f"it stands in shard {kept_shard}, and its account belongs in shard {walk.shard}")
            walk.extra -= 1
        elif not 0 < position <= self._frame.heads[walk.shard]:
            walk.extra -= 1
            # What was written since the audit began stands beyond the heads that it saw.
            if position < 1 or position > self._live_heads()[walk.shard]:
                self._find(walk, version, f"it stands at position {position}, outside the ledger")

    def _find(self, walk: Walk, version: int, reason: str) -> None:
        self._findings.append(Finding(walk.account, version, reason))


def _misnumbered(version: int, expected: int) -> str:
    if version > expected:
        return f"it is missing: version {version} follows version {expected - 1}"
    return f"its number is taken twice or out of order: version {expected} is due"


def _local(moment: datetime, zone: timezone) -> bytes:
    return moment.astimezone(zone).isoformat()[:19].encode()
