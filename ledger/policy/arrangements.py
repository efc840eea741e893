"""Payment arrangements: how they stand, what they shield, and what may be agreed (DO-07 to DO-14)."""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate, groupby
from typing import Literal, NamedTuple

from msgspec import Struct

from ledger.account import Account, Arrangement
from ledger.calendar import ONE_DAY
from ledger.events import ArrangementAgreed, ArrangementKind, Installment, NoticeServed
from ledger.money import money
from ledger.policy.case import (
    Case,
    Verdict,
    blocks,
    grace_literally,
    moment_of,
    not_applicable,
    once,
    permits,
    rule,
    said,
    start_of,
)


class Duty(NamedTuple):
    """So many more cents by the end of `last`, owed since the agreement or since a later bill was mailed."""

    last: date
    amount: int
    what: str
    owed_since: date


class Progress(Struct, frozen=True):
    """How an arrangement stands on a day: kept (it shields), missed since a day, complete, or cancelled without a miss.

    `required` and `paid` are the cents due and given since the agreement; `holds_until` is the last day on which it is
    surely kept still if nothing more is paid, and `next_due` the cents missing by then; `missed` says what was not paid
    in time.
    """

    arrangement: Arrangement
    agreed: ArrangementAgreed
    state: Literal["kept", "missed", "complete", "cancelled"]
    required: int
    paid: int
    since: date | None = None
    missed: str = ""
    holds_until: date | None = None
    next_due: int | None = None

    @property
    def events(self) -> tuple[int, ...]:
        """The versions of the arrangement's own events."""
        return tuple(self.arrangement.versions)

    @property
    def facts(self) -> dict[str, object]:
        """What a verdict says of it."""
        return {
            "arrangement": self.arrangement.id,
            "state": self.state,
            "required": money(self.required),
            "paid": money(self.paid),
        }


def current(case: Case) -> Progress | None:
    """The arrangement in play: the one `latest` finds, unless it is complete."""
    found = latest(case)
    return None if found is None or found.state == "complete" else found


@once
def latest(case: Case) -> Progress | None:
    """How the arrangement agreed last stands, a complete one too; None where there is none.

    One cancelled without a miss leaves the one agreed before it as it was.
    """
    agreed = [(a.agreed.on, a.agreed.version, a) for a in case.account.arrangements.values() if a.agreed]
    newest_first = sorted(agreed, key=lambda found: found[:2], reverse=True)
    stand = (progress(case, arrangement) for _, _, arrangement in newest_first)
    return next((found for found in stand if found.state != "cancelled"), None)


def progress(case: Case, arrangement: Arrangement) -> Progress:
    """How an arrangement stands: all that was given since the agreement against all that it asked for by then.

    It asks for each installment by its day, and for every later bill by the end of its grace (DO-12); both days move
    off closed days (C2). Credits of every kind count. One that was missed stays so after it is cancelled.
    """
    agreed = arrangement.agreed
    assert agreed is not None, "only what was agreed can be kept or missed"
    end = min(case.on, arrangement.cancelled_on or case.on)
    duties = sorted(_duties(case, agreed))
    gifts = _gifts(case, agreed, end)
    required = paid = 0
    since, missed = None, ""
    # What is given on a day counts on that day; what was due by a day is missed on the next.
    steps = [(on, 0, amount, "") for on, amount in gifts]
    steps += [(duty.last + ONE_DAY, duty.amount, 0, duty.what) for duty in duties if duty.last < end]
    for on, due, given, what in [(agreed.on, 0, 0, ""), *sorted(steps)]:
        required, paid = required + due, paid + given
        if paid >= required:
            since, missed = None, ""
        elif since is None:
            since, missed = on, what
        everything_given = paid >= sum(duty.amount for duty in duties if duty.owed_since <= on)
        if everything_given or _paid_off(case, agreed, on, missed=since is not None):
            return Progress(arrangement, agreed, "complete", required, paid)
    found = arrangement.breached_on
    if since is None and found and not any(on >= found for on, _ in gifts):
        since, missed = found, f"what the utility found on {said(found)}"
    if _paid_off(case, agreed, case.on, missed=since is not None):
        return Progress(arrangement, agreed, "complete", required, paid)
    if since is not None:
        return Progress(arrangement, agreed, "missed", required, paid, since, missed)
    if arrangement.cancelled_on:
        return Progress(arrangement, agreed, "cancelled", required, paid)
    holds_until, next_due = _next_due(duties, paid)
    return Progress(arrangement, agreed, "kept", required, paid, holds_until=holds_until, next_due=next_due)


def installments_paid(case: Case, arrangement: Arrangement) -> Iterator[tuple[Installment, date, date | None]]:
    """Each installment with its last day (C2) and the day by which it was paid, None where it was not (DO-12).

    By cash, as in `progress`: on that day all had been given that was owed by then and due by the last day. One that
    was paid after its last day was missed until then.
    """
    if (agreed := arrangement.agreed) is None:
        return
    duties = list(_duties(case, agreed))
    gifts = sorted(_gifts(case, agreed, min(case.on, arrangement.cancelled_on or case.on)))
    given = list(accumulate(amount for _, amount in gifts))
    for installment in agreed.installments:
        last = case.calendar.next_open(installment.due_on)
        due = [duty for duty in duties if duty.last <= last]
        # Before that no gift was enough, whatever was mailed meanwhile.
        first = bisect_left(given, sum([duty.amount for duty in due if duty.owed_since <= agreed.on]))
        enough = (
            on
            for (on, _), paid in zip(gifts[first:], given[first:], strict=True)
            if paid >= sum([duty.amount for duty in due if duty.owed_since <= on])
        )
        yield installment, last, next(enough, None)


def _gifts(case: Case, agreed: ArrangementAgreed, end: date) -> list[tuple[date, int]]:
    return [(c.on, c.amount) for c in case.account.credits() if agreed.on <= c.on <= end]


def _paid_off(case: Case, agreed: ArrangementAgreed, on: date, *, missed: bool) -> bool:
    """Whether nothing that was arranged is open on a day: what was paid since, voided, or credited.

    Money goes to the oldest bill. Of who keeps to the arrangement, what was meant for a later bill may have paid the
    arranged ones; that is no end of it while such a bill is past its day.
    """
    for charge, unpaid in case.account.settled.open_bills_at(on, max(on, agreed.on)):
        for part, _ in charge.shares(unpaid):
            arranged = part.mailed_on <= agreed.on
            if arranged or (not missed and case.grace_until(part) < on):
                return False
    return True


def _duties(case: Case, agreed: ArrangementAgreed) -> Iterator[Duty]:
    for i in agreed.installments:
        what = f"the installment of {money(i.amount)} due {said(i.due_on)}"
        yield Duty(case.calendar.next_open(i.due_on), i.amount, what, agreed.on)
    for bill in case.account.bills.values():
        if bill.voided_on is None:
            for part in bill.parts:
                if part.mailed_on > agreed.on:
                    last = case.grace_until(part)
                    yield Duty(last, part.amount, f"bill {bill.id} due by {said(last)}", part.mailed_on)


def _next_due(duties: Iterable[Duty], paid: int) -> tuple[date | None, int | None]:
    """The last day on which what was paid is enough, and the cents missing then, of all that is due by that day."""
    for last, same_day in groupby(duties, key=lambda duty: duty.last):
        paid -= sum(duty.amount for duty in same_day)
        if paid < 0:
            return last, -paid
    return None, None


@rule("arrangement_request", layer="policy")
def arrangement_request(case: Case) -> Verdict:
    """A residential customer may ask for an arrangement before the shutoff; to ask does not hold it (DO-07)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    requests = [a for a in case.account.arrangements.values() if a.requested]
    if not requests:
        return not_applicable("no arrangement was requested")
    waiting = pending_requests(case)
    if not waiting:
        asked = requests[-1]
        over = "is answered" if asked.agreed or asked.declined_on or asked.cancelled_on else "came after the shutoff"
        return permits(f"the request for arrangement {asked.id} {over}", tuple(asked.versions), arrangement=asked.id)
    asked = waiting[0]
    because = f"arrangement {asked.id} was requested and is not agreed; under the policy a request alone holds nothing"
    return permits(because, tuple(asked.versions), arrangement=asked.id)


def pending_requests(case: Case) -> list[Arrangement]:
    """The requests neither agreed, declined nor cancelled, made while the water was on (DO-07)."""
    return [
        a
        for a in case.account.arrangements.values()
        if a.requested and not (a.agreed or a.declined_on or a.cancelled_on) and _in_time(case.account, a)
    ]


def _in_time(account: Account, asked: Arrangement) -> bool:
    request = asked.requested
    for shutoff in account.shutoffs:
        made, back = shutoff.made, shutoff.reconnected
        if request is None or start_of(request.at) < moment_of(made.at):
            continue
        if back is None or start_of(request.at) < start_of(back.at):
            return False
    return True


@rule("arrangement_shields", layer="policy")
def arrangement_shields(case: Case) -> Verdict:
    """No shutoff while an arrangement is kept (DO-11)."""
    found = latest(case)
    if found is None or found.state == "complete":
        return none_in_play(case, found)
    name = found.arrangement.id
    if found.state == "kept":
        because = f"arrangement {name} of {said(found.agreed.on)} is kept: {money(found.required)} was due since"
        because += f" and {money(found.paid)} paid"
        return blocks(because, found.events, found.holds_until, **found.facts)
    return permits(f"arrangement {name} was missed: {found.missed}", found.events, **found.facts)


@rule("kept_current", layer="policy")
def kept_current(case: Case) -> Verdict:
    """The shield holds as long as later bills are paid in time too (DO-12)."""
    found = latest(case)
    if found is None or found.state == "complete":
        return none_in_play(case, found)
    name = found.arrangement.id
    if found.state == "kept":
        because = f"every bill mailed since arrangement {name} was agreed is paid or may still be paid"
        return blocks(because, found.events, found.holds_until, **found.facts)
    return permits(f"arrangement {name} no longer shields: {found.missed} was not paid", found.events, **found.facts)


def final_notices(case: Case, since: date) -> list[NoticeServed]:
    """The final notices served since a miss."""
    return [n for n in case.account.notices if n.kind == "final" and n.on >= since]


@rule("no_second_chance", layer="policy")
def no_second_chance(case: Case) -> Verdict:
    """After a breach no further arrangement is owed; the utility may still agree to one (DO-14)."""
    found = latest(case)
    if found is None or found.state == "complete":
        return none_in_play(case, found)
    if found.state == "kept":
        return permits(f"arrangement {found.arrangement.id} was not missed", found.events, **found.facts)
    because = f"after the breach of arrangement {found.arrangement.id} no further arrangement is owed"
    return permits(because, found.events, **found.facts)


def none_in_play(case: Case, found: Progress | None) -> Verdict:
    """What a rule on arrangements says where none is in play."""
    if found:
        nothing_open = _paid_off(case, found.agreed, case.on, missed=True)
        why = "nothing that it covered is open" if nothing_open else "all that it asked for is paid"
        return permits(f"arrangement {found.arrangement.id} is over: {why}", found.events, **found.facts)
    cancelled = [a for a in case.account.arrangements.values() if a.agreed and a.cancelled_on]
    if not cancelled:
        return not_applicable("no arrangement was agreed")
    last = cancelled[-1]
    because = f"arrangement {last.id} is over: it was cancelled, and not missed before"
    return permits(because, tuple(last.versions), arrangement=last.id)


def add_months(day: date, months: int) -> date:
    """The same day of the month so many calendar months later or earlier, or that month's last day (Gov. Code 6804)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def agreement_objections(
    case: Case, kind: ArrangementKind, installments: Sequence[Installment], reason: str | None = None
) -> list[tuple[str, str]]:
    """What stands against agreeing to these installments on `case.on`: rule ids, each with a sentence."""
    return [*_too_late(case), *_too_long(case, kind, installments), *_second_chance(case, reason)]


def _too_late(case: Case) -> Iterator[tuple[str, str]]:
    off = case.account.off
    if off and off.made.reason == "nonpayment" and case.in_force("arrangement_request") and not pending_requests(case):
        yield (
            case.rule_id("arrangement_request"),
            f"service was discontinued on {said(off.made.day)} and no request came before; only full payment restores",
        )


def _too_long(case: Case, kind: ArrangementKind, installments: Sequence[Installment]) -> Iterator[tuple[str, str]]:
    last = max((i.due_on for i in installments), default=case.on)
    if kind == "reduced" and (months := case.parameters.find("reduced_payment", "months")) is not None:
        limit = add_months(case.on, months)
        if last > limit:
            rule_id, term = case.rule_id("reduced_payment"), f"{months} months from {said(case.on)}"
            yield rule_id, f"the last installment is due {said(last)}, after {said(limit)}: {term} at most"
    if kind == "deferred" and (days := case.parameters.find("deferred_payment", "max_days")) is not None:
        due = max((grace_literally(owed.part) for owed in case.open), default=case.on)
        limit = max(due, case.on) + timedelta(days=days)
        if last > limit:
            rule_id, term = case.rule_id("deferred_payment"), f"{days} days beyond the due date"
            yield rule_id, f"payment is deferred to {said(last)}, after {said(limit)}: {term} at most"


def _second_chance(case: Case, reason: str | None) -> Iterator[tuple[str, str]]:
    found = current(case)
    if found and found.state == "missed" and not reason and case.in_force("no_second_chance"):
        because = (
            f"arrangement {found.arrangement.id} was missed, so none further is owed; give a reason to agree anyway"
        )
        yield case.rule_id("no_second_chance"), because
