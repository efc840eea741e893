"""What the questions about all accounts answer: receivables by age, control totals, what needs doing.

One account is held at a time; those not known at the moment of knowing are passed over.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from commands.answers import Answer, When, asked, day_of
from commands.worklist import worklist
from ledger.account import Account
from ledger.calendar import ONE_DAY, Calendar
from ledger.charges import Charge
from ledger.history import History
from ledger.money import money
from ledger.movements import KINDS, Book, movements
from ledger.policy.parameters import Policies
from ledger.refusal import Refused
from ledger.showing import plain

__all__ = ["aging", "trial_balance", "worklist"]

AGES: tuple[tuple[str, int | None], ...] = (
    ("current", 0),
    ("days_1_30", 30),
    ("days_31_60", 60),
    ("days_61_90", 90),
    ("over_90", None),
)
"""The ages of a receivable and the last day of each, counted so that the first past-due day is day 1."""


def aging(
    histories: Iterable[History], calendar: Calendar, policies: Policies, when: When, known_at: datetime | None = None
) -> Answer:
    """What each account owes by how long it has been past due, less its credit; accounts with nothing are left out."""
    when, on = asked(when), day_of(when)
    names = [name for name, _ in AGES] + ["credit", "balance"]
    totals = dict.fromkeys(names, 0)
    rows = []
    for history in histories:
        account = _known(history, when, known_at)
        if account is None:
            continue
        row = _aged(account, on)
        if any(row.values()):
            rows.append({"account": account.id} | {name: money(row[name]) for name in names})
            for name in names:
                totals[name] += row[name]
    return {
        "on": plain(on),
        "known_at": plain(known_at),
        "accounts": len(rows),
        "rows": rows,
        "totals": {name: money(totals[name]) for name in names},
    }


def trial_balance(
    histories: Iterable[History],
    calendar: Calendar,
    policies: Policies,
    when: When,
    known_at: datetime | None = None,
    first: date | None = None,
) -> Answer:
    """The control totals from `first` (else from the beginning) to `when`: opening, movements by kind, closing.

    `closing` is what the accounts' states come to; `difference` is what opening and movements leave unexplained, and is
    over or under zero only if there is a fault.
    """
    when, last = asked(when), day_of(when)
    if first and last < first:
        raise Refused("invalid_period", f"the period ends on {last}, before it begins on {first}; swap the days")
    opening = dict.fromkeys(KINDS, 0)
    closing = dict.fromkeys(KINDS, 0)
    moved = {book: dict.fromkeys(kinds, 0) for book, kinds in KINDS.items()}
    counted = 0
    for history in histories:
        account = _known(history, when, known_at)
        if account is None:
            continue
        counted += 1
        for book, amount in _held(account).items():
            closing[book] += amount
        for step in movements(history.effective(history.known(known_at), when)):
            if first and step.on < first:
                opening[step.book] += step.amount
            else:
                moved[step.book][step.kind] += step.amount
    answer: Answer = {"from": plain(first), "to": plain(last), "known_at": plain(known_at), "accounts": counted}
    for book in KINDS:
        answer[book] = _control(opening[book], moved[book], closing[book])
    return answer


def _control(opening: int, moved: dict[str, int], closing: int) -> Answer:
    return {
        "opening": money(opening),
        "movements": {kind: money(amount) for kind, amount in moved.items()},
        "closing": money(closing),
        "difference": money(closing - opening - sum(moved.values())),
    }


def _held(account: Account) -> dict[Book, int]:
    return {
        "balance": account.balance,
        "deposit": account.deposit,
        "commission_deposit": account.commission_deposit,
    }


def _aged(account: Account, on: date) -> dict[str, int]:
    row = dict.fromkeys((name for name, _ in AGES), 0)
    for charge in account.settled.charges:
        for past_due_from, share in _unpaid_parts(charge, account.settled.unpaid(charge.id)):
            age = (on - past_due_from + ONE_DAY).days if past_due_from else 0
            row[next(name for name, most in AGES if most is None or age <= most)] += share
    return row | {"credit": account.credit, "balance": account.balance}


def _unpaid_parts(charge: Charge, unpaid: int) -> Iterator[tuple[date | None, int]]:
    for part in reversed(charge.parts):
        share = min(unpaid, part.amount)
        unpaid -= share
        if share:
            yield part.past_due_from, share


def _known(history: History, when: When, known_at: datetime | None) -> Account | None:
    """The account as it stood, or None where it was not known yet."""
    try:
        return history.as_of(when, known_at)
    except Refused:
        return None
