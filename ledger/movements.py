"""What moved the balance, the credit deposit and the money at the Commission: one movement for each step (C10, DO-26).

The sum of an account's movements is what `Account` derives from its state; a statement lists them, a trial balance adds
them up, and where the two ways differ there is a fault.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from msgspec import Struct

from ledger import events as e
from ledger.events import Book

__all__ = ["KINDS", "Book", "Movement", "entry", "movements"]

KINDS: dict[Book, tuple[str, ...]] = {
    "balance": (
        "bill", "bill_correction", "bill_void", "fee", "fee_waiver", "adjustment", "payment", "payment_return",
        "payment_transfer", "deposit_absorbed", "dispute_credit", "commission_disbursement",
    ),
    "deposit": ("received", "interest", "absorbed", "refunded"),
    "commission_deposit": ("deposited", "to_utility", "to_customer"),
}  # fmt: skip
"""The kinds of movement in each book: what is owed, the deposit held here, the deposit the Commission holds."""


class Movement(Struct, frozen=True, gc=False):
    """So many cents up or down in one book, on the day and by the event that moved them; up in a balance is owed."""

    book: Book
    on: date
    event: e.Event
    kind: str
    reference: str | None
    amount: int


def movements(events: Iterable[e.Event]) -> list[Movement]:
    """The movements of one account's `events`, which are in effective order."""
    standing = _Standing()
    for event in events:
        moves = _MOVES.get(type(event))
        if moves is not None:
            moves(standing, event)
    return standing.moved


def entry(event: e.Event) -> bool:
    """Whether an event is one that moves a book, or decides what another one moves."""
    return type(event) in _MOVES


_Left = e.PaymentReturned | e.PaymentTransferred


class _Standing:
    """What stands at a point of the history, taken back by what it amounts to then; and what moved so far."""

    def __init__(self) -> None:
        self.moved: list[Movement] = []
        self.bills: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.payments: dict[str, int] = {}
        self.left: dict[str, _Left] = {}
        self.answers: dict[str, int] = {}
        self.appeals: set[str] = set()

    def move(self, book: Book, on: date, event: e.Event, kind: str, reference: str | None, amount: int) -> None:
        self.moved.append(Movement(book, on, event, kind, reference, amount))


def _bill(standing: _Standing, event: e.BillIssued) -> None:
    name, amount = event.bill, event.amount
    standing.bills[name] = amount
    standing.moved.append(Movement("balance", event.mailed_on, event, "bill", name, amount))


def _bill_corrected(standing: _Standing, event: e.BillCorrected) -> None:
    if event.bill in standing.bills:
        change = event.amount - standing.bills[event.bill]
        standing.bills[event.bill] = event.amount
        standing.move("balance", event.mailed_on, event, "bill_correction", event.bill, change)


def _bill_voided(standing: _Standing, event: e.BillVoided) -> None:
    if event.bill in standing.bills:
        standing.move("balance", event.on, event, "bill_void", event.bill, -standing.bills.pop(event.bill))


def _fee(standing: _Standing, event: e.FeeCharged) -> None:
    standing.fees[event.fee] = event.amount
    standing.move("balance", event.on, event, "fee", event.fee, event.amount)


def _fee_waived(standing: _Standing, event: e.FeeWaived) -> None:
    if event.fee in standing.fees:
        standing.move("balance", event.on, event, "fee_waiver", event.fee, -standing.fees.pop(event.fee))


def _adjustment(standing: _Standing, event: e.AdjustmentPosted) -> None:
    standing.move("balance", event.on, event, "adjustment", event.reason, event.amount)


def _payment(standing: _Standing, event: e.PaymentReceived) -> None:
    _comes(standing, event, "payment", event.received_at.date())


def _payment_in(standing: _Standing, event: e.PaymentTransferredIn) -> None:
    if isinstance(standing.left.get(event.payment), e.PaymentTransferred):
        del standing.left[event.payment]
    _comes(standing, event, "payment_transfer", event.on)


def _comes(standing: _Standing, event: e.PaymentReceived | e.PaymentTransferredIn, kind: str, on: date) -> None:
    name, amount = event.payment, event.amount
    change = standing.payments.get(name, 0) - amount
    standing.moved.append(Movement("balance", on, event, kind, name, change))
    standing.payments[name] = amount
    if name in standing.left:
        # Only the day of the return is known, and it sorts before the hour of the receipt on that day.
        _leaves(standing, standing.left[name], on)


def _payment_left(standing: _Standing, event: _Left) -> None:
    standing.left.setdefault(event.payment, event)
    _leaves(standing, event, event.on)


def _leaves(standing: _Standing, event: _Left, on: date) -> None:
    if event.payment in standing.payments:
        kind = "payment_return" if isinstance(event, e.PaymentReturned) else "payment_transfer"
        standing.move("balance", on, event, kind, event.payment, standing.payments.pop(event.payment))


def _deposit(standing: _Standing, event: e.DepositReceived | e.DepositInterestAccrued) -> None:
    kind = "received" if isinstance(event, e.DepositReceived) else "interest"
    standing.move("deposit", event.on, event, kind, event.deposit, event.amount)


def _deposit_refunded(standing: _Standing, event: e.DepositRefunded) -> None:
    standing.move("deposit", event.on, event, "refunded", event.deposit, -event.amount)


def _deposit_absorbed(standing: _Standing, event: e.DepositAbsorbed) -> None:
    standing.move("balance", event.on, event, "deposit_absorbed", None, -event.amount)
    standing.move("deposit", event.on, event, "absorbed", None, -event.amount)


def _answered(standing: _Standing, event: e.PetitionAnswered) -> None:
    credit, before = event.credit or 0, standing.answers.get(event.dispute, 0)
    standing.answers[event.dispute] = credit
    if credit != before:
        standing.move("balance", event.on, event, "dispute_credit", event.dispute, before - credit)


def _appealed(standing: _Standing, event: e.AppealFiled) -> None:
    standing.appeals.add(event.appeal)


def _deposited(standing: _Standing, event: e.CommissionDepositEvidenced) -> None:
    if event.appeal in standing.appeals:
        standing.move("commission_deposit", event.on, event, "deposited", event.appeal, event.amount)


def _disbursed(standing: _Standing, event: e.CommissionDepositDisbursed) -> None:
    name, on = event.appeal, event.on
    if name not in standing.appeals:
        return
    if event.to_utility:
        standing.move("balance", on, event, "commission_disbursement", name, -event.to_utility)
        standing.move("commission_deposit", on, event, "to_utility", name, -event.to_utility)
    if event.to_customer:
        standing.move("commission_deposit", on, event, "to_customer", name, -event.to_customer)


_MOVES: dict[type[e.Event], Callable[[_Standing, Any], None]] = {
    e.BillIssued: _bill,
    e.BillCorrected: _bill_corrected,
    e.BillVoided: _bill_voided,
    e.FeeCharged: _fee,
    e.FeeWaived: _fee_waived,
    e.AdjustmentPosted: _adjustment,
    e.PaymentReceived: _payment,
    e.PaymentTransferredIn: _payment_in,
    e.PaymentReturned: _payment_left,
    e.PaymentTransferred: _payment_left,
    e.DepositReceived: _deposit,
    e.DepositInterestAccrued: _deposit,
    e.DepositRefunded: _deposit_refunded,
    e.DepositAbsorbed: _deposit_absorbed,
    e.PetitionAnswered: _answered,
    e.AppealFiled: _appealed,
    e.CommissionDepositEvidenced: _deposited,
    e.CommissionDepositDisbursed: _disbursed,
}
