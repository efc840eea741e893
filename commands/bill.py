"""Bills: issued, received, corrected, voided."""

from collections.abc import Sequence
from datetime import date
from typing import Self

from msgspec.structs import replace

from commands.base import Command
from commands.checks import not_before, the_bill
from commands.fields import Id, Money, Quantity, Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import BillCorrected, BillIssued, BillKind, BillReceiptEvidenced, BillVoided, Delivery, Event, Line
from ledger.money import MOST, money
from ledger.policy.clocks import past_due_from
from ledger.refusal import Invalid, Refused


class IssueBill(Command, frozen=True, kw_only=True, tag="bill issue"):
    """Record a bill that was mailed; its clocks start on that day (DO-01, DO-02, DO-04)."""

    names = ("bill",)
    example = "--account 7001 --bill B-2402 --mailed-on 2024-02-01 --amount 85.00"

    bill: Id
    mailed_on: date
    amount: Money | None = None
    lines: tuple[Line, ...] = ()
    period_start: date | None = None
    period_end: date | None = None
    usage: Quantity | None = None
    delivery: Delivery = "mail"
    kind: BillKind = "regular"

    def check(self) -> None:
        if self.amount is None and not self.lines:
            raise Invalid("missing_field", "'bill issue' needs amount or lines", "amount")
        total = sum(line.amount for line in self.lines)
        if self.lines and self.amount is not None and total != self.amount:
            raise Invalid(
                "invalid_value", f"lines: they add up to {money(total)}, not to amount {money(self.amount)}", "lines"
            )
        if total > MOST:
            reason = f"lines: they add up to {money(total)}, over the largest amount, {money(MOST)}"
            raise Invalid("invalid_value", reason, "lines")
        if (self.period_start is None) != (self.period_end is None):
            raise Invalid("missing_field", "a period needs both period_start and period_end", "period_start")
        if self.period_start and self.period_end and self.period_end <= self.period_start:
            raise Invalid(
                "invalid_value", f"period_end: {self.period_end} is not after {self.period_start}", "period_end"
            )

    def normal(self) -> Self:
        return replace(self, amount=sum(line.amount for line in self.lines)) if self.amount is None else self

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        amount = self.normal().amount
        assert amount is not None, "checked: a bill has an amount or lines"
        since, basis = past_due_from(self.mailed_on, context.parameters(self.mailed_on, account))
        return [
            BillIssued(
                bill=self.bill,
                mailed_on=self.mailed_on,
                amount=amount,
                past_due_from=since,
                lines=self.lines,
                period_start=self.period_start,
                period_end=self.period_end,
                usage=self.usage,
                delivery=self.delivery,
                kind=self.kind,
                basis=(basis,),
            )
        ]


class EvidenceReceipt(Command, frozen=True, kw_only=True, tag="bill receipt"):
    """Record when the customer really had a bill; without it, receipt is presumed (C9, DO-23).

    A bill is received once for each mailing: one that was corrected may be received again.
    """

    names = ("bill", "received_on")
    example = "--account 7001 --bill B-2402 --received-on 2024-02-03 --evidence 'certified mail receipt'"

    bill: Id
    received_on: date
    evidence: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        bill = the_bill(account, self.bill)
        not_before("bill", self.bill, bill.mailed_on, self.received_on)
        mailed_on = max(day for day in (bill.mailed_on, *bill.corrected) if day <= self.received_on)
        if received_on := bill.received(mailed_on):
            reason = (
                f"bill {self.bill}, as mailed on {mailed_on}, is recorded already as received on {received_on}, "
                f"not {self.received_on}; only what is mailed again is received again"
            )
            raise Refused("recorded_differently", reason, field="received_on")
        return [BillReceiptEvidenced(bill=self.bill, received_on=self.received_on, evidence=self.evidence)]


class CorrectBill(Command, frozen=True, kw_only=True, tag="bill correct"):
    """Put a bill's amount right; an increase gets clocks of its own from this mailing (DO-02 e)."""

    names = ("bill", "mailed_on")
    example = "--account 7001 --bill B-2402 --amount 79.00 --mailed-on 2024-02-09 --reason 'misread meter'"

    bill: Id
    amount: Money
    mailed_on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        bill = the_bill(account, self.bill)
        not_before("bill", self.bill, bill.mailed_on, self.mailed_on)
        if bill.voided_on is not None and bill.voided_on <= self.mailed_on:
            raise Refused("bill_voided", f"bill {self.bill} was voided on {bill.voided_on}; issue a new bill instead")
        parameters = context.parameters(self.mailed_on, account)
        since, basis = past_due_from(self.mailed_on, parameters)
        return [
            BillCorrected(
                bill=self.bill,
                amount=self.amount,
                mailed_on=self.mailed_on,
                reason=self.reason,
                past_due_from=since,
                basis=(basis,),
            )
        ]


class VoidBill(Command, frozen=True, kw_only=True, tag="bill void"):
    """Withdraw a bill from a day on; earlier days stay as they were."""

    names = ("bill",)
    example = "--account 7001 --bill B-2402 --on 2024-02-12 --reason 'issued twice'"

    bill: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        not_before("bill", self.bill, the_bill(account, self.bill).mailed_on, self.on)
        return [BillVoided(bill=self.bill, on=self.on, reason=self.reason)]
