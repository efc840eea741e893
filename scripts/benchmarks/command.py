"""One command on an account of 120 events: loaded, decided, appended, on disk. One writer, and eight."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count, cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from time import perf_counter

from msgspec import structs

from commands.base import read
from commands.catalogue import command_type
from ledger.application import Ledger
from ledger.posting import Command
from scripts.benchmarks.measuring import Result, middle, rates, ratios, rounds
from scripts.benchmarks.sample import COMMANDS, Record, account_id, interleaved, life
from scripts.benchmarks.stock import StockLedger
from scripts.benchmarks.stores import Place, contenders, place

WRITERS = 8
A_TURN = 50


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """The rates on `size` accounts: one writer, and on PostgreSQL eight, who need an account each."""
    size = max(size, WRITERS)
    with place(store, server) as where:
        with contenders(where) as (ledger, stock, _):
            seed(ledger, stock, size)
        found = [_one_writer(where, seconds, size)]
        if store == "postgresql":
            found.append(_many_writers(where, seconds, size))
    return found


def seed(ledger: Ledger, stock: StockLedger | None, accounts: int) -> None:
    """Write down `accounts` lives of 120 commands each, in the ledger and in the stock library."""
    items = (command(record) for record in interleaved(range(1, accounts + 1)))
    failed = [outcome for outcome in ledger.post_all(items) if outcome.status != "recorded"]
    assert not failed, failed[0]
    if stock:
        stock.seed(life(number) for number in range(1, accounts + 1))


def command(record: Record) -> Command:
    """The command that a record of the sample stands for."""
    return read(command_type(str(record["command"])), {k: v for k, v in record.items() if k != "command"})


def payments(writer: int, accounts: Iterable[int]) -> Iterator[Record]:
    """Payments without end, account after account."""
    for number, account in zip(count(), cycle(accounts), strict=False):
        yield {
            "command": "payment receive",
            "account": account_id(account),
            "payment": f"X-{writer}-{number}",
            "amount": "12.34",
            "received_at": "2024-03-04T10:42-08:00",
            "channel": "counter",
        }


class Writer:
    """One process's contenders, each with payments of its own to post."""

    def __init__(self, where: Place, name: int, accounts: Iterable[int]) -> None:
        self._where, self._name, self._accounts = where, name, list(accounts)

    @contextmanager
    def turns(self) -> Iterator[dict[str, object]]:
        """What each contender does when it is its turn."""
        with contenders(self._where) as (ledger, stock, bare):
            ours, theirs = (payments(self._name, self._accounts) for _ in range(2))

            def post(number: int) -> None:
                for _, record in zip(range(number), ours, strict=False):
                    outcome = ledger.post(command(record))
                    assert outcome.status == "recorded", outcome

            def post_stock(number: int) -> None:
                for _, record in zip(range(number), theirs, strict=False):
                    stock.post(record)

            yield {"ledger": post, "stock": post_stock, "commit": bare.commits}


def _one_writer(where: Place, seconds: float, size: int) -> Result:
    with Writer(where, 0, range(1, size + 1)).turns() as turns:
        pieces = dict.fromkeys(turns, A_TURN)
        found = rates(rounds(turns, pieces, seconds), pieces)
    targets = {"ledger/stock": ">= 4"}
    what = f"one command on an account of {COMMANDS} events, one writer"
    return Result("command", where.kind, what, "commands/s", middle(found), ratios(found), targets)


def _many_writers(where: Place, seconds: float, size: int) -> Result:
    turn = max(seconds / 10, 0.2)
    found = []
    with _writers(where, size) as doors:
        for _ in range(3):
            found.append({name: _together(doors, name, turn) for name in ("ledger", "stock", "commit")})
    what = f"one command on an account of {COMMANDS} events, {WRITERS} writers"
    return Result("command", where.kind, what, "commands/s", middle(found), ratios(found), {"ledger/stock": ">= 3"})


@contextmanager
def _writers(where: Place, size: int) -> Iterator[list[Connection]]:
    """Eight processes that wait to be told whose turn it is, each with accounts of its own."""
    spawn = get_context("spawn")
    doors: list[Connection] = []
    processes: list[BaseProcess] = []
    try:
        for number in range(1, WRITERS + 1):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_write, args=(where, number, range(number, size + 1, WRITERS), theirs))
            process.start()
            theirs.close()
            doors.append(ours)
            processes.append(process)
        for door in doors:
            door.recv()
        yield doors
    finally:
        for door in doors:
            door.close()
        for process in processes:
            process.join()


def _together(doors: list[Connection], name: str, seconds: float) -> float:
    for door in doors:
        door.send((name, seconds))
    done = [door.recv() for door in doors]
    return sum(number / taken for number, taken in done)


def _write(where: Place, number: int, accounts: range, door: Connection) -> None:
    # The tables are there; eight that create them at once collide.
    where = structs.replace(where, stock=where.stock | {"CREATE_TABLE": "no"})
    with Writer(where, number, accounts).turns() as turns:
        door.send("ready")
        while True:
            try:
                name, seconds = door.recv()
            except EOFError:
                return
            start, done = perf_counter(), 0
            while (taken := perf_counter() - start) < seconds:
                turns[name](5)
                done += 5
            door.send((done, taken))
