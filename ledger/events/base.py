"""What every event carries, and the values they are made of."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, NamedTuple

from msgspec import Meta, Struct

from ledger.money import Cents

UTILITY = "@utility"
"""The stream of what concerns the whole utility; no account can have this name."""

Contact = Annotated[str, Meta(extra={"personal": "contact"})]
Medical = Annotated[str, Meta(extra={"personal": "medical"})]
"""Personal data, kept sealed with a data key of the account and the class."""

PersonalClass = Literal["contact", "medical"]
"""The classes of personal data."""

ServiceClass = Literal["residential", "nonresidential"]
Dwelling = Literal["single_family", "multifamily", "mobile_home", "farmworker"]
Occupancy = Literal["customer", "tenants_metered", "tenants_master_metered"]
Billing = Literal["monthly", "bimonthly"]
Language = Literal["en", "es", "zh", "ko", "vi", "tl"]
PaymentMethod = Literal["bank", "card"]
Unit = Literal["CCF", "CF", "GAL", "KGAL"]
ReadKind = Literal["actual", "estimated", "customer"]
Delivery = Literal["mail", "email", "hand"]
BillKind = Literal["regular", "opening", "closing", "annual"]
LineKind = Literal["service", "usage", "surcharge", "tax", "other"]
FeeKind = Literal["late", "returned_payment", "field_collection", "other", "reconnection", "after_hours_reconnection"]
Channel = Literal["internet", "autopay", "bank", "mail", "lockbox", "phone", "counter", "field", "agency"]
ArrangementKind = Literal["deferred", "reduced", "alternative"]
ArrangementBasis = Literal["ordinary", "health"]
HealthPart = Literal["certification", "inability", "willingness"]
NoticeKind = Literal["past_due", "discontinuance", "final", "occupants"]
NoticeMethod = Literal["mail", "posted", "hand"]
ContactMethod = Literal["phone", "visit", "text", "email"]
ContactOutcome = Literal["reached", "message", "failed"]
PetitionOutcome = Literal["upheld", "adjusted", "withdrawn"]
Forum = Literal["cab", "informal_appeal", "formal", "expedited"]
ShutoffReason = Literal["nonpayment", "customer_request", "safety", "unauthorized_use"]
Layer = Literal["policy", "statute", "orders"]
Outcome = Literal["permits", "blocks", "avoids", "not_applicable", "unknown"]
Book = Literal["balance", "deposit", "commission_deposit"]
"""What is owed, the credit deposit held here, the deposit that the Commission holds."""

LATE = "late-entry"
"""The flag of an entry that takes effect on or before a day through which the books were closed already."""

BEFORE_RECORDING = datetime.min
"""The `recorded_at` of an event that no store has recorded yet."""


class Line(Struct, frozen=True):
    """One line of a bill; `amount` is in cents, over zero."""

    kind: LineKind
    amount: Cents


class Installment(Struct, frozen=True):
    """One payment promised in an arrangement: so many cents by the end of `due_on`."""

    due_on: date
    amount: Cents


class RuleVersion(NamedTuple):
    """Which version of a rule shaped an event: its id, the day it is in force from, and the pack it stood in."""

    rule: str
    since: date
    pack: str


class ControlTotal(Struct, frozen=True):
    """So many cents in a book: `opening`, `closing`, or what moved it in the period, by kind of movement."""

    book: Book
    kind: str
    amount: Cents


class Position(NamedTuple):
    """How far a shard of the log had come."""

    shard: int
    position: int


class Judged(Struct, frozen=True, omit_defaults=True):
    """What one rule said when a decision was taken."""

    rule: str
    layer: Layer
    verdict: Outcome
    because: str
    since: date | None = None
    pack: str = ""
    events: tuple[int, ...] = ()


class Event(
    Struct,
    frozen=True,
    kw_only=True,
    tag=True,
    tag_field="type",
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """What every event carries besides its facts.

    `version` counts the account's events from 1. `recorded_at` is set by the store; what the utility knew at an
    instant is decided by `learned_at` where given. `flags` are the ids of the rules that the fact broke.
    """

    when: ClassVar[str]
    rank: ClassVar[int]

    version: int = 0
    recorded_at: datetime = BEFORE_RECORDING
    learned_at: datetime | None = None
    actor: str | None = None
    source: str | None = None
    note: str | None = None
    command: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The stored name of this kind of event."""
        return type(self).__name__

    @property
    def effective(self) -> date | datetime:
        """When it happened in the world: a day, or a moment where one is known."""
        when: date | datetime = getattr(self, self.when)
        return when.date() if isinstance(when, datetime) and when.tzinfo is None else when

    @property
    def day(self) -> date:
        """The Pacific civil day it happened on."""
        when: date | datetime = getattr(self, self.when)
        return when.date() if isinstance(when, datetime) else when

    @property
    def known_from(self) -> datetime:
        """The moment from which the utility knew."""
        return self.learned_at or self.recorded_at
