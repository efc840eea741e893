"""The account itself and its meters."""

from datetime import date

from ledger.events.base import (
    Billing,
    Contact,
    Dwelling,
    Event,
    Language,
    Occupancy,
    PaymentMethod,
    PersonalClass,
    ReadKind,
    ServiceClass,
    Unit,
)
from ledger.money import Thousandths


class _OfAccount(Event, frozen=True, kw_only=True):
    rank = 0


class AccountOpened(_OfAccount, frozen=True, kw_only=True):
    """Service began in a customer's name."""

    when = "opened_on"
    opened_on: date
    name: Contact
    service_address: Contact
    service_class: ServiceClass = "residential"
    dwelling: Dwelling = "single_family"
    occupancy: Occupancy = "customer"
    billing: Billing = "monthly"
    district: str | None = None
    language: Language = "en"
    mailing_address: Contact | None = None
    billing_email: Contact | None = None
    phone: Contact | None = None
    low_income: bool = False


class AccountClosed(_OfAccount, frozen=True, kw_only=True):
    """Service in this name ended; what is owed stays owed (CW-07)."""

    when = "closed_on"
    closed_on: date
    reason: str | None = None


class AccountCorrected(_OfAccount, frozen=True, kw_only=True):
    """A name or a way to reach the customer was put right; liability does not change (CW-14)."""

    when = "on"
    on: date
    reason: str
    name: Contact | None = None
    service_address: Contact | None = None
    mailing_address: Contact | None = None
    billing_email: Contact | None = None
    phone: Contact | None = None
    language: Language | None = None


class AccountClassified(_OfAccount, frozen=True, kw_only=True):
    """What the service is, from a day on (DO-06)."""

    when = "effective_on"
    effective_on: date
    service_class: ServiceClass | None = None
    dwelling: Dwelling | None = None
    occupancy: Occupancy | None = None
    billing: Billing | None = None
    low_income: bool | None = None


class LoginLinked(_OfAccount, frozen=True, kw_only=True):
    """A portal log-in may see this account (CW-01)."""

    when = "on"
    on: date
    login: Contact
    nickname: Contact | None = None


class LoginUnlinked(_OfAccount, frozen=True, kw_only=True):
    """A portal log-in may no longer see this account (CW-01)."""

    when = "on"
    on: date
    login: Contact
    nickname: Contact | None = None


class AutopayEnrolled(_OfAccount, frozen=True, kw_only=True):
    """Bills of this account are paid by themselves (CW-05)."""

    when = "on"
    on: date
    method: PaymentMethod | None = None


class AutopayCancelled(_OfAccount, frozen=True, kw_only=True):
    """Bills of this account are no longer paid by themselves (CW-05)."""

    when = "on"
    on: date
    method: PaymentMethod | None = None


class PersonalDataErased(_OfAccount, frozen=True, kw_only=True):
    """The keys of one class of personal data were deleted: what was recorded of it before can be read no more.

    `authority` is what asked for it; `override_reason` why, though a petition or an appeal was open.
    """

    when = "on"
    on: date
    kind: PersonalClass
    authority: str
    override_reason: str | None = None


class _OfMeter(Event, frozen=True, kw_only=True):
    rank = 1


class MeterInstalled(_OfMeter, frozen=True, kw_only=True):
    """A meter began to count at `reading`; `multiplier` turns its units into billed units."""

    when = "on"
    meter: str
    on: date
    reading: Thousandths = 0
    dials: int = 6
    unit: Unit = "CCF"
    multiplier: int = 1


class ReadTaken(_OfMeter, frozen=True, kw_only=True):
    """A meter's reading on a day; the day belongs to the period that begins (CW-10)."""

    when = "read_on"
    meter: str
    read_on: date
    reading: Thousandths
    kind: ReadKind = "actual"


class ReadCorrected(_OfMeter, frozen=True, kw_only=True):
    """The reading of a day was put right; it acts from the day of the read it corrects."""

    when = "read_on"
    meter: str
    read_on: date
    reading: Thousandths
    reason: str


class MeterExchanged(_OfMeter, frozen=True, kw_only=True):
    """One meter gave way to another within a billing period."""

    when = "on"
    on: date
    meter: str
    final_reading: Thousandths
    new_meter: str
    new_reading: Thousandths = 0
    dials: int = 6
    unit: Unit = "CCF"
    multiplier: int = 1


class MeterRemoved(_OfMeter, frozen=True, kw_only=True):
    """A meter stopped counting at `final_reading`."""

    when = "on"
    meter: str
    on: date
    final_reading: Thousandths
