"""Is every command key that of the events it names, and is every event of a command under its key?

Keys hold what takes effect once (P3); they are in no hash. So they are compared with the events, which are: the id of
a command stands in its events, and so does the name of the thing it is about.
"""

from binascii import hexlify
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from ledger import events as e
from ledger.integrity.chains import Finding
from ledger.store.codec import Unreadable, decode
from ledger.store.log import EXPLICIT, UTILITY, address, shard_of
from ledger.store.seal_rows import LeafEvent, Mark, SealRows, StoredCommand

_COMMAND = b'"command":"'
_ARRIVED = e.PaymentTransferredIn.__name__.encode()

Spans = list[tuple[int, int]]


class Ids(NamedTuple):
    """What became of the events with an explicit command id: how many begin and end what their key names."""

    findings: list[Finding]
    begun: int
    ended: int


def check_ids(rows: SealRows, shards: int, events: Sequence[LeafEvent]) -> Ids:
    """Whether every event with an explicit command id is under the key of that id."""
    if _COMMAND not in b"".join([event[4] for event in events]):
        return Ids([], 0, 0)
    given = [(event, EXPLICIT + id) for event in events if _COMMAND in event[4] and (id := _id(event[4]))]
    # No key holds a NUL, and a server takes none in a question.
    asked = dict.fromkeys(key for _, key in given if "\0" not in key)
    kept = rows.explicit([address(key, "", shards) for key in asked])
    findings, begun, ended = list[Finding](), 0, 0
    for (_, account, version, type, _, _), key in given:
        whose, first, last = kept.get(key, (b"", 0, 0))
        begun += (whose, first) == (account, version)
        ended += (whose, last) == (account, version)
        # The other side of a transfer is under the key of the account that the payment left.
        there = first > 0 if type == _ARRIVED else whose == account and first <= version <= last
        if not there:
            why = "names other events" if first else "is missing"
            findings.append(Finding(account.decode(errors="replace"), version, f"its command key {key[:80]!r} {why}"))
    return Ids(findings, begun, ended)


def check_explicit(rows: SealRows, shards: int) -> list[Finding]:
    """What is wrong with the keys of explicit ids, each compared with the events that it names."""
    return [finding for page in rows.explicit_commands() for row in page for finding in _check(shards, row, ())]


def check_keys(rows: SealRows, shards: int, titles: Collection[str], low: Mark, high: Mark) -> list[Finding]:
    """What is wrong with the other keys of accounts over `low` and at most `high`, and the events that are under none.

    `titles` are the commands there are, none where that is not known.
    """
    found: list[Finding] = []
    known = {title.encode() for title in titles}
    lengths = dict(chain.from_iterable(rows.lengths(low, high)))
    whose, begins, own, shard = b"", b"", b"", 0
    spans: Spans = []
    for row in chain.from_iterable(rows.commands(low, high)):
        kept_shard, key, digest, account, first, last, state, _ = row
        if not begins or not key.startswith(begins):
            found += _covered(rows, whose, spans, lengths.pop(whose, 0))
            whose = key.partition(b" ")[0]
            begins, own, spans = whose + b" ", whose + b"/", []
            shard = shard_of(whose.decode(errors="replace"), shards)
        title, _, named = key[len(begins) :].partition(b"/")
        # Nearly all keys are of one event, and hold their own digest or one name that stands in it.
        if not (
            title in known
            and account == whose
            and kept_shard == shard
            and first == last > 0
            and state is not None
            and len(digest) == 32
            and (named == hexlify(digest) or (named.startswith(own) and _named(named[len(own) :], state)))
        ):
            found += _check(shards, row, titles)
        spans.append((first, last))
    found += _covered(rows, whose, spans, lengths.pop(whose, 0))
    for account, length in lengths.items():
        found += _covered(rows, account, [], length)
    return found


def _named(names: bytes, state: bytes) -> bool:
    """Whether an event holds these names; a name with a stroke in it is not seen here."""
    return b'"%b"' % names in state or (b"/" in names and all(b'"%b"' % name in state for name in names.split(b"/")))


def _covered(rows: SealRows, account: bytes, spans: Spans, length: int) -> Iterator[Finding]:
    """Versions that two keys of an account name, and those that should be under one and are not."""
    spans.sort()
    if len(spans) == length and all(span == (version, version) for version, span in enumerate(spans, 1)):
        return
    reached = 0
    # A damaged version may be any number, so what lies between is never written out.
    gaps: list[range] = []
    for first, last in spans:
        if first <= reached:
            yield Finding(account.decode(errors="replace"), first, "two command keys name this version")
        gaps.append(range(reached + 1, min(first, length + 1)))
        reached = max(reached, last)
    gaps.append(range(reached + 1, length + 1))
    if any(gaps):
        yield from _without_key(rows, account, gaps)


def _without_key(rows: SealRows, account: bytes, gaps: Collection[range]) -> Iterator[Finding]:
    """Those of the events under no key of their account that should be under one."""
    who = account.decode(errors="replace")
    excuses = _Excuses(who)
    for page in rows.states(who):
        for version, state in page:
            excused = excuses.has(version, state)
            if not excused and any(version in gap for gap in gaps):
                yield Finding(who, version, "no command key names it")


class _Excuses:
    """Why an event may be under no key of its account; asked for each event of the account, by version."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._began: datetime | None = None
        self._erased: set[tuple[str | None, ...]] = set()

    def has(self, version: int, state: bytes) -> bool:
        """Whether there is such a reason."""
        try:
            (event,) = decode([state])
        except Unreadable:
            return False
        if version == 1 and self._account == UTILITY:
            self._began = event.recorded_at
        if isinstance(event, e.PolicyPublished) and event.recorded_at == self._began:
            return True  # The ledger was created with it.
        if isinstance(event, e.PersonalDataErased):
            said = event.kind, event.authority, event.override_reason
            again = said in self._erased  # The key is that of the first time.
            self._erased.add(said)
            return again or event.command is not None
        # A command with an id is under the key of that; a transfer under a key of the account that the payment left.
        return event.command is not None or isinstance(event, e.PaymentTransferredIn)


def _check(shards: int, row: StoredCommand, titles: Collection[str]) -> Iterator[Finding]:
    shard, raw, digest, who, first, last, *states = row
    key, account = raw.decode(errors="replace"), who.decode(errors="replace")
    events = [said for state in states if state is not None and isinstance(said := _said(state), dict)]
    reason = None
    if not 1 <= first <= last or states[0] is None or (last > first and states[1] is None):
        reason = f"names versions {first} to {last}, and they are not there"
    elif shard != shard_of(key if key.startswith(EXPLICIT) else account, shards):
        reason = f"stands in shard {shard}, where nobody looks for it"
    elif len(digest) != 32:
        reason = f"has a digest of {len(digest)} bytes"
    elif key.startswith(EXPLICIT):
        if any(said.get("command") != key.removeprefix(EXPLICIT) for said in events):
            reason = "is not the id that its events hold"
    elif not _belongs(key, account, digest, events, titles):
        reason = "is not of its events"
    if reason:
        yield Finding(account, max(first, 0), f"the command key {key[:80]!r} {reason}")


def _belongs(key: str, account: str, digest: bytes, events: list[dict[str, Any]], titles: Collection[str]) -> bool:
    """Whether the account, the command, and the digest or the names in a key are those of its events."""
    whose, _, rest = key.partition(" ")
    title, _, named = rest.partition("/")
    if whose != account or (titles and title not in titles):
        return False
    whose, _, names = named.partition("/")
    if not names:
        return named == digest.hex()
    return whose == account and any(_composed(names, {*_texts(said), account}) for said in events)


def _composed(names: str, texts: Collection[str]) -> bool:
    """Whether this is some of the texts, one behind the other with strokes between; an id may hold a stroke itself."""
    return names in texts or any(
        names.startswith(f"{text}/") and _composed(names[len(text) + 1 :], texts) for text in texts if text
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _said(state: bytes) -> Any:
    try:
        return msgspec.json.decode(state)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # told of the event itself


def _id(state: bytes) -> str | None:
    said = _said(state)
    found = said.get("command") if isinstance(said, dict) else None
    return found if isinstance(found, str) else None
