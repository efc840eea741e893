"""Turning the water on again: what is to be paid first, the fee, the deposit (DO-39 to DO-44)."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from msgspec import Struct

from ledger.account import Account, Shutoff
from ledger.events import ReconnectionRequested, RuleVersion
from ledger.money import half_up, money
from ledger.policy.arrangements import add_months
from ledger.policy.case import Case, Verdict, blocks, not_applicable, permits, said
from ledger.policy.explain import RuleVerdict, under
from ledger.policy.fees import after_hours, reconnection_fee


class Reconnection(Struct, frozen=True):
    """Whether service may be restored, and what that takes: cents to pay first, the fee, the most of a deposit."""

    allowed: bool
    because: str
    amount_to_pay: int
    fee: int
    deposit_required: int
    rules: tuple[RuleVerdict, ...]


class DepositLimit(Struct, frozen=True):
    """The most that DO-42 lets the utility ask: `limit` cents, from the average of these regular bills."""

    limit: int
    average: int
    bills: tuple[str, ...]
    basis: RuleVersion | None


def reconnection(case: Case) -> Reconnection:
    """What reconnecting at that moment takes; payments reported and still waiting count (DO-44)."""
    off = case.account.off
    deposit = deposit_limit(case)
    if off is None:
        return Reconnection(False, "the water is on: there is nothing to reconnect", 0, 0, deposit.limit, ())
    request = case.account.reconnection_request
    fee = reconnection_fee(case, off, request)
    to_pay = amount_to_pay(case, off)
    verdicts = tuple(_rules(case, off, request, to_pay, deposit))
    against = [verdict for verdict in verdicts if verdict.forbids]
    because = against[0].because if against else "nothing stands in the way"
    return Reconnection(not against, because, to_pay, fee[1] if fee else 0, deposit.limit, verdicts)


def amount_to_pay(case: Case, off: Shutoff) -> int:
    """The cents past due then, less what is reported; 0 where the shutoff was wrongful or not for nonpayment."""
    if off.made.reason != "nonpayment" or case.account.wrongful(off):
        return 0
    return max(case.account.past_due(case.on) - case.reported, 0)


def deposit_limit(case: Case) -> DepositLimit:
    """The most that may be asked to re-establish credit: twice the average regular bill of the last 12 months (DO-42).

    0 where no shutoff for nonpayment that stands is behind it, or no regular bill to take an average of.
    """
    account = case.account
    behind = [s for s in account.shutoffs if s.made.reason == "nonpayment" and not account.wrongful(s)]
    factor = case.parameters.find("reestablishment_deposit", "factor")
    if not behind or factor is None:
        return DepositLimit(0, 0, (), None)
    since = add_months(case.on, -case.value("reestablishment_deposit", "months"))
    basis = case.parameters.rule("reestablishment_deposit").version
    bills = [
        bill
        for bill in account.bills.values()
        if bill.issued.kind == "regular" and bill.voided_on is None and since < bill.mailed_on <= case.on
    ]
    if not bills:
        return DepositLimit(0, 0, (), basis)
    average = Fraction(sum(bill.amount for bill in bills), len(bills))
    return DepositLimit(half_up(factor * average), half_up(average), tuple(bill.id for bill in bills), basis)


def _rules(
    case: Case, off: Shutoff, request: ReconnectionRequested | None, to_pay: int, deposit: DepositLimit
) -> Iterator[RuleVerdict]:
    asked = request.after_hours if request else False
    done = not case.calendar.office_open(case.at)
    late = after_hours(case, request)
    verdicts: dict[str, Verdict] = {
        "full_payment_restores": _full_payment(case, off, to_pay),
        "reconnection_fee": _fee(case, off, not late, asked, done),
        "after_hours_reconnection_fee": _fee(case, off, late, asked, done),
        "reestablishment_deposit": _deposit(deposit),
        "report_payment": _report(case),
        "sb998_fee_caps": _cap(case.account),
    }
    for book in case.parameters.rules:
        if book.function in verdicts and book.state == "in_force":
            yield under(book, verdicts[book.function])


def _full_payment(case: Case, off: Shutoff, to_pay: int) -> Verdict:
    events: tuple[int, ...] = (off.made.version,)
    if off.made.reason != "nonpayment":
        return not_applicable(f"the shutoff was for {off.made.reason.replace('_', ' ')}, not for nonpayment", events)
    if wrongful := case.account.wrongful(off):
        because = f"the shutoff of {said(off.made.day)} was wrongful: service is restored without payment or fee"
        return permits(because, (*events, wrongful.version))
    facts: dict[str, Any] = {"past_due": money(case.account.past_due(case.on)), "reported": money(case.reported)}
    events += tuple(report.version for report, _ in case.reports)
    if to_pay:
        return blocks(f"{money(to_pay)} past due is to be paid in full first", events, to_pay=money(to_pay), **facts)
    return permits("everything past due is paid", events, **facts)


def _fee(case: Case, off: Shutoff, applies: bool, asked: bool, done: bool) -> Verdict:
    if off.made.reason != "nonpayment" or case.account.wrongful(off):
        return not_applicable("no fee is due for restoring this shutoff")
    how = f"{'asked for' if asked else 'not asked for'} after hours, and {'outside' if done else 'within'} office hours"
    if applies:
        return permits(f"this fee is due: {how}", asked_after_hours=asked, done_after_hours=done)
    return not_applicable(f"the other fee is due: {how}", asked_after_hours=asked, done_after_hours=done)


def _deposit(deposit: DepositLimit) -> Verdict:
    if deposit.basis is None:
        return not_applicable("no shutoff for nonpayment is behind it")
    facts: dict[str, Any] = {"average": money(deposit.average), "bills": list(deposit.bills)}
    return permits(f"a deposit of {money(deposit.limit)} at most may be asked, and is no condition", **facts)


def _report(case: Case) -> Verdict:
    if not case.reports:
        return not_applicable("no reported payment is waiting")
    events = tuple(report.version for report, _ in case.reports)
    return permits(f"a reported payment of {money(case.reported)} counts", events, reported=money(case.reported))


def _cap(account: Account) -> Verdict:
    if not (account.low_income and account.residential):
        return not_applicable("the household is not recorded as low-income")
    return permits("the fee is within the caps for a low-income household", low_income=True)
