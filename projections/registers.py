"""Registers: disputes, appeals, arrangements and their installments, deposits, shutoffs, notices."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from ledger import events as e
from ledger.account import Arrangement
from ledger.evolve import fold, order
from ledger.history import happened
from ledger.moments import bare, shown
from ledger.policy.arrangements import installments_paid, progress
from ledger.policy.case import Case, moment_of, start_of
from ledger.policy.notices import covered_bills, good_until, standing
from ledger.policy.stays import deposit_needed, petition_days
from projections.rows import Folded, Moment, Row


class DisputeRow(Row, frozen=True):
    """A petition to the utility and its answer (DO-22)."""

    dispute: str
    bill: str
    filed_at: Moment
    disputed_amount: int
    ground: str
    role: str
    beyond_means: bool
    channel: str | None
    answered_on: date | None
    outcome: e.PetitionOutcome | None
    credit: int
    version: int
    language: e.Language | None
    mailed_on: date | None
    received_on: date | None
    presumed: bool
    last_day: date | None
    bill_amount: int | None


class AppealRow(Row, frozen=True):
    """An appeal to the Commission and the money it holds for it (DO-25, DO-26, DO-29)."""

    appeal: str
    dispute: str
    forum: e.Forum
    filed_on: date
    deposited: int
    disbursed: int
    lapsed_on: date | None
    closed_on: date | None
    outcome: str | None
    version: int
    bill: str | None
    disputed_amount: int
    needed: int


class ArrangementRow(Row, frozen=True):
    """A request for an arrangement and what became of it, if nothing more is paid (DO-07, DO-12)."""

    arrangement: str
    requested_at: Moment | None
    agreed_on: date | None
    kind: e.ArrangementKind | None
    basis: e.ArrangementBasis | None
    amount: int
    last_due_on: date | None
    declined_on: date | None
    breached_on: date | None
    cancelled_on: date | None
    missed_from: date | None
    channel: str | None
    reason: str | None


class InstallmentRow(Row, frozen=True):
    """One installment of an arrangement; it may be paid until `last_day`, moved off closed days (C2).

    One that was paid later was missed until then; so is, on a day, one that is not paid though its last day is over.
    """

    arrangement: str
    n: int
    due_on: date
    last_day: date
    amount: int
    paid_on: date | None


class DepositRow(Row, frozen=True):
    """One movement of the credit deposits an account has here; those absorbed belong to no deposit alone (DO-32)."""

    n: int
    deposit: str | None
    on_day: date
    kind: str
    amount: int
    held: int
    version: int


class ShutoffRow(Row, frozen=True):
    """Water turned off and on again; `flags` are the rules that the shutoff broke.

    What it rested on is as it stood at that moment and as it was known when the shutoff was recorded.
    """

    off_at: Moment
    reason: e.ShutoffReason
    on_at: Moment | None
    wrongful_on: date | None
    flags: str
    version: int
    wrongful_reason: str | None
    service_class: e.ServiceClass
    bill: str | None = None
    mailed_on: date | None = None
    past_due: int | None = None
    notice: str | None = None
    notice_kind: e.NoticeKind | None = None
    notice_served_on: date | None = None
    notice_method: e.NoticeMethod | None = None
    contacts: int | None = None
    contact_at: Moment | None = None
    contact_method: e.ContactMethod | None = None
    contact_outcome: e.ContactOutcome | None = None
    authorized_at: Moment | None = None
    override_reason: str | None = None
    approved_by: str | None = None
    inability_shown: bool | None = None


class NoticeRow(Row, frozen=True):
    """A written notice; one of discontinuance or a final one with the bills it covers and its last good day (DO-19)."""

    notice: str
    kind: e.NoticeKind
    served_on: date
    method: e.NoticeMethod
    language: e.Language
    amount: int | None
    act_by: date | None
    returned_on: date | None
    bills: str
    stale_after: date | None
    version: int


def disputes(seen: Folded) -> Iterator[DisputeRow]:
    """Every petition, answered or not."""
    account = seen.account
    for p in account.disputes.values():
        answer, bill = account.answers.get(p.dispute), account.bills.get(p.bill)
        filed = Case(account, start_of(p.filed_at), *seen.world.rules)
        days = petition_days(filed, bill) if bill and filed.in_force("petition_in_time") else None
        yield DisputeRow(
            p.dispute,
            p.bill,
            shown(p.effective),
            p.disputed_amount,
            p.ground,
            p.role,
            p.beyond_means,
            p.channel,
            answer.on if answer else None,
            answer.outcome if answer else None,
            (answer.credit or 0) if answer else 0,
            p.version,
            answer.language if answer else None,
            bill.mailed_on if bill else None,
            days.received_on if days else None,
            days.presumed if days else False,
            days.last if days else None,
            bill.amount if bill else None,
        )


def appeals(seen: Folded) -> Iterator[AppealRow]:
    """Every appeal, closed or not."""
    for appeal in seen.account.appeals.values():
        filed, closed = appeal.filed, appeal.closed
        petition = seen.account.disputes.get(filed.dispute)
        then = Case(seen.account, start_of(bare(filed.on)), *seen.world.rules)
        yield AppealRow(
            filed.appeal,
            filed.dispute,
            filed.forum,
            filed.on,
            appeal.deposited,
            appeal.disbursed,
            appeal.lapsed_on,
            closed.on if closed else None,
            closed.outcome if closed else None,
            filed.version,
            petition.bill if petition else None,
            petition.disputed_amount if petition else 0,
            deposit_needed(then, appeal),
        )


def arrangements(seen: Folded) -> Iterator[ArrangementRow]:
    """Every arrangement that was asked for or agreed."""
    found = seen.account.arrangements
    told = {event.version: event for event in seen.history} if found else {}
    for a in found.values():
        promised = a.agreed.installments if a.agreed else ()
        reasons = [getattr(told[version], "reason", None) for version in a.versions]
        yield ArrangementRow(
            a.id,
            shown(a.requested.effective) if a.requested else None,
            a.agreed.on if a.agreed else None,
            a.agreed.kind if a.agreed else None,
            a.agreed.arrangement_basis if a.agreed else None,
            sum(i.amount for i in promised),
            max((i.due_on for i in promised), default=None),
            a.declined_on,
            a.breached_on,
            a.cancelled_on,
            _missed_from(seen, a),
            a.requested.channel if a.requested else None,
            next((reason for reason in reversed(reasons) if reason), None),
        )


def _missed_from(seen: Folded, arrangement: Arrangement) -> date | None:
    return progress(seen.at_last, arrangement).since if arrangement.agreed else None


def installments(seen: Folded) -> Iterator[InstallmentRow]:
    """Every installment ever agreed."""
    for a in seen.account.arrangements.values():
        for n, (i, last_day, paid) in enumerate(installments_paid(seen.at_last, a), 1):
            yield InstallmentRow(a.id, n, i.due_on, last_day, i.amount, paid)


def deposits(seen: Folded) -> Iterator[DepositRow]:
    """Every movement of the credit deposits, with what is held after it."""
    held = n = 0
    for step in seen.movements if seen.account.deposits or seen.account.absorptions else ():
        if step.book == "deposit":
            n, held = n + 1, held + step.amount
            yield DepositRow(n, step.reference, step.on, step.kind, step.amount, held, step.event.version)


def shutoffs(seen: Folded) -> Iterator[ShutoffRow]:
    """Every time the water was turned off."""
    account = seen.account
    for shutoff in account.shutoffs:
        made, back, wrongful = shutoff.made, shutoff.reconnected, account.wrongful(shutoff)
        then = _as_known(seen, made)
        yield ShutoffRow(
            shown(made.effective),
            made.reason,
            shown(back.effective) if back else None,
            wrongful.on if wrongful else None,
            " ".join(made.flags),
            made.version,
            wrongful.reason if wrongful else None,
            then.account.service_class,
            **(_rested_on(then) if made.reason == "nonpayment" else {}),
        )


def _as_known(seen: Folded, made: e.ServiceDisconnected) -> Case:
    """The account at a shutoff, as it was known when that was recorded."""
    until = made.known_from, made.version
    known = (each for each in seen.history if (each.known_from, each.version) < until)
    before = fold(seen.account.id, [each for each in known if happened(each, made.effective)])
    return Case(before, moment_of(made.at), *seen.world.rules)


def _rested_on(then: Case) -> dict[str, Any]:
    """The oldest bill, the notice that stood (or else the latest one), who was spoken with, and who allowed it."""
    account = then.account
    owed = next(iter(then.aged or then.past_due or then.open), None)
    stood = standing(then)
    notices = [each for each in account.notices if each.kind in ("discontinuance", "final")]
    notice = stood.notice if stood else notices[-1] if notices else None
    contacts = [each for each in account.contacts if owed is None or each.day >= owed.part.mailed_on]
    last = max(contacts, key=order, default=None)
    permission = next((each for each in reversed(account.authorized) if each.day == then.on), None)
    inability = account.health.get("inability")
    return {
        "bill": owed.bill.id if owed else None,
        "mailed_on": owed.part.mailed_on if owed else None,
        "past_due": account.past_due(then.on),
        "notice": notice.notice if notice else None,
        "notice_kind": notice.kind if notice else None,
        "notice_served_on": notice.on if notice else None,
        "notice_method": notice.method if notice else None,
        "contacts": len(contacts),
        "contact_at": shown(last.effective) if last else None,
        "contact_method": last.method if last else None,
        "contact_outcome": last.outcome if last else None,
        "authorized_at": shown(permission.effective) if permission else None,
        "override_reason": permission.override_reason if permission else None,
        "approved_by": permission.approved_by if permission else None,
        "inability_shown": bool(inability and inability.stands in ("under review", "accepted")),
    }


def notices(seen: Folded) -> Iterator[NoticeRow]:
    """Every notice served."""
    account = seen.account
    for notice in account.notices:
        counts = notice.kind in ("discontinuance", "final")
        yield NoticeRow(
            notice.notice,
            notice.kind,
            notice.on,
            notice.method,
            notice.language,
            notice.amount,
            notice.act_by,
            account.notices_returned.get(notice.notice),
            " ".join(covered_bills(seen.case, notice)) if counts else "",
            _stale_after(seen.case, notice) if counts else None,
            notice.version,
        )


def _stale_after(case: Case, notice: e.NoticeServed) -> date | None:
    days = case.policies.on(notice.on, case.account.district).find("notice_given", "stale_after_days")
    return None if days is None else good_until(notice, days)
