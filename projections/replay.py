"""Every account folded from an export of the log, here or on other machines, to the digests that a rebuild comes to.

What is sent to a machine says where its events are, never what they are; of personal data it gets the keyed digests by
which its accounts' addresses are found, never a key.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ledger.integrity import tree
from ledger.integrity.archive import BadArchive
from ledger.integrity.columns import Columns, Group, of_types, read
from ledger.integrity.heads import leaf_hashes
from ledger.store.codec import decode
from ledger.store.log import StoreError
from ledger.store.seal_rows import Head
from ledger.utility import Rules, Utility
from projections.catalogue import PROJECTIONS, Packed, pack
from projections.links import LOOKED_UP, address_in
from projections.rows import Folded, Lookup, World
from projections.store import code, line_of

Done = list[tuple[Head, Packed]]
"""The accounts of a group in their order: what their chains lead to, and their rows."""

Fold = Callable[[Iterable[Group]], Iterator[Done]]
"""Folds groups, and yields what becomes of each in their order."""

Report = Callable[[int, int], None]


class Replayed(NamedTuple):
    """What an export came to: the digest of each projection's rows, and the root over the accounts' last events."""

    digests: dict[str, str]
    events: int
    accounts: int
    heads_root: str


class Addresses(dict[tuple[str, str, str], str | None]):
    """What was looked up beforehand, for a place that has no keys."""

    def __call__(self, account: str, field: str, sealed: str) -> str | None:
        return self[account, field, sealed]


def replay(export: Columns, fold: Fold, report: Report = lambda done, of: None) -> Replayed:
    """Fold all accounts of an export; raises BadArchive where it is not what was exported."""
    digests = {name: sha256() for name in PROJECTIONS}
    leaves, events, before = list[bytes](), 0, ""
    utility, _ = export.utility()
    for head, packed in heapq.merge(_accounts(export, fold), [(utility, None)], key=_name):
        if head.account <= before:
            raise BadArchive(f"account {head.account} is in the export twice")
        before = head.account
        leaves += leaf_hashes([head])
        events += head.version
        report(events, export.index.events)
        for digest, row in zip(digests.values(), packed or (), strict=packed is not None):
            if row is not None:
                digest.update(line_of(head.account, row))
    index = export.index
    if (events, len(leaves)) != (index.events, index.accounts):
        stated = f"{index.events} events of {index.accounts} accounts"
        raise BadArchive(f"the index states {stated}, and the export has {events} of {len(leaves)}")
    root = tree.root(leaves).hex()
    if root != index.heads_root:
        raise BadArchive("the accounts of the export do not end where its index says")
    return Replayed({name: digest.hexdigest() for name, digest in digests.items()}, events, len(leaves), root)


def _accounts(export: Columns, fold: Fold) -> Iterator[tuple[Head, Packed | None]]:
    """Every account but the utility, in order: the stretches follow each other, and each is merged from its groups."""
    stretches = list(export.groups())
    done = fold(group for stretch in stretches for group in stretch)
    for stretch in stretches:
        yield from heapq.merge(*(next(done) for _ in stretch), key=_name)


def _name(found: tuple[Head, Packed | None]) -> str:
    return found[0].account


def here(export: Columns, lookup: Lookup) -> Fold:
    """Folds in this process; `lookup` finds addresses."""
    world = World(_rules(str(export.folder), export.utility()[0].hash), lookup)
    return lambda groups: (_folded(group, world) for group in groups)


def fold_there(group: Group, utility: bytes, addresses: Addresses, program: str) -> Done:
    """What another machine does: fold a group by the rules at the end `utility` of the utility's chain.

    Raises BadArchive; StoreError where this is not the program that asks.
    """
    if code() != program:
        raise StoreError("a worker runs another version of the program (install the same one on all of them)")
    return _folded(group, World(_rules(group.folder, utility), addresses))


def addresses_of(group: Group, lookup: Lookup) -> Addresses:
    """The addresses in a group, looked up here, where the keys are."""
    found = Addresses()
    for account, state in of_types(group, LOOKED_UP):
        (event,) = decode([state])
        if address := address_in(event):
            found[account, *address] = lookup(account, *address)
    return found


def _folded(group: Group, world: World) -> Done:
    return [(head, pack(Folded(head.account, decode(states), world))) for head, states in read(group)]


@lru_cache(maxsize=1)
def _rules(folder: str, utility: bytes) -> Rules:
    """The calendar and the rules of an export, which ends its utility's stream there."""
    head, states = Columns(Path(folder)).utility()
    if head.hash != utility:
        raise BadArchive("the export was replaced while it was read")
    return Utility(decode(states)).rules()
