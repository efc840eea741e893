"""What moved the balance, the credit deposit and the money at the Commission: one movement for each step (C10, DO-26).

The sum of an account's movements is what `Account` derives from its state; a statement lists them, a trial balance adds
them up, and where the two ways differ there is a fault.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, NamedTuple, get_args

from ledger import events as e

BalanceKind = Literal[
    "bill", "bill_correction", "bill_void", "fee", "fee_waiver", "adjustment", "payment", "payment_return",
    "payment_transfer", "deposit_absorbed", "dispute_credit", "commission_disbursement",
]  # fmt: skip
DepositKind = Literal["received", "interest", "absorbed", "refunded"]
CommissionKind = Literal["deposited", "to_utility", "to_customer"]
Book = Literal["balance", "deposit", "commission_deposit"]

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
        for book, kind, reference, amount, cause in standing.take(event):
            yield Movement(book, event.day, cause, kind, reference, amount)


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

    def take(self, event: e.Event) -> Iterator[_Step]:
        """The steps an event makes, each with the event that caused it."""
        for book, kind, reference, amount in self._steps(event):
            yield book, kind, reference, amount, event
        if isinstance(event, e.PaymentReceived | e.PaymentTransferredIn) and event.payment in self.left:
            # Only the day of the return is known, and it sorts before the hour of the receipt on that day.
            left = self.left[event.payment]
            for book, kind, reference, amount in self._leaves(left):
                yield book, kind, reference, amount, left

    def _steps(self, event: e.Event) -> Iterator[tuple[Book, str, str | None, int]]:
        match event:
            case e.BillIssued():
                self.bills[event.bill] = event.amount
                yield "balance", "bill", event.bill, event.amount
            case e.BillCorrected() if event.bill in self.bills:
                change = event.amount - self.bills[event.bill]
                self.bills[event.bill] = event.amount
                yield "balance", "bill_correction", event.bill, change
            case e.BillVoided() if event.bill in self.bills:
                yield "balance", "bill_void", event.bill, -self.bills.pop(event.bill)
            case e.FeeCharged():
                self.fees[event.fee] = event.amount
                yield "balance", "fee", event.fee, event.amount
            case e.FeeWaived() if event.fee in self.fees:
                yield "balance", "fee_waiver", event.fee, -self.fees.pop(event.fee)
            case e.AdjustmentPosted():
                yield "balance", "adjustment", event.reason, event.amount
            case e.PaymentReceived() | e.PaymentTransferredIn():
                kind = "payment" if isinstance(event, e.PaymentReceived) else "payment_transfer"
                yield "balance", kind, event.payment, self.payments.get(event.payment, 0) - event.amount
                self.payments[event.payment] = event.amount
            case e.PaymentReturned() | e.PaymentTransferred():
                self.left.setdefault(event.payment, event)
                yield from self._leaves(event)
            case _:
                yield from self._held(event)

    def _leaves(self, event: _Left) -> Iterator[tuple[Book, str, str | None, int]]:
        if event.payment in self.payments:
            kind = "payment_return" if isinstance(event, e.PaymentReturned) else "payment_transfer"
            yield "balance", kind, event.payment, self.payments.pop(event.payment)

    def _held(self, event: e.Event) -> Iterator[tuple[Book, str, str | None, int]]:
        match event:
            case e.DepositReceived():
                yield "deposit", "received", event.deposit, event.amount
            case e.DepositInterestAccrued():
                yield "deposit", "interest", event.deposit, event.amount
            case e.DepositRefunded():
                yield "deposit", "refunded", event.deposit, -event.amount
            case e.DepositAbsorbed():
                yield "balance", "deposit_absorbed", None, -event.amount
                yield "deposit", "absorbed", None, -event.amount
            case e.PetitionAnswered():
                credit, before = event.credit or 0, self.answers.get(event.dispute, 0)
                self.answers[event.dispute] = credit
                if credit != before:
                    yield "balance", "dispute_credit", event.dispute, before - credit
            case e.AppealFiled():
                self.appeals.add(event.appeal)
            case e.CommissionDepositEvidenced() if event.appeal in self.appeals:
                yield "commission_deposit", "deposited", event.appeal, event.amount
            case e.CommissionDepositDisbursed() if event.appeal in self.appeals:
                if event.to_utility:
                    yield "balance", "commission_disbursement", event.appeal, -event.to_utility
                    yield "commission_deposit", "to_utility", event.appeal, -event.to_utility
                if event.to_customer:
                    yield "commission_deposit", "to_customer", event.appeal, -event.to_customer
