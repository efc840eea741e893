"""Which credit pays which charge: a pure function of what is owed and what was given (C10)."""

from collections import deque
from collections.abc import Iterable
from datetime import date
from typing import Literal

from msgspec import Struct

ChargeKind = Literal["bill", "fee", "adjustment"]


class Part(Struct, frozen=True):
    """So many cents of a charge with clocks of their own: an increase runs from its correction's mailing (DO-02 e)."""

    mailed_on: date
    amount: int
    past_due_from: date | None


class Charge(Struct, frozen=True):
    """Something owed: its parts, the oldest first, add up to `amount` cents."""

    kind: ChargeKind
    name: str
    on: date
    version: int
    amount: int
    parts: list[Part]

    @property
    def id(self) -> str:
        return f"{self.kind} {self.name}"

    def past_due(self, on: date, unpaid: int) -> int:
        """How many of the `unpaid` cents are past due at the end of `on`; the oldest part was paid first."""
        total = 0
        for part in reversed(self.parts):
            share = min(unpaid, part.amount)
            if part.past_due_from is not None and part.past_due_from <= on:
                total += share
            unpaid -= share
        return total


class Credit(Struct, frozen=True):
    """Something given: `amount` cents on a day, perhaps meant for one charge."""

    on: date
    version: int
    amount: int
    charge: str | None = None


class Paid(Struct, frozen=True):
    """So many cents laid on a charge: the day they counted from, and the credit they came from."""

    on: date
    amount: int
    credit: Credit


class Settlement(Struct):
    """Every charge in the order in which it is paid, what was laid on each, and what is left over."""

    charges: list[Charge]
    owed: dict[str, int]
    left: dict[str, int]
    paid: dict[str, list[Paid]]
    credit: int
    balance: int

    def unpaid(self, charge: str) -> int:
        """What is still owed on a charge, in cents; 0 for one that no longer stands."""
        return self.left.get(charge, 0)

    def unpaid_at(self, charge: str, on: date) -> int:
        """What was owed on a charge at the end of `on`, in cents."""
        paid = self.paid.get(charge)
        # What is laid on a charge is laid in order of time.
        if not paid or paid[-1].on <= on:
            return self.left.get(charge, 0)
        return self.owed.get(charge, 0) - sum(p.amount for p in paid if p.on <= on)


def settle(charges: Iterable[Charge], credits: Iterable[Credit]) -> Settlement:
    """Lay credits on charges in order of time: a directed credit on its charge, all else on the oldest open bill.

    Where no bill is open, it pays the oldest open fee or adjustment.
    """
    owed = sorted(charges, key=_turn_of_charge)
    given = sorted(credits, key=_turn_of_credit)
    amounts = {charge.id: charge.amount for charge in owed}
    unpaid = dict(amounts)
    paid: dict[str, list[Paid]] = {charge: [] for charge in amounts}
    coming = deque(zip(owed, amounts, strict=True))
    bills, others = deque[str](), deque[str]()
    pool: list[tuple[Credit, int]] = []

    def lay(charge: str, credit: Credit, amount: int, on: date) -> int:
        left = unpaid[charge]
        share = min(left, amount)
        if share > 0:
            unpaid[charge] = left - share
            paid[charge].append(Paid(on, share, credit))
            amount -= share
        return amount

    def pay_oldest(credit: Credit, amount: int, on: date) -> None:
        while amount and (queue := bills or others):
            amount = lay(queue[0], credit, amount, on)
            if unpaid[queue[0]] > 0:
                return
            queue.popleft()
        if amount:
            pool.append((credit, amount))

    def arrive(until: date) -> None:
        while coming and coming[0][0].on <= until:
            charge, name = coming.popleft()
            (bills if charge.kind == "bill" else others).append(name)
            if pool:
                waiting, pool[:] = list(pool), []
                for credit, amount in waiting:
                    pay_oldest(credit, amount, charge.on)

    for credit in given:
        arrive(credit.on)
        amount = credit.amount
        if credit.charge is not None and unpaid.get(credit.charge, 0) > 0:
            amount = lay(credit.charge, credit, amount, credit.on)
        pay_oldest(credit, amount, credit.on)
    arrive(date.max)
    over = sum(amount for _, amount in pool)
    return Settlement(owed, amounts, unpaid, paid, over, sum(unpaid.values()) - over)


def _turn_of_charge(charge: Charge) -> tuple[date, bool, int]:
    return charge.on, charge.kind != "bill", charge.version


def _turn_of_credit(credit: Credit) -> tuple[date, int]:
    return credit.on, credit.version
