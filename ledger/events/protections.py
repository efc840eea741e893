"""Notices, arrangements, the health exception, petitions and appeals."""

from datetime import date, datetime
from typing import Literal

from ledger.events.base import (
    ArrangementBasis,
    ArrangementKind,
    Contact,
    ContactMethod,
    ContactOutcome,
    Event,
    Forum,
    HealthPart,
    Installment,
    Language,
    Medical,
    NoticeKind,
    NoticeMethod,
    PetitionOutcome,
    RuleVersion,
)
from ledger.money import Cents


class _OfNotices(Event, frozen=True, kw_only=True):
    rank = 5


class NoticeServed(_OfNotices, frozen=True, kw_only=True):
    """A written notice; it covers the bills past due on its day and no other.

    `policy_text` is the version of the company's policy in force on its day: the start of its pack's SHA-256.
    """

    when = "on"
    notice: str
    kind: NoticeKind
    on: date
    method: NoticeMethod
    language: Language = "en"
    amount: Cents | None = None
    act_by: date | None = None
    policy_text: str | None = None


class NoticeReturned(_OfNotices, frozen=True, kw_only=True):
    """The post brought a notice back."""

    when = "on"
    notice: str
    on: date


class ContactAttempted(_OfNotices, frozen=True, kw_only=True):
    """Somebody tried to speak with an adult at the service (PUC 779.1(b))."""

    when = "at"
    at: datetime
    method: ContactMethod
    outcome: ContactOutcome


class _OfArrangements(Event, frozen=True, kw_only=True):
    rank = 6


class ArrangementRequested(_OfArrangements, frozen=True, kw_only=True):
    """The customer asked for more time or for installments (DO-07)."""

    when = "at"
    arrangement: str
    at: datetime
    channel: str | None = None
    asks: str | None = None


class ArrangementAgreed(_OfArrangements, frozen=True, kw_only=True):
    """An alternative payment arrangement was entered into for all that was open that day (DO-08, DO-09, DO-10).

    `policy_text` is as of a notice, on the day of the agreement.
    """

    when = "on"
    arrangement: str
    kind: ArrangementKind
    on: date
    installments: tuple[Installment, ...]
    arrangement_basis: ArrangementBasis = "ordinary"
    reason: str | None = None
    basis: tuple[RuleVersion, ...] = ()
    policy_text: str | None = None


class ArrangementDeclined(_OfArrangements, frozen=True, kw_only=True):
    """A request was answered with no."""

    when = "on"
    arrangement: str
    on: date
    reason: str
    translation_divergence: tuple[str, ...] = ()


class ArrangementBreached(_OfArrangements, frozen=True, kw_only=True):
    """The utility found that an arrangement was not kept (DO-13)."""

    when = "on"
    arrangement: str
    on: date
    reason: str


class ArrangementCancelled(_OfArrangements, frozen=True, kw_only=True):
    """An arrangement was ended by consent."""

    when = "on"
    arrangement: str
    on: date
    reason: str


class _OfHealth(Event, frozen=True, kw_only=True):
    rank = 7


class HealthCertified(_OfHealth, frozen=True, kw_only=True):
    """A primary care provider certified the danger of a shutoff; never the diagnosis (DO-16)."""

    when = "on"
    on: date
    provider: Medical
    resident: Literal["customer", "household", "tenant"] = "customer"


class InabilityShown(_OfHealth, frozen=True, kw_only=True):
    """The customer showed that the bill cannot be paid within the billing cycle (DO-17)."""

    when = "on"
    on: date
    ground: str


class WillingnessStated(_OfHealth, frozen=True, kw_only=True):
    """The customer is willing to enter into an arrangement (DO-18)."""

    when = "on"
    on: date


class HealthPartAccepted(_OfHealth, frozen=True, kw_only=True):
    """The utility is satisfied with one part of the health exception (DO-15)."""

    when = "on"
    on: date
    part: HealthPart
    reason: str | None = None


class HealthPartRejected(_OfHealth, frozen=True, kw_only=True):
    """The utility is not satisfied with one part of the health exception (DO-15)."""

    when = "on"
    on: date
    part: HealthPart
    reason: str | None = None
    translation_divergence: tuple[str, ...] = ()


class HealthPartWithdrawn(_OfHealth, frozen=True, kw_only=True):
    """One part of the health exception no longer stands (DO-15)."""

    when = "on"
    on: date
    part: HealthPart
    reason: str | None = None


class _OfDisputes(Event, frozen=True, kw_only=True):
    rank = 8


class PetitionFiled(_OfDisputes, frozen=True, kw_only=True):
    """A bill was disputed with the utility (DO-22); `disputed_amount` is in cents."""

    when = "filed_at"
    dispute: str
    bill: str
    filed_at: datetime
    disputed_amount: Cents
    petitioner: Contact | None = None
    role: Literal["customer", "occupant"] = "customer"
    ground: Literal["accuracy", "other"] = "accuracy"
    beyond_means: bool = False
    channel: str | None = None


class PetitionAnswered(_OfDisputes, frozen=True, kw_only=True):
    """The utility answered in writing; `credit` cents are taken off the disputed bill."""

    when = "on"
    dispute: str
    on: date
    outcome: PetitionOutcome
    credit: Cents | None = None
    language: Language | None = None


class AppealFiled(_OfDisputes, frozen=True, kw_only=True):
    """The answer to a petition was taken to the Commission (DO-25, DO-29)."""

    when = "on"
    appeal: str
    dispute: str
    on: date
    forum: Forum = "cab"
    evidence: str | None = None


class CommissionDepositEvidenced(_OfDisputes, frozen=True, kw_only=True):
    """The disputed amount was deposited with the Commission, which holds it (DO-26)."""

    when = "on"
    appeal: str
    amount: Cents
    on: date
    reference: str | None = None


class AppealLapsed(_OfDisputes, frozen=True, kw_only=True):
    """Evidence showed that an appeal was no longer diligently pursued (DO-29)."""

    when = "on"
    appeal: str
    on: date
    evidence: str


class AppealClosed(_OfDisputes, frozen=True, kw_only=True):
    """The Commission ended an appeal; the stay ends with that day."""

    when = "on"
    appeal: str
    on: date
    outcome: str


class CommissionDepositDisbursed(_OfDisputes, frozen=True, kw_only=True):
    """The Commission paid out what it held: `to_utility` cents count as paid that day (DO-26)."""

    when = "on"
    appeal: str
    on: date
    to_utility: Cents
    to_customer: Cents
