"""A log made by hand from the definitions alone: events, seals, notes and bundles that owe nothing to the program."""

import base64
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "sample.example/ledger"
HOUR = 3_600 * 10**6
START = 1_704_844_800 * 10**6
"""2024-01-10 00:00 UTC in microseconds; the first seal is taken a day later, and the others each a day after."""

Json = dict[str, Any]


class Event(NamedTuple):
    """An event in its place."""

    account: str
    version: int
    type: str
    stored: str
    shard: int
    position: int
    leaf: int
    hash: bytes


class Seal(NamedTuple):
    """A seal, its leaf, the note over it, and the tip of every account as of then."""

    said: Json
    leaf: int
    note: str
    tips: dict[str, Event]


def digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def lp(text: str | bytes) -> bytes:
    body = text.encode() if isinstance(text, str) else text
    return len(body).to_bytes(4, "big") + body


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


class Tree:
    """RFC 6962, as its definitions read, over leaves that only grow."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._known: dict[tuple[int, int], bytes] = {}

    def add(self, data: bytes) -> int:
        self.leaves.append(digest(b"\0", data))
        return len(self.leaves) - 1

    def root(self, low: int, high: int) -> bytes:
        if low == high:
            return digest()
        if high - low == 1:
            return self.leaves[low]
        if (low, high) not in self._known:
            middle = low + split(high - low)
            self._known[low, high] = digest(b"\1", self.root(low, middle), self.root(middle, high))
        return self._known[low, high]

    def path(self, index: int, low: int, high: int) -> list[bytes]:
        if high - low == 1:
            return []
        middle = low + split(high - low)
        if index < middle:
            return [*self.path(index, low, middle), self.root(middle, high)]
        return [*self.path(index, middle, high), self.root(low, middle)]

    def growth(self, old: int, low: int, high: int, whole: bool = True) -> list[bytes]:
        if old == high:
            return [] if whole else [self.root(low, high)]
        middle = low + split(high - low)
        if old <= middle:
            return [*self.growth(old, low, middle, whole), self.root(middle, high)]
        return [*self.growth(old, middle, high, False), self.root(low, middle)]

    def nodes(self, wanted: set[int], low: int, high: int) -> list[tuple[int, int, bytes]]:
        size = high - low
        if not wanted & set(range(low, high)) and size & (size - 1) == 0:
            return [(size, low, self.root(low, high))]
        if size == 1:
            return []
        middle = low + split(size)
        return self.nodes(wanted, low, middle) + self.nodes(wanted, middle, high)


class SigningKey:
    """An Ed25519 key that signs notes under a name."""

    def __init__(self, name: str = ORIGIN, seed: int = 1) -> None:
        self.name = name
        self._private = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
        public = b"\1" + self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._id = digest(name.encode(), b"\n", public)[:4]
        self.vkey = f"{name}+{self._id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text: str) -> str:
        return f"— {self.name} {base64.b64encode(self._id + self._private.sign(text.encode())).decode()}\n"


LIE = 5
"""The version in which a dishonest utility lies; it was recorded after the first seal."""

Lie = Callable[[Json], str]
"""What a dishonest utility stores in place of an event, before it hashes and signs it."""


class MadeLog:
    """`seals` days of a log with so many accounts, four shards, and a key for each account's personal data.

    `lies` are told in version LIE of an account: every hash and signature over them is right.
    """

    def __init__(
        self, seed: int = 1, accounts: int = 9, seals: int = 4, origin: str = ORIGIN, lies: dict[str, Lie] | None = None
    ) -> None:
        self.lies = lies or {}
        self.chance = random.Random(seed)
        self.origin = origin
        self.key = SigningKey(origin)
        self.tree = Tree()
        self.events: list[Event] = []
        self.seals: list[Seal] = []
        self.positions = [0, 0, 0, 0]
        self.tips: dict[str, Event] = {}
        self.names = sorted(f"{7000 + 3 * n}" for n in range(accounts))
        self.data_keys = {name: digest(b"data key", name.encode()) for name in self.names}
        for day in range(seals):
            self._day(day)

    def _day(self, day: int) -> None:
        opened = self.names[: max(2, len(self.names) * (day + 1) // 2)]
        due = sorted((self.names.index(name) % 4, name) for name in opened for _ in range(self.chance.randint(1, 4)))
        first = len(self.tree.leaves)
        for number, (shard, name) in enumerate(due):
            self._event(name, shard, START + day * 24 * HOUR + number * 60 * 10**6)
        self._seal(day + 1, START + (day + 1) * 24 * HOUR, first)

    def _event(self, name: str, shard: int, at: int) -> None:
        before = self.tips.get(name)
        version = before.version + 1 if before else 1
        said = {"type": "PaymentReceived", "version": version, "recorded_at": moment(at), "amount": -5 * version}
        said |= {"payer": "sealed:1:…", "note": 'Zürich ‘pays’ \n\t\\ "twice" 💧'[: self.chance.randint(0, 25)]}
        stored = self.lies[name](said) if version == LIE and name in self.lies else json.dumps(said, ensure_ascii=False)
        previous = before.hash if before else digest(b"waterledger/account/v1\n", lp(self.origin), lp(name))
        parts = previous, u64(version), lp(name), lp("PaymentReceived"), lp(stored)
        hash = digest(b"waterledger/event/v1\n", *parts)
        self.positions[shard] += 1
        leaf = self.tree.add(b"\1" + shard.to_bytes(2, "big") + u64(self.positions[shard]) + hash)
        event = Event(name, version, "PaymentReceived", stored, shard, self.positions[shard], leaf, hash)
        self.events.append(event)
        self.tips[name] = event

    def _seal(self, number: int, at: int, first: int) -> None:
        heads = self.heads(self.tips)
        previous = self.seals[-1].note.encode() if self.seals else b""
        said = {
            "number": number,
            "sealed_at": at,
            "first_leaf": first,
            "shards": digest(*map(u64, self.positions)).hex(),
            "events": len(self.events),
            "accounts": len(self.tips),
            "heads_root": heads.root(0, len(self.tips)).hex(),
            "previous": digest(previous).hex(),
        }
        leaf = self.tree.add(seal_data(said))
        self.seals.append(Seal(said, leaf, self.note(leaf + 1), dict(self.tips)))

    def note(self, size: int) -> str:
        text = f"{self.origin}\n{size}\n{base64.b64encode(self.tree.root(0, size)).decode()}\n"
        return f"{text}\n{self.key.line(text)}"

    def heads(self, tips: dict[str, Event]) -> Tree:
        heads = Tree()
        for name in sorted(tips):
            heads.add(b"waterledger/head/v1\n" + lp(name) + u64(tips[name].version) + tips[name].hash)
        return heads

    def bundle(
        self,
        accounts: list[str],
        *,
        seal: int = -1,
        keys: bool = True,
        dated: bool = False,
        given: slice = slice(None),
        since: int | None = None,
        absent: list[str] | None = None,
    ) -> Json:
        """The bundle of these accounts as of a seal; of the seals that date their events only those `given`."""
        sealed = self.seals[seal]
        size, tips, heads = sealed.leaf + 1, sealed.tips, self.heads(sealed.tips)
        names = sorted(tips)
        wanted = {sealed.leaf}
        made: Json = {"format": "waterledger/bundle/v1", "note": sealed.note, "seal": sealed.said, "accounts": []}
        around: dict[int, Json] = {}
        for name in sorted(accounts):
            events = [event for event in self.events if event.account == name and event.leaf < sealed.leaf]
            wanted |= {event.leaf for event in events}
            for event in events:
                before = [each for each in self.seals if each.leaf < event.leaf]
                after = next(each for each in self.seals if each.leaf > event.leaf)
                around |= {each.leaf: {**each.said, "leaf": each.leaf} for each in (*before[-1:], after)}
            index = names.index(name)
            said: Json = {"account": name, "index": index, "proof": shown(heads.path(index, 0, len(names)))}
            said["events"] = [event_said(event) for event in events]
            if keys:
                key = self.data_keys[name]
                id = digest(b"waterledger/dek-commit/v1\n", key).hex()[:32]
                said["keys"] = {id: base64.b64encode(key).decode()}
            made["accounts"].append(said)
        if dated:
            made["dated"] = {"seals": [around[leaf] for leaf in sorted(around) if leaf < sealed.leaf][given]}
            wanted |= {each["leaf"] for each in made["dated"]["seals"]}
        if absent:
            made["absent"] = [self._absent(name, names, tips, heads) for name in sorted(absent)]
        if since is not None:
            old = self.seals[since].leaf + 1
            made["consistency"] = {"old_size": old, "proof": shown(self.tree.growth(old, 0, size))}
        nodes = sorted(self.tree.nodes(wanted, 0, size))
        made["nodes"] = base64.b64encode(b"".join(hash for _, _, hash in nodes)).decode()
        return made

    def _absent(self, name: str, names: list[str], tips: dict[str, Event], heads: Tree) -> Json:
        right = sum(each < name for each in names)

        def side(index: int) -> Json | None:
            if not 0 <= index < len(names):
                return None
            tip = tips[names[index]]
            proof = shown(heads.path(index, 0, len(names)))
            return {
                "account": tip.account,
                "version": tip.version,
                "hash": tip.hash.hex(),
                "index": index,
                "proof": proof,
            }

        return {"account": name, "left": side(right - 1), "right": side(right)}


def event_said(event: Event) -> Json:
    return {
        "version": event.version,
        "type": event.type,
        "shard": event.shard,
        "position": event.position,
        "leaf": event.leaf,
        "hash": event.hash.hex(),
        "stored": event.stored,
    }


def seal_data(said: Json) -> bytes:
    begin = b"\2" + u64(said["number"]) + u64(said["sealed_at"]) + u64(said["first_leaf"])
    counts = bytes.fromhex(said["shards"]) + u64(said["events"]) + u64(said["accounts"])
    return begin + counts + bytes.fromhex(said["heads_root"]) + bytes.fromhex(said["previous"])


def shown(hashes: list[bytes]) -> list[str]:
    return [hash.hex() for hash in hashes]


def moment(microseconds: int) -> str:
    """As events state it: with the Pacific offset of winter."""
    winter = timezone(timedelta(hours=-8))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(winter).isoformat()
