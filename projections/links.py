"""Portal log-ins, addresses of bills and automatic payment (CW-01 to CW-08)."""

from collections.abc import Iterator
from datetime import date

from ledger import events as e
from projections.rows import Folded, Row

_GIVEN = (e.AccountOpened, e.AccountCorrected)

LOOKED_UP = tuple(kind.__name__ for kind in (e.LoginLinked, e.LoginUnlinked, *_GIVEN))
"""The events with an address that the rows are found by."""


def address_in(event: e.Event) -> tuple[str, str] | None:
    """The field and the sealed address by which the rows of an event are found; None where it has none."""
    if isinstance(event, e.LoginLinked | e.LoginUnlinked):
        return "login", event.login
    if isinstance(event, _GIVEN) and event.billing_email is not None:
        return "billing_email", event.billing_email
    return None


class LoginRow(Row, frozen=True):
    """A log-in that may see the account, by the keyed digest of its address; empty where the address was erased."""

    login: str | None
    linked_on: date
    unlinked_on: date | None
    version: int


class BillingEmailRow(Row, frozen=True):
    """An address that bills went to, by its keyed digest; empty where the address was erased."""

    billing_email: str | None
    given_on: date
    replaced_on: date | None
    version: int


class AutopayRow(Row, frozen=True):
    """A time in which bills are paid by themselves; the last one has no end while it lasts."""

    n: int
    enrolled_on: date
    method: e.PaymentMethod | None
    cancelled_on: date | None


def logins(seen: Folded) -> Iterator[LoginRow]:
    """Every log-in ever linked, with the day on which it was unlinked; linked again, it has a further row."""
    found: dict[str | None, list[LoginRow]] = {}
    account = seen.account
    for event in account.logins:
        login = seen.world.lookup(account.id, "login", event.login)
        rows = found.setdefault(login, [])
        if isinstance(event, e.LoginLinked):
            # Linked already, it goes on: with another nickname, or written in capitals.
            if login is None or not rows or rows[-1].unlinked_on is not None:
                rows.append(LoginRow(login, event.on, None, event.version))
        elif rows and rows[-1].unlinked_on is None:
            rows[-1] = LoginRow(login, rows[-1].linked_on, event.on, rows[-1].version)
    yield from sorted((row for rows in found.values() for row in rows), key=lambda row: row.version)


def billing_emails(seen: Folded) -> Iterator[BillingEmailRow]:
    """Every address ever given for bills, with the day on which another took its place."""
    rows: list[BillingEmailRow] = []
    for event in seen.account.customer_events:
        if event.billing_email is None:
            continue
        if rows:
            last = rows[-1]
            rows[-1] = BillingEmailRow(last.billing_email, last.given_on, event.day, last.version)
        address = seen.world.lookup(seen.account.id, "billing_email", event.billing_email)
        rows.append(BillingEmailRow(address, event.day, None, event.version))
    yield from rows


def autopay(seen: Folded) -> Iterator[AutopayRow]:
    """Every enrollment, with the day on which it was cancelled, or another took its place."""
    rows: list[AutopayRow] = []
    for event in seen.account.enrollments:
        if rows and rows[-1].cancelled_on is None:
            last = rows[-1]
            rows[-1] = AutopayRow(last.n, last.enrolled_on, last.method, event.on)
        if isinstance(event, e.AutopayEnrolled):
            rows.append(AutopayRow(len(rows) + 1, event.on, event.method, None))
    yield from rows
