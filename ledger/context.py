"""What a decision may look at besides the account: the calendar, the rules and the moment. All of it is handed in."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import NamedTuple

from ledger.account import Account
from ledger.calendar import Calendar
from ledger.events import Event
from ledger.history import History
from ledger.policy.case import Case
from ledger.policy.parameters import Parameters, Policies


class On(NamedTuple):
    """An event that a command records on another account than its own."""

    account: str
    event: Event


class Whole(NamedTuple):
    """Every account as recorded up to `positions` (shard to position), one at a time."""

    positions: Mapping[int, int]
    histories: Iterator[History]


class Context:
    """The world at the moment a command is decided.

    `now` is when it is recorded, `known_at` what counts as known (the same, or `learned_at` for history brought in).
    """

    def __init__(
        self,
        history: History,
        calendar: Calendar,
        policies: Policies,
        now: datetime,
        known_at: datetime | None = None,
        others: Mapping[str, Account] | None = None,
        whole: Callable[[], Whole] | None = None,
    ) -> None:
        self.history = history
        self.calendar = calendar
        self.policies = policies
        self.now = now
        self.known_at = known_at or now
        self.others = others or {}
        self._whole = whole

    @property
    def today(self) -> date:
        """The Pacific civil day on which the utility knew."""
        return self.known_at.date()

    def as_of(self, when: date | datetime) -> Account:
        """The account as it stood at the end of a day or at a moment, as known now."""
        return self.history.as_of(when)

    def whole(self) -> Whole:
        """Every account, with all that was recorded before this command; for a command that asks for the `whole`."""
        assert self._whole is not None, "only a command with `whole` is decided against every account"
        return self._whole()

    def parameters(self, on: date, account: Account) -> Parameters:
        """The rules in force on a day for the account's district."""
        return self.policies.on(on, account.district)

    def case(self, at: datetime) -> Case:
        """What a rule is asked about: the account at a moment."""
        return Case(self.as_of(at), at, self.calendar, self.policies)
