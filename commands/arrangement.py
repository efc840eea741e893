"""Arrangements: requested, agreed or declined, and how they end."""

from collections.abc import Sequence
from datetime import date

from commands.base import Command
from commands.checks import broken, end_of, missing, not_before
from commands.fields import Id, Moment, Text
from ledger.account import Account, Arrangement
from ledger.calendar import ONE_DAY
from ledger.context import Context
from ledger.events import (
    ArrangementAgreed,
    ArrangementBasis,
    ArrangementBreached,
    ArrangementCancelled,
    ArrangementDeclined,
    ArrangementKind,
    ArrangementRequested,
    Event,
    Installment,
)
from ledger.moments import is_bare
from ledger.policy.arrangements import agreement_objections, progress
from ledger.policy.languages import promised_more
from ledger.refusal import Invalid, Refused

_RULE_OF = {"deferred": "deferred_payment", "reduced": "reduced_payment", "alternative": "alternative_schedule"}


class RequestArrangement(Command, frozen=True, kw_only=True, tag="arrangement request"):
    """Record that the customer asked for more time; it holds the shutoff until answered (DO-07, PUC-779-C)."""

    names = ("arrangement",)
    example = "--account 7001 --arrangement P-1 --at 2024-04-10T09:15 --channel phone --asks 'three months'"

    arrangement: Id
    at: Moment
    channel: Text | None = None
    asks: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        # Of a request whose hour nobody noted, only the days before it tell whether the water was off already.
        before = self.at.date() - ONE_DAY if is_bare(self.at) else self.at
        late = context.as_of(before).off is not None
        return [
            ArrangementRequested(
                arrangement=self.arrangement,
                at=self.at,
                channel=self.channel,
                asks=self.asks,
                flags=broken(context.parameters(self.at.date(), account), "arrangement_request") if late else (),
            )
        ]


class AgreeArrangement(Command, frozen=True, kw_only=True, tag="arrangement agree"):
    """Enter into an arrangement; it shields from shutoff while it is kept (DO-08 to DO-12, DO-14).

    Refused beyond the limits of its kind, and after a breach unless a reason is given.
    """

    names = ("arrangement",)
    example = (
        "--account 7001 --arrangement P-1 --kind reduced --on 2024-04-12 "
        "--installments 2024-05-10=42.50,2024-06-10=42.50"
    )

    arrangement: Id
    kind: ArrangementKind
    on: date
    installments: tuple[Installment, ...]
    basis: ArrangementBasis = "ordinary"
    reason: Text | None = None

    def check(self) -> None:
        for installment in self.installments:
            if installment.due_on < self.on:
                raise Invalid(
                    "invalid_value",
                    f"installments: {installment.due_on} is before the agreement, of {self.on}",
                    "installments",
                )

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        case = context.case(end_of(self.on))
        objections = agreement_objections(case, self.kind, self.installments, self.reason)
        if objections:
            sentences = "; ".join(f"{rule}: {because}" for rule, because in objections)
            raise Refused("arrangement_not_allowed", sentences, tuple(rule for rule, _ in objections))
        limits = case.parameters.get(_RULE_OF[self.kind])
        return [
            ArrangementAgreed(
                arrangement=self.arrangement,
                kind=self.kind,
                on=self.on,
                installments=self.installments,
                arrangement_basis=self.basis,
                reason=self.reason,
                basis=(limits.version,) if limits and limits.since else (),
                policy_text=case.parameters.policy_text,
            )
        ]


class DeclineArrangement(Command, frozen=True, kw_only=True, tag="arrangement decline"):
    """Answer a request with no; it holds the shutoff no longer (PUC-779-C)."""

    names = ("arrangement",)
    example = "--account 7001 --arrangement P-1 --on 2024-04-12 --reason 'customer withdrew it'"

    arrangement: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        found = account.arrangements.get(self.arrangement)
        if found is None or found.requested is None:
            raise missing("arrangement", self.arrangement, account)
        not_before("arrangement", self.arrangement, found.requested.at, self.on)
        if found.agreed is not None and found.agreed.on <= self.on:
            raise Refused(
                "agreed_already",
                f"arrangement {self.arrangement} was agreed on {found.agreed.on}; end it with 'arrangement cancel'",
            )
        promised = promised_more(context.case(end_of(self.on)), ("arrangement_request", "petition_beyond_means"))
        return [
            ArrangementDeclined(
                arrangement=self.arrangement, on=self.on, reason=self.reason, translation_divergence=promised
            )
        ]


class BreachArrangement(Command, frozen=True, kw_only=True, tag="arrangement breach"):
    """Record that the utility found an arrangement not kept; a final notice is due before a shutoff (DO-11, DO-13)."""

    names = ("arrangement",)
    example = "--account 7001 --arrangement P-1 --on 2024-05-13 --reason 'installment of 10 May missed'"

    arrangement: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_agreed(account, self.arrangement, self.on)
        case = context.case(end_of(self.on))
        missed = progress(case, case.account.arrangements[self.arrangement]).state == "missed"
        return [
            ArrangementBreached(
                arrangement=self.arrangement,
                on=self.on,
                reason=self.reason,
                flags=broken(case.parameters, "arrangement_shields") if not missed else (),
            )
        ]


class CancelArrangement(Command, frozen=True, kw_only=True, tag="arrangement cancel"):
    """End an arrangement by consent; it shields no longer (DO-11)."""

    names = ("arrangement",)
    example = "--account 7001 --arrangement P-1 --on 2024-05-20 --reason 'replaced by P-2'"

    arrangement: Id
    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_agreed(account, self.arrangement, self.on)
        return [ArrangementCancelled(arrangement=self.arrangement, on=self.on, reason=self.reason)]


def _the_agreed(account: Account, arrangement: str, on: date) -> Arrangement:
    """The arrangement by that name, agreed by that day and not ended since; raises Refused."""
    found = account.arrangements.get(arrangement)
    if found is None:
        raise missing("arrangement", arrangement, account)
    if found.agreed is None:
        raise Refused(
            "not_agreed", f"arrangement {arrangement} was never agreed; record 'arrangement agree' first, or decline it"
        )
    not_before("arrangement", arrangement, found.agreed.on, on)
    if found.cancelled_on is not None and found.cancelled_on <= on:
        raise Refused(
            "arrangement_ended",
            f"arrangement {arrangement} was cancelled on {found.cancelled_on} and does not end again on {on}; "
            "correct the day",
        )
    return found
