"""What a rule is asked about, and what it answers.

A rule is a function of a `Case` under a neutral name; the pack gives it its id, its citation and its values. It answers
with one sentence, the facts it used and the versions of the events it read.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cached_property, wraps
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from ledger.account import Account, Bill
from ledger.calendar import ONE_DAY, PACIFIC, Calendar, pacific
from ledger.charges import Part
from ledger.events import Layer, Outcome, PaymentReported
from ledger.moments import said as said
from ledger.policy.parameters import Parameters, Policies

FOR_EVER = date.max
"""The `until` of a verdict that nothing but a further event can change."""


class Owed(NamedTuple):
    """A part of a bill that is not paid: so many cents under that part's own clocks (DO-02 e)."""

    bill: Bill
    part: Part
    unpaid: int

    @property
    def what(self) -> str:
        """How a sentence calls it."""
        return f"{'the increase of ' if self.part.mailed_on > self.bill.mailed_on else ''}bill {self.bill.id}"


class Verdict(Struct, frozen=True):
    """What one rule says: `because` is read aloud, `events` are the versions read.

    `until`: it blocks at least through that day if nothing more happens and no reported payment is waiting; `ends_at`:
    it blocks no longer from that moment on; None where that is not known.
    """

    verdict: Outcome
    because: str
    facts: dict[str, Any]
    events: tuple[int, ...] = ()
    until: date | None = None
    ends_at: datetime | None = None


class Case:
    """An account at a moment, with the calendar and the rules of that day; everything derived is asked once."""

    def __init__(self, account: Account, at: datetime, calendar: Calendar, policies: Policies) -> None:
        self.account = account
        self.at = pacific(at)
        self.on = self.at.date()
        self.calendar = calendar
        self.policies = policies
        self.parameters: Parameters = policies.on(self.on, account.district)

    def moved(self, at: datetime) -> "Case":
        """The same account at another moment, if nothing happens until then."""
        return Case(self.account, at, self.calendar, self.policies)

    def value(self, function: str, key: str) -> Any:
        """A value of a rule in force that day; raises NoVersion where there is none."""
        return self.parameters.value(function, key)

    def days(self, function: str, key: str = "days") -> timedelta:
        """A number of days that a rule sets."""
        return timedelta(days=self.value(function, key))

    def in_force(self, function: str) -> bool:
        """Whether there is such a rule that day, in the account's district."""
        return self.parameters.in_force(function)

    def rule_id(self, function: str) -> str:
        """The id of a rule, for a sentence that points to it."""
        rule = self.parameters.get(function)
        return rule.id if rule else function

    def after_business_days(self, day: date, count: int) -> date:
        """The `count`-th business day after `day`, or as many later as the rules ask to be clear between (C6)."""
        return self.calendar.add_business_days(day, count + (self.parameters.find("business_days", "clear_days") or 0))

    @cached_property
    def open(self) -> tuple[Owed, ...]:
        """What is unpaid of the bills, oldest bill first; of one bill, the oldest part was paid first."""
        account = self.account
        return tuple(
            Owed(account.bills[charge.name], part, share)
            for charge, unpaid in account.settled.open()
            if charge.kind == "bill"
            for part, share in charge.shares(unpaid)
        )

    @cached_property
    def past_due(self) -> tuple[Owed, ...]:
        """What is past due, literally (DO-02)."""
        return tuple(o for o in self.open if o.part.past_due_from is not None and o.part.past_due_from <= self.on)

    @cached_property
    def aged(self) -> tuple[Owed, ...]:
        """What is unpaid after the last day to pay it, moved off closed days (C2)."""
        return tuple(o for o in self.open if self.last_day(o.part) < self.on)

    @property
    def ground_parts(self) -> tuple[Owed, ...]:
        """What a shutoff would rest on: what is aged, else what is past due."""
        return self.aged or self.past_due

    @cached_property
    def ground(self) -> dict[str, int]:
        """The bills that a shutoff would rest on, with the cents unpaid."""
        found: dict[str, int] = {}
        for owed in self.ground_parts:
            found[owed.bill.id] = found.get(owed.bill.id, 0) + owed.unpaid
        return found

    @cached_property
    def needed(self) -> int:
        """The cents that would pay the ground: payments are laid on the oldest open bill, so all before it as well."""
        ground = self.ground_parts
        total = needed = 0
        for owed in self.open:
            total += owed.unpaid
            needed = total if any(owed is found for found in ground) else needed
        return needed

    def grace_until(self, part: Part) -> date:
        """The last day on which a part of a bill is in time, moved to the next open day (C2)."""
        return self.calendar.next_open(grace_literally(part))

    def last_day(self, part: Part) -> date:
        """The last day to pay before a shutoff, moved to the next open day: 79 days if residential, else 19."""
        return self.calendar.next_open(self.last_day_literally(part))

    def last_day_literally(self, part: Part) -> date:
        """As `last_day`, before it moves."""
        last = grace_literally(part)
        if self.account.residential and self.in_force("days_to_pay"):
            last = max(last, part.mailed_on + self.days("days_to_pay"))
        return last

    @property
    def delinquent_since(self) -> date | None:
        """The day on which the oldest thing unpaid became or becomes past due."""
        return min((o.part.past_due_from for o in self.open if o.part.past_due_from), default=None)

    @cached_property
    def reports(self) -> tuple[tuple[PaymentReported, date], ...]:
        """The reported payments that still count, each with the last day on which it does (DO-43)."""
        hold = self.parameters.find("internet_posting", "hold_business_days")
        if hold is None:
            return ()
        account = self.account
        waiting = (
            report
            for name, report in account.reported.items()
            if name not in account.payments and name not in account.returned
        )
        held = ((report, self.calendar.add_business_days(report.day, hold)) for report in waiting)
        return tuple((report, last) for report, last in held if self.on <= last)

    @property
    def reported(self) -> int:
        """The cents of the reported payments that still count."""
        return sum(report.amount for report, _ in self.reports)

    @property
    def holiday_part_ends(self) -> datetime | None:
        """When a holiday ends that is only a part of this day; None where this moment is in no such part."""
        moment = self.at.replace(second=0, microsecond=0)
        if self.calendar.holiday(self.on) or not self.calendar.holiday_at(moment):
            return None
        while self.calendar.holiday_at(moment):
            moment += timedelta(minutes=1)
        return moment


def grace_literally(part: Part) -> date:
    """The last day on which a part of a bill is not past due."""
    return part.past_due_from - ONE_DAY if part.past_due_from else part.mailed_on


def permits(because: str, events: tuple[int, ...] = (), **facts: Any) -> Verdict:
    """The rule was tested and does not stand in the way."""
    return Verdict("permits", because, facts, events)


def blocks(because: str, events: tuple[int, ...] = (), until: date | None = None, **facts: Any) -> Verdict:
    """The rule forbids it, at least through `until`."""
    return Verdict("blocks", because, facts, events, until)


def blocks_before(
    moment: datetime | None, because: str, events: tuple[int, ...] = (), until: date | None = None, **facts: Any
) -> Verdict:
    """The rule forbids it, and no longer from that moment on."""
    return Verdict("blocks", because, facts, events, until, moment)


def avoids(because: str, until: date | None = None, **facts: Any) -> Verdict:
    """The utility keeps from doing it, unless somebody overrides that with a reason."""
    return Verdict("avoids", because, facts, (), until)


def not_applicable(because: str, events: tuple[int, ...] = (), **facts: Any) -> Verdict:
    """What the rule is about is absent."""
    return Verdict("not_applicable", because, facts, events)


def unknown(because: str, **facts: Any) -> Verdict:
    """Nobody can say; counts as not allowed."""
    return Verdict("unknown", because, facts)


Judge = Callable[[Case], Verdict]
Found = TypeVar("Found")


def once(ask: Callable[[Case], Found]) -> Callable[[Case], Found]:
    """Ask this of a case once, however many rules need the answer."""
    name = f"{ask.__module__}.{ask.__name__}"

    @wraps(ask)
    def asked(case: Case) -> Found:
        answers = case.__dict__
        if name not in answers:
            answers[name] = ask(case)
        found: Found = answers[name]
        return found

    return asked


class Registered(NamedTuple):
    """A rule function under its neutral name."""

    layer: Layer
    judge: Judge
    calendar_only: bool


SHUTOFF: dict[str, Registered] = {}
"""Every rule that bears on a shutoff, by its neutral name."""


def rule(function: str, layer: Layer, *, calendar_only: bool = False) -> Callable[[Judge], Judge]:
    """Register a rule on shutoffs; `calendar_only` where only the day or the hour counts, not the account."""

    def register(judge: Judge) -> Judge:
        assert function not in SHUTOFF, f"{function} is registered twice"
        SHUTOFF[function] = Registered(layer, judge, calendar_only)
        return judge

    return register


def moment_of(when: datetime) -> datetime:
    """When something had happened at the latest: its moment, or the end of the day where only that is known."""
    if when.tzinfo is None:
        return datetime.combine(when.date() + ONE_DAY, time.min, PACIFIC)
    return when


def start_of(when: datetime) -> datetime:
    """When something had happened at the earliest: its moment, or the start of the day where only that is known."""
    return datetime.combine(when.date(), time.min, PACIFIC) if when.tzinfo is None else when
