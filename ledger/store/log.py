"""What both stores share: rows, command keys, hash chains, and the promises of a log.

A log holds the events of accounts as stored bytes. Accounts fall into shards, fixed for ever; positions are gap-free
within a shard, so whoever holds positions up to a shard's head has seen everything below it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import NamedTuple, Protocol
from zlib import crc32

UTILITY = "@utility"
"""The stream of what concerns the whole utility; its shard is the last one."""

SCHEMA_VERSION = "1"
EXPLICIT = "id/"
"""How the key of an explicit command id begins: unique over all accounts. Any other key is unique in its account."""

COMMITMENT = "digest_key_commitment"
"""What a log is told at its creation of the keys that belong to it; see `Keys.commitment`."""

START = b"waterledger/event/v1\n"
"""What is hashed of an event begins with this."""

LAST = chr(0x10FFFF)
"""Sorts after every account."""

_HASHED = START + b"%b%b%b%b%b%b%b%b"
_KNOWN_TIPS = 100_000


class Entry(NamedTuple):
    """One event to append; versions count from 1 without a gap in each account."""

    account: str
    version: int
    type: str
    state: bytes


class CommandKey(NamedTuple):
    """What a command is known by, and the digest of its content; one command may have several."""

    key: str
    digest: bytes


class Recorded(NamedTuple):
    """A command that was recorded: the versions of its events in `account`."""

    key: str
    digest: bytes
    account: str
    first: int
    last: int


class Row(NamedTuple):
    """One stored event."""

    shard: int
    position: int
    account: str
    version: int
    type: str
    state: bytes
    hash: bytes


class Tip(NamedTuple):
    """The latest version of an account and its chain hash."""

    version: int
    hash: bytes


CommandRow = tuple[Sequence[CommandKey], str, int, int]
"""A command to record with its events: keys, account, first and last version."""

Wanted = tuple[str, str]
"""A command key to look up, and the account it is about."""


class Conflict(Exception):
    """Somebody else wrote first: a version or a command key is taken. Load again and decide again."""


class StoreError(Exception):
    """The store cannot do what was asked; the message names the store, the reason and the way out."""


class StoreUnavailable(StoreError):
    """The store could not be reached or stayed busy; nothing was recorded unless the message says so."""


class NotALedger(StoreError):
    """There is no ledger at this address, or one that this version cannot read."""


class BadAddress(StoreError):
    """The address of a store is not one."""


class Batch(Protocol):
    """Several commands recorded in one transaction; see `Log.writing`."""

    heads: dict[int, int]
    tips: dict[str, Tip]

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """As `Log.load`, and what this batch appended too; an account without events has an empty list."""

    def find(self, wanted: Iterable[Wanted]) -> dict[Wanted, Recorded]:
        """The commands recorded under these (key, account) pairs, in one round trip."""

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Add events and command keys and return the events' positions; raises Conflict."""


class Log(Protocol):
    """An append-only log of events. One object serves one thread at a time; others wait."""

    shards: int

    def create(
        self, origin: str, created_at: str, meta: Mapping[str, str] | None = None, entries: Sequence[Entry] = ()
    ) -> bool:
        """Create the log with its first events, all or nothing; False, and nothing changed, where there is one."""

    def exists(self) -> bool:
        """Whether a log stands at this address; raises NotALedger for something else, StoreUnavailable."""

    @property
    def origin(self) -> str:
        """The name of this log, fixed at its creation; part of every hash."""

    def meta(self, name: str) -> str | None:
        """What was written down at creation under `name`."""

    def states(self, account: str) -> list[bytes]:
        """The stored events of one account, by version."""

    def load(self, accounts: Iterable[str], after: Mapping[str, int] | None = None) -> dict[str, list[bytes]]:
        """The stored events of each account, by version; of an account in `after` only versions over that one."""

    def rows(self, account: str, after: int = 0) -> list[Row]:
        """The rows of one account with versions over `after`."""

    def tip(self, account: str) -> Tip | None:
        """The latest version of an account and its hash; None where it has no events."""

    def find(self, keys: Iterable[str], account: str) -> dict[str, Recorded]:
        """The commands recorded under these keys: explicit ids over the whole log, others in the account."""

    def append(self, entries: Sequence[Entry], commands: Iterable[CommandRow] = ()) -> list[int]:
        """Record events and command keys in one durable transaction and return the events' positions.

        Raises Conflict and StoreUnavailable; both mean that nothing was recorded.
        """

    def writing(self, accounts: Iterable[str] | None) -> AbstractContextManager[Batch]:
        """One durable transaction over these accounts (None: all), committed at the end, rolled back on an error.

        Nobody else appends to the shards of the accounts meanwhile. Raises Conflict and StoreUnavailable.
        """

    def heads(self) -> dict[int, int]:
        """The last position of every shard."""

    def follow(self, after: Mapping[int, int], limit: int, shard: int | None = None) -> list[Row]:
        """At most `limit` rows beyond the positions in `after` (0 for a shard not named), by shard and position."""

    def scan(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, list[bytes]]]:
        """Every account over `after`, and at most `until`, with its stored events; in the order of accounts' bytes."""

    def scan_joined(self, after: str = "", until: str | None = None) -> Iterator[tuple[str, bytes]]:
        """Like `scan`, each account's stored events joined by commas: twice as fast where they are decoded as one."""

    def accounts(self) -> Iterator[str]:
        """Every account with an event, in the order of their bytes."""

    def close(self) -> None:
        """Let go of the store; the next use opens it again."""


def shard_of(account: str, shards: int) -> int:
    """The shard of an account (0 to shards - 1); the utility's own stream has the shard after the last."""
    if shards == 1:
        return 0
    return shards if account == UTILITY else crc32(account.encode()) % shards


def address(key: str, account: str, shards: int) -> tuple[int, str]:
    """The shard and text under which a command key is kept.

    An explicit id lives in its own shard whatever the account, so that one unique key holds it over all accounts and
    writers; two writers with the same id meet there. Account ids hold no blank, so no other key can look like one.
    """
    if key.startswith(EXPLICIT):
        return shard_of(key, shards), key
    return shard_of(account, shards), f"{account} {key}"


def addresses(wanted: Iterable[Wanted], shards: int) -> dict[tuple[int, str], list[Wanted]]:
    """Where these keys are kept; several accounts may ask for the same explicit id."""
    asked: dict[tuple[int, str], list[Wanted]] = {}
    for key, account in wanted:
        asked.setdefault(address(key, account, shards), []).append((key, account))
    return asked


def genesis(origin: str, account: str) -> bytes:
    """The hash before an account's first event."""
    return sha256(b"waterledger/account/v1\n" + lp(origin.encode()) + lp(account.encode())).digest()


def event_hash(previous: bytes, version: int, account: str, type: str, state: bytes) -> bytes:
    """The chain hash of an event: covers the one before and the bytes as stored."""
    who, what = account.encode(), type.encode()
    return sha256(
        _HASHED
        % (
            previous,
            version.to_bytes(8, "big"),
            len(who).to_bytes(4, "big"),
            who,
            len(what).to_bytes(4, "big"),
            what,
            len(state).to_bytes(4, "big"),
            state,
        )
    ).digest()


def lp(value: bytes) -> bytes:
    """A value behind its length, so that two values in a row cannot be read in another way."""
    return len(value).to_bytes(4, "big") + value


class Chains:
    """The tips a log has seen, so that an append need not ask for them.

    They are hints: a tip that others have moved beyond makes the append collide with their version, never misrecord.
    """

    def __init__(self) -> None:
        self._tips: dict[str, Tip] = {}

    def keep(self, tips: Mapping[str, Tip]) -> None:
        """Remember tips; the oldest knowledge goes when there is too much of it."""
        if len(self._tips) + len(tips) > _KNOWN_TIPS:
            self._tips.clear()
        self._tips.update(tips)

    def forget(self) -> None:
        """Forget every tip: what was seen may have been undone."""
        self._tips.clear()

    def known(self, entries: Iterable[Entry], own: Mapping[str, Tip]) -> tuple[dict[str, Tip], list[str]]:
        """The tips that `entries` continue, and the accounts whose tip has to be read; `own` goes before memory."""
        tips: dict[str, Tip] = {}
        unknown: list[str] = []
        met: set[str] = set()
        for account, version, _, _ in entries:
            if account in met:
                continue
            met.add(account)
            tip = own.get(account) or self._tips.get(account)
            if tip and tip.version == version - 1:
                tips[account] = tip
            elif version > 1:
                unknown.append(account)
        return tips, unknown


def chain(origin: str, entries: Iterable[Entry], tips: dict[str, Tip]) -> list[bytes]:
    """The hash of each entry, moving `tips` along; raises Conflict for an entry that does not follow its tip."""
    hashes = []
    for account, version, type, state in entries:
        tip = tips.get(account) or Tip(0, genesis(origin, account))
        if version != tip.version + 1:
            raise Conflict(f"account {account} has {tip.version} events, so the next is not version {version}")
        new = event_hash(tip.hash, version, account, type, state)
        tips[account] = Tip(version, new)
        hashes.append(new)
    return hashes


def require_ledger(log: Log) -> None:
    """Raises NotALedger where nothing was created at the store's address yet."""
    if not log.exists():
        raise NotALedger("there is no ledger here yet; 'water-ledger init' or any command creates one (see --db)")


def no_ledger_at(place: str) -> NotALedger:
    """The error of a use of a store that holds no ledger."""
    return NotALedger(f"there is no ledger at {place} (create it with 'water-ledger init')")


def first_rows(origin: str, entries: Sequence[Entry], shards: int) -> list[Row]:
    """The rows of the events that a log is created with."""
    heads = Counter[int]()
    rows = []
    for entry, hash in zip(entries, chain(origin, entries, {}), strict=True):
        shard = shard_of(entry.account, shards)
        heads[shard] += 1
        rows.append(Row(shard, heads[shard], *entry, hash))
    return rows


def by_account(pages: Iterable[Sequence[tuple[str, bytes]]]) -> Iterator[tuple[str, list[bytes]]]:
    """Pages of rows in account order as one pair per account; holds one account and one page at a time."""
    current, states = None, list[bytes]()
    for page in pages:
        for account, state in page:
            if account != current:
                if current is not None:
                    yield current, states
                current, states = account, []
            states.append(state)
    if current is not None:
        yield current, states
