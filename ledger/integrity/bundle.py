"""Making a bundle: the sealed history of some accounts, with what proves it, from a store and its seals."""

import re
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET

from ledger.integrity import tree
from ledger.integrity.bundle_form import (
    FORMAT,
    Absent,
    Bundle,
    Consistency,
    Dated,
    EventSaid,
    History,
    Neighbour,
    SealPlaced,
    SealSaid,
)
from ledger.integrity.heads import Place, Places
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.notes import Checkpoint, read_checkpoint, read_note
from ledger.integrity.seals import NotIntact, stated
from ledger.integrity.tiles import StoredTree
from ledger.store.keys import SEALED, Keys
from ledger.store.log import Log, Row, StoreError
from ledger.store.seal_rows import NotSealing, SealRow, SealRows

_PAGE = 2_000
_KEY_ID = re.compile(rb'"%b([0-9a-f]{32}):' % SEALED.encode())


class NotSealed(StoreError):
    """What was asked for is not under a signed seal; the message says what to do."""


class Made(NamedTuple):
    """A bundle, and how many events of its accounts are newer than its seal and so not in it."""

    bundle: Bundle
    newer: Mapping[str, int]


class SealedLog:
    """A log up to its last signed seal: where its events stand, and what proves it.

    Raises NotSealed, NotSealing, NotIntact.
    """

    def __init__(self, log: Log, rows: SealRows) -> None:
        if not rows.exists():
            raise NotSealing(rows.place)
        self.log = log
        self.rows = rows
        self.seals = rows.seals()
        if not self.seals:
            raise NotSealed(f"nothing is sealed yet at {rows.place} (run 'water-ledger audit seal')")
        if {len(seal.heads) for seal in self.seals} != {8 * len(log.heads())}:
            raise NotIntact(
                f"a seal of {rows.place} is over other shards than there are (run 'water-ledger audit verify')"
            )
        self.last = self.seals[-1]
        note = rows.note(self.last.number)
        if note is None:
            raise NotSealed(
                f"seal {self.last.number} of {rows.place} is not signed yet (run 'water-ledger audit seal' to sign it)"
            )
        self.note = note
        self.tree = StoredTree(rows)
        self._heads: dict[int, list[int]] = {}

    def heads(self, seal: int) -> list[int]:
        """The heads of all shards after so many seals."""
        if seal not in self._heads:
            shards = len(self.last.heads) // 8
            self._heads[seal] = unpacked_heads(self.seals[seal - 1].heads) if seal else [0] * shards
        return self._heads[seal]

    def seal_of(self, shard: int, position: int) -> int:
        """How many seals were taken before the one that took this position; their number where none did yet."""
        at = slice(8 * shard, 8 * shard + 8)
        return bisect_left(self.seals, position, key=lambda seal: int.from_bytes(seal.heads[at], "big"))

    def leaf_of(self, shard: int, position: int) -> int:
        """The leaf of a sealed event."""
        seal = self.seal_of(shard, position)
        before, after = self.heads(seal), self.heads(seal + 1)
        passed = sum(after[:shard]) - sum(before[:shard])
        return self.seals[seal].first_leaf + passed + position - before[shard] - 1

    def event_at(self, leaf: int) -> tuple[int, int] | None:
        """The shard and position of the event at a leaf, None for a seal's; raises NotIntact if seals count wrongly."""
        seal = bisect_left(self.seals, leaf + 1, key=lambda each: each.size)
        if leaf == self.seals[seal].size - 1:
            return None
        rest = leaf - self.seals[seal].first_leaf
        for shard, (low, high) in enumerate(zip(self.heads(seal), self.heads(seal + 1), strict=True)):
            if rest < high - low:
                return shard, low + rest + 1
            rest -= high - low
        raise NotIntact(f"seal {seal + 1} counts its leaves wrongly (run 'water-ledger audit verify')")

    def taken(self, first: int, last: int) -> Iterator[Row]:
        """The events that the seals over number `first` up to `last` took, by shard and position; raises NotIntact."""
        for shard, (low, high) in enumerate(zip(self.heads(first), self.heads(last), strict=True)):
            while low < high:
                page = self.log.follow({shard: low}, min(_PAGE, high - low), shard)
                if not page or page[-1].position != low + len(page):
                    raise NotIntact(f"events of shard {shard} are missing (run 'water-ledger audit verify')")
                yield from page
                low = page[-1].position

    def events_of(self, account: str) -> tuple[list[Row], int]:
        """The sealed events of an account by version, and how many are newer."""
        rows = self.log.rows(account)
        sealed = [row for row in rows if self.seal_of(row.shard, row.position) < len(self.seals)]
        return sealed, len(rows) - len(sealed)


def make(
    sealed: SealedLog,
    accounts: Iterable[str],
    keys: Keys | None = None,
    *,
    dated: bool = False,
    since: str | None = None,
) -> Made:
    """The bundle of these accounts; of one that the log does not hold, the proof that it does not.

    With `keys` whoever has the bundle can open the personal data in it. With `since`, the note of an older audit, the
    bundle shows that the log still begins with what that note signed. Raises BadNote, NotSealed, NotIntact.
    """
    places = Places(sealed.rows)
    if places.root != sealed.last.heads_root:
        raise NotSealed("a seal was taken meanwhile (run the command again)")
    histories, absent, newer = list[History](), list[Absent](), dict[str, int]()
    for account in sorted(set(accounts)):
        rows, newer[account] = sealed.events_of(account)
        place = places.of(account)
        if place:
            histories.append(_history(sealed, place, rows, keys))
        elif rows:
            raise NotIntact(f"account {account} is not in the last seal (run 'water-ledger audit verify')")
        else:
            left, right = places.around(account)
            absent.append(Absent(account, _neighbour(left), _neighbour(right)))
    around = _around(sealed, histories) if dated else []
    leaves = [event.leaf for history in histories for event in history.events]
    leaves += [seal.leaf for seal in around] + [sealed.last.size - 1]
    nodes = [sealed.tree.get(*node) for node in tree.nodes_for(sealed.last.size, leaves)]
    bundle = Bundle(
        format=FORMAT,
        note=sealed.note,
        seal=seal_said(sealed.last),
        accounts=histories,
        nodes=b64encode(b"".join(nodes)).decode(),
        dated=Dated(around) if dated else UNSET,
        absent=absent or UNSET,
        consistency=consistency(sealed, since) if since is not None else UNSET,
    )
    return Made(bundle, newer)


def seal_said(row: SealRow) -> SealSaid:
    """A seal as bundles state it."""
    return SealSaid(**_said(row))


def consistency(sealed: SealedLog, since: str) -> Consistency:
    """That the log still begins with what the note `since` signed; raises BadNote, NotSealed, NotIntact."""
    older, now = read_checkpoint(read_note(since).text), checkpoint(sealed)
    if older.origin != now.origin:
        raise NotSealed(f"that note is about another log, {older.origin}, and this one is {now.origin}")
    if older.size > now.size:
        raise NotIntact(
            f"that note is about {older.size:,} leaves, and the last seal has {now.size:,}: sealed events are missing, "
            "or this is an older copy of the store"
        )
    proof = tree.consistency(older.size, now.size, sealed.tree.get)
    if not tree.verify_consistency(older.size, now.size, older.root, now.root, proof):
        raise NotIntact("the log does not begin with what that note signed: it was rewritten, or the note is forged")
    return Consistency(older.size, [step.hex() for step in proof])


def checkpoint(sealed: SealedLog) -> Checkpoint:
    """What the last note signs."""
    return read_checkpoint(read_note(sealed.note).text)


def stored_text(row: Row) -> str:
    """The stored bytes of an event as text; raises NotIntact."""
    try:
        return row.state.decode()
    except UnicodeDecodeError:
        raise NotIntact(
            f"account {row.account}, version {row.version}: its stored bytes are no text "
            "(run 'water-ledger audit verify')"
        ) from None


def _history(sealed: SealedLog, place: Place, rows: Sequence[Row], keys: Keys | None) -> History:
    events = [
        EventSaid(
            version=row.version,
            type=row.type,
            shard=row.shard,
            position=row.position,
            leaf=sealed.leaf_of(row.shard, row.position),
            hash=row.hash.hex(),
            stored=stored_text(row),
        )
        for row in rows
    ]
    return History(
        account=place.account,
        index=place.leaf,
        proof=[step.hex() for step in place.proof],
        events=events,
        keys=_keys_in(place.account, rows, keys) if keys else UNSET,
    )


def _keys_in(account: str, rows: Iterable[Row], keys: Keys) -> dict[str, str]:
    """The data keys that open the personal data in these events; those that were erased are not there."""
    ids = dict.fromkeys(id for row in rows for id in _KEY_ID.findall(row.state))
    found = {id.decode(): keys.data_key(account, bytes.fromhex(id.decode())) for id in ids}
    return {id: b64encode(key).decode() for id, key in found.items() if key is not None}


def _around(sealed: SealedLog, histories: Iterable[History]) -> list[SealPlaced]:
    """The seal before each event and the one that took it, but for the last, which every bundle states."""
    wanted = set[int]()
    for history in histories:
        for event in history.events:
            seal = sealed.seal_of(event.shard, event.position)
            wanted |= {seal - 1, seal}
    rows = [sealed.seals[at] for at in sorted(wanted) if 0 <= at < len(sealed.seals) - 1]
    return [SealPlaced(**_said(row), leaf=row.size - 1) for row in rows]


def _said(row: SealRow) -> dict[str, Any]:
    return {name: part.hex() if isinstance(part, bytes) else part for name, part in stated(row)._asdict().items()}


def _neighbour(place: Place | None) -> Neighbour | None:
    if place is None:
        return None
    proof = [step.hex() for step in place.proof]
    return Neighbour(place.account, place.version, place.hash.hex(), place.leaf, proof)
