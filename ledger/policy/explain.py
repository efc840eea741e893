"""May service be discontinued for nonpayment? Every rule is asked, and what each says is kept."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from msgspec import Struct

from ledger.calendar import ONE_DAY, PACIFIC
from ledger.events import Judged, Layer, Outcome

# Each of these modules registers its rules.
from ledger.policy import arrangements, notices, shutoff, statutes, stays  # noqa: F401
from ledger.policy.case import SHUTOFF, Case, Verdict, not_applicable, unknown
from ledger.policy.notices import standing
from ledger.policy.parameters import NoVersion, Rule

__all__ = [
    "Explanation",
    "RuleVerdict",
    "Stage",
    "allowed_from",
    "earliest",
    "explain",
    "judged",
    "shutoff_flags",
    "stage",
]

LAYERS: tuple[Layer, ...] = ("policy", "statute", "orders")
FORBIDS = frozenset({"blocks", "avoids", "unknown"})
"""The verdicts that stand in the way; what nobody can say counts as not allowed."""

HORIZON = timedelta(days=366)
"""How far ahead `earliest` looks."""


Stage = Literal["current", "past_due", "noticed", "eligible", "disconnected", "closed"]


class RuleVerdict(Struct, frozen=True):
    """What one rule said, under its id; `function` is its neutral name, `since` and `pack` say which version spoke."""

    rule: str
    layer: Layer
    verdict: Outcome
    because: str
    facts: dict[str, Any]
    events: tuple[int, ...]
    cite: str
    since: date | None
    pack: str
    function: str
    until: date | None = None

    @property
    def forbids(self) -> bool:
        """Whether this verdict stands in the way."""
        return self.verdict in FORBIDS

    def recorded(self) -> Judged:
        """The verdict as an event keeps it."""
        return Judged(self.rule, self.layer, self.verdict, self.because, self.since, self.pack, self.events)


class Explanation(Struct, frozen=True):
    """The answer: allowed where no layer objects; `earliest` as the function of that name has it."""

    allowed: bool
    layers: dict[Layer, bool]
    earliest: date | None
    rules: tuple[RuleVerdict, ...]


def explain(case: Case) -> Explanation:
    """Whether service may be discontinued for nonpayment at that moment, and what every rule says of it."""
    rules = tuple(judged(case))
    layers = {layer: not any(v.forbids for v in rules if v.layer == layer) for layer in LAYERS}
    # Where no rule is known at all nobody has permitted anything.
    return Explanation(bool(rules) and all(layers.values()), layers, earliest(case) if rules else None, rules)


def judged(case: Case) -> Iterator[RuleVerdict]:
    """What every rule that bears on a shutoff says, in the order of the catalogue."""
    for book, verdict in _judged(case):
        yield under(book, verdict)


def under(book: Rule, verdict: Verdict) -> RuleVerdict:
    """A verdict under the id and the citation that the pack gives its rule."""
    v = verdict
    about = (book.cite, book.since, book.pack, book.function)
    return RuleVerdict(book.id, book.layer, v.verdict, v.because, v.facts, v.events, *about, v.until)


def _judged(case: Case, *, of_the_day: bool = True) -> Iterator[tuple[Rule, Verdict]]:
    for book in case.parameters.rules:
        registered = SHUTOFF.get(book.function)
        if registered is None or (registered.calendar_only and not of_the_day):
            continue
        if book.state == "in_force":
            try:
                yield book, registered.judge(case)
            except NoVersion as missing:
                yield book, unknown(str(missing))
        elif book.state == "unknown":
            yield book, unknown(f"{book.id}: {book.why}")
        else:
            yield book, not_applicable(book.why)


def earliest(case: Case) -> date | None:
    """The first date on which, if nothing more happens, every layer would allow it; None if none within 366 days.

    A later day counts if the office opens and all allow it at some moment of its hours; of today, what is left of it.
    """
    day, last = case.on, case.on + HORIZON
    while day <= last:
        asked = _first_asked(case, day)
        if asked is None:
            day += ONE_DAY
            continue
        against = _against(asked)
        if _first_moment(asked, against):
            return day
        # A report that stops counting may turn anything, so while one is waiting no day is passed over.
        until = day if asked.reports else max(verdict.until or day for verdict in against)
        day = _next_asked(asked, until, last)
    return None


def _against(case: Case) -> list[Verdict]:
    return [verdict for _, verdict in _judged(case) if verdict.verdict in FORBIDS]


def _first_asked(case: Case, day: date) -> Case | None:
    """The first moment of a day to judge: its opening, or the moment asked about where that is later."""
    opening = case.calendar.opening(day)
    if day == case.on and (opening is None or opening <= case.at):
        return case
    return case.moved(opening) if opening else None


def allowed_from(case: Case) -> datetime | None:
    """The first moment of that day, from `case.at` on, at which every layer would allow it; None if there is none."""
    return _first_moment(case, _against(case))


def _first_moment(case: Case, against: list[Verdict]) -> datetime | None:
    """When nothing stands in the way: at once, or when all that does has ended at a later moment of the day."""
    while against:
        ends = [verdict.ends_at for verdict in against if verdict.ends_at and verdict.ends_at.date() == case.on]
        if len(ends) < len(against):
            return None
        case = case.moved(max(ends))
        against = _against(case)
    return case.at


def _next_asked(case: Case, until: date, last: date) -> date:
    """The day after `until`, or the first one of another rule book if that is sooner."""
    return min(max(min(until, last), case.on) + ONE_DAY, case.policies.turn_after(case.on))


def shutoff_flags(verdicts: Iterable[RuleVerdict], *, overridden: bool = False) -> tuple[str, ...]:
    """The ids of the rules that a shutoff broke which was made at the moment of these verdicts.

    One avoided but overridden is not broken, nor is one of which nobody can say.
    """
    broken = {"blocks"} if overridden else {"blocks", "avoids"}
    return tuple(verdict.rule for verdict in verdicts if verdict.verdict in broken)


def stage(case: Case) -> Stage:
    """Where the account stands on that day."""
    account = case.account
    if account.closed_on and account.closed_on <= case.on:
        return "closed"
    if account.off:
        return "disconnected"
    if not case.past_due:
        return "current"
    opening = case.calendar.opening(case.on) or datetime.combine(case.on, time(12), PACIFIC)
    morning = case.moved(opening)
    if not any(verdict.verdict in FORBIDS for _, verdict in _judged(morning, of_the_day=False)):
        return "eligible"
    if standing(case):
        return "noticed"
    return "past_due" if any(case.grace_until(owed.part) < case.on for owed in case.open) else "current"
