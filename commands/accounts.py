"""Finding accounts by where they stand on a day."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple, get_args

import click

from commands.answers import Answer, When, day_of, moment_of, stood
from commands.answers import asked as as_asked
from commands.questions import Asked, Words, asking, tell
from commands.questions_over_all import over_all
from ledger.calendar import Calendar
from ledger.history import History
from ledger.money import cents, money
from ledger.policy.case import Case
from ledger.policy.explain import Stage, stage
from ledger.policy.parameters import Policies
from ledger.policy.protections import ProtectionKind, protections
from ledger.showing import plain
from projections.kept import Kept, Source


class Wanted(NamedTuple):
    """What is looked for, with `past_due_over` in cents; None takes any."""

    stage: str | None = None
    past_due_over: int | None = None
    protection: str | None = None
    district: str | None = None


class Found(NamedTuple):
    """Where an account stands, with amounts in cents; of an account's rows, None is what they do not tell."""

    account: str
    stage: Stage | None
    district: str | None
    balance: int
    past_due: int
    protections: tuple[ProtectionKind, ...] | None

    def may_be(self, wanted: Wanted) -> bool:
        """Whether this may be one that is looked for: certainly, where all of it is told."""
        return (
            (wanted.district is None or wanted.district == self.district)
            and (wanted.past_due_over is None or self.past_due > wanted.past_due_over)
            and (wanted.stage is None or self.stage is None or wanted.stage == self.stage)
            and (wanted.protection is None or self.protections is None or wanted.protection in self.protections)
        )


def find(
    accounts: Iterable[History | Kept],
    calendar: Calendar,
    policies: Policies,
    when: When,
    known_at: datetime | None = None,
    wanted: Wanted | None = None,
) -> Answer:
    """The accounts that are what is `wanted` on a day, with their stage, protections, balance and what is past due."""
    when, on, wanted = as_asked(when), day_of(when), wanted or Wanted()
    rows, balance, past_due = [], 0, 0
    for each in accounts:
        if isinstance(each, Kept):
            found = _of_rows(each, on, policies)
        else:
            account = stood(each, when, known_at)
            if account is None or not account.version:
                continue  # nothing of it had happened yet, so it stood nowhere
            found = Found(account.id, None, account.district, account.balance, account.past_due(on), None)
            if found.may_be(wanted):
                # Stage and protections are dear: every rule may have to be asked.
                case = Case(account, moment_of(when), calendar, policies)
                kinds = tuple(dict.fromkeys(each.kind for each in protections(case)))
                found = found._replace(stage=stage(case), protections=kinds)
        if found.may_be(wanted):
            rows.append(plain(found) | {"balance": money(found.balance), "past_due": money(found.past_due)})
            balance += found.balance
            past_due += found.past_due
    return {
        "on": plain(on),
        "known_at": plain(known_at),
        "accounts": len(rows),
        "rows": rows,
        "totals": {"balance": money(balance), "past_due": money(past_due)},
    }


_PROTECT = ("disputes", "appeals", "arrangements", "deposits", "protections", "waiting")
_NAMES = ("accounts", "balances", "unpaid", *_PROTECT)


def source(wanted: Wanted, policies: Policies) -> Source:
    """What the search may be answered from: rows that tell all, or that this is none of those looked for."""

    def tells(kept: Kept, when: When) -> bool:
        if not kept.happened_by(when):
            return False
        found = _of_rows(kept, day_of(when), policies)
        return not found.may_be(wanted) or (found.stage is not None and found.protections is not None)

    return Source(_NAMES, tells)


def _of_rows(kept: Kept, on: date, policies: Policies) -> Found:
    (account,), (state,) = kept.rows("accounts"), kept.rows("balances")
    due = [part for part in kept.rows("unpaid") if part.past_due_from is not None and part.past_due_from <= on]
    found: Stage | None = None
    if account.closed_on and account.closed_on <= on:
        found = "closed"
    elif account.off_since:
        found = "disconnected"
    elif all(part.charge != "bill" for part in due):
        found = "current"
    order = policies.on(on, account.district).get("moratorium")
    ordered = order is not None and order.state == "in_force"
    protected = ordered or any(kept.has(name) for name in _PROTECT)
    past_due = sum(part.unpaid for part in due)
    return Found(kept.account, found, account.district, state.balance, past_due, None if protected else ())


class Amount(click.ParamType[int]):
    """An amount of money on the command line, in cents."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return cents(value, "not_negative")
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("find")
@click.option("--stage", type=click.Choice(get_args(Stage)), help="Only accounts at this stage.")
@click.option("--past-due-over", type=Amount(), metavar="AMOUNT", help="Only where more than that is past due.")
@click.option("--protection", type=click.Choice(get_args(ProtectionKind)), help="Only accounts protected by that.")
@click.option("--district", type=Words(), metavar="NAME", help="Only accounts of this district.")
@asking
def _find(
    stage: str | None, past_due_over: int | None, protection: str | None, district: str | None, asked: Asked
) -> None:
    """Accounts by where they stand on a day: stage, past due, protection, district.

    \b
    Examples:
      water-ledger accounts find --stage noticed --past-due-over 100.00 --on 2024-05-22
      water-ledger accounts find --protection petition --district "Pine Mountain" --json
    """
    wanted = Wanted(stage, past_due_over, protection, district)
    answer = over_all(find, asked, lambda policies: source(wanted, policies), wanted=wanted)
    tell("accounts", answer, asked)


accounts = click.Group("accounts", commands=[_find], help="Finding accounts.")
