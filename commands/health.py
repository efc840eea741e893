"""The health exception: three parts, each submitted and then accepted, rejected or withdrawn (DO-15)."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from commands.base import Command
from commands.checks import end_of
from commands.fields import Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import (
    Event,
    HealthCertified,
    HealthPart,
    HealthPartAccepted,
    HealthPartRejected,
    HealthPartWithdrawn,
    InabilityShown,
    WillingnessStated,
)
from ledger.policy.languages import promised_more
from ledger.refusal import Refused

_SUBMITTED_WITH = {
    "certification": "health certify",
    "inability": "health inability",
    "willingness": "health willing",
}


class CertifyHealth(Command, frozen=True, kw_only=True, tag="health certify"):
    """Record a primary care provider's certificate that a shutoff endangers a resident; no diagnosis (DO-16)."""

    example = "--account 7001 --on 2024-04-02 --provider 'Valley Clinic' --resident household"

    on: date
    provider: Text
    resident: Literal["customer", "household", "tenant"] = "customer"

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [HealthCertified(on=self.on, provider=self.provider, resident=self.resident)]


class ShowInability(Command, frozen=True, kw_only=True, tag="health inability"):
    """Record on what ground the customer cannot pay within the billing cycle (DO-17)."""

    example = "--account 7001 --on 2024-04-02 --ground 'Medi-Cal'"

    on: date
    ground: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [InabilityShown(on=self.on, ground=self.ground)]


class StateWillingness(Command, frozen=True, kw_only=True, tag="health willing"):
    """Record that the customer is willing to enter into an arrangement (DO-18)."""

    example = "--account 7001 --on 2024-04-02"

    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [WillingnessStated(on=self.on)]


class AcceptHealth(Command, frozen=True, kw_only=True, tag="health accept"):
    """Record that the utility is satisfied with one part; with all three, service stays on (DO-15)."""

    example = "--account 7001 --on 2024-04-05 --part certification"

    on: date
    part: HealthPart
    reason: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _submitted(self.part, self.on, context)
        return [HealthPartAccepted(on=self.on, part=self.part, reason=self.reason)]


class RejectHealth(Command, frozen=True, kw_only=True, tag="health reject"):
    """Record that the utility is not satisfied with one part (DO-15)."""

    example = "--account 7001 --on 2024-04-05 --part inability --reason 'no document'"

    on: date
    part: HealthPart
    reason: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _submitted(self.part, self.on, context)
        promised = promised_more(context.case(end_of(self.on)), ("health_exception",))
        return [HealthPartRejected(on=self.on, part=self.part, reason=self.reason, translation_divergence=promised)]


class WithdrawHealth(Command, frozen=True, kw_only=True, tag="health withdraw"):
    """Record that one part no longer stands, such as a willingness taken back (DO-15, DO-18)."""

    example = "--account 7001 --on 2024-05-02 --part willingness"

    on: date
    part: HealthPart
    reason: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _submitted(self.part, self.on, context)
        return [HealthPartWithdrawn(on=self.on, part=self.part, reason=self.reason)]


def _submitted(part: HealthPart, on: date, context: Context) -> None:
    """Nothing can be said of a part before it is there; raises Refused."""
    state = context.as_of(on).health.get(part)
    if state is None or state.submitted_on is None:
        raise Refused("not_submitted", f"no {part} was submitted by {on}; record '{_SUBMITTED_WITH[part]}' first")
