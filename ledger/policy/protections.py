"""What protects an account from a shutoff on a day, and under which rules."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from msgspec import Struct

# Both register rules that protect.
from ledger.policy import shutoff, statutes  # noqa: F401
from ledger.policy.arrangements import current, pending_requests
from ledger.policy.case import SHUTOFF, Case
from ledger.policy.stays import (
    health_accepted,
    health_claimed,
    open_petitions,
    pending_appeals,
    staying_appeals,
    staying_petitions,
)

ProtectionKind = Literal["arrangement", "request", "petition", "appeal", "health", "deposit", "order"]


class Protection(Struct, frozen=True):
    """One thing that protects, since a day (None where it was not recorded), and the ids of the rules that say so."""

    kind: ProtectionKind
    since: date | None
    rules: tuple[str, ...]


def protections(case: Case) -> list[Protection]:
    """Everything that protects the account from a shutoff for nonpayment on that day."""
    return [p for p in _protections(case) if p.rules]


def _protections(case: Case) -> Iterator[Protection]:
    residential = case.account.residential
    found = current(case)
    if found and found.state == "kept":
        health = "sb998_health" if found.agreed.arrangement_basis == "health" else ""
        rules = _of(case, "arrangement_shields", "kept_current")
        rules += _of(case, health, "investigation_pending", on=residential)
        yield Protection("arrangement", found.agreed.on, rules)
    for asked in pending_requests(case):
        if asked.requested:
            yield Protection("request", asked.requested.day, _of(case, "request_pending", on=residential))
    staying = {petition.dispute for petition in staying_petitions(case)}
    for petition in open_petitions(case):
        policy = _of(case, "petition_in_time", on=petition.dispute in staying)
        statute = _of(case, "sb998_appeal", "investigation_pending", on=residential)
        yield Protection("petition", petition.day, policy + statute)
    perfected = {appeal.filed.appeal for appeal in staying_appeals(case)}
    for appeal in pending_appeals(case):
        policy = _of(case, "appeal_pending", on=residential and appeal.filed.appeal in perfected)
        yield Protection("appeal", appeal.filed.on, policy + _of(case, "sb998_appeal", on=residential))
    if residential and health_claimed(case):
        states = case.account.health.values()
        accepted = _of(case, "health_exception", "sb998_health", on=health_accepted(case))
        since = max(filter(None, (state.submitted_on or state.accepted_on for state in states)), default=None)
        yield Protection("health", since, accepted + _of(case, "investigation_pending"))
    if case.account.deposit > 0:
        since = min(filter(None, (held.since for held in case.account.deposits.values())), default=None)
        yield Protection("deposit", since, _of(case, "deposit_absorbed_first"))
    order = case.parameters.get("moratorium")
    if order and order.state == "in_force" and (residential or not order.values["residential_only"]):
        yield Protection("order", order.since, (order.id,))


def _of(case: Case, *functions: str, on: bool = True) -> tuple[str, ...]:
    return tuple(case.rule_id(function) for function in functions if on and function and _holds(case, function))


def _holds(case: Case, function: str) -> bool:
    return case.in_force(function) and SHUTOFF[function].judge(case).verdict == "blocks"
