"""Whether a bundle holds: the package's own verifier, which needs no store.

`scripts/check_bundle.py` and the dossier's JavaScript do the same apart from this and from each other; a test has the
three agree on thousands of bundles. What does not hold is a finding that names the account, the version and the reason.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import UNSET

from ledger.integrity import tree
from ledger.integrity.bundle_form import (
    LARGEST,
    Bundle,
    History,
    Malformed,
    Neighbour,
    SealPlaced,
    read_bundle,
    strictly,
)
from ledger.integrity.leaves import event_leaf, head_entry
from ledger.integrity.notes import (
    SIGNATURE,
    BadNote,
    Checkpoint,
    Key,
    Note,
    from_base64,
    read_checkpoint,
    read_note,
    verified,
)
from ledger.integrity.seals import SLACK, microseconds, moment_of
from ledger.store.keys import key_id_of
from ledger.store.log import event_hash, genesis

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


class Finding(NamedTuple):
    """What does not hold, of which account and version; None where it is about the bundle as a whole."""

    account: str | None
    version: int | None
    reason: str

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        return f"account {self.account}{version} {self.reason}" if self.account else self.reason


NOT_THE_BEGINNING = "the log that the older note signed is not the beginning of this one"


class Checked(NamedTuple):
    """What was found in a bundle; a bundle that cannot be read has one finding, and neither content nor checkpoint."""

    findings: list[Finding]
    bundle: Bundle | None = None
    checkpoint: Checkpoint | None = None


def check(raw: bytes, keys: Sequence[Key], since: str | None = None) -> Checked:
    """Check a bundle against the log's key (several where it was changed) and a note kept from an earlier audit.

    Raises BadNote where a key or that note cannot be used.
    """
    if any(key.kind != SIGNATURE for key in keys):
        raise BadNote("a bundle is checked against the log's own key; a witness's key signs a time")
    older = read_signed(since) if since is not None else None
    try:
        bundle = read_bundle(raw)
        (note, at), nodes = read_signed(bundle.note), from_base64(bundle.nodes, "the list of nodes")
        for history in bundle.accounts:
            for key in (history.keys or {}).values():
                from_base64(key, f"a key of account {history.account}")
    except (Malformed, BadNote) as error:
        return Checked([Finding(None, None, str(error))])
    leaves: dict[int, bytes] = {}
    found = [*unsigned(note, keys, "the note")]
    for history in bundle.accounts:
        found += [*_broken(history, at, leaves), *_cut(history, bundle), *_strange_keys(history)]
    found += [*_not_absent(bundle), *_outside(bundle, at, leaves, nodes), *_misdated(bundle, at)]
    if older is not None:
        found += [*unsigned(older[0], keys, "the older note"), *_forked(older[1], at, bundle)]
    return Checked(found, bundle, at)


def read_signed(text: str) -> tuple[Note, Checkpoint]:
    """A note and the checkpoint that it signs; raises BadNote."""
    note = read_note(text)
    checkpoint = read_checkpoint(note.text)
    if not 0 < checkpoint.size <= LARGEST:
        raise BadNote("the note is about a log without leaves, or with more than there can be")
    return note, checkpoint


def unsigned(note: Note, keys: Sequence[Key], what: str) -> Iterator[Finding]:
    """Whether one of the keys signed a note; lines of other signers are passed over."""
    try:
        if not verified(note, keys):
            yield Finding(None, None, f"{what} is not signed with the key given")
    except BadNote as error:
        yield Finding(None, None, f"{what} was altered after it was signed, or another key signed it: {error}")


def _broken(history: History, at: Checkpoint, leaves: dict[int, bytes]) -> Iterator[Finding]:
    """The chain of one account; the leaves of its events are noted down."""
    name, shard, position, leaf = history.account, history.events[0].shard, 0, -1
    before = genesis(at.origin, name)
    for version, event in enumerate(history.events, 1):
        hash = bytes.fromhex(event.hash)
        if event.version != version:
            yield Finding(name, version, f"is missing: version {event.version} stands in its place")
        elif event_hash(before, version, name, event.type, event.stored.encode()) != hash:
            yield Finding(name, version, "was altered, moved or exchanged: its hash is not the one that was recorded")
        elif not is_what_it_says(said_by(event.stored), event.type, version):
            yield Finding(name, version, "is not the event that it says it is")
        if event.shard != shard or event.position <= position or not leaf < event.leaf < at.size - 1:
            yield Finding(name, version, "does not stand in the log after the version before it and before the seal")
        elif event.leaf in leaves:
            yield Finding(name, version, "stands in the place of another event in the log")
        else:
            leaves[event.leaf] = tree.leaf_hash(event_leaf(shard, event.position, hash))
        before, position, leaf = hash, event.position, event.leaf


def is_what_it_says(said: dict[str, Any], type_: str, version: int) -> bool:
    """Whether a stored event says of itself what is said of it."""
    return said.get("type") == type_ and said.get("version") == version and said["version"] is not True


def said_by(stored: str) -> dict[str, Any]:
    """What a stored event says; nothing where it cannot be read."""
    try:
        said = strictly(stored)
    except Malformed:
        return {}
    return said if isinstance(said, dict) else {}


def _cut(history: History, bundle: Bundle) -> Iterator[Finding]:
    last = history.events[-1]
    end = Neighbour(history.account, last.version, last.hash, history.index, history.proof)
    if not _in_heads(end, bundle):
        yield Finding(history.account, last.version, "is not where the sealed history ends: it was cut or altered")


def _in_heads(entry: Neighbour, bundle: Bundle) -> bool:
    leaf = tree.leaf_hash(head_entry(entry.account, entry.version, bytes.fromhex(entry.hash)))
    proof = [bytes.fromhex(step) for step in entry.proof]
    return tree.verify_inclusion(leaf, entry.index, bundle.seal.accounts, proof, bundle.seal.seal.heads_root)


def _strange_keys(history: History) -> Iterator[Finding]:
    for id, key in (history.keys or {}).items():
        if key_id_of(b64decode(key)).hex() != id:
            yield Finding(history.account, None, f"has a key {id[:40]} that is not the one its id names")


def _not_absent(bundle: Bundle) -> Iterator[Finding]:
    """Two neighbours in the heads tree leave no room for an account between them."""
    for name, left, right in ((each.account, each.left, each.right) for each in bundle.absent or ()):
        ordered = (left is None or left.account < name) and (right is None or name < right.account)
        after = left.index + 1 if left else 0
        adjacent = after == (right.index if right else bundle.seal.accounts)
        if not ordered or not adjacent or not all(_in_heads(each, bundle) for each in (left, right) if each):
            yield Finding(name, None, "is not proved to be missing")


def _seals(bundle: Bundle, at: Checkpoint) -> list[tuple[int, SealPlaced | Any]]:
    dated = bundle.dated.seals if bundle.dated else []
    return [*((each.leaf, each) for each in dated), (at.size - 1, bundle.seal)]


def _outside(bundle: Bundle, at: Checkpoint, leaves: dict[int, bytes], nodes: bytes) -> Iterator[Finding]:
    """Whether events and seals are leaves under the root that was signed; not asked where a place is disputed."""
    placed = len(leaves) == sum(len(history.events) for history in bundle.accounts)
    for leaf, seal in _seals(bundle, at):
        if leaf in leaves or leaf >= at.size:
            placed = False
            yield Finding(None, None, f"seal {seal.number} does not stand where the bundle says")
        leaves[leaf] = tree.leaf_hash(seal.seal.leaf)
    if placed:
        hashes = [nodes[start : start + 32] for start in range(0, len(nodes), 32)]
        try:
            root = tree.root_from(at.size, leaves, hashes)
        except ValueError:
            root = b""
        if root != at.root:
            reason = "the events and the seal are not those of the signed log: they come to another root"
            yield Finding(None, None, reason)


def _misdated(bundle: Bundle, at: Checkpoint) -> Iterator[Finding]:
    """Whether each event was recorded after the seal before it and before the one that took it; both have to be there.

    Where a seal begins and stands is part of the signed log, so none can be left out unnoticed.
    """
    if not bundle.dated:
        return
    seals = _seals(bundle, at)
    times = {-1: 0} | {leaf: seal.sealed_at for leaf, seal in seals}
    for history in bundle.accounts:
        for event in history.events:
            took = [(leaf, seal) for leaf, seal in seals if seal.first_leaf <= event.leaf < leaf]
            before = [times.get(seal.first_leaf - 1) for _, seal in took]
            if not took or None in before:
                yield Finding(history.account, event.version, "is not dated: the seals around it are not in the bundle")
                continue
            after, until = max(filter(None, before), default=0), min(seal.sealed_at for _, seal in took)
            recorded = recorded_at(said_by(event.stored))
            if recorded is None or not after - SLACK <= recorded <= until + SLACK:
                reason = f"was sealed between {shown(after)} and {shown(until)}, and was not recorded then"
                yield Finding(history.account, event.version, reason)


def recorded_at(said: dict[str, Any]) -> int | None:
    """When an event says that it was recorded, in microseconds since 1970; None where it says no moment."""
    moment = said.get("recorded_at")
    try:
        if not isinstance(moment, str) or not _MOMENT.fullmatch(moment):
            return None
        return microseconds(datetime.fromisoformat(moment))
    except ValueError:
        return None


def _forked(older: Checkpoint, at: Checkpoint, bundle: Bundle) -> Iterator[Finding]:
    """Whether the log that the older note signed is the beginning of this one."""
    step = bundle.consistency
    if older.origin != at.origin:
        yield Finding(None, None, f"the older note is about another log, {older.origin}")
    elif older.size > at.size:
        reason = "the older note is about a longer log: events were removed since, or this bundle is older"
        yield Finding(None, None, reason)
    elif older.size == at.size:
        if older.root != at.root:
            yield Finding(None, None, NOT_THE_BEGINNING)
    elif step is UNSET or step.old_size != older.size:
        reason = "the bundle does not show how it extends that note (export it with --since and that note)"
        yield Finding(None, None, reason)
    else:
        proof = [bytes.fromhex(each) for each in step.proof]
        if not tree.verify_consistency(older.size, at.size, older.root, at.root, proof):
            yield Finding(None, None, NOT_THE_BEGINNING)


def shown(at: int) -> str:
    """A moment, in microseconds since 1970 began, as a finding names it."""
    return f"{moment_of(at):%Y-%m-%d %H:%M:%S} UTC"
