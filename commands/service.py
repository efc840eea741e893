"""Service: a shutoff authorized and made, water asked back and turned on, a shutoff found wrongful."""

from collections.abc import Iterable, Sequence
from datetime import date

from commands.base import Command
from commands.fields import Text, TimedMoment
from ledger.account import Account, Shutoff
from ledger.context import Context
from ledger.events import (
    Event,
    FeeCharged,
    FeeWaived,
    ReconnectionRequested,
    ServiceDisconnected,
    ServiceReconnected,
    ShutoffAuthorized,
    ShutoffFoundWrongful,
    ShutoffReason,
)
from ledger.moments import shown
from ledger.policy.case import Case
from ledger.policy.clocks import past_due_from
from ledger.policy.explain import RuleVerdict, judged, shutoff_flags
from ledger.policy.fees import reconnection_fee, reconnection_fee_name
from ledger.policy.languages import promised_more
from ledger.policy.reconnection import reconnection
from ledger.refusal import Invalid, Refused


class AuthorizeShutoff(Command, frozen=True, kw_only=True, tag="service authorize"):
    """Ask every rule whether service may be discontinued for nonpayment at a moment, and record their answers.

    Refused with every rule that stands in the way. What the utility only avoids (DO-37, DO-38) may be overridden with a
    reason and a name; what a rule forbids may not.
    """

    example = "--account 7001 --at 2024-05-23T10:00"

    at: TimedMoment
    override_reason: Text | None = None
    approved_by: Text | None = None

    def check(self) -> None:
        if (self.override_reason is None) != (self.approved_by is None):
            absent = "approved_by" if self.approved_by is None else "override_reason"
            raise Invalid("missing_field", "an override needs both override_reason and approved_by", absent)

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        case = context.case(self.at)
        _refuse_if_off(case.account)
        verdicts = tuple(judged(case))
        against = [verdict for verdict in verdicts if verdict.forbids]
        avoided_only = all(verdict.verdict == "avoids" for verdict in against)
        if against and not (avoided_only and self.override_reason and self.approved_by):
            way_out = f" (ask 'explain {account.id}' when it may be)"
            if avoided_only:
                way_out = " (to do it all the same, give override_reason and approved_by)"
            raise Refused("shutoff_not_allowed", _sentences(against) + way_out, tuple(v.rule for v in against))
        return [
            ShutoffAuthorized(
                at=self.at,
                override_reason=self.override_reason,
                approved_by=self.approved_by,
                verdicts=tuple(verdict.recorded() for verdict in verdicts),
                translation_divergence=_divergence(case, verdicts),
            )
        ]


class DisconnectService(Command, frozen=True, kw_only=True, tag="service disconnect"):
    """Record that the water was turned off; for nonpayment, with what every rule said at that moment (DO-30 to DO-38).

    A shutoff for another reason is outside these rules (DO-30).
    """

    example = "--account 7001 --at 2024-05-23T10:20 --reason nonpayment"

    at: TimedMoment
    reason: ShutoffReason

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        case = context.case(self.at)
        _refuse_if_off(case.account)
        if self.reason != "nonpayment":
            return [ServiceDisconnected(at=self.at, reason=self.reason)]
        overridden = any(
            permission.override_reason and permission.day == case.on for permission in case.account.authorized
        )
        verdicts = tuple(judged(case))
        return [
            ServiceDisconnected(
                at=self.at,
                reason=self.reason,
                verdicts=tuple(verdict.recorded() for verdict in verdicts),
                translation_divergence=_divergence(case, verdicts),
                flags=shutoff_flags(verdicts, overridden=overridden),
            )
        ]


class RequestReconnection(Command, frozen=True, kw_only=True, tag="service request-reconnection"):
    """Record that the customer asked for the water back, perhaps outside office hours (DO-41)."""

    example = "--account 7001 --at 2024-05-24T18:40 --after-hours"

    at: TimedMoment
    after_hours: bool = False

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _the_shutoff(context.as_of(self.at))
        return [ReconnectionRequested(at=self.at, after_hours=self.after_hours)]


class ReconnectService(Command, frozen=True, kw_only=True, tag="service reconnect"):
    """Turn the water on again and charge the fee for it (DO-39, DO-40, DO-41).

    Refused while what is past due is unpaid; a wrongful shutoff is undone without payment and without a fee.
    """

    example = "--account 7001 --at 2024-05-24T15:30"

    at: TimedMoment

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        case = context.case(self.at)
        shutoff = _the_shutoff(case.account)
        _refuse_if_undone(shutoff, account)
        answer = reconnection(case)
        if not answer.allowed:
            against = [verdict for verdict in answer.rules if verdict.forbids]
            raise Refused("reconnection_not_allowed", _sentences(against), tuple(v.rule for v in against))
        return [ServiceReconnected(at=self.at), *_fee(case, shutoff, account)]


class FindWrongful(Command, frozen=True, kw_only=True, tag="service wrongful"):
    """Find that the latest shutoff should not have been made; water comes back without payment or fee (DO-39)."""

    example = "--account 7001 --on 2024-05-27 --reason 'paid before the shutoff'"

    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        shutoffs = context.as_of(self.on).shutoffs
        if not shutoffs:
            raise Refused(
                "no_shutoff", f"account {account.id} had no shutoff by {self.on}; record 'service disconnect' first"
            )
        found = ShutoffFoundWrongful(on=self.on, reason=self.reason, shutoff=shutoffs[-1].made.version)
        fee = account.fees.get(reconnection_fee_name(shutoffs[-1], account))
        if fee is None or fee.waived_on is not None:
            return [found]
        # A fee cannot be waived before it was charged, even where the finding is of an earlier day.
        waived = FeeWaived(fee=fee.charged.fee, on=max(self.on, fee.charged.on), reason=self.reason)
        return [found, waived]


def _fee(case: Case, shutoff: Shutoff, account: Account) -> Sequence[FeeCharged]:
    """The fee that turning the water on earns, if any."""
    priced = reconnection_fee(case, shutoff, case.account.reconnection_request)
    if priced is None:
        return []
    kind, amount, rule = priced
    since, clock = past_due_from(case.on, case.parameters)
    return [
        FeeCharged(
            fee=reconnection_fee_name(shutoff, account),
            kind=kind,
            on=case.on,
            amount=amount,
            past_due_from=since,
            basis=(rule, clock),
        )
    ]


def _the_shutoff(then: Account) -> Shutoff:
    """The shutoff in force then; raises Refused."""
    if then.off is None:
        raise Refused("not_disconnected", f"the water of account {then.id} is on at that moment; nothing is to be done")
    return then.off


def _refuse_if_undone(shutoff: Shutoff, account: Account) -> None:
    for known in account.shutoffs:
        if known.made.version == shutoff.made.version and known.reconnected is not None:
            back = shown(known.reconnected.effective)
            raise Refused(
                "not_disconnected", f"the water of account {account.id} was turned on at {back}; nothing is to be done"
            )


def _refuse_if_off(account: Account) -> None:
    if account.off is not None:
        raise Refused(
            "already_off",
            f"the water of account {account.id} is off since {shown(account.off.made.effective)}; "
            "record 'service reconnect' first",
        )


def _divergence(case: Case, verdicts: Iterable[RuleVerdict]) -> tuple[str, ...]:
    """Of the rules that bore on a shutoff; the day a bill was due bears on it without a verdict of its own."""
    bearing = (verdict.function for verdict in verdicts if verdict.verdict != "not_applicable")
    return promised_more(case, ("due_on_presentation", *bearing))


def _sentences(against: Iterable[RuleVerdict]) -> str:
    return "; ".join(f"{verdict.rule}: {verdict.because}" for verdict in against)
