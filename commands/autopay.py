"""Autopay: bills that pay themselves, account by account."""

from collections.abc import Sequence
from datetime import date

from commands.base import Command
from ledger.account import Account
from ledger.context import Context
from ledger.events import AutopayCancelled, AutopayEnrolled, Event, PaymentMethod
from ledger.refusal import Refused


class EnrollAutopay(Command, frozen=True, kw_only=True, tag="autopay enroll"):
    """Let this account's bills pay themselves; a log-in's other accounts stay as they are (CW-05)."""

    example = "--account 7001 --on 2024-02-01 --method bank"

    on: date
    method: PaymentMethod | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [AutopayEnrolled(on=self.on, method=self.method)]


class CancelAutopay(Command, frozen=True, kw_only=True, tag="autopay cancel"):
    """Stop this account's bills from paying themselves (CW-05)."""

    example = "--account 7001 --on 2024-05-01"

    on: date
    method: PaymentMethod | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        if context.as_of(self.on).autopay is None:
            raise Refused(
                "autopay_not_enrolled",
                f"account {account.id} has no autopay on {self.on} to cancel; 'autopay enroll' it first",
            )
        return [AutopayCancelled(on=self.on, method=self.method)]
