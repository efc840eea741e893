"""The fold: what each event changes in an account. Nothing here refuses or looks anything up."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from ledger import events as e
from ledger.account import Account, Appeal, Arrangement, Bill, Deposit, Fee, HealthState, Shutoff
from ledger.charges import Part


def fold(account: str, history: Iterable[e.Event]) -> Account:
    """The account after `history`, which is in effective order."""
    state = Account(account)
    version = 0
    for event in history:
        _EVOLVE[type(event)](state, event)
        if event.version > version:
            version = event.version
    state.version = version
    return state


def evolve(account: Account, event: e.Event) -> None:
    """Fold one more event, the last in effective order; what refers to a thing not there yet changes nothing."""
    _EVOLVE[type(event)](account, event)
    account.forget()
    if event.version > account.version:
        account.version = event.version


def order(event: e.Event) -> tuple[date, int, Any, int]:
    """The key of effective order: a day's bare-dated events by kind, then the timed ones by time; ties by version."""
    name, rank = _ORDER[type(event)]
    when = getattr(event, name)
    if type(when) is date:
        return when, 0, rank, event.version
    on = when.date()
    return (on, 0, rank, event.version) if when.tzinfo is None else (on, 1, when, event.version)


_ORDER = {kind: (kind.when, kind.rank) for kind in e.EVENTS.values()}


def _opened(a: Account, event: e.AccountOpened) -> None:
    a.opened = event
    a.customer_events.append(event)
    a.service_class, a.dwelling, a.occupancy = event.service_class, event.dwelling, event.occupancy
    a.billing, a.district, a.language, a.low_income = event.billing, event.district, event.language, event.low_income


def _closed(a: Account, event: e.AccountClosed) -> None:
    a.closed_on = event.closed_on


def _corrected(a: Account, event: e.AccountCorrected) -> None:
    a.language = event.language or a.language
    a.customer_events.append(event)


def _classified(a: Account, event: e.AccountClassified) -> None:
    a.service_class = event.service_class or a.service_class
    a.dwelling = event.dwelling or a.dwelling
    a.occupancy = event.occupancy or a.occupancy
    a.billing = event.billing or a.billing
    a.low_income = a.low_income if event.low_income is None else event.low_income


def _login(a: Account, event: e.LoginLinked | e.LoginUnlinked) -> None:
    a.logins.append(event)


def _erased(a: Account, event: e.PersonalDataErased) -> None:
    """What is kept of an account in its state holds nothing personal that could be read."""


def _autopay(a: Account, event: e.AutopayEnrolled | e.AutopayCancelled) -> None:
    a.enrollments.append(event)
    a.autopay = event if isinstance(event, e.AutopayEnrolled) else None


def _meter(a: Account, event: e.Event) -> None:
    a.meter_events.append(event)


def _bill(a: Account, event: e.BillIssued) -> None:
    part = Part(event.mailed_on, event.amount, event.past_due_from)
    a.bills[event.bill] = Bill(event, event.amount, [part], versions=[event.version])


def _receipt(a: Account, event: e.BillReceiptEvidenced) -> None:
    if bill := a.bills.get(event.bill):
        bill.receipts.append(event.received_on)
        bill.versions.append(event.version)


def _bill_corrected(a: Account, event: e.BillCorrected) -> None:
    if bill := a.bills.get(event.bill):
        bill.corrected.append(event.mailed_on)
        if event.amount > bill.amount:
            bill.raised.append(event.mailed_on)
        bill.parts = _reparted(bill.parts, event)
        bill.amount = event.amount
        bill.versions.append(event.version)


def _reparted(parts: list[Part], event: e.BillCorrected) -> list[Part]:
    left, kept = event.amount, []
    for part in parts:
        share = min(left, part.amount)
        left -= share
        if share:
            kept.append(Part(part.mailed_on, share, part.past_due_from))
    return [*kept, Part(event.mailed_on, left, event.past_due_from)] if left else kept


def _bill_voided(a: Account, event: e.BillVoided) -> None:
    if bill := a.bills.get(event.bill):
        bill.voided_on = event.on
        bill.versions.append(event.version)


def _fee(a: Account, event: e.FeeCharged) -> None:
    a.fees[event.fee] = Fee(event)


def _fee_waived(a: Account, event: e.FeeWaived) -> None:
    if fee := a.fees.get(event.fee):
        fee.waived_on = event.on


def _adjustment(a: Account, event: e.AdjustmentPosted) -> None:
    a.adjustments.append(event)


def _payment_reported(a: Account, event: e.PaymentReported) -> None:
    a.reported[event.payment] = event


def _payment(a: Account, event: e.PaymentReceived) -> None:
    a.payments[event.payment] = event


def _payment_transferred_in(a: Account, event: e.PaymentTransferredIn) -> None:
    a.payments[event.payment] = event
    # A payment that went to another account may come back.
    a.transferred.pop(event.payment, None)


def _payment_returned(a: Account, event: e.PaymentReturned) -> None:
    a.returned[event.payment] = event.on


def _payment_transferred(a: Account, event: e.PaymentTransferred) -> None:
    a.transferred[event.payment] = event.on


def _deposit_required(a: Account, event: e.DepositRequired) -> None:
    """What is asked for is neither held nor owed."""


def _deposit(a: Account, event: e.DepositReceived | e.DepositInterestAccrued | e.DepositRefunded) -> None:
    deposit = a.deposits.setdefault(event.deposit, Deposit(since=event.on))
    deposit.versions.append(event.version)
    if isinstance(event, e.DepositReceived):
        deposit.received += event.amount
    elif isinstance(event, e.DepositInterestAccrued):
        deposit.interest += event.amount
    else:
        deposit.refunded += event.amount


def _deposit_absorbed(a: Account, event: e.DepositAbsorbed) -> None:
    a.absorptions.append(event)


def _notice(a: Account, event: e.NoticeServed) -> None:
    a.notices.append(event)


def _notice_returned(a: Account, event: e.NoticeReturned) -> None:
    a.notices_returned[event.notice] = event.on


def _contact(a: Account, event: e.ContactAttempted) -> None:
    a.contacts.append(event)


def _arrangement(a: Account, event: Any) -> None:
    found = a.arrangements.get(event.arrangement)
    if found is None:
        found = a.arrangements[event.arrangement] = Arrangement(event.arrangement, versions=[])
    found.versions.append(event.version)
    if isinstance(event, e.ArrangementRequested):
        found.requested = event
    elif isinstance(event, e.ArrangementAgreed):
        found.agreed = event
    elif isinstance(event, e.ArrangementDeclined):
        found.declined_on = event.on
    elif isinstance(event, e.ArrangementBreached):
        found.breached_on = event.on
    else:
        found.cancelled_on = event.on


def _health(a: Account, event: e.HealthCertified | e.InabilityShown | e.WillingnessStated) -> None:
    part: e.HealthPart = "certification"
    if isinstance(event, e.InabilityShown):
        part = "inability"
    elif isinstance(event, e.WillingnessStated):
        part = "willingness"
    a.health[part] = HealthState(submitted_on=event.on, versions=[event.version])


def _health_part(a: Account, event: e.HealthPartAccepted | e.HealthPartRejected | e.HealthPartWithdrawn) -> None:
    state = a.health.setdefault(event.part, HealthState(versions=[]))
    state.versions.append(event.version)
    state.accepted_on = event.on if isinstance(event, e.HealthPartAccepted) else None
    state.rejected_on = event.on if isinstance(event, e.HealthPartRejected) else None
    state.withdrawn_on = event.on if isinstance(event, e.HealthPartWithdrawn) else None


def _petition(a: Account, event: e.PetitionFiled) -> None:
    a.disputes[event.dispute] = event


def _petition_answered(a: Account, event: e.PetitionAnswered) -> None:
    a.answers[event.dispute] = event


def _appeal(a: Account, event: e.AppealFiled) -> None:
    a.appeals[event.appeal] = Appeal(event, versions=[event.version])


def _appeal_step(a: Account, event: Any) -> None:
    appeal = a.appeals.get(event.appeal)
    if appeal is None:
        return
    appeal.versions.append(event.version)
    if isinstance(event, e.CommissionDepositEvidenced):
        appeal.deposited += event.amount
    elif isinstance(event, e.AppealLapsed):
        appeal.lapsed_on = event.on
    elif isinstance(event, e.AppealClosed):
        appeal.closed = event
    else:
        appeal.disbursed += event.to_utility + event.to_customer
        a.disbursements.append(event)


def _authorized(a: Account, event: e.ShutoffAuthorized) -> None:
    a.authorized.append(event)


def _disconnected(a: Account, event: e.ServiceDisconnected) -> None:
    a.shutoffs.append(Shutoff(event))
    a.reconnection_request = None


def _reconnection_requested(a: Account, event: e.ReconnectionRequested) -> None:
    a.reconnection_request = event


def _reconnected(a: Account, event: e.ServiceReconnected) -> None:
    if a.off:
        a.off.reconnected = event


def _wrongful(a: Account, event: e.ShutoffFoundWrongful) -> None:
    a.findings.append(event)


def _utility(a: Account, event: e.Event) -> None:
    raise AssertionError(f"{event.type} belongs to the utility's own stream, not to account {a.id}")


_EVOLVE: dict[type[e.Event], Callable[[Account, Any], None]] = {
    e.AccountOpened: _opened,
    e.AccountClosed: _closed,
    e.AccountCorrected: _corrected,
    e.AccountClassified: _classified,
    e.LoginLinked: _login,
    e.LoginUnlinked: _login,
    e.PersonalDataErased: _erased,
    e.AutopayEnrolled: _autopay,
    e.AutopayCancelled: _autopay,
    e.MeterInstalled: _meter,
    e.ReadTaken: _meter,
    e.ReadCorrected: _meter,
    e.MeterExchanged: _meter,
    e.MeterRemoved: _meter,
    e.BillIssued: _bill,
    e.BillReceiptEvidenced: _receipt,
    e.BillCorrected: _bill_corrected,
    e.BillVoided: _bill_voided,
    e.FeeCharged: _fee,
    e.FeeWaived: _fee_waived,
    e.AdjustmentPosted: _adjustment,
    e.PaymentReported: _payment_reported,
    e.PaymentReceived: _payment,
    e.PaymentReturned: _payment_returned,
    e.PaymentTransferred: _payment_transferred,
    e.PaymentTransferredIn: _payment_transferred_in,
    e.DepositRequired: _deposit_required,
    e.DepositReceived: _deposit,
    e.DepositInterestAccrued: _deposit,
    e.DepositAbsorbed: _deposit_absorbed,
    e.DepositRefunded: _deposit,
    e.NoticeServed: _notice,
    e.NoticeReturned: _notice_returned,
    e.ContactAttempted: _contact,
    e.ArrangementRequested: _arrangement,
    e.ArrangementAgreed: _arrangement,
    e.ArrangementDeclined: _arrangement,
    e.ArrangementBreached: _arrangement,
    e.ArrangementCancelled: _arrangement,
    e.HealthCertified: _health,
    e.InabilityShown: _health,
    e.WillingnessStated: _health,
    e.HealthPartAccepted: _health_part,
    e.HealthPartRejected: _health_part,
    e.HealthPartWithdrawn: _health_part,
    e.PetitionFiled: _petition,
    e.PetitionAnswered: _petition_answered,
    e.AppealFiled: _appeal,
    e.CommissionDepositEvidenced: _appeal_step,
    e.AppealLapsed: _appeal_step,
    e.AppealClosed: _appeal_step,
    e.CommissionDepositDisbursed: _appeal_step,
    e.ShutoffAuthorized: _authorized,
    e.ServiceDisconnected: _disconnected,
    e.ReconnectionRequested: _reconnection_requested,
    e.ServiceReconnected: _reconnected,
    e.ShutoffFoundWrongful: _wrongful,
    e.OfficeClosed: _utility,
    e.OfficeHoursSet: _utility,
    e.PolicyPublished: _utility,
    e.BooksClosed: _utility,
}
