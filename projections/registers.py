"""Registers: disputes, appeals, arrangements and their installments, deposits, shutoffs, notices."""

from collections.abc import Iterator
from datetime import date, timedelta

from ledger import events as e
from ledger.account import Arrangement
from ledger.moments import shown
from ledger.policy.arrangements import progress
from ledger.policy.case import Case
from ledger.policy.notices import covered_bills
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


class InstallmentRow(Row, frozen=True):
    """One installment of an arrangement; it may be paid until `last_day`, moved off closed days (C2)."""

    arrangement: str
    n: int
    due_on: date
    last_day: date
    amount: int


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
    """Water turned off and on again; `flags` are the rules that the shutoff broke."""

    off_at: Moment
    reason: e.ShutoffReason
    on_at: Moment | None
    wrongful_on: date | None
    flags: str
    version: int


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
        answer = account.answers.get(p.dispute)
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
        )


def appeals(seen: Folded) -> Iterator[AppealRow]:
    """Every appeal, closed or not."""
    for appeal in seen.account.appeals.values():
        filed, closed = appeal.filed, appeal.closed
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
        )


def arrangements(seen: Folded) -> Iterator[ArrangementRow]:
    """Every arrangement that was asked for or agreed."""
    for a in seen.account.arrangements.values():
        promised = a.agreed.installments if a.agreed else ()
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
        )


def _missed_from(seen: Folded, arrangement: Arrangement) -> date | None:
    return progress(seen.at_last, arrangement).since if arrangement.agreed else None


def installments(seen: Folded) -> Iterator[InstallmentRow]:
    """Every installment ever agreed."""
    calendar = seen.world.rules.calendar
    for a in seen.account.arrangements.values():
        for n, i in enumerate(a.agreed.installments if a.agreed else (), 1):
            yield InstallmentRow(a.id, n, i.due_on, calendar.next_open(i.due_on), i.amount)


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
        yield ShutoffRow(
            shown(made.effective),
            made.reason,
            shown(back.effective) if back else None,
            wrongful.on if wrongful else None,
            " ".join(made.flags),
            made.version,
        )


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
    return None if days is None else notice.on + timedelta(days=days)
