"""Water on and off; and what concerns the whole utility."""

from datetime import date, datetime

from ledger.events.base import ControlTotal, Event, Judged, Position, ShutoffReason


class _OfService(Event, frozen=True, kw_only=True):
    rank = 9


class ShutoffAuthorized(_OfService, frozen=True, kw_only=True):
    """Every rule was asked and none forbade the shutoff; `verdicts` is what each said.

    `translation_divergence` names where a translation served to the customer promised more than the English.
    """

    when = "at"
    at: datetime
    override_reason: str | None = None
    approved_by: str | None = None
    verdicts: tuple[Judged, ...] = ()
    translation_divergence: tuple[str, ...] = ()


class ServiceDisconnected(_OfService, frozen=True, kw_only=True):
    """The water was turned off; for nonpayment, `verdicts` is what each rule said at that moment."""

    when = "at"
    at: datetime
    reason: ShutoffReason
    verdicts: tuple[Judged, ...] = ()
    translation_divergence: tuple[str, ...] = ()


class ReconnectionRequested(_OfService, frozen=True, kw_only=True):
    """The customer asked for the water back, perhaps outside office hours (DO-41)."""

    when = "at"
    at: datetime
    after_hours: bool = False


class ServiceReconnected(_OfService, frozen=True, kw_only=True):
    """The water was turned on again (DO-39)."""

    when = "at"
    at: datetime


class ShutoffFoundWrongful(_OfService, frozen=True, kw_only=True):
    """The latest shutoff should not have happened: no payment and no fee to restore it; `shutoff` is its version."""

    when = "on"
    on: date
    reason: str
    shutoff: int = 0


class _OfUtility(Event, frozen=True, kw_only=True):
    rank = 0


class OfficeClosed(_OfUtility, frozen=True, kw_only=True):
    """The offices are closed on a day (DO-00)."""

    when = "on"
    on: date
    reason: str


class OfficeHoursSet(_OfUtility, frozen=True, kw_only=True):
    """Office hours from a day on (DO-36): "08:00" to "17:00" on `weekdays`, in Pacific time."""

    when = "effective_on"
    effective_on: date
    opens: str
    closes: str
    weekdays: str = "mon-fri"


class PolicyPublished(_OfUtility, frozen=True, kw_only=True):
    """A policy pack, with its text, governs from a day on."""

    when = "effective_from"
    pack: str
    effective_from: date
    sha256: str
    text: str


class BooksClosed(_OfUtility, frozen=True, kw_only=True):
    """The books were closed through a day: the control totals of the period that began on `since`, as recorded then.

    `positions` is how far the log had come: what stands behind them and takes effect in the period is late.
    """

    when = "through"
    through: date
    since: date | None = None
    accounts: int = 0
    totals: tuple[ControlTotal, ...] = ()
    positions: tuple[Position, ...] = ()
