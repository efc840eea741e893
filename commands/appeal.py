"""Appeals to the Commission: filed, money deposited there, lapsed, closed, paid out."""

from collections.abc import Sequence
from datetime import date

from commands.base import Command
from commands.checks import broken, least_held, missing, not_before
from commands.fields import Id, Money, MoneyOrNone, Text
from ledger.account import Account, Appeal
from ledger.context import Context
from ledger.events import (
    AppealClosed,
    AppealFiled,
    AppealLapsed,
    CommissionDepositDisbursed,
    CommissionDepositEvidenced,
    Event,
    Forum,
)
from ledger.money import money
from ledger.refusal import Invalid, Refused


class FileAppeal(Command, frozen=True, kw_only=True, tag="appeal file"):
    """Record that the answer to a petition was taken to the Commission (DO-25, DO-27, DO-28, DO-29, HS-116908-B)."""

    names = ("appeal",)
    example = "--account 7001 --appeal A-1 --dispute D-1 --on 2024-03-12 --evidence 'CAB file 640123'"

    appeal: Id
    dispute: Id
    on: date
    forum: Forum = "cab"
    evidence: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        petition = account.disputes.get(self.dispute)
        if petition is None:
            raise missing("dispute", self.dispute, account)
        not_before("dispute", self.dispute, petition.filed_at, self.on)
        answer = account.answers.get(self.dispute)
        unanswered = answer is None or answer.on > self.on
        return [
            AppealFiled(
                appeal=self.appeal,
                dispute=self.dispute,
                on=self.on,
                forum=self.forum,
                evidence=self.evidence,
                flags=broken(context.parameters(self.on, account), "appeal_right") if unanswered else (),
            )
        ]


class DepositWithCommission(Command, frozen=True, kw_only=True, tag="appeal deposit"):
    """Record money that the Commission took in deposit; it is never part of the balance (DO-26)."""

    names = ("appeal", "on")
    example = "--account 7001 --appeal A-1 --amount 85.00 --on 2024-03-14 --reference 'impound 5512'"

    appeal: Id
    amount: Money
    on: date
    reference: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_appeal(account, self.appeal, self.on)
        return [
            CommissionDepositEvidenced(appeal=self.appeal, amount=self.amount, on=self.on, reference=self.reference)
        ]


class LapseAppeal(Command, frozen=True, kw_only=True, tag="appeal lapse"):
    """Record evidence that an appeal is no longer diligently pursued; its stay ends (DO-29)."""

    names = ("appeal",)
    example = "--account 7001 --appeal A-1 --on 2024-06-03 --evidence 'CAB letter of 31 May 2024'"

    appeal: Id
    on: date
    evidence: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        closed = _the_appeal(account, self.appeal, self.on).closed
        if closed is not None and closed.on <= self.on:
            raise Refused(
                "appeal_closed",
                f"appeal {self.appeal} was closed on {closed.on} and has no stay to lose on {self.on}; correct the day",
            )
        return [AppealLapsed(appeal=self.appeal, on=self.on, evidence=self.evidence)]


class CloseAppeal(Command, frozen=True, kw_only=True, tag="appeal close"):
    """Record that the Commission ended an appeal; the stay holds through that day (DO-29, HS-116908-B)."""

    names = ("appeal",)
    example = "--account 7001 --appeal A-1 --on 2024-07-09 --outcome 'bill upheld'"

    appeal: Id
    on: date
    outcome: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_appeal(account, self.appeal, self.on)
        return [AppealClosed(appeal=self.appeal, on=self.on, outcome=self.outcome)]


class DisburseDeposit(Command, frozen=True, kw_only=True, tag="appeal disburse"):
    """Record how the Commission paid out what it held; the utility's share counts as paid that day (DO-26)."""

    names = ("appeal", "on")
    example = "--account 7001 --appeal A-1 --on 2024-07-16 --to-utility 72.60 --to-customer 12.40"

    appeal: Id
    on: date
    to_utility: MoneyOrNone
    to_customer: MoneyOrNone

    def check(self) -> None:
        if not self.to_utility and not self.to_customer:
            raise Invalid(
                "invalid_value", "to_utility: nothing is paid out; give one of the two an amount", "to_utility"
            )

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_appeal(account, self.appeal, self.on)
        held = least_held(context, "commission_deposit", self.on, self.appeal)
        if self.to_utility + self.to_customer > held:
            raise Refused(
                "too_much",
                f"the Commission holds {money(held)} for appeal {self.appeal} from {self.on} on, less than "
                f"{money(self.to_utility + self.to_customer)}; record the rest with 'appeal deposit' first",
            )
        return [
            CommissionDepositDisbursed(
                appeal=self.appeal, on=self.on, to_utility=self.to_utility, to_customer=self.to_customer
            )
        ]


def _the_appeal(account: Account, appeal: str, on: date) -> Appeal:
    """The appeal by that name, filed by that day; raises Refused."""
    found = account.appeals.get(appeal)
    if found is None:
        raise missing("appeal", appeal, account)
    not_before("appeal", appeal, found.filed.on, on)
    return found
