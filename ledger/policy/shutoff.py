"""The company's rules on a shutoff: bills and their age, the ground, the deposit, the day and the hour."""

from typing import Any

from ledger.calendar import ONE_DAY
from ledger.money import money
from ledger.policy.case import (
    FOR_EVER,
    Case,
    Verdict,
    avoids,
    blocks,
    blocks_before,
    grace_literally,
    not_applicable,
    permits,
    rule,
    said,
)
from ledger.policy.notices import standing


@rule("days_until_past_due", layer="policy")
def days_until_past_due(case: Case) -> Verdict:
    """A bill is past due if not paid within 19 days, the last of them moved off closed days (DO-02, C2)."""
    if not case.open:
        return not_applicable("no bill is unpaid")
    owed = min(case.open, key=lambda each: grace_literally(each.part))
    last = case.grace_until(owed.part)
    facts: dict[str, Any] = {
        "bill": owed.bill.id,
        "mailed_on": owed.part.mailed_on,
        "last_day": last,
        "unpaid": money(owed.unpaid),
    }
    events = tuple(owed.bill.versions)
    if case.on <= last:
        return blocks(f"bill {owed.bill.id} is not past due until after {said(last)}", events, last, **facts)
    return permits(f"bill {owed.bill.id} was due by {said(last)}, and {money(owed.unpaid)} is unpaid", events, **facts)


@rule("pay_in_full", layer="policy")
def pay_in_full(case: Case) -> Verdict:
    """Only payment in full cures: a cent unpaid is unpaid (DO-03)."""
    if not case.account.bills:
        return not_applicable("no bill was issued")
    unpaid = sum(owed.unpaid for owed in case.open)
    if not unpaid:
        return blocks("every bill is paid in full", until=FOR_EVER, unpaid=money(0))
    events = tuple(dict.fromkeys(version for owed in case.open for version in owed.bill.versions))
    return permits(f"{money(unpaid)} of the bills is unpaid", events, unpaid=money(unpaid))


@rule("days_to_pay", layer="policy")
def days_to_pay(case: Case) -> Verdict:
    """A residential customer has 79 days from mailing to pay (DO-04)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    if not case.open:
        return not_applicable("no bill is unpaid")
    facts: dict[str, Any]
    if case.aged:
        owed = case.aged[0]
        days, last = (case.on - owed.part.mailed_on).days, case.last_day(owed.part)
        because = f"{days} days since {owed.what} was mailed, and {money(owed.unpaid)} is unpaid"
        facts = {"bill": owed.bill.id, "mailed_on": owed.part.mailed_on, "last_day": last, "days": days}
        return permits(because, tuple(owed.bill.versions), **facts)
    owed = min(case.open, key=lambda each: case.last_day(each.part))
    last = case.last_day(owed.part)
    facts = {"bill": owed.bill.id, "mailed_on": owed.part.mailed_on, "last_day": last}
    return blocks(f"{owed.what} may be paid until {said(last)}", tuple(owed.bill.versions), last, **facts)


@rule("residential_service", layer="policy")
def residential_service(case: Case) -> Verdict:
    """Whether the residential rules apply (DO-06)."""
    if not case.account.residential:
        return not_applicable("the service is not residential")
    dwelling = case.account.dwelling
    return permits(f"the service is residential ({dwelling.replace('_', ' ')}), so its rules apply", dwelling=dwelling)


@rule("nonpayment_only", layer="policy")
def nonpayment_only(case: Case) -> Verdict:
    """These rules govern a shutoff for nonpayment, not one for safety, fraud or at the customer's wish (DO-30)."""
    return permits("what is asked about is a shutoff for nonpayment")


@rule("ground", layer="policy")
def ground(case: Case) -> Verdict:
    """A bill past due, a notice issued, and the time it names over (DO-31)."""
    past_due = sum(owed.unpaid for owed in case.past_due)
    if not past_due:
        first = case.delinquent_since
        return blocks("no bill is past due", until=first - ONE_DAY if first else FOR_EVER, past_due=money(0))
    bill = case.past_due[0].bill
    facts: dict[str, Any] = {"bill": bill.id, "past_due": money(past_due)}
    if case.reported >= case.needed:
        because = f"a payment of {money(case.reported)} is reported, and a shutoff would rest on {money(case.needed)}"
        return blocks(because, tuple(report.version for report, _ in case.reports), **facts)
    if not any(n.kind in ("discontinuance", "final") for n in case.account.notices):
        return blocks("no notice of discontinuance was ever issued", until=FOR_EVER, **facts)
    chosen = standing(case)
    if chosen and chosen.act_by and case.on <= chosen.act_by:
        because = f"notice {chosen.notice.notice} gives until {said(chosen.act_by)} to act"
        return blocks(because, (chosen.notice.version,), notice=chosen.notice.notice, act_by=chosen.act_by, **facts)
    because = f"bill {bill.id} is past due, notice was given and {money(past_due)} is unpaid"
    return permits(because, tuple(bill.versions), **facts)


@rule("deposit_absorbed_first", layer="policy")
def deposit_absorbed_first(case: Case) -> Verdict:
    """No shutoff while any of the credit deposit is left (DO-32)."""
    deposit, absorbed = case.account.deposit, tuple(a.version for a in case.account.absorptions)
    if deposit > 0:
        because = f"a deposit of {money(deposit)} is held and must be absorbed first"
        moved = [version for each in case.account.deposits.values() for version in each.versions]
        return blocks(because, tuple(sorted([*moved, *absorbed])), FOR_EVER, deposit=money(deposit))
    if not case.account.deposits:
        return not_applicable("no deposit is held")
    return permits("the deposit is fully absorbed", absorbed)


@rule("not_saturday", layer="policy", calendar_only=True)
def not_saturday(case: Case) -> Verdict:
    """Not on a Saturday (DO-33)."""
    if case.on.weekday() == 5:
        return blocks(f"{said(case.on)} is a Saturday", until=case.on)
    return permits(f"{said(case.on)} is not a Saturday")


@rule("not_sunday", layer="policy", calendar_only=True)
def not_sunday(case: Case) -> Verdict:
    """Not on a Sunday (DO-34)."""
    if case.on.weekday() == 6:
        return blocks(f"{said(case.on)} is a Sunday", until=case.on)
    return permits(f"{said(case.on)} is not a Sunday")


@rule("not_holiday", layer="policy", calendar_only=True)
def not_holiday(case: Case) -> Verdict:
    """Not on a legal holiday, nor in the part of a day that is one (DO-35, C5)."""
    holiday = case.calendar.holiday_at(case.at)
    if holiday:
        because = f"{said(case.on)} is a legal holiday: {holiday}"
        return blocks_before(case.holiday_part_ends, because, holiday=holiday)
    return permits(f"{said(case.on)} is no legal holiday at that hour")


@rule("office_open", layer="policy", calendar_only=True)
def office_open(case: Case) -> Verdict:
    """Only while the offices are open to the public: the opening minute is, the closing minute is not (DO-36)."""
    hours = case.calendar.hours_on(case.on)
    if hours is None:
        why = case.calendar.closed(case.on) or "nobody recorded the hours"
        return blocks(f"the offices are closed on {said(case.on)}: {why}", until=case.on, closed=why)
    kept = f"{hours.opens:%H:%M} to {hours.closes:%H:%M}"
    facts: dict[str, Any] = {
        "opens": f"{hours.opens:%H:%M}",
        "closes": f"{hours.closes:%H:%M}",
        "assumed": hours.assumed,
    }
    note = ", as is assumed until hours are declared" if hours.assumed else ""
    if case.calendar.office_open(case.at):
        return permits(f"the offices are open from {kept}{note}", **facts)
    return blocks(f"the offices are closed at {case.at:%H:%M}; they are open from {kept}{note}", **facts)


@rule("avoid_friday", layer="policy", calendar_only=True)
def avoid_friday(case: Case) -> Verdict:
    """Fridays are avoided (DO-37)."""
    if case.on.weekday() == 4:
        return avoids(f"{said(case.on)} is a Friday", case.on)
    return permits(f"{said(case.on)} is not a Friday")


@rule("avoid_day_before_holiday", layer="policy", calendar_only=True)
def avoid_day_before_holiday(case: Case) -> Verdict:
    """The day before a holiday or a declared closure is avoided (DO-38)."""
    next_day = case.on + ONE_DAY
    why = case.calendar.holiday(next_day) or case.calendar.closure(next_day)
    if why:
        return avoids(f"the next day, {said(next_day)}, is {why}", case.on, next_day=why)
    return permits(f"{said(next_day)} is no holiday")


@rule("internet_posting", layer="policy")
def internet_posting(case: Case) -> Verdict:
    """A payment may take a day to post, so one that is reported counts until the second business day ends (DO-43)."""
    return _reported(case, "may not have posted yet")


@rule("report_payment", layer="policy")
def report_payment(case: Case) -> Verdict:
    """A customer who reports a payment is taken at their word while it may still post (DO-44)."""
    return _reported(case, "was reported by the customer")


def _reported(case: Case, how: str) -> Verdict:
    told = case.account.reported
    if not told:
        return not_applicable("no payment was reported")
    if not case.reports:
        name, report = max(told.items(), key=lambda each: each[1].version)
        because = f"payment {name}, reported on {said(report.day)}, is not waited for any longer"
        return permits(because, (report.version,), payment=name)
    needed, reported = case.needed, case.reported
    last = min(last for _, last in case.reports)
    events = tuple(report.version for report, _ in case.reports)
    facts: dict[str, Any] = {"reported": money(reported), "needed": money(needed), "until": last}
    if not needed:
        return permits(f"a payment of {money(reported)} {how}, and no bill is past due", events, **facts)
    because = f"a payment of {money(reported)} {how}; a shutoff would rest on {money(needed)}"
    if reported >= needed:
        return blocks(f"{because}, which it would pay, and it counts until {said(last)}", events, **facts)
    return permits(f"{because}, and it would not pay that in full", events, **facts)
