"""The whole log as JSON Lines in the order of its leaves, and its check, which computes everything anew.

The first line names the log and its number of shards. Then come the events as the seals took them, each seal where it
stands among the leaves, and its signed note behind it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from ledger.integrity import tree
from ledger.integrity.bundle import SealedLog, seal_said, stored_text
from ledger.integrity.bundle_form import Count, Hash, Malformed, Name, SealSaid, strictly
from ledger.integrity.check import (
    NOT_THE_BEGINNING,
    Finding,
    is_what_it_says,
    read_signed,
    recorded_at,
    said_by,
    shown,
    unsigned,
)
from ledger.integrity.leaves import NO_NOTE, event_leaf, head_entry, note_hash, packed_heads
from ledger.integrity.notes import BadNote, Key
from ledger.integrity.seals import SLACK
from ledger.integrity.tiles import Edge
from ledger.store.log import event_hash, genesis, shard_of

FORMAT: Final = "waterledger/log/v1"
MOST_IN_A_LINE = 1 << 24


class _Line(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Beginning(_Line, frozen=True):
    """The first line: whose log it is, and over how many shards it is spread, the utility's own among them."""

    format: Literal["waterledger/log/v1"]
    origin: Annotated[str, Meta(min_length=1, max_length=2_000)]
    shards: Annotated[int, Meta(ge=1, le=65_536)]


class EventLine(_Line, frozen=True):
    """An event as it is stored; its leaf is the number of events and seals before it."""

    account: Name
    version: Count
    type: Annotated[str, Meta(pattern=r"\A[A-Za-z]{1,60}\Z")]
    shard: Annotated[int, Meta(ge=0, le=65_535)]
    position: Count
    hash: Hash
    stored: str


class SealLine(_Line, frozen=True):
    """A seal, which is a leaf."""

    seal: SealSaid


class NoteLine(_Line, frozen=True):
    """The signed note over all leaves so far."""

    note: str


def lines(sealed: SealedLog) -> Iterator[bytes]:
    """The whole log up to its last signed seal, line by line; raises NotIntact."""
    yield msgspec.json.encode(Beginning(FORMAT, sealed.log.origin, len(sealed.last.heads) // 8))
    for number, seal in enumerate(sealed.seals):
        for row in sealed.taken(number, number + 1):
            place = row.shard, row.position, row.hash.hex()
            line = EventLine(row.account, row.version, row.type, *place, stored_text(row))
            yield msgspec.json.encode(line)
        yield msgspec.json.encode(SealLine(seal_said(seal)))
        yield msgspec.json.encode(NoteLine(sealed.rows.note(seal.number) or ""))


class CheckedLog(NamedTuple):
    """What was found in the export of a log, and what it held."""

    findings: list[Finding]
    origin: str
    events: int
    accounts: int
    seals: int
    size: int
    sealed_at: int


def check_log(read: Iterable[bytes], keys: Sequence[Key], since: str | None = None) -> CheckedLog:
    """Check the export of a whole log: chains, seals, notes and the tree; the findings come in the order of the lines.

    Raises BadNote where the note `since` itself cannot be used.
    """
    older = read_signed(since) if since is not None else None
    checking: _Checking | None = None
    findings: list[Finding] = []
    for number, line in enumerate(read, 1):
        try:
            said = strictly(line.decode())
            if checking is None:
                checking = _Checking(msgspec.convert(said, Beginning), keys, findings)
            elif isinstance(said, dict) and "seal" in said:
                checking.seal(msgspec.convert(said, SealLine).seal)
            elif isinstance(said, dict) and "note" in said:
                checking.note(msgspec.convert(said, NoteLine).note)
            else:
                checking.event(msgspec.convert(said, EventLine))
        except (Malformed, msgspec.ValidationError, UnicodeDecodeError) as error:
            findings.append(Finding(None, None, f"line {number} is not as it has to be: {error}"))
            break
    if checking is None:
        return CheckedLog(findings or [Finding(None, None, "the file is empty")], "", 0, 0, 0, 0, 0)
    checking.end()
    if older:
        findings += unsigned(older[0], keys, "the older note")
        if older[1].origin != checking.origin:
            findings.append(Finding(None, None, f"the older note is about another log, {older[1].origin}"))
        elif checking.roots.get(older[1].size) != older[1].root:
            findings.append(Finding(None, None, NOT_THE_BEGINNING))
    edge, last = checking.edge, checking.last
    counts = len(checking.tips), checking.seals, edge.size, last.sealed_at if last else 0
    return CheckedLog(findings, checking.origin, edge.size - checking.seals, *counts)


class _Checking:
    """Goes through the lines of a log and computes what each has to be."""

    def __init__(self, beginning: Beginning, keys: Sequence[Key], findings: list[Finding]) -> None:
        self.origin = beginning.origin
        self.edge = Edge()
        self.tips: dict[str, tuple[int, bytes]] = {}
        self.seals = 0
        self.last: SealSaid | None = None
        self.roots: dict[int, bytes] = {}
        self._shards = beginning.shards
        self._heads = Counter[int]()
        self._names: list[str] = []
        self._entries: dict[str, bytes] = {}
        self._shard = 0
        self._previous = NO_NOTE
        self._first_leaf = 0
        self._unsigned: SealSaid | None = None
        self._latest: dict[str, tuple[int, int]] = {}
        self._keys = keys
        self._found = findings

    def event(self, event: EventLine) -> None:
        """The next leaf is this event."""
        name, hash, said = event.account, bytes.fromhex(event.hash), said_by(event.stored)
        version, before = self.tips.get(name) or (0, genesis(self.origin, name))
        if event.version != version + 1:
            self._say(name, version + 1, f"is missing: version {event.version} stands in its place")
        elif event_hash(before, event.version, name, event.type, event.stored.encode()) != hash:
            self._say(name, event.version, "was altered, moved or exchanged: its hash is not the one recorded")
        elif not is_what_it_says(said, event.type, event.version):
            self._say(name, event.version, "is not the event that it says it is")
        shard = shard_of(name, max(1, self._shards - 1))
        if event.shard != shard or event.position != self._heads[shard] + 1 or shard < self._shard:
            self._say(name, event.version, "does not stand where the seals take it: by shard, then position")
        if name not in self.tips:
            self._names.append(name)
        self._shard = shard
        self._heads[shard] += 1
        self.tips[name] = event.version, hash
        self._entries.pop(name, None)
        self._not_signed()
        self._date(name, event.version, recorded_at(said))
        self._add(event_leaf(event.shard, event.position, hash))

    def seal(self, said: SealSaid) -> None:
        """The next leaf is this seal."""
        self._not_signed()
        self.seals += 1
        self._names.sort()
        for name in self.tips.keys() - self._entries.keys():
            self._entries[name] = tree.leaf_hash(head_entry(name, *self.tips[name]))
        due = {
            "number": self.seals,
            "first_leaf": self._first_leaf,
            "shards": sha256(packed_heads(self._heads[shard] for shard in range(self._shards))).hexdigest(),
            "events": self.edge.size - self.seals + 1,
            "accounts": len(self.tips),
            "heads_root": tree.root([self._entries[name] for name in self._names]).hex(),
            "previous": self._previous.hex(),
        }
        for name, value in due.items():
            if getattr(said, name) != value:
                self._say(None, None, f"seal {self.seals} states {name} {getattr(said, name)}, and it is {value}")
        for name, (recorded, version) in self._latest.items():
            if recorded > said.sealed_at + SLACK:
                reason = f"was sealed before {shown(said.sealed_at)}, and says that it was recorded later"
                self._say(name, version, reason)
        self._latest.clear()
        if self.last and said.sealed_at <= self.last.sealed_at:
            self._say(None, None, f"seal {self.seals} is not later than the one before it")
        self._add(said.seal.leaf)
        self.last = self._unsigned = said
        self._first_leaf, self._shard = self.edge.size, 0

    def _date(self, name: str, version: int, recorded: int | None) -> None:
        """An event is recorded after the seal before it; before its own, which of each account the latest shows."""
        before = self.last.sealed_at if self.last else 0
        if recorded is None or recorded < before - SLACK:
            self._say(name, version, f"was sealed after {shown(before)}, and does not say that it was recorded then")
        else:
            self._latest[name] = max(self._latest.get(name, (0, 0)), (recorded, version))

    def note(self, text: str) -> None:
        """What was said so far is signed by this note."""
        if self._unsigned is None:
            self._say(None, None, f"a note stands behind leaf {self.edge.size}, and no seal before it")
        root = self.roots[self.edge.size] = self.edge.root()
        self._unsigned = None
        self._previous = note_hash(text)
        try:
            note, point = read_signed(text)
        except BadNote as error:
            self._say(None, None, f"the note of seal {self.seals}: {error}")
            return
        self._found += unsigned(note, self._keys, f"the note of seal {self.seals}")
        if point != (self.origin, self.edge.size, root):
            self._say(None, None, f"the note of seal {self.seals} signs another log than the one in this file")

    def end(self) -> None:
        """Nothing may stand behind the last note."""
        if self._unsigned or not self.seals or self._first_leaf != self.edge.size:
            self._say(None, None, "the log does not end with a seal and its note: it was cut")

    def _not_signed(self) -> None:
        if self._unsigned:
            self._say(None, None, f"seal {self.seals} has no note")
            self._unsigned = None

    def _add(self, data: bytes) -> None:
        self.edge.add([tree.leaf_hash(data)])

    def _say(self, account: str | None, version: int | None, reason: str) -> None:
        self._found.append(Finding(account, version, reason))
