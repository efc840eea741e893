"""What a projection is: a name, the columns of its rows, and a pure function from an account to rows.

Days and moments are stored as ISO text, money as whole cents. No row holds a status that would turn at midnight: it
holds the dates on which the status turns.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

from ledger import events as e
from ledger.account import Account
from ledger.calendar import PACIFIC
from ledger.evolve import fold, order
from ledger.movements import Movement, movements
from ledger.policy.case import Case
from ledger.policy.clocks import clocks_from
from ledger.usage import Metering, metering
from ledger.utility import Rules

Kind = Literal["text", "integer", "boolean", "day", "moment"]
"""What a column holds; days and moments are text to a database."""

Lookup = Callable[[str, str, str], str | None]
"""Turns (account, field, sealed address) into the keyed digest it is looked up by; None where it was erased."""


Moment = Annotated[str, Meta(extra={"column": "moment"})]
"""A moment, or a day where only that is known, as text."""

_LAST = datetime.combine(date(2199, 12, 31), time.max, PACIFIC)


class Row(Struct, frozen=True, array_like=True, gc=False):
    """One row of a projection; the account it belongs to is its first column and is kept beside it."""


class World:
    """What all accounts share: the calendar, the rules, and how an address is looked up."""

    def __init__(self, rules: Rules, lookup: Lookup) -> None:
        self.rules = rules
        self.lookup = lookup
        self._clocks: dict[tuple[bool, str | None], Clocks] = {}

    def clocks(self, account: Account) -> "Clocks":
        """The clocks of the bills of an account, and of all accounts like it."""
        kind = account.residential, account.district
        found = self._clocks.get(kind)
        if found is None:
            found = self._clocks[kind] = Clocks(account, self.rules)
        return found


class Clocks(dict[tuple[date, date], tuple[date, date]]):
    """`grace_until` and `shutoff_from` by `mailed_on` and `past_due_from`; bills share their days, so each is kept."""

    def __init__(self, account: Account, rules: Rules) -> None:
        super().__init__()
        self._of, self._rules = (account.residential, account.district), rules

    def __missing__(self, days: tuple[date, date]) -> tuple[date, date]:
        self[days] = found = clocks_from(*days, *self._of, *self._rules)
        return found


class Folded:
    """One account as every projection sees it: its history in effective order, and the state that it folds to.

    All that is recorded counts, whenever it is effective.
    """

    def __init__(self, account: str, events: Iterable[e.Event], world: World) -> None:
        self.history: Sequence[e.Event] = sorted(events, key=order)
        self.account: Account = fold(account, self.history)
        self.world = world

    @cached_property
    def movements(self) -> list[Movement]:
        """What moved the balance and the deposits, in effective order."""
        return movements(self.history)

    @cached_property
    def metered(self) -> Metering | None:
        """The billing periods, by the meters or as printed on bills."""
        return metering(self.account)

    @cached_property
    def case(self) -> Case:
        """The account at its latest event: the last moment of that day where only the day is known."""
        when = self.history[-1].effective
        at = when if isinstance(when, datetime) else datetime.combine(when, time.max, PACIFIC)
        return Case(self.account, at, *self.world.rules)

    @cached_property
    def at_last(self) -> Case:
        """The account when all that the mere passing of time can change has changed."""
        return Case(self.account, _LAST, *self.world.rules)


class Column(NamedTuple):
    """A column: its name, what it holds, and whether it may be empty."""

    name: str
    kind: Kind
    optional: bool


class Projection(NamedTuple):
    """A table that people read: `key` names the columns that tell an account's rows apart, in their order."""

    name: str
    row: type[Row]
    rows: Callable[[Folded], Iterator[Row]]
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> list[Column]:
        """The columns after `account`, in the order in which a row holds them."""
        hints = get_type_hints(self.row, include_extras=True)
        return [_column(name, hints[name]) for name in self.row.__struct_fields__]


_KINDS: dict[Any, Kind] = {
    str: "text",
    int: "integer",
    bool: "boolean",
    date: "day",
    datetime: "moment",
    Moment: "moment",
}


def _column(name: str, hint: Any) -> Column:
    parts = set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}
    (held,) = parts - {NoneType}
    return Column(name, "text" if get_origin(held) is Literal else _KINDS[held], NoneType in parts)
