"""Whatever is altered in a store is found and named; an untouched one has no findings."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from ledger.integrity.audit import Audit, Evidence, verify
from ledger.integrity.chains import Finding
from ledger.integrity.notes import Note, read_note, read_vkey, signed
from ledger.integrity.seals import NotIntact
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.log import Row, event_hash, genesis
from scripts.campaigns.tampering import tampered
from tests.integrity.conftest import ORIGIN, House

Tamper = Callable[..., None]


def reasons(audit: Audit) -> str:
    return "\n".join(f"{f.account} {f.version} {f.reason}" for f in audit.findings)


def test_an_untouched_ledger_has_no_findings(sealed_house: House, store_url: str):
    found = verify(store_url)
    assert found == Audit([], 33, 10, 2, 1)
    key = sealed_house.signer.key
    kept = [read_note(sealed_house.rows.note(number)) for number in (1, 2)]
    assert verify(store_url, Evidence(key, kept)).findings == []


def test_a_ledger_that_was_never_sealed_has_its_chains_checked(house: House, store_url: str, tamper: Tamper):
    house.record("7001", 3)
    assert verify(store_url) == Audit([], 3, 1, 0, 3)
    tamper("UPDATE event SET state = %s WHERE account = '7001' AND version = 2", b"{}")
    assert [f[:2] for f in verify(store_url).findings] == [("7001", 2)]


def test_an_event_altered_to_hold_an_id_that_no_store_takes_is_named(sealed_house: House, tamper: Tamper):
    tamper("UPDATE event SET state = %s WHERE account = '7004' AND version = 2", b'{"command":"a\\u0000b"}')
    found = verify(sealed_house.url, processes=1).findings
    assert {each[:2] for each in found} >= {("7004", 2)}
    assert "its command key 'id/a\\x00b' is missing" in {each.reason for each in found}


@pytest.mark.parametrize("head", [2**20, 2**60])
def test_a_head_that_states_more_events_than_there_are_is_told_at_once(
    sealed_house: House, store_url: str, tamper: Tamper, head: int
):
    tamper("UPDATE head SET head = %s WHERE shard = 0", head)
    (found,) = verify(store_url, processes=1).findings
    assert f"and its head says {head}: none stands from position " in found.reason


@pytest.mark.parametrize("sealed", [0, 1])
@pytest.mark.parametrize("far", [2**20, 2**60])
def test_an_event_moved_far_behind_the_others_is_told_at_once_and_the_gap_named(
    house: House, store_url: str, tamper: Tamper, far: int, sealed: int
):
    """Given an event, sealed or not, at a huge position, a head that says so, and a seal that states as many leaves."""
    house.record("7001", 3)
    house.seal()
    house.record("7001", 2)
    shard = house.log.rows("7001")[0].shard
    tamper("UPDATE event SET position = %s WHERE version = %s", far, 3 if sealed else 5)
    tamper("UPDATE head SET head = %s WHERE shard = %s", far, shard)
    with pytest.raises(NotIntact, match="is missing, so nothing was sealed"):
        house.seal()
    tamper("UPDATE seal SET size = %s", far)
    found = reasons(verify(store_url, processes=1))
    gap = "from position 3 to 3" if sealed else f"from position 5 to {far - 1}"
    assert f"shard {shard} has 5 events, and its head says {far}: none stands {gap}" in found


def test_several_processes_find_what_one_finds(
    sealed_house: House, store_url: str, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
):
    tamper("UPDATE event SET type = 'BillWon' WHERE account = '7004' AND version = 2")
    alone = verify(store_url, processes=1)
    monkeypatch.setattr("ledger.integrity.readings.WORTH_A_PROCESS", 1)
    monkeypatch.setattr("ledger.integrity.readings.ACCOUNTS", 3)
    assert verify(store_url, processes=2) == alone
    assert [f[:2] for f in alone.findings] == [("7004", 2)]


NO_TEXT = "CAST(x'ff37' AS TEXT)"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (f"UPDATE event SET account = {NO_TEXT} WHERE account = '7002' AND version = 1", "7002 1 it is missing"),
        (f"UPDATE event SET account = {NO_TEXT} WHERE account = '7002'", "\ufffd7 1 its stored bytes, or its hash"),
        (f"UPDATE event SET type = {NO_TEXT} WHERE account = '7002' AND version = 2", "7002 2 its stored bytes"),
        (f"UPDATE command SET key = {NO_TEXT} WHERE account = '7002' AND first = 1", "7002 1 no command key names it"),
        (f"UPDATE seal SET body = {NO_TEXT} WHERE number = 1", "the text of the note of seal 1 is not what the seal"),
        (f"UPDATE seal_note SET note = {NO_TEXT} WHERE number = 1", "the note of seal 1: "),
        (f"UPDATE seal_key SET vkey = {NO_TEXT}", "key 1: a verifier key is NAME"),
        (f"UPDATE seal_key SET handover = {NO_TEXT}", "key 1: a note is a text"),
    ],
)
def test_a_text_that_is_none_is_told_like_any_other_change(sqlite_store_url: str, tmp_path, statement: str, told: str):
    """Given a file in which a byte of a text was damaged, so that it is no text any more (a server takes none)."""
    with closing(House(sqlite_store_url, tmp_path)) as house:
        house.record("7001", 3)
        house.record("7002", 3)
        house.seal()
        tampered(sqlite_store_url, statement)
        assert told in reasons(verify(sqlite_store_url, processes=1))


def flips(value: Any, every: int) -> list[Any]:
    """The value with one bit flipped, for every so many of its bits."""
    if isinstance(value, int):
        return [value ^ (1 << bit) for bit in range(0, 63, every)]
    data = value.encode() if isinstance(value, str) else bytes(value)
    found = []
    for bit in range(0, 8 * len(data), every):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        if not isinstance(value, str):
            found.append(bytes(changed))
        elif changed[bit // 8] < 0x80 and changed[bit // 8]:
            found.append(changed.decode())
    return found


# The columns of a row, and which of its bits are flipped: all where that is quick.
COLUMNS = [("type", 1), ("state", 5), ("hash", 3), ("account", 1), ("version", 1), ("position", 1)]


def taken(house: House) -> set[tuple[str, object, object]]:
    """Where no row can be moved, because one stands there."""
    rows = house.log.follow({}, 1_000)
    return {("position", row.shard, row.position) for row in rows} | {("version", r.account, r.version) for r in rows}


def _own(row: Row) -> set[tuple[str, object, object]]:
    return {("position", row.shard, row.position), ("version", row.account, row.version)}


@pytest.mark.parametrize(("column", "every"), COLUMNS)
def test_each_flipped_bit_of_an_event_is_found_and_named(
    sealed_house: House, store_url: str, tamper: Tamper, column: str, every: int
):
    every = every if store_url.startswith("sqlite") else every * 29
    there = taken(sealed_house)
    for account, version in (("7001", 4), ("7003", 1)):
        row = next(row for row in sealed_house.log.rows(account) if row.version == version)
        for changed in flips(getattr(row, column), every):
            moved = row._replace(**{column: changed})
            keys = {("position", moved.shard, moved.position), ("version", moved.account, moved.version)}
            if column in ("account", "version", "position") and (keys & there) - _own(row):
                continue
            place = f"UPDATE event SET {column} = %s WHERE shard = %s AND position = %s"
            tamper(place, changed, row.shard, row.position)
            found = verify(store_url, processes=1)
            tamper(place, getattr(row, column), row.shard, moved.position)
            named = {(f.account, f.version) for f in found.findings}
            assert (account, version) in named, f"{column} {changed!r}: {reasons(found)}"
    assert verify(store_url).findings == []


def test_a_flipped_hash_is_told_at_its_event_and_not_at_the_next(sealed_house: House, store_url: str, tamper: Tamper):
    tamper("UPDATE event SET hash = %s WHERE account = '7001' AND version = 2", bytes(32))
    assert {f[:2] for f in verify(store_url).findings if f.account} == {("7001", 2)}


def rewritten(house: House, tamper: Tamper, account: str, version: int, state: bytes) -> None:
    """Rewrite an event and every hash after it, as somebody who knows the format would."""
    previous = genesis(ORIGIN, account)
    for row in house.log.rows(account):
        kept = state if row.version == version else row.state
        previous = event_hash(previous, row.version, account, row.type, kept)
        tamper(
            "UPDATE event SET state = %s, hash = %s WHERE account = %s AND version = %s",
            *(kept, previous, account, row.version),
        )


def test_an_unsealed_event_says_a_moment_that_there_is(sealed_house: House, store_url: str, tamper: Tamper):
    """Given the newest event rewritten with its hash; when the day it says is none, it is named."""
    last = sealed_house.log.rows("7002")[-1]
    at = last.state.index(b'"recorded_at":"') + 15
    for never in (b"2999-02-30", b"2999-13-01", b"2999-1x-01"):
        rewritten(sealed_house, tamper, "7002", last.version, last.state[:at] + never + last.state[at + 10 :])
        assert f"7002 {last.version} it must have been recorded after seal 2" in reasons(verify(store_url))


def test_a_chain_rewritten_from_an_event_on_does_not_fit_the_tree(sealed_house: House, store_url: str, tamper: Tamper):
    state = sealed_house.log.rows("7001")[1].state.replace(b"B-2", b"B-7")
    rewritten(sealed_house, tamper, "7001", 2, state)
    found = verify(store_url).findings
    assert [f[:2] for f in found if f.account] == [("7001", 2)], "told where it begins"
    assert any("the events named here were altered since" in f.reason for f in found)
    assert any("the heads of all accounts are not those of seal 2" in f.reason for f in found)


def test_what_was_rewritten_with_the_tree_does_not_fit_the_notes(sealed_house: House, store_url: str, tamper: Tamper):
    house = sealed_house
    state = house.log.rows("7001")[1].state.replace(b"B-2", b"B-7")
    rewritten(house, tamper, "7001", 2, state)
    from ledger.integrity.tree import leaf_hash
    from tests.integrity.test_seals import leaves_of

    hashes = [leaf_hash(leaf) for leaf in leaves_of(house)]
    for part in house.rows.parts(0, 0, 256):
        kept = b"".join(hashes[part.first : part.first + len(part.hashes) // 32])
        tamper("UPDATE tree_part SET hashes = %s WHERE level = 0 AND first = %s", kept, part.first)
    assert "what was sealed was altered, and the log tree with it" in reasons(verify(store_url))


def test_a_damaged_tree_is_told_from_damaged_events(sealed_house: House, store_url: str, tamper: Tamper):
    part = sealed_house.rows.parts(0, 0, 1)[0]
    tamper("UPDATE tree_part SET hashes = %s WHERE level = 0 AND first = 0", bytes(32) + part.hashes[32:])
    found = verify(store_url).findings
    assert len(found) == 1
    assert "it is not what the log tree keeps of it (leaf 0)" in found[0].reason


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "DELETE FROM event WHERE account = '7003' AND version = 2",
            "7003 2 it is missing: version 3 follows version 1",
        ),
        ("DELETE FROM event WHERE account = '7003' AND version = 3", "events, and its head says"),
        ("DELETE FROM event WHERE account = '7008'", "is missing"),
        ("DELETE FROM event WHERE account = '7002' AND version = 4", "events, and its head says"),
        ("DELETE FROM seal_note WHERE number = 1", "seal 1 has no signed note"),
        ("DELETE FROM seal WHERE number = 1", "seal 1 is missing"),
        ("UPDATE seal SET accounts = 8 WHERE number = 1", "seal 1 states 8 accounts, and there were 9"),
        ("UPDATE seal SET events = 20 WHERE number = 1", "seal 1 states 20 events, and its heads come to 26"),
        ("UPDATE seal SET sealed_at = 5 WHERE number = 2", "seal 2 is not later than the one before it"),
        ("UPDATE seal SET body = 'x' WHERE number = 1", "the text of the note of seal 1 is not what the seal says"),
        ("UPDATE seal SET previous = heads_root WHERE number = 2", "seal 2 names another note before it"),
        ("UPDATE seal SET sealed_at = -1 WHERE number = 2", "seal 2 states a time that no seal of this log can have"),
        ("UPDATE seal SET sealed_at = 4611686018427387904 WHERE number = 1", "seal 1 states a time that no seal"),
        ("UPDATE seal SET size = 4611686018427387904 WHERE number = 2", "seal 2 states a size that no seal"),
        ("UPDATE seal SET first_leaf = -1 WHERE number = 2", "seal 2 states a size that no seal"),
        ("UPDATE seal SET accounts = -1 WHERE number = 1", "seal 1 states a count that no seal"),
        ("UPDATE seal SET number = 9223372036854775807 WHERE number = 2", "seal 2 states a count that no seal"),
        ("UPDATE seal SET heads = root WHERE number = 1", "seal 1 states a list of heads that no seal"),
        ("UPDATE seal SET heads = root WHERE number = 2", "seal 2 states a list of heads that no seal"),
        ("DELETE FROM seal WHERE number = 2", "seal 2 has a signed note, and is missing itself"),
        ("DELETE FROM seal", "seal 1 has a signed note, and is missing itself"),
        ("DELETE FROM head WHERE shard = 0", "the heads of its shards are not all there"),
        ("UPDATE head SET shard = 70 WHERE shard = 0", "the heads of its shards are not all there"),
        ("UPDATE seal_key SET number = 2", "key 1 is missing: the next is numbered 2"),
        ("UPDATE seal_key SET since = 2", "the note that names key 1 says something else"),
        ("UPDATE seal_plan SET sealed_at = 5 WHERE number = 2", "seal 2 is not the one that was planned"),
        ("UPDATE seal SET number = 0 WHERE number = 2", "there are seals with numbers under 1"),
        ("DELETE FROM seal_plan WHERE number = 2", "seal 2 is not the one that was planned"),
        ("UPDATE seal_plan SET first_leaf = 99 WHERE number = 2", "plan 2 does not follow seal 2"),
        ("UPDATE seal_plan SET number = 9 WHERE number = 2", "seal 2 or after it, is numbered 9, and 2 were made"),
        ("UPDATE seal_key SET number = 0", "key 1 is missing: the next is numbered 0"),
        ("UPDATE head SET shard = 99 WHERE shard = 0", "the heads of its shards are not all there"),
        ("DELETE FROM tree_part WHERE level = 0", "it is not what the log tree keeps of it (leaf 0)"),
        ("UPDATE tree_part SET first = 4 WHERE level = 0 AND first = 0", "it is not what the log tree keeps of it"),
    ],
)
def test_what_was_done_is_told(sealed_house: House, store_url: str, tamper: Tamper, statement: str, told: str):
    tamper(statement)
    assert told in reasons(verify(store_url))


def test_an_inner_part_of_the_tree_that_was_moved_is_told(house: House, store_url: str, tamper: Tamper):
    house.record("7001", 700)
    house.seal()
    assert verify(store_url).findings == []
    tamper("UPDATE tree_part SET first = 1 WHERE level = 8 AND first = 0")
    assert "the log tree keeps another node 0 on level 8 than its leaves give" in reasons(verify(store_url))


@pytest.mark.parametrize("bit", range(0, 3000, 61))
def test_each_flipped_bit_of_a_note_is_found(sealed_house: House, store_url: str, tamper: Tamper, bit: int):
    text = sealed_house.rows.note(1)
    data = bytearray(text.encode())
    data[bit // 8 % len(data)] ^= 1 << bit % 7
    changed = data.decode("latin-1").replace("\0", " ")
    tamper("UPDATE seal_note SET note = %s WHERE number = 1", changed)
    assert "seal 1" in reasons(verify(store_url))


def test_an_event_dated_back_is_told(house: House, store_url: str):
    house.record("7001")
    house.seal()
    house.record("7001", at=house.now - timedelta(hours=5))
    house.record("7002", at=house.now - timedelta(minutes=1))
    house.seal()
    found = verify(store_url).findings
    assert [f[:2] for f in found] == [("7001", 2)]
    assert "it must have been recorded after seal 1 of 2026-01-05T19:00:00+00:00 and before seal 2" in found[0].reason


def test_an_event_dated_ahead_of_its_seal_is_told(house: House, store_url: str):
    house.record("7001", at=house.now + timedelta(hours=9))
    house.seal()
    assert [f[:2] for f in verify(store_url).findings] == [("7001", 1)]


def test_the_note_kept_outside_tells_a_rewritten_log(sealed_house: House, store_url: str, tmp_path, tamper: Tamper):
    """Who holds the key and the database can make another log; what was shown before does not fit it."""
    kept = read_note(sealed_house.rows.note(1))
    other = read_note(sealed_house.rows.note(2))
    text = other.text.replace(f"\n{34}\n", f"\n{27}\n")
    forged = Note(text, (signed(text, sealed_house.signer),))
    assert verify(store_url, Evidence(notes=[kept])).findings == []
    found = verify(store_url, Evidence(notes=[forged])).findings
    assert found == [Finding("", 0, "the log does not extend the note of size 27 that was brought: it was rewritten")]
    unsigned = Note(kept.text, kept.signatures[:0])
    assert "is not signed by a key of this log" in reasons(verify(store_url, Evidence(notes=[unsigned])))


def test_keys_follow_one_another_and_an_audit_follows_them(sealed_house: House, store_url: str):
    house = sealed_house
    second = make_key_file(house.folder / "second.key", ORIGIN)
    introduce(house.rows, ORIGIN, second, house.signer)
    assert house.seal(second).number == 3
    for key in (house.signer.key, second.key):
        assert verify(store_url, Evidence(key)).findings == []
    stranger = make_key_file(house.folder / "stranger.key", ORIGIN).key
    assert "none of the log's keys is the one given" in reasons(verify(store_url, Evidence(stranger)))


def test_a_key_that_nobody_handed_over_to_is_told_unless_it_is_the_one_brought(sealed_house: House, store_url: str):
    house = sealed_house
    second = make_key_file(house.folder / "second.key", ORIGIN)
    introduce(house.rows, ORIGIN, second, None)
    house.seal(second)
    assert "key 2 (" in reasons(verify(store_url))
    assert "was not named by the key before" in reasons(verify(store_url, Evidence(house.signer.key)))
    assert verify(store_url, Evidence(second.key)).findings == []


def test_a_note_signed_by_an_older_key_than_its_time_is_told(sealed_house: House, store_url: str, tamper: Tamper):
    house = sealed_house
    second = make_key_file(house.folder / "second.key", ORIGIN)
    introduce(house.rows, ORIGIN, second, house.signer)
    made = house.seal(second)
    body = read_note(made.note).text
    tamper("UPDATE seal_note SET note = %s WHERE number = 3", str(Note(body, (signed(body, house.signer),))))
    assert "the note of seal 3 is not signed by the log's key of that time" in reasons(verify(store_url))


def test_the_key_file_holds_what_the_log_names(sealed_house: House):
    assert read_vkey(sealed_house.rows.keys()[0].vkey) == sealed_house.signer.key
    assert (sealed_house.folder / "log.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"no pages of anything", b"SQLite format 3\0" + bytes(4_000)])
def test_the_heads_file_beside_a_ledger_holds_nothing_of_its_own(sqlite_store_url: str, tmp_path, damage: bytes):
    """Given a sealed ledger; when its heads file is damaged, that is told, and all else checked; without it all is
    well, and the next seal makes it anew."""
    with closing(House(sqlite_store_url, tmp_path)) as house:
        house.record("7001", 3)
        house.seal()
        file = tmp_path / "water-ledger.heads.db"
        file.write_bytes(damage)
        tampered(sqlite_store_url, "UPDATE event SET type = 'BillWon' WHERE version = 2")
        first, second = verify(sqlite_store_url).findings
        assert "the pages of the heads tree, which hold nothing of their own, cannot be read" in first.reason
        assert "(remove it, and 'water-ledger audit seal' makes it anew)" in first.reason
        assert second[:2] == ("7001", 2)
        tampered(sqlite_store_url, "UPDATE event SET type = 'BillVoided' WHERE version = 2")
        file.unlink()
        assert verify(sqlite_store_url).findings == []
        house.seal()
        assert verify(sqlite_store_url).findings == []
        assert house.rows.heads_of() == 1
