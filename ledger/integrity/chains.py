"""Every account's chain, its counts and its times, computed anew from the stored bytes: the first half of an audit."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from ledger.calendar import PACIFIC
from ledger.integrity.seals import moment_of
from ledger.store.log import genesis, shard_of
from ledger.store.seal_rows import StoredEvent

ALLOWANCE = timedelta(minutes=2)
"""How long before it is stored an event may be decided (it may wait for others), and how far two clocks may differ."""

_RECORDED = b'"recorded_at":"'


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

    def times(self, shard: int) -> "Times":
        """When the events of a shard must have been recorded."""
        return Times([heads[shard] for heads in self.sealed_heads], self.sealed_at)


class Told(NamedTuple):
    """What the accounts of a range come to: their heads at the last seal, and counts that only all ranges complete."""

    findings: list[Finding]
    heads: bytes
    events: dict[int, int]
    opened: dict[int, int]


class Times:
    """When an event at a position must have been recorded: after the seal before it, before the one that took it."""

    def __init__(self, uppers: Sequence[int], sealed_at: Sequence[int]) -> None:
        self._uppers = uppers
        moments = [moment_of(at) for at in sealed_at]
        first, last = datetime(1, 1, 2, tzinfo=PACIFIC), datetime(9999, 12, 30, tzinfo=PACIFIC)
        self._lows = [first, *(moment - ALLOWANCE for moment in moments)]
        self._highs = [*(moment + ALLOWANCE for moment in moments), last]
        self._texts: dict[tuple[int, bytes], tuple[bytes, bytes]] = {}

    def seal(self, position: int) -> int:
        """The place of the seal that took this position among the seals; their number for one that none took yet."""
        return bisect_left(self._uppers, position)

    def upper(self, seal: int) -> int:
        """The last position that a seal took."""
        return self._uppers[seal] if seal < len(self._uppers) else 2**63

    def fits(self, seal: int, text: bytes) -> bool:
        """Whether this moment, as it is stored, lies where that seal says."""
        # Moments with one offset are in the order of their texts, and nearly all are far from the bounds.
        offset = text[-6:]
        bounds = self._texts.get((seal, offset))
        if bounds is None:
            bounds = self._texts[seal, offset] = self._as_texts(seal, offset)
        if bounds[0] < text < bounds[1]:
            return True
        try:
            return self._lows[seal] <= datetime.fromisoformat(text.decode()) <= self._highs[seal]
        except (ValueError, TypeError):
            return False

    def _as_texts(self, seal: int, offset: bytes) -> tuple[bytes, bytes]:
        try:
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset.decode()}").tzinfo
        except ValueError:
            zone = None
        if zone is None:
            return b"", b""
        low, high = self._lows[seal] + timedelta(seconds=1), self._highs[seal] - timedelta(seconds=1)
        return tuple(at.astimezone(zone).isoformat()[:19].encode() for at in (low, high))  # type: ignore[return-value]


class Chains:
    """Checks the accounts of one range, page by page."""

    def __init__(self, frame: Frame, live_heads: Callable[[], Sequence[int]]) -> None:
        self._frame = frame
        self._live_heads = live_heads
        self._times = [frame.times(shard) for shard in range(len(frame.heads))]
        self._shards = max(len(frame.heads) - 1, 1)
        self._types: dict[bytes, bytes] = {}
        self._origin = frame.origin.encode()
        self.findings: list[Finding] = []
        self.heads: list[bytes] = []
        self.events = dict.fromkeys(range(len(frame.heads)), 0)
        self.opened = dict.fromkeys(range(len(frame.sealed_at) + 1), 0)

    def check(self, pages: Iterable[Sequence[StoredEvent]]) -> Told:
        """Check all that the pages hold."""
        for account, events in _by_account(pages):
            self._account(account, events)
        return Told(self.findings, b"".join(self.heads), self.events, self.opened)

    def _account(self, who: bytes, events: list[StoredEvent]) -> None:
        account = who.decode(errors="replace")
        shard = shard_of(account, self._shards)
        times, head = self._times[shard], self._frame.heads[shard]
        length = len(who).to_bytes(4, "big")
        start = b"waterledger/event/v1\n"
        known = self._types
        previous, other = genesis(self._frame.origin, account), b""
        expected, seal, upper, counted = 1, -1, -1, 0
        tip: tuple[int, bytes] | None = None
        last_seal = len(self._frame.sealed_at)
        for kept_shard, position, _, version, type, state, hash in events:
            if version != expected:
                self._find(account, min(version, expected), _misnumbered(version, expected))
            expected = version + 1
            what = known.get(type)
            if what is None:
                what = known[type] = len(type).to_bytes(4, "big") + type
            rest = version.to_bytes(8, "big", signed=version < 0) + length + who + what + len(state).to_bytes(4, "big")
            computed = sha256(start + previous + rest + state).digest()
            right = computed == hash
            if not right and other:
                # The hash before this one was altered, which was told there; this one may be as it was.
                right = sha256(start + other + rest + state).digest() == hash
            if not right:
                self._find(account, version, "its stored bytes, or its hash, are not those that were recorded")
            other = b"" if right else computed
            previous = hash
            if kept_shard != shard or not 0 < position <= head:
                if not self._stands(account, version, shard, kept_shard, position):
                    continue
            else:
                counted += 1
            if position > upper or seal < 0:
                seal = times.seal(position)
                upper = times.upper(seal)
                if expected == 2:
                    self.opened[seal] += 1
            if right:
                at = state.find(_RECORDED) + 15
                if not times.fits(seal, state[at : state.find(b'"', at)]):
                    self._find(account, version, self._when(seal))
            if seal < last_seal:
                tip = version, hash
        self.events[shard] += counted
        if tip:
            entry = b"\0waterledger/head/v1\n" + length + who + tip[0].to_bytes(8, "big") + tip[1]
            self.heads.append(sha256(entry).digest())

    def _stands(self, account: str, version: int, shard: int, kept_shard: int, position: int) -> bool:
        """Whether an event may stand where it does after all: beyond the head that was seen first, written since."""
        if kept_shard != shard:
            self._find(account, version, f"it stands in shard {kept_shard}, and the account belongs in shard {shard}")
        elif position < 1 or position > self._live_heads()[shard]:
            self._find(account, version, f"it stands at position {position}, outside the ledger")
        else:
            return True
        return False

    def _when(self, seal: int) -> str:
        at = [moment_of(moment).isoformat(timespec="seconds") for moment in self._frame.sealed_at]
        bounds = [f"after seal {seal} of {at[seal - 1]}"] if seal else []
        bounds += [f"before seal {seal + 1} of {at[seal]}"] if seal < len(at) else []
        return f"it must have been recorded {' and '.join(bounds)}, and says otherwise" if bounds else "it has no time"

    def _find(self, account: str, version: int, reason: str) -> None:
        self.findings.append(Finding(account, version, reason))


def _misnumbered(version: int, expected: int) -> str:
    if version > expected:
        return f"it is missing: version {version} follows version {expected - 1}"
    return f"its number is taken twice or out of order: version {expected} is due"


def _by_account(pages: Iterable[Sequence[StoredEvent]]) -> Iterator[tuple[bytes, list[StoredEvent]]]:
    current, events = None, list[StoredEvent]()
    for page in pages:
        for event in page:
            if event[2] != current:
                if current is not None:
                    yield current, events
                current, events = event[2], []
            events.append(event)
    if current is not None:
        yield current, events
