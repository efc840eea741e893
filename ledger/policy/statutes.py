"""California's statutes and orders on a shutoff for nonpayment: they can only add to what forbids one (C11)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ledger.calendar import ONE_DAY
from ledger.events import ContactAttempted, NoticeServed
from ledger.policy.arrangements import current, final_notices, pending_requests
from ledger.policy.case import (
    FOR_EVER,
    Case,
    Verdict,
    blocks,
    blocks_before,
    grace_literally,
    moment_of,
    not_applicable,
    permits,
    rule,
    said,
)
from ledger.policy.notices import has_tenants, occupant_notices
from ledger.policy.stays import health_accepted, health_claimed, health_parts, open_petitions, pending_appeals

WRITTEN = ("discontinuance", "final")
"""The kinds of notice that tell of a shutoff; a reminder does not."""


@rule("sb998_delinquency", layer="statute")
def sb998_delinquency(case: Case) -> Verdict:
    """A payment delinquent for 60 days, and contact 7 business days before (H&S 116908(a)(1)(A))."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not case.open:
        return blocks("no bill is unpaid, so nothing is delinquent", until=FOR_EVER)
    oldest = min(case.open, key=lambda each: grace_literally(each.part))
    since = grace_literally(oldest.part) + ONE_DAY
    days = case.days("sb998_delinquency")
    aged_on = since + days
    bill, events = oldest.bill, tuple(oldest.bill.versions)
    facts: dict[str, Any] = {"bill": bill.id, "delinquent_since": since}
    if case.on < since:
        because = f"bill {bill.id} is not delinquent before {said(since)}"
        return blocks(because, events, aged_on - ONE_DAY, **facts)
    facts["days"] = (case.on - since).days
    count = case.value("sb998_delinquency", "contact_business_days")
    contacts = sorted((day, version) for day, version in _contacts(case) if day >= since)
    if not contacts:
        because = f"no phone call, visit or written notice since bill {bill.id} became delinquent on {said(since)}"
        return blocks(because, events, FOR_EVER, **facts)
    first = max(aged_on, case.after_business_days(contacts[0][0], count))
    facts |= {"contact": contacts[0][0], "first_day": first}
    if case.on < aged_on:
        because = (
            f"bill {bill.id} is delinquent since {said(since)}, and for {days.days} days not before {said(aged_on)}"
        )
        return blocks(because, events, first - ONE_DAY, **facts)
    events += (contacts[0][1],)
    if case.on < first:
        because = f"{count} business days after the contact of {said(contacts[0][0])} is {said(first)}"
        return blocks(because, events, first - ONE_DAY, **facts)
    because = f"bill {bill.id} is delinquent for {facts['days']} days, and the customer was contacted on"
    return permits(f"{because} {said(contacts[0][0])}", events, **facts)


def _contacts(case: Case) -> Iterator[tuple[date, int]]:
    account = case.account
    for contact in account.contacts:
        if contact.method in ("phone", "visit") and contact.outcome == "reached":
            yield contact.day, contact.version
    for notice in account.notices:
        if notice.kind in WRITTEN and notice.notice not in account.notices_returned:
            yield notice.on, notice.version


@rule("sb998_appeal", layer="statute")
def sb998_appeal(case: Case) -> Verdict:
    """Not while an adult's appeal is pending, to the utility or anybody else: no days, no deposit (H&S 116908(b))."""
    account = case.account
    if not account.residential:
        return not_applicable("the service is not residential")
    if not account.disputes and not account.appeals:
        return not_applicable("no bill was disputed")
    if petitions := open_petitions(case):
        petition = petitions[0]
        because = f"petition {petition.dispute} of {said(petition.day)} waits for its answer"
        return blocks(because, (petition.version,), FOR_EVER, dispute=petition.dispute)
    if appeals := pending_appeals(case):
        appeal = appeals[0]
        until = FOR_EVER if not (appeal.closed or appeal.lapsed_on) else None
        because = f"appeal {appeal.filed.appeal} of {said(appeal.filed.on)} is pending"
        return blocks(because, tuple(appeal.versions), until, appeal=appeal.filed.appeal)
    return permits("every petition is answered and no appeal is pending")


@rule("sb998_health", layer="statute")
def sb998_health(case: Case) -> Verdict:
    """Not with an accepted health exception; under its arrangement, 60 days of non-compliance first (H&S 116910)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    found = current(case)
    agreed = found if found and found.agreed.arrangement_basis == "health" else None
    events = tuple(version for state in case.account.health.values() for version in state.versions)
    if agreed is None:
        facts = health_parts(case)
        if health_accepted(case):
            return blocks("all three parts of the health exception are accepted", events, FOR_EVER, **facts)
        if case.account.health:
            return permits("not all three parts of the health exception are accepted", events, **facts)
        return not_applicable("no health exception was asked for")
    events += agreed.events
    if agreed.since is None:
        because = f"arrangement {agreed.arrangement.id} on grounds of health is kept"
        return blocks(because, events, agreed.holds_until, **agreed.facts)
    days = case.days("sb998_health")
    missed_for = agreed.since + days
    if case.on < missed_for:
        because = f"arrangement {agreed.arrangement.id} is missed since {said(agreed.since)}"
        because += f", and for {days.days} days not before {said(missed_for)}"
        return blocks(because, events, missed_for - ONE_DAY, **agreed.facts)
    posted = [n for n in final_notices(case, agreed.since) if n.method == "posted"]
    if not posted:
        return blocks("no final notice was posted since the arrangement was missed", events, FOR_EVER, **agreed.facts)
    first = case.after_business_days(posted[0].on, case.value("sb998_health", "business_days"))
    events += (posted[0].version,)
    because = f"the final notice posted on {said(posted[0].on)} allows a shutoff from {said(first)}"
    if case.on < first:
        return blocks(because, events, first - ONE_DAY, first_day=first, **agreed.facts)
    return permits(because, events, first_day=first, **agreed.facts)


@rule("sb998_tenants", layer="statute")
def sb998_tenants(case: Case) -> Verdict:
    """Tenants with meters of their own are told ten days before (H&S 116916)."""
    return _tenants_told(case, "sb998_tenants", "tenants_metered")


@rule("tenants_individually_metered", layer="statute")
def tenants_individually_metered(case: Case) -> Verdict:
    """Tenants with meters of their own are told ten days before (PUC 777)."""
    return _tenants_told(case, "tenants_individually_metered", "tenants_metered")


@rule("tenants_master_metered", layer="statute")
def tenants_master_metered(case: Case) -> Verdict:
    """Tenants behind a master meter are told by posting fifteen days before (PUC 777.1)."""
    return _tenants_told(case, "tenants_master_metered", "tenants_master_metered", posted=True)


def _tenants_told(case: Case, function: str, occupancy: str, *, posted: bool = False) -> Verdict:
    if not has_tenants(case) or case.account.occupancy != occupancy:
        return not_applicable(f"the occupancy is not {occupancy.replace('_', ' ')}")
    if not case.open:
        return not_applicable("no bill is unpaid")
    told = [n for n in occupant_notices(case) if n.method == "posted" or not posted]
    if not told:
        how = "by posting " if posted else ""
        return blocks(f"the tenants were not told {how}since this debt became past due", until=FOR_EVER)
    first = told[0].on + case.days(function)
    because = f"the tenants were told on {said(told[0].on)}, which allows a shutoff from {said(first)}"
    facts = {"notice": told[0].notice, "served": told[0].on, "first_day": first}
    if case.on < first:
        return blocks(because, (told[0].version,), first - ONE_DAY, **facts)
    return permits(because, (told[0].version,), **facts)


@rule("investigation_pending", layer="statute")
def investigation_pending(case: Case) -> Verdict:
    """No termination during an investigation, a kept extension, or a medical claim (PUC 779(b))."""
    account, found = case.account, current(case)
    if not account.residential:
        return not_applicable("the service is not residential")
    if petitions := open_petitions(case):
        petition = petitions[0]
        because = f"the investigation of petition {petition.dispute} of {said(petition.day)} is pending"
        return blocks(because, (petition.version,), FOR_EVER, dispute=petition.dispute)
    events = tuple(version for state in account.health.values() for version in state.versions)
    if health_claimed(case):
        because = "certificate, inability and willingness are submitted, and none is rejected or withdrawn"
        return blocks(because, events, FOR_EVER, **health_parts(case))
    if found and found.state == "kept":
        because = f"arrangement {found.arrangement.id} of {said(found.agreed.on)} is kept"
        return blocks(because, found.events, found.holds_until, **found.facts)
    if account.disputes or account.health or any(a.agreed for a in account.arrangements.values()):
        return permits("no investigation is pending, no extension kept and no medical claim complete", events)
    return not_applicable("nothing was disputed, extended or certified")


@rule("request_pending", layer="statute")
def request_pending(case: Case) -> Verdict:
    """A request for an extension or arrangement is answered first (PUC 779(c))."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not any(a.requested for a in case.account.arrangements.values()):
        return not_applicable("no arrangement was requested")
    if waiting := pending_requests(case):
        because = f"the request for arrangement {waiting[0].id} waits for its answer"
        return blocks(because, tuple(waiting[0].versions), FOR_EVER, arrangement=waiting[0].id)
    return permits("no request for an arrangement waits for its answer")


@rule("statutory_notice", layer="statute")
def statutory_notice(case: Case) -> Verdict:
    """19 days to pay; then a notice, ten days before, that the post is given five days to bring (PUC 779.1(a))."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not case.open:
        return not_applicable("no bill is unpaid")
    to_pay = case.days("statutory_notice", "days_to_pay")
    found = [
        (_notice_has_run(case, notice), notice, owed)
        for owed in case.open
        for notice in case.account.notices
        if notice.kind in WRITTEN and notice.on >= owed.part.mailed_on + to_pay
    ]
    if not found:
        last = min(owed.part.mailed_on for owed in case.open) + to_pay
        if case.on <= last:
            return blocks(f"the bill may be paid until {said(last)}", until=FOR_EVER, last_day=last)
        return blocks(f"no notice was served since the {to_pay.days} days to pay ended on {said(last)}", until=FOR_EVER)
    first, notice, owed = min(found, key=lambda each: each[0])
    because = f"notice {notice.notice} of {said(notice.on)} allows a shutoff from {said(first)}"
    facts = {"bill": owed.bill.id, "notice": notice.notice, "served": notice.on, "first_day": first}
    if case.on < first:
        return blocks(because, (notice.version,), first - ONE_DAY, **facts)
    return permits(because, (notice.version,), **facts)


def _notice_has_run(case: Case, notice: NoticeServed) -> date:
    post = case.days("statutory_notice", "mail_days") if notice.method == "mail" else timedelta()
    return notice.on + post + case.days("statutory_notice", "notice_days")


@rule("contact_before_shutoff", layer="statute")
def contact_before_shutoff(case: Case) -> Verdict:
    """An adult reached 24 hours before, or an attempt and a notice 48 hours before (PUC 779.1(b)); elapsed hours."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    since = case.delinquent_since
    if since is None:
        return not_applicable("no bill is unpaid")
    found = sorted(_reached(case, since), key=lambda each: each[0])
    if not found:
        because = (
            "since this debt became past due nobody was reached, and no notice was left or served after an attempt"
        )
        return blocks(because, until=FOR_EVER)
    first, event, what = found[0]
    facts = {"contact": event.day, "first_moment": first.isoformat(timespec="minutes")}
    because = f"{what} on {said(event.day)} allows a shutoff from {first:%H:%M} on {said(first.date())}"
    if case.at < first:
        until = first.date() - ONE_DAY
        return blocks_before(first, because, (event.version,), until if until > case.on else None, **facts)
    return permits(because, (event.version,), **facts)


def _reached(case: Case, since: date) -> Iterator[tuple[datetime, ContactAttempted | NoticeServed, str]]:
    contact_hours = timedelta(hours=case.value("contact_before_shutoff", "contact_hours"))
    notice_hours = timedelta(hours=case.value("contact_before_shutoff", "notice_hours"))
    tries = [c for c in case.account.contacts if c.method in ("phone", "visit") and c.day >= since]
    for contact in tries:
        if contact.outcome == "reached":
            yield _later(case, moment_of(contact.at), contact_hours), contact, f"the {contact.method}"
        elif contact.method == "visit" and contact.outcome == "message":
            yield _later(case, moment_of(contact.at), notice_hours), contact, "the notice left at the visit"
    first_try = min((c.day for c in tries if c.outcome != "reached"), default=None)
    for notice in case.account.notices:
        if first_try and notice.kind != "past_due" and notice.on >= first_try:
            served = moment_of(datetime(notice.on.year, notice.on.month, notice.on.day))
            yield _later(case, served, notice_hours), notice, f"notice {notice.notice}"


def _later(case: Case, moment: datetime, hours: timedelta) -> datetime:
    # Elapsed hours, through a change of the clocks too (C3).
    return (moment.astimezone(UTC) + hours).astimezone(case.at.tzinfo)


@rule("closed_days", layer="statute", calendar_only=True)
def closed_days(case: Case) -> Verdict:
    """Not on a Saturday, a Sunday, a legal holiday, nor while the offices are closed (PUC 780)."""
    why = case.calendar.closed(case.on) or case.calendar.holiday_at(case.at)
    if why:
        ends_at = None if case.calendar.closed(case.on) else case.holiday_part_ends
        return blocks_before(ends_at, f"{said(case.on)} is no day for a shutoff: {why}", closed=why)
    if not case.calendar.office_open(case.at):
        return blocks(f"the offices are not open to the public at {case.at:%H:%M} on {said(case.on)}")
    return permits(f"{said(case.on)} is a business day and the offices are open")


@rule("roll_forward", layer="statute")
def roll_forward(case: Case) -> Verdict:
    """A customer's last day that falls on a closed day moves to the next open one (Gov. Code 6800)."""
    if not case.open:
        return not_applicable("no bill is unpaid")
    owed = min(case.open, key=lambda each: case.last_day_literally(each.part))
    literal, last = case.last_day_literally(owed.part), case.last_day(owed.part)
    facts = {"bill": owed.bill.id, "last_day": literal, "moved_to": last}
    events = tuple(owed.bill.versions)
    if literal < case.on <= last:
        why = case.calendar.closed(literal)
        because = f"the last day to pay bill {owed.bill.id}, {said(literal)} ({why}), moved to {said(last)}"
        return blocks(because, events, last, **facts)
    moved = f"moved to {said(last)}" if last > literal else "did not fall on a closed day"
    return permits(f"the last day to pay bill {owed.bill.id}, {said(literal)}, {moved}", events, **facts)


@rule("moratorium", layer="orders")
def moratorium(case: Case) -> Verdict:
    """No shutoff for nonpayment while the order holds (ORD-2020-04: Executive Order N-42-20 and what extended it)."""
    if case.value("moratorium", "residential_only") and not case.account.residential:
        return not_applicable("the service is not residential")
    version = case.parameters.rule("moratorium").version
    return blocks(f"the order forbids shutoffs for nonpayment since {said(version.since)}", since=version.since)
