"""Every projection by its name, and the rows of one account in the form in which they are kept."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec

from projections.balances import AccountRow, BalanceRow, accounts, balances
from projections.daily_usage import DailyUsageRow, daily_usage
from projections.delinquency import DelinquencyRow, ProtectionRow, delinquency, protections
from projections.links import AutopayRow, BillingEmailRow, LoginRow, autopay, billing_emails, logins
from projections.receivables import BillRow, ReceivableRow, UnpaidRow, bills, receivables, unpaid
from projections.registers import (
    AppealRow,
    ArrangementRow,
    DepositRow,
    DisputeRow,
    InstallmentRow,
    NoticeRow,
    ShutoffRow,
    appeals,
    arrangements,
    deposits,
    disputes,
    installments,
    notices,
    shutoffs,
)
from projections.rows import Folded, Projection, Row
from projections.waiting import WaitingRow, waiting

# The small ones come first: a database reads past the large ones without touching them.
PROJECTIONS: dict[str, Projection] = {
    projection.name: projection
    for projection in (
        Projection("accounts", AccountRow, accounts),
        Projection("balances", BalanceRow, balances),
        Projection("delinquency", DelinquencyRow, delinquency),
        Projection("protections", ProtectionRow, protections, ("n",)),
        Projection("waiting", WaitingRow, waiting, ("n",)),
        Projection("logins", LoginRow, logins, ("version",)),
        Projection("billing_emails", BillingEmailRow, billing_emails, ("version",)),
        Projection("autopay", AutopayRow, autopay, ("n",)),
        Projection("unpaid", UnpaidRow, unpaid, ("charge", "reference", "part")),
        Projection("disputes", DisputeRow, disputes, ("dispute",)),
        Projection("appeals", AppealRow, appeals, ("appeal",)),
        Projection("arrangements", ArrangementRow, arrangements, ("arrangement",)),
        Projection("installments", InstallmentRow, installments, ("arrangement", "n")),
        Projection("deposits", DepositRow, deposits, ("n",)),
        Projection("shutoffs", ShutoffRow, shutoffs, ("version",)),
        Projection("notices", NoticeRow, notices, ("notice",)),
        Projection("bills", BillRow, bills, ("bill",)),
        Projection("daily_usage", DailyUsageRow, daily_usage, ("month",)),
        Projection("receivables", ReceivableRow, receivables, ("n",)),
    )
}

Packed = tuple[str | None, ...]
"""An account's rows, one text for each projection in the order of the catalogue; None where it has no row."""

NO_ROWS: Packed = (None,) * len(PROJECTIONS)
"""What is packed of an account without any row."""

_encoder = msgspec.json.Encoder()


def pack(seen: Folded) -> Packed:
    """All rows of an account as they are kept: an array of arrays for each projection."""
    return tuple([_packed(list(projection.rows(seen))) for projection in PROJECTIONS.values()])


def _packed(rows: list[Row]) -> str | None:
    return _encoder.encode(rows).decode() if rows else None


def unpack(name: str, text: str | None) -> Sequence[Any]:
    """The rows that were packed for a projection."""
    return _decoder(name).decode(text) if text else ()


@cache
def _decoder(name: str) -> msgspec.json.Decoder[list[Row]]:
    row: Any = PROJECTIONS[name].row
    return msgspec.json.Decoder(list[row])
