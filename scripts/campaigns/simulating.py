"""Campaign 20: a utility in one thread: a clock of its own, a store that fails, and many who send and send again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import orjson

from commands import answers
from commands.base import Command
from commands.catalogue import titles
from ledger.application import Ledger
from ledger.calendar import PACIFIC
from ledger.events import UTILITY, Event
from ledger.integrity.audit import Evidence
from ledger.refusal import Refused
from ledger.store.codec import decode
from ledger.store.log import EXPLICIT, Batch, Conflict, Log, StoreUnavailable
from scripts.campaigns.acting import START, Record, command, elsewhere, lives, made
from scripts.campaigns.drawing import drawn, rest
from scripts.campaigns.looking import check_verified, check_whole
from scripts.campaigns.run import Round

ACTORS, STEPS = 4, 240
"""How many send commands, and how many they send in a round."""

_SATURDAYS = [datetime(2024, 6, 8, 10, tzinfo=PACIFIC), datetime(2021, 3, 6, 10, tzinfo=PACIFIC)]
SATURDAY = "DO-33"
"""The rule by which nobody is shut off on a Saturday."""

_WEEKDAYS = [datetime(2024, 3, 13, 10, tzinfo=PACIFIC), datetime(2024, 6, 10, 10, tzinfo=PACIFIC)]


class Failing:
    """A log that fails before or after it recorded something, in either of its words; all else is the log's own."""

    def __init__(self, log: Log, chance: Random) -> None:
        self._log = log
        self._chance = chance
        self.failures = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, *values: Any) -> list[int]:
        self._fail(0.08)
        positions = self._log.append(*values)
        self._fail(0.08)
        return positions

    @contextmanager
    def writing(self, accounts: Any) -> Iterator[Batch]:
        self._fail(0.08)
        with self._log.writing(accounts) as batch:
            yield batch
            self._fail(0.04)
        self._fail(0.08)

    def _fail(self, share: float) -> None:
        if self._chance.random() < share:
            self.failures += 1
            raise self._chance.choice([Conflict, StoreUnavailable])("the store failed on purpose")


class Actor:
    """Somebody who sends the commands of a life, some of them twice, and others that do not belong in it."""

    def __init__(self, name: str, chance: Random, life: list[Record]) -> None:
        self._chance = chance
        self._name = name
        self._due = [self._own(record) for record in life]
        self._sent: list[Record] = []
        self._again: Record | None = None
        self._number = 0

    def next(self) -> Record:
        """What is sent now: what had no answer, something again, something odd, or what comes next in the life."""
        lot = self._chance.random()
        if self._again is not None:
            return self._again
        if self._sent and lot < 0.2:
            return self._chance.choice(self._sent)
        if self._sent and (lot < 0.35 or not self._due):
            return self._known(drawn(self._chance, self._sent))
        return self._known(self._due.pop(0))

    def heard(self, record: Record, answered: bool) -> None:
        """Whether there was an answer; where there was none it is sent again."""
        self._again = None if answered else record
        if answered:
            self._sent.append(record)

    def _known(self, record: Record) -> Record:
        self._number += 1
        return record | {"id": f"{self._name}.{self._number}"} if self._chance.random() < 0.7 else record

    def _own(self, record: Record) -> Record:
        return elsewhere(record, self._name)


def simulated(round: Round) -> None:
    """After each step the books add up, what was acknowledged is there once, and nothing forbidden is allowed."""
    chance, now = round.chance, [START + timedelta(days=400)]

    def clock() -> datetime:
        now[0] += timedelta(seconds=chance.choice([0, 1, 60, 86_400, -5, -3600]))
        return now[0]

    url = made(round.fresh())
    pairs = ([record for life in chance.sample(lives(), 2) for record in life] for _ in range(1, ACTORS))
    actors = [Actor(f"Z{number}", chance, life) for number, life in enumerate([rest(), *pairs])]
    with Ledger(url, clock) as ledger:
        log = ledger.store
        failing: Any = Failing(log, chance)
        ledger.store = ledger.recorder.log = failing  # type: ignore[attr-defined]
        acknowledged: dict[bytes, int] = {}
        for _ in range(STEPS):
            # The one with the longest life is the busiest.
            actor = chance.choice([actors[0], *actors])
            record = actor.next()
            status, code = _step(ledger, log, record, acknowledged)
            actor.heard(record, status != "no answer")
            round.counts[status] += 1
            round.seen.add((record["command"], code))
        round.counts["failures"] += failing.failures
    check_whole(url)
    check_verified(url, Evidence(titles=titles()))


def _step(ledger: Ledger, log: Log, record: Record, acknowledged: dict[bytes, int]) -> tuple[str, str]:
    """Send a record and look what became of it; returns the answer, and its code where it was refused."""
    try:
        sent = command(record)
    except Refused as invalid:
        return "invalid", invalid.code
    before, known = sum(log.heads().values()), orjson.dumps(record)
    try:
        outcome = ledger.post(sent, backfill=True)
    except (StoreUnavailable, Conflict):
        if sum(log.heads().values()) > before:
            assert known not in acknowledged, f"{record} took effect again"
            # It was recorded, and whoever sends it again hears so.
            acknowledged[known] = len(log.states(sent.account))
        return "no answer", ""
    events = decode(log.states(sent.account))
    if known in acknowledged and not sent.lapsed(events):
        assert outcome.status == "duplicate", f"{record} was recorded, and now: {outcome}"
    grown = sum(log.heads().values()) > before
    # Where the store failed after it had recorded, the ledger sends again by itself, and hears that it is there.
    again = outcome.status == "duplicate" and known not in acknowledged
    left = "something" if grown else "nothing"
    assert grown == (outcome.status == "recorded") or again, f"{record} left {left}: {outcome}"
    if outcome.status in ("recorded", "duplicate"):
        acknowledged[known] = outcome.version
        _check_there(log, sent, outcome.version)
    if sent.account != UTILITY and events:
        _check_account(ledger, sent.account, events)
    return outcome.status, outcome.error.code if outcome.error else outcome.status


def _check_there(log: Log, sent: Command, version: int) -> None:
    if sent.id:
        found = log.find([f"{EXPLICIT}{sent.id}"], "").get(f"{EXPLICIT}{sent.id}")
        held = [event.version for event in decode(log.states(sent.account)) if event.command == sent.id]
        # A duplicate by its name keeps the id that it was first known by.
        assert found is None or held == list(range(found.first, found.last + 1)), f"id {sent.id} stands at {held}"
        assert found is not None or not held
    assert 0 < version <= len(log.states(sent.account))


def _check_account(ledger: Ledger, account: str, events: Sequence[Event]) -> None:
    assert [event.version for event in events] == list(range(1, len(events) + 1))
    moments = [event.recorded_at for event in events]
    assert moments == sorted(moments), f"account {account} has times that go back"
    history, rules = ledger.books.history(account), ledger.books.utility().rules()
    for when in (date(2024, 5, 1), date(2030, 1, 1)):
        with suppress(Refused):
            lines = answers.statement(history, *rules, when)
            total = sum(_cents(line["amount"]) for line in lines["lines"])
            owed = answers.balance(history, *rules, when)["balance"]
            assert total == _cents(lines["balance"]) == _cents(owed), f"account {account} does not add up on {when}"
    for moment in (*_SATURDAYS, *_WEEKDAYS):
        with suppress(Refused):
            explained = answers.explain(history, *rules, moment)
            against = {rule["rule"] for rule in explained["rules"] if rule["verdict"] in ("blocks", "avoids")}
            assert explained["allowed"] == (not against), f"{account} on {moment}: {against}"
            assert moment in _WEEKDAYS or SATURDAY in against, f"{account}: a Saturday is no obstacle on {moment}"
            for stay in answers.status(history, *rules, moment)["protections"]:
                assert against & {*stay["rules"]}, f"{account} on {moment}: {stay} is no obstacle"


def _cents(text: str) -> int:
    return int(text.replace(".", ""))
