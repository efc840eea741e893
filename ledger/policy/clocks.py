"""The clocks of a bill: past due, the last day in grace, the first day of a shutoff by age alone (DO-02, DO-04, C2)."""

from datetime import date, timedelta
from functools import lru_cache

from ledger.account import Account, Bill
from ledger.calendar import ONE_DAY, Calendar
from ledger.events import RuleVersion
from ledger.policy.parameters import Parameters, Policies


def past_due_from(mailed_on: date, parameters: Parameters) -> tuple[date, RuleVersion]:
    """The first day on which what was charged that day is past due, literally, and the rule that says so (DO-02).

    Bills of every kind have the same days: the text speaks of monthly and bimonthly ones, and names no other term.
    Raises NoVersion where no rule says it of that day.
    """
    days = parameters.value("days_until_past_due", "days")
    return mailed_on + timedelta(days=days + 1), parameters.rule("days_until_past_due").version


def bill_clocks(bill: Bill, account: Account, calendar: Calendar, policies: Policies) -> tuple[date, date]:
    """`grace_until` and `shutoff_from` of a bill by its `clock`, both counted to days that the offices are open.

    `shutoff_from` is the last day of the calendar where no rule will ever say from when the bill is past due.
    """
    clock = bill.clock(account.unpaid(bill.id))
    return clocks_from(*clock, account.residential, account.district, calendar, policies)


def clocks_from(
    mailed_on: date, past_due: date, residential: bool, district: str | None, calendar: Calendar, policies: Policies
) -> tuple[date, date]:
    """As `bill_clocks`, by all that they hang on: many bills share it."""
    grace_until = calendar.next_open(past_due - ONE_DAY)
    return grace_until, _shutoff_from(mailed_on, past_due, residential, district, calendar, policies)


# Many accounts share a mailing day, and a rebuild asks for every bill.
@lru_cache(maxsize=4096)
def _shutoff_from(
    mailed_on: date, past_due: date, residential: bool, district: str | None, calendar: Calendar, policies: Policies
) -> date:
    day = past_due
    while True:
        book = policies.on(day, district)
        last = calendar.next_open(_last_day(mailed_on, past_due, residential, book))
        if last < day and book.in_force("days_until_past_due"):
            return day
        turn = policies.turn_after(day)
        if last < day and turn == date.max:
            return turn  # no rule will ever say from when it is past due
        # Another rule book may hold before that day is over; it is asked from its own first day.
        day = min(max(last, day) + ONE_DAY, turn)


def _last_day(mailed_on: date, past_due: date, residential: bool, book: Parameters) -> date:
    last = past_due - ONE_DAY
    if not residential:
        return last
    for function, key, start in (
        ("days_to_pay", "days", mailed_on),
        ("statutory_notice", "days_to_pay", mailed_on),
        ("sb998_delinquency", "days", last),
    ):
        days = book.find(function, key)
        if days is not None:
            last = max(last, start + timedelta(days=days))
    return last
