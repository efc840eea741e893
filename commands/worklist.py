"""What needs doing on a day: notices, shutoffs, installments, stays, estimated reads."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple, get_args

from commands.answers import Answer, When, asked, day_of, stood
from ledger.calendar import PACIFIC, Calendar
from ledger.history import History
from ledger.money import money
from ledger.policy.arrangements import Progress, current, pending_requests
from ledger.policy.case import Case, said
from ledger.policy.explain import allowed_from
from ledger.policy.notices import ground_of, standing
from ledger.policy.parameters import Policies
from ledger.policy.stays import deposit_needed, open_petitions, pending_appeals
from ledger.showing import plain
from ledger.usage import metering
from projections.kept import Kept, Source

Task = Literal["serve_notice", "authorize_shutoff", "installment_due", "installment_missed", "stay", "true_up"]
TASKS: tuple[Task, ...] = get_args(Task)
"""What there may be to do, in the order of the totals."""

COMING = timedelta(days=7)
"""How far ahead an installment is announced."""


class Item(NamedTuple):
    """One thing to do for an account: until when (where that is known), about what, how many cents, and why."""

    task: Task
    by: date | None
    reference: str | None
    amount: int | None
    because: str


def worklist(
    accounts: Iterable[History | Kept],
    calendar: Calendar,
    policies: Policies,
    when: When,
    known_at: datetime | None = None,
) -> Answer:
    """Everything that needs doing on a day, account by account, one folded at a time; rows tell that nothing does.

    All that had happened by then counts, by the end of a day; a shutoff is judged from the opening of the offices on.
    """
    when, on = asked(when), day_of(when)
    at = calendar.opening(on) or datetime.combine(on, time.min, PACIFIC)
    totals = dict.fromkeys(TASKS, 0)
    rows = []
    for found in accounts:
        if isinstance(found, Kept):
            continue
        account = stood(found, when, known_at)
        if account is None:
            continue
        for item in _items(Case(account, at, calendar, policies)):
            totals[item.task] += 1
            amount = None if item.amount is None else money(item.amount)
            rows.append({"account": account.id} | plain(item._replace(amount=None)) | {"amount": amount})
    return {"on": plain(on), "known_at": plain(known_at), "rows": rows, "totals": totals}


def _idle(kept: Kept, when: When) -> bool:
    """Whether rows tell that there is nothing to do: no bill past due, and nothing that waits."""
    if not kept.happened_by(when) or any(kept.has(name) for name in _WAITS):
        return False
    on = day_of(when)
    owed = (part for part in kept.rows("unpaid") if part.charge == "bill")
    return all(part.past_due_from is None or part.past_due_from > on for part in owed)


_WAITS = ("disputes", "appeals", "arrangements", "waiting")
SOURCE = Source(("accounts", "unpaid", *_WAITS), _idle)
"""The rows that may tell that an account needs nothing."""


def _items(case: Case) -> Iterator[Item]:
    account = case.account
    if case.past_due and not account.off and not account.closed_on:
        yield from _shutoff(case)
    found = current(case)
    if found:
        yield from _installments(case, found)
    yield from _stays(case)
    if not account.closed_on:
        yield from _true_up(case)


def _shutoff(case: Case) -> Iterator[Item]:
    past_due = case.account.past_due(case.on)
    bill, found, chosen = case.past_due[0].bill, current(case), standing(case)
    kept = found is not None and found.state == "kept"
    if not kept and case.in_force("notice_given") and chosen is None:
        kind = "a final" if found else "a discontinuance"
        _, since = bill.clock(case.account.unpaid(bill.id))
        because = f"bill {bill.id} is past due since {said(since)} and {kind} notice may be served"
        yield Item("serve_notice", None, bill.id, past_due, because)
    # To ask every rule is dear, and without an aged bill they would not allow it.
    allowed = allowed_from(case) if case.aged else None
    if allowed:
        name = ground_of(case, chosen)[0] if chosen else case.aged[0].bill.id
        because = f"bill {name} is unpaid and no rule forbids the shutoff at {allowed:%H:%M}"
        yield Item("authorize_shutoff", None, name, past_due, because)


def _installments(case: Case, found: Progress) -> Iterator[Item]:
    name, missing = found.arrangement.id, found.required - found.paid
    if found.state == "missed":
        since = f"since {said(found.since)}" if found.since else "now"
        yield Item(
            "installment_missed", found.since, name, missing if missing > 0 else None, f"missed {since}: {found.missed}"
        )
    elif found.holds_until and found.holds_until <= case.on + COMING:
        because = f"arrangement {name} is kept until {said(found.holds_until)} if nothing more is paid"
        yield Item("installment_due", found.holds_until, name, found.next_due, because)


def _stays(case: Case) -> Iterator[Item]:
    for petition in open_petitions(case):
        days = (case.on - petition.day).days
        because = f"the petition about bill {petition.bill} waits for an answer since {days} days"
        yield Item("stay", None, petition.dispute, petition.disputed_amount, because)
    for request in pending_requests(case):
        if request.requested:
            because = f"the request of {said(request.requested.day)} for an arrangement waits for an answer"
            yield Item("stay", None, request.id, None, because)
    for appeal in pending_appeals(case):
        name, needed = appeal.filed.appeal, deposit_needed(case, appeal)
        ended = min(filter(None, (appeal.lapsed_on, appeal.closed.on if appeal.closed else None)), default=None)
        if ended:
            yield Item("stay", ended, name, None, f"the appeal ended on {said(ended)}; its stay ends with that day")
        elif appeal.deposited < needed:
            short = needed - appeal.deposited
            because = f"{money(short)} of the disputed amount is not known to be deposited with the Commission"
            yield Item("stay", None, name, short, because)
    for report, last in case.reports:
        because = f"payment {report.payment} is reported and not received; it counts until {said(last)}"
        yield Item("stay", last, report.payment, report.amount, because)
    for part, state in case.account.health.items():
        if state.stands == "under review":
            yield Item("stay", None, part, None, f"the {part} of the health exception waits for a decision")


def _true_up(case: Case) -> Iterator[Item]:
    metered = metering(case.account)
    estimated = [p for p in metered.periods if p.estimated] if metered else []
    if metered and estimated:
        first, last = estimated[0], estimated[-1]
        because = f"the reads since {said(first.start)} are estimates, the last of {said(last.end)}; read the meter"
        # A wrong estimate is put right by the next billing period (PUC 770(d)): as long again as the one estimated.
        yield Item("true_up", last.end + (last.end - last.start), None, None, because)
