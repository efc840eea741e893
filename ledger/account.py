"""What an account is: the facts of its history, and what follows from them.

The state is built by `ledger.evolve` and by nothing else. What follows (who owes what, which bill is paid) is asked of
the account, never kept in it.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

from ledger import events as e
from ledger.charges import Charge, Credit, Part, Settlement, settle, shares


class Bill(Struct, gc=False):
    """A bill as it stands: `amount` cents after corrections; `parts` carry the clocks (DO-02 e).

    `corrected` are the days on which a correction was mailed, `raised` those of the increases, still standing or not.
    """

    issued: e.BillIssued
    amount: int
    parts: list[Part]
    corrected: list[date] = []
    raised: list[date] = []
    receipts: list[date] = []
    voided_on: date | None = None
    versions: list[int] = []

    @property
    def id(self) -> str:
        """The bill's name."""
        return self.issued.bill

    @property
    def mailed_on(self) -> date:
        """Day 0 of the bill as issued (C1)."""
        return self.issued.mailed_on

    @property
    def past_due_from(self) -> date:
        """The first day on which the bill as issued is past due, literally (DO-02)."""
        return self.issued.past_due_from

    def received(self, mailed_on: date, until: date | None = None) -> date | None:
        """When what was mailed on a day is known to have been received (C9).

        Before anything else was mailed of the bill, or else `until` a day.
        """
        until = until or min((day for day in self.corrected if day > mailed_on), default=date.max)
        return min((day for day in self.receipts if mailed_on <= day < until), default=None)

    @property
    def received_on(self) -> date | None:
        """The last day on which the customer is known to have received it, as issued or as corrected."""
        return max(self.receipts) if self.receipts else None

    def clock(self, unpaid: int) -> tuple[date, date]:
        """Day 0 and the first day past due of its oldest part of which some of the `unpaid` cents are open (DO-02 e).

        Where nothing is open, those of the bill as issued.
        """
        if unpaid:
            oldest, _ = shares(self.parts, unpaid)[0]
            if oldest.past_due_from:
                return oldest.mailed_on, oldest.past_due_from
        return self.mailed_on, self.past_due_from


class Fee(Struct):
    """A fee as it stands."""

    charged: e.FeeCharged
    waived_on: date | None = None


class Deposit(Struct):
    """A credit deposit's own movements, in cents; what was absorbed is kept for all deposits together."""

    received: int = 0
    interest: int = 0
    refunded: int = 0
    since: date | None = None
    versions: list[int] = []


class Arrangement(Struct):
    """A request for an arrangement and what became of it."""

    id: str
    requested: e.ArrangementRequested | None = None
    agreed: e.ArrangementAgreed | None = None
    declined_on: date | None = None
    breached_on: date | None = None
    cancelled_on: date | None = None
    versions: list[int] = []


class HealthState(Struct):
    """Where one part of the health exception stands (DO-15)."""

    submitted_on: date | None = None
    accepted_on: date | None = None
    rejected_on: date | None = None
    withdrawn_on: date | None = None
    versions: list[int] = []

    @property
    def stands(self) -> Literal["under review", "accepted", "rejected", "withdrawn"]:
        """What the utility last said of it; "under review" until it does."""
        if self.withdrawn_on:
            return "withdrawn"
        if self.rejected_on:
            return "rejected"
        return "accepted" if self.accepted_on else "under review"


class Appeal(Struct):
    """An appeal to the Commission; `deposited` and `disbursed` are cents that the Commission holds or held."""

    filed: e.AppealFiled
    deposited: int = 0
    disbursed: int = 0
    lapsed_on: date | None = None
    closed: e.AppealClosed | None = None
    versions: list[int] = []


class Shutoff(Struct):
    """The water turned off, and how it ended."""

    made: e.ServiceDisconnected
    reconnected: e.ServiceReconnected | None = None


class Account:
    """The state of one account; a plain fold, so no two ways of reading it can disagree."""

    __slots__ = (
        "_settled", "absorptions", "adjustments", "answers", "appeals", "arrangements", "authorized", "autopay",
        "billing", "bills", "closed_on", "contacts", "customer_events", "deposits", "disbursements",
        "disputes", "district", "dwelling", "enrollments", "fees", "findings", "health", "id", "language", "logins",
        "low_income",
        "meter_events", "notices", "notices_returned", "occupancy", "opened", "payments", "reconnection_request",
        "reported", "returned", "service_class", "shutoffs", "transferred", "version",
    )  # fmt: skip

    def __init__(self, account: str) -> None:
        self.id = account
        self.version = 0
        self.opened: e.AccountOpened | None = None
        self.closed_on: date | None = None
        self.service_class: e.ServiceClass = "residential"
        self.dwelling: e.Dwelling = "single_family"
        self.occupancy: e.Occupancy = "customer"
        self.billing: e.Billing = "monthly"
        self.district: str | None = None
        self.language: e.Language = "en"
        self.low_income = False
        self.logins: list[e.LoginLinked | e.LoginUnlinked] = []
        self.customer_events: list[e.AccountOpened | e.AccountCorrected] = []
        self.autopay: e.AutopayEnrolled | None = None
        self.enrollments: list[e.AutopayEnrolled | e.AutopayCancelled] = []
        self.meter_events: list[e.Event] = []
        self.bills: dict[str, Bill] = {}
        self.fees: dict[str, Fee] = {}
        self.adjustments: list[e.AdjustmentPosted] = []
        self.payments: dict[str, e.PaymentReceived | e.PaymentTransferredIn] = {}
        self.returned: dict[str, date] = {}
        self.transferred: dict[str, date] = {}
        self.reported: dict[str, e.PaymentReported] = {}
        self.deposits: dict[str, Deposit] = {}
        self.absorptions: list[e.DepositAbsorbed] = []
        self.notices: list[e.NoticeServed] = []
        self.notices_returned: dict[str, date] = {}
        self.contacts: list[e.ContactAttempted] = []
        self.arrangements: dict[str, Arrangement] = {}
        self.health: dict[e.HealthPart, HealthState] = {}
        self.disputes: dict[str, e.PetitionFiled] = {}
        self.answers: dict[str, e.PetitionAnswered] = {}
        self.appeals: dict[str, Appeal] = {}
        self.disbursements: list[e.CommissionDepositDisbursed] = []
        self.authorized: list[e.ShutoffAuthorized] = []
        self.shutoffs: list[Shutoff] = []
        self.findings: list[e.ShutoffFoundWrongful] = []
        self.reconnection_request: e.ReconnectionRequested | None = None
        self._settled: Settlement | None = None

    def forget(self) -> None:
        """Drop what was derived, because a fact was added."""
        self._settled = None

    @property
    def residential(self) -> bool:
        """Whether the residential rules apply (DO-06)."""
        return self.service_class == "residential"

    @property
    def off(self) -> Shutoff | None:
        """The shutoff in force, if the water is off."""
        return self.shutoffs[-1] if self.shutoffs and self.shutoffs[-1].reconnected is None else None

    @property
    def settled(self) -> Settlement:
        """Which credit paid which charge, oldest first (C10); computed once per state."""
        if self._settled is None:
            self._settled = settle(self.charges(), self.credits())
        return self._settled

    @property
    def balance(self) -> int:
        """What the customer owes, in cents; negative when the utility holds an unapplied credit."""
        return self.settled.balance

    @property
    def credit(self) -> int:
        """Payments and credits that found nothing to pay yet, in cents."""
        return self.settled.credit

    @property
    def deposit(self) -> int:
        """Credit deposits held, with interest, less what was absorbed or refunded, in cents (DO-32)."""
        held = sum(d.received + d.interest - d.refunded for d in self.deposits.values())
        return held - sum(a.amount for a in self.absorptions)

    @property
    def commission_deposit(self) -> int:
        """What the Commission holds for this account's appeals, in cents; never part of the balance (DO-26)."""
        return sum(a.deposited - a.disbursed for a in self.appeals.values())

    @property
    def disputed(self) -> int:
        """The cents of petitions not yet answered and of appeals not yet closed."""
        open_appeals = {a.filed.dispute for a in self.appeals.values() if a.closed is None}
        return sum(
            petition.disputed_amount
            for name, petition in self.disputes.items()
            if name not in self.answers or name in open_appeals
        )

    def past_due(self, on: date) -> int:
        """What is past due at the end of `on`, in cents, literally (DO-02)."""
        return sum(charge.past_due(on, unpaid) for charge, unpaid in self.settled.open())

    def past_due_bills(self, on: date) -> list[Bill]:
        """The bills with something past due at the end of `on`, oldest first."""
        open_then = self.settled.open_bills_at(on, on)
        return [self.bills[charge.name] for charge, unpaid in open_then if charge.past_due(on, unpaid)]

    def unpaid(self, bill: str) -> int:
        """What is still owed on a bill, in cents."""
        return self.settled.unpaid(f"bill {bill}")

    def charges(self) -> Iterator[Charge]:
        """All that is owed for: bills not voided, fees not waived, positive adjustments."""
        for bill in self.bills.values():
            if bill.voided_on is None:
                issued = bill.issued
                yield Charge("bill", issued.bill, issued.mailed_on, issued.version, bill.amount, bill.parts)
        for fee in self.fees.values():
            c = fee.charged
            if fee.waived_on is None:
                yield Charge("fee", c.fee, c.on, c.version, c.amount, [Part(c.on, c.amount, c.past_due_from)])
        for a in self.adjustments:
            if a.amount > 0:
                part = Part(a.on, a.amount, a.past_due_from)
                yield Charge("adjustment", str(a.version), a.on, a.version, a.amount, [part])

    def credits(self) -> Iterator[Credit]:
        """All that was given: payments that stand, negative adjustments, absorbed deposits, credits from disputes."""
        returned, transferred = self.returned, self.transferred
        for name, p in self.payments.items():
            if name not in returned and name not in transferred:
                if isinstance(p, e.PaymentReceived):
                    meant = f"bill {p.bill}" if p.bill else None
                    yield Credit(p.received_at.date(), p.version, p.amount, meant)
                else:
                    yield Credit(p.on, p.version, p.amount)
        for a in self.adjustments:
            if a.amount < 0:
                yield Credit(a.on, a.version, -a.amount)
        for absorbed in self.absorptions:
            yield Credit(absorbed.on, absorbed.version, absorbed.amount, free=False)
        for answer in self.answers.values():
            if answer.credit:
                yield Credit(answer.on, answer.version, answer.credit, self._disputed_charge(answer.dispute))
        for paid in self.disbursements:
            appeal = self.appeals.get(paid.appeal)
            if paid.to_utility:
                charge = self._disputed_charge(appeal.filed.dispute) if appeal else None
                yield Credit(paid.on, paid.version, paid.to_utility, charge)

    def wrongful(self, shutoff: Shutoff) -> e.ShutoffFoundWrongful | None:
        """The finding that covers a shutoff: a finding covers the latest shutoff on or before its day."""
        for finding in self.findings:
            covered = [s for s in self.shutoffs if s.made.day <= finding.on]
            if covered and covered[-1] is shutoff:
                return finding
        return None

    def _disputed_charge(self, dispute: str) -> str | None:
        petition = self.disputes.get(dispute)
        return f"bill {petition.bill}" if petition else None
