"""The control totals of a period, and what came into a period after its books were closed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from ledger import events as e
from ledger.account import Account
from ledger.calendar import ONE_DAY
from ledger.events import Book
from ledger.evolve import order
from ledger.history import History
from ledger.movements import KINDS, Movement, movements


class Totals:
    """What each book held before a period, what moved it, by kind, and what it held at the end; in cents.

    `closing` comes from the accounts' states, the rest from their movements: where the two differ there is a fault.
    """

    def __init__(self, first: date | None) -> None:
        self.first = first
        self.accounts = 0
        self.opening = dict.fromkeys(KINDS, 0)
        self.moved = {book: dict.fromkeys(kinds, 0) for book, kinds in KINDS.items()}
        self.closing = dict.fromkeys(KINDS, 0)

    def take(self, account: Account, steps: Iterable[Movement]) -> None:
        """Add an account as it stood at the end of the period, and its movements up to then; counted once opened."""
        self.accounts += account.opened is not None
        for book, amount in held(account).items():
            self.closing[book] += amount
        for step in steps:
            self.move(step.book, step.on, step.kind, step.amount)

    def move(self, book: Book, on: date, kind: str, amount: int) -> None:
        """Add one movement."""
        if self.first and on < self.first:
            self.opening[book] += amount
        else:
            self.moved[book][kind] += amount

    def difference(self, book: Book) -> int:
        """What opening and movements leave unexplained of the closing total, in cents."""
        return self.closing[book] - self.opening[book] - sum(self.moved[book].values())

    def recorded(self) -> Iterator[e.ControlTotal]:
        """The totals as an event keeps them: opening and closing of each book, and what moved it."""
        for book, moved in self.moved.items():
            yield e.ControlTotal(book, "opening", self.opening[book])
            yield from (e.ControlTotal(book, kind, amount) for kind, amount in moved.items() if amount)
            yield e.ControlTotal(book, "closing", self.closing[book])


def held(account: Account) -> dict[Book, int]:
    """What an account's state says that each book holds, in cents."""
    return {
        "balance": account.balance,
        "deposit": account.deposit,
        "commission_deposit": account.commission_deposit,
    }


class Late(NamedTuple):
    """What a closed period holds now and did not hold when it was closed: a movement, or a change of its amount."""

    closed: e.BooksClosed
    movement: Movement
    amount: int


def late(history: History, closes: Sequence[e.BooksClosed], places: Mapping[int, e.Position]) -> Iterator[Late]:
    """The late entries of an account in closed periods; `places` is where its events stand in the log, by version.

    An entry may change what a recorded one amounts to (a bill corrected late is voided by more): that counts too, so
    that the totals at the close and the late entries add up to the totals of today.
    """
    now = sorted(history.events, key=order)
    for closed in closes:
        upto = {position.shard: position.position for position in closed.positions}
        then = [each for each in now if _stands(places[each.version], upto)]
        if len(then) == len(now):
            continue
        before, after = _amounts(movements(then), closed), _amounts(movements(now), closed)
        for name, (step, amount) in (before | after).items():
            there = amount if name in after else 0
            change = there - (before[name][1] if name in before else 0)
            if change:
                yield Late(closed, step, change)


def _stands(place: e.Position, upto: Mapping[int, int]) -> bool:
    return place.position <= upto.get(place.shard, 0)


def _amounts(steps: Iterable[Movement], closed: e.BooksClosed) -> dict[tuple[object, ...], tuple[Movement, int]]:
    """What moved in a closed period, by all that tells one movement from another."""
    found: dict[tuple[object, ...], tuple[Movement, int]] = {}
    for step in steps:
        if (closed.since or date.min) <= step.on <= closed.through:
            name = step.book, step.on, step.kind, step.reference, step.event.version
            found[name] = step, step.amount + (found[name][1] if name in found else 0)
    return found


def next_period(closes: Iterable[e.Event]) -> date | None:
    """The first day that is not closed; None where the books were never closed."""
    through = max((each.through for each in closes if isinstance(each, e.BooksClosed)), default=None)
    return through + ONE_DAY if through else None
