"""What the package makes of a store's seals holds, on both stores; and what was tampered with shows."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.integrity import archive, columns
from ledger.integrity.audit import verify
from ledger.integrity.between import between
from ledger.integrity.bundle import NotSealed, SealedLog, make
from ledger.integrity.check import check
from ledger.integrity.drawing import draw
from ledger.integrity.notes import BadNote, read_checkpoint, read_note
from ledger.integrity.seals import NotIntact
from ledger.integrity.whole_log import check_log, lines
from ledger.store.seal_rows import NotSealing
from tests.integrity.browser import verified_in_browser
from tests.integrity.bundle_drafts import Case
from tests.integrity.conftest import ORIGIN, House
from tests.integrity.verifiers import script

Tamper = Callable[..., None]


def sealed(house: House) -> SealedLog:
    return SealedLog(house.log, house.rows)


def raw(house: House, *accounts: str, **how: Any) -> bytes:
    return msgspec.json.encode(make(sealed(house), accounts, **how).bundle)


def found(house: House, bundle: bytes, since: str | None = None) -> list[tuple[str | None, int | None]]:
    """What two verifiers find, who have to agree."""
    by_package = [each[:2] for each in check(bundle, [house.signer.key], since).findings]
    by_script, _ = script().verify(bundle, [house.signer.key.vkey], since)
    assert by_package == [each[:2] for each in by_script]
    return by_package


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"dated": True},
        {"since": 1},
        {"since": 2, "dated": True},
    ],
)
@pytest.mark.parametrize("accounts", [["7001"], ["7009", "7001", "@utility"], ["7", "7001", "70020", "zz"], ["8000"]])
def test_what_is_made_holds(sealed_house: House, accounts: list[str], how: dict[str, Any]) -> None:
    since = sealed_house.rows.note(how["since"]) if "since" in how else None
    bundle = raw(sealed_house, *accounts, dated=how.get("dated", False), since=since)
    assert found(sealed_house, bundle, since) == []


NOT_WHOLE = [
    ("UPDATE event SET state = %s WHERE account = '7003' AND version = 2", (b"\xff",), "export"),
    ("UPDATE event SET shard = 9 WHERE account = '7003' AND version = 3", (), "archive"),
    ("DELETE FROM event WHERE account = '7003' AND version = 3", (), "archive"),
    ("DELETE FROM event WHERE account = '7003'", (), "export"),
    ("DELETE FROM event WHERE account = '7003'", (), "archive"),
    ("UPDATE seal SET heads = %s WHERE number = 1", (b"",), "export"),
    ("UPDATE seal SET heads = %s WHERE number = 2", (b"",), "archive"),
    ("DELETE FROM event WHERE account = '7003'", (), "columns"),
]


@pytest.mark.parametrize(("statement", "values", "way"), NOT_WHOLE)
def test_nothing_is_made_of_what_is_not_as_it_was_sealed(
    sealed_house: House, tmp_path: Path, tamper: Tamper, statement: str, values: tuple[bytes, ...], way: str
) -> None:
    """What is sent out would not prove itself; better told here than years later."""
    tamper(statement, *values)
    ways: dict[str, Callable[[], object]] = {
        "export": lambda: list(lines(sealed(sealed_house))),
        "archive": lambda: archive.write(sealed_house.rows, tmp_path / "archive"),
        "columns": lambda: columns.write(sealed_house.rows, ORIGIN, tmp_path / "columns", 2),
    }
    with pytest.raises(NotIntact, match="run 'water-ledger audit verify'"):
        ways[way]()
    assert not list(tmp_path.glob("*/index.json"))


def test_a_browser_finds_the_same(sealed_house: House, tmp_path: Path, tamper: Tamper) -> None:
    accounts, key = ["7001", "7009", "8000"], [sealed_house.signer.key.vkey]
    since = sealed_house.rows.note(1)
    good = raw(sealed_house, *accounts, dated=True, since=since)
    tamper("UPDATE event SET state = %s WHERE account = '7001' AND version = 4", b'{"type":"BillVoided","version":4}')
    bad = raw(sealed_house, *accounts, since=since)
    cases = [Case("good", good, key, since, True), Case("bad", bad, key, since, False)]
    answers = verified_in_browser(cases, tmp_path)
    assert (answers[0]["ok"], answers[0]["origin"], answers[0]["size"]) == (True, ORIGIN, 34)
    assert [(each["account"], each["version"]) for each in answers[1]["findings"]] == [("7001", 4)]


def test_an_account_is_whole_as_of_the_last_seal(sealed_house: House) -> None:
    made = make(sealed(sealed_house), ["7001", "7002"])
    assert [(each.account, len(each.events)) for each in made.bundle.accounts] == [("7001", 5), ("7002", 3)]
    assert made.newer == {"7001": 0, "7002": 1}
    assert made.bundle.seal.number == 2


def test_events_stand_where_the_whole_log_has_them(sealed_house: House) -> None:
    log = sealed(sealed_house)
    leaves = [json.loads(line) for line in lines(log)][1:]
    in_order = [line for line in leaves if "note" not in line]
    for history in make(log, ["7001", "7009", "@utility"]).bundle.accounts:
        for event in history.events:
            line = in_order[event.leaf]
            assert (line["account"], line["version"]) == (history.account, event.version)
            assert log.event_at(event.leaf) == (event.shard, event.position)
    for leaf, line in enumerate(in_order):
        assert (log.event_at(leaf) is None) == ("seal" in line)


def test_a_bundle_of_a_log_that_went_on_shows_that_it_did_not_change(sealed_house: House) -> None:
    kept = sealed_house.rows.note(2)
    for _ in range(4):
        sealed_house.record("7003", 2)
        sealed_house.seal()
    assert found(sealed_house, raw(sealed_house, "7003", since=kept, dated=True), kept) == []


def test_what_is_not_sealed_is_not_exported(house: House) -> None:
    house.record("7001")
    with pytest.raises(NotSealed, match="nothing is sealed yet"):
        sealed(house)


def test_a_seal_without_its_signature_is_not_exported(sealed_house: House, tamper: Tamper) -> None:
    tamper("DELETE FROM seal_note WHERE number = 2")
    with pytest.raises(NotSealed, match="is not signed yet"):
        sealed(sealed_house)


def test_a_ledger_that_never_had_a_key_says_so(house: House) -> None:
    class Unmade:
        place = "here"

        def exists(self) -> bool:
            return False

    with pytest.raises(NotSealing, match="audit key create"):
        SealedLog(house.log, Unmade())  # type: ignore[arg-type]


def test_an_altered_event_is_named(sealed_house: House, tamper: Tamper) -> None:
    tamper("UPDATE event SET state = %s WHERE account = '7001' AND version = 4", b'{"type":"BillVoided","version":4}')
    assert found(sealed_house, raw(sealed_house, "7001")) == [("7001", 4)]


def test_a_removed_event_is_named(sealed_house: House, tamper: Tamper) -> None:
    tamper("DELETE FROM event WHERE account = '7001' AND version = 2")
    assert ("7001", 2) in found(sealed_house, raw(sealed_house, "7001"))


def test_a_cut_tail_is_named(sealed_house: House, tamper: Tamper) -> None:
    tamper("DELETE FROM event WHERE account = '7001' AND version > 3")
    assert ("7001", 3) in found(sealed_house, raw(sealed_house, "7001"))


def test_an_event_that_was_back_dated_before_it_was_stored_is_named_by_the_seals_around_it(house: House) -> None:
    house.record("7001", 2)
    house.seal()
    begun = house.now
    house.record("7001", 1)
    house.seal()
    house.record("7001", 1, at=begun)
    house.seal()
    assert found(house, raw(house, "7001")) == []
    assert found(house, raw(house, "7001", dated=True)) == [("7001", 4)]


def test_an_older_note_has_to_be_of_this_log(sealed_house: House) -> None:
    log = sealed(sealed_house)
    own = log.note
    text = own.replace(ORIGIN, "other.example/ledger")
    with pytest.raises(NotSealed, match="another log"):
        make(log, ["7001"], since=text)
    origin, size, *rest = own.split("\n")
    with pytest.raises(NotIntact, match="sealed events are missing"):
        make(log, ["7001"], since="\n".join([origin, str(int(size) + 1), *rest]))
    with pytest.raises(NotIntact, match="it was rewritten"):
        make(log, ["7001"], since="\n".join([origin, str(int(size) - 1), *rest]))
    with pytest.raises(BadNote):
        make(log, ["7001"], since="no note")


# --- the whole log ----------------------------------------------------------------------------------------------------


def in_log(house: House, exported: list[bytes], since: str | None = None) -> list[tuple[str | None, int | None]]:
    return [each[:2] for each in check_log(exported, [house.signer.key], since).findings]


def test_the_whole_log_is_checked_from_its_lines(sealed_house: House) -> None:
    exported = list(lines(sealed(sealed_house)))
    checked = check_log(exported, [sealed_house.signer.key], sealed_house.rows.note(1))
    assert checked.findings == []
    assert (checked.origin, checked.events, checked.accounts, checked.seals, checked.size) == (ORIGIN, 32, 10, 2, 34)


def test_the_whole_log_with_anything_altered_does_not_hold(sealed_house: House) -> None:
    exported = list(lines(sealed(sealed_house)))
    for number, line in enumerate(exported):
        for changed in (
            line.replace(b"7", b"8", 1),
            line.replace(b"0", b"1", 1),
            line + b"x",
            line.replace(b'"', b"", 1),
        ):
            if changed != line:
                assert in_log(sealed_house, [*exported[:number], changed, *exported[number + 1 :]]), (number, changed)
        assert in_log(sealed_house, [*exported[:number], *exported[number + 1 :]]), f"line {number} left out"
        assert in_log(sealed_house, [*exported[: number + 1], line, *exported[number + 1 :]]), f"line {number} twice"
        if number + 1 < len(exported):
            swapped = [*exported[:number], exported[number + 1], line, *exported[number + 2 :]]
            assert in_log(sealed_house, swapped), f"lines {number} and {number + 1} swapped"


def test_the_whole_log_names_what_was_altered(sealed_house: House) -> None:
    exported = list(lines(sealed(sealed_house)))
    number = next(n for n, line in enumerate(exported) if b'"7001","version":2' in line)
    altered = exported[number].replace(b"B-2", b"B-9")
    assert in_log(sealed_house, [*exported[:number], altered, *exported[number + 1 :]]) == [("7001", 2)]


@pytest.mark.parametrize("hours", [-3, 3])
def test_the_whole_log_names_who_was_not_recorded_between_the_seals(house: House, hours: int) -> None:
    house.record("7001", 2)
    house.seal()
    house.record("7002", 2)
    house.record("7001", 1, at=house.now + timedelta(hours=hours))
    house.seal()
    house.record("7003", 1)
    house.seal()
    assert in_log(house, list(lines(sealed(house)))) == [("7001", 3)]


@pytest.mark.parametrize(("beyond", "told"), [(timedelta(0), False), (timedelta(microseconds=1), True)])
@pytest.mark.parametrize("back", [True, False])
def test_every_check_allows_the_same_two_minutes(house: House, back: bool, beyond: timedelta, told: bool) -> None:
    house.record("7001")
    house.seal()
    before, after, outside = house.now, house.now + timedelta(hours=2), timedelta(minutes=2) + beyond
    house.record("7002", at=before - outside if back else after + outside)
    house.seal()
    assert house.now == after
    named = [("7002", 1)] if told else []
    assert [each[:2] for each in verify(house.url).findings] == named
    assert found(house, raw(house, "7002", dated=True)) == named
    assert in_log(house, list(lines(sealed(house)))) == named


def test_the_whole_log_has_to_extend_the_older_note(sealed_house: House) -> None:
    exported = list(lines(sealed(sealed_house)))
    own = sealed_house.rows.note(1)
    assert own is not None
    origin, size, *rest = own.split("\n")
    assert (None, None) in in_log(sealed_house, exported, "\n".join([origin, str(int(size) + 1), *rest]))
    assert (None, None) in in_log(sealed_house, exported, own.replace(ORIGIN, "other.example/ledger"))


@pytest.mark.parametrize("exported", [[], [b"{}"], [b""], [b'{"format":"waterledger/log/v1","origin":"x","shards":0}']])
def test_no_log_at_all_does_not_hold(exported: list[bytes]) -> None:
    assert check_log(exported, []).findings


# --- between two notes, and samples -----------------------------------------------------------------------------------


def test_what_came_between_two_notes(sealed_house: House) -> None:
    first, second = (sealed_house.rows.note(number) or "" for number in (1, 2))
    seen = between(sealed(sealed_house), [sealed_house.signer.key], first, second)
    assert [seal.number for seal in seen.seals] == [2]
    assert {account: types.total() for account, types in seen.accounts.items()} == {"7001": 2, "7009": 4}
    assert (seen.types.total(), seen.opened) == (6, 1)
    assert between(sealed(sealed_house), [sealed_house.signer.key], second, first) == seen
    assert between(sealed(sealed_house), [sealed_house.signer.key], first, first).types.total() == 0


def test_notes_of_another_log_are_not_compared(sealed_house: House) -> None:
    own = sealed_house.rows.note(1) or ""
    key = sealed_house.signer.key
    with pytest.raises(BadNote, match="another log"):
        between(sealed(sealed_house), [key], own, own.replace(ORIGIN, "other.example/ledger"))
    with pytest.raises(BadNote, match="not signed"):
        between(sealed(sealed_house), [], own, own)


def test_a_sample_can_be_drawn_again_from_seed_and_root(sealed_house: House) -> None:
    log = sealed(sealed_house)
    point = read_checkpoint(read_note(log.note).text)
    seed = "17 dice, 2024"

    def rank(leaf: int) -> bytes:
        name = len(seed).to_bytes(4, "big") + seed.encode()
        return sha256(b"waterledger/sample/v1\n" + name + point.root + leaf.to_bytes(8, "big")).digest()

    order = sorted(range(point.size), key=rank)
    draws = list(draw(log, seed, 5, lambda row: row.type == "BillIssued"))
    assert [each.leaf for each in draws] == order[: len(draws)]
    assert sum(each.taken for each in draws) == 5
    assert all(each.taken == (each.row is not None and each.row.type == "BillIssued") for each in draws)
    every = list(draw(log, seed, 1_000, lambda row: True))
    assert [each.leaf for each in every] == order
    assert sum(each.row is None for each in every) == 2
    assert [each.leaf for each in draw(log, "another", 5, lambda row: True)] != order[:5]
