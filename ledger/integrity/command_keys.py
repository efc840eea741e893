"""Is every command key that of the events it names? The third reading of an audit.

Keys hold what takes effect once (P3); they are in no hash. So they are compared with the events, which are: the id of
a command stands in its events, and so does the name of the thing it is about.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from ledger.integrity.chains import Finding
from ledger.store.log import EXPLICIT, shard_of
from ledger.store.seal_rows import StoredCommand

_EXPLICIT = EXPLICIT.encode()


def check_keys(shards: int, pages: Iterable[Sequence[StoredCommand]], titles: Collection[str]) -> list[Finding]:
    """What is wrong with the command keys, which come by shard and key.

    `titles` are the commands there are, none where that is not known.
    """
    found: list[Finding] = []
    about, spans = b"", list[tuple[int, int]]()
    known = {title.encode() for title in titles}
    for page in pages:
        for row in page:
            if not _is_plain(row, known) or (row[0] != 0 if shards == 1 else _misplaced(shards, row)):
                found += _check(shards, row, titles)
            whose = row[1].partition(b" ")[0]
            if whose != about:
                found += _shared(about, spans)
                about, spans = whose, []
            spans.append(row[4:6])
    return found + list(_shared(about, spans))


def _shared(account: bytes, spans: list[tuple[int, int]]) -> Iterator[Finding]:
    """Versions that two keys of an account name, explicit ids aside: each event is of one command."""
    if account.startswith(_EXPLICIT):
        return
    for (_, last), (first, _) in pairwise(sorted(spans)):
        if first <= last:
            yield Finding(account.decode(errors="replace"), first, "two command keys name this version")


def _is_plain(row: StoredCommand, titles: Collection[bytes]) -> bool:
    """Whether a key is seen to be right without reading its event: most are, and there are as many as events."""
    _, key, digest, account, first, last, state, _ = row
    if state is None or first != last or first < 1 or len(digest) != 32:
        return False
    if key.startswith(_EXPLICIT):
        return b'"command":"%b"' % key[len(_EXPLICIT) :] in state
    title, _, named = key.removeprefix(account + b" ").partition(b"/")
    own = account + b"/"
    if title not in titles or not named.startswith(own):
        return False
    return all(b'"%b"' % name in state for name in named[len(own) :].split(b"/"))


def _misplaced(shards: int, row: StoredCommand) -> bool:
    key = row[1]
    return row[0] != shard_of((key if key.startswith(_EXPLICIT) else row[3]).decode(errors="replace"), shards)


def _check(shards: int, row: StoredCommand, titles: Collection[str]) -> Iterator[Finding]:
    shard, raw, digest, who, first, last, *states = row
    key, account = raw.decode(errors="replace"), who.decode(errors="replace")
    events = [said for state in states if state is not None and isinstance(said := _said(state), dict)]
    reason = None
    if not 1 <= first <= last or states[0] is None or (last > first and states[1] is None):
        reason = f"names versions {first} to {last}, and they are not there"
    elif _misplaced(shards, row):
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
