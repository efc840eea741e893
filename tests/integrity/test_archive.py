"""An archive proves itself without the store; whatever is altered in it is found, and its replay is that of the log."""

import gzip
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from ledger.integrity import archive
from ledger.integrity.archive import Archive, BadArchive, write
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.log import StoreError
from tests.integrity.conftest import ORIGIN, House


@pytest.fixture
def folder(sealed_house: House, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of some segments."""
    monkeypatch.setattr(archive, "EVENTS", 7)
    write(sealed_house.rows, sealed_house.folder / "archive")
    return sealed_house.folder / "archive"


def test_an_archive_holds_what_was_sealed_by_account_and_version(sealed_house: House, folder: Path):
    opened = Archive(folder, sealed_house.signer.key)
    held = dict(opened.accounts())
    expected = {a: sealed_house.log.states(a) for a in sorted(sealed_house.log.accounts())}
    expected["7002"].pop()
    assert held == expected
    assert list(held) == list(expected)
    assert opened.of("7001") == expected["7001"]
    assert opened.of("7001x") == []
    assert len(opened.index.segments) == 4


def test_the_same_seal_makes_the_same_archive(sealed_house: House, folder: Path):
    write(sealed_house.rows, sealed_house.folder / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (sealed_house.folder / "again" / path.name).read_bytes()


def test_an_archive_is_never_mixed_with_anything(sealed_house: House, folder: Path):
    with pytest.raises(StoreError, match="is not empty"):
        write(sealed_house.rows, folder)


def test_an_unfinished_archive_says_so(sealed_house: House, folder: Path):
    (folder / "index.json").unlink()
    with pytest.raises(BadArchive, match="holds no finished archive"):
        Archive(folder)


def test_nothing_signed_makes_no_archive(house: House, tmp_path: Path):
    house.record("7001")
    with pytest.raises(StoreError, match="has no signed seal yet"):
        write(house.rows, tmp_path / "archive")


def test_an_archive_is_checked_by_a_key_that_was_handed_over(sealed_house: House):
    house = sealed_house
    second = make_key_file(house.folder / "second.key", ORIGIN)
    introduce(house.rows, ORIGIN, second, house.signer)
    house.seal(second)
    write(house.rows, house.folder / "archive")
    for key in (house.signer.key, second.key):
        assert len(list(Archive(house.folder / "archive", key).accounts())) == 10
    with pytest.raises(BadArchive, match="is not signed by"):
        Archive(house.folder / "archive", make_key_file(house.folder / "third.key", ORIGIN).key)


Change = Callable[[list[bytes]], list[bytes]]
CHANGES: list[tuple[Change, str]] = [
    (lambda lines: lines[:-1], "the seal states 32 events of 10 accounts, and the archive has 31"),
    (lambda lines: lines[1:], "version 1: it is missing or out of order"),
    (lambda lines: [lines[1], lines[0], *lines[2:]], "version 1: it is missing or out of order"),
    (lambda lines: [lines[0].replace(b"B-1", b"B-2"), *lines[1:]], "version 1: its stored bytes are not those"),
    (
        lambda lines: [lines[0].replace(b'"version":1,"type"', b'"version": 1,"type"'), *lines[1:]],
        "is spelled in another",
    ),
    (lambda lines: [lines[0][:-3] + b"\n", *lines[1:]], "cannot be read"),
    (lambda lines: [lines[0].replace(b'"position"', b'"place"'), *lines[1:]], "cannot be read"),
    (lambda lines: [b"x" * 2**24 + b"\n"], "is longer than any event"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_an_altered_segment_is_found_even_where_the_index_follows_it(folder: Path, change: Change, told: str):
    index = msgspec.json.decode((folder / "index.json").read_bytes())
    path = folder / index["segments"][0]["file"]
    lines = change(gzip.decompress(path.read_bytes()).splitlines(keepends=True))
    data = gzip.compress(b"".join(lines))
    path.write_bytes(data)
    with pytest.raises(BadArchive, match=r"is not the file that the index names by its hash"):
        list(Archive(folder).accounts())
    index["segments"][0] |= {"sha256": sha256(data).hexdigest(), "events": len(lines)}
    (folder / "index.json").write_bytes(msgspec.json.encode(index))
    with pytest.raises(BadArchive, match=told):
        list(Archive(folder).accounts())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b'"events": 32', b'"events": 33', "is not the last leaf under its note"),
        (b'"number": 2', b'"number": 1', "is not the last leaf under its note"),
        (b'"format": "waterledger/archive/v1"', b'"format": "waterledger/archive/v2"', "is of format"),
        (b'"proof"', b'"proofs"', "cannot be read"),
        (b"segment-00001", b"../segment-00001", "which is no file of the archive"),
        (b"segment-00001", b"segment-00009", "is missing or cannot be read"),
        (b"\\n34\\n", b"\\n35\\n", "is not over this text|is not the last leaf"),
    ],
)
def test_an_altered_index_is_found(sealed_house: House, folder: Path, old: bytes, new: bytes, told: str):
    path = folder / "index.json"
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(BadArchive, match=told):
        list(Archive(folder, sealed_house.signer.key).accounts())


@pytest.mark.parametrize("altered", [{"first": "0"}, {"last": "7001"}, {"accounts": 1}, {"events": 1}])
def test_what_the_index_says_of_a_segment_is_looked_at(folder: Path, altered: dict[str, object]):
    """Whoever looks for one account opens the segment that should hold it, and no other."""
    index = msgspec.json.decode((folder / "index.json").read_bytes())
    index["segments"][0] |= altered
    (folder / "index.json").write_bytes(msgspec.json.encode(index))
    with pytest.raises(BadArchive, match="does not hold the accounts and events that the index says"):
        list(Archive(folder).accounts())


def test_a_segment_that_cannot_be_unpacked_is_told(folder: Path):
    index = msgspec.json.decode((folder / "index.json").read_bytes())
    path = folder / index["segments"][0]["file"]
    path.write_bytes(path.read_bytes()[:-30])
    index["segments"][0]["sha256"] = sha256(path.read_bytes()).hexdigest()
    (folder / "index.json").write_bytes(msgspec.json.encode(index))
    with pytest.raises(BadArchive, match="cannot be unpacked"):
        list(Archive(folder).accounts())
