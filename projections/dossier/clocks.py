"""The days that matter, counted one by one: to petition, to pay, before a shutoff, and of the notice (C1, C2, C6)."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from msgspec import Struct

from ledger import events as e
from ledger.account import Bill
from ledger.calendar import ONE_DAY
from ledger.moments import MONTHS
from ledger.policy.case import FOR_EVER, Case, said
from ledger.policy.clocks import bill_clocks
from ledger.policy.notices import Standing, answers_on, notice_days, standing
from ledger.policy.parameters import Rule
from ledger.policy.stays import petition_days
from projections.dossier.case import CaseFile
from projections.dossier.counting import Count, CountedDay, business_days, calendar_days
from projections.dossier.document import (
    AnyBlock,
    Box,
    Cell,
    Days,
    Heading,
    MonthOfDays,
    Paragraph,
    Section,
    counted,
    dated,
    timed,
)


class Clock(Struct, frozen=True):
    """A count with what it is for: the rule, what day 0 is, what the last day is, and what follows."""

    title: str
    rule: Rule
    count: Count
    zero: Cell
    last_label: str
    result: Cell


def clocks(case: CaseFile) -> Section:
    """Every count that bears on the bill in question, each on a calendar."""
    if case.bill is None:
        return Section("days", "Counting the days", [Paragraph(cell=Cell("There is no bill to count from."))])
    blocks: list[AnyBlock] = [Paragraph(cell=Cell(_HOW))]
    for made in (_to_petition(case, case.bill), _to_pay(case, case.bill), _before_shutoff(case, case.bill)):
        blocks += made
    blocks += _notice(case)
    blocks += _contact(case)
    return Section("days", "Counting the days", blocks)


_HOW = (
    "Days are Pacific civil days. The first day is excluded and the last is included (Gov. Code 6800), so the day of"
    " the mailing, the receipt or the notice is day 0. Where the last day to do something falls on a day on which the"
    " offices are closed, nothing adverse is done before the next open day has passed. On the calendars day 0 has a"
    " dashed frame and the last day is dark; an arrow shows where it moved; closed days are hatched or have a dot."
)


def _absent(title: str, rule: Rule | None) -> list[AnyBlock]:
    why = f"{rule.id} ({rule.cite}): {rule.why}" if rule else "no rule book of that day has such a rule"
    return [Heading(text=title), Paragraph(cell=Cell(f"Not counted. {why[0].upper()}{why[1:]}."))]


def _to_petition(case: CaseFile, bill: Bill) -> list[AnyBlock]:
    petition = case.petition
    raised = (day for day in bill.raised if day <= case.at.date())
    day = petition.day if petition else max(raised, default=bill.mailed_on)
    then = case.under_rules_of(day)
    title = "Days to petition about the bill"
    if not then.in_force("petition_in_time"):
        return _absent(title, then.parameters.get("petition_in_time"))
    rule = then.parameters.rule("petition_in_time")
    found = petition_days(then, bill)
    count = calendar_days(found.received_on, rule.values["days"], then.calendar)
    zero = Cell("the bill was received, by the evidence recorded", tuple(bill.versions))
    if found.presumed:
        post = (found.received_on - found.mailed_on).days
        how = f"{counted(post, 'day')} after mailing on {said(found.mailed_on)}" if post else "the day it was sent"
        zero = Cell(f"the bill is presumed received, {how}", (bill.issued.version,))
    return _shown(Clock(title, rule, count, zero, "Last day to petition", _petitioned(then, count, petition)))


def _petitioned(then: Case, count: Count, petition: e.PetitionFiled | None) -> Cell:
    if petition is None:
        return Cell("No petition about this bill is recorded.")
    number, late = (petition.day - count.zero).days, max((petition.day - count.moved).days, 0)
    text = f"The petition of {timed(petition.filed_at)} came on day {number}"
    if number < 0:
        text = f"The petition of {timed(petition.filed_at)} came before that day"
    if not late:
        return Cell(f"{text}: in time.", (petition.version,))
    text += f": late by {counted(late, 'day')} for the company's policy."
    if then.in_force("sb998_appeal"):
        text += f" The statute sets no such limit ({then.rule_id('sb998_appeal')})."
    return Cell(text, (petition.version,), mark="against")


class _Zero(NamedTuple):
    """From which day a bill counts, as it stands at the moment judged, and until when it is not past due (DO-02 e)."""

    bill: Bill
    day: date
    past_due_from: date
    told: Cell


def _zero(case: CaseFile, bill: Bill) -> _Zero:
    judged = case.now.account
    bill = judged.bills.get(bill.id, bill)
    day, past_due_from = bill.clock(judged.unpaid(bill.id))
    increases = [
        event.version
        for event in case.known
        if isinstance(event, e.BillCorrected)
        and (event.bill, event.mailed_on) == (bill.id, day)
        and day > bill.mailed_on
    ]
    what = "the increase that is unpaid was mailed" if increases else "the bill was mailed"
    return _Zero(bill, day, past_due_from, Cell(what, tuple(increases) or (bill.issued.version,)))


def _to_pay(case: CaseFile, bill: Bill) -> list[AnyBlock]:
    zero = _zero(case, bill)
    then = case.under_rules_of(zero.day)
    rule = then.parameters.get("days_until_past_due")
    title = "Days until the bill is past due"
    if rule is None or rule.state != "in_force":
        return _absent(title, rule)
    count = calendar_days(zero.day, rule.values["days"], then.calendar)
    text = f"Past due from {dated(zero.past_due_from)}, literally"
    if count.moved > count.last:
        text += f"; nothing adverse before {dated(count.moved + ONE_DAY)}"
    return _shown(Clock(title, rule, count, zero.told, "Last day to pay in time", Cell(f"{text}.", zero.told.events)))


def _before_shutoff(case: CaseFile, bill: Bill) -> list[AnyBlock]:
    title = "Days to pay before the water may be turned off"
    zero, judged = _zero(case, bill), case.now.account
    _, shutoff_from = bill_clocks(zero.bill, judged, case.now.calendar, case.now.policies)
    then = case.under_rules_of(min(case.at.date(), shutoff_from))
    rule = then.parameters.get("days_to_pay")
    if rule is None or rule.state != "in_force" or not judged.residential:
        return _absent(title, rule)
    count = calendar_days(zero.day, rule.values["days"], then.calendar)
    text = f"By age alone a shutoff is possible from {dated(shutoff_from)}"
    if shutoff_from == FOR_EVER:
        text = "By age alone a shutoff is never possible: no rule says any more from when the bill is past due"
    cite = zero.told.events
    if case.shutoff:
        on = case.shutoff.made.day
        text += f"; the water was turned off on {dated(on)}, day {(on - zero.day).days}"
        cite += (case.shutoff.made.version,)
    return _shown(Clock(title, rule, count, zero.told, "Last day to pay", Cell(f"{text}.", cite)))


def _notice(case: CaseFile) -> list[AnyBlock]:
    title = "Days of the notice"
    for asked in filter(None, (case.then, case.now)):
        chosen = standing(asked)
        if chosen:
            return _of_standing(case, asked, chosen)
    served = [n for n in case.now.account.notices if n.kind in ("discontinuance", "final")]
    rule = case.now.parameters.get("notice_period")
    if not served or rule is None or rule.state != "in_force":
        why = "No notice of discontinuance had been served by the moment judged."
        return [Heading(text=title), Paragraph(cell=Cell(why))]
    last = served[-1]
    count = calendar_days(last.on, notice_days(case.now, last), case.now.calendar, moves=False)
    why = f"section 6 says why ({case.now.rule_id('notice_given')})"
    result = Cell(f"By then notice {last.notice} did not stand; {why}.", (last.version,))
    return _shown(Clock(f"{title} {last.notice}", rule, count, _served(last), "First day for a shutoff", result))


def _served(notice: e.NoticeServed) -> Cell:
    how = {"mail": "mailed", "posted": "posted", "hand": "handed over"}[notice.method]
    return Cell(f"notice {notice.notice} was {how}", (notice.version,))


def _of_standing(case: CaseFile, asked: Case, chosen: Standing) -> list[AnyBlock]:
    notice, calendar = chosen.notice, asked.calendar
    zero = _served(notice)
    if chosen.ran_from > notice.on:
        cite = (notice.version, *answers_on(asked, notice, chosen.ran_from))
        zero = Cell(f"the petition was answered; notice {notice.notice} of {said(notice.on)} runs anew", cite)
    if notice.kind == "final":
        rule = asked.parameters.rule("breach_notice")
        count = business_days(chosen.ran_from, chosen.days, calendar)
    else:
        rule = asked.parameters.rule("notice_period")
        count = calendar_days(chosen.ran_from, chosen.days, calendar, moves=False)
    text = f"From {dated(count.last)} the notice no longer stood in the way"
    if chosen.act_by:
        text += f"; the day it names to act by had passed from {dated(chosen.act_by + ONE_DAY)}"
    text += f"; it goes stale after {dated(chosen.stale_after)}."
    return _shown(
        Clock(
            f"Days of the notice {notice.notice}",
            rule,
            count,
            zero,
            "First day for a shutoff",
            Cell(text, (notice.version,)),
        )
    )


def _contact(case: CaseFile) -> list[AnyBlock]:
    """The business days after the written notice or the contact, where the statute has them."""
    for asked, said_of in ((case.then, case.said_then), (case.now, case.said_now)):
        verdict = next((v for v in said_of.rules if v.function == "sb998_delinquency"), None) if said_of else None
        if asked is None or verdict is None or "contact" not in verdict.facts:
            continue
        rule = asked.parameters.rule("sb998_delinquency")
        days: int = rule.values["contact_business_days"]
        facts: dict[str, Any] = verdict.facts
        count = business_days(facts["contact"], days, asked.calendar)
        zero = Cell("the customer was first told since the bill was delinquent", verdict.events)
        result = Cell(f"From {dated(count.last)} the statute's {days} business days had passed.", verdict.events)
        title = "Business days after the customer was told"
        return _shown(Clock(title, rule, count, zero, "First day for a shutoff", result))
    return []


def _shown(clock: Clock) -> list[AnyBlock]:
    count, rule = clock.count, clock.rule
    last = count.ends
    unit = "business day" if count.business else "day"
    closed = f" ({last.closed})" if last.closed else ""
    rows = [
        ("Day 0, not counted", Cell(f"{dated(count.zero)}: {clock.zero.text}", clock.zero.events)),
        ("First day counted", Cell(dated(count.first))),
        (clock.last_label, Cell(f"{dated(count.last)}, {unit} {last.number}{closed}")),
    ]
    if count.moved > count.last:
        rows.append(("Moved to", Cell(f"{dated(count.moved)}, the next day on which the offices are open")))
    rows.append(("Skipped" if count.business else "Closed, and counted", Cell(_closed(count))))
    rows.append(("So", clock.result))
    version = f"in force since {said(rule.version.since)}" + (", assumed" if rule.assumed else "")
    caption, number = f"{clock.title}, day by day", counted(last.number or 0, unit)
    return [
        Heading(text=clock.title),
        Paragraph(cell=Cell(f"{rule.id}: {number}.", sub=f"{rule.cite}; {version}; {rule.source}")),
        Days(caption=caption, rows=rows, months=list(_months(count))),
    ]


def _closed(count: Count) -> str:
    closed = [day for day in count.closed if day.on <= count.last or not count.business]
    weekends = [day for day in closed if day.closed in ("Saturday", "Sunday")]
    named = [f"{dated(day.on)} ({day.closed})" for day in closed if day not in weekends]
    if weekends:
        found = [(sum(day.closed == name for day in weekends), name) for name in ("Saturday", "Sunday")]
        named.insert(0, " and ".join(counted(number, name) for number, name in found if number))
    return "; ".join(named) or "none"


def _months(count: Count) -> Iterator[MonthOfDays]:
    met = {day.on: day for day in count.days}
    year, month = count.zero.year, count.zero.month
    while (year, month) <= (count.moved.year, count.moved.month):
        first = date(year, month, 1)
        boxes: list[Box | None] = [None] * ((first.weekday() + 1) % 7)
        boxes += [_box(date(year, month, day), met) for day in range(1, monthrange(year, month)[1] + 1)]
        boxes += [None] * (-len(boxes) % 7)
        yield MonthOfDays(f"{MONTHS[month - 1]} {year}", [boxes[at : at + 7] for at in range(0, len(boxes), 7)])
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _box(on: date, met: dict[date, CountedDay]) -> Box:
    day = met.get(on)
    return Box(on, on.day, day.role, day.number, day.closed) if day else Box(on, on.day, "outside")
