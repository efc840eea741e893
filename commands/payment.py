"""Payments: reported, received, taken back, moved to the account they belong to."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from itertools import count

from commands.base import Command
from commands.checks import missing, not_before, the_bill
from commands.fields import Id, Moment, Money, Text
from ledger.account import Account
from ledger.context import Context, On
from ledger.events import (
    Channel,
    Event,
    FeeCharged,
    PaymentReceived,
    PaymentReported,
    PaymentReturned,
    PaymentTransferred,
    PaymentTransferredIn,
)
from ledger.history import unknown_account
from ledger.policy.clocks import past_due_from
from ledger.policy.fees import fee_amount
from ledger.refusal import Invalid, Refused

LONGEST_ID = 40


class ReportPayment(Command, frozen=True, kw_only=True, tag="payment report"):
    """Record that the customer says a payment was made; it holds a shutoff for two business days (DO-43, DO-44)."""

    names = ("payment",)
    example = "--account 7001 --payment P-118 --amount 85.00 --reported-at 2024-02-18T21:00 --channel internet"

    payment: Id
    amount: Money
    reported_at: Moment
    channel: Channel

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [
            PaymentReported(
                payment=self.payment, amount=self.amount, reported_at=self.reported_at, channel=self.channel
            )
        ]


class ReceivePayment(Command, frozen=True, kw_only=True, tag="payment receive"):
    """Record money that came in; it pays the oldest open bill unless meant for another (C10).

    A `field` payment is charged the collection fee (DO-45); an online one needs an account that is open (CW-06).
    """

    names = ("payment",)
    example = "--account 7001 --payment P-118 --amount 85.00 --received-at 2024-02-18T21:00 --channel internet"

    payment: Id
    amount: Money
    received_at: Moment
    channel: Channel
    bill: Id | None = None
    confirmation: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _new_here(account, self.payment)
        if self.bill is not None:
            not_before("bill", self.bill, the_bill(account, self.bill).mailed_on, self.received_at)
        self._refuse_online_when_closed(account, context)
        received = PaymentReceived(
            payment=self.payment,
            amount=self.amount,
            received_at=self.received_at,
            channel=self.channel,
            bill=self.bill,
            confirmation=self.confirmation,
        )
        return [received, *(self._collection_fee(account, context) if self.channel == "field" else [])]

    def _refuse_online_when_closed(self, account: Account, context: Context) -> None:
        day = self.received_at.date()
        if self.channel in ("internet", "autopay") and account.closed_on is not None and account.closed_on <= day:
            rule = context.parameters(day, account).id_of("online_needs_active_account")
            raise Refused(
                "account_closed",
                f"account {account.id} was closed on {account.closed_on} and takes no {self.channel} payment ({rule}); "
                f"have it paid another way, such as by phone, by mail or at the counter",
                (rule,),
            )

    def _collection_fee(self, account: Account, context: Context) -> list[Event]:
        day = self.received_at.date()
        parameters = context.parameters(day, account)
        if not parameters.in_force("field_collection_fee"):
            return []
        amount, fixed = fee_amount("field_collection", parameters)
        since, clock = past_due_from(day, parameters)
        fee = FeeCharged(
            fee=_fee_name(account, self.payment),
            kind="field_collection",
            on=day,
            amount=amount,
            past_due_from=since,
            payment=self.payment,
            basis=(fixed, clock),
        )
        return [fee]


class ReturnPayment(Command, frozen=True, kw_only=True, tag="payment return"):
    """Record that a payment was taken back, or that a reported one never came; what it paid is open again (DO-02)."""

    names = ("payment",)
    example = "--account 7001 --payment P-118 --on 2024-02-26 --reason 'insufficient funds'"

    payment: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        payment = account.payments.get(self.payment) or account.reported.get(self.payment)
        if payment is None:
            raise missing("payment", self.payment, account)
        _stands(account, self.payment, context)
        if isinstance(payment, PaymentTransferredIn) and self.on < payment.day:
            reason = (
                f"payment {self.payment} came to account {account.id} on {payment.day}, so it cannot be taken back "
                f"here on {self.on}; return it as of {payment.day}, with the bank's own day in note"
            )
            raise Refused("too_early", reason)
        not_before("payment", self.payment, payment.day, self.on)
        return [PaymentReturned(payment=self.payment, on=self.on, reason=self.reason)]


class TransferPayment(Command, frozen=True, kw_only=True, tag="payment transfer"):
    """Move a payment to the account it belongs to, or back; it counts there from the day of the transfer."""

    names = ("payment", "to_account")
    example = "--account 7001 --payment P-118 --to-account 7010 --on 2024-02-20 --reason 'wrong account number'"

    payment: Id
    to_account: Id
    on: date
    reason: Text

    def others(self) -> tuple[str, ...]:
        return (self.to_account,)

    def check(self) -> None:
        if self.to_account == self.account:
            raise Invalid("invalid_value", f"to_account: the payment is on {self.account} already", "to_account")

    def decide(self, account: Account, context: Context) -> Sequence[Event | On]:
        payment = account.payments.get(self.payment)
        if payment is None:
            raise missing("payment", self.payment, account)
        _stands(account, self.payment, context)
        not_before("payment", self.payment, payment.day, self.on)
        target = context.others.get(self.to_account)
        if target is None or target.opened is None:
            raise unknown_account(self.to_account, field="to_account")
        if not _comes_back(target, payment):
            _new_here(target, self.payment, "; 'payment return' it here and record it there under another name")
        left = PaymentTransferred(payment=self.payment, to_account=self.to_account, on=self.on, reason=self.reason)
        arrived = PaymentTransferredIn(
            payment=self.payment,
            from_account=account.id,
            on=self.on,
            amount=payment.amount,
            received_at=payment.received_at,
            channel=payment.channel,
            reason=self.reason,
        )
        return [left, On(self.to_account, arrived)]


def _comes_back(account: Account, payment: PaymentReceived | PaymentTransferredIn) -> bool:
    """Whether this payment was on the account before, and left it."""
    known = account.payments.get(payment.payment)
    same = known is not None and (known.received_at, known.amount) == (payment.received_at, payment.amount)
    return same and payment.payment in account.transferred


def _new_here(account: Account, payment: str, way_out: str = "; give this one another name") -> None:
    """A payment that was only reported may come in under its name; one that came in or was returned may not."""
    if payment in account.payments:
        day = account.payments[payment].day
        raise Refused(
            "payment_recorded",
            f"account {account.id} has a payment {payment} of {day} already{way_out}",
        )
    if payment in account.returned:
        day = account.returned[payment]
        raise Refused("payment_returned", f"payment {payment} of account {account.id} was returned on {day}{way_out}")


def _stands(account: Account, payment: str, context: Context) -> None:
    if payment in account.returned:
        day = account.returned[payment]
        raise Refused(
            "payment_returned", f"payment {payment} was returned on {day} already; there is nothing left of it"
        )
    if payment in account.transferred:
        moved = (e for e in context.history.events if isinstance(e, PaymentTransferred) and e.payment == payment)
        there = list(moved)[-1].to_account
        raise Refused(
            "payment_transferred",
            f"payment {payment} went to account {there} on {account.transferred[payment]}; record this there, or "
            "'payment transfer' it back from there first",
        )


def _fee_name(account: Account, payment: str) -> str:
    """The fee's name, from the payment's; where that is too long or taken, a digest of the whole keeps it apart."""
    name = plain = f"FC-{payment}"
    tries = count()
    while len(name) > LONGEST_ID or name in account.fees:
        digest = sha256(f"{payment}/{next(tries)}".encode()).hexdigest()
        name = f"{plain[: LONGEST_ID - 9]}-{digest[:8]}"
    return name
