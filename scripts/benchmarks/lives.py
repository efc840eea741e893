"""Ordinary lives as stored events, by the million: recorded in bulk, without the commands that would decide them."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import Any

from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.money import cents, thousandths
from ledger.store.codec import encode
from ledger.store.log import Entry, Log
from scripts.benchmarks.sample import COMMANDS, account_id, life

KINDS = 60
"""How many customers differ; the others live the life of one of these under a number of their own."""

AT_ONCE = 20_000
"""How many events are recorded in one transaction."""

_TERM = timedelta(days=20)
_BASIS = (e.RuleVersion("DO-02", date(2020, 2, 1), "sample"),)


def accounts_for(events: int) -> int:
    """How many customers have at least so many events."""
    return -(-events // COMMANDS)


def record(log: Log, first: int, last: int) -> int:
    """Record the lives of the customers numbered `first` to `last`, one after the other; returns how many events."""
    entries = (entry for number in range(first, last + 1) for entry in lived(number))
    return _append(log, entries)


def record_interleaved(log: Log, accounts: int, start: int, end: int) -> int:
    """Record the events from `start` to before `end` of the lives of customers 1 to `accounts`, side by side."""
    lives = [list(lived(number)) for number in range(1, accounts + 1)]
    return _append(log, (life[n] for n in range(start, end) for life in lives))


def lived(number: int) -> Iterator[Entry]:
    """The life of one customer as stored; personal fields stand open, because no key belongs to them."""
    account, model = account_id(number), (number - 1) % KINDS + 1
    theirs, ours = account_id(model).encode(), account.encode()
    for version, (kind, state) in enumerate(_model(model), 1):
        yield Entry(account, version, kind, state.replace(theirs, ours))


def _append(log: Log, entries: Iterator[Entry]) -> int:
    count = 0
    while some := list(islice(entries, AT_ONCE)):
        with log.writing(None) as batch:
            batch.append(some)
        count += len(some)
    return count


@cache
def _model(number: int) -> list[tuple[str, bytes]]:
    return [
        (event.type, encode(event))
        for version, record in enumerate(life(number), 1)
        for event in [_EVENTS[str(record["command"])](record, _stamp(record, version))]
    ]


def _stamp(record: dict[str, Any], version: int) -> dict[str, Any]:
    day = next(record[name] for name in ("opened_on", "read_on", "mailed_on", "received_at", "on") if name in record)
    noted = datetime.combine(date.fromisoformat(day[:10]) + timedelta(days=1), time(8, version % 60), PACIFIC)
    return {"version": version, "recorded_at": noted}


def _bill(r: dict[str, Any], stamp: dict[str, Any]) -> e.Event:
    mailed_on = date.fromisoformat(r["mailed_on"])
    due = mailed_on + _TERM
    return e.BillIssued(
        bill=r["bill"], mailed_on=mailed_on, amount=cents(r["amount"]), past_due_from=due, basis=_BASIS, **stamp
    )


def _payment(r: dict[str, Any], stamp: dict[str, Any]) -> e.Event:
    at = datetime.fromisoformat(r["received_at"])
    paid = cents(r["amount"])
    return e.PaymentReceived(payment=r["payment"], amount=paid, received_at=at, channel=r["channel"], **stamp)


_EVENTS: dict[str, Callable[[dict[str, Any], dict[str, Any]], e.Event]] = {
    "account open": lambda r, stamp: e.AccountOpened(
        opened_on=date.fromisoformat(r["opened_on"]), name=r["name"], service_address=r["service_address"], **stamp
    ),
    "meter install": lambda r, stamp: e.MeterInstalled(
        meter=r["meter"], on=date.fromisoformat(r["on"]), reading=thousandths(r["reading"]), **stamp
    ),
    "autopay enroll": lambda r, stamp: e.AutopayEnrolled(on=date.fromisoformat(r["on"]), **stamp),
    "meter read": lambda r, stamp: e.ReadTaken(
        meter=f"M-{r['account']}",
        read_on=date.fromisoformat(r["read_on"]),
        reading=thousandths(r["reading"]),
        **stamp,
    ),
    "bill issue": _bill,
    "payment receive": _payment,
    "notice serve": lambda r, stamp: e.NoticeServed(
        notice=r["notice"], kind=r["kind"], on=date.fromisoformat(r["on"]), method=r["method"], **stamp
    ),
}
