"""What the questions about one account answer: plain values that turn into the contract's JSON as they are.

Every answer takes the account's history, the calendar and the rules, `when` in the world (a day means its end) and
`known_at`, the moment of knowing. Nothing here asks a store or a clock. The rules are imported by the answers that need
them: a balance need not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from ledger import events as e
from ledger import moments
from ledger.account import Account, Bill
from ledger.calendar import PACIFIC
from ledger.history import History, happened
from ledger.money import decimals, money
from ledger.refusal import Refused
from ledger.showing import fields, plain

if TYPE_CHECKING:
    from ledger.calendar import Calendar
    from ledger.policy.parameters import Policies
    from ledger.usage import Month

Answer = dict[str, Any]
"""What a question answers: its fields by the contract's names, money and days as text."""
When = date | datetime
"""A day, which means its end, or a moment."""
Opened = Callable[[e.Event], e.Event]
"""Gives an event back with its personal fields readable."""

MONTHS_OF_BILLS = 36
"""How far back `status` lists bills."""


def balance(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """What the account owes, what of it is past due, and what is held for it."""
    when = asked(when)
    return _balance(history.as_of(when, known_at), when)


def status(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """The balance, the stage, each bill with its clocks, what protects the account, and whether the water is on."""
    from ledger.policy.arrangements import add_months
    from ledger.policy.case import Case
    from ledger.policy.explain import stage
    from ledger.policy.protections import protections

    when = asked(when)
    account = history.as_of(when, known_at)
    case = Case(account, moment_of(when), calendar, policies)
    first = add_months(case.on, -MONTHS_OF_BILLS)
    bills = sorted(account.bills.values(), key=lambda bill: (bill.mailed_on, bill.issued.version))
    return _balance(account, when) | {
        "stage": stage(case),
        "bills": [_bill(bill, account, calendar, policies) for bill in bills if bill.mailed_on >= first],
        "protections": [plain(protection) for protection in protections(case)],
        "service": "off" if account.off else "on",
    }


def explain(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """May service be discontinued for nonpayment at that moment, and what does every rule say?"""
    from ledger.policy import explain as rules
    from ledger.policy.case import Case

    at = moment_of(when)
    found = rules.explain(Case(history.as_of(at, known_at), at, calendar, policies))
    return {
        "account": history.account,
        "at": plain(at),
        "known_at": plain(known_at),
        "allowed": found.allowed,
        "layers": dict(found.layers),
        "earliest": plain(found.earliest),
        "rules": [_verdict(verdict) for verdict in found.rules],
    }


def reconnection(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """What it takes to turn the water on again at that moment."""
    from ledger.policy import reconnection as rules
    from ledger.policy.case import Case

    at = moment_of(when)
    found = rules.reconnection(Case(history.as_of(at, known_at), at, calendar, policies))
    return {
        "account": history.account,
        "at": plain(at),
        "known_at": plain(known_at),
        "allowed": found.allowed,
        "because": found.because,
        "amount_to_pay": money(found.amount_to_pay),
        "fee": money(found.fee),
        "deposit_required": money(found.deposit_required),
        "rules": [_verdict(verdict) for verdict in found.rules],
    }


def usage(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """Average daily use of as many completed months as the portal shows, and the current one (CW-09, CW-11)."""
    from ledger.usage import metering, monthly

    when = asked(when)
    account, on = history.as_of(when, known_at), day_of(when)
    metered = metering(account)
    shown = 1 + policies.on(on, account.district).value("usage_history", "months")
    found = monthly(metered, on, shown, still_open=account.closed_on is None)
    return {
        "account": account.id,
        "on": plain(on),
        "unit": metered.unit if metered else None,
        "months": [_month(month) for month in found],
    }


def statement(
    history: History, calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """Every movement of the balance in effective order, each with the balance after it."""
    from ledger.movements import movements

    running, lines = 0, []
    for step in movements(history.effective(history.known(known_at), asked(when))):
        if step.book == "balance":
            running += step.amount
            lines.append(
                {
                    "on": plain(step.on),
                    "recorded_at": plain(step.event.recorded_at),
                    "version": step.event.version,
                    "kind": step.kind,
                    "reference": step.reference,
                    "amount": money(step.amount),
                    "balance": money(running),
                }
            )
    return {"account": history.account, "on": plain(day_of(when)), "balance": money(running), "lines": lines}


def recorded(
    history: History, opened: Opened, when: When | None = None, known_at: datetime | None = None
) -> Iterator[Answer]:
    """Every event known by `known_at`, in the order recorded; with `when`, those that had happened by then."""
    for event in history.known(known_at):
        if when is None or happened(event, asked(when)):
            yield _recorded(opened(event))


def asked(when: When) -> When:
    """What was asked for: a moment on the Pacific clock, or the day where only that was given."""
    if not isinstance(when, datetime):
        return when
    return when.date() if moments.is_bare(when) else moments.pacific(when)


def moment_of(when: When) -> datetime:
    """A moment itself; of a day, its last one."""
    when = asked(when)
    return when if isinstance(when, datetime) else datetime.combine(when, time.max, PACIFIC)


def stood(history: History, when: When, known_at: datetime | None = None) -> Account | None:
    """The account as it stood at `when`; None where it was not known at `known_at`, and so is passed over."""
    try:
        return history.as_of(when, known_at)
    except Refused:
        return None


def check_period(first: date | None, last: date | None) -> None:
    """Raises Refused for a period that ends before it begins."""
    if first and last and last < first:
        raise Refused("invalid_period", f"the period ends on {last}, before it begins on {first}; swap the days")


def cents_of(amount: str) -> int:
    """The cents of an amount in an answer; a sum may be over the largest amount that may be entered."""
    return int(amount.replace(".", ""))


def day_of(when: When) -> date:
    """The Pacific civil day of a moment; a day itself."""
    when = asked(when)
    return when.date() if isinstance(when, datetime) else when


def _balance(account: Account, when: When) -> Answer:
    on = day_of(when)
    echo = {"on": plain(on), "at": plain(when)} if isinstance(when, datetime) else {"on": plain(on)}
    return {
        "account": account.id,
        **echo,
        "balance": money(account.balance),
        "past_due": money(account.past_due(on)),
        "credit": money(account.credit),
        "deposit": money(account.deposit),
        "commission_deposit": money(account.commission_deposit),
        "disputed": money(account.disputed),
    }


def _bill(bill: Bill, account: Account, calendar: Calendar, policies: Policies) -> Answer:
    from ledger.policy.clocks import bill_clocks

    unpaid = account.unpaid(bill.id)
    _, past_due_from = bill.clock(unpaid)
    grace_until, shutoff_from = bill_clocks(bill, account, calendar, policies)
    return {
        "bill": bill.id,
        "kind": bill.issued.kind,
        "mailed_on": plain(bill.mailed_on),
        "amount": money(bill.amount),
        "unpaid": money(unpaid),
        "past_due_from": plain(past_due_from),
        "grace_until": plain(grace_until),
        "shutoff_from": plain(shutoff_from),
        "voided_on": plain(bill.voided_on),
    }


def _verdict(verdict: Any) -> Answer:
    names = ("rule", "layer", "verdict", "because", "facts", "events", "cite", "since")
    return {name: plain(getattr(verdict, name)) for name in names}


def _month(month: Month) -> Answer:
    average, literal = month.average, month.literal
    return {
        "month": month.month,
        "average_daily": None if average is None else decimals(average),
        "exact": None if average is None else str(average),
        "literal": None if literal is None else decimals(literal),
        "days": month.days,
        "covered_days": month.covered_days,
        "state": month.state,
        "estimated": month.estimated,
        "flags": list(month.flags),
    }


def _recorded(event: e.Event) -> Answer:
    shown = {
        "version": event.version,
        "type": event.type,
        "effective": plain(event.effective),
        "recorded_at": plain(event.recorded_at),
        "learned_at": plain(event.learned_at),
        "actor": event.actor,
        "source": event.source,
        "data": {name: show(getattr(event, name)) for name, show in fields(type(event))},
    }
    beside = {"flags": list(event.flags), "note": event.note, "command": event.command}
    return shown | {name: value for name, value in beside.items() if value}
