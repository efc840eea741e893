"""Average daily use of every month that the meters cover (CW-10, CW-11)."""

from collections.abc import Iterator
from datetime import date

from ledger.calendar import ONE_DAY
from ledger.events import Unit
from ledger.money import quotient
from ledger.usage import State, monthly
from projections.rows import Folded, Row


class DailyUsageRow(Row, frozen=True):
    """A month's average daily use over the days covered: six decimals, and exact as a fraction.

    The months run from the first read to the last; a month without a read after it is not known yet and has no row.
    """

    month: str
    unit: Unit
    average_daily: str | None
    exact: str | None
    days: int
    covered_days: int
    state: State
    estimated: bool
    flags: str


def daily_usage(seen: Folded) -> Iterator[DailyUsageRow]:
    """Every month from the first period to the last, the oldest first."""
    metered = seen.metered
    if metered is None or not metered.covered:
        return
    first, last = metered.covered[0][0], metered.covered[-1][1] - ONE_DAY
    count = _months_from(first, last)
    for month in monthly(metered, last, count, still_open=seen.account.closed_on is None):
        above, below = month.above, month.below
        yield DailyUsageRow(
            month.month,
            metered.unit,
            quotient(above, below) if below else None,
            (f"{above}/{below}" if below != 1 else str(above)) if below else None,
            month.days,
            month.covered_days,
            month.state,
            month.estimated,
            " ".join(month.flags) if month.flags else "",
        )


def _months_from(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month + 1
