#!/usr/bin/env python3
"""Check a bundle of Water Ledger without the program that made it, without its database and without a network.

    python3 check_bundle.py 7001.bundle.json --key 'del-oro.example/ledger+1a2b3c4d+AZ...' [--since last-year.note]

A bundle holds whole histories of accounts as they were stored, and hashes that tie them to a note of the utility.
It recomputes every hash, with the standard library, and `cryptography` for the signature. How the proof goes:

1. The note says: the log named by its first line has so many leaves, and they come to this root. It is signed.
2. Each event of an account is hashed with the hash of the one before: none can be changed, left out, put in or moved.
3. The seal, the log's last leaf, commits to a tree of all accounts with their latest version and hash: nothing can be
   cut off the end, and an account that is missing can be proved to be missing.
4. Events and seal are leaves of the log's tree, whose root the note states; with --since it begins with the older one.
"""

import argparse
import base64
import json
import re
import sys
from collections import namedtuple
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 28
LARGEST = 2**53 - 1  # the largest whole number that every JSON reader reads alike
SLACK = 120 * 10**6  # microseconds by which the clocks of writers and sealer may disagree
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COUNT = re.compile(r"0|[1-9][0-9]{0,15}")
NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,250}")
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\dT{CLOCK}:[0-5]\d(\.\d{{1,6}})?(Z|[+-]{CLOCK})", re.ASCII)

# What a bundle looks like: the largest number, the form of a text, [every member], {member: form}, (form or nothing,).
ACCOUNT, HASH = re.compile(r"@utility|[A-Za-z0-9._-]{1,40}"), re.compile(r"[0-9a-f]{64}")
BASE64, TEXT = re.compile(r"[A-Za-z0-9+/=]*"), re.compile(r"(?s:.*)")
SEAL = dict.fromkeys(("number", "sealed_at", "first_leaf", "events", "accounts"), LARGEST)
SEAL |= dict.fromkeys(("shards", "heads_root", "previous"), HASH)
EVENT = {"version": LARGEST, "type": re.compile(r"[A-Za-z]{1,60}"), "shard": 65_535, "position": LARGEST}
EVENT |= {"leaf": LARGEST, "hash": HASH, "stored": TEXT}
HISTORY = {"account": ACCOUNT, "index": LARGEST, "proof": [HASH], "events": [EVENT], "keys?": {"*": BASE64}}
NEIGHBOUR = {"account": ACCOUNT, "version": LARGEST, "hash": HASH, "index": LARGEST, "proof": [HASH]}
BUNDLE = {"format": re.compile("waterledger/bundle/v1"), "note": re.compile(r"(?s:.{1,100000})"), "seal": SEAL}
BUNDLE |= {"accounts": [HISTORY], "nodes": BASE64, "dated?": {"seals": [SEAL | {"leaf": LARGEST}]}}
BUNDLE |= {"absent?": [{"account": ACCOUNT, "left": (NEIGHBOUR,), "right": (NEIGHBOUR,)}]}
BUNDLE |= {"consistency?": {"old_size": LARGEST, "proof": [HASH]}}
Json = dict[str, Any]
Finding = tuple[str | None, int | None, str]  # account and version (None: the bundle as a whole), and what is wrong
Key = tuple[str, bytes, bytes]  # the name it signs under, its four-byte id, its 32 bytes
Note = namedtuple("Note", "text origin size root signatures")  # the signed text; signatures: (name, key id, bytes)


# --- reading strictly: one meaning for every byte; what has none raises ValueError ------------------------------------
def parsed(text: str) -> Any:
    """A JSON value without doubled keys, fractions, broken characters or numbers that readers round."""
    try:
        value = json.loads(text, object_pairs_hook=once, parse_int=whole, parse_float=whole, parse_constant=whole)
    except RecursionError:
        raise ValueError("nested too deep") from None
    json.dumps(value, ensure_ascii=False).encode()
    return value


def once(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def whole(text: str) -> int:
    if not COUNT.fullmatch(text.removeprefix("-")) or text == "-0" or abs(int(text)) > LARGEST:
        raise ValueError(f"{text[:20]} is not a number that everybody reads alike")
    return int(text)


def from_base64(text: str, where: str) -> bytes:
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError(f"{where} is not base64 in its one spelling")
    return found


def fits(value: Any, form: Any, where: str) -> None:
    """Whether a value has its form, and everything in it."""
    if isinstance(form, tuple):
        good = value is None or fits(value, form[0], where) is None
    elif isinstance(form, int):
        good = type(value) is int and 0 <= value <= form
    elif isinstance(form, re.Pattern):
        good = isinstance(value, str) and form.fullmatch(value) is not None
    elif isinstance(form, list):
        good = isinstance(value, list)
        for number, each in enumerate(value if good else [], 1):
            fits(each, form[0], f"{where} {number}")
    else:
        good = isinstance(value, dict) and all(name in value for name in form if name[-1] not in "?*")
        for name, each in value.items() if good else ():
            rest = form.get("*") or (name[-1:] not in "?*" and (form.get(name) or form.get(f"{name}?")))
            if not rest:
                raise ValueError(f"{where} cannot have a member {name[:40]!r}")
            fits(each, rest, f"{where}: {name}")
    if not good:
        raise ValueError(f"{where} is not as it has to be")


def decode(raw: bytes) -> Json:
    """The bundle in a file's bytes, with every value of its kind and no other."""
    bundle = parsed(raw.decode())
    fits(bundle, BUNDLE, "the bundle")
    accounts, absent = bundle["accounts"], bundle.get("absent", [])
    for name, some in (("account", accounts), ("account", absent), ("index", accounts)):
        if any(a[name] >= b[name] for a, b in pairwise(some)):
            raise ValueError("the accounts do not stand in ascending order, each once")
    if not (accounts or absent) or not all(account["events"] for account in accounts):
        raise ValueError("the bundle is about no account, or holds none of its events")
    for key in (key for account in accounts for key in account.get("keys", {}).values()):
        from_base64(key, "a key")
    return bundle


def key_of(vkey: str) -> Key:
    """A verifier key, `name+id+base64`."""
    name, id, body = [*vkey.strip().split("+", 2), "", ""][:3]
    public = from_base64(body, "the key")
    if not NAME.fullmatch(name) or len(public) != 33 or public[0] != 1:
        raise ValueError("the key is not an Ed25519 verifier key: name+id+base64")
    if sha256(name.encode() + b"\n" + public).digest()[:4].hex() != id:
        raise ValueError("the key does not fit the id it states; it was not copied whole")
    return name, bytes.fromhex(id), public[1:]


def note_of(note: str) -> Note:
    """A signed note that is a checkpoint of a log."""
    signed, _, below = note.rpartition("\n\n")
    origin, size, root = (*signed.split("\n"), "", "", "")[:3]
    if not origin or signed.count("\n") != 2 or not COUNT.fullmatch(size) or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise ValueError("the note is not a checkpoint: origin, size and root, a blank line, signatures")
    hash, found = from_base64(root, "the root in the note"), []
    for line in below.removesuffix("\n").split("\n"):
        dash, name, body = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        signature = from_base64(body, "a signature on the note")
        if dash != "—" or not NAME.fullmatch(name) or len(signature) < 5:
            raise ValueError("the note has a line that is no signature")
        found.append((name, signature[:4], signature[4:]))
    if not below.endswith("\n") or len(hash) != 32 or not 0 < int(size) <= LARGEST or len(found) > 64:
        raise ValueError("the note does not state a size, a root and signatures")
    return Note(f"{signed}\n", origin, int(size), hash, found)


# --- hashes and trees (RFC 6962): a leaf is H(00, data), a node H(01, left, right); a tree divides at the largest -----
# --- power of two below its size; a proof that is too short goes on with nothing, and comes to another root -----------
def h(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def lp(value: str) -> bytes:
    return len(value.encode()).to_bytes(4, "big") + value.encode()


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def at(microseconds: int) -> str:
    return f"{EPOCH + timedelta(microseconds=microseconds):%Y-%m-%d %H:%M:%S} UTC"


def rooted(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root over a leaf at `index` of `size`, by a path from leaf to root."""
    if size == 1:
        return leaf
    left, side = 1 << (size - 1).bit_length() - 1, path.pop() if path else b""
    if index < left:
        return h(b"\1", rooted(leaf, index, left, path), side)
    return h(b"\1", side, rooted(leaf, index - left, size - left, path))


def old_and_new(old: int, size: int, known: bytes | None, path: list[bytes]) -> tuple[bytes, bytes]:
    """The roots of the first `old` leaves and of all; `known` is the root of the old ones where they are a subtree."""
    if old == size:
        found = known or (path.pop() if path else b"")
        return found, found
    left, side = 1 << (size - 1).bit_length() - 1, path.pop() if path else b""
    if old <= left:
        begin, whole = old_and_new(old, left, known, path)
        return begin, h(b"\1", whole, side)
    begin, whole = old_and_new(old - left, size - left, None, path)
    return h(b"\1", side, begin), h(b"\1", side, whole)


def root_from(size: int, leaves: dict[int, bytes], nodes: bytes) -> bytes | None:
    """The root of `size` leaves of which some are known; `nodes` are all subtrees with none, by level and index."""
    needed: list[tuple[int, int]] = []
    fold(0, size, sorted(leaves), lambda *place: needed.append(place) or b"", leaves)
    given = {place: nodes[32 * number : 32 * number + 32] for number, place in enumerate(sorted(needed))}
    if len(nodes) != 32 * len(given):
        return None
    return fold(0, size, sorted(leaves), lambda *place: given[place], leaves)


def fold(first: int, end: int, known: list[int], node: Callable[..., bytes], leaves: dict[int, bytes]) -> bytes:
    """The hash over leaves `first` to `end`; `node` is asked for every whole subtree without a known leaf."""
    size = end - first
    if not known and size & (size - 1) == 0:
        return node(size.bit_length() - 1, first // size)
    if size == 1:
        return leaves[first]
    middle = first + (1 << (size - 1).bit_length() - 1)
    left = fold(first, middle, [index for index in known if index < middle], node, leaves)
    return h(b"\1", left, fold(middle, end, [index for index in known if index >= middle], node, leaves))


# --- the proof, step by step ------------------------------------------------------------------------------------------
def verify(raw: bytes, vkeys: list[str], since: str | None = None) -> tuple[list[Finding], Json]:
    """What does not hold in a bundle, and the bundle where a key or `since` cannot be read."""
    keys = [key_of(vkey) for vkey in vkeys]
    older = note_of(since) if since is not None else None
    try:
        bundle = decode(raw)
        note = note_of(bundle["note"])
        nodes = from_base64(bundle["nodes"], "nodes")
    except ValueError as error:
        return [(None, None, str(error))], {}
    found = list(unsigned(note, keys, "the note"))
    seals = [*bundle.get("dated", {"seals": []})["seals"], {**bundle["seal"], "leaf": note.size - 1}]
    leaves: dict[int, bytes] = {}
    for account in bundle["accounts"]:
        found += [*broken(account, note, leaves), *cut(account, bundle["seal"])]
    for each in bundle.get("absent", []):
        found += present(each, bundle["seal"])
    found += outside(bundle["accounts"], seals, note, leaves, nodes)
    if "dated" in bundle:
        found += misdated(bundle["accounts"], seals)
    if older is not None:
        found += [*unsigned(older, keys, "the older note"), *forked(older, note, bundle.get("consistency"))]
    return found, bundle


def unsigned(note: Note, keys: list[Key], what: str) -> Iterable[Finding]:
    """The note is signed with one of the keys; lines of other signers are passed over."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    mine = [(key[2], line[2]) for key in keys for line in note.signatures if line[:2] == key[:2]]
    if not mine:
        yield None, None, f"{what} is not signed with the key given"
    try:
        for public, signature in mine:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, note.text.encode())
    except (InvalidSignature, ValueError):
        yield None, None, f"{what} was altered after it was signed, or another key signed it"


def broken(account: Json, note: Note, leaves: dict[int, bytes]) -> Iterable[Finding]:
    """The chain of one account, from its beginning; its events are put among the leaves of the log."""
    name, shard, position, leaf = account["account"], account["events"][0]["shard"], 0, -1
    previous = h(b"waterledger/account/v1\n", lp(note.origin), lp(name))
    for due, event in enumerate(account["events"], 1):
        hash, said = bytes.fromhex(event["hash"]), said_by(event)
        parts = u64(event["version"]), lp(name), lp(event["type"]), lp(event["stored"])
        if event["version"] != due:
            yield name, due, f"is missing: version {event['version']} stands in its place"
        elif h(b"waterledger/event/v1\n", previous, *parts) != hash:
            yield name, due, "was altered, moved or exchanged: its hash is not the one that was recorded"
        elif repr([said.get("type"), said.get("version")]) != repr([event["type"], due]):
            yield name, due, "is not the event that it says it is"
        if event["shard"] != shard or event["position"] <= position or not leaf < event["leaf"] < note.size - 1:
            yield name, due, "does not stand in the log after the version before it and before the seal"
        elif event["leaf"] in leaves:
            yield name, due, "stands in the place of another event in the log"
        else:
            leaves[event["leaf"]] = h(b"\0\1", shard.to_bytes(2, "big"), u64(event["position"]), hash)
        previous, position, leaf = hash, event["position"], event["leaf"]


def said_by(event: Json) -> Json:
    try:
        said = parsed(event["stored"])
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def cut(account: Json, seal: Json) -> Iterable[Finding]:
    """The history ends with the version and hash that the seal has for the account; its keys are those it names."""
    last = account["events"][-1]
    if not in_heads({**last, **account}, seal):
        yield account["account"], last["version"], "is not where the sealed history ends: it was cut or altered"
    for id, key in account.get("keys", {}).items():
        if h(b"waterledger/dek-commit/v1\n", base64.b64decode(key)).hex()[:32] != id:
            yield account["account"], None, f"the key {id[:40]} is not the one that its id names"


def in_heads(entry: Json, seal: Json) -> bool:
    """Whether the tree of all accounts has an entry for this account, version and hash."""
    data = b"waterledger/head/v1\n", lp(entry["account"]), u64(entry["version"]), bytes.fromhex(entry["hash"])
    path = [bytes.fromhex(step) for step in entry["proof"]]
    found = rooted(h(b"\0", *data), entry["index"], seal["accounts"], path)
    return entry["index"] < seal["accounts"] and found.hex() == seal["heads_root"] and not path


def present(absent: Json, seal: Json) -> Iterable[Finding]:
    """Between two neighbours in the tree of all accounts there is room for none."""
    left, right, name = absent["left"], absent["right"], absent["account"]
    ordered = (left["account"] if left else "") < name and (not right or name < right["account"])
    beside = (left["index"] + 1 if left else 0) == (right["index"] if right else seal["accounts"])
    if not ordered or not beside or not all(in_heads(each, seal) for each in (left, right) if each):
        yield name, None, "is not proved to be missing"


def outside(accounts: list[Json], seals: list[Json], note: Note, leaves: Any, nodes: bytes) -> Iterable[Finding]:
    """Events and seals are leaves of the one log whose root was signed."""
    for seal in seals:
        if seal["leaf"] >= note.size or seal["leaf"] in leaves:
            yield None, None, f"seal {seal['number']} does not stand where the bundle says"
        begin = b"\0\2" + u64(seal["number"]) + u64(seal["sealed_at"]) + u64(seal["first_leaf"])
        counts = bytes.fromhex(seal["shards"]) + u64(seal["events"]) + u64(seal["accounts"])
        leaves[seal["leaf"]] = h(begin, counts, bytes.fromhex(seal["heads_root"] + seal["previous"]))
    due = sum(len(account["events"]) for account in accounts) + len(seals)
    if len(leaves) == due and max(leaves) < note.size and root_from(note.size, leaves, nodes) != note.root:
        yield None, None, "the events and the seal are not those of the signed log: they come to another root"


def misdated(accounts: list[Json], seals: list[Json]) -> Iterable[Finding]:
    """Each event was recorded after the seal before it and before the one that took it, and both are given."""
    times = {-1: 0} | {seal["leaf"]: seal["sealed_at"] for seal in seals}
    for name, event in [(account["account"], event) for account in accounts for event in account["events"]]:
        took = [seal for seal in seals if seal["first_leaf"] <= event["leaf"] < seal["leaf"]]
        earliest = max([times.get(seal["first_leaf"] - 1, LARGEST) for seal in took], default=LARGEST)
        latest, said = min([seal["sealed_at"] for seal in took], default=0), said_by(event).get("recorded_at")
        try:
            since = (datetime.fromisoformat(MOMENT.fullmatch(said)[0]) - EPOCH) // timedelta(microseconds=1)
        except (TypeError, ValueError):
            since = -LARGEST
        if earliest == LARGEST:
            yield name, event["version"], "is not dated: the seals around it are not in the bundle"
        elif not earliest - SLACK <= since <= latest + SLACK:
            reason = f"was sealed between {at(earliest)} and {at(latest)}, and was not recorded then"
            yield name, event["version"], reason


def forked(older: Note, note: Note, consistency: Json | None) -> Iterable[Finding]:
    """The log that the older note signed is the beginning of this one."""
    same = older.size == note.size
    path = [bytes.fromhex(step) for step in consistency["proof"]] if consistency and not same else []
    if older.origin != note.origin:
        yield None, None, f"the older note is about another log, {older.origin}"
    elif older.size > note.size:
        yield None, None, "the older note is about a longer log: events were removed, or this bundle is older"
    elif not same and (consistency is None or consistency["old_size"] != older.size):
        yield None, None, "the bundle does not show how it extends that note: export it with --since and that note"
    elif old_and_new(older.size, note.size, older.root, path) != (older.root, note.root) or path:
        yield None, None, "the log that the older note signed is not the beginning of this one"


# --- the command ------------------------------------------------------------------------------------------------------
def told(bundle: Json, since: bool) -> Iterable[str]:
    """What was proved, in plain words."""
    note, seal = note_of(bundle["note"]), bundle["seal"]
    yield f"log {note.origin}: signed; {note.size} leaves; seal {seal['number']} of {at(seal['sealed_at'])}"
    for account in bundle["accounts"]:
        yield f"account {account['account']}: all its {len(account['events'])} events as of that seal, as recorded;"
        yield f"  keys to personal data: {len(account.get('keys', {})) or 'none'}"
    yield from (f"account {each['account']}: there was none as of that seal" for each in bundle.get("absent", []))
    if "dated" in bundle:
        yield f"every event was recorded between the seals beside it, give or take {SLACK // 60_000_000} minutes"
    if since:
        yield "the log of the older note is the beginning of this one"


def main() -> int:
    """Check the bundle that the command line names."""
    options = argparse.ArgumentParser(description="Check a bundle: 0 it holds, 3 it does not, 2 called wrongly.")
    options.add_argument("file", help="the bundle")
    options.add_argument("--key", action="append", required=True, help="the public key; again, where it was changed")
    options.add_argument("--since", metavar="NOTE", help="file with a note kept from an earlier audit")
    asked = options.parse_args()
    try:
        if any(Path(path).stat().st_size > MOST_BYTES for path in (asked.file, asked.since) if path):
            options.error(f"no bundle and no note is larger than {MOST_BYTES} bytes")
        since = Path(asked.since).read_bytes().decode() if asked.since else None
        found, bundle = verify(Path(asked.file).read_bytes(), asked.key, since)
    except ImportError:
        options.error("the signature needs the package cryptography: python3 -m pip install cryptography")
    except (ValueError, OSError) as error:
        options.error(str(error))
    for account, version, reason in found:
        print(f"account {account}{f', version {version}' if version else ''}: {reason}" if account else reason)
    print(*(told(bundle, since is not None) if not found else ()), "does NOT verify" if found else "verifies", sep="\n")
    return 3 if found else 0


if __name__ == "__main__":
    sys.exit(main())
