"""Adjustments: the balance moved by hand, with a reason."""

from collections.abc import Sequence
from datetime import date

from commands.base import Command
from commands.fields import SignedMoney, Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import AdjustmentPosted, Event
from ledger.policy.clocks import past_due_from
from ledger.refusal import Invalid


class PostAdjustment(Command, frozen=True, kw_only=True, tag="adjustment post"):
    """Move the balance by hand: a positive amount is owed, with a clock of its own; a negative one credits (DO-02)."""

    example = "--account 7001 --amount -12.50 --on 2024-03-04 --reason 'leak allowance' --approved-by 'supervisor'"

    amount: SignedMoney
    on: date
    reason: Text
    approved_by: Text | None = None

    def check(self) -> None:
        if self.amount == 0:
            raise Invalid("invalid_value", "amount: an adjustment of 0.00 moves nothing; give what it moves", "amount")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        since = None
        if self.amount > 0:
            since, _ = past_due_from(self.on, context.parameters(self.on, account))
        return [
            AdjustmentPosted(
                amount=self.amount,
                on=self.on,
                reason=self.reason,
                approved_by=self.approved_by,
                past_due_from=since,
            )
        ]
