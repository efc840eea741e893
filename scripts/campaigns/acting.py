"""Those who act in a campaign: writers in processes that can be killed, and what they write, known beforehand."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from multiprocessing.process import BaseProcess
from random import Random
from time import sleep
from typing import Any, NamedTuple

import orjson

from commands.base import Command, read
from commands.catalogue import command_type
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.posting import Outcome
from ledger.store import postgres_link
from ledger.store.log import EXPLICIT, StoreUnavailable
from scripts.simulation.scenarios import feeds

Record = dict[str, Any]

ORIGIN = "torture.example/ledger"
START = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)
_FIRST_DAY = date(2024, 1, 2)


def clock() -> datetime:
    """The time in every campaign that is not about time."""
    return START


def made(url: str) -> str:
    """The address, where a ledger stands now."""
    create(url, clock, origin=ORIGIN)
    return url


def records(chance: Random, accounts: int, each: int) -> list[Record]:
    """Accounts, and for each so many bills and payments in an order of their own; every record has an id."""
    lives = [list(_life(chance, f"A-{number}", each)) for number in range(accounts)]
    found = []
    while any(lives):
        life = chance.choice([life for life in lives if life])
        found.append(life.pop(0))
    return found


def _life(chance: Random, account: str, each: int) -> Iterator[Record]:
    about = {"name": "Sample Customer", "service_address": "1 Example Lane", "billing_email": "sample@example.com"}
    yield {"command": "account open", "account": account, "opened_on": "2024-01-02", "id": f"{account}.0", **about}
    for number in range(1, each + 1):
        day = (_FIRST_DAY + timedelta(days=number)).isoformat()
        amount = f"{chance.randrange(1, 20000) / 100:.2f}"
        about = {"account": account, "id": f"{account}.{number}", "amount": amount}
        if chance.random() < 0.5:
            yield {"command": "bill issue", "bill": f"B-{number}", "mailed_on": day, **about}
        else:
            yield {
                "command": "payment receive",
                "payment": f"P-{number}",
                "received_at": day,
                "channel": "mail",
                **about,
            }


def lives() -> list[list[Record]]:
    """What the scenarios of the simulator record, each a life of one account or a few."""
    return [[orjson.loads(line) for line in path.read_bytes().splitlines()] for path in feeds()]


def elsewhere(record: Record, prefix: str) -> Record:
    """The same in accounts of other names, without an id."""
    found: Record = {name: value for name, value in record.items() if name != "id"}
    for field in ("account", "to_account"):
        if field in found:
            found[field] = f"{prefix}-{found[field]}"
    return found


def apart(written: Sequence[Record], name: str) -> list[Record]:
    """The same in accounts of that name, and known by ids of that name."""
    return [record | {field: f"{name}-{record[field]}" for field in ("account", "id")} for record in written]


def owed(written: Sequence[Record]) -> dict[str, int]:
    """The balance of each account in cents after these records, by plain addition."""
    found: dict[str, int] = {}
    for record in written:
        amount = int(record.get("amount", "0.00").replace(".", ""))
        sign = {"bill issue": 1, "payment receive": -1}.get(record["command"], 0)
        found[record["account"]] = found.get(record["account"], 0) + sign * amount
    return found


def command(record: Record) -> Command:
    """The command that a record of a feed stands for."""
    return read(command_type(record["command"]), {name: value for name, value in record.items() if name != "command"})


def posted(ledger: Ledger, written: Sequence[Record]) -> list[Outcome]:
    """What becomes of records that are sent together: one by itself, several in one transaction."""
    commands = [command(record) for record in written]
    return [ledger.post(commands[0])] if len(commands) == 1 else list(ledger.post_all(commands))


def processes() -> Any:
    """What processes that act are started from: what they need is loaded once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["scripts.campaigns.acting", "tests.integrity.victim", "projections.verify"])
    return context


def started(act: Callable[..., None], *values: Any) -> BaseProcess:
    """A process that does this; it ends with the program at the latest, however that ends."""
    found: BaseProcess = processes().Process(target=_act, args=(act, values), daemon=True, name=act.__name__.strip("_"))
    found.start()
    return found


def _act(act: Callable[..., None], values: Sequence[Any]) -> None:
    # Ctrl-C is for the program that started this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    act(*values)


def _end_with_the_program() -> None:
    program = multiprocessing.parent_process()
    assert program is not None, "only a process that was started waits for its program"
    program.join()
    os._exit(1)


class Resent(NamedTuple):
    """Records that were sent again because no answer came: which of them were found by then, and what was said now."""

    there: list[bool]
    said: list[str]


class Writer:
    """A process that posts records and says of each, once it is acknowledged, by which number it was known.

    Where no answer comes it looks what is there and sends the same again, so many times as its `patience` says; one
    that is `hasty` does so itself, where else the ledger waits for a server to come back and looks. To wait for it
    raises AssertionError where it was told anything but that a record is in, or no longer tries.
    """

    def __init__(
        self, url: str, written: Sequence[Record], at_once: int = 1, patience: int = 0, *, hasty: bool = False
    ) -> None:
        self._end, theirs = processes().Pipe(duplex=False)
        self.process = started(_write, url, written, at_once, patience, hasty, theirs)
        theirs.close()
        self.acknowledged: list[int] = []
        self.unanswered: set[int] = set()
        self.resent: list[Resent] = []

    def wait_for(self, count: int) -> bool:
        """Wait until so many records are acknowledged; False where it ended before."""
        while len(self.acknowledged) < count:
            if not self._hear():
                return False
        return True

    def wait_for_silence(self) -> bool:
        """Wait until some record had no answer; False where it ended before."""
        while not self.unanswered:
            if not self._hear():
                return False
        return True

    def _hear(self) -> bool:
        try:
            told = self._end.recv()
        except EOFError:
            return False
        match told:
            case str():
                raise AssertionError(f"a writer ended: {told}")
            case int():
                self.unanswered.add(told)
            case Resent():
                self.resent.append(told)
            case _:
                self.acknowledged += told
        return True

    def kill(self, after: float = 0) -> None:
        """Kill it as a power cut would, after some seconds, and hear what it still said."""
        sleep(after)
        self.process.kill()
        self.join()

    def join(self) -> None:
        """Hear it to its end."""
        self.wait_for(1 << 60)
        self.process.join()
        if self.process.exitcode not in (0, -signal.SIGKILL):
            raise AssertionError(f"a writer ended with exit code {self.process.exitcode}")


def _write(url: str, written: Sequence[Record], at_once: int, patience: int, hasty: bool, end: Any) -> None:
    """Post all; what went wrong is told to whoever listens."""
    if hasty:
        postgres_link._PATIENCE = 0
    try:
        _post(url, written, at_once, patience, end)
    except Exception as error:  # noqa: BLE001 – it is raised again where somebody waits for it
        end.send(repr(error))


def _post(url: str, written: Sequence[Record], at_once: int, patience: int, end: Any) -> None:
    """Post; where the store is away, the same again so many times."""
    done, unanswered = 0, False
    while done < len(written):
        try:
            with Ledger(url, clock) as ledger:
                while done < len(written):
                    some = written[done : done + at_once]
                    there = _there(ledger, some) if unanswered else []
                    unanswered = True
                    outcomes = posted(ledger, some)
                    unanswered = False
                    wrong = [outcome for outcome in outcomes if outcome.status not in ("recorded", "duplicate")]
                    if wrong:
                        raise AssertionError(f"not recorded: {wrong[0]}")
                    if there:
                        end.send(Resent(there, [outcome.status for outcome in outcomes]))
                    end.send(list(range(done, done + len(some))))
                    done += len(some)
        except StoreUnavailable:
            if not patience:
                raise
            if unanswered:
                end.send(done)
            patience -= 1
            sleep(0.05)


def _there(ledger: Ledger, written: Sequence[Record]) -> list[bool]:
    ids = [f"{EXPLICIT}{record['id']}" for record in written]
    found = ledger.store.find(ids, "")
    return [each in found for each in ids]
