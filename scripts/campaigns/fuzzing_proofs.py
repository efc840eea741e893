"""The readers of what auditors bring and take, and of what is asked of a branch, for campaign 16."""

import gzip
import io
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
import orjson

from commands.feed import answer, parse
from commands.whatif import difference
from ledger.application import Ledger
from ledger.branch import Branch
from ledger.integrity.archive import Archive, BadArchive, write
from ledger.integrity.bundle import SealedLog
from ledger.integrity.check import check
from ledger.integrity.notes import BadNote, read_checkpoint, read_note, read_vkey
from ledger.integrity.whole_log import check_log, lines
from ledger.posting import Outcome
from ledger.store.open import open_log, seals_of
from scripts.campaigns.acting import START, clock, command, lives, made
from scripts.campaigns.sealing import House
from tests.integrity.bundle_drafts import written
from tests.integrity.made_log import MadeLog


@cache
def _made() -> MadeLog:
    return MadeLog(accounts=6, seals=3)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Kept to the end of the program, which removes it."""
    return tempfile.TemporaryDirectory(prefix="water-ledger-torture-")


def _bundles() -> Sequence[bytes]:
    return [written(_made().bundle(_made().names[:1], since=1, dated=True, absent=["9"]))]


def _read_bundle(mutant: bytes) -> None:
    for finding in check(mutant, [read_vkey(_made().key.vkey)], _made().seals[1].note).findings:
        assert finding.reason


def _notes() -> Sequence[bytes]:
    return [each.note.encode() for each in _made().seals]


def _read_note(mutant: bytes) -> None:
    with suppress(BadNote):
        note = read_note(mutant.decode(errors="replace"))
        assert str(note) == mutant.decode(errors="replace")
        point = read_checkpoint(note.text)
        assert point.text == note.text, "a checkpoint has one spelling"


def _vkeys() -> Sequence[bytes]:
    return [_made().key.vkey.encode()]


def _read_vkey(mutant: bytes) -> None:
    text = mutant.decode(errors="replace")
    with suppress(BadNote):
        assert read_vkey(text).vkey == text.strip(), "a verifier key has one spelling"


@cache
def _archive() -> tuple[Path, dict[str, bytes], str]:
    """An archive: where it is, its files, and the verifier key."""
    folder = Path(_folder().name)
    with closing(House(f"sqlite:///{folder / 'sealed.db'}", folder)) as house:
        house.record("7001", 4)
        house.record("7002", 2)
        house.seal()
        write(house.rows, folder / "archive")
        vkey = house.signer.key.vkey
    return folder / "archive", {path.name: path.read_bytes() for path in (folder / "archive").iterdir()}, vkey


def _indexes() -> Sequence[bytes]:
    return [_archive()[1]["index.json"]]


def _segments() -> Sequence[bytes]:
    return [gzip.decompress(data) for name, data in _archive()[1].items() if name != "index.json"]


def _packed_segments() -> Sequence[bytes]:
    return [data for name, data in _archive()[1].items() if name != "index.json"]


def _read_index(mutant: bytes) -> None:
    _read_archive({"index.json": mutant})


def _read_segment(mutant: bytes) -> None:
    _read_packed_segment(gzip.compress(mutant, 1))


def _read_packed_segment(mutant: bytes) -> None:
    """As whoever altered a segment and put its hash in the index would."""
    files = _archive()[1]
    (name,) = files.keys() - {"index.json"}
    index = orjson.loads(files["index.json"])
    index["segments"][0]["sha256"] = sha256(mutant).hexdigest()
    _read_archive({"index.json": msgspec.json.encode(index), name: mutant})


def _read_archive(altered: dict[str, bytes]) -> None:
    folder, files, vkey = _archive()
    for name, data in (files | altered).items():
        (folder / name).write_bytes(data)
    with suppress(BadArchive):
        list(Archive(folder, read_vkey(vkey)).accounts())


def _logs() -> Sequence[bytes]:
    _archive()
    place = f"sqlite:///{Path(_folder().name) / 'sealed.db'}"
    with closing(open_log(place, read_only=True)) as log, closing(seals_of(place, read_only=True)) as rows:
        return [b"".join(line.rstrip(b"\n") + b"\n" for line in lines(SealedLog(log, rows)))]


def _read_log(mutant: bytes) -> None:
    for finding in check_log(mutant.splitlines(keepends=True), [read_vkey(_archive()[2])]).findings:
        assert finding.reason


@cache
def _branched() -> Ledger:
    ledger = Ledger(made(f"sqlite:///{Path(_folder().name) / 'branched.db'}"), clock)
    for outcome in ledger.post_all(map(command, lives()[_LIFE]), backfill=True):
        assert outcome.status in ("recorded", "duplicate"), outcome
    return ledger


_LIFE = 17
"""The scenario in whose account branches are made: it is a short one."""


def _branch_feeds() -> Sequence[bytes]:
    return [b"".join(orjson.dumps(record) + b"\n" for record in life[1:6]) for life in lives()]


def _read_branch_feed(mutant: bytes) -> None:
    ledger = _branched()
    (account,) = {record["account"] for record in lives()[_LIFE] if "account" in record}
    branch = Branch(ledger.books, account, clock)
    for line, item in parse(io.BytesIO(mutant)):
        outcome = item if isinstance(item, Outcome) else branch.post(item)
        assert orjson.loads(answer(line, outcome))["status"] in ("recorded", "duplicate", "refused", "invalid")
    orjson.dumps(difference(branch, START, None))


READERS: dict[str, tuple[Callable[[], Sequence[bytes]], Callable[[bytes], None]]] = {
    "bundles": (_bundles, _read_bundle),
    "notes": (_notes, _read_note),
    "verifier keys": (_vkeys, _read_vkey),
    "archive indexes": (_indexes, _read_index),
    "archive lines": (_segments, _read_segment),
    "archive files": (_packed_segments, _read_packed_segment),
    "whole logs": (_logs, _read_log),
    "branch feeds": (_branch_feeds, _read_branch_feed),
}
"""Each reader with good samples of what it reads."""
