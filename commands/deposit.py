"""Credit deposits: required, received, earning interest, absorbed, refunded."""

from collections.abc import Sequence
from datetime import date

from commands.base import Command
from commands.checks import end_of, least_held, missing, not_before
from commands.fields import Id, Money
from ledger.account import Account
from ledger.context import Context
from ledger.events import (
    DepositAbsorbed,
    DepositInterestAccrued,
    DepositReceived,
    DepositRefunded,
    DepositRequired,
    Event,
)
from ledger.money import money
from ledger.policy.languages import promised_more
from ledger.policy.reconnection import deposit_limit
from ledger.refusal import Refused


class RequireDeposit(Command, frozen=True, kw_only=True, tag="deposit require"):
    """Ask for a deposit to re-establish credit after a shutoff for nonpayment, within its limit (DO-42)."""

    example = "--account 7001 --on 2024-06-03"

    on: date
    amount: Money | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        case = context.case(end_of(self.on))
        most = deposit_limit(case)
        rule = case.rule_id("reestablishment_deposit")
        if most.basis is None or not most.bills:
            lacks = "a regular bill to take the average of" if most.basis else "a shutoff for nonpayment"
            raise Refused(
                "deposit_not_allowed",
                f"no deposit may be required on {self.on} ({rule}): it takes {lacks} before it; record that first",
                (rule,),
            )
        amount = most.limit if self.amount is None else self.amount
        if amount > most.limit:
            raise Refused(
                "deposit_over_limit",
                f"a deposit of {money(amount)} is over the limit of {money(most.limit)} ({rule}); require no more",
                (rule,),
            )
        return [
            DepositRequired(
                on=self.on,
                amount=amount,
                average=most.average,
                bills=most.bills,
                basis=(most.basis,),
                translation_divergence=promised_more(case, ("reestablishment_deposit",)),
            )
        ]


class ReceiveDeposit(Command, frozen=True, kw_only=True, tag="deposit receive"):
    """Record a credit deposit that came in; it is held, and pays nothing until absorbed (DO-32)."""

    names = ("deposit",)
    example = "--account 7001 --deposit D-5 --amount 120.00 --on 2024-01-05"

    deposit: Id
    amount: Money
    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [DepositReceived(deposit=self.deposit, amount=self.amount, on=self.on)]


class AccrueInterest(Command, frozen=True, kw_only=True, tag="deposit accrue"):
    """Record the interest that a credit deposit earned; it is held like the deposit itself (DO-32)."""

    names = ("deposit", "on")
    example = "--account 7001 --deposit D-5 --amount 1.35 --on 2024-12-31"

    deposit: Id
    amount: Money
    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _received_by(account, context, self.deposit, self.on)
        return [DepositInterestAccrued(deposit=self.deposit, amount=self.amount, on=self.on)]


class AbsorbDeposit(Command, frozen=True, kw_only=True, tag="deposit absorb"):
    """Apply the credit deposit to what is past due, oldest first, before any shutoff (DO-32)."""

    example = "--account 7001 --on 2024-05-02"

    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        # What was absorbed as of a later day took in what was past due before.
        later = sum(absorbed.amount for absorbed in account.absorptions if absorbed.on > self.on)
        past_due = context.as_of(self.on).past_due(self.on) - later
        held = least_held(context, "deposit", self.on)
        if held <= 0 or past_due <= 0:
            rule = context.parameters(self.on, account).id_of("deposit_absorbed_first")
            there = f"deposit {money(max(held, 0))}, past due {money(max(past_due, 0))}"
            there += f" beside {money(later)} absorbed as of later days" if later else ""
            raise Refused(
                "nothing_to_absorb",
                f"nothing to absorb on {self.on} ({rule}): {there}; 'deposit refund' gives a deposit back",
                (rule,),
            )
        return [DepositAbsorbed(on=self.on, amount=min(held, past_due))]


class RefundDeposit(Command, frozen=True, kw_only=True, tag="deposit refund"):
    """Give a credit deposit back, or a part of it; never more than it holds."""

    names = ("deposit", "on")
    example = "--account 7001 --deposit D-5 --amount 121.35 --on 2025-01-15"

    deposit: Id
    amount: Money
    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _received_by(account, context, self.deposit, self.on)
        # Absorptions take from all deposits together.
        held = min(least_held(context, "deposit", self.on, name) for name in (self.deposit, None))
        if self.amount > held:
            raise Refused(
                "more_than_held",
                f"deposit {self.deposit} holds {money(max(held, 0))} from {self.on} on, not {money(self.amount)}; "
                "refund no more",
            )
        return [DepositRefunded(deposit=self.deposit, amount=self.amount, on=self.on)]


def _received_by(account: Account, context: Context, deposit: str, on: date) -> None:
    """The deposit was there by `on`; raises Refused otherwise."""
    if deposit not in account.deposits:
        raise missing("deposit", deposit, account)
    received = next(e for e in context.history.events if isinstance(e, DepositReceived) and e.deposit == deposit)
    not_before("deposit", deposit, received.on, on)
