"""What moved the balance, the credit deposit and the money at the Commission: one movement for each step (C10, DO-26).

The sum of an account's movements is what `Account` derives from its state; a statement lists them, a trial balance adds
them up, and where the two ways differ there is a fault.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from ledger import events as e
from ledger.events import Book

__all__ = ["KINDS", "Book", "Movement", "entry", "movements"]

BalanceKind = Literal[
    "bill", "bill_correction", "bill_void", "fee", "fee_waiver", "adjustment", "payment", "payment_return",
    "payment_transfer", "deposit_absorbed", "dispute_credit", "commission_disbursement",
]  # fmt: skip
DepositKind = Literal["received", "interest", "absorbed", "refunded"]
CommissionKind = Literal["deposited", "to_utility", "to_customer"]

KINDS: dict[Book, tuple[str, ...]] = {
    "balance": get_args(BalanceKind),
    "deposit": get_args(DepositKind),
    "commission_deposit": get_args(CommissionKind),
}
"""The kinds of movement in each book: what is owed, the deposit held here, the deposit the Commission holds."""


class Movement(NamedTuple):
    """So many cents up or down in one book, on the day and by the event that moved them."""

    book: Book
    on: date
    event: e.Event
    kind: str
    reference: str | None
    amount: int


def movements(events: Iterable[e.Event]) -> Iterator[Movement]:
    """The movements of one account's `events`, which are in effective order."""
    standing = _Standing()
    for event in events:
        moves = _MOVES.get(type(event))
        if moves is not None:
            for book, kind, reference, amount, cause in moves(standing, event):
                yield Movement(book, event.day, cause, kind, reference, amount)


def entry(event: e.Event) -> bool:
    """Whether an event is one that moves a book, or decides what another one moves."""
    return type(event) in _MOVES


_Step = tuple[Book, str, str | None, int, e.Event]
_Left = e.PaymentReturned | e.PaymentTransferred


class _Standing:
    """What stands at a point of the history: it is taken back by what it amounts to then."""

    def __init__(self) -> None:
        self.bills: dict[str, int] = {}
        self.fees: dict[str, int] = {}
        self.payments: dict[str, int] = {}
        self.left: dict[str, _Left] = {}
        self.answers: dict[str, int] = {}
        self.appeals: set[str] = set()


def _bill(standing: _Standing, event: e.BillIssued) -> Iterator[_Step]:
    standing.bills[event.bill] = event.amount
    yield "balance", "bill", event.bill, event.amount, event


def _bill_corrected(standing: _Standing, event: e.BillCorrected) -> Iterator[_Step]:
    if event.bill in standing.bills:
        change = event.amount - standing.bills[event.bill]
        standing.bills[event.bill] = event.amount
        yield "balance", "bill_correction", event.bill, change, event


def _bill_voided(standing: _Standing, event: e.BillVoided) -> Iterator[_Step]:
    if event.bill in standing.bills:
        yield "balance", "bill_void", event.bill, -standing.bills.pop(event.bill), event


def _fee(standing: _Standing, event: e.FeeCharged) -> Iterator[_Step]:
    standing.fees[event.fee] = event.amount
    yield "balance", "fee", event.fee, event.amount, event


def _fee_waived(standing: _Standing, event: e.FeeWaived) -> Iterator[_Step]:
    if event.fee in standing.fees:
        yield "balance", "fee_waiver", event.fee, -standing.fees.pop(event.fee), event


def _adjustment(standing: _Standing, event: e.AdjustmentPosted) -> Iterator[_Step]:
    yield "balance", "adjustment", event.reason, event.amount, event


def _payment(standing: _Standing, event: e.PaymentReceived | e.PaymentTransferredIn) -> Iterator[_Step]:
    name = event.payment
    if isinstance(event, e.PaymentTransferredIn) and isinstance(standing.left.get(name), e.PaymentTransferred):
        del standing.left[name]
    kind = "payment" if isinstance(event, e.PaymentReceived) else "payment_transfer"
    yield "balance", kind, name, standing.payments.get(name, 0) - event.amount, event
    standing.payments[name] = event.amount
    if name in standing.left:
        # Only the day of the return is known, and it sorts before the hour of the receipt on that day.
        yield from _leaves(standing, standing.left[name])


def _payment_left(standing: _Standing, event: _Left) -> Iterator[_Step]:
    standing.left.setdefault(event.payment, event)
    yield from _leaves(standing, event)


def _leaves(standing: _Standing, event: _Left) -> Iterator[_Step]:
    if event.payment in standing.payments:
        kind = "payment_return" if isinstance(event, e.PaymentReturned) else "payment_transfer"
        yield "balance", kind, event.payment, standing.payments.pop(event.payment), event


def _deposit(standing: _Standing, event: e.DepositReceived | e.DepositInterestAccrued) -> Iterator[_Step]:
    kind = "received" if isinstance(event, e.DepositReceived) else "interest"
    yield "deposit", kind, event.deposit, event.amount, event


def _deposit_refunded(standing: _Standing, event: e.DepositRefunded) -> Iterator[_Step]:
    yield "deposit", "refunded", event.deposit, -event.amount, event


def _deposit_absorbed(standing: _Standing, event: e.DepositAbsorbed) -> Iterator[_Step]:
    yield "balance", "deposit_absorbed", None, -event.amount, event
    yield "deposit", "absorbed", None, -event.amount, event


def _answered(standing: _Standing, event: e.PetitionAnswered) -> Iterator[_Step]:
    credit, before = event.credit or 0, standing.answers.get(event.dispute, 0)
    standing.answers[event.dispute] = credit
    if credit != before:
        yield "balance", "dispute_credit", event.dispute, before - credit, event


def _appealed(standing: _Standing, event: e.AppealFiled) -> Iterator[_Step]:
    standing.appeals.add(event.appeal)
    yield from ()


def _deposited(standing: _Standing, event: e.CommissionDepositEvidenced) -> Iterator[_Step]:
    if event.appeal in standing.appeals:
        yield "commission_deposit", "deposited", event.appeal, event.amount, event


def _disbursed(standing: _Standing, event: e.CommissionDepositDisbursed) -> Iterator[_Step]:
    if event.appeal not in standing.appeals:
        return
    if event.to_utility:
        yield "balance", "commission_disbursement", event.appeal, -event.to_utility, event
        yield "commission_deposit", "to_utility", event.appeal, -event.to_utility, event
    if event.to_customer:
        yield "commission_deposit", "to_customer", event.appeal, -event.to_customer, event


_MOVES: dict[type[e.Event], Callable[[_Standing, Any], Iterator[_Step]]] = {
    e.BillIssued: _bill,
    e.BillCorrected: _bill_corrected,
    e.BillVoided: _bill_voided,
    e.FeeCharged: _fee,
    e.FeeWaived: _fee_waived,
    e.AdjustmentPosted: _adjustment,
    e.PaymentReceived: _payment,
    e.PaymentTransferredIn: _payment,
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
