"""What holds a shutoff while somebody decides: petitions, appeals, the health exception (DO-15, DO-22 to DO-29)."""

from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from ledger.account import Appeal, Bill
from ledger.events import HealthPart, PetitionFiled
from ledger.money import half_up, money
from ledger.policy.arrangements import latest
from ledger.policy.case import FOR_EVER, Case, Verdict, blocks, not_applicable, permits, rule, said

PARTS: tuple[HealthPart, ...] = ("certification", "inability", "willingness")
"""The three parts of the health exception: all of them are asked for (DO-15)."""


def open_petitions(case: Case) -> list[PetitionFiled]:
    """The petitions that wait for an answer, the earliest first."""
    return [p for name, p in case.account.disputes.items() if name not in case.account.answers]


def pending_appeals(case: Case) -> list[Appeal]:
    """The appeals neither lapsed nor closed; the day of the closing letter still belongs to the appeal (DO-29)."""
    return [a for a in case.account.appeals.values() if case.on <= _last_day(a)]


def _last_day(appeal: Appeal) -> date:
    closed = appeal.closed.on if appeal.closed else date.max
    return min(closed, appeal.lapsed_on or date.max)


class PetitionDays(NamedTuple):
    """The days a petition had: received that day, evidenced or presumed; the last of the five, moved (C2, C9)."""

    mailed_on: date
    received_on: date
    presumed: bool
    last: date


def petition_days(case: Case, bill: Bill, by: date | None = None) -> PetitionDays:
    """The days to petition about a bill as mailed `by` a day (else that of the case), counted from its receipt.

    DO-23, C9. Raises NoVersion where no rule does.
    """
    mailed = max((day for day in bill.raised if day <= (by or case.on)), default=bill.mailed_on)
    received, presumed = mailed, True
    if bill.issued.delivery == "mail":
        received += case.days("petition_in_time", "mail_presumption_days")
    raised_next = min((day for day in bill.raised if day > mailed), default=date.max)
    # A receipt after a lowering may be of either; it rebuts the presumption, as it does for the customer.
    if evidenced := bill.received(mailed) or bill.received(mailed, raised_next):
        received, presumed = evidenced, False
    last = case.calendar.next_open(received + case.days("petition_in_time"))
    return PetitionDays(mailed, received, presumed, last)


def petition_late_by(case: Case, petition: PetitionFiled) -> int:
    """How many days after the last of the five, moved off closed days, a petition was filed; 0 in time (DO-23, C9)."""
    bill = case.account.bills.get(petition.bill)
    return max((petition.day - petition_days(case, bill, petition.day).last).days, 0) if bill else 0


def means_met(case: Case, petition: PetitionFiled) -> bool:
    """Whether DO-24 lets the petition stay the shutoff: only who pleads inability needs an arrangement (R1)."""
    found = latest(case) if petition.beyond_means else None
    return not petition.beyond_means or (found is not None and found.state != "missed")


def staying_petitions(case: Case) -> list[PetitionFiled]:
    """The petitions that hold the shutoff under the policy (DO-23)."""
    return [] if not case.in_force("petition_in_time") else [p for p in open_petitions(case) if not _no_stay(case, p)]


def _no_stay(case: Case, petition: PetitionFiled) -> str | None:
    if petition.ground != "accuracy":
        return "it is not about the accuracy of the bill"
    if late := petition_late_by(case, petition):
        return f"it was late by {late} {'day' if late == 1 else 'days'}"
    if not means_met(case, petition):
        return f"it pleads inability and no arrangement is kept ({case.rule_id('petition_beyond_means')})"
    return None


def staying_appeals(case: Case) -> list[Appeal]:
    """The appeals that hold the shutoff under the policy: pending, with the disputed amount deposited (DO-29)."""
    return [a for a in pending_appeals(case) if a.deposited >= deposit_needed(case, a)]


def deposit_needed(case: Case, appeal: Appeal) -> int:
    """The cents to deposit with the Commission for an appeal (DO-26)."""
    petition = case.account.disputes.get(appeal.filed.dispute)
    percent = case.parameters.find("appeal_deposit", "percent")
    return half_up(Fraction((petition.disputed_amount if petition else 0) * (percent or 0), 100))


def undisputed(case: Case) -> dict[str, int]:
    """The bills a shutoff may rest on in spite of petitions and appeals, with the cents that are not disputed."""
    left = dict(case.ground)
    appealed = [case.account.disputes.get(a.filed.dispute) for a in staying_appeals(case)]
    # Two appeals may be about one petition, and an appeal about one that waits for its answer.
    for petition in {each.dispute: each for each in (*staying_petitions(case), *filter(None, appealed))}.values():
        if petition.bill in left:
            left[petition.bill] -= petition.disputed_amount
    return {bill: amount for bill, amount in left.items() if amount > 0}


@rule("health_exception", layer="policy")
def health_exception(case: Case) -> Verdict:
    """No shutoff when certification, inability and willingness are all accepted (DO-15 to DO-18)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    health = case.account.health
    if not health:
        return not_applicable("no health exception was asked for")
    facts = health_parts(case)
    events = tuple(version for state in health.values() for version in state.versions)
    if health_accepted(case):
        return blocks("all three parts of the health exception are accepted", events, FOR_EVER, **facts)
    missing = [part for part in PARTS if facts[part] != "accepted"]
    return permits(f"not accepted: {', '.join(f'{part} ({facts[part]})' for part in missing)}", events, **facts)


@rule("health_certification", layer="policy")
def health_certification(case: Case) -> Verdict:
    """A primary care provider certifies that a shutoff endangers a resident; a condition, no bar (DO-16)."""
    return _part(case, "certification")


@rule("health_inability", layer="policy")
def health_inability(case: Case) -> Verdict:
    """The customer shows that the bill cannot be paid in the billing cycle; a condition, no bar (DO-17)."""
    return _part(case, "inability")


@rule("health_willingness", layer="policy")
def health_willingness(case: Case) -> Verdict:
    """The customer is willing to enter an arrangement, which need not be agreed yet; a condition, no bar (DO-18)."""
    return _part(case, "willingness")


def _part(case: Case, part: HealthPart) -> Verdict:
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not case.account.health:
        return not_applicable("no health exception was asked for")
    state = case.account.health.get(part)
    stands, events = _stands(case, part), tuple(state.versions) if state else ()
    return permits(f"the {part} is {stands}", events, condition_met=stands == "accepted")


def _stands(case: Case, part: HealthPart) -> str:
    state = case.account.health.get(part)
    return state.stands if state else "not submitted"


def health_parts(case: Case) -> dict[str, str]:
    """Where each part of the health exception stands."""
    return {part: _stands(case, part) for part in PARTS}


def health_claimed(case: Case) -> bool:
    """Whether all three parts are submitted and none rejected or withdrawn: under review counts (PUC 779(b)(3))."""
    return all(_stands(case, part) in ("accepted", "under review") for part in PARTS)


def health_accepted(case: Case) -> bool:
    """Whether all three parts are accepted."""
    return all(_stands(case, part) == "accepted" for part in PARTS)


@rule("petition_in_time", layer="policy")
def petition_in_time(case: Case) -> Verdict:
    """A petition within five days of receiving the bill holds the shutoff until it is answered (DO-23)."""
    if not case.account.disputes:
        return not_applicable("no bill was disputed")
    waiting = open_petitions(case)
    if not waiting:
        return permits("every petition is answered", tuple(a.version for a in case.account.answers.values()))
    staying = staying_petitions(case)
    petition = (staying or waiting)[0]
    facts: dict[str, Any] = {"dispute": petition.dispute, "bill": petition.bill}
    facts |= {"late_by": petition_late_by(case, petition), "disputed": money(petition.disputed_amount)}
    if not staying:
        because = f"petition {petition.dispute} does not stay the shutoff: {_no_stay(case, petition)}"
        return permits(because, (petition.version,), **facts)
    # An arrangement that a petition needs may be missed as time goes by; nothing else but an answer ends the stay.
    until = FOR_EVER if any(not each.beyond_means for each in staying) else None
    because = f"petition {petition.dispute} about bill {petition.bill} waits for its answer"
    return blocks(because, (petition.version,), until, **facts)


@rule("petition_beyond_means", layer="policy")
def petition_beyond_means(case: Case) -> Verdict:
    """A petitioner who pleads inability needs an arrangement for the stay; a condition, no bar (DO-24)."""
    every = [p for p in case.account.disputes.values() if p.beyond_means]
    if not every:
        return not_applicable("no petition says that the bill is beyond the customer's means")
    pleading = [p for p in open_petitions(case) if p.beyond_means]
    if not pleading:
        last = every[-1]
        because = f"petition {last.dispute} pleaded inability and is answered"
        return permits(because, (last.version,), dispute=last.dispute)
    petition = pleading[0]
    met = means_met(case, petition)
    because = f"petition {petition.dispute} pleads inability, and {'an' if met else 'no'} arrangement is kept"
    return permits(because, (petition.version,), dispute=petition.dispute, condition_met=met)


@rule("appeal_right", layer="policy")
def appeal_right(case: Case) -> Verdict:
    """The answer to a petition may be appealed; no deadline is set, so the notice runs anew from it (DO-25)."""
    answers = list(case.account.answers.values())
    if not answers:
        return not_applicable("no petition was answered")
    stood = [answer for answer in answers if answer.outcome != "withdrawn"]
    last = max(stood or answers, key=lambda answer: (answer.on, answer.version))
    because = f"petition {last.dispute} was withdrawn on {said(last.on)}"
    if stood:
        because = f"petition {last.dispute} was answered on {said(last.on)}"
        because += "; a notice served before runs anew from that day"
    return permits(because, (last.version,), dispute=last.dispute, answered=last.on)


@rule("appeal_deposit", layer="policy")
def appeal_deposit(case: Case) -> Verdict:
    """An appeal is complete when the disputed amount is with the Commission; a condition, no bar (DO-26)."""
    if not case.account.appeals:
        return not_applicable("no appeal was filed")
    appeals = pending_appeals(case)
    if not appeals:
        return permits("every appeal is closed or lapsed", _versions(case))
    appeal = min(appeals, key=lambda a: a.deposited - deposit_needed(case, a))
    needed = deposit_needed(case, appeal)
    facts = {"appeal": appeal.filed.appeal, "deposited": money(appeal.deposited), "needed": money(needed)}
    because = f"{money(appeal.deposited)} of the disputed {money(needed)} is deposited with the Commission"
    return permits(because, tuple(appeal.versions), condition_met=appeal.deposited >= needed, **facts)


@rule("appeal_pending", layer="policy")
def appeal_pending(case: Case) -> Verdict:
    """An appeal filed and diligently pursued holds the shutoff (DO-29)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not case.account.appeals:
        return not_applicable("no appeal was filed")
    pending, staying = pending_appeals(case), staying_appeals(case)
    if not pending:
        return permits("every appeal is closed or lapsed", _versions(case))
    if not staying:
        because = f"appeal {pending[0].filed.appeal} lacks its deposit ({case.rule_id('appeal_deposit')})"
        return permits(because, tuple(pending[0].versions), appeal=pending[0].filed.appeal)
    appeal, left = staying[0], undisputed(case)
    facts: dict[str, Any] = {"appeal": appeal.filed.appeal, "dispute": appeal.filed.dispute, "filed": appeal.filed.on}
    because, events = f"appeal {appeal.filed.appeal} of {said(appeal.filed.on)} is pending", (appeal.filed.version,)
    if not left:
        return blocks(because, events, **facts)
    # The stay covers what is disputed: a shutoff may rest on the rest (DO-29 iii).
    bill, amount = next(iter(left.items()))
    facts["undisputed"] = {name: money(cents) for name, cents in left.items()}
    return permits(f"{because}, but {money(amount)} of bill {bill} is not disputed", events, **facts)


def _versions(case: Case) -> tuple[int, ...]:
    return tuple(version for appeal in case.account.appeals.values() for version in appeal.versions)
