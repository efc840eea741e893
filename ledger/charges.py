"""Which credit pays which charge: a pure function of what is owed and what was given (C10)."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from operator import attrgetter, itemgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

ChargeKind = Literal["bill", "fee", "adjustment"]


class Part(Struct, frozen=True, gc=False):
    """So many cents of a charge with clocks of their own: an increase runs from its correction's mailing (DO-02 e)."""

    mailed_on: date
    amount: int
    past_due_from: date | None


def shares(parts: list[Part], unpaid: int) -> list[tuple[Part, int]]:
    """The parts of a charge of which something is unpaid, each with those cents; the oldest part was paid first."""
    if len(parts) == 1 and unpaid:
        return [(parts[0], min(unpaid, parts[0].amount))]
    found = []
    for part in reversed(parts):
        share = min(unpaid, part.amount)
        unpaid -= share
        if share:
            found.append((part, share))
    return found[::-1]


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
        return shares(self.parts, unpaid)


class Credit(Struct, frozen=True, gc=False):
    """Something given: `amount` cents on a day, perhaps for one charge, or, where not `free`, for what is past due."""

    on: date
    version: int
    amount: int
    charge: str | None = None
    free: bool = True


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

    def unpaid_at(self, charge: str, on: date, mailed_by: date | None = None) -> int:
        """What was owed at the end of `on`, in cents, on what was mailed of a charge by then or by an earlier day."""
        paid = self.paid.get(charge)
        # What is laid on a charge is laid in order of time.
        if not paid or paid[-1].on <= on:
            left = self.left.get(charge, 0)
        else:
            left = self.owed.get(charge, 0) - sum(p.amount for p in paid if p.on <= on)
        # Of a charge the oldest part is paid first.
        return max(left - self._mailed_after(charge, mailed_by or on), 0)

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


def settle(charges: Iterable[Charge], credits: Iterable[Credit]) -> Settlement:
    """Lay credits on charges in order of time: a directed credit on its charge, all else on the oldest open bill.

    Where no bill is open, it pays the oldest open fee or adjustment. An absorbed deposit, which is not `free`, pays
    what is past due before anything else (DO-32). An increase is owed from its own mailing on, in the place of its bill
    (DO-02 e): what was paid before had gone to what was owed then.
    """
    owed = sorted(charges, key=_turn_of_charge)
    amounts = {charge.id: charge.amount for charge in owed}
    increases = {name: parts for charge, name in zip(owed, amounts, strict=True) if (parts := charge.increases())}
    unpaid = amounts.copy()
    paid: dict[str, list[Paid]] = {charge: [] for charge in amounts}
    bills, others = deque[str](), deque[str]()
    pool: list[tuple[Credit, int]] = []

    def pay_oldest(credit: Credit, amount: int, on: date) -> None:
        amount = _pay(bills, unpaid, paid, credit, amount, on)
        if amount and (amount := _pay(others, unpaid, paid, credit, amount, on)):
            pool.append((credit, amount))

    def arrive(until: date) -> None:
        while coming and coming[-1][0] <= until:
            on, kind, name, increase = coming.pop()
            queue = bills if kind == "bill" else others
            if increase:
                unpaid[name] += increase
                _stand_in(queue, name, amounts)
            else:
                queue.append(name)
            if pool:
                waiting, pool[:] = list(pool), []
                for credit, amount in waiting:
                    pay_oldest(credit, amount, on)

    coming = _coming(owed, increases, unpaid)
    for credit in sorted(credits, key=_turn_of_credit):
        on, amount = credit.on, credit.amount
        arrive(on)
        if credit.charge is not None and unpaid.get(credit.charge, 0) > 0:
            amount = _pay(deque((credit.charge,)), unpaid, paid, credit, amount, on)
        elif not credit.free:
            amount = _pay_past_due([*bills, *others], owed, unpaid, paid, credit)
        pay_oldest(credit, amount, on)
    arrive(date.max)
    over = sum(amount for _, amount in pool)
    return Settlement(owed, amounts, unpaid, paid, over, sum(unpaid.values()) - over, increases)


def _pay(
    queue: deque[str], unpaid: dict[str, int], paid: dict[str, list[Paid]], credit: Credit, amount: int, on: date
) -> int:
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


def _pay_past_due(
    names: list[str], owed: list[Charge], unpaid: dict[str, int], paid: dict[str, list[Paid]], credit: Credit
) -> int:
    """Lay the credit on what is past due on its day, in the order of the names; what is left of it."""
    charges, on, amount = {charge.id: charge for charge in owed}, credit.on, credit.amount
    for name in names:
        share = min(amount, charges[name].mailed_by(on).past_due(on, unpaid[name]))
        amount -= share - _pay(deque((name,)), unpaid, paid, credit, share, on)
    return amount


def _coming(
    owed: list[Charge], increases: dict[str, list[Part]], unpaid: dict[str, int]
) -> list[tuple[date, ChargeKind, str, int]]:
    """What comes to be owed, the last first; an increase with its cents, which are not `unpaid` before it comes."""
    coming = [(charge.on, charge.kind, name, 0) for charge, name in zip(owed, unpaid, strict=True)]
    if increases:
        kinds = {name: kind for _, kind, name, _ in coming}
        for name, parts in increases.items():
            unpaid[name] -= sum([part.amount for part in parts])
            coming += [(part.mailed_on, kinds[name], name, part.amount) for part in parts]
        coming.sort(key=itemgetter(0))
    return coming[::-1]


def _stand_in(queue: deque[str], name: str, order: Iterable[str]) -> None:
    """Have a charge stand in its own place, if it has left the queue already."""
    if name not in queue:
        there = {*queue, name}
        queue.clear()
        queue.extend(each for each in order if each in there)


def _turn_of_charge(charge: Charge) -> tuple[date, bool, int]:
    return charge.on, charge.kind != "bill", charge.version


# Of an absorbed deposit only the day is known, so it comes before that day's payments, whichever was recorded first.
_turn_of_credit = attrgetter("on", "free", "version")
