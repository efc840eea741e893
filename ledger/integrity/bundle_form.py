"""What a bundle is made of: one JSON object that carries whole histories of accounts and the proof of them.

Numbers are counts from 0 or 1 as they are named; `sealed_at` is in microseconds since 1970 began; hashes are 64 hex
digits, other bytes are base64.
"""

import json
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.integrity.leaves import Seal

FORMAT: Final = "waterledger/bundle/v1"
MOST_BYTES = 1 << 28
LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON reads alike."""

Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Base64 = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9+/=]*\Z")]
Name = Annotated[str, Meta(pattern=r"\A(?:@utility|[A-Za-z0-9._-]{1,40})\Z")]


class Malformed(Exception):
    """The bytes are no bundle; the message says where and why."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class SealSaid(_Part, frozen=True):
    """A seal, as its leaf states it."""

    number: Count
    sealed_at: Count
    first_leaf: Count
    shards: Hash
    events: Count
    accounts: Count
    heads_root: Hash
    previous: Hash

    @property
    def seal(self) -> Seal:
        """The seal in bytes."""
        hashes = {name: bytes.fromhex(getattr(self, name)) for name in ("shards", "heads_root", "previous")}
        return Seal(self.number, self.sealed_at, self.first_leaf, events=self.events, accounts=self.accounts, **hashes)


class SealPlaced(SealSaid, frozen=True):
    """A seal and its leaf in the log's tree."""

    leaf: Count


class EventSaid(_Part, frozen=True):
    """An event as it is stored, and where it stands: shard and position in the store, leaf in the log's tree."""

    version: Count
    type: Annotated[str, Meta(pattern=r"\A[A-Za-z]{1,60}\Z")]
    shard: Annotated[int, Meta(ge=0, le=65_535)]
    position: Count
    leaf: Count
    hash: Hash
    stored: str


class History(_Part, frozen=True, omit_defaults=True):
    """Every event of an account up to the seal, its place in the heads tree, and the keys to its personal data."""

    account: Name
    index: Count
    proof: list[Hash]
    events: list[EventSaid]
    keys: dict[str, Base64] | UnsetType = UNSET


class Neighbour(_Part, frozen=True):
    """An entry of the heads tree beside which another account would stand."""

    account: Name
    version: Count
    hash: Hash
    index: Count
    proof: list[Hash]


class Absent(_Part, frozen=True):
    """An account that the log does not hold, between its neighbours; None at an end."""

    account: Name
    left: Neighbour | None
    right: Neighbour | None


class Dated(_Part, frozen=True):
    """The seals around the events: the last before each and the first after it."""

    seals: list[SealPlaced]


class Consistency(_Part, frozen=True):
    """That the log begins with the `old_size` leaves that an older note signed."""

    old_size: Count
    proof: list[Hash]


class Bundle(_Part, frozen=True, omit_defaults=True):
    """Accounts, and what proves their histories; `nodes` is what the log's root takes beside their leaves."""

    format: Literal["waterledger/bundle/v1"]
    note: Annotated[str, Meta(min_length=1, max_length=100_000)]
    seal: SealSaid
    accounts: list[History]
    nodes: Base64
    dated: Dated | UnsetType = UNSET
    absent: list[Absent] | UnsetType = UNSET
    consistency: Consistency | UnsetType = UNSET


def read_bundle(raw: bytes) -> Bundle:
    """The bundle in a file's bytes, read strictly; raises Malformed."""
    try:
        bundle = msgspec.convert(strictly(raw.decode()), Bundle)
    except UnicodeDecodeError:
        raise Malformed("it is not UTF-8 text") from None
    except msgspec.ValidationError as error:
        raise Malformed(f"it is not a bundle: {error}") from None
    absent = [] if bundle.absent is UNSET else bundle.absent
    names = [[each.account for each in bundle.accounts], [each.account for each in absent]]
    indices = [each.index for each in bundle.accounts]
    if not all(a < b for some in names for a, b in pairwise(some)) or not all(a < b for a, b in pairwise(indices)):
        raise Malformed("its accounts do not stand in ascending order, each once")
    if not any(names) or not all(history.events for history in bundle.accounts):
        raise Malformed("it is about no account, or holds none of its events")
    return bundle


def strictly(text: str) -> Any:
    """A JSON value that every reader reads alike; raises Malformed.

    No key stands twice in an object, no number has a fraction, an exponent or more digits than readers keep, and no
    character is half of one.
    """
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_number
        )
        msgspec.json.encode(found)
    except json.JSONDecodeError as error:
        raise Malformed(f"it is not JSON: {error}") from None
    except UnicodeEncodeError:
        raise Malformed("it has a character in it that is half of one") from None
    except RecursionError:
        raise Malformed("it is nested too deep") from None
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"the key {key[:40]!r} stands twice in one object")
        found[key] = value
    return found


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if text == "-0" or len(digits) > 16 or not (digits.isascii() and digits.isdigit()) or int(digits) > LARGEST:
        raise Malformed(f"{text[:20]} is not a whole number that every reader reads alike")
    return int(text)
