"""What the leaves of the log tree and of the heads tree are made of (format version 1)."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

SEAL = b"\x02"
NO_NOTE = sha256(b"").digest()
"""What stands in the first seal for the hash of the note before it."""


class Seal(NamedTuple):
    """What a seal says: all events up to the heads of the shards, and the heads tree over all accounts then.

    `sealed_at` is in microseconds since 1970 began; `events` and `accounts` count everything sealed so far; `shards` is
    the hash of the heads, `previous` that of the note before.
    """

    number: int
    sealed_at: int
    first_leaf: int
    shards: bytes
    events: int
    accounts: int
    heads_root: bytes
    previous: bytes

    @property
    def leaf(self) -> bytes:
        """The data of the seal's leaf."""
        start = b"".join(_u64(number) for number in (self.number, self.sealed_at, self.first_leaf))
        counts = _u64(self.events) + _u64(self.accounts)
        return SEAL + start + self.shards + counts + self.heads_root + self.previous


def event_leaf(shard: int, position: int, hash: bytes) -> bytes:
    """The data of an event's leaf."""
    return b"\x01" + shard.to_bytes(2, "big") + position.to_bytes(8, "big") + hash


def head_entry(account: str, version: int, hash: bytes) -> bytes:
    """The data of an account's leaf in the heads tree."""
    who = account.encode()
    return b"waterledger/head/v1\n" + len(who).to_bytes(4, "big") + who + version.to_bytes(8, "big") + hash


def packed_heads(heads: Iterable[int]) -> bytes:
    """The heads of all shards, in order, as they are hashed."""
    return b"".join(_u64(head) for head in heads)


def unpacked_heads(packed: bytes) -> list[int]:
    """The heads of all shards, in order."""
    return [int.from_bytes(packed[at : at + 8], "big") for at in range(0, len(packed), 8)]


def note_hash(note: str) -> bytes:
    """How the next seal names a note."""
    return sha256(note.encode()).digest()


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")
