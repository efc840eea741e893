"""Recorded decisions judged again: by the rules as corrected since, and by the facts learned since.

A decision is the command that was decided. It is built again from its event and decided again, by `decide` as always,
from what was known then with one thing changed: the packs that are known now, or the facts that came to light later.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from commands.answers import Answer
from commands.appeal import FileAppeal
from commands.arrangement import AgreeArrangement, BreachArrangement, RequestArrangement
from commands.base import ABOUT_THE_POST, RENAMED, Command
from commands.bill import CorrectBill, IssueBill
from commands.deposit import RequireDeposit
from commands.dispute import FilePetition
from commands.fee import ChargeFee
from commands.notice import ServeNotice
from commands.payment import ReceivePayment
from commands.service import AuthorizeShutoff, DisconnectService, ReconnectService
from ledger import events as e
from ledger.account import Account
from ledger.context import Context, On
from ledger.evolve import fold
from ledger.history import History, happened
from ledger.money import half_up, money, quantity
from ledger.policy.explain import FORBIDS
from ledger.policy.parameters import NoVersion
from ledger.posting import Stream
from ledger.refusal import Refused
from ledger.showing import plain
from ledger.usage import metering
from ledger.utility import Rules, Utility

DECISIONS: dict[type[e.Event], type[Command]] = {
    e.BillIssued: IssueBill,
    e.BillCorrected: CorrectBill,
    e.FeeCharged: ChargeFee,
    e.PaymentReceived: ReceivePayment,
    e.DepositRequired: RequireDeposit,
    e.NoticeServed: ServeNotice,
    e.ArrangementRequested: RequestArrangement,
    e.ArrangementAgreed: AgreeArrangement,
    e.ArrangementBreached: BreachArrangement,
    e.PetitionFiled: FilePetition,
    e.AppealFiled: FileAppeal,
    e.ShutoffAuthorized: AuthorizeShutoff,
    e.ServiceDisconnected: DisconnectService,
    e.ServiceReconnected: ReconnectService,
}
"""The events that a rule shaped, permitted or flagged, and the commands that they came from."""

Conclusion = dict[str, Any]
"""What the rules made of a decision: whether it was allowed, against which rules, its dates and its amounts."""


class Finding(NamedTuple):
    """A decision that would be judged otherwise; `cause` is None where only the program itself can have changed it."""

    account: str
    event: e.Event
    judged: str
    before: Conclusion
    after: Conclusion
    cause: tuple[str, e.Event] | None

    def plain(self) -> Answer:
        """The finding as JSON."""
        return {
            "account": self.account,
            "version": self.event.version,
            "type": self.event.type,
            "effective": plain(self.event.effective),
            "judged": self.judged,
            "before": self.before,
            "after": self.after,
            "because": _named(*self.cause) if self.cause else None,
        }


class Known:
    """What the utility knew of its own rules, offices and hours, in any part."""

    def __init__(self, events: Sequence[e.Event]) -> None:
        self._by_knowledge = sorted(events, key=lambda event: (event.known_from, event.version))
        self._moments = [event.known_from for event in self._by_knowledge]
        self._rules = cache(self._make)

    def rules(self, parts: Sequence[e.Event]) -> Rules:
        """The calendar and the rules by some of the events."""
        return self._rules(tuple(sorted(event.version for event in parts)))

    def then(self, decision: e.Event) -> list[e.Event]:
        """What was known when a decision was taken."""
        return self._by_knowledge[: bisect_right(self._moments, decision.known_from)]

    def packs_since(self, decision: e.Event) -> list[e.Event]:
        """The packs that came to be known after it."""
        return [event for event in self._since(decision) if isinstance(event, e.PolicyPublished)]

    def facts_since(self, decision: e.Event) -> list[e.Event]:
        """The closures and hours that held by then and came to be known after it."""
        since = self._since(decision)
        return [x for x in since if not isinstance(x, e.PolicyPublished) and happened(x, decision.effective)]

    def _since(self, decision: e.Event) -> list[e.Event]:
        return self._by_knowledge[bisect_right(self._moments, decision.known_from) :]

    def _make(self, versions: tuple[int, ...]) -> Rules:
        wanted = set(versions)
        chosen = [event for event in self._by_knowledge if event.version in wanted]
        return Utility(sorted(chosen, key=lambda event: event.version)).rules()


class Decision(NamedTuple):
    """A recorded decision: its events, the command that is decided again, and all that was recorded before it."""

    account: str
    events: Sequence[e.Event]
    command: Command
    earlier: Sequence[e.Event]

    def conclusion(self, events: Sequence[e.Event], account: Account, rules: Rules) -> Conclusion | None:
        """What is concluded from `events` and the state they fold to; None where it cannot be judged by them."""
        first = self.events[0]
        context = Context(History(self.account, events), *rules, first.recorded_at, first.known_from)
        try:
            decided = self.command.decide(account, context)
        except Refused as refusal:
            if not refusal.rules and not isinstance(refusal, NoVersion):
                # The thing is not there, or was undone: that is no judgment of a rule.
                return None
            return {"allowed": False, "against": sorted(refusal.rules), "because": refusal.message}
        return concluded([each.event if isinstance(each, On) else each for each in decided])


def judge_again(history: History, known: Known) -> Iterator[list[Finding]]:
    """For each decision of an account what would be found otherwise; holds one account's events."""
    stream = Stream(history.account, ())
    latest = _earliest_later(history.events)
    for place, event in enumerate(history.events):
        decision = _decision(history, place, stream.events)
        if decision is not None:
            found = [_by_rules(decision, stream.state, known)]
            late = latest[place + len(decision.events)]
            if (late is not None and late <= event.day) or known.facts_since(event):
                found.append(_by_facts(decision, history.events[place + len(decision.events) :], known))
            yield [finding for finding in found if finding]
        stream.add(event)


def _decision(history: History, place: int, earlier: Sequence[e.Event]) -> Decision | None:
    event = history.events[place]
    kind = DECISIONS.get(type(event))
    before = history.events[place - 1] if place else None
    if kind is None or (before is not None and _earned(before, event)):
        return None
    after = history.events[place + 1 : place + 2]
    own = [event, *(each for each in after if _earned(event, each))]
    return Decision(history.account, own, _command(kind, history.account, event), earlier)


def _earned(cause: e.Event, fee: e.Event) -> bool:
    """Whether `fee` is the one that the event before it earned, recorded by the same command."""
    if not isinstance(fee, e.FeeCharged) or fee.recorded_at != cause.recorded_at:
        return False
    if isinstance(cause, e.PaymentReceived):
        return fee.payment == cause.payment
    return isinstance(cause, e.ServiceReconnected) and fee.kind.endswith("reconnection")


def _command(kind: type[Command], account: str, event: e.Event) -> Command:
    """The command that an event came from; what the ledger filled in is left to it again."""
    said = {name: getattr(event, its) for name, its in _shared(kind, type(event))}
    if isinstance(event, e.FeeCharged) and len(event.basis) > 1:
        said["amount"] = None
    return kind(account=account, **said)


@cache
def _shared(command: type[Command], event: type[e.Event]) -> tuple[tuple[str, str], ...]:
    """The fields of a command that stand in its event too, under both names."""
    names = ((name, RENAMED.get(name, name)) for name in command.__struct_fields__ if name not in ABOUT_THE_POST)
    return tuple((name, its) for name, its in names if its in event.__struct_fields__)


def concluded(events: Sequence[e.Event]) -> Conclusion:
    """What the rules made of a decision, from its events."""
    first: Any = events[0]
    found: Conclusion = {"allowed": True, "flags": sorted(first.flags)}
    if isinstance(first, e.ShutoffAuthorized | e.ServiceDisconnected):
        against = [verdict for verdict in first.verdicts if verdict.verdict in FORBIDS]
        found["against"] = sorted(verdict.rule for verdict in against)
        found["because"] = "; ".join(f"{verdict.rule}: {verdict.because}" for verdict in against)
    for name in ("past_due_from", "average"):
        if (value := getattr(first, name, None)) is not None:
            found[name] = money(value) if name == "average" else plain(value)
    fees = [event for event in events if isinstance(event, e.FeeCharged)]
    found["fee"] = ", ".join(f"{fee.kind} {money(fee.amount)}, past due from {fee.past_due_from}" for fee in fees)
    return found


def _by_rules(decision: Decision, state: Account, known: Known) -> Finding | None:
    """Judged by what was known of the account then, and by all packs that are known now."""
    first = decision.events[0]
    before, then, packs = concluded(decision.events), known.then(first), known.packs_since(first)

    def judged(count: int) -> Conclusion | None:
        return decision.conclusion(decision.earlier, state, known.rules([*then, *packs[:count]]))

    return _finding(decision, "rules", before, judged, [(e.UTILITY, pack) for pack in packs])


def _by_facts(decision: Decision, later: Sequence[e.Event], known: Known) -> Finding | None:
    """Judged by the rules as known then, and by all that had happened by then, whenever it came to light."""
    first = decision.events[0]
    late = [
        (decision.account, event)
        for event in later
        if happened(event, first.effective) and not _carried_out(first, event)
    ]
    late += [(e.UTILITY, event) for event in known.facts_since(first)]
    late.sort(key=lambda each: (each[1].recorded_at, each[1].version))
    happened_then = [event for event in decision.earlier if happened(event, first.effective)]

    def judged(count: int) -> Conclusion | None:
        taken = late[:count]
        events = [*happened_then, *(event for account, event in taken if account == decision.account)]
        rules = known.rules([*known.then(first), *(event for account, event in taken if account == e.UTILITY)])
        state = fold(decision.account, History.effective(events))
        found = decision.conclusion(events, state, rules)
        return found and found | _by_reads(first, state)

    before = judged(0)
    return _finding(decision, "facts", before, judged, late) if before is not None else None


def _carried_out(decision: e.Event, event: e.Event) -> bool:
    """Whether an event is what the decision allowed; that the water is off already is nothing against it."""
    return isinstance(decision, e.ShutoffAuthorized) and isinstance(event, e.ServiceDisconnected)


def _by_reads(bill: e.Event, account: Account) -> Conclusion:
    """The water that the reads give for a bill's period, where they cover it and the bill says another amount."""
    if not isinstance(bill, e.BillIssued) or bill.usage is None or not account.meter_events:
        return {}
    start, end, metered = bill.period_start, bill.period_end, metering(account)
    if not (start and end and metered) or not any(first <= start and end <= last for first, last in metered.covered):
        return {}
    shared = ((period, (min(period.end, end) - max(period.start, start)).days) for period in metered.periods)
    usage = half_up(1000 * sum((metered.rate(period) * days for period, days in shared if days > 0), Fraction()))
    if usage == bill.usage:
        return {}
    return {"usage": f"{quantity(usage)} by the reads, {quantity(bill.usage)} on the bill"}


def _finding(
    decision: Decision,
    by: str,
    before: Conclusion,
    judged: Callable[[int], Conclusion | None],
    causes: Sequence[tuple[str, e.Event]],
) -> Finding | None:
    """What differs once every cause counts, with the cause from which on it does."""
    after = judged(len(causes))
    if after is None or _same(before, after):
        return None
    turned = len(causes)
    while turned and not _same(before, judged(turned - 1) or before):
        turned -= 1
    differs = [name for name in {**before, **after} if (before.get(name) or None) != (after.get(name) or None)]
    was, would_be = ({name: side[name] for name in differs if name in side} for side in (before, after))
    return Finding(decision.account, decision.events[0], by, was, would_be, causes[turned - 1] if turned else None)


def _same(before: Conclusion, after: Conclusion) -> bool:
    """Whether two conclusions come to the same; their sentences may differ."""
    names = {*before, *after} - {"because"}
    return all((before.get(name) or None) == (after.get(name) or None) for name in names)


def _earliest_later(events: Sequence[e.Event]) -> list[Any]:
    """At each place the earliest day of the events from there on, so that most decisions need not look further."""
    found: list[Any] = [None]
    for event in reversed(events):
        found.append(min(event.day, found[-1]) if found[-1] is not None else event.day)
    return found[::-1]


def _named(account: str, event: e.Event) -> Answer:
    return {
        "account": None if account == e.UTILITY else account,
        "version": event.version,
        "type": event.type,
        "known_from": plain(event.known_from),
    }
