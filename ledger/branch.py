"""An account as it would be with other facts: replayed from its history, and never stored."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from ledger import events as e
from ledger.books import Books
from ledger.history import History
from ledger.policy.fees import shutoff_undone
from ledger.posting import Command, Desk, Outcome, Stream
from ledger.refusal import Invalid
from ledger.store.log import Recorded
from ledger.utility import Rules


class Branch:
    """The history of one account, from which events are left out and to which commands are posted.

    Commands are decided as always, by what stands on the branch. Nothing is written: neither events nor keys.
    """

    def __init__(self, books: Books, account: str, clock: Callable[[], datetime]) -> None:
        self._books = books
        self._account = account
        self._desk = Desk(books.keys, clock, backfill=True)
        self.left_out: dict[int, e.Event] = {}
        for name in (e.UTILITY, account):
            self._lay_out(name)
        self.before = History(account, tuple(self._desk.streams[account].events))
        self.before.known()
        self.rules_before = self.rules

    @property
    def after(self) -> History:
        """The history on the branch."""
        return History(self._account, self._desk.streams[self._account].events)

    @property
    def rules(self) -> Rules:
        """The calendar and the rules on the branch."""
        utility = self._desk.streams[e.UTILITY].utility
        assert utility is not None, "the utility's stream carries the rules"
        return utility.rules()

    @property
    def added(self) -> list[e.Event]:
        """The events that the account has on the branch only."""
        last = self.before.events[-1].version
        return [event for event in self.after.events if event.version > last]

    def leave_out(self, versions: Collection[int]) -> None:
        """Leave out events, and the fees that they earned; raises Invalid for one that is not there."""
        events = self.after.events
        there = {event.version: event for event in events}
        for version in versions:
            if version not in there or isinstance(there[version], e.AccountOpened):
                why = (
                    "opens it, so it stays"
                    if version in there
                    else f"is not there ('history {self._account}' lists all)"
                )
                reason = f"version {version} of account {self._account} cannot be left out: it {why}"
                raise Invalid("cannot_leave_out", reason, "without")
        gone = [there[version] for version in versions]
        gone += [event for event in events if event.version not in versions and _earned_by(event, gone)]
        self.left_out |= {event.version: event for event in gone}
        self._desk.put(_Kept(self._account, [event for event in events if event not in gone], events[-1].version))

    def post(self, command: Command) -> Outcome:
        """What becomes of a command on the branch."""
        for account in (command.account, *command.others()):
            if account not in self._desk.streams:
                self._lay_out(account)
        keys = self._desk.keys_of(command)
        found = self._books.log.find([key.key for _, key in keys], command.account)
        for wanted, key in keys:
            if (recorded := self._standing(found.get(key.key))) is not None:
                self._desk.recorded.setdefault(wanted, recorded)
        return self._desk.decide(command, keys)[0]

    def _lay_out(self, account: str) -> None:
        self._desk.put(Stream(account, self._books.log.states(account)))

    def _standing(self, recorded: Recorded | None) -> Recorded | None:
        """What was recorded of a command; None where it was left out."""
        if recorded is None or recorded.account != self._account:
            return recorded
        return None if {recorded.first, recorded.last} & self.left_out.keys() else recorded


class _Kept(Stream):
    """What is left of an account's events, under the versions they have; new ones are numbered after all of them."""

    __slots__ = ("_highest",)

    def __init__(self, account: str, events: Sequence[e.Event], highest: int) -> None:
        super().__init__(account, ())
        self.events.extend(events)
        self._highest = highest

    @property
    def version(self) -> int:
        return max(self._highest, self.events[-1].version)


def _earned_by(event: e.Event, gone: Iterable[e.Event]) -> bool:
    """Whether `event` is a fee that one of the events `gone` earned."""
    if not isinstance(event, e.FeeCharged):
        return False
    undone = shutoff_undone(event)
    for cause in gone:
        if isinstance(cause, e.PaymentReceived) and event.payment == cause.payment:
            return True
        if isinstance(cause, e.ServiceDisconnected) and undone == cause.version:
            return True
        if isinstance(cause, e.ServiceReconnected) and undone and event.version == cause.version + 1:
            return True
    return False
