"""Who the customers are and what they owe: one row for each account."""

from collections.abc import Iterator
from datetime import date

from ledger import events as e
from ledger.moments import shown
from projections.rows import Folded, Moment, Row


class AccountRow(Row, frozen=True):
    """An account as it stands: what the service is, since when it is off or closed, and how much is recorded of it."""

    version: int
    opened_on: date | None
    closed_on: date | None
    off_since: Moment | None
    service_class: e.ServiceClass
    dwelling: e.Dwelling
    occupancy: e.Occupancy
    billing: e.Billing
    district: str | None
    language: e.Language
    low_income: bool
    last_event_on: date


class BalanceRow(Row, frozen=True):
    """What an account owes and what is held for it (DO-26, DO-32)."""

    balance: int
    credit: int
    deposit: int
    commission_deposit: int
    disputed: int


def accounts(seen: Folded) -> Iterator[AccountRow]:
    """One row for each account."""
    a = seen.account
    yield AccountRow(
        version=a.version,
        opened_on=a.opened.opened_on if a.opened else None,
        closed_on=a.closed_on,
        off_since=shown(a.off.made.effective) if a.off else None,
        service_class=a.service_class,
        dwelling=a.dwelling,
        occupancy=a.occupancy,
        billing=a.billing,
        district=a.district,
        language=a.language,
        low_income=a.low_income,
        last_event_on=seen.history[-1].day,
    )


def balances(seen: Folded) -> Iterator[BalanceRow]:
    """One row for each account."""
    a = seen.account
    yield BalanceRow(a.balance, a.credit, a.deposit, a.commission_deposit, a.disputed)
