"""Which credit pays which charge: a pure function of what is owed and what was given (C10)."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from operator import attrgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

ChargeKind = Literal["bill", "fee", "adjustment"]


class Part(Struct, frozen=True, gc=False):
    """So many cents of a charge with clocks of their own: an increase runs from its correction's mailing (DO-02 e)."""

    mailed_on: date
    amount: int
    past_due_from: date | None


class Charge(Struct, frozen=True, gc=False):
    """Something owed: its parts, the oldest first, add up to `amount` cents."""

    kind: ChargeKind
    name: str
    on: date
    version: int
    amount: int
    parts: list[Part]

    @property
    def id(self) -> str:
        """Its name among all charges: a bill and a fee may be called alike."""
        return f"{self.kind} {self.name}"

    def increases(self) -> list[Part]:
        """The parts that were mailed after the charge itself."""
        parts = self.parts
        # Nearly every charge has one part, of its own day.
        if len(parts) == 1 and parts[0].mailed_on <= self.on:
            return []
        return [part for part in parts if part.mailed_on > self.on]

    def mailed_by(self, day: date) -> "Charge":
        """The charge without its increases that were mailed after `day`."""
        parts = [part for part in self.parts if part.mailed_on <= day]
        return replace(self, amount=sum([part.amount for part in parts]), parts=parts)

    def past_due(self, on: date, unpaid: int) -> int:
        """How many of the `unpaid` cents are past due at the end of `on`."""
        return sum(
            share for part, share in self.shares(unpaid) if part.past_due_from is not None and part.past_due_from <= on
        )

    def shares(self, unpaid: int) -> list[tuple[Part, int]]:
        """The parts of which something is unpaid, each with those cents; the oldest part was paid first."""
        if len(self.parts) == 1 and unpaid:
            return [(self.parts[0], min(unpaid, self.amount))]
        found = []
        for part in reversed(self.parts):
            share = min(unpaid, part.amount)
            unpaid -= share
            if share:
                found.append((part, share))
        return found[::-1]


class Credit(Struct, frozen=True, gc=False):
    """Something given: `amount` cents on a day, perhaps meant for one charge."""

    on: date
    version: int
    amount: int
    charge: str | None = None


class Paid(Struct, frozen=True, gc=False):
    """So many cents laid on a charge: the day they counted from, and the credit they came from."""

    on: date
    amount: int
    credit: Credit


class Settlement(Struct):
    """Every charge in the order in which it is paid, what was laid on each, and what is left over, all in cents.

    `owed` is each charge's amount and `left` what is unpaid of it; `balance` is all that is unpaid, less `credit`.
    `increases` are the parts of charges that were mailed after them.
    """

    charges: list[Charge]
    owed: dict[str, int]
    left: dict[str, int]
    paid: dict[str, list[Paid]]
    credit: int
    balance: int
    increases: dict[str, list[Part]]

    def unpaid(self, charge: str) -> int:
        """What is still owed on a charge, in cents; 0 for one that no longer stands."""
        return self.left.get(charge, 0)

    def open(self) -> list[tuple[Charge, int]]:
        """The charges with something unpaid, each with those cents."""
        return [(charge, left) for charge, left in zip(self.charges, self.left.values(), strict=True) if left]

    def unpaid_at(self, charge: str, on: date) -> int:
        """What was owed at the end of `on`, in cents, on what was mailed of a charge by then."""
        paid = self.paid.get(charge)
        # What is laid on a charge is laid in order of time.
        if not paid or paid[-1].on <= on:
            left = self.left.get(charge, 0)
        else:
            left = self.owed.get(charge, 0) - sum(p.amount for p in paid if p.on <= on)
        return left - self._mailed_after(charge, on)

    def open_bills_at(self, on: date, mailed_by: date) -> Iterator[tuple[Charge, int]]:
        """The bills mailed by a day, `on` or later, with something unpaid at the end of `on`, each with those cents.

        The oldest comes first. An increase that was mailed after that day is no part of them.
        """
        for charge, left, paid in zip(self.charges, self.left.values(), self.paid.values(), strict=True):
            if charge.on > mailed_by:
                return
            # Most were paid by then, and are passed over at a glance.
            if charge.kind == "bill" and (left or (paid and paid[-1].on > on)):
                later = self._mailed_after(charge.id, mailed_by)
                unpaid = left + sum(p.amount for p in paid if p.on > on) - later
                if unpaid:
                    yield charge.mailed_by(mailed_by) if later else charge, unpaid

    def _mailed_after(self, charge: str, day: date) -> int:
        return sum(part.amount for part in self.increases.get(charge, ()) if part.mailed_on > day)


Line = tuple[Charge, str]
"""A charge as it stands in line to be paid, under a name."""


def settle(charges: Iterable[Charge], credits: Iterable[Credit]) -> Settlement:
    """Lay credits on charges in order of time: a directed credit on its charge, all else on the oldest open bill.

    Where no bill is open, it pays the oldest open fee or adjustment. An increase stands in line for itself, from its
    own mailing on (DO-02 e): what was paid before had gone to what was owed then.
    """
    owed = sorted(charges, key=_turn_of_charge)
    amounts = {charge.id: charge.amount for charge in owed}
    line = [*zip(owed, amounts, strict=True)]
    increases = {name: parts for charge, name in line if (parts := charge.increases())}
    if not increases:
        return Settlement(owed, amounts, *_laid(line, credits, {}), increases)
    split = {name: [*_split(charge, name)] for charge, name in line if name in increases}
    apart = [each for charge, name in line for each in split.get(name, [(charge, name)])]
    left, paid, credit, balance = _laid(sorted(apart, key=lambda each: _turn_of_charge(each[0])), credits, split)
    for name, lines in split.items():
        left[name] = sum([left[each] for _, each in lines])
        paid[name] = sorted([one for _, each in lines for one in paid[each]], key=attrgetter("on"))
    left, paid = {name: left[name] for name in amounts}, {name: paid[name] for name in amounts}
    return Settlement(owed, amounts, left, paid, credit, balance, increases)


def _split(charge: Charge, name: str) -> Iterator[Line]:
    """A charge as it was mailed, and each of its increases."""
    yield charge.mailed_by(charge.on), name
    for number, part in enumerate(charge.increases()):
        yield replace(charge, on=part.mailed_on, amount=part.amount, parts=[part]), f"{name}\n{number}"


def _laid(
    line: list[Line], credits: Iterable[Credit], split: dict[str, list[Line]]
) -> tuple[dict[str, int], dict[str, list[Paid]], int, int]:
    """What is left of each charge in line, what was laid on it, what is over, and what all that comes to."""
    unpaid = {name: charge.amount for charge, name in line}
    paid: dict[str, list[Paid]] = {name: [] for name in unpaid}
    bills, others = deque[str](), deque[str]()
    pool: list[tuple[Credit, int]] = []

    def pay(queue: deque[str], credit: Credit, amount: int, on: date) -> int:
        """Lay the amount on one charge of the queue after the other; what is left of it."""
        while amount and queue:
            charge = queue[0]
            left = unpaid[charge]
            if left > 0:
                share = min(left, amount)
                paid[charge].append(Paid(on, share, credit))
                unpaid[charge] = left = left - share
                amount -= share
            if not left:
                queue.popleft()
        return amount

    def pay_oldest(credit: Credit, amount: int, on: date) -> None:
        amount = pay(bills, credit, amount, on)
        if amount and (amount := pay(others, credit, amount, on)):
            pool.append((credit, amount))

    def arrive(until: date) -> None:
        while coming and coming[-1][0].on <= until:
            charge, name = coming.pop()
            (bills if charge.kind == "bill" else others).append(name)
            if pool:
                waiting, pool[:] = list(pool), []
                for credit, amount in waiting:
                    pay_oldest(credit, amount, charge.on)

    coming = line[::-1]
    for credit in sorted(credits, key=_turn_of_credit):
        on, amount = credit.on, credit.amount
        arrive(on)
        if credit.charge in split:
            amount = pay(deque(_mailed(split[credit.charge], on)), credit, amount, on)
        elif credit.charge is not None and unpaid.get(credit.charge, 0) > 0:
            amount = pay(deque((credit.charge,)), credit, amount, on)
        pay_oldest(credit, amount, on)
    arrive(date.max)
    over = sum(amount for _, amount in pool)
    return unpaid, paid, over, sum(unpaid.values()) - over


def _mailed(lines: list[Line], on: date) -> Iterator[str]:
    """The charge, which may be paid ahead, and those of its increases that were mailed by a day."""
    return (name for number, (charge, name) in enumerate(lines) if not number or charge.on <= on)


def _turn_of_charge(charge: Charge) -> tuple[date, bool, int]:
    return charge.on, charge.kind != "bill", charge.version


_turn_of_credit = attrgetter("on", "version")
