"""The log as Parquet files (the extra `bulk`), cut so that many machines may each read a part of it.

An account's events are in the file that the hash of its name says, and the files are cut into stretches of neighbouring
accounts, the same in all of them: what comes of a stretch's groups, one from each file, is in account order when it is
merged. The utility's stream has a file of its own. The index is written last, and states the root over the last event
of every account, as a seal does: whoever reads everything checks every chain and what it all came to.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ledger.events import UTILITY
from ledger.integrity import tree
from ledger.integrity.archive import INDEX, BadArchive, cut_by_account, ends_of, make_empty, tip_of, write_index
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.seals import NotIntact
from ledger.integrity.tiles import split
from ledger.store.log import shard_of
from ledger.store.seal_rows import Head, SealRows, StoredEvent

STRETCH = 50_000
"""About how many events a stretch holds, over all files."""

LARGEST = 2**30
"""The most bytes that are read of a group."""

FORMAT = "waterledger/parquet/v1"
_UTILITY = "utility.parquet"
_READ = ("account", "version", "type", "state", "hash")

Report = Callable[[int, int], None]
Account = tuple[Head, list[bytes]]
"""The last event of an account, which its chain leads to, and all its stored events."""


class NoPyArrow(Exception):
    """The extra that reads and writes Parquet is not installed."""


class Part(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A file, and how many events it has of each stretch; where it has any, they are a row group."""

    file: str
    stretches: list[int]


class Index(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What an export holds: the events up to the position `heads` of each shard, and the root of the accounts' ends."""

    format: str
    origin: str
    heads: list[int]
    events: int
    accounts: int
    heads_root: str
    parts: list[Part]


class Group(NamedTuple):
    """The events of a stretch that are in one file; whoever can reach `folder` can read it."""

    folder: str
    origin: str
    file: str
    number: int
    events: int


def write(rows: SealRows, origin: str, folder: Path, parts: int, report: Report = lambda done, of: None) -> Index:
    """Write all that is recorded to an empty folder, in so many parts; raises NotEmpty, NotIntact, NoPyArrow."""
    arrow, parquet = _pyarrow()
    make_empty(folder, "an export")
    # The heads come first: what is recorded from here on is left out, whatever the reading below sees of it.
    heads = rows.heads()
    schema = _schema(arrow)
    files = [_UTILITY, *(f"part-{number:04d}.parquet" for number in range(parts))]
    counts: list[list[int]] = [[] for _ in files]
    leaves, done = bytearray(), 0
    writers = [
        parquet.ParquetWriter(folder / file, schema, compression="zstd", use_dictionary=_NAMES) for file in files
    ]
    try:
        for events in cut_by_account(rows, heads, STRETCH):
            sorted_out: list[list[StoredEvent]] = [[] for _ in files]
            for event in events:
                sorted_out[_file_of(event[2].decode(), parts)].append(event)
            for file, some in enumerate(sorted_out):
                counts[file].append(len(some))
                if some:
                    table = arrow.table(list(zip(*some, strict=True)), schema=schema)
                    writers[file].write_table(table, row_group_size=len(some))
            leaves += ends_of(events)
            done += len(events)
            report(done, sum(heads))
    finally:
        for writer in writers:
            writer.close()
    if done != sum(heads):
        raise NotIntact(f"{done} events were found, and the heads say {sum(heads)} (run 'water-ledger audit verify')")
    hashes = split(bytes(leaves))
    index = Index(
        FORMAT,
        origin,
        heads,
        done,
        len(hashes),
        tree.root(hashes).hex(),
        [Part(file, found) for file, found in zip(files, counts, strict=True)],
    )
    write_index(folder, msgspec.json.format(msgspec.json.encode(index), indent=0))
    return index


def seal_of(rows: SealRows, index: Index) -> int | None:
    """The number of the seal that holds the same events; raises BadArchive where it states another root of them."""
    for seal in rows.seals() if rows.exists() else ():
        if unpacked_heads(seal.heads) == index.heads:
            if seal.heads_root.hex() != index.heads_root:
                raise BadArchive(f"seal {seal.number} is of the same events, and states another root of the accounts")
            return seal.number
    return None


def _file_of(account: str, parts: int) -> int:
    return 0 if account == UTILITY else 1 + shard_of(account, parts)


_NAMES = ["account", "type"]


def _schema(arrow: Any) -> Any:
    return arrow.schema(
        [
            ("shard", arrow.int16()),
            ("position", arrow.int64()),
            ("account", arrow.string()),
            ("version", arrow.int64()),
            ("type", arrow.string()),
            ("state", arrow.binary()),
            ("hash", arrow.binary(32)),
        ]
    )


class Columns:
    """An export in a folder; raises BadArchive where it is not whole, NoPyArrow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _pyarrow()
        try:
            self.index = msgspec.json.decode((folder / INDEX).read_bytes(), type=Index)
        except OSError:
            raise BadArchive(f"{folder} holds no finished export: there is no {INDEX}") from None
        except msgspec.MsgspecError as error:
            raise BadArchive(f"{folder / INDEX} cannot be read: {error}") from None
        if self.index.format != FORMAT:
            raise BadArchive(f"{folder / INDEX} is of format {self.index.format[:40]}, and this reads {FORMAT}")
        if len({len(part.stretches) for part in self.index.parts}) != 1:
            raise BadArchive(f"{folder / INDEX}: its parts are not cut alike")

    def groups(self) -> Iterator[list[Group]]:
        """For each stretch its groups; the utility's stream is not among them."""
        parts = self._parts()[1:]
        for stretch in zip(*parts, strict=True):
            yield [group for group in stretch if group is not None]

    def utility(self) -> Account:
        """The utility's stream; raises BadArchive where there is none."""
        groups = [group for group in self._parts()[0] if group is not None]
        accounts = [account for group in groups for account in read(group)]
        if len(accounts) != 1 or accounts[0][0].account != UTILITY:
            raise BadArchive(f"{_UTILITY} does not hold the utility's stream and nothing else")
        return accounts[0]

    def _parts(self) -> list[list[Group | None]]:
        found: list[list[Group | None]] = []
        for part in self.index.parts:
            if "/" in part.file or "\\" in part.file or part.file.startswith("."):
                raise BadArchive(f"the index names {part.file[:60]!r}, which is no file of the export")
            before, groups = 0, list[Group | None]()
            for events in part.stretches:
                group = Group(str(self.folder), self.index.origin, part.file, before, events)
                groups.append(group if events else None)
                before += bool(events)
            found.append(groups)
        return found


def read(group: Group) -> Iterator[Account]:
    """The accounts of a group, each with its chain checked; raises BadArchive, which names account and version."""
    accounts, *columns = _columns(group, _READ)
    before, first = "", 0
    for at in range(1, len(accounts) + 1):
        if at < len(accounts) and accounts[at] == accounts[first]:
            continue
        if accounts[first] <= before:
            raise BadArchive(f"account {accounts[first]} is out of order in {group.file}")
        before = accounts[first]
        versions, types, states, hashes = (column[first:at] for column in columns)
        told = zip(versions, types, states, (hash.hex() for hash in hashes), strict=True)
        yield tip_of(group.origin, before, told), states
        first = at


def of_types(group: Group, types: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The account and stored bytes of a group's events of these types."""
    accounts, kinds, states = _columns(group, ("account", "type", "state"))
    wanted = set(types)
    return ((account, state) for account, kind, state in zip(accounts, kinds, states, strict=True) if kind in wanted)


def _columns(group: Group, names: Sequence[str]) -> list[list[Any]]:
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(Path(group.folder) / group.file) as file:
            if file.schema_arrow != _schema(arrow):
                raise BadArchive(f"{group.file} does not have the columns of an export")
            if file.metadata.row_group(group.number).total_byte_size > LARGEST:
                raise BadArchive(f"{group.file} has a group larger than any stretch")
            table = file.read_row_group(group.number, columns=list(names), use_threads=False)
    except FileNotFoundError:
        raise BadArchive(f"{group.file} is missing: the export has to be in one folder, for every worker too") from None
    except (arrow.ArrowException, OSError, IndexError):
        raise BadArchive(f"{group.file} cannot be read") from None
    if table.num_rows != group.events or any(table[name].null_count for name in names):
        raise BadArchive(f"{group.file}: group {group.number} has not the {group.events} events of the index")
    return [table[name].to_pylist() for name in names]


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise NoPyArrow from None
    return pa, parquet
