"""What both stores share of the seals: their rows, append-only like the events, and the pages of the heads tree."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from ledger.store.log import EXPLICIT, LAST, StoreError

PAGE = 256
"""Accounts on a page of the heads tree, and hashes in a tile of the log tree."""

APPEND_ONLY = ("seal_key", "seal_plan", "seal", "seal_note", "tree_part")
"""The tables in which nothing is ever changed."""

EXPLICIT_KEYS = f"(key >= '{EXPLICIT}' AND key < '{EXPLICIT[:-1]}0')"
"""Which command keys are explicit ids, as SQL that an index answers: 0 follows the stroke."""


class NotSealing(StoreError):
    """This ledger has no tables for seals yet."""

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} has no key to seal with yet (create one with 'water-ledger audit key create')")


class Plan(NamedTuple):
    """What a seal is going to hold, fixed before the work begins: whoever goes on with it makes the same seal.

    `number` counts the plans, of which there are more than seals where one could not be made; `sealed_at` is in
    microseconds since 1970 began; `heads` are the last positions of all shards, packed.
    """

    number: int
    sealed_at: int
    first_leaf: int
    heads: bytes


class SealRow(NamedTuple):
    """A seal and the text of its note, written down before the note is signed; `size` counts the seal's own leaf."""

    number: int
    sealed_at: int
    first_leaf: int
    heads: bytes
    events: int
    accounts: int
    heads_root: bytes
    previous: bytes
    size: int
    root: bytes
    body: str


SEAL_COLUMNS = ", ".join(SealRow._fields)


class SealKey(NamedTuple):
    """A verifier key of the log, the first seal that it signs, and the note by which the key before named it."""

    number: int
    since: int
    vkey: str
    handover: str


class Part(NamedTuple):
    """Hashes of one level of the tree from `first` on, within one tile."""

    level: int
    first: int
    hashes: bytes


StoredEvent = tuple[int, int, bytes, int, bytes, bytes, bytes]
"""Shard, position, account, version, type, state, hash; texts as the bytes that are stored, whatever they are."""


LeafEvent = tuple[int, bytes, int, bytes, bytes, bytes]
"""Position, account, version, type, state, hash of an event where its leaf is."""


class Span(NamedTuple):
    """The positions of a shard over `after` and at most `until`."""

    shard: int
    after: int
    until: int


Mark = tuple[int, str]
"""A shard and an account: command keys are cut into ranges behind it."""


def after_all(mark: Mark) -> tuple[int, str]:
    """The shard of a mark, and what sorts behind every key of its account, which begins with it and a blank."""
    return mark[0], f"{mark[1]} {LAST}"


StoredCommand = tuple[int, bytes, bytes, bytes, int, int, bytes | None, bytes | None]
"""Shard, key, digest, account, first and last version, and the stored bytes of these two events.

None stands for an event that is missing, and for the last one where it is the first.
"""


class Head(NamedTuple):
    """The last event of an account that a seal holds."""

    account: str
    version: int
    hash: bytes


class HeadPage(NamedTuple):
    """Neighbouring leaves of the heads tree: the root over them, and what they are."""

    number: int
    first: str
    last: str
    root: bytes
    entries: bytes


PAGE_COLUMNS = ", ".join(HeadPage._fields)


class HeadPages(Protocol):
    """The heads tree of one seal, kept to find an account's place quickly; it can be made anew from the events."""

    def state(self) -> int | None:
        """The number of the seal whose heads these are; None where there are none."""

    def pages(self) -> Iterator[HeadPage]:
        """Every page in order, as they were before this transaction."""

    def put(self, pages: Iterable[HeadPage]) -> None:
        """Write pages over what is there."""

    def finish(self, seal: int, pages: int) -> None:
        """These are the heads of that seal, and so many pages."""


class SealRows(Protocol):
    """The seals of one ledger. Each `add` is a durable transaction of its own; what is there is never changed."""

    place: str

    def exists(self) -> bool:
        """Whether the tables were made."""

    def create(self) -> None:
        """Make the tables where there are none; creators that start together wait for each other."""

    def keys(self) -> list[SealKey]:
        """The log's keys, the first to the current one."""

    def add_key(self, key: SealKey) -> None:
        """Write down a key; raises Conflict where another came first."""

    def seals(self, after: int = 0) -> list[SealRow]:
        """The seals with numbers over `after`."""

    def last(self) -> SealRow | None:
        """The latest seal, signed or not."""

    def note(self, number: int) -> str | None:
        """The signed note of a seal; None where it was not signed yet."""

    def plan(self) -> Plan | None:
        """The latest plan."""

    def plans(self) -> int:
        """How many plans were made; they are numbered from 1."""

    def make_plan(self, decide: Callable[[list[int]], Plan | None]) -> Plan | None:
        """Write down what `decide` makes of the heads of all shards, while nobody appends."""

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Write down hashes of the tree."""

    def add_seal(self, seal: SealRow, parts: Sequence[Part]) -> None:
        """Write down a seal with its own leaf."""

    def add_note(self, number: int, note: str) -> None:
        """Write down the signed note of a seal."""

    def parts(self, level: int, low: int, high: int) -> list[Part]:
        """The hashes of a level that begin from `low` on and before `high`, which are the first of tiles."""

    def leaves_written(self) -> int:
        """How many leaves the tree has, those of an unfinished seal too."""

    def leaves_kept(self) -> int:
        """How many hashes of leaves the tree keeps, wherever they stand."""

    def hashes(self, shard: int, after: int, until: int) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Pages of positions and event hashes of a shard, over `after` and at most `until`, by position."""

    def recorded(self, spans: Sequence[Span]) -> Iterator[Sequence[LeafEvent]]:
        """Pages of the events at these positions, span after span and by position."""

    def reached(self) -> list[int]:
        """The last position of every shard at which an event stands; 0 where none does."""

    def count(self) -> int:
        """How many events there are, wherever they stand."""

    def strays(self) -> bool:
        """Whether an event stands where no shard's head reaches."""

    def before(self, shard: int, events: Sequence[tuple[bytes, int]]) -> list[tuple[int, bytes] | None]:
        """Position and hash of the events of these accounts and versions in a shard."""

    def stored(self, after: str, until: str) -> Iterator[Sequence[StoredEvent]]:
        """Pages of the events of accounts over `after` and at most `until`, by account and version."""

    def states(self, account: str) -> Iterator[Sequence[tuple[int, bytes]]]:
        """Pages of the versions and stored bytes of one account, by version."""

    def lengths(self, low: Mark, high: Mark) -> Iterator[Sequence[tuple[bytes, int]]]:
        """Pages of the accounts over `low` and at most `high`, each with its last version."""

    def commands(self, low: Mark, high: Mark) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys of accounts over `low` and at most `high`, by shard and key; no explicit ids."""

    def explicit_commands(self) -> Iterator[Sequence[StoredCommand]]:
        """Pages of the command keys that are explicit ids."""

    def explicit_count(self) -> int:
        """How many command keys are explicit ids with a digest as long as it has to be."""

    def explicit(self, keys: Sequence[tuple[int, str]]) -> dict[str, tuple[bytes, int, int]]:
        """Account, first and last version of the commands under these shards and keys, where there are such."""

    def accounts(self) -> Iterator[str]:
        """The accounts, by account; one whose name is damaged may be left out."""

    def event_at(self, shard: int, position: int) -> tuple[str, int] | None:
        """The account and version of the event at a position."""

    def heads(self) -> list[int]:
        """The last position of every shard."""

    def changed(self, after: Sequence[int], until: Sequence[int]) -> Iterator[Head]:
        """The last event of each account with one over the heads `after` and at most `until`, by account."""

    def sealing(self) -> AbstractContextManager[HeadPages]:
        """One sealer at a time, else StoreUnavailable is raised; the heads are kept if the block ends well."""

    def heads_of(self) -> int | None:
        """The number of the seal whose heads tree is kept."""

    def page_of(self, account: str) -> HeadPage | None:
        """The last page that begins at or before this account."""

    def page(self, number: int) -> HeadPage | None:
        """A page by its number."""

    def page_roots(self) -> list[bytes]:
        """The root of every page, in order."""

    def close(self) -> None:
        """Let go of the store; the next use opens it again."""
