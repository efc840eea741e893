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
from ledger.movements import KINDS, Movement, entry, movements


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
        """Add one movement, of so many cents."""
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
    """What a closed period holds now and did not hold when it was closed: a movement, or a change of its amount.

    `event` arrived late; it is the movement's own, or the one that makes an older movement come to another amount.
    `amount` is the difference, in cents.
    """

    closed: e.BooksClosed
    event: e.Event
    movement: Movement
    amount: int


def late(history: History, closes: Sequence[e.BooksClosed], places: Mapping[int, e.Position]) -> Iterator[Late]:
    """The late entries of an account in closed periods; `places` is where its events stand in the log, by version.

    An entry may change what a recorded one amounts to (a bill corrected late is voided by more): that counts too, so
    that the totals at the close and the late entries add up to the totals of today. Late events are taken in one after
    the other as they were recorded, so each change has the one that made it.
    """
    for closed in closes:
        upto = {position.shard: position.position for position in closed.positions}
        known = [each for each in history.events if _stands(places[each.version], upto)]
        arrived = [each for each in history.events if not _stands(places[each.version], upto)]
        for event, step, change in arrivals(known, arrived, closed.since, closed.through):
            yield Late(closed, event, step, change)


def arrivals(
    known: Iterable[e.Event], arrived: Iterable[e.Event], first: date | None, last: date
) -> Iterator[tuple[e.Event, Movement, int]]:
    """What a period holds that it did not hold by what was `known`, in cents: each event that arrived, in their order,
    with the movements that it makes or that because of it come to another amount.
    """
    before, taken = None, list(known)
    for event in arrived:
        # What takes effect later moves nothing in the period, nor changes what moved there.
        if event.day > last or not entry(event):
            continue
        before = _amounts(taken, first, last) if before is None else before
        taken.append(event)
        after = _amounts(taken, first, last)
        for name, (step, _) in (before | after).items():
            change = sum(side[name][1] * sign for side, sign in ((after, 1), (before, -1)) if name in side)
            if change:
                yield event, step, change
        before = after


def _stands(place: e.Position, upto: Mapping[int, int]) -> bool:
    return place.position <= upto.get(place.shard, 0)


def _amounts(
    events: Iterable[e.Event], first: date | None, last: date
) -> dict[tuple[object, ...], tuple[Movement, int]]:
    """What events moved in a period, by all that tells one movement from another."""
    found: dict[tuple[object, ...], tuple[Movement, int]] = {}
    for step in movements(sorted(events, key=order)):
        if (first or date.min) <= step.on <= last:
            name = step.book, step.on, step.kind, step.reference, step.event.version
            found[name] = step, step.amount + (found[name][1] if name in found else 0)
    return found


def closed_through(utility: Iterable[e.Event]) -> date | None:
    """The last day through which the utility's own events close the books; None where they never do."""
    return max((each.through for each in utility if isinstance(each, e.BooksClosed)), default=None)


def next_period(utility: Iterable[e.Event]) -> date | None:
    """The first day that is not closed; None where the books were never closed."""
    through = closed_through(utility)
    return through + ONE_DAY if through else None
