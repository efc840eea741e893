"""How a command becomes events: looked up, decided, stamped and sealed. No database is named here."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from ledger import events as e
from ledger.account import Account
from ledger.context import Context, On, Whole
from ledger.evolve import evolve, fold, order
from ledger.history import History, unknown_account
from ledger.moments import pacific
from ledger.movements import entry
from ledger.policy.case import start_of
from ledger.refusal import Invalid, Refused
from ledger.store.codec import decode, encode, with_personal
from ledger.store.keys import Keys
from ledger.store.log import EXPLICIT, CommandKey, CommandRow, Entry, Recorded, Wanted
from ledger.utility import Utility

OPENING = "account open"
"""The one command that an account need not be there for."""

Status = Literal["recorded", "duplicate", "refused", "invalid"]


class Command(Protocol):
    """What the ledger asks of a command; see commands.base for what each means."""

    @property
    def account(self) -> str: ...
    @property
    def id(self) -> str | None: ...
    @property
    def actor(self) -> str | None: ...
    @property
    def source(self) -> str | None: ...
    @property
    def note(self) -> str | None: ...
    @property
    def learned_at(self) -> datetime | None: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def whole(self) -> bool: ...
    @classmethod
    def title(cls) -> str: ...
    def taken(self) -> "Command": ...
    def content(self) -> bytes: ...
    def named(self) -> str | None: ...
    def others(self) -> tuple[str, ...]: ...
    def erases(self) -> e.PersonalClass | None: ...
    def lapsed(self, recorded: Sequence[e.Event]) -> bool: ...
    def decide(self, account: Account, context: Context) -> Sequence[e.Event | On]: ...
    def differences(self, recorded: Sequence[e.Event]) -> str | None: ...


class Outcome(Struct, omit_defaults=True):
    """What became of one command; `version` is the account's last event of it."""

    status: Status
    account: str | None = None
    version: int = 0
    events: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    error: Refused | None = None


class Stream:
    """One account as the desk holds it: its events as recorded, and the state they fold to."""

    __slots__ = ("_latest", "_state", "account", "events", "utility")

    def __init__(self, account: str, states: Iterable[bytes]) -> None:
        self.account = account
        self.events = decode(states)
        self.utility = Utility(self.events) if account == e.UTILITY else None
        self._state: Account | None = None
        self._latest: Any = None

    @property
    def version(self) -> int:
        """The version of the last event; 0 where there is none."""
        return len(self.events)

    @property
    def state(self) -> Account:
        """All that is known, folded in effective order."""
        if self._state is None:
            ordered = sorted(self.events, key=order) if self.account != e.UTILITY else []
            self._state = fold(self.account, ordered)
            self._latest = order(ordered[-1]) if ordered else None
        return self._state

    def read(self, states: Iterable[bytes]) -> None:
        """Take in events that were recorded since."""
        for event in decode(states):
            self.add(event)

    def add(self, event: e.Event) -> None:
        """Take in one more event; an event before the latest one has the state folded anew."""
        self.events.append(event)
        if self._state is None or self.account == e.UTILITY:
            return
        place = order(event)
        if self._latest is not None and place < self._latest:
            self._state = None
            return
        self._latest = place
        evolve(self._state, event)


Keyed = tuple[Wanted, CommandKey]
"""Under what a command is looked up, and what is kept of it."""


class Pending(Struct):
    """What a decided command adds to the log."""

    entries: list[Entry]
    command: CommandRow


class Desk:
    """Decides commands one after the other against what was recorded and what it has decided itself.

    Whoever uses it puts the streams and the recorded commands that a command needs on it first.
    """

    def __init__(self, keys: Keys, clock: Callable[[], datetime], *, backfill: bool = False) -> None:
        self._keys = keys
        self._utility = Utility(())
        self.clock = clock
        self._backfill = backfill
        self._moment: datetime | None = None
        self._now = datetime.min
        self.streams: dict[str, Stream] = {}
        self.recorded: dict[Wanted, Recorded] = {}
        self.whole: Callable[[], Whole] | None = None
        self.erasing: list[bytes] = []
        """The ids of keys that are to be deleted when what was decided is recorded."""

    def put(self, stream: Stream) -> None:
        """Lay an account's stream on the desk; the utility's own carries the calendar and the rules."""
        self.streams[stream.account] = stream
        if stream.utility is not None:
            self._utility = stream.utility

    def missing(self, accounts: Iterable[str]) -> list[str]:
        """Those of `accounts` that are not on the desk; those that are move to the top of it."""
        found = []
        for account in accounts:
            if stream := self.streams.pop(account, None):
                self.streams[account] = stream
            else:
                found.append(account)
        return found

    def shrink(self, most: int) -> None:
        """Put away the streams longest unused until at most `most` events lie on the desk."""
        held = sum([stream.version for stream in self.streams.values()])
        for account in list(self.streams) if held > most else ():
            held -= self.streams.pop(account).version
            if held <= most:
                return

    def keys_of(self, command: Command) -> list[Keyed]:
        """What a command is known by: its own id first, then the thing it names, or else its whole content.

        An explicit id is one for all accounts, so it is looked up with none.
        """
        digest = self._keys.digest(command.content())
        named = command.named() or f"{command.title()}/{digest.hex()}"
        key = (named, command.account), CommandKey(named, digest)
        if not command.id:
            return [key]
        explicit = EXPLICIT + command.id
        return [((explicit, ""), CommandKey(explicit, digest)), key]

    def decide(self, command: Command, keys: Sequence[Keyed]) -> tuple[Outcome, Pending | None]:
        """What becomes of a command, and what is to be appended for it; refusals and duplicates add nothing."""
        try:
            if command.learned_at is not None:
                self._check_learned(command.learned_at)
            duplicate = self._duplicate(command, keys)
            decided = (duplicate, None) if duplicate else self._record(command, keys)
            self._retire_keys(command)
            return decided
        except Refused as refusal:
            status: Status = "invalid" if isinstance(refusal, Invalid) else "refused"
            return Outcome(status, account=command.account, error=refusal), None

    def _check_learned(self, learned_at: datetime) -> None:
        if not self._backfill:
            reason = "learned_at is only for history brought in from another system; post it with --backfill"
            raise Invalid("backfill_only", reason, "learned_at")
        if start_of(learned_at) > self.clock():
            raise Invalid("invalid_value", "learned_at: this moment has not come yet", "learned_at")

    def _duplicate(self, command: Command, keys: Sequence[Keyed]) -> Outcome | None:
        for wanted, key in keys:
            found = self.recorded.get(wanted)
            if found is None:
                continue
            explicit = not wanted[1]
            if command.id and not explicit and command.named() is None:
                continue
            if found.digest == key.digest:
                if not explicit and command.lapsed(self.streams[command.account].events):
                    continue
                return Outcome("duplicate", account=command.account, version=found.last)
            if explicit:
                reason = f"id {command.id} was used for another command already; give this one an id of its own"
                raise Refused("id_used", reason, field="id")
            events = self.streams[command.account].events
            differences = command.differences([each for each in events if found.first <= each.version <= found.last])
            if differences is None:
                return Outcome("duplicate", account=command.account, version=found.last)
            raise Refused("recorded_differently", differences, field=next(iter(command.names), None))
        return None

    def _record(self, command: Command, keys: Sequence[Keyed]) -> tuple[Outcome, Pending]:
        stream = self.streams[command.account]
        if stream.account != e.UTILITY and stream.state.opened is None and command.title() != OPENING:
            raise unknown_account(stream.account)
        others = [self.streams[name] for name in command.others() if self.streams[name].events]
        now = self._not_before(self._utility.events, stream.events, *[other.events for other in others])
        known_at = start_of(command.learned_at) if command.learned_at else now
        rules = self._utility.rules(known_at)
        states = {other.account: other.state for other in others}
        context = Context(History(stream.account, stream.events), *rules, now, known_at, states, self.whole)
        decided = command.decide(stream.state, context)
        assert decided, f"{command.title()} decided nothing"
        return self._recorded(command, keys, now, decided)

    def _retire_keys(self, command: Command) -> None:
        """Have the keys deleted that a command erases; of a duplicate too, for a backup may have brought them back."""
        kind = command.erases()
        # The same id sent again erases nothing that was recorded since.
        if kind and not command.lapsed(self.streams[command.account].events):
            self.erasing += self._keys.retire(command.account, kind)

    def _recorded(
        self, command: Command, keys: Sequence[Keyed], now: datetime, decided: Sequence[e.Event | On]
    ) -> tuple[Outcome, Pending]:
        first, closed = self.streams[command.account].version + 1, self._utility.closed_through
        learned_at = start_of(command.learned_at) if command.learned_at else None
        entries, own = [], []
        for each in decided:
            account, event = each if isinstance(each, On) else (command.account, each)
            stream = self.streams[account]
            stamped = msgspec.structs.replace(
                with_personal(event, partial(self._keys.seal, account)),
                version=stream.version + 1,
                recorded_at=now,
                learned_at=learned_at,
                actor=command.actor,
                source=command.source,
                note=command.note,
                command=command.id,
                # What was closed keeps its totals; that this came later is said where it is read.
                flags=(*event.flags, e.LATE) if closed and event.day <= closed and entry(event) else event.flags,
            )
            stream.add(stamped)
            entries.append(Entry(account, stamped.version, stamped.type, encode(stamped)))
            if account == command.account:
                own.append(stamped)
        last = own[-1].version
        kept = []
        for wanted, key in keys:
            if wanted not in self.recorded:
                self.recorded[wanted] = Recorded(*key, command.account, first, last)
                kept.append(key)
        flags = tuple(dict.fromkeys([flag for event in own for flag in event.flags]))
        outcome = Outcome("recorded", command.account, last, tuple([event.type for event in own]), flags)
        return outcome, Pending(entries, (kept, command.account, first, last))

    def _not_before(self, *recorded: Sequence[e.Event]) -> datetime:
        """The clock, but never before what was recorded, so that a decision knows it: a clock may be set back."""
        moment = self.clock()
        if moment is not self._moment:
            self._moment, self._now = moment, pacific(moment)
        now = self._now
        for events in recorded:
            if events and events[-1].recorded_at > now:
                now = events[-1].recorded_at
        return now
