"""Cases in plain words: an account is given its history, and the rules are asked about it. No store, no clock.

case.given(bill_mailed("2024-03-04", "90.00"), notice_served("2024-04-25"), contact_made("2024-05-20 10:00"))
assert case.explain("2024-05-22 10:00")["DO-04"] == "blocks"
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.history import History
from ledger.money import cents
from ledger.policy.case import Case
from ledger.policy.explain import Explanation, explain, judged, shutoff_flags, stage
from ledger.policy.parameters import Policies
from ledger.policy.protections import Protection, protections
from ledger.policy.reconnection import Reconnection, reconnection

Day = str | date


@cache
def policies(policy: str = "del-oro") -> Policies:
    return Policies.builtin(policy)


def day(text: Day) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


def moment(text: str) -> datetime:
    """ "2024-05-22 10:00" in Pacific time; a bare "2024-05-22" gives a moment of which only the day is known."""
    found = datetime.fromisoformat(text)
    return found if len(text) == 10 else found.replace(tzinfo=found.tzinfo or PACIFIC)


class Told(Mapping[str, str]):
    """What `explain` said: the verdict of each rule by its id."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.rules = {rule.rule: rule for rule in explanation.rules}
        self.allowed, self.layers, self.earliest = explanation.allowed, explanation.layers, explanation.earliest

    def __getitem__(self, rule: str) -> str:
        return self.rules[rule].verdict

    def __iter__(self):
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def against(self) -> set[str]:
        return {rule.rule for rule in self.explanation.rules if rule.forbids}

    def because(self, rule: str) -> str:
        return self.rules[rule].because

    def facts(self, rule: str) -> dict[str, Any]:
        return self.rules[rule].facts


class Book:
    """One account and the world around it."""

    def __init__(self, policy: str = "del-oro") -> None:
        self.policies = policies(policy)
        self.closures: dict[date, str] = {}
        self.events: list[e.Event] = []
        self.opened()

    def opened(self, on: Day = "1999-06-01", **about: Any) -> "Book":
        """The account is of this kind instead of a plain residential one; what was given stays."""
        self.events[:1] = [
            e.AccountOpened(opened_on=day(on), name="Sample Customer", service_address="1 Example Lane", **about)
        ]
        return self._numbered()

    def closed(self, on: Day, reason: str = "a closure") -> "Book":
        """The offices are closed on a day."""
        self.closures[day(on)] = reason
        return self

    def given(self, *events: e.Event) -> "Book":
        self.events += events
        return self._numbered()

    def _numbered(self) -> "Book":
        self.events = [_replaced(event, version=number) for number, event in enumerate(self.events, 1)]
        return self

    def at(self, when: str) -> Case:
        at = moment(when)
        asked = at if at.tzinfo else at.replace(hour=10, tzinfo=PACIFIC)
        account = History("7001", self.events).as_of(asked)
        return Case(account, asked, self.policies.calendar(self.closures), self.policies)

    def explain(self, when: str) -> Told:
        """A bare day is asked about at ten in the morning."""
        return Told(explain(self.at(when)))

    def reconnection(self, when: str) -> Reconnection:
        return reconnection(self.at(when))

    def stage(self, when: str) -> str:
        return stage(self.at(when))

    def protections(self, when: str) -> list[Protection]:
        return protections(self.at(when))

    def flags(self, when: str, *, overridden: bool = False) -> tuple[str, ...]:
        return shutoff_flags(judged(self.at(when)), overridden=overridden)


@pytest.fixture
def case() -> Book:
    """An account of a residential customer that nothing has happened to yet."""
    return Book()


def _replaced(event: e.Event, **fields: Any) -> e.Event:
    kept = {name: getattr(event, name) for name in event.__struct_fields__}
    return type(event)(**kept | fields)


def bill_mailed(on: Day, amount: str = "90.00", bill: str | None = None, **more: Any) -> e.BillIssued:
    mailed = day(on)
    due = mailed + timedelta(days=20)
    return e.BillIssued(bill=bill or f"B-{on}", mailed_on=mailed, amount=cents(amount), past_due_from=due, **more)


def bill_corrected(bill: str, amount: str, on: Day) -> e.BillCorrected:
    mailed, due = day(on), day(on) + timedelta(days=20)
    return e.BillCorrected(bill=bill, amount=cents(amount), mailed_on=mailed, reason="misread", past_due_from=due)


def bill_voided(bill: str, on: Day) -> e.BillVoided:
    return e.BillVoided(bill=bill, on=day(on), reason="issued twice")


def bill_received(bill: str, on: Day) -> e.BillReceiptEvidenced:
    return e.BillReceiptEvidenced(bill=bill, received_on=day(on))


def payment(at: str, amount: str, **more: Any) -> e.PaymentReceived:
    more = {"payment": f"P-{at}", "channel": "mail"} | more
    return e.PaymentReceived(received_at=moment(at), amount=cents(amount), **more)


def payment_reported(at: str, amount: str, **more: Any) -> e.PaymentReported:
    more = {"payment": f"P-{at}", "channel": "internet"} | more
    return e.PaymentReported(reported_at=moment(at), amount=cents(amount), **more)


def payment_returned(name: str, on: Day) -> e.PaymentReturned:
    return e.PaymentReturned(payment=name, on=day(on), reason="no funds")


def notice_served(on: Day, kind: e.NoticeKind = "discontinuance", **more: Any) -> e.NoticeServed:
    return e.NoticeServed(kind=kind, on=day(on), **{"notice": f"N-{kind}-{on}", "method": "mail"} | more)


def notice_returned(notice: str, on: Day) -> e.NoticeReturned:
    return e.NoticeReturned(notice=notice, on=day(on))


def contact_made(at: str, method: str = "phone", outcome: str = "reached") -> e.ContactAttempted:
    return e.ContactAttempted(at=moment(at), method=method, outcome=outcome)  # type: ignore[arg-type]


def deposit_received(on: Day, amount: str, deposit: str = "D-1") -> e.DepositReceived:
    return e.DepositReceived(deposit=deposit, amount=cents(amount), on=day(on))


def deposit_absorbed(on: Day, amount: str) -> e.DepositAbsorbed:
    return e.DepositAbsorbed(on=day(on), amount=cents(amount))


def arrangement_requested(at: str, name: str = "A-1") -> e.ArrangementRequested:
    return e.ArrangementRequested(arrangement=name, at=moment(at))


def arrangement_declined(on: Day, name: str = "A-1") -> e.ArrangementDeclined:
    return e.ArrangementDeclined(arrangement=name, on=day(on), reason="asked too much")


def arrangement_agreed(on: Day, *installments: tuple[Day, str], name: str = "A-1", **more: Any) -> e.ArrangementAgreed:
    promised = installments_of(*installments)
    more = {"kind": "alternative"} | more
    return e.ArrangementAgreed(arrangement=name, on=day(on), installments=promised, **more)


def installments_of(*installments: tuple[Day, str]) -> tuple[e.Installment, ...]:
    return tuple(e.Installment(day(due), cents(amount)) for due, amount in installments)


def arrangement_breached(on: Day, name: str = "A-1") -> e.ArrangementBreached:
    return e.ArrangementBreached(arrangement=name, on=day(on), reason="an installment was missed")


def arrangement_cancelled(on: Day, name: str = "A-1") -> e.ArrangementCancelled:
    return e.ArrangementCancelled(arrangement=name, on=day(on), reason="by consent")


def health_submitted(part: str, on: Day) -> e.Event:
    if part == "certification":
        return e.HealthCertified(on=day(on), provider="Example Clinic")
    return e.InabilityShown(on=day(on), ground="Medi-Cal") if part == "inability" else e.WillingnessStated(on=day(on))


def health_accepted(part: e.HealthPart, on: Day) -> e.HealthPartAccepted:
    return e.HealthPartAccepted(part=part, on=day(on))


def health_rejected(part: e.HealthPart, on: Day) -> e.HealthPartRejected:
    return e.HealthPartRejected(part=part, on=day(on))


def petition_filed(at: str, bill: str, amount: str = "90.00", **more: Any) -> e.PetitionFiled:
    return e.PetitionFiled(filed_at=moment(at), bill=bill, disputed_amount=cents(amount), **{"dispute": "D-1"} | more)


def petition_answered(on: Day, dispute: str = "D-1", **more: Any) -> e.PetitionAnswered:
    return e.PetitionAnswered(dispute=dispute, on=day(on), **{"outcome": "upheld"} | more)


def appeal_filed(on: Day, appeal: str = "AP-1", dispute: str = "D-1") -> e.AppealFiled:
    return e.AppealFiled(appeal=appeal, dispute=dispute, on=day(on), evidence="CAB 123")


def commission_deposit(on: Day, amount: str, appeal: str = "AP-1") -> e.CommissionDepositEvidenced:
    return e.CommissionDepositEvidenced(appeal=appeal, amount=cents(amount), on=day(on))


def appeal_lapsed(on: Day, appeal: str = "AP-1") -> e.AppealLapsed:
    return e.AppealLapsed(appeal=appeal, on=day(on), evidence="no answer in a year")


def appeal_closed(on: Day, appeal: str = "AP-1") -> e.AppealClosed:
    return e.AppealClosed(appeal=appeal, on=day(on), outcome="denied")


def disconnected(at: str, reason: str = "nonpayment") -> e.ServiceDisconnected:
    return e.ServiceDisconnected(at=moment(at), reason=reason)  # type: ignore[arg-type]


def reconnection_requested(at: str, *, after_hours: bool = False) -> e.ReconnectionRequested:
    return e.ReconnectionRequested(at=moment(at), after_hours=after_hours)


def reconnected(at: str) -> e.ServiceReconnected:
    return e.ServiceReconnected(at=moment(at))


def found_wrongful(on: Day) -> e.ShutoffFoundWrongful:
    return e.ShutoffFoundWrongful(on=day(on), reason="an appeal was pending")
