"""What the questions about all accounts answer: receivables by age, control totals, what needs doing.

One account is held at a time; those not known at the moment of knowing are passed over. An account comes as its
history, which is folded, or as its rows where they tell the same (`SOURCES`).
"""

from collections.abc import Iterable
from datetime import date, datetime

from commands.answers import Answer, When, asked, check_period, day_of, stood
from commands.cutoff import Cutoff
from commands.worklist import SOURCE as WORKLIST
from commands.worklist import worklist
from ledger.account import Account
from ledger.calendar import ONE_DAY, Calendar
from ledger.closing import Totals
from ledger.history import History
from ledger.money import money
from ledger.movements import KINDS, movements
from ledger.policy.parameters import Policies
from ledger.showing import plain
from projections.kept import Kept, Source

__all__ = ["SOURCES", "aging", "trial_balance", "worklist"]

AGES: tuple[tuple[str, int | None], ...] = (
    ("current", 0),
    ("days_1_30", 30),
    ("days_31_60", 60),
    ("days_61_90", 90),
    ("over_90", None),
)
"""The ages of a receivable and the last day of each, counted so that the first past-due day is day 1."""


def aging(
    accounts: Iterable[History | Kept],
    calendar: Calendar,
    policies: Policies,
    when: When,
    known_at: datetime | None = None,
) -> Answer:
    """What each account owes by how long it has been past due, less its credit; accounts with nothing are left out."""
    when, on = asked(when), day_of(when)
    names = [name for name, _ in AGES] + ["credit", "balance"]
    totals = dict.fromkeys(names, 0)
    rows = []
    for found in accounts:
        if isinstance(found, Kept):
            row = _aged_rows(found, on)
        elif account := stood(found, when, known_at):
            row = _aged(account, on)
        else:
            continue
        if any(row.values()):
            rows.append({"account": found.account} | {name: money(row[name]) for name in names})
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
    accounts: Iterable[History | Kept],
    calendar: Calendar,
    policies: Policies,
    when: When,
    known_at: datetime | None = None,
    first: date | None = None,
    cutoff: bool = False,
) -> Answer:
    """The control totals from `first` (else from the beginning) to `when`: opening, movements by kind, closing.

    `closing` is what the accounts' states come to; `difference` is what opening and movements leave unexplained, and is
    over or under zero only if there is a fault. `cutoff` adds the entries that a cut-off by the other date would move.
    """
    when, last = asked(when), day_of(when)
    check_period(first, last)
    totals, cut = Totals(first), Cutoff(first, when)
    for found in accounts:
        if isinstance(found, Kept):
            _total_rows(totals, found, last)
        elif account := stood(found, when, known_at):
            known = found.known(known_at)
            totals.take(account, movements(found.effective(known, when)))
            if cutoff:
                cut.take(found.account, known)
    answer: Answer = {"from": plain(first), "to": plain(last), "known_at": plain(known_at), "accounts": totals.accounts}
    for book in KINDS:
        answer[book] = {
            "opening": money(totals.opening[book]),
            "movements": {kind: money(amount) for kind, amount in totals.moved[book].items()},
            "closing": money(totals.closing[book]),
            "difference": money(totals.difference(book)),
        }
    return answer | ({"cutoff": cut.answer()} if cutoff else {})


def _total_rows(totals: Totals, kept: Kept, last: date) -> None:
    """As `Totals.take`: what the account holds now, less what moved after the period, is what it held at its end."""
    (about,), (state,) = kept.rows("accounts"), kept.rows("balances")
    totals.accounts += about.opened_on is not None and about.opened_on <= last
    for book in KINDS:
        totals.closing[book] += getattr(state, book)
    for row in kept.rows("receivables"):
        if row.on_day <= last:
            totals.move(row.book, row.on_day, row.kind, row.amount)
        else:
            totals.closing[row.book] -= row.amount


def _moved_by(kept: Kept, when: When) -> bool:
    """Whether each movement was clearly before or after: of one on the day of a moment, rows do not know the hour."""
    (account,) = kept.rows("accounts")
    if account.opened_on is None:
        return False
    return not isinstance(when, datetime) or all(row.on_day != when.date() for row in kept.rows("receivables"))


def _never(kept: Kept, when: When) -> bool:
    return False


CUTOFF = Source(("accounts",), _never)
"""The cut-off is folded: what was learned later may change what moved before, and have no row of its own."""

SOURCES = {
    "aging": Source(("accounts", "balances", "unpaid"), Kept.happened_by),
    "trial_balance": Source(("accounts", "balances", "receivables"), _moved_by),
    "worklist": WORKLIST,
}
"""What each question may be answered from besides the histories."""


def _age(past_due_from: date | None, on: date) -> str:
    age = (on - past_due_from + ONE_DAY).days if past_due_from else 0
    return next(name for name, most in AGES if most is None or age <= most)


def _aged_rows(kept: Kept, on: date) -> dict[str, int]:
    row = dict.fromkeys((name for name, _ in AGES), 0)
    for part in kept.rows("unpaid"):
        row[_age(part.past_due_from, on)] += part.unpaid
    (state,) = kept.rows("balances")
    return row | {"credit": state.credit, "balance": state.balance}


def _aged(account: Account, on: date) -> dict[str, int]:
    row = dict.fromkeys((name for name, _ in AGES), 0)
    for charge, unpaid in account.settled.open():
        for part, share in charge.shares(unpaid):
            row[_age(part.past_due_from, on)] += share
    return row | {"credit": account.credit, "balance": account.balance}
