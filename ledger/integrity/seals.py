"""Taking a seal: the log so far, under one root, signed.

The work has steps, each durable: the plan (which events, at what time), the leaves, the seal with the text of its note,
the signed note. Whoever dies in between leaves a plan or a text that the next one finishes as it stands; so there is
never a second text for one size.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import lt
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.heads import Damaged, Merged, heads_on
from ledger.integrity.leaves import NO_NOTE, Seal, note_hash, packed_heads, unpacked_heads
from ledger.integrity.notes import Checkpoint, Note, Signer, signed
from ledger.integrity.signing import WrongKey, current_key
from ledger.integrity.tiles import StoredTree, event_leaves
from ledger.store.log import StoreError
from ledger.store.seal_rows import HeadPages, Part, Plan, SealRow, SealRows

LEAVES = 65_536
"""How many leaves are written in one transaction."""

SLACK = 120 * 10**6
"""Microseconds that an event may wait for others before it is stored, and by which two clocks may differ."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Report = Callable[[int, int], None]


class Sealed(NamedTuple):
    """A seal with its signed note; `new` where this call made or finished it, `events` counts all that are sealed."""

    number: int
    note: str
    new: bool
    events: int


class NotIntact(StoreError):
    """What is to be sealed is not as it was recorded; the message names it."""


def seal(
    rows: SealRows, origin: str, signer: Signer, clock: Callable[[], datetime], report: Report = lambda done, of: None
) -> Sealed | None:
    """Seal all that was recorded since the last seal, finishing an interrupted one first.

    Returns the last seal; None where nothing was ever recorded. Raises StoreUnavailable where another program is
    sealing, NotSealing, WrongKey, NotIntact.
    """
    with rows.sealing() as pages:
        # Asked while nobody can bring in another: a key signs from the seal on that its handover names.
        key = current_key(rows)
        if signer.key != key:
            raise WrongKey(
                f"the log's current key is {key.id.hex()}, and the one given is {signer.key.id.hex()} (name its file)"
            )
        finished = _finish(rows, signer)
        last = rows.last()
        begun = _open_plan(rows, last)
        plan = begun or rows.make_plan(lambda heads: _plan(rows, last, heads, clock()))
        if plan is not None:
            _grow(rows, last, plan, report)
            last = _write(rows, origin, last, plan, pages)
            finished = _finish(rows, signer)
        elif last:
            if not _sound(pages):
                pages.finish(0, 0)
            if _kept(rows, pages) != last:
                _heads(rows, last.number, last.heads, pages)
    if begun is not None:
        # What was recorded since an interrupted seal was planned is in the one that follows it.
        following = seal(rows, origin, signer, clock, report)
        return following and following._replace(new=True)
    if last is None:
        return None
    return finished or Sealed(last.number, rows.note(last.number) or "", False, last.events)


def stated(row: SealRow) -> Seal:
    """What the leaf of a kept seal says."""
    return Seal(
        row.number,
        row.sealed_at,
        row.first_leaf,
        sha256(row.heads).digest(),
        row.events,
        row.accounts,
        row.heads_root,
        row.previous,
    )


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 began."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(microseconds: int) -> datetime:
    """The moment so many microseconds after 1970 began, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _open_plan(rows: SealRows, last: SealRow | None) -> Plan | None:
    plan, size = rows.plan(), last.size if last else 0
    if plan is None or plan.first_leaf != size:
        return None
    heads, reached = unpacked_heads(plan.heads), rows.reached()
    possible = len(heads) == len(reached) and not any(map(lt, reached, heads))
    # One of events that are not there gives way to another, as long as nothing of it was made.
    return plan if possible or rows.leaves_written() > size else None


def _plan(rows: SealRows, last: SealRow | None, heads: Sequence[int], now: datetime) -> Plan | None:
    before = unpacked_heads(last.heads) if last else [0] * len(heads)
    if list(heads) == before:
        return None
    if last and (len(heads) != len(before) or any(map(lt, heads, before))):
        raise NotIntact(
            f"the ledger says that it ends before what seal {last.number} took in, so nothing was sealed "
            "(run 'water-ledger audit verify')"
        )
    if any(map(lt, rows.reached(), heads)):
        raise NotIntact(
            "the ledger says that it ends behind its last event, so nothing was sealed "
            "(run 'water-ledger audit verify')"
        )
    # A clock that went back does not make a seal older than the one before.
    at = max(microseconds(now), last.sealed_at + 1 if last else 0)
    latest, made = rows.plan(), rows.plans()
    if latest and latest.number != made:
        raise NotIntact("a plan was renumbered, so nothing was sealed (run 'water-ledger audit verify')")
    return Plan(made + 1, at, last.size if last else 0, packed_heads(heads))


def _grow(rows: SealRows, last: SealRow | None, plan: Plan, report: Report) -> None:
    """Write the leaves of the plan's events that are not there yet."""
    ranges = _ranges(last, plan)
    total = sum(high - low for _, low, high in ranges)
    done = rows.leaves_written() - plan.first_leaf
    edge = StoredTree(rows).edge(plan.first_leaf + done)
    waiting: list[Part] = []
    written = edge.size
    for leaves in _leaves(rows, ranges, done):
        waiting += edge.add(leaves)
        if edge.size - written >= LEAVES:
            rows.add_parts(waiting)
            waiting, written = [], edge.size
            report(edge.size - plan.first_leaf, total)
    if waiting:
        rows.add_parts(waiting)
    report(total, total)


def _ranges(last: SealRow | None, plan: Plan) -> list[tuple[int, int, int]]:
    """The new positions of every shard: over the first number and at most the second."""
    until = unpacked_heads(plan.heads)
    after = unpacked_heads(last.heads) if last else [0] * len(until)
    return [(shard, low, high) for shard, (low, high) in enumerate(zip(after, until, strict=True))]


def _leaves(rows: SealRows, ranges: Sequence[tuple[int, int, int]], skip: int) -> Iterator[list[bytes]]:
    for shard, low, high in ranges:
        passed = min(skip, high - low)
        skip -= passed
        expected = low + passed
        for page in rows.hashes(shard, low + passed, high) if expected < high else ():
            if page[0][0] != expected + 1 or page[-1][0] != expected + len(page):
                break
            expected += len(page)
            yield event_leaves(shard, page)
        if expected != high:
            raise NotIntact(
                f"an event near position {expected + 1} of shard {shard} is missing, so nothing was sealed "
                "(run 'water-ledger audit verify')"
            )


def _write(rows: SealRows, origin: str, last: SealRow | None, plan: Plan, pages: HeadPages) -> SealRow:
    """Write down the planned seal, its leaf, and the text of its note."""
    events = sum(unpacked_heads(plan.heads))
    plan = plan._replace(number=last.number + 1 if last else 1)
    heads_root, accounts = _heads(rows, plan.number, plan.heads, pages)
    previous = NO_NOTE
    if last:
        note = rows.note(last.number)
        assert note is not None, "an unsigned seal is finished before another is planned"
        previous = note_hash(note)
    edge = StoredTree(rows).edge(rows.leaves_written())
    shards = sha256(plan.heads).digest()
    leaf = Seal(plan.number, plan.sealed_at, plan.first_leaf, shards, events, accounts, heads_root, previous).leaf
    parts = edge.add([tree.leaf_hash(leaf)])
    body = Checkpoint(origin, edge.size, edge.root())
    counts = (events, accounts, heads_root, previous)
    row = SealRow(*plan, *counts, edge.size, body.root, body.text)
    rows.add_seal(row, parts)
    return row


def _heads(rows: SealRows, number: int, heads: bytes, pages: HeadPages) -> tuple[bytes, int]:
    """Bring the heads tree to the heads of a seal; its root, and how many accounts it has."""
    until = unpacked_heads(heads)
    known = _kept(rows, pages)
    after = unpacked_heads(known.heads) if known else [0] * len(until)
    merged = Merged(pages.pages() if any(after) else (), rows.changed(after, until))
    try:
        pages.put(merged.altered())
    except Damaged:
        # They hold nothing of their own, and are made anew from the events.
        pages.finish(0, 0)
        return _heads(rows, number, heads, pages)
    pages.finish(number, len(merged.roots))
    return tree.root(merged.roots), merged.accounts


def _kept(rows: SealRows, pages: HeadPages) -> SealRow | None:
    """The seal whose heads are kept; None where there are none, or those of a history that is not this one."""
    number = pages.state()
    seal = next((seal for seal in rows.seals(number - 1) if seal.number == number), None) if number else None
    return seal if seal and tree.root(rows.page_roots()) == seal.heads_root else None


def _sound(pages: HeadPages) -> bool:
    try:
        return all(heads_on(page) for page in pages.pages())
    except Damaged:
        return False


def _finish(rows: SealRows, signer: Signer) -> Sealed | None:
    """Sign the text that was written down for the last seal, if it is not signed yet."""
    last = rows.last()
    if last is None or rows.note(last.number) is not None:
        return None
    note = str(Note(last.body, (signed(last.body, signer),)))
    rows.add_note(last.number, note)
    return Sealed(last.number, note, True, last.events)
