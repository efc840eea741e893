"""Disputes: petitions to the utility about a bill, and its answers."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec.structs import replace

from commands.base import Command
from commands.checks import broken, end_of, missing, not_before, the_bill
from commands.fields import Id, Moment, Money, Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import Event, Language, PetitionAnswered, PetitionFiled, PetitionOutcome
from ledger.moments import is_bare
from ledger.money import money
from ledger.policy.case import Case
from ledger.policy.stays import petition_late_by
from ledger.refusal import Invalid, Refused


class FilePetition(Command, frozen=True, kw_only=True, tag="dispute petition"):
    """Record a petition to review a bill; in time, it holds the shutoff until it is answered (DO-22, DO-23, DO-24)."""

    names = ("dispute",)
    computed = ("disputed_amount",)
    example = "--account 7001 --dispute D-1 --bill B-2402 --filed-at 2024-02-08T09:30 --channel phone"

    dispute: Id
    bill: Id
    filed_at: Moment
    petitioner: Text | None = None
    role: Literal["customer", "occupant"] = "customer"
    ground: Literal["accuracy", "other"] = "accuracy"
    disputed_amount: Money | None = None
    beyond_means: bool = False
    channel: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        not_before("bill", self.bill, the_bill(account, self.bill).mailed_on, self.filed_at)
        case = context.case(end_of(self.filed_at.date()) if is_bare(self.filed_at) else self.filed_at)
        bill = case.account.bills[self.bill]
        if bill.voided_on is not None:
            raise Refused(
                "bill_voided", f"bill {self.bill} was voided on {bill.voided_on}; dispute the one that came instead"
            )
        disputed = bill.amount if self.disputed_amount is None else self.disputed_amount
        if disputed > bill.amount:
            raise Refused(
                "too_much",
                f"bill {self.bill} is {money(bill.amount)}, less than {money(disputed)}; dispute that at most",
            )
        petition = PetitionFiled(
            dispute=self.dispute,
            bill=self.bill,
            filed_at=self.filed_at,
            disputed_amount=disputed,
            petitioner=self.petitioner,
            role=self.role,
            ground=self.ground,
            beyond_means=self.beyond_means,
            channel=self.channel,
        )
        return [replace(petition, flags=self._flags(case, petition))]

    def _flags(self, case: Case, petition: PetitionFiled) -> tuple[str, ...]:
        inaccurate = broken(case.parameters, "petition_right") if self.ground == "other" else ()
        timely = not case.in_force("petition_in_time") or not petition_late_by(case, petition)
        return inaccurate if timely else (*inaccurate, *broken(case.parameters, "petition_in_time"))


class AnswerPetition(Command, frozen=True, kw_only=True, tag="dispute answer"):
    """Record the utility's written answer to a petition; a credit is taken off the disputed bill (DO-23, DO-25)."""

    names = ("dispute",)
    example = "--account 7001 --dispute D-1 --on 2024-03-01 --outcome adjusted --credit 12.40"

    dispute: Id
    on: date
    outcome: PetitionOutcome
    credit: Money | None = None
    language: Language | None = None

    def check(self) -> None:
        if self.credit is not None and self.outcome == "withdrawn":
            raise Invalid("invalid_value", "credit: a petition that was withdrawn gets none", "credit")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        petition = account.disputes.get(self.dispute)
        if petition is None:
            raise missing("dispute", self.dispute, account)
        not_before("dispute", self.dispute, petition.filed_at, self.on)
        if self.credit is not None and self.credit > petition.disputed_amount:
            raise Refused(
                "too_much",
                f"dispute {self.dispute} is about {money(petition.disputed_amount)}, less than {money(self.credit)}; "
                "credit that at most (give more with 'bill correct' or 'adjustment post')",
            )
        self._refuse_over_the_bill(account, petition)
        return [
            PetitionAnswered(
                dispute=self.dispute, on=self.on, outcome=self.outcome, credit=self.credit, language=self.language
            )
        ]

    def _refuse_over_the_bill(self, account: Account, petition: PetitionFiled) -> None:
        """The answers to all petitions about one bill credit no more than the bill is; raises Refused."""
        others = (a for a in account.answers.values() if account.disputes[a.dispute].bill == petition.bill)
        given, bill = sum(a.credit or 0 for a in others), account.bills[petition.bill]
        if self.credit is not None and given + self.credit > bill.amount:
            raise Refused(
                "too_much",
                f"bill {bill.id} is {money(bill.amount)} and answers credit {money(given)} of it already, so not "
                f"{money(self.credit)} more; credit the rest at most (give more with 'adjustment post')",
            )
