"""What several commands ask of an account before they record: is the thing there, is the day possible."""

from datetime import date, datetime, time

from ledger.account import Account, Bill
from ledger.calendar import PACIFIC
from ledger.context import Context
from ledger.movements import Book, movements
from ledger.policy.parameters import Parameters
from ledger.refusal import Refused


def the_bill(account: Account, bill: str) -> Bill:
    """The bill by that name; raises Refused if the account has none."""
    found = account.bills.get(bill)
    if found is None:
        raise missing("bill", bill, account)
    return found


def missing(what: str, name: str, account: Account) -> Refused:
    """The refusal for a thing that the account does not have."""
    return Refused(f"unknown_{what}", f"account {account.id} has no {what} {name}; record it first", field=what)


def not_before(what: str, name: str, happened: date | datetime, on: date | datetime) -> None:
    """Nothing follows from a thing before it happened; raises Refused."""
    first, later = (w.date() if isinstance(w, datetime) else w for w in (happened, on))
    if later < first:
        raise Refused("too_early", f"{what} {name} is of {first}, so this cannot be of {later}; correct the day")


def least_held(context: Context, book: Book, on: date, reference: str | None = None) -> int:
    """The least cents that a book, or one deposit or appeal in it, holds at the end of any day from `on` on.

    What is taken out on `on` is missing on every later day too, where more may have been taken already.
    """
    held, least, day = 0, None, date.min
    for movement in movements(context.history.effective(context.history.events)):
        if movement.book != book or reference not in (None, movement.reference):
            continue
        if movement.on > max(day, on):
            least = held if least is None else min(least, held)
        held, day = held + movement.amount, movement.on
    return held if least is None else min(least, held)


def broken(parameters: Parameters, *functions: str) -> tuple[str, ...]:
    """The ids of rules that a fact broke, for its flags; a rule not in force then was not broken."""
    return tuple(parameters.id_of(function) for function in functions if parameters.in_force(function))


def end_of(day: date) -> datetime:
    """The last moment of a day: a decision of which only the day is known looks at all that happened on it."""
    return datetime.combine(day, time.max, PACIFIC)
