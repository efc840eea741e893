"""What waits with an account, so that a day's work is found without folding everybody (DO-15, DO-43, PUC 770(d))."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from ledger import events as e
from projections.rows import Folded, Row

WaitingKind = Literal["payment", "health", "estimate"]


class WaitingRow(Row, frozen=True):
    """What stands beside petitions, appeals and arrangements: a payment reported and not received, a part of the health
    exception neither rejected nor withdrawn, a meter with estimated reads that no actual one followed.
    """

    n: int
    kind: WaitingKind
    reference: str | None
    since: date | None
    amount: int | None


def waiting(seen: Folded) -> Iterator[WaitingRow]:
    """The reported payments first, then the health exception, then the meter."""
    for n, found in enumerate(_found(seen), 1):
        yield WaitingRow(n, *found)


def _found(seen: Folded) -> Iterator[tuple[WaitingKind, str | None, date | None, int | None]]:
    account = seen.account
    for payment, report in account.reported.items():
        if payment not in account.payments and payment not in account.returned:
            yield "payment", payment, report.day, report.amount
    for part, state in account.health.items():
        if not state.rejected_on and not state.withdrawn_on:
            yield "health", part, state.submitted_on or state.accepted_on, None
    # To go through all reads is dear, and few meters were ever estimated.
    if "estimated" in [read.kind for read in account.meter_events if isinstance(read, e.ReadTaken)]:
        estimated = [period for period in seen.metered.periods if period.estimated] if seen.metered else []
        if estimated:
            yield "estimate", None, estimated[0].start, None
