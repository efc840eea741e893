"""What was recorded between two notes of a log, once it is shown that the later note extends the earlier one."""

from collections import Counter
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.bundle import NotSealed, SealedLog
from ledger.integrity.check import read_signed
from ledger.integrity.notes import BadNote, Checkpoint, Key, verified
from ledger.integrity.seals import NotIntact
from ledger.store.seal_rows import SealRow


class Between(NamedTuple):
    """The seals over the earlier note and up to the later one, and the events that they took."""

    earlier: Checkpoint
    later: Checkpoint
    seals: list[SealRow]
    types: Counter[str]
    accounts: dict[str, Counter[str]]
    opened: int


def between(sealed: SealedLog, keys: list[Key], earlier: str, later: str) -> Between:
    """Compare two notes; raises BadNote where they are not this log's, NotIntact where it does not extend them."""
    old, new = (_own(sealed, keys, text) for text in (earlier, later))
    if old.size > new.size:
        old, new = new, old
    proof = tree.consistency(old.size, new.size, sealed.tree.get)
    if not tree.verify_consistency(old.size, new.size, old.root, new.root, proof):
        raise NotIntact("the later note is not of a log that begins with the earlier one: the log was rewritten")
    first, last = (_number(sealed, point) for point in (old, new))
    types, accounts = Counter[str](), dict[str, Counter[str]]()
    opened = 0
    for row in sealed.taken(first, last):
        types[row.type] += 1
        accounts.setdefault(row.account, Counter())[row.type] += 1
        opened += row.version == 1
    return Between(old, new, sealed.seals[first:last], types, dict(sorted(accounts.items())), opened)


def _own(sealed: SealedLog, keys: list[Key], text: str) -> Checkpoint:
    note, point = read_signed(text)
    if point.origin != sealed.log.origin:
        raise BadNote(f"the note is about another log, {point.origin}, and this one is {sealed.log.origin}")
    if not verified(note, keys):
        raise BadNote(f"the note of {point.size:,} leaves is not signed by a key of this log")
    return point


def _number(sealed: SealedLog, point: Checkpoint) -> int:
    """The number of the seal that a note is about; raises NotIntact where the log has another root for it."""
    for seal in sealed.seals:
        if seal.size == point.size:
            if seal.root != point.root:
                break
            return seal.number
    if point.size > sealed.last.size:
        raise NotSealed(f"the note is about {point.size:,} leaves, and this store has {sealed.last.size:,} (a copy?)")
    raise NotIntact(f"the log has no seal like that of the note of {point.size:,} leaves: it was rewritten")
