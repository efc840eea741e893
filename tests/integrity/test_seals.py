"""Taking seals: what they say, what they keep, and that nothing of it is ever taken back."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from ledger.integrity import tree
from ledger.integrity.audit import Audit, verify
from ledger.integrity.heads import Places, leaf_hashes
from ledger.integrity.leaves import event_leaf, head_entry, packed_heads
from ledger.integrity.notes import read_checkpoint, read_note, verified
from ledger.integrity.seals import NotIntact, microseconds, seal, stated
from ledger.integrity.signing import WrongKey, introduce, make_key_file
from ledger.integrity.tiles import Edge, StoredTree
from ledger.store.log import StoreError, StoreUnavailable
from ledger.store.open import seals_of
from ledger.store.seal_rows import Head, HeadPages, Plan
from scripts.campaigns.forbidding import SEAL_CHANGES, SEAL_REPLACEMENTS
from scripts.campaigns.tampering import tampered
from tests.integrity.conftest import ORIGIN, House


def leaves_of(house: House) -> list[bytes]:
    """The leaves of all seals, written down from the specification."""
    found, before = [], [0] * (house.log.shards + (house.log.shards > 1))
    for row in house.rows.seals():
        after = [int.from_bytes(row.heads[at : at + 8], "big") for at in range(0, len(row.heads), 8)]
        for shard, (low, high) in enumerate(zip(before, after, strict=True)):
            for event in house.log.follow({shard: low}, high - low, shard):
                found.append(event_leaf(event.shard, event.position, event.hash))
        found.append(stated(row).leaf)
        before = after
    return found


def test_a_seal_puts_the_events_and_itself_into_the_tree_and_signs_the_root(sealed_house: House):
    house = sealed_house
    leaves = leaves_of(house)
    for row in house.rows.seals():
        note = read_note(house.rows.note(row.number))
        assert verified(note, [house.signer.key]) == [(house.signer.key, None)]
        point = read_checkpoint(note.text)
        assert (point.origin, point.size) == (ORIGIN, row.size)
        assert point.root == tree.root([tree.leaf_hash(leaf) for leaf in leaves[: row.size]])
        assert leaves[row.size - 1] == stated(row).leaf


def test_a_seal_says_what_it_holds(sealed_house: House):
    first, second = sealed_house.rows.seals()
    assert (first.number, first.first_leaf, first.size, first.events, first.accounts) == (1, 0, 27, 26, 9)
    assert (second.number, second.first_leaf, second.size, second.events, second.accounts) == (2, 27, 34, 32, 10)
    assert second.sealed_at > first.sealed_at
    assert second.heads != packed_heads(sealed_house.log.heads().values()), "one event came later"


def test_the_heads_tree_is_over_all_accounts_by_their_bytes(sealed_house: House):
    house = sealed_house
    tips = {a: house.log.rows(a)[-1] for a in house.log.accounts()}
    tips["7002"] = house.log.rows("7002")[-2]
    entries = [head_entry(a, tips[a].version, tips[a].hash) for a in sorted(tips, key=str.encode)]
    root = tree.root([tree.leaf_hash(entry) for entry in entries])
    assert house.rows.last().heads_root == root
    places = Places(house.rows)
    for number, account in enumerate(sorted(tips)):
        place = places.of(account)
        assert (place.account, place.leaf, place.version) == (account, number, tips[account].version)
        leaf = leaf_hashes([Head(place.account, place.version, place.hash)])[0]
        assert tree.verify_inclusion(leaf, place.leaf, len(tips), place.proof, root)


@pytest.mark.parametrize(
    ("account", "left", "right"),
    [("0", None, "7001"), ("7001a", "7001", "7002"), ("7010", "7009", None), ("@", None, "7001")],
)
def test_an_account_that_is_not_there_lies_between_two_neighbours(sealed_house: House, account, left, right):
    if account == "@":
        account, left, right = "@", "7009", "@utility"
    if account == "7010":
        right = "@utility"
    places = Places(sealed_house.rows)
    assert places.of(account) is None
    found = places.around(account)
    assert [each and each.account for each in found] == [left, right]


def test_nothing_new_makes_no_seal_and_prints_the_last_note_again(house: House):
    house.record("7001")
    made = house.seal()
    again = house.seal()
    assert made.new
    assert not again.new
    assert again.note == made.note
    assert len(house.rows.seals()) == 1


def test_a_ledger_without_events_is_not_sealed(house: House):
    assert seal(house.rows, ORIGIN, house.signer, lambda: house.now) is None


def test_a_clock_that_went_back_makes_no_older_seal(house: House):
    house.record("7001")
    house.seal()
    house.record("7001")
    house.now -= timedelta(days=1)
    house.seal()
    first, second = house.rows.seals()
    assert second.sealed_at == first.sealed_at + 1


def test_only_one_program_seals_at_a_time(house: House, store_url: str):
    house.record("7001")
    other = seals_of(store_url + ("?timeout=0" if store_url.startswith("sqlite") else ""))
    with house.rows.sealing(), pytest.raises(StoreUnavailable, match="is being sealed by another program"):
        seal(other, ORIGIN, house.signer, lambda: house.now)
    other.close()
    assert house.seal().number == 1


@pytest.mark.parametrize("statement", ["UPDATE head SET head = 0", "DELETE FROM head"])
def test_a_ledger_that_ends_before_its_last_seal_is_not_sealed(house: House, tamper: Callable[..., None], statement):
    house.record("7001")
    house.seal()
    tamper(statement)
    with pytest.raises(NotIntact, match="ends before what seal 1 took in, so nothing was sealed"):
        house.seal()
    assert len(house.rows.seals()) == 1


@pytest.mark.parametrize("sealed", [0, 1])
def test_a_ledger_that_ends_behind_its_last_event_is_sealed_once_that_is_put_right(
    house: House, tamper: Callable[..., None], sealed: int
):
    """Given a head that somebody raised; when sealing is refused, nothing of it stays: put right, all is sealed."""
    for _ in range(sealed):
        house.record("7001")
        house.seal()
    house.record("7001", 2)
    shard, head = next((shard, head) for shard, head in house.log.heads().items() if head)
    tamper("UPDATE head SET head = %s WHERE shard = %s", head + 1, shard)
    with pytest.raises(NotIntact, match="ends behind its last event, so nothing was sealed"):
        house.seal()
    tamper("UPDATE head SET head = %s WHERE shard = %s", head, shard)
    assert house.seal().number == sealed + 1
    assert verify(house.url, processes=1) == Audit([], 2 + sealed, 1, sealed + 1, 0)


@pytest.mark.parametrize("far", [1, 2**40, 2**63])
def test_a_plan_of_events_that_are_not_there_gives_way_to_another(house: House, tamper: Callable[..., None], far: int):
    """Given a plan of more than the log holds, of which nothing was made; the audit says so until the next seal."""
    house.record("7001")
    house.seal()
    house.record("7001")
    heads = [head + far * (head > 0) for head in house.log.heads().values()]
    house.rows.make_plan(lambda _: Plan(2, microseconds(house.now), house.rows.last().size, packed_heads(heads)))
    (found,) = verify(house.url, processes=1).findings
    assert found.reason == "plan 2 is of events that are not there"
    assert house.seal().number == 2
    assert verify(house.url, processes=1) == Audit([], 2, 1, 2, 0)
    house.record("7001")
    assert house.seal().number == 3
    assert verify(house.url, processes=1).findings == []


def test_no_key_comes_in_while_somebody_seals(house: House, store_url: str):
    """The note that names a key says which seal it signs first: no other is taken meanwhile."""
    house.record("7001")
    second = make_key_file(house.folder / "second.key", ORIGIN)
    other = seals_of(store_url + ("?timeout=0" if store_url.startswith("sqlite") else ""))
    with house.rows.sealing(), pytest.raises(StoreUnavailable, match="is being sealed by another program"):
        introduce(other, ORIGIN, second, house.signer)
    other.close()
    assert len(house.rows.keys()) == 1


def test_a_key_that_came_in_just_before_is_the_one_that_has_to_sign(house: House, monkeypatch: pytest.MonkeyPatch):
    """Given a sealer with the old key; when the new one comes in just before it begins, then it is refused."""
    house.record("7001")
    second = make_key_file(house.folder / "second.key", ORIGIN)
    sealing = house.rows.sealing

    def begin() -> AbstractContextManager[HeadPages]:
        monkeypatch.undo()
        introduce(house.rows, ORIGIN, second, house.signer)
        return sealing()

    monkeypatch.setattr(house.rows, "sealing", begin)
    with pytest.raises(WrongKey, match="the log's current key is"):
        house.seal()
    house.seal(second)
    assert verify(house.url, processes=1).findings == []


def test_another_key_does_not_sign(house: House):
    other = make_key_file(house.folder / "other.key", ORIGIN)
    house.record("7001")
    with pytest.raises(WrongKey, match="the log's current key is"):
        house.seal(other)
    assert house.rows.seals() == []


def test_sealed_at_is_the_moment_handed_in(house: House):
    house.record("7001")
    house.seal()
    assert house.rows.last().sealed_at == microseconds(house.now)


@pytest.mark.parametrize("statement", SEAL_CHANGES)
def test_seals_are_append_only(sealed_house: House, store_url: str, statement: str):
    if store_url.startswith("sqlite"):
        import sqlite3 as driver

        db = driver.connect(store_url.removeprefix("sqlite:///"))
    else:
        import psycopg as driver

        db = driver.connect(store_url, options="-c search_path=ledger")
    with pytest.raises(driver.Error, match="append-only"):
        db.execute(statement)
    db.close()


@pytest.mark.parametrize("statement", SEAL_REPLACEMENTS)
def test_sqlite_replaces_no_row_of_a_seal(sqlite_store_url: str, tmp_path, statement: str):
    import sqlite3

    house = House(sqlite_store_url, tmp_path)
    house.record("7001")
    house.seal()
    house.close()
    db = sqlite3.connect(sqlite_store_url.removeprefix("sqlite:///"))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    db.close()


def test_the_heads_tree_is_made_anew_where_its_pages_are_lost(sealed_house: House, tamper: Callable[..., None]):
    house = sealed_house
    root = house.rows.last().heads_root
    with house.rows.sealing() as pages:
        pages.finish(1, 0)
    with pytest.raises(StoreError, match="run 'water-ledger audit seal'"):
        Places(house.rows)
    house.record("7003")
    house.seal()
    assert Places(house.rows).of("7003").version == 4
    assert house.rows.seals()[1].heads_root == root


def damage_a_page(house: House, store_url: str) -> None:
    """Flip a bit of a hash on the page of the heads tree on which all accounts are."""
    page = house.rows.page(0)
    flipped = page.entries[:-1] + bytes([page.entries[-1] ^ 1])
    sqlite = store_url.startswith("sqlite")
    tampered(
        store_url.replace(".db", ".heads.db") if sqlite else store_url, "UPDATE head_page SET entries = %s", flipped
    )


@pytest.mark.parametrize("new", [0, 1])
def test_a_damaged_page_of_the_heads_tree_is_made_anew_and_not_sealed(sealed_house: House, store_url: str, new: int):
    """Given a page with a flipped bit; no proof is made of it, and the next seal, with something new or without, has
    the heads that the events give."""
    house = sealed_house
    damage_a_page(house, store_url)
    with pytest.raises(StoreError, match="run 'water-ledger audit seal'"):
        Places(house.rows).of("7003")
    if new:
        house.record("7003")
        house.seal()
    house.seal()
    house.seal()
    assert Places(house.rows).of("7003").version == 3 + new
    assert verify(house.url, processes=1).findings == []


def test_places_are_those_of_the_seal_that_was_the_last_when_they_were_asked_for(sealed_house: House):
    places = Places(sealed_house.rows)
    sealed_house.seal()
    with pytest.raises(StoreError, match="are not at hand"):
        places.of("7002")


@pytest.mark.parametrize("many", [255, 256, 257, 600])
def test_the_heads_tree_grows_by_pages_and_stays_what_all_heads_give(house: House, many: int):
    accounts = [f"{number * 7919 % 100_003:05d}" for number in range(many)]
    for part in (accounts[: many // 2], accounts[many // 2 : -1], accounts[-1:], accounts[:1]):
        for account in part:
            house.record(account)
        house.seal()
        tips = [Head(a, *house.log.tip(a)) for a in sorted(set(house.log.accounts()))]
        root = tree.root(leaf_hashes(tips))
        assert house.rows.last().heads_root == root
        assert house.rows.last().accounts == len(tips)
        places = Places(house.rows)
        for number in {0, len(tips) // 2, len(tips) - 1}:
            place = places.of(tips[number].account)
            assert place.leaf == number
            assert tree.verify_inclusion(leaf_hashes([tips[number]])[0], number, len(tips), place.proof, root)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000])
def test_the_edge_of_the_tree_gives_the_same_root_however_it_grew(size: int):
    hashes = [tree.leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    edge, at = Edge(), 0
    for step in (1, 254, 1, 1, 300, 40_000, 100_000):
        edge.add(hashes[at : at + step])
        at += step
    assert edge.size == size
    assert edge.root() == tree.root(hashes)


def test_the_kept_tree_answers_for_every_complete_node(sealed_house: House):
    house = sealed_house
    leaves = [tree.leaf_hash(leaf) for leaf in leaves_of(house)]
    kept = StoredTree(house.rows)
    for level in range(6):
        for index in range(len(leaves) >> level):
            assert kept.get(level, index) == tree.root(leaves[index << level : (index + 1) << level])
    with pytest.raises(KeyError):
        kept.get(6, 0)
