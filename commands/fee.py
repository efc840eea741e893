"""Fees: charged and given up."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from commands.base import Command
from commands.checks import broken, missing, not_before
from commands.fields import Id, Money, Text
from ledger.account import Account
from ledger.calendar import ONE_DAY, Calendar
from ledger.context import Context
from ledger.events import Event, FeeCharged, FeeWaived, RuleVersion
from ledger.policy.clocks import past_due_from
from ledger.policy.fees import fee_amount
from ledger.refusal import Refused


class ChargeFee(Command, frozen=True, kw_only=True, tag="fee charge"):
    """Charge a fee; without an amount the policy's holds.

    A late one is flagged where nothing was unpaid after its last day, moved to an open one (DO-02).
    """

    names = ("fee",)
    computed = ("amount",)
    example = "--account 7001 --fee F-31 --kind returned_payment --on 2024-03-12 --amount 15.00"

    fee: Id
    kind: Literal["late", "returned_payment", "field_collection", "other"]
    on: date
    amount: Money | None = None
    reason: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        if self.fee in account.fees:
            on = account.fees[self.fee].charged.on
            raise Refused("fee_charged", f"fee {self.fee} was charged on {on} already; give this one another name")
        parameters = context.parameters(self.on, account)
        since, clock = past_due_from(self.on, parameters)
        amount = self.amount
        basis: tuple[RuleVersion, ...] = (clock,)
        if amount is None:
            amount, fixed = fee_amount(self.kind, parameters)
            basis = (fixed, clock)
        early = self.kind == "late" and not _late(context.as_of(self.on - ONE_DAY), context.calendar, self.on)
        return [
            FeeCharged(
                fee=self.fee,
                kind=self.kind,
                on=self.on,
                amount=amount,
                past_due_from=since,
                reason=self.reason,
                basis=basis,
                flags=broken(parameters, "days_until_past_due") if early else (),
            )
        ]


class WaiveFee(Command, frozen=True, kw_only=True, tag="fee waive"):
    """Give up a fee from a day on; earlier days stay as they were."""

    names = ("fee",)
    example = "--account 7001 --fee F-31 --on 2024-03-20 --reason 'the bank was at fault'"

    fee: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        fee = account.fees.get(self.fee)
        if fee is None:
            raise missing("fee", self.fee, account)
        if fee.waived_on is not None:
            raise Refused(
                "fee_waived", f"fee {self.fee} was waived on {fee.waived_on} already; there is nothing left of it"
            )
        not_before("fee", self.fee, fee.charged.on, self.on)
        return [FeeWaived(fee=self.fee, on=self.on, reason=self.reason)]


def _late(before: Account, calendar: Calendar, on: date) -> bool:
    """Whether `on` began with something unpaid whose last day, moved to an open one, had passed (C2)."""
    return any(
        part.past_due_from is not None and calendar.next_open(part.past_due_from - ONE_DAY) < on
        for charge, unpaid in before.settled.open()
        for part, _ in charge.shares(unpaid)
    )
