"""Who is behind, what protects them, and the dates on which that turns (DO-02, DO-04, DO-11, DO-23, DO-29, DO-32)."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from ledger import events as e
from ledger.policy.arrangements import current
from ledger.policy.case import Case
from ledger.policy.explain import HORIZON, earliest
from ledger.policy.notices import fresh_notices, standing
from ledger.policy.parameters import Policies
from ledger.policy.protections import Protection, ProtectionKind
from ledger.policy.protections import protections as protections_of
from projections.receivables import unpaid
from projections.rows import Folded, Row


class DelinquencyRow(Row, frozen=True):
    """An account with something unpaid: since when, until when, and the notice that stands.

    `earliest`, the notice and the reported payments are as they stood at the account's latest event; each has the date
    on which it turns beside it.
    """

    unpaid: int
    past_due_from: date | None
    bill: str | None
    mailed_on: date | None
    grace_until: date | None
    shutoff_from: date | None
    earliest: date | None
    notice: str | None
    notice_kind: e.NoticeKind | None
    notice_served_on: date | None
    notice_good_from: date | None
    notice_stale_after: date | None
    reported: int
    reported_until: date | None


class ProtectionRow(Row, frozen=True):
    """One thing that protects an account, through `until`, or while that is empty until a further event."""

    n: int
    kind: ProtectionKind
    since: date | None
    until: date | None
    rules: str


def delinquency(seen: Folded) -> Iterator[DelinquencyRow]:
    """One row for each account that has something unpaid."""
    owed = list(unpaid(seen))
    if not owed:
        return
    case, account = seen.case, seen.account
    oldest = case.open[0].bill if case.open else None
    mailed_on, past_due_from = oldest.clock(account.unpaid(oldest.id)) if oldest else (None, None)
    clocks = seen.world.clocks(account)
    grace_until, shutoff_from = clocks[mailed_on, past_due_from] if mailed_on and past_due_from else (None, None)
    chosen = standing(case) if account.notices else None
    yield DelinquencyRow(
        unpaid=sum(part.unpaid for part in owed),
        past_due_from=min((part.past_due_from for part in owed if part.past_due_from), default=None),
        bill=oldest.id if oldest else None,
        mailed_on=mailed_on,
        grace_until=grace_until,
        shutoff_from=shutoff_from,
        earliest=first_lawful(case) if oldest else None,
        notice=chosen.notice.notice if chosen else None,
        notice_kind=chosen.notice.kind if chosen else None,
        notice_served_on=chosen.notice.on if chosen else None,
        notice_good_from=chosen.free_from if chosen else None,
        notice_stale_after=chosen.stale_after if chosen else None,
        reported=case.reported,
        reported_until=max((last for _, last in case.reports), default=None),
    )


def first_lawful(case: Case) -> date | None:
    """The first day on which every layer would allow a shutoff if nothing more happens; None within a year."""
    # To judge a day is dear. Time alone makes no stale notice fresh, so where one is needed all year and none is fresh,
    # no day need be judged.
    if case.reports or not _notice_needed(case.policies, case.account.district, case.on.year, case.on.month):
        return earliest(case)
    return earliest(case) if fresh_notices(case) else None


@lru_cache(maxsize=4096)
def _notice_needed(policies: Policies, district: str | None, year: int, month: int) -> bool:
    day = date(year, month, 1)
    last = day + timedelta(days=31) + HORIZON
    while day <= last:
        if not policies.on(day, district).in_force("notice_given"):
            return False
        day = policies.turn_after(day)
    return True


def protections(seen: Folded) -> Iterator[ProtectionRow]:
    """What protects the account at its latest event; an order that protects everybody stands in the rules, not here."""
    a = seen.account
    if not (a.arrangements or a.disputes or a.appeals or a.health or a.deposits):
        return
    standing_now = [each for each in protections_of(seen.case) if each.kind != "order"]
    for n, each in enumerate(standing_now, 1):
        since = each.since
        if each.kind == "deposit":
            since = min((step.on for step in seen.movements if step.book == "deposit"), default=None)
        yield ProtectionRow(n, each.kind, since, _until(seen, each), " ".join(each.rules))


def _until(seen: Folded, protection: Protection) -> date | None:
    if protection.kind == "arrangement":
        found = current(seen.case)
        return found.holds_until if found else None
    if protection.kind == "appeal":
        found_appeals = (each for each in seen.account.appeals.values() if each.filed.on == protection.since)
        ends = [end for each in found_appeals for end in (each.lapsed_on, each.closed and each.closed.on) if end]
        return min(ends, default=None)
    return None
