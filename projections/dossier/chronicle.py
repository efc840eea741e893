"""Each event in one sentence, as it stands in the timeline."""

from collections.abc import Callable
from typing import Any

from ledger import events as e
from ledger.money import quantity
from ledger.policy.case import said
from projections.dossier.document import counted, dollars

LANGUAGES: dict[str, str] = {
    "en": "English", "es": "Spanish", "zh": "Chinese", "ko": "Korean", "vi": "Vietnamese", "tl": "Tagalog",
}  # fmt: skip
CHANNELS: dict[str, str] = {
    "internet": "over the internet", "autopay": "by autopay", "bank": "by bank bill-pay", "mail": "by mail",
    "lockbox": "by lockbox", "phone": "by phone", "counter": "at the counter", "field": "to the field staff",
    "agency": "through a payment agency",
}  # fmt: skip
NOTICES: dict[str, str] = {
    "past_due": "reminder of a past-due bill",
    "discontinuance": "notice of discontinuance",
    "final": "final notice",
    "occupants": "notice to the occupants",
}
SERVED: dict[str, str] = {"mail": "by mail", "posted": "by posting", "hand": "by hand"}
FORUMS: dict[str, str] = {
    "cab": "with the Consumer Affairs Branch",
    "informal_appeal": "as an informal appeal",
    "formal": "as a formal complaint",
    "expedited": "in the expedited complaint procedure",
}
OUTCOMES: dict[str, str] = {
    "upheld": "the bill stands", "adjusted": "the bill is adjusted", "withdrawn": "the petition was withdrawn",
}  # fmt: skip
REASONS: dict[str, str] = {
    "nonpayment": "for nonpayment",
    "customer_request": "at the customer's request",
    "safety": "for safety",
    "unauthorized_use": "for unauthorized use",
}


def told(event: e.Event) -> str:
    """What happened, in a sentence; of a kind without one, its name and nothing more."""
    tell = _TELL.get(type(event))
    return tell(event) if tell else _words(event.type)


def tells(event: e.Event) -> bool:
    """Whether the timeline has it: all but reads, meters and log-ins, which stand in the appendix."""
    return type(event) in _TELL


def _words(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return spaced[:1].upper() + spaced[1:]


def _bill(b: e.BillIssued) -> str:
    period = f" for {said(b.period_start)} to {said(b.period_end)}" if b.period_start and b.period_end else ""
    usage = f", usage {quantity(b.usage)}" if b.usage is not None else ""
    how = {"mail": "mailed", "email": "e-mailed", "hand": "handed over"}[b.delivery]
    return f"Bill {b.bill} of {dollars(b.amount)}{period} was {how}{usage}; past due from {said(b.past_due_from)}."


def _payment(p: e.PaymentReceived) -> str:
    directed = f" for bill {p.bill}" if p.bill else ""
    confirmed = f", confirmation {p.confirmation}" if p.confirmation else ""
    return f"Payment {p.payment} of {dollars(p.amount)} was made {CHANNELS[p.channel]}{directed}{confirmed}."


def _notice(n: e.NoticeServed) -> str:
    amount = f" of {dollars(n.amount)}" if n.amount is not None else ""
    act = f"; pay or arrange by {said(n.act_by)}" if n.act_by else ""
    kind = NOTICES[n.kind]
    return (
        f"{kind[0].upper()}{kind[1:]} {n.notice}{amount} was served {SERVED[n.method]} in {LANGUAGES[n.language]}{act}."
    )


def _contact(c: e.ContactAttempted) -> str:
    how = {"phone": "Phone call", "visit": "Visit", "text": "Text message", "email": "E-mail"}[c.method]
    what = {"reached": "an adult was reached", "message": "a message was left", "failed": "nobody was reached"}
    return f"{how}: {what[c.outcome]}."


def _petition(p: e.PetitionFiled) -> str:
    who = "the customer" if p.role == "customer" else "an adult occupant"
    how = f" by {p.channel}" if p.channel else ""
    why = " over its accuracy" if p.ground == "accuracy" else ", not over its accuracy"
    means = "; the bill is said to be beyond the customer's means" if p.beyond_means else ""
    return f"Petition {p.dispute}{how}: {who} disputed {dollars(p.disputed_amount)} of bill {p.bill}{why}{means}."


def _answer(a: e.PetitionAnswered) -> str:
    credit = f", with a credit of {dollars(a.credit)}" if a.credit else ""
    language = f" in {LANGUAGES[a.language]}" if a.language else ""
    return f"Petition {a.dispute} was answered{language}: {OUTCOMES[a.outcome]}{credit}."


def _appeal(a: e.AppealFiled) -> str:
    evidence = f" ({a.evidence})" if a.evidence else ""
    return f"Appeal {a.appeal} of petition {a.dispute} was filed with the Commission, {FORUMS[a.forum]}{evidence}."


def _agreed(a: e.ArrangementAgreed) -> str:
    total = sum(each.amount for each in a.installments)
    parts = counted(len(a.installments), "installment")
    last = max(each.due_on for each in a.installments) if a.installments else a.on
    return f"Arrangement {a.arrangement} ({a.kind}) was agreed: {dollars(total)} in {parts} until {said(last)}."


def _off(s: e.ServiceDisconnected) -> str:
    against = f", against rule{'s' if len(s.flags) > 1 else ''} {', '.join(s.flags)}" if s.flags else ""
    return f"The water was turned off {REASONS[s.reason]}{against}."


def _authorized(s: e.ShutoffAuthorized) -> str:
    override = f"; overridden: {s.override_reason}, approved by {s.approved_by}" if s.override_reason else ""
    return f"The shutoff was authorized: {counted(len(s.verdicts), 'rule')} asked, none in the way{override}."


def _disbursed(d: e.CommissionDepositDisbursed) -> str:
    return (
        f"The Commission paid out the deposit of appeal {d.appeal}: {dollars(d.to_utility)} to the utility,"
        f" {dollars(d.to_customer)} to the customer."
    )


def _receipt(r: e.BillReceiptEvidenced) -> str:
    return f"Bill {r.bill} was received{f' ({r.evidence})' if r.evidence else ''}."


def _fee(f: e.FeeCharged) -> str:
    return f"Fee {f.fee} of {dollars(f.amount)} was charged: {f.kind.replace('_', ' ')}."


def _request(r: e.ArrangementRequested) -> str:
    return f"Arrangement {r.arrangement} was requested{f': {r.asks}' if r.asks else ''}."


def _back(r: e.ReconnectionRequested) -> str:
    return f"The water was asked to be turned on again{', outside office hours' if r.after_hours else ''}."


_TELL: dict[type[e.Event], Callable[[Any], str]] = {
    e.AccountOpened: lambda a: "The account was opened.",
    e.AccountClosed: lambda a: f"The account was closed{f': {a.reason}' if a.reason else ''}.",
    e.AccountCorrected: lambda a: f"The account's particulars were corrected: {a.reason}.",
    e.AccountClassified: lambda a: "The service was classified anew.",
    e.BillIssued: _bill,
    e.BillReceiptEvidenced: _receipt,
    e.BillCorrected: lambda b: f"Bill {b.bill} was corrected to {dollars(b.amount)}: {b.reason}.",
    e.BillVoided: lambda b: f"Bill {b.bill} was voided: {b.reason}.",
    e.FeeCharged: _fee,
    e.FeeWaived: lambda f: f"Fee {f.fee} was waived: {f.reason}.",
    e.AdjustmentPosted: lambda a: f"The balance was adjusted by {dollars(a.amount)}: {a.reason}.",
    e.PaymentReported: lambda p: f"Payment {p.payment} of {dollars(p.amount)} was reported {CHANNELS[p.channel]}.",
    e.PaymentReceived: _payment,
    e.PaymentReturned: lambda p: f"Payment {p.payment} was returned: {p.reason}.",
    e.PaymentTransferred: lambda p: f"Payment {p.payment} was moved to account {p.to_account}: {p.reason}.",
    e.PaymentTransferredIn: lambda p: f"Payment {p.payment} of {dollars(p.amount)} came from account {p.from_account}.",
    e.DepositRequired: lambda d: f"A deposit of {dollars(d.amount)} was required to re-establish credit.",
    e.DepositReceived: lambda d: f"Credit deposit {d.deposit} of {dollars(d.amount)} was received.",
    e.DepositInterestAccrued: lambda d: f"Credit deposit {d.deposit} earned {dollars(d.amount)} of interest.",
    e.DepositAbsorbed: lambda d: f"{dollars(d.amount)} of the credit deposit were absorbed by past-due charges.",
    e.DepositRefunded: lambda d: f"{dollars(d.amount)} of credit deposit {d.deposit} were refunded.",
    e.NoticeServed: _notice,
    e.NoticeReturned: lambda n: f"Notice {n.notice} came back by mail.",
    e.ContactAttempted: _contact,
    e.ArrangementRequested: _request,
    e.ArrangementAgreed: _agreed,
    e.ArrangementDeclined: lambda a: f"Arrangement {a.arrangement} was declined: {a.reason}.",
    e.ArrangementBreached: lambda a: f"Arrangement {a.arrangement} was found broken: {a.reason}.",
    e.ArrangementCancelled: lambda a: f"Arrangement {a.arrangement} was cancelled: {a.reason}.",
    e.HealthCertified: lambda h: "A primary care provider's certificate was submitted.",
    e.InabilityShown: lambda h: "Inability to pay was shown.",
    e.WillingnessStated: lambda h: "Willingness to enter an arrangement was stated.",
    e.HealthPartAccepted: lambda h: f"Health exception: {h.part} was accepted.",
    e.HealthPartRejected: lambda h: f"Health exception: {h.part} was rejected{f': {h.reason}' if h.reason else ''}.",
    e.HealthPartWithdrawn: lambda h: f"Health exception: {h.part} was withdrawn{f': {h.reason}' if h.reason else ''}.",
    e.PetitionFiled: _petition,
    e.PetitionAnswered: _answer,
    e.AppealFiled: _appeal,
    e.CommissionDepositEvidenced: lambda d: f"{dollars(d.amount)} were deposited with the Commission for {d.appeal}.",
    e.AppealLapsed: lambda a: f"Appeal {a.appeal} was no longer pursued: {a.evidence}.",
    e.AppealClosed: lambda a: f"Appeal {a.appeal} was closed: {a.outcome}.",
    e.CommissionDepositDisbursed: _disbursed,
    e.ShutoffAuthorized: _authorized,
    e.ServiceDisconnected: _off,
    e.ReconnectionRequested: _back,
    e.ServiceReconnected: lambda s: "The water was turned on again.",
    e.ShutoffFoundWrongful: lambda s: f"The shutoff was found wrongful: {s.reason}.",
}
