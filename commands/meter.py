"""Meters: installed, read, put right, exchanged, removed."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from commands.base import Command
from commands.checks import broken, missing, not_before
from commands.fields import Count, Id, Quantity, Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import (
    Event,
    MeterExchanged,
    MeterInstalled,
    MeterRemoved,
    ReadCorrected,
    ReadKind,
    ReadTaken,
    Unit,
)
from ledger.refusal import Invalid, Refused
from ledger.usage import implausible

MOST_DIALS = 12
_READS = (ReadTaken, ReadCorrected)


class InstallMeter(Command, frozen=True, kw_only=True, tag="meter install"):
    """Put a meter into service at its reading; its unit and multiplier say what it counts (CW-10)."""

    names = ("meter",)
    example = "--account 7001 --meter M-1 --on 2024-01-05 --reading 1498"

    meter: Id
    on: date
    reading: Quantity = 0
    dials: Count = 6
    unit: Unit = "CCF"
    multiplier: Count = 1

    def check(self) -> None:
        _check_dials(self.dials)

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _refuse_in_service(account, self.meter, self.on)
        return [
            MeterInstalled(
                meter=self.meter,
                on=self.on,
                reading=self.reading,
                dials=self.dials,
                unit=self.unit,
                multiplier=self.multiplier,
            )
        ]


class ReadMeter(Command, frozen=True, kw_only=True, tag="meter read"):
    """Record a reading; one that fell without a rollover, or is too long for its dials, is flagged (CW-10)."""

    example = "--account 7001 --read-on 2024-02-09 --reading 1512.5"

    read_on: date
    reading: Quantity
    meter: Id | None = None
    kind: ReadKind = "actual"

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        meter = _the_meter(account, self.read_on, self.meter)
        estimated = self.kind == "estimated"
        flags = () if estimated else _flags(meter, self.read_on, self.reading, account, context)
        return [ReadTaken(meter=meter.name, read_on=self.read_on, reading=self.reading, kind=self.kind, flags=flags)]


class CorrectRead(Command, frozen=True, kw_only=True, tag="meter correct"):
    """Put the reading of a day right; usage is restated from that day on, bills are corrected by themselves (CW-10)."""

    example = "--account 7001 --read-on 2024-02-09 --reading 1521.5 --reason 'digits swapped'"

    read_on: date
    reading: Quantity
    reason: Text
    meter: Id | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        meter = _the_meter(account, self.read_on, self.meter)
        if self.read_on not in meter.readings:
            days = ", ".join(str(day) for day in sorted(meter.readings)[-3:])
            raise Refused(
                "unknown_read",
                f"meter {meter.name} was not read on {self.read_on}; its latest reads are of {days} "
                f"('meter read' records a new one)",
            )
        meter.readings.pop(self.read_on)
        flags = _flags(meter, self.read_on, self.reading, account, context)
        return [
            ReadCorrected(meter=meter.name, read_on=self.read_on, reading=self.reading, reason=self.reason, flags=flags)
        ]


class ExchangeMeter(Command, frozen=True, kw_only=True, tag="meter exchange"):
    """Replace a meter by another on one day; the billing period goes on over both (CW-10).

    The new one has the dials, unit and multiplier of the old one where they are not given.
    """

    names = ("new_meter",)
    computed = ("meter", "dials", "unit", "multiplier")
    example = "--account 7001 --on 2024-03-01 --final-reading 1512 --new-meter M-2"

    on: date
    final_reading: Quantity
    new_meter: Id
    meter: Id | None = None
    new_reading: Quantity = 0
    dials: Count | None = None
    unit: Unit | None = None
    multiplier: Count | None = None

    def check(self) -> None:
        _check_dials(self.dials or 1)
        if self.new_meter == self.meter:
            raise Invalid("invalid_value", f"new_meter: {self.new_meter} is the meter that is replaced", "new_meter")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        meter = _the_meter(account, self.on, self.meter, leaves=True)
        _refuse_in_service(account, self.new_meter, self.on)
        return [
            MeterExchanged(
                on=self.on,
                meter=meter.name,
                final_reading=self.final_reading,
                new_meter=self.new_meter,
                new_reading=self.new_reading,
                dials=self.dials or meter.dials,
                unit=self.unit or meter.unit,
                multiplier=self.multiplier or meter.multiplier,
                flags=_flags(meter, self.on, self.final_reading, account, context),
            )
        ]


class RemoveMeter(Command, frozen=True, kw_only=True, tag="meter remove"):
    """Take a meter out of service at its final reading (CW-10)."""

    names = ("meter", "on")
    example = "--account 7001 --meter M-1 --on 2024-06-30 --final-reading 1640"

    on: date
    final_reading: Quantity
    meter: Id | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        meter = _the_meter(account, self.on, self.meter, leaves=True)
        flags = _flags(meter, self.on, self.final_reading, account, context)
        return [MeterRemoved(meter=meter.name, on=self.on, final_reading=self.final_reading, flags=flags)]


class _Service(Struct):
    """A meter in service on an account: from when to when, and what it read on which day."""

    name: str
    dials: int
    unit: Unit
    multiplier: int
    since: date
    readings: dict[date, int]
    estimates: set[date] = set()
    until: date | None = None

    def read(self, event: ReadTaken | ReadCorrected) -> None:
        day = event.read_on
        if type(event) is ReadTaken and event.kind == "estimated":
            if day in self.readings:
                return
            self.estimates.add(day)
        elif type(event) is ReadTaken and self.estimates:
            self.estimates.discard(day)
        self.readings[day] = event.reading


def _services(account: Account) -> list[_Service]:
    found: list[_Service] = []
    latest: dict[str, _Service] = {}

    def begin(name: str, event: MeterInstalled | MeterExchanged, reading: int) -> None:
        service = _Service(name, event.dials, event.unit, event.multiplier, event.on, {event.on: reading})
        found.append(service)
        latest[name] = service

    def end(event: MeterExchanged | MeterRemoved) -> None:
        for service in found:
            if service.name == event.meter and service.until is None:
                service.until = event.on
                service.readings[event.on] = event.final_reading

    for event in account.meter_events:
        if isinstance(event, _READS):
            if service := latest.get(event.meter):
                service.read(event)
        elif isinstance(event, MeterInstalled):
            begin(event.meter, event, event.reading)
        elif isinstance(event, MeterExchanged):
            end(event)
            begin(event.new_meter, event, event.new_reading)
        elif isinstance(event, MeterRemoved):
            end(event)
    return found


def _the_meter(account: Account, on: date, name: str | None, *, leaves: bool = False) -> _Service:
    """The meter by that name, or the only one in service on that day; with `leaves`, one still in service."""
    services = _services(account)
    names = {service.name for service in services}
    if name is None and len(names) == 1:
        (name,) = names
    if name is None:
        there = [s for s in services if s.since <= on and (s.until is None or on < s.until)]
        if len(there) > 1:
            listed = ", ".join(s.name for s in there)
            raise Refused("which_meter", f"account {account.id} has meters {listed} on {on}; say which with meter")
        if not there:
            reason = f"account {account.id} has no meter in service on {on}; 'meter install' one first"
            raise Refused("no_meter", reason)
    else:
        there = [s for s in services if s.name == name]
        if not there:
            raise missing("meter", name, account)
        not_before("meter", name, there[0].since, on)
    service = [s for s in there if s.since <= on][-1]
    if service.until is not None and (leaves or service.until < on):
        raise Refused(
            "meter_removed",
            f"meter {service.name} was removed on {service.until}; correct the day, or 'meter install' the one there",
        )
    return service


def _refuse_in_service(account: Account, name: str, on: date) -> None:
    for service in _services(account):
        if service.name == name and (service.until is None or service.until > on):
            raise Refused(
                "meter_installed",
                f"meter {name} is in service on account {account.id} since {service.since}; 'meter remove' it first",
            )


def _flags(meter: _Service, on: date, reading: int, account: Account, context: Context) -> tuple[str, ...]:
    """The rule a reading breaks that its dials cannot show, or that is below the read before it or above the one after.

    Estimates prove nothing about their neighbours.
    """
    read = meter.readings
    beyond = reading >= 1000 * 10**meter.dials
    days = sorted(read.keys() - meter.estimates if meter.estimates else read)
    later = bisect_right(days, on)
    down = later > 0 and implausible(read[days[later - 1]], reading, meter.dials)
    if beyond or down or (later < len(days) and implausible(reading, read[days[later]], meter.dials)):
        return broken(context.parameters(on, account), "daily_average")
    return ()


def _check_dials(dials: int) -> None:
    if dials > MOST_DIALS:
        raise Invalid("invalid_value", f"dials: a meter has 1 to {MOST_DIALS}, not {dials}", "dials")
