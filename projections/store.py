"""The rows as they are kept: generations of a table, one of them shown, each with the positions it was folded up to.

A generation's table holds one row for each account with a text for each projection, so that replacing an account's rows
is one write; views with stable names show them column by column.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from ledger.store.log import StoreError, StoreUnavailable
from projections.catalogue import PROJECTIONS, Packed, unpack
from projections.databases import Database

_GENERATION = "number INTEGER PRIMARY KEY, code TEXT, utility INTEGER, state TEXT, positions TEXT"
_STRETCH = "generation INTEGER, low {id}, high {id}, done {id}, PRIMARY KEY (generation, low)"
BOOKKEEPING = (
    f"CREATE TABLE IF NOT EXISTS {{s}}generation ({_GENERATION})",
    "CREATE TABLE IF NOT EXISTS {s}begun (count INTEGER NOT NULL)",
    "INSERT INTO {s}begun SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {s}begun)",
    f"CREATE TABLE IF NOT EXISTS {{s}}stretch ({_STRETCH})",
)
"""The tables about the rows, for a database that has its own spelling of a schema and of an account's id."""

COLUMNS = ("account", *PROJECTIONS)
"""The columns of a generation's table."""

_ROOT = Path(__file__).parent.parent


class Generation(NamedTuple):
    """Rows of every account as of `positions`, by the program `code` and the first `utility` events of the utility."""

    number: int
    code: str
    utility: int
    state: Literal["building", "shown", "old"]
    positions: Mapping[int, int]

    @property
    def table(self) -> str:
        """The name of its table."""
        return f"folded_{self.number}"


class Stretch(NamedTuple):
    """The accounts over `low` and up to `high`; a rebuild has folded them up to `done`."""

    low: str
    high: str
    done: str


class Views:
    """The generations in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def generations(self) -> list[Generation]:
        """Every generation, the oldest first; raises StoreError where rows were never made."""
        found = self.database.run("SELECT number, code, utility, state, positions FROM {s}generation ORDER BY number")
        return [
            Generation(number, code, utility, state, msgspec.json.decode(positions, type=dict[int, int]))
            for number, code, utility, state, positions in found
        ]

    def shown(self) -> Generation | None:
        """The generation that people read; None where none was made yet."""
        if not self.database.exists():
            return None
        return next((generation for generation in self.generations() if generation.state == "shown"), None)

    def begin(self, code: str, utility: int, positions: Mapping[int, int], bounds: Sequence[str]) -> Generation:
        """A new generation, to be filled stretch by stretch: from each of `bounds` to the next."""
        with self.database.transaction(exclusive=True):
            # A number is never used again: what is left of a killed rebuild finds nothing to write to.
            ((number,),) = self.database.run("UPDATE {s}begun SET count = count + 1 RETURNING count")
            generation = Generation(number, code, utility, "building", positions)
            self.database.make_table(generation.table, list(PROJECTIONS))
            self.database.run(
                "INSERT INTO {s}generation VALUES (?, ?, ?, ?, ?)",
                (number, code, utility, generation.state, _written(positions)),
            )
            for low, high in pairwise(bounds):
                self.database.run("INSERT INTO {s}stretch VALUES (?, ?, ?, ?)", (number, low, high, low))
        return generation

    def stretches(self, generation: Generation) -> list[Stretch]:
        """The stretches of a rebuild that are not folded to their end."""
        query = "SELECT low, high, done FROM {s}stretch WHERE generation = ? AND done < high ORDER BY low"
        return [Stretch(*found) for found in self.database.run(query, (generation.number,))]

    def fill(self, generation: Generation, stretch: Stretch, done: str, rows: Iterable[tuple[str, Packed]]) -> bool:
        """Add the rows of the accounts up to `done`; False, and nothing added, where somebody else was there first."""
        move = "UPDATE {s}stretch SET done = ? WHERE generation = ? AND low = ? AND done = ? RETURNING 1"
        with self.database.transaction():
            if not self.database.run(move, (done, generation.number, stretch.low, stretch.done)):
                return False
            self.database.insert(generation.table, COLUMNS, ((account, *packed) for account, packed in rows))
        return True

    def move(self, generation: Generation, positions: Mapping[int, int]) -> None:
        """Move the checkpoint, in the transaction that is open."""
        move = "UPDATE {s}generation SET positions = ? WHERE number = ?"
        self.database.run(move, (_written(positions), generation.number))

    def replace(self, generation: Generation, rows: Mapping[str, Packed]) -> None:
        """Replace the rows of some accounts, in the transaction that is open."""
        self.database.delete(generation.table, rows)
        self.database.insert(generation.table, COLUMNS, ((account, *packed) for account, packed in rows.items()))

    def show(self, generation: Generation) -> None:
        """Have every view show this generation, in the transaction that is open."""
        self.database.run("UPDATE {s}generation SET state = 'old' WHERE state = 'shown'")
        self.database.run("UPDATE {s}generation SET state = 'shown' WHERE number = ?", (generation.number,))
        for projection in PROJECTIONS.values():
            self.database.show(projection, generation.table)

    def drop(self, generation: Generation) -> None:
        """Forget a generation that is not shown."""
        with self.database.transaction(exclusive=True):
            self.database.run("DELETE FROM {s}stretch WHERE generation = ?", (generation.number,))
            self.database.run("DELETE FROM {s}generation WHERE number = ?", (generation.number,))
            self.database.drop_table(generation.table)

    def stored(self, generation: Generation, account: str) -> Packed | None:
        """The rows of an account; None where there are none."""
        query = f"SELECT {', '.join(PROJECTIONS)} FROM {{s}}{generation.table} WHERE account = ?"
        found = self.database.run(query, (account,))
        return found[0] if found else None

    def accounts(self, generation: Generation) -> Iterator[str]:
        """Every account that has rows, in the order of their bytes."""
        for page in self.database.pages(f"SELECT account, '' FROM {{s}}{generation.table} ORDER BY account"):
            for account, _ in page:
                yield account

    def unpacked(self, name: str, text: str | None, generation: Generation) -> Sequence[Any]:
        """The rows in a text of a generation; raises MsgspecError where damaged, StoreError for another version's."""
        try:
            return unpack(name, text)
        except msgspec.MsgspecError:
            if generation.code == code():
                raise
            raise _laid_out_otherwise(self) from None

    def digest(self, name: str) -> str:
        """What the rows shown of a projection come to: SHA-256 over a line `["account",[rows]]` for each account."""
        found = sha256()
        query = f"SELECT account, {name} FROM {{s}}{shown_of(self).table} WHERE {name} IS NOT NULL ORDER BY account"
        for page in self.database.pages(query):
            for account, text in page:
                found.update(line_of(account, text))
        return found.hexdigest()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def shown_of(views: Views) -> Generation:
    """The generation that people read; raises StoreError where none was made yet, or none that this program reads."""
    generation = views.shown()
    if generation is None:
        raise StoreError(f"{views.database.place} holds no rows yet (run 'water-ledger projections rebuild')")
    if generation.code != code():
        try:
            views.database.run(f"SELECT {', '.join(COLUMNS)} FROM {{s}}{generation.table} LIMIT 0")
        except StoreUnavailable:
            raise
        except StoreError:
            raise _laid_out_otherwise(views) from None
    return generation


def _laid_out_otherwise(views: Views) -> StoreError:
    laid_out = "holds rows as another version of the program laid them out"
    return StoreError(f"{views.database.place} {laid_out} (run 'water-ledger projections rebuild')")


def line_of(account: str, text: str) -> bytes:
    """What one account adds to the digest of a projection."""
    return f'["{account}",{text}]\n'.encode()


@cache
def code() -> str:
    """What tells this version of the program from another: the rows of two versions do not mix."""
    found = sha256()
    for path in sorted(p for folder in ("ledger", "projections") for p in (_ROOT / folder).rglob("*.py")):
        found.update(path.relative_to(_ROOT).as_posix().encode() + b"\n" + path.read_bytes() + b"\n")
    return found.hexdigest()[:16]


def _written(positions: Mapping[int, int]) -> str:
    return msgspec.json.encode({str(shard): position for shard, position in sorted(positions.items())}).decode()
