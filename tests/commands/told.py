"""Histories for the tests of answers: told in the order in which they were recorded, one event a minute."""

from datetime import date, datetime, timedelta

from msgspec.structs import replace

from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.history import History
from tests.cases import bill_mailed, contact_made, notice_served, policies

RECORDED = datetime(2024, 1, 1, 8, 0, tzinfo=PACIFIC)
OPENED = e.AccountOpened(opened_on=date(2020, 3, 1), name="Sample Customer", service_address="1 Example Lane")
RULES = policies().calendar(), policies()


def history(*events: e.Event, account: str = "7001") -> History:
    """Recorded one event a minute from 2024-01-01T08:01 on."""
    numbered = (
        replace(event, version=n, recorded_at=RECORDED + timedelta(minutes=n))
        for n, event in enumerate((OPENED, *events), 1)
    )
    return History(account, list(numbered))


def known(version: int) -> datetime:
    """The moment just at which that version was recorded."""
    return RECORDED + timedelta(minutes=version)


# A bill aged 80 days on 2024-05-23, a notice that has run, a contact two days before: a shutoff is allowed at 10:00.
AGED = (bill_mailed("2024-03-04", "90.00", "B1"), notice_served("2024-04-25"), contact_made("2024-05-21 09:00"))

# The worked example of average daily use: 0.5 a day, then 0.6 a day from the read of 10 February.
READS = (
    e.MeterInstalled(meter="M1", on=date(2023, 1, 12)),
    e.ReadTaken(meter="M1", read_on=date(2023, 2, 10), reading=14_500),
    e.ReadTaken(meter="M1", read_on=date(2023, 3, 13), reading=33_100, kind="estimated"),
)
