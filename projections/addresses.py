"""Which accounts an address belongs to, found by its keyed digest."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from projections.catalogue import unpack
from projections.store import Views


class Use(NamedTuple):
    """An account that used an address: as what, from when, and until when where that has ended."""

    account: str
    used_as: str
    since: date
    until: date | None


def uses(views: Views, digest: str) -> Iterator[Use]:
    """Who uses or used the address with that digest; raises StoreError where rows were never made."""
    shown = views.shown()
    assert shown is not None, "whoever looks has brought the rows up to date"
    query = (
        f"SELECT account, logins, billing_emails FROM {{s}}{shown.table} WHERE logins LIKE ? OR billing_emails LIKE ?"
    )
    for account, logins, emails in sorted(views.database.run(query, (f"%{digest}%", f"%{digest}%"))):
        for row in unpack("logins", logins):
            if row.login == digest:
                yield Use(account, "login", row.linked_on, row.unlinked_on)
        for row in unpack("billing_emails", emails):
            if row.billing_email == digest:
                yield Use(account, "billing_email", row.given_on, row.replaced_on)
