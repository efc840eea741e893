"""Sealed segments: the whole log as of a seal, by account, in compressed JSON Lines with an index.

It proves itself without the store: every chain is in it, and together they give the heads root that the seal states,
whose leaf is the last under the signed note. The index names each segment's accounts and its hash; it is written last,
so that an archive without an index is one that was not finished.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from ledger.integrity import tree
from ledger.integrity.bundle import NotSealed, seal_said
from ledger.integrity.bundle_form import Hash, SealSaid
from ledger.integrity.heads import leaf_hashes
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.notes import BadNote, Key, read_checkpoint, read_note, verified
from ledger.integrity.seals import NotIntact
from ledger.integrity.signing import trusted_from
from ledger.integrity.tiles import StoredTree, split
from ledger.store.log import LAST, StoreError, event_hash, genesis
from ledger.store.seal_rows import Head, NotSealing, SealKey, SealRows, StoredEvent

EVENTS = 50_000
"""About how many events a segment holds."""

LARGEST, LONGEST = 2**28, 2**24
"""The most bytes that are read of a segment, and unpacked for a line."""

FORMAT = "waterledger/archive/v1"
_CUT = b',"stored":'
INDEX = "index.json"
"""Written last: a folder without it was not finished."""

Report = Callable[[int, int], None]


class NotEmpty(StoreError):
    """The folder for an archive holds something already."""


class BadArchive(Exception):
    """An archive is not what was sealed; the message names the file, or account and version, and the reason."""


class Segment(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A file of the archive: the hash of its bytes, its first and last account, and how much it holds."""

    file: str
    sha256: str
    first: str
    last: str
    accounts: int
    events: int


class Index(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an archive holds, under which note, the log's keys, and the proof that the seal stands under the note."""

    format: str
    note: str
    keys: list[SealKey]
    seal: SealSaid
    proof: list[Hash]
    segments: list[Segment]


class EventLine(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What stands before the stored bytes in a line."""

    account: str
    version: int
    type: str
    shard: int
    position: int
    hash: str


def write(rows: SealRows, folder: Path, report: Report = lambda done, of: None) -> Index:
    """Write the log as of the last signed seal to an empty folder.

    Raises NotSealing, NotSealed, NotEmpty, and NotIntact where what is there is not what the seal is over.
    """
    if not rows.exists():
        raise NotSealing(rows.place)
    signed = [seal for seal in rows.seals() if rows.note(seal.number) is not None]
    if not signed:
        raise NotSealed(f"{rows.place} has no signed seal yet (run 'water-ledger audit seal')")
    seal = signed[-1]
    make_empty(folder, "an archive")
    segments, done, ends = [], 0, bytearray()
    for number, events in enumerate(cut_by_account(rows, unpacked_heads(seal.heads), EVENTS), 1):
        segments.append(_written(folder, f"segment-{number:05d}.jsonl.gz", events))
        done += segments[-1].events
        ends += ends_of(events)
        report(done, seal.events)
    if (done, tree.root(split(bytes(ends)))) != (seal.events, seal.heads_root):
        raise NotIntact(f"the accounts do not end where seal {seal.number} says (run 'water-ledger audit verify')")
    proof = tree.inclusion(seal.size, seal.size - 1, StoredTree(rows).get)
    note = rows.note(seal.number) or ""
    index = Index(FORMAT, note, rows.keys(), seal_said(seal), [each.hex() for each in proof], segments)
    write_index(folder, msgspec.json.format(msgspec.json.encode(index)))
    return index


def make_empty(folder: Path, what: str) -> None:
    """Make the folder; raises NotEmpty where something is in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(f"{folder} is not empty, and {what} is never mixed with anything (name another folder)")
    folder.mkdir(parents=True, exist_ok=True)


def write_index(folder: Path, index: bytes) -> None:
    """Write the index whole or not at all: it says that everything else is there."""
    draft = folder / f"{INDEX}.part"
    draft.write_bytes(index + b"\n")
    draft.replace(folder / INDEX)


def cut_by_account(rows: SealRows, heads: Sequence[int], many: int) -> Iterator[list[StoredEvent]]:
    """The events up to the heads by account, cut between accounts into lists of about so many; raises NotIntact."""
    waiting: list[StoredEvent] = []
    until = dict(enumerate(heads))
    account, types = b"", set[bytes]()
    for page in rows.stored("", LAST):
        for event in page:
            if event[1] > until.get(event[0], 0):
                continue
            if event[2] != account or event[4] not in types:
                _check_texts(event)
                account = event[2]
                types.add(event[4])
            if len(waiting) >= many and event[2] != waiting[-1][2]:
                yield waiting
                waiting = []
            waiting.append(event)
    if waiting:
        yield waiting


def _check_texts(event: StoredEvent) -> None:
    try:
        event[2].decode(), event[4].decode()
    except UnicodeDecodeError:
        raise NotIntact(
            f"the event at position {event[1]} of shard {event[0]} has an account or a type that is no text "
            "(run 'water-ledger audit verify')"
        ) from None


def ends_of(events: Sequence[StoredEvent]) -> bytes:
    """The hashes of the leaves that these accounts are in the heads tree."""
    last = {event[2]: event for event in events}
    return b"".join(leaf_hashes(Head(name.decode(), event[3], event[6]) for name, event in last.items()))


def _written(folder: Path, name: str, events: list[StoredEvent]) -> Segment:
    body = io.BytesIO()
    with gzip.GzipFile(fileobj=body, mode="wb", mtime=0, compresslevel=6) as file:
        for shard, position, account, version, type, state, hash in events:
            if b"\n" in state:
                raise NotIntact(f"account {account.decode()}, version {version}: its stored bytes are not one line")
            line = EventLine(account.decode(), version, type.decode(), shard, position, hash.hex())
            file.write(msgspec.json.encode(line)[:-1] + _CUT + state + b"}\n")
    data = body.getvalue()
    (folder / name).write_bytes(data)
    accounts = len({event[2] for event in events})
    first, last = events[0][2].decode(), events[-1][2].decode()
    return Segment(name, sha256(data).hexdigest(), first, last, accounts, len(events))


class Archive:
    """An archive in a folder; reading it checks it, and raises BadArchive."""

    def __init__(self, folder: Path, key: Key | None = None) -> None:
        self._folder = folder
        try:
            self.index = msgspec.json.decode((folder / INDEX).read_bytes(), type=Index)
            self.seal = self.index.seal.seal
            proof = [bytes.fromhex(each) for each in self.index.proof]
            note = read_note(self.index.note)
            self.point = read_checkpoint(note.text)
        except OSError:
            raise BadArchive(f"{folder} holds no finished archive: there is no {INDEX}") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, BadNote) as error:
            raise BadArchive(f"{folder / INDEX} cannot be read: {error}") from None
        if self.index.format != FORMAT:
            raise BadArchive(f"{folder / INDEX} is of format {self.index.format[:40]}, and this reads {FORMAT}")
        try:
            if key and not verified(note, trusted_from(self.point.origin, self.index.keys, key)):
                by = f"{key.name} ({key.id.hex()}), nor by a key that it handed over to"
                raise BadArchive(f"the note of the archive is not signed by {by}")
        except BadNote as error:
            raise BadArchive(str(error)) from None
        leaf, size = tree.leaf_hash(self.seal.leaf), self.point.size
        if not tree.verify_inclusion(leaf, size - 1, size, proof, self.point.root):
            raise BadArchive("the seal of the archive is not the last leaf under its note")

    def accounts(self) -> Iterator[tuple[str, list[bytes]]]:
        """Every account with its stored events, by account; the whole is checked when the last one was read.

        Raises BadArchive for what is not as the seal says.
        """
        leaves, events, before = bytearray(), 0, ""
        for segment in self.index.segments:
            first, already, count = "", events, 0
            for account, found in self._read(segment):
                if account <= before:
                    raise BadArchive(f"account {account} is out of order in {segment.file}")
                first, before, count = first or account, account, count + 1
                tip = self._tip(account, found)
                leaves += leaf_hashes([tip])[0]
                events += len(found)
                yield account, [state for _, state in found]
            if Segment(segment.file, segment.sha256, first, before, count, events - already) != segment:
                raise BadArchive(f"{segment.file} does not hold the accounts and events that the index says")
        hashes = split(bytes(leaves))
        if (events, len(hashes)) != (self.seal.events, self.seal.accounts):
            stated = f"{self.seal.events} events of {self.seal.accounts} accounts"
            raise BadArchive(f"the seal states {stated}, and the archive has {events} of {len(hashes)}")
        if tree.root(hashes) != self.seal.heads_root:
            raise BadArchive("the accounts of the archive do not end where the seal says")

    def of(self, account: str) -> list[bytes]:
        """The stored events of one account, from the segment that holds it; its chain is checked, its end is not."""
        for segment in self.index.segments:
            if segment.first <= account <= segment.last:
                for name, found in self._read(segment):
                    if name == account:
                        self._tip(account, found)
                        return [state for _, state in found]
        return []

    def _read(self, segment: Segment) -> Iterator[tuple[str, list[tuple[EventLine, bytes]]]]:
        if "/" in segment.file or "\\" in segment.file or segment.file.startswith("."):
            raise BadArchive(f"the index names {segment.file[:60]!r}, which is no file of the archive")
        try:
            path = self._folder / segment.file
            if path.stat().st_size > LARGEST:
                raise BadArchive(f"{segment.file} is larger than any segment")
            data = path.read_bytes()
        except OSError:
            raise BadArchive(f"{segment.file} is missing or cannot be read") from None
        if sha256(data).hexdigest() != segment.sha256:
            raise BadArchive(f"{segment.file} is not the file that the index names by its hash")
        found: list[tuple[EventLine, bytes]] = []
        for line in _lines(data, segment):
            each = _parsed(line, segment)
            if found and found[-1][0].account != each[0].account:
                yield found[0][0].account, found
                found = []
            found.append(each)
        if found:
            yield found[0][0].account, found

    def _tip(self, account: str, found: list[tuple[EventLine, bytes]]) -> Head:
        told = ((line.version, line.type, state, line.hash) for line, state in found)
        return tip_of(self.point.origin, account, told)


def tip_of(origin: str, account: str, events: Iterable[tuple[int, str, bytes, str]]) -> Head:
    """Where a chain leads that says (version, type, stored bytes, hash in hex) of each event; raises BadArchive."""
    previous, version = genesis(origin, account), 0
    for expected, (version, type, state, hash) in enumerate(events, 1):
        if version != expected:
            raise BadArchive(f"account {account}, version {expected}: it is missing or out of order")
        previous = event_hash(previous, expected, account, type, state)
        if previous.hex() != hash:
            raise BadArchive(f"account {account}, version {expected}: its stored bytes are not those that were hashed")
    return Head(account, version, previous)


def _lines(data: bytes, segment: Segment) -> Iterator[bytes]:
    file = gzip.GzipFile(fileobj=io.BytesIO(data))
    try:
        while line := file.readline(LONGEST + 1):
            if len(line) > LONGEST:
                raise BadArchive(f"a line of {segment.file} is longer than any event")
            yield line
    except (OSError, EOFError, zlib.error):
        raise BadArchive(f"{segment.file} cannot be unpacked") from None


def _parsed(line: bytes, segment: Segment) -> tuple[EventLine, bytes]:
    head, cut, state = line.partition(_CUT)
    try:
        if not cut or not state.endswith(b"}\n"):
            raise ValueError("it is cut off")
        found = msgspec.json.decode(head + b"}", type=EventLine)
        if msgspec.json.encode(found) != head + b"}":
            raise ValueError("it is spelled in another way than archives are")
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadArchive(f"a line of {segment.file} cannot be read: {error}") from None
    return found, state[:-2]
