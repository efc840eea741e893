"""Notices: given, run for long enough, and to the occupants as well (DO-19 to DO-21)."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from ledger.calendar import ONE_DAY
from ledger.charges import Charge, Credit, Settlement, settle
from ledger.events import NoticeServed, PaymentReceived, PetitionAnswered
from ledger.policy.arrangements import current, final_notices, latest, none_in_play
from ledger.policy.case import FOR_EVER, Case, Verdict, blocks, not_applicable, once, permits, rule, said


class Standing(NamedTuple):
    """A notice that is not stale, and which of its bills a shutoff may rest on.

    `first_day` is the first on which its `days` have run, counted from `ran_from`: business days for a final notice.
    """

    notice: NoticeServed
    bills: tuple[str, ...]
    days: int
    ran_from: date
    first_day: date
    act_by: date | None
    stale_after: date

    @property
    def free_from(self) -> date:
        """The first day on which neither its period nor the day it names stands in the way."""
        return max(self.first_day, self.act_by + ONE_DAY if self.act_by else self.notice.on)


@once
def standing(case: Case) -> Standing | None:
    """The notice that a shutoff would rest on: of those that stand, the one that allows it first.

    None as well where no rule asks for a notice that day.
    """
    if not case.in_force("notice_given"):
        return None
    return min(
        (s for s in fresh_notices(case) if ground_of(case, s)),
        key=lambda s: (s.free_from, s.notice.version),
        default=None,
    )


def ground_of(case: Case, found: Standing) -> list[str]:
    """The bills of the ground that a notice covers, oldest first; an increase mailed after it is not what it named."""
    parts = (o for o in case.ground_parts if o.part.mailed_on <= found.notice.on)
    return list(dict.fromkeys(o.bill.id for o in parts if o.bill.id in found.bills))


@once
def fresh_notices(case: Case) -> tuple[Standing, ...]:
    """The notices of the kind now needed that are not stale and cover something unpaid."""
    missed = _missed_since(case)
    first = [notice for notice in case.account.notices if notice.kind == "discontinuance"]
    notices = final_notices(case, missed) if missed else first
    covered = ((notice, covered_bills(case, notice)) for notice in notices)
    return tuple(
        _standing(case, notice, bills) for notice, bills in covered if bills and not stale(case, notice, bills)
    )


def _missed_since(case: Case) -> date | None:
    """The day since which the arrangement in play is missed, where a final notice must then be served (DO-13)."""
    found = current(case) if case.in_force("breach_notice") else None
    return found.since if found else None


def covered_bills(case: Case, notice: NoticeServed) -> tuple[str, ...]:
    """The bills that a notice covers: those past due on its day by what was paid then, and no other."""
    open_then = _settled_on(case, notice.on).open_bills_at(notice.on, notice.on)
    return tuple(charge.name for charge, unpaid in open_then if charge.past_due(notice.on, unpaid))


def _settled_on(case: Case, day: date) -> Settlement:
    """What had paid what on a day: a payment gone later, or a bill voided later, still stood then."""
    account, gone = case.account, _gone(case)
    credits = [
        Credit(p.day, p.version, p.amount, f"bill {p.bill}" if isinstance(p, PaymentReceived) and p.bill else None)
        for p in account.payments.values()
        if p.payment in gone and p.day <= day < gone[p.payment]
    ]
    voided = [
        Charge("bill", bill.id, bill.mailed_on, bill.issued.version, bill.amount, bill.parts)
        for bill in account.bills.values()
        if bill.voided_on and bill.voided_on > day
    ]
    if not credits and not voided:
        return account.settled
    return settle([*account.charges(), *voided], [*account.credits(), *credits])


def _gone(case: Case) -> dict[str, date]:
    """The payments that were returned or moved to another account, each with the day from which it did not stand."""
    return case.account.returned | case.account.transferred


def stale(case: Case, notice: NoticeServed, bills: tuple[str, ...]) -> str | None:
    """Why a notice no longer stands: its age, payment in full since, a new arrangement since; None where it does."""
    last = _stale_after(case, notice)
    if case.on > last:
        return f"it is stale since {said(last + ONE_DAY)}"
    for arrangement in case.account.arrangements.values():
        if arrangement.agreed and arrangement.agreed.on >= notice.on:
            return f"arrangement {arrangement.id} was agreed since"
    if bills and not any(owed.bill.id in bills and owed.part.mailed_on <= notice.on for owed in case.open):
        return "its bills are paid in full"
    paid = _once_paid_in_full(case, notice.on, bills)
    return f"its bills were paid in full on {said(paid)}" if paid else None


def _stale_after(case: Case, notice: NoticeServed) -> date:
    return good_until(notice, case.value("notice_given", "stale_after_days"))


def good_until(notice: NoticeServed, days: int) -> date:
    """The last day on which a notice stands by its age: it is stale on the day so many `days` after its service."""
    return notice.on + timedelta(days=days - 1)


def _once_paid_in_full(case: Case, since: date, bills: tuple[str, ...]) -> date | None:
    """The day since then on which all of these bills were paid, though a payment was returned or moved later."""
    account, gone = case.account, _gone(case)
    if not bills or not any(day > since for day in gone.values()):
        return None
    days = {credit.on for credit in account.credits()} | {p.day for p in account.payments.values()}
    days |= {bill.voided_on for bill in account.bills.values() if bill.voided_on}
    for day in sorted(on for on in days if on >= since):
        settled = _settled_on(case, day)
        if not any(settled.unpaid_at(f"bill {bill}", day, since) for bill in bills):
            return day
    return None


def _standing(case: Case, notice: NoticeServed, bills: tuple[str, ...]) -> Standing:
    ran_from = _ran_from(case, notice, bills)
    act_by = case.calendar.next_open(notice.act_by) if notice.act_by else None
    if notice.kind == "final":
        days, first = _final_days(case, ran_from)
    else:
        days = notice_days(case, notice)
        first = ran_from + timedelta(days=days)
    return Standing(notice, bills, days, ran_from, first, act_by, _stale_after(case, notice))


def notice_days(case: Case, notice: NoticeServed) -> int:
    """How many days a notice must run: by service, by occupancy, by method (DO-20)."""
    account = case.account
    key: str = notice.method
    if not account.residential:
        key = "nonresidential"
    elif account.occupancy != "customer":
        key = account.occupancy
    days: int = case.value("notice_period", key)
    return days


def _ran_from(case: Case, notice: NoticeServed, bills: tuple[str, ...]) -> date:
    # After the answer to a petition the customer may appeal, so the notice runs anew (DO-25).
    return max([notice.on, *(answer.on for answer in _answers(case, bills))])


def _answers(case: Case, bills: tuple[str, ...]) -> Iterator[PetitionAnswered]:
    account = case.account
    for name, answer in account.answers.items():
        if answer.outcome != "withdrawn" and name in account.disputes and account.disputes[name].bill in bills:
            yield answer


def answers_on(case: Case, notice: NoticeServed, ran_from: date) -> tuple[int, ...]:
    """The versions of the answers from which a notice runs anew."""
    answers = _answers(case, covered_bills(case, notice)) if ran_from > notice.on else ()
    return tuple(answer.version for answer in answers if answer.on == ran_from)


def _anew(notice: NoticeServed, ran_from: date) -> str:
    return f" (anew from the answer of {said(ran_from)})" if ran_from > notice.on else ""


def _final_days(case: Case, ran_from: date) -> tuple[int, date]:
    days: int = case.value("breach_notice", "business_days")
    return days, case.after_business_days(ran_from, days)


@rule("notice_given", layer="policy")
def notice_given(case: Case) -> Verdict:
    """A notice that names this delinquency must stand (DO-19)."""
    missed = _missed_since(case)
    kind = "final" if missed else "discontinuance"
    chosen = standing(case)
    if chosen:
        notice, covered = chosen.notice, ground_of(case, chosen)
        because = f"{kind} notice {notice.notice} of {said(notice.on)} covers bill {covered[0]}"
        return permits(because, (notice.version,), notice=notice.notice, served=notice.on, bills=covered)
    until = None if fresh_notices(case) else FOR_EVER
    served = [n for n in case.account.notices if n.kind == kind]
    if not served:
        return blocks(f"no {kind} notice was served", until=until)
    last = served[-1]
    why = stale(case, last, covered_bills(case, last)) or "it covers no bill that a shutoff could rest on"
    if missed and last.on < missed:
        why = f"it was served before the arrangement was missed on {said(missed)}"
    because = f"{kind} notice {last.notice} of {said(last.on)} does not stand: {why}"
    return blocks(because, (last.version,), until, notice=last.notice, served=last.on)


@rule("notice_period", layer="policy")
def notice_period(case: Case) -> Verdict:
    """The notice must have run its days, and the one to the occupants too (DO-20)."""
    chosen = standing(case)
    if chosen is None:
        return not_applicable(f"no notice stands whose days could be counted ({case.rule_id('notice_given')})")
    notice, first = chosen.notice, chosen.first_day
    if notice.kind == "final":
        because = f"after a breach the business days since the final notice count ({case.rule_id('breach_notice')})"
        return not_applicable(because, (notice.version,), notice=notice.notice)
    because = f"notice {notice.notice} of {said(notice.on)} must run {chosen.days} days"
    because += _anew(notice, chosen.ran_from)
    facts: dict[str, Any] = {"notice": notice.notice, "served": notice.on, "method": notice.method, "days": chosen.days}
    events = (notice.version, *answers_on(case, notice, chosen.ran_from))
    told = occupant_notices(case)
    if told:
        if case.account.occupancy == "tenants_master_metered":
            told = [n for n in told if n.method == "posted"]
        if not told:
            because = f"the notice to the occupants must be posted, and run {chosen.days} days"
            return blocks(because, events, **facts)
        run = told[0].on + timedelta(days=chosen.days)
        if run > first:
            first, because = run, f"the notice to the occupants of {said(told[0].on)} must run {chosen.days} days"
            events = (told[0].version,)
            facts |= {"notice": told[0].notice, "served": told[0].on, "method": told[0].method}
    if case.on < first:
        until = _surely_until(case, chosen, first)
        return blocks(f"{because}, so until {said(first - ONE_DAY)}", events, until, first_day=first, **facts)
    return permits(f"{because}, which ended before {said(first)}", events, first_day=first, **facts)


@rule("breach_notice", layer="policy")
def breach_notice(case: Case) -> Verdict:
    """After a breach, five business days from a final notice (DO-13)."""
    found = latest(case)
    if found is None or found.state == "complete":
        return none_in_play(case, found)
    name = found.arrangement.id
    if found.state == "kept" or found.since is None:
        return permits(f"arrangement {name} was not missed, so no final notice is owed", found.events, **found.facts)
    finals = final_notices(case, found.since)
    if not finals:
        because = f"arrangement {name} was missed on {said(found.since)} and no final notice was served since"
        return blocks(because, found.events, FOR_EVER, **found.facts)
    # One that is stale, or covers nothing any more, is judged where no other stands: DO-19 says what is wrong with it.
    chosen = standing(case)
    if chosen:
        notice, ran_from, first = chosen.notice, chosen.ran_from, chosen.first_day
    else:
        notice = finals[-1]
        ran_from = _ran_from(case, notice, covered_bills(case, notice))
        _, first = _final_days(case, ran_from)
    facts = found.facts | {"notice": notice.notice, "served": notice.on, "method": notice.method, "first_day": first}
    because = f"final notice {notice.notice} of {said(notice.on)}{_anew(notice, ran_from)}"
    because += f" allows a shutoff from {said(first)}"
    events = (*found.events, notice.version, *answers_on(case, notice, ran_from))
    if case.on < first:
        return blocks(because, events, _surely_until(case, chosen, first) if chosen else None, **facts)
    return permits(because, events, **facts)


def _surely_until(case: Case, chosen: Standing, first: date) -> date | None:
    """Through when the days of a notice surely stand in the way; not known where another may take its place."""
    return min(first - ONE_DAY, chosen.stale_after) if len(fresh_notices(case)) == 1 else None


@rule("occupants_informed", layer="policy")
def occupants_informed(case: Case) -> Verdict:
    """Where the owner is the customer, the occupants are told in writing: the effort, not its success (DO-21)."""
    if not has_tenants(case):
        return not_applicable("no tenants live behind the meter of another customer")
    if not case.open:
        return not_applicable("no bill is unpaid")
    told = occupant_notices(case)
    if told:
        because = f"the occupants were told by notice {told[0].notice} of {said(told[0].on)}"
        return permits(because, (told[0].version,), notice=told[0].notice, served=told[0].on)
    return blocks("the occupants were not told in writing since this debt became past due", until=FOR_EVER)


def has_tenants(case: Case) -> bool:
    """Whether people live there who are not the customer."""
    return case.account.residential and case.account.occupancy != "customer"


def occupant_notices(case: Case) -> list[NoticeServed]:
    """The notices to tenants since the oldest unpaid bill became past due, the earliest first."""
    since = case.delinquent_since
    if since is None or not has_tenants(case):
        return []
    return [n for n in case.account.notices if n.kind == "occupants" and n.on >= since]
