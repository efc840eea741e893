"""The same work by the eventsourcing library as it comes: its aggregate, its mapper, its recorders.

It does less: no idempotency, no rules, no hash chain, no seals on personal data. Days stay text, which spares it a
transcoding. Amounts are cents.
"""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from scripts.benchmarks.sample import Record


class StockAccount(Aggregate):
    """An account by decorated events."""

    @event("Opened")
    def __init__(self, account: str, opened_on: str, name: str, service_address: str) -> None:
        self.account = account
        self.opened_on = opened_on
        self.name = name
        self.service_address = service_address
        self.autopay = False
        self.meters: dict[str, str] = {}
        self.reads: dict[str, str] = {}
        self.bills: dict[str, int] = {}
        self.payments: dict[str, int] = {}
        self.notices: dict[str, str] = {}
        self.balance = 0

    @staticmethod
    def create_id(account: str) -> UUID:
        """The library's ids are UUIDs; this one follows from the account's number."""
        return uuid5(NAMESPACE_URL, account)

    @event("MeterInstalled")
    def install_meter(self, meter: str, on: str, reading: str) -> None:
        """A meter and what it shows, in CCF."""
        self.meters[meter] = reading

    @event("AutopayEnrolled")
    def enroll(self, on: str) -> None:
        """Bills are paid by themselves from that day."""
        self.autopay = True

    @event("ReadTaken")
    def read_meter(self, read_on: str, reading: str) -> None:
        """What the meter showed that day, in CCF."""
        self.reads[read_on] = reading

    @event("BillIssued")
    def issue_bill(self, bill: str, mailed_on: str, amount: int) -> None:
        """A bill of so many cents; raises ValueError for a second of that name."""
        if bill in self.bills:
            raise ValueError(f"bill {bill} is recorded already")
        self.bills[bill] = amount
        self.balance += amount

    @event("PaymentReceived")
    def receive_payment(self, payment: str, amount: int, received_at: str, channel: str) -> None:
        """A payment of so many cents; raises ValueError for a second of that name."""
        if payment in self.payments:
            raise ValueError(f"payment {payment} is recorded already")
        self.payments[payment] = amount
        self.balance -= amount

    @event("NoticeServed")
    def serve_notice(self, notice: str, kind: str, on: str, method: str) -> None:
        """A written notice."""
        self.notices[notice] = kind


_METHODS = {
    "meter install": StockAccount.install_meter,
    "autopay enroll": StockAccount.enroll,
    "meter read": StockAccount.read_meter,
    "bill issue": StockAccount.issue_bill,
    "payment receive": StockAccount.receive_payment,
    "notice serve": StockAccount.serve_notice,
}


class StockLedger(Application[UUID]):
    """Loads an account, has it decide, saves what followed."""

    def seed(self, lives: Iterable[Iterable[Record]]) -> None:
        """Write down the lives of customers, each in one save."""
        for records in lives:
            self.save(_after(records))

    def post(self, record: Record) -> None:
        """One command, durably."""
        if record["command"] == "account open":
            self.save(_after([record]))
            return
        account: Any = self.repository.get(StockAccount.create_id(str(record["account"])))
        _apply(account, record)
        self.save(account)

    def balance(self, account: str) -> int:
        """What an account owes, in cents."""
        found: Any = self.repository.get(StockAccount.create_id(account))
        return int(found.balance)


def _after(records: Iterable[Record]) -> StockAccount:
    first, *rest = records
    account = StockAccount(**{name: value for name, value in first.items() if name != "command"})  # type: ignore[arg-type]
    for record in rest:
        _apply(account, record)
    return account


def _apply(account: StockAccount, record: Record) -> None:
    values = {name: value for name, value in record.items() if name not in ("command", "account")}
    if "amount" in values:
        values["amount"] = int(str(values["amount"]).replace(".", ""))
    getattr(account, _METHODS[str(record["command"])].__name__)(**values)
