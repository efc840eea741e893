"""The facts of a case: everything the file tells, found by pure functions of the history and the rules.

Two states of knowledge stand side by side: what was known at the moment that is judged, and what is known now.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Literal

from msgspec import Struct

from ledger import events as e
from ledger.account import Account, Bill, Shutoff
from ledger.calendar import PACIFIC
from ledger.history import History
from ledger.moments import is_bare, pacific
from ledger.movements import Movement, movements
from ledger.policy.case import Case, moment_of
from ledger.policy.explain import Explanation, explain
from ledger.refusal import Refused
from ledger.usage import Metering, metering
from ledger.utility import Utility

Reason = Literal["shutoff", "asked", "now"]
"""Why that moment is judged: the water was turned off then, somebody asked for it, or nothing else was to be judged."""


class Question(Struct, frozen=True):
    """What a case file is asked for. `known_at` bounds all it knows; `at` is the moment to judge."""

    known_at: datetime
    dispute: str | None = None
    at: datetime | None = None


class CaseFile(Struct, frozen=True):
    """An account, the dispute about it, and the moment that is judged.

    `events` are all that were recorded, personal fields opened or withheld; `account` is the state as known at
    `known_at`. `then` is the case by what was known at `at`, None where the account was not known yet; `now` by what is
    known at `known_at`. `late` are the events that had happened by `at` and were learned only after it.
    """

    known_at: datetime
    events: list[e.Event]
    account: Account
    petition: e.PetitionFiled | None
    bill: Bill | None
    shutoff: Shutoff | None
    at: datetime
    reason: Reason
    then: Case | None
    now: Case
    said_then: Explanation | None
    said_now: Explanation
    late: list[e.Event]
    moved: list[Movement]
    metered: Metering | None

    def event(self, version: int) -> e.Event:
        """An event of the account by its version."""
        return self.events[version - 1]

    def under_rules_of(self, day: date) -> Case:
        """The account as known at `known_at`, under the rules of another day."""
        at = datetime.combine(day, time(12), PACIFIC)
        return Case(self.account, at, self.now.calendar, self.now.policies)

    @property
    def known(self) -> list[e.Event]:
        """The events known by `known_at`, in effective order."""
        return History.effective([event for event in self.events if event.known_from <= self.known_at], self.known_at)


def case_file(history: History, utility: Utility, question: Question, opened: Callable[[e.Event], e.Event]) -> CaseFile:
    """The facts of the case that `question` names; raises Refused for an account or a dispute that is not known."""
    known_at = pacific(question.known_at)
    account = history.as_of(known_at, known_at)
    petition = _petition(account, question.dispute)
    shutoff = _shutoff(account, petition, question.at)
    at, reason = _moment(shutoff, question.at, known_at)
    now = Case(history.as_of(at, known_at), at, *utility.rules(known_at))
    then = _as_known(history, utility, at, min(at, known_at))
    known = history.known(known_at)
    return CaseFile(
        known_at=known_at,
        events=[opened(event) for event in history.events],
        account=account,
        petition=petition,
        bill=_bill(account, petition, then or now),
        shutoff=shutoff,
        at=at,
        reason=reason,
        then=then,
        now=now,
        said_then=explain(then) if then else None,
        said_now=explain(now),
        late=[event for event in history.effective(known, at) if _late(event, at)],
        moved=list(movements(history.effective(known, known_at))),
        metered=metering(account),
    )


def _late(event: e.Event, at: datetime) -> bool:
    """Whether it had surely happened by `at` and was learned only after; of that day itself only what has an hour."""
    return event.known_from > at and (not is_bare(event.effective) or event.day < at.date())


def _petition(account: Account, dispute: str | None) -> e.PetitionFiled | None:
    if dispute is None:
        return max(account.disputes.values(), key=lambda p: (moment_of(p.filed_at), p.version), default=None)
    if dispute not in account.disputes:
        there = ", ".join(account.disputes)
        way_out = f"it has {there}" if there else "no bill of it was disputed; leave --dispute out"
        raise Refused("unknown_dispute", f"account {account.id} has no dispute {dispute}: {way_out}")
    return account.disputes[dispute]


def _shutoff(account: Account, petition: e.PetitionFiled | None, at: datetime | None) -> Shutoff | None:
    """The shutoff the case is about: the last for nonpayment, not before the petition, not after the moment asked."""
    made = [s for s in account.shutoffs if s.made.reason == "nonpayment"]
    if at is not None:
        made = [s for s in made if moment_of(s.made.at) <= at]
    after = [s for s in made if petition and s.made.day >= petition.day]
    found: Sequence[Shutoff] = after or made
    return found[-1] if found else None


def _moment(shutoff: Shutoff | None, at: datetime | None, known_at: datetime) -> tuple[datetime, Reason]:
    if at is not None:
        made = shutoff is not None and moment_of(shutoff.made.at) == pacific(at)
        return pacific(at), "shutoff" if made else "asked"
    if shutoff is not None:
        return moment_of(shutoff.made.at), "shutoff"
    return known_at, "now"


def _as_known(history: History, utility: Utility, at: datetime, known_at: datetime) -> Case | None:
    try:
        account = history.as_of(at, known_at)
    except Refused:
        return None
    return Case(account, at, *utility.rules(known_at))


def _bill(account: Account, petition: e.PetitionFiled | None, case: Case) -> Bill | None:
    """The bill the case turns on: the disputed one, else the one a shutoff would rest on, else the last."""
    if petition is not None:
        return account.bills.get(petition.bill)
    name = next(iter(case.ground), None)
    if name in account.bills:
        return account.bills[name]
    return max(account.bills.values(), key=lambda bill: (bill.mailed_on, bill.issued.version), default=None)


def learned_on(event: e.Event) -> date:
    """The Pacific day on which the utility knew."""
    return pacific(event.known_from).date()
