"""Revenue not billed yet at the end of a day: the days since each account's last bill, at that bill's daily rate."""

from collections.abc import Iterable
from datetime import date, datetime
from fractions import Fraction

from commands.answers import Answer, When, asked, day_of, stood
from commands.tables import Column, Page, Table, day
from ledger.account import Account, Bill
from ledger.calendar import ONE_DAY
from ledger.history import History
from ledger.money import half_up, money
from ledger.showing import plain

LONGEST = 100
"""Days without a bill over which nothing is estimated: more than two months, and the time to read and mail the bill."""


def unbilled(histories: Iterable[History], when: When, known_at: datetime | None = None) -> Answer:
    """What each account used and was not billed for: the days since its last bill's period at that bill's daily rate.

    A period ends before the day of its last read, which is the first unbilled day; an account closed by then is
    counted up to its closing. Cents are rounded half-up for each account. Accounts are named apart where there is
    nothing to estimate from: no bill with a period, or more than LONGEST days without one.
    """
    on = day_of(when)
    rows: list[Answer] = []
    apart: list[Answer] = []
    total = 0
    for history in histories:
        account = stood(history, asked(when), known_at)
        if account is None:
            continue
        bill, last = _last_bill(account), _last_day(account, on)
        started, ended = (bill.issued.period_start, bill.issued.period_end) if bill else (None, None)
        days = (last - ended + ONE_DAY).days if ended else 0
        if account.opened is None or (account.closed_on and days <= 0):
            continue
        if bill is None or started is None or ended is None or days > LONGEST:
            apart.append(
                {"account": account.id, "because": f"unbilled for {days} days" if days else "no period billed"}
            )
        elif days > 0:
            rate = Fraction(bill.amount, (ended - started).days)
            total += half_up(rate * days)
            rows.append(
                {
                    "account": account.id,
                    "bill": bill.id,
                    "amount": money(bill.amount),
                    "period_start": plain(started),
                    "period_end": plain(ended),
                    "daily": money(half_up(rate)),
                    "days": days,
                    "unbilled": money(half_up(rate * days)),
                }
            )
    return {
        "on": plain(on),
        "known_at": plain(known_at),
        "rows": rows,
        "not_estimated": apart,
        "totals": {"accounts": len(rows), "unbilled": money(total)},
    }


def _last_bill(account: Account) -> Bill | None:
    """The bill that stands whose period ends last."""
    stand = (bill for bill in account.bills.values() if bill.voided_on is None and bill.issued.period_end)
    return max(stand, key=lambda bill: bill.issued.period_end or date.min, default=None)


def _last_day(account: Account, on: date) -> date:
    return min(on, account.closed_on - ONE_DAY) if account.closed_on else on


_COLUMNS = (
    Column("account"),
    Column("bill", wraps=True),
    Column("amount", "money"),
    Column("period_start", "day", "from"),
    Column("period_end", "day", "to"),
    Column("daily", "money"),
    Column("days", "integer", "unbilled days"),
    Column("unbilled", "money"),
)
_APART = (Column("account"), Column("because", wraps=True))


def page(answer: Answer) -> Page:
    """The estimate account by account, with its total, and what was not estimated."""
    title = f"Unbilled at the end of {day(answer['on'])}: days since the last bill's period, at its daily rate"
    total = {"account": "total", "unbilled": answer["totals"]["unbilled"]}
    return Page(
        [],
        [
            Table("unbilled", _COLUMNS, answer["rows"], title, total),
            Table("not_estimated", _APART, answer["not_estimated"], "Not estimated"),
        ],
    )
