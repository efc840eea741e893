"""Bills with their clocks, what of every charge is unpaid, and each movement of money (DO-02, C10)."""

from collections.abc import Iterator
from datetime import date, datetime

from ledger import events as e
from ledger.charges import ChargeKind
from ledger.movements import Book
from projections.rows import Folded, Row


class BillRow(Row, frozen=True):
    """A bill as it stands, paid and voided ones too, with the dates on which its status turns."""

    bill: str
    kind: e.BillKind
    mailed_on: date
    amount: int
    unpaid: int
    past_due_from: date
    grace_until: date
    shutoff_from: date
    received_on: date | None
    voided_on: date | None
    version: int


class UnpaidRow(Row, frozen=True):
    """A part of a charge that is not paid, aged from `past_due_from`; an increase is a part of its own (DO-02 e)."""

    charge: ChargeKind
    reference: str
    part: int
    mailed_on: date
    amount: int
    unpaid: int
    past_due_from: date | None


class ReceivableRow(Row, frozen=True):
    """One movement of the balance, of the credit deposit or of the money at the Commission; `n` counts them."""

    n: int
    book: Book
    on_day: date
    known_from: datetime
    kind: str
    reference: str | None
    amount: int
    version: int


def bills(seen: Folded) -> Iterator[BillRow]:
    """Every bill ever issued, in the order in which they were mailed."""
    account, clocks, left = seen.account, seen.world.clocks(seen.account), seen.account.settled.left
    for bill in account.bills.values():
        issued = bill.issued
        open_cents = left.get(f"bill {issued.bill}", 0)
        clock = bill.clock(open_cents)
        grace_until, shutoff_from = clocks[clock]
        yield BillRow(
            issued.bill,
            issued.kind,
            issued.mailed_on,
            bill.amount,
            open_cents,
            clock[1],
            grace_until,
            shutoff_from,
            bill.received_on,
            bill.voided_on,
            issued.version,
        )


def unpaid(seen: Folded) -> Iterator[UnpaidRow]:
    """What is unpaid, the oldest charge first; of one charge, the oldest part was paid first."""
    for charge, left in seen.account.settled.open():
        shares = charge.shares(left)
        for number, (part, share) in enumerate(shares, len(charge.parts) - len(shares) + 1):
            about = (charge.kind, charge.name, number, part.mailed_on, part.amount, share, part.past_due_from)
            yield UnpaidRow(*about)


def receivables(seen: Folded) -> Iterator[ReceivableRow]:
    """Every movement in effective order, with the moment from which the utility knew of it."""
    for n, step in enumerate(seen.movements, 1):
        event = step.event
        known_from = event.learned_at or event.recorded_at
        yield ReceivableRow(n, step.book, step.on, known_from, step.kind, step.reference, step.amount, event.version)
