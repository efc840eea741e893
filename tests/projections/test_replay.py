"""A replay from Parquet gives what a rebuild gives, here and on workers of which one dies; alterations are named."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from ledger.events import UTILITY
from ledger.integrity import columns
from ledger.integrity.archive import BadArchive
from ledger.integrity.columns import Columns, Index, NoPyArrow, write
from ledger.store.log import StoreError, StoreUnavailable
from ledger.store.open import seals_of
from projections import machines
from projections.machines import NoDask, workers
from projections.rebuild import rebuild
from projections.replay import Replayed, addresses_of, fold_there, here, replay
from projections.runner import Projector
from tests.projections.conftest import ORIGIN, Template, digests

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "export"


@pytest.fixture(autouse=True)
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "STRETCH", 300)


def exported(url: str, folder: Path, parts: int = 3) -> Index:
    with closing(seals_of(url, read_only=True)) as rows:
        return write(rows, ORIGIN, folder, parts)


def replayed(url: str, folder: Path) -> Replayed:
    with Projector(url, read_only=True) as projector:
        export = Columns(folder)
        return replay(export, here(export, projector.lookup))


def test_a_replay_gives_what_a_rebuild_gives(ledger_url: str, template: Template, folder: Path):
    index = exported(ledger_url, folder)
    assert index.events == len(template.entries)
    assert len(index.parts[0].stretches) > 3
    assert sum(sum(part.stretches) for part in index.parts) == index.events
    rebuild(ledger_url, 1)
    made = replayed(ledger_url, folder)
    assert made.digests == template.digests == digests(ledger_url)
    assert (made.events, made.accounts) == (len(template.entries), len(template.accounts) + 1)


@pytest.mark.parametrize("parts", [1, 40])
def test_however_many_parts(sqlite_store_url: str, template: Template, folder: Path, parts: int):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder, parts)
    assert replayed(sqlite_store_url, folder).digests == template.digests


def test_an_accounts_events_are_in_one_file_and_the_utilitys_in_another(
    sqlite_store_url: str, template: Template, folder: Path
):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    found = {path.name: set(parquet.read_table(path)["account"].to_pylist()) for path in folder.glob("*.parquet")}
    assert found.pop("utility.parquet") == {UTILITY}
    assert sorted(account for accounts in found.values() for account in accounts) == template.accounts
    assert all(found.values())


def test_what_is_recorded_meanwhile_is_left_out(store_url: str, template: Template, folder: Path):
    half = len(template.entries) // 2
    log = template.at(store_url, half)
    with closing(log), closing(seals_of(store_url, read_only=True)) as rows:
        before = rows.heads()

        class Slow:
            """The store of whoever asks for the heads just before others record."""

            stored = staticmethod(rows.stored)
            heads = staticmethod(lambda: before)

        template.record(log, template.entries[half:])
        slow: Any = Slow()
        assert write(slow, ORIGIN, folder, 3).events == half
    assert replayed(store_url, folder).events == half


class Cluster:
    """A scheduler and two workers of one thread, each a process that may be killed and is not started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", f"{folder}/at.json")
        self.address = self._address()
        for _ in range(2):
            self._start("dask_worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", f"{folder}")
        self.workers = self._running[1:]

    def _start(self, program: str, *options: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *options, "--no-dashboard"]
        with (self._folder / f"{program}.log").open("ab") as log:
            self._running.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))

    def _address(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return str(msgspec.json.decode((self._folder / "at.json").read_bytes())["address"])
            except (OSError, msgspec.DecodeError):
                time.sleep(0.05)
        raise RuntimeError((self._folder / "dask_scheduler.log").read_text())

    def stop(self) -> None:
        for each in reversed(self._running):
            each.kill()
            each.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    made.stop()


def test_a_worker_dies_on_the_way_and_the_digests_are_the_same(
    sqlite_store_url: str, template: Template, folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machines, "AHEAD", 1)
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder, 6)
    working = []

    with Projector(sqlite_store_url, read_only=True) as projector:
        export = Columns(folder)
        with workers(cluster.address, export, projector.lookup) as fold:

            def report(done: int, of: int) -> None:
                if done > of // 4 and not working:
                    cluster.workers[0].kill()
                    working.append(of - done)

            made = replay(export, fold, report)
    assert working[0] > 0
    assert cluster.workers[0].poll() is not None
    assert cluster.workers[1].poll() is None
    assert made.digests == template.digests


def test_with_no_worker_left_it_says_so(
    sqlite_store_url: str, template: Template, folder: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    export = Columns(folder)

    def replay_and_kill(projector: Projector) -> None:
        with workers(cluster.address, export, projector.lookup) as fold:
            # Only now: a worker takes its time to start, which says nothing of how long one that is gone is missed.
            monkeypatch.setattr(machines, "PATIENCE", 3)
            replay(export, fold, lambda done, of: [worker.kill() for worker in cluster.workers])

    with Projector(sqlite_store_url) as projector:
        with pytest.raises(StoreUnavailable, match="all workers are gone"):
            replay_and_kill(projector)
        with pytest.raises(StoreUnavailable, match="cannot be reached, or has no worker"):
            replay_and_kill(projector)


def test_a_worker_of_another_version_is_told(sqlite_store_url: str, template: Template, folder: Path):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    export = Columns(folder)
    ((group, *_), *_) = export.groups()
    with Projector(sqlite_store_url, read_only=True) as projector:
        addresses = addresses_of(group, projector.lookup)
    assert any(addresses.values())
    with pytest.raises(StoreError, match="another version of the program"):
        fold_there(group, export.utility()[0].hash, addresses, "another")


Change = Callable[[Any], Any]


def _with(name: str, change: Callable[[list[Any]], list[Any]]) -> Change:
    def changed(table: Any) -> Any:
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        return table.set_column(place, field, pa.array(change(table[name].to_pylist()), field.type))

    return changed


CHANGES: list[tuple[Change, str]] = [
    (_with("state", lambda all: [all[0].replace(b"version", b"Version"), *all[1:]]), "version 1: its stored bytes are"),
    (_with("version", lambda all: [2, *all[1:]]), "version 1: it is missing or out of order"),
    (_with("account", lambda all: ["zzz", *all[1:]]), "its stored bytes are not those that were hashed"),
    (_with("type", lambda all: [None, *all[1:]]), "has not the"),
    (lambda table: table.slice(1), "has not the"),
    (lambda table: table.drop_columns(["shard"]), "does not have the columns of an export"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_what_was_altered_is_named(sqlite_store_url: str, template: Template, folder: Path, change: Change, told: str):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    path = folder / "part-0001.parquet"
    with parquet.ParquetFile(path) as file:
        groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    with parquet.ParquetWriter(path, change(groups[0]).schema) as writer:
        for table in [change(groups[0]), *groups[1:]]:
            writer.write_table(table.select(change(groups[0]).schema.names))
    with pytest.raises(BadArchive, match=told):
        replayed(sqlite_store_url, folder)


def test_an_account_cut_short_or_left_out_is_found_by_the_index(
    sqlite_store_url: str, template: Template, folder: Path
):
    template.at(sqlite_store_url).close()
    index = exported(sqlite_store_url, folder, 1)
    path = folder / "part-0000.parquet"
    with parquet.ParquetFile(path) as file:
        groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    last = groups[-1].filter(compute.not_equal(groups[-1]["account"], template.accounts[-1]))
    with parquet.ParquetWriter(path, last.schema) as writer:
        for table in [*groups[:-1], last]:
            writer.write_table(table)
    lost = groups[-1].num_rows - last.num_rows
    assert lost > 0

    def stated(changed: Index) -> None:
        (folder / "index.json").write_bytes(msgspec.json.encode(changed))

    utility, part = index.parts
    shorter = columns.Part(part.file, [*part.stretches[:-1], last.num_rows])
    stated(msgspec.structs.replace(index, parts=[utility, shorter]))
    with pytest.raises(BadArchive, match=f"states {index.events} events .* has {index.events - lost}"):
        replayed(sqlite_store_url, folder)
    counts = {"events": index.events - lost, "accounts": index.accounts - 1}
    stated(msgspec.structs.replace(index, parts=[utility, shorter], **counts))
    with pytest.raises(BadArchive, match="do not end where its index says"):
        replayed(sqlite_store_url, folder)


def test_an_account_in_two_parts_is_named(sqlite_store_url: str, template: Template, folder: Path):
    template.at(sqlite_store_url).close()
    index = exported(sqlite_store_url, folder, 1)
    utility, part = index.parts
    twice = msgspec.structs.replace(index, parts=[utility, part, part])
    (folder / "index.json").write_bytes(msgspec.json.encode(twice))
    with pytest.raises(BadArchive, match=f"account {template.accounts[0]} is in the export twice"):
        replayed(sqlite_store_url, folder)


INDEXES: list[tuple[bytes, bytes, str]] = [
    (b"waterledger/parquet/v1", b"waterledger/parquet/v2", "is of format"),
    (b'"heads_root"', b'"root"', "cannot be read"),
    (b"part-0001", b"../part-0001", "which is no file of the export"),
    (b"part-0001", b"part-0009", "is missing"),
    (ORIGIN.encode(), b"test.example/other", "its stored bytes are not those that were hashed"),
]


@pytest.mark.parametrize(("old", "new", "told"), INDEXES)
def test_an_altered_index_is_found(
    sqlite_store_url: str, template: Template, folder: Path, old: bytes, new: bytes, told: str
):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    path = folder / "index.json"
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(BadArchive, match=told):
        replayed(sqlite_store_url, folder)


def test_an_export_is_never_mixed_with_anything(sqlite_store_url: str, template: Template, folder: Path):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    with pytest.raises(StoreError, match="is not empty"):
        exported(sqlite_store_url, folder)
    (folder / "index.json").unlink()
    with pytest.raises(BadArchive, match="holds no finished export"):
        Columns(folder)


def test_without_the_extra_it_says_so(
    sqlite_store_url: str, template: Template, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    template.at(sqlite_store_url).close()
    exported(sqlite_store_url, folder)
    export = Columns(folder)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NoDask), workers("tcp://127.0.0.1:1", export, lambda *_: None):
        pass
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NoPyArrow):
        Columns(folder)
