"""What is looked at after a fault: is the log whole, is all there that was acknowledged, does it add up."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing

from ledger.application import Ledger
from ledger.integrity.audit import Evidence, verify
from ledger.posting import Outcome
from ledger.store.log import EXPLICIT, Log, event_hash, genesis
from ledger.store.open import open_log
from scripts.campaigns.acting import Record, Writer, clock, command, owed


def check_whole(url: str) -> int:
    """Every chain, every position and every file page; returns the number of events, raises AssertionError."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            found = db.execute("PRAGMA integrity_check").fetchall()
            assert found == [("ok",)], f"the file is damaged: {found}"
    with closing(open_log(url, read_only=True)) as log:
        # A server may still be at the last transaction of a client that was killed; what it adds is whole too.
        before = {shard: head for shard, head in log.heads().items() if head}
        positions: dict[int, list[int]] = {}
        for account in log.accounts():
            previous = genesis(log.origin, account)
            for version, row in enumerate(log.rows(account), 1):
                assert row.version == version, f"account {account} has no version {version}"
                previous = event_hash(previous, version, account, row.type, row.state)
                assert row.hash == previous, f"account {account}, version {version}: the hash is of other bytes"
                positions.setdefault(row.shard, []).append(row.position)
        heads = {shard: head for shard, head in log.heads().items() if head}
        for shard in heads.keys() | positions.keys():
            found, least, most = sorted(positions.get(shard, [])), before.get(shard, 0), heads.get(shard, 0)
            assert found == list(range(1, len(found) + 1)), f"shard {shard} has a gap at or below its head"
            assert least <= len(found) <= most, f"shard {shard} has {len(found)} events, and its head is {most}"
        return sum(heads.values())


def check_verified(url: str, evidence: Evidence) -> None:
    """`audit verify` finds nothing, by the key and the notes that are brought."""
    findings = verify(url, evidence, processes=1).findings
    assert not findings, f"audit verify: {findings[0]}"


def check_acknowledged(url: str, written: Sequence[Record], acknowledged: Iterable[int]) -> None:
    """Each acknowledged record is found by its id, and stands where the log says."""
    with closing(open_log(url, read_only=True)) as log:
        ids = [f"{EXPLICIT}{written[number]['id']}" for number in acknowledged]
        found = log.find(ids, "")
        lost = [each for each in ids if each not in found]
        assert not lost, f"{len(lost)} acknowledged commands are lost, {lost[0]} for one"


def check_posted_again(url: str, written: Sequence[Record], acknowledged: Iterable[int]) -> None:
    """The same feed once more: what was acknowledged is a duplicate, the rest is recorded, and all adds up."""
    known = set(acknowledged)
    with Ledger(url, clock) as ledger:
        outcomes = list(ledger.post_all(map(command, written)))
        for number, outcome in enumerate(outcomes):
            wanted = {"duplicate"} if number in known else {"duplicate", "recorded"}
            assert outcome.status in wanted, f"record {number} ({written[number]['id']}): {outcome}"
        check_balances(ledger, written)
        assert _events(ledger.store) == len(written), "an event too many or too few"
        again: list[Outcome] = list(ledger.post_all(map(command, written)))
        assert {outcome.status for outcome in again} == {"duplicate"}


def check_resent(writer: Writer) -> None:
    """What had no answer was sent again: it was there, all of it, and is a duplicate; or was not, and is recorded."""
    assert len(writer.resent) == len(writer.unanswered), "what had no answer was not sent again"
    for there, said in writer.resent:
        assert len({*there}) == 1, f"a batch without an answer is there in part: {there}"
        wanted = "duplicate" if there[0] else "recorded"
        assert {*said} == {wanted}, f"sent again: {said} where all should be {wanted}"


def check_all_posted(
    url: str, writers: Sequence[Writer], shares: Sequence[Sequence[Record]], before: Sequence[Record] = ()
) -> list[Record]:
    """Writers that were told to go on until all is acknowledged did so, and nothing is lost.

    Returns all records, with what was recorded `before`.
    """
    check_whole(url)
    for writer, share in zip(writers, shares, strict=True):
        assert len(writer.acknowledged) == len(share)
        check_acknowledged(url, share, writer.acknowledged)
        check_resent(writer)
    everything = [record for share in (before, *shares) for record in share]
    check_posted_again(url, everything, range(len(everything)))
    return everything


def check_balances(ledger: Ledger, written: Sequence[Record]) -> None:
    """Each account owes what plain addition says."""
    for account, cents in owed(written).items():
        balance = ledger.books.history(account).as_of().balance
        assert balance == cents, f"account {account} owes {balance} cents instead of {cents}"


def _events(log: Log) -> int:
    return sum(len(log.states(account)) for account in log.accounts() if not account.startswith("@"))
