"""What is owed, what is paid, what is held."""

from datetime import date, datetime

from ledger.events.base import BillKind, Channel, Delivery, Event, FeeKind, Line, RuleVersion
from ledger.money import Cents, Thousandths


class _OfCharges(Event, frozen=True, kw_only=True):
    rank = 2


class BillIssued(_OfCharges, frozen=True, kw_only=True):
    """A bill was mailed. Its clocks (DO-02, DO-04) run from `mailed_on`, which is day 0.

    `usage` is that of the days from `period_start` to the one before `period_end` (CW-10).
    """

    when = "mailed_on"
    bill: str
    mailed_on: date
    amount: Cents
    past_due_from: date
    lines: tuple[Line, ...] = ()
    period_start: date | None = None
    period_end: date | None = None
    usage: Thousandths | None = None
    delivery: Delivery = "mail"
    kind: BillKind = "regular"
    basis: tuple[RuleVersion, ...] = ()


class BillReceiptEvidenced(_OfCharges, frozen=True, kw_only=True):
    """When the customer really had the bill; it replaces the presumption (C9)."""

    when = "received_on"
    bill: str
    received_on: date
    evidence: str | None = None


class BillCorrected(_OfCharges, frozen=True, kw_only=True):
    """A bill's amount was put right; only an increase gets new clocks, from this mailing (DO-02 e)."""

    when = "mailed_on"
    bill: str
    amount: Cents
    mailed_on: date
    reason: str
    past_due_from: date
    basis: tuple[RuleVersion, ...] = ()


class BillVoided(_OfCharges, frozen=True, kw_only=True):
    """A bill was withdrawn from that day on."""

    when = "on"
    bill: str
    on: date
    reason: str


class FeeCharged(_OfCharges, frozen=True, kw_only=True):
    """A fee became due, past due from its own 20th day; `basis` is the rule that fixed its amount.

    `payment` is the one that earned it, if one did (DO-45).
    """

    when = "on"
    fee: str
    kind: FeeKind
    on: date
    amount: Cents
    past_due_from: date | None = None
    reason: str | None = None
    payment: str | None = None
    basis: tuple[RuleVersion, ...] = ()


class FeeWaived(_OfCharges, frozen=True, kw_only=True):
    """A fee was given up, from that day on."""

    when = "on"
    fee: str
    on: date
    reason: str


class _OfPayments(Event, frozen=True, kw_only=True):
    rank = 3


class AdjustmentPosted(_OfPayments, frozen=True, kw_only=True):
    """The balance was moved by hand; a negative amount credits the customer."""

    when = "on"
    amount: Cents
    on: date
    reason: str
    approved_by: str | None = None
    past_due_from: date | None = None


class PaymentReported(_OfPayments, frozen=True, kw_only=True):
    """A payment the customer said was made and that is not posted yet (DO-43, DO-44)."""

    when = "reported_at"
    payment: str
    amount: Cents
    reported_at: datetime
    channel: Channel


class PaymentReceived(_OfPayments, frozen=True, kw_only=True):
    """Money reached the utility; `received_at` decides whether it was in time (C4)."""

    when = "received_at"
    payment: str
    amount: Cents
    received_at: datetime
    channel: Channel
    bill: str | None = None
    confirmation: str | None = None


class PaymentReturned(_OfPayments, frozen=True, kw_only=True):
    """A payment was taken back by its bank, or a reported one never came (DO-02 f)."""

    when = "on"
    payment: str
    on: date
    reason: str


class PaymentTransferred(_OfPayments, frozen=True, kw_only=True):
    """A payment posted here belonged to another account and left."""

    when = "on"
    payment: str
    to_account: str
    on: date
    reason: str


class PaymentTransferredIn(_OfPayments, frozen=True, kw_only=True):
    """A payment posted to another account belonged here; it counts here from `on`."""

    when = "on"
    payment: str
    from_account: str
    on: date
    amount: Cents
    received_at: datetime
    channel: Channel
    reason: str


class _OfDeposits(Event, frozen=True, kw_only=True):
    rank = 4


class DepositRequired(_OfDeposits, frozen=True, kw_only=True):
    """A deposit was asked for to re-establish credit after a shutoff (DO-42); `average` is the average regular bill."""

    when = "on"
    on: date
    amount: Cents
    average: Cents
    bills: tuple[str, ...] = ()
    basis: tuple[RuleVersion, ...] = ()
    translation_divergence: tuple[str, ...] = ()


class DepositReceived(_OfDeposits, frozen=True, kw_only=True):
    """A credit deposit came in; it is held, not paid."""

    when = "on"
    deposit: str
    amount: Cents
    on: date


class DepositInterestAccrued(_OfDeposits, frozen=True, kw_only=True):
    """A credit deposit earned interest."""

    when = "on"
    deposit: str
    amount: Cents
    on: date


class DepositAbsorbed(_OfDeposits, frozen=True, kw_only=True):
    """The credit deposit paid past-due charges, oldest first (DO-32)."""

    when = "on"
    on: date
    amount: Cents


class DepositRefunded(_OfDeposits, frozen=True, kw_only=True):
    """A credit deposit went back to the customer."""

    when = "on"
    deposit: str
    amount: Cents
    on: date
