"""What would follow from other facts: an account replayed on a branch that is never stored, and the difference."""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any, BinaryIO

import click
import msgspec

from commands import clock
from commands.answers import Answer, When, asked, balance, cents_of, day_of, statement
from commands.base import Command
from commands.command_line import Discreet
from commands.feed import answer as line_answer
from commands.feed import parse
from commands.outputs import WIDTH
from commands.questions import Account as AccountArgument
from commands.questions import Day, books_at, write
from commands.tables import day
from ledger import events as e
from ledger.account import Account
from ledger.branch import Branch
from ledger.history import History
from ledger.money import half_up, money
from ledger.movements import movements
from ledger.policy.case import Case
from ledger.policy.explain import FORBIDS, judged
from ledger.policy.fees import shutoff_undone
from ledger.posting import Outcome
from ledger.refusal import Refused
from ledger.showing import plain
from ledger.utility import Rules

AMOUNTS = ("balance", "past_due", "credit", "deposit", "commission_deposit", "disputed", "fees")
"""What is compared: the amounts of `balance`, and the fees that stand."""
DAYS_OF_A_YEAR = 365
"""Interest is simple, and a leap year has no day more of it."""


class Rate(click.ParamType[Fraction]):
    """A yearly rate of interest; what is given in percent becomes a fraction of one."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        if isinstance(value, Fraction):
            return value
        whole, _, part = value.removesuffix("%").partition(".")
        if not (whole and (whole + part).isascii() and (whole + part).isdigit() and len(value) <= 10):
            self.fail("this is not a rate of interest; write it in percent, as 7 or 7.25", param, ctx)
        return Fraction(int(whole + part), 100 * 10 ** len(part))


class Versions(click.ParamType[tuple[int, ...]]):
    """Versions of events, separated by commas."""

    name = "versions"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        found = [part.strip() for part in value.split(",")]
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in found):
            self.fail("versions are whole numbers, as 'history' shows them, such as 12,13", param, ctx)
        return tuple(dict.fromkeys(map(int, found)))


@click.command(cls=Discreet)
@click.argument("account", type=AccountArgument())
@click.option("--feed", type=click.File("rb"), help="Commands to post on the branch, one JSON object a line (- reads).")
@click.option("--without", type=Versions(), default=(), metavar="VERSIONS", help="Events to leave out, such as 12,13.")
@click.option("--on", type=Day(), metavar="DATE", help="Compare as of the end of that day.  [default: now]")
@click.option("--interest-rate", type=Rate(), metavar="PERCENT", help="Simple yearly interest on what was overpaid.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def whatif(
    ctx: click.Context,
    account: str,
    feed: BinaryIO | None,
    without: tuple[int, ...],
    on: date | None,
    interest_rate: Fraction | None,
    as_json: bool,
) -> None:
    """What would follow for ACCOUNT if other facts were true: the difference to the cent. Nothing is recorded.

    The history is replayed without the events left out, and with the commands of a feed posted after it, which are
    decided as always; they may say learned_at. To replace a fact, leave out its event and say it anew in the feed. Fees
    that a payment or a shutoff earned are left out with it; what else followed from it stays, unless left out too.

    \b
    Example:
      echo '{"command": "bill correct", "account": "7001", "bill": "B-2402", "amount": "60.00",
             "mailed_on": "2024-06-03", "reason": "misread"}' | tr -d '\\n' |
        water-ledger whatif 7001 --feed - --without 20 --interest-rate 7 --json
    """
    if feed is None and not without:
        raise click.UsageError("give commands with --feed, or events to leave out with --without")
    with books_at(ctx.obj) as books:
        branch = Branch(books, account, clock.now)
        branch.leave_out(without)
        outcomes = [(line, _posted(branch, item)) for line, item in (parse(feed) if feed else ())]
    answer = difference(branch, asked(on or clock.now()), interest_rate)
    answer["lines"] = [msgspec.Raw(line_answer(line, outcome)) for line, outcome in outcomes]
    refused = [(line, outcome.error) for line, outcome in outcomes if outcome.error]
    if as_json:
        write(answer)
    else:
        for line, error in refused:
            click.echo(f"line {line} is not on the branch: {error.message}", err=True)
        _show(answer)
    ctx.exit(1 if refused else 0)


def _posted(branch: Branch, item: Command | Outcome) -> Outcome:
    """What becomes of a line of the feed on the branch."""
    if isinstance(item, Outcome):
        return item
    if item.whole:
        reason = f"'{item.title()}' looks at every account, and a branch has only one; leave it out of the feed"
        return Outcome("refused", error=Refused("not_on_a_branch", reason))
    return branch.post(item)


def difference(branch: Branch, when: When, rate: Fraction | None) -> Answer:
    """What the branch changes in the account at `when`, as known now; `rate` is a year's interest on a cent."""
    sides = {"before": (branch.before, branch.rules_before), "after": (branch.after, branch.rules)}
    states = {side: history.as_of(when) for side, (history, _) in sides.items()}
    amounts = {side: _amounts(history, rules, when) for side, (history, rules) in sides.items()}
    overpaid, owed = _overpaid(branch, when, rate)
    fees = list(_fees(states))
    statements = {side: statement(history, *rules, when)["lines"] for side, (history, rules) in sides.items()}
    return {
        "account": branch.before.account,
        "on": plain(day_of(when)),
        "left_out": [_named(event) for event in sorted(branch.left_out.values(), key=lambda event: event.version)],
        "added": [_named(event) for event in branch.added],
        **{side: {name: money(value) for name, value in found.items()} for side, found in amounts.items()},
        "difference": {name: money(amounts["after"][name] - amounts["before"][name]) for name in AMOUNTS},
        "refund": money(overpaid),
        "interest": None if rate is None or owed is None else money(owed),
        "fees_reversed": money(sum(cents_of(fee["amount"]) for fee in fees if fee["reversed"])),
        "fees": fees,
        "shutoffs": list(_shutoffs(branch)),
        "statement": statements,
    }


def _amounts(history: History, rules: Rules, when: When) -> dict[str, int]:
    said, account = balance(history, *rules, when), history.as_of(when)
    standing = sum(fee.charged.amount for fee in account.fees.values() if fee.waived_on is None)
    return {name: cents_of(said[name]) for name in AMOUNTS if name in said} | {"fees": standing}


def _named(event: e.Event) -> Answer:
    return {"version": event.version, "type": event.type, "effective": plain(event.effective)}


def _fees(states: dict[str, Account]) -> Iterator[Answer]:
    """The fees that stand on one side only, or with another amount."""
    before, after = states["before"].fees, states["after"].fees
    for name in dict.fromkeys([*before, *after]):
        stands = [
            side[name].charged.amount if name in side and side[name].waived_on is None else 0
            for side in (before, after)
        ]
        if stands[0] != stands[1]:
            fee = (before.get(name) or after[name]).charged
            change = stands[1] - stands[0]
            yield {
                "fee": name,
                "kind": fee.kind,
                "on": plain(fee.on),
                "amount": money(abs(change)),
                "reversed": change < 0,
            }


def _overpaid(branch: Branch, when: When, rate: Fraction | None) -> tuple[int, int | None]:
    """The cents that the branch says were paid beyond what was owed, and the simple interest on them until `when`."""
    turns: dict[date, list[int]] = {}
    for side, history in enumerate((branch.before, branch.after)):
        for step in movements(history.effective(history.known(), when)):
            if step.book == "balance":
                turns.setdefault(step.on, [0, 0])[side] += step.amount
    owed, over, interest, since = [0, 0], 0, Fraction(), date.min
    for turn in [*sorted(turns), day_of(when)]:
        interest += over * (turn - since).days * (rate or Fraction()) / DAYS_OF_A_YEAR
        moved, since = turns.pop(turn, [0, 0]), turn
        owed = [owed[0] + moved[0], owed[1] + moved[1]]
        over = max(max(-owed[1], 0) - max(-owed[0], 0), 0)
    return over, None if rate is None else half_up(interest)


def _shutoffs(branch: Branch) -> Iterator[Answer]:
    """What the rules say at the moment of each shutoff for nonpayment: as known then, as known now, on the branch."""
    made = {
        v.version: v for h in (branch.before, branch.after) for v in h.events if isinstance(v, e.ServiceDisconnected)
    }
    for shutoff in made.values():
        if shutoff.reason != "nonpayment":
            continue
        before, after = _without(branch.before, shutoff), _without(branch.after, shutoff)
        now, on_branch = _judged(before, branch.rules_before, shutoff.at), _judged(after, branch.rules, shutoff.at)
        then = {verdict.rule: verdict.verdict for verdict in shutoff.verdicts}
        rules = [
            {
                "rule": rule,
                "as_decided": then.get(rule),
                "before": now[rule].verdict if rule in now else None,
                "after": verdict.verdict,
                "because": verdict.because,
            }
            for rule, verdict in on_branch.items()
            if (now[rule].verdict if rule in now else None) != verdict.verdict
        ]
        yield {
            "version": shutoff.version,
            "at": plain(shutoff.at),
            "allowed": {
                "as_decided": not any(verdict in FORBIDS for verdict in then.values()) if then else None,
                "before": not any(verdict.forbids for verdict in now.values()),
                "after": not any(verdict.forbids for verdict in on_branch.values()),
            },
            "fee": _fee_of(branch, shutoff.version),
            "rules": rules,
        }


def _fee_of(branch: Branch, shutoff: int) -> Answer | None:
    """The fee that undoing a shutoff cost, where it stands on the branch."""
    for name, fee in branch.after.as_of().fees.items():
        if shutoff_undone(fee.charged) == shutoff and fee.waived_on is None:
            return {"fee": name, "amount": money(fee.charged.amount)}
    return None


def _show(answer: Answer) -> None:
    click.echo(f"Account {answer['account']} on {day(answer['on'])}, if it were so; nothing was recorded")
    for word in ("left_out", "added"):
        for event in answer[word]:
            click.echo(
                f"{word.replace('_', ' ')}: {event['type']} of {day(event['effective'])}, version {event['version']}"
            )
    click.echo(f"\n{'':<20}{'before':>14}{'after':>14}{'difference':>14}")
    for name in AMOUNTS:
        row = (answer[side][name] for side in ("before", "after", "difference"))
        click.echo(f"{name.replace('_', ' '):<20}" + "".join(f"{amount:>14}" for amount in row))
    interest = "" if answer["interest"] is None else f", interest on it {answer['interest']}"
    click.echo(f"\nrefund due {answer['refund']}{interest}; fees reversed {answer['fees_reversed']}")
    for fee in answer["fees"]:
        word = "reversed" if fee["reversed"] else "charged"
        click.echo(f"fee {fee['fee']} of {day(fee['on'])} ({fee['kind'].replace('_', ' ')}) {word}: {fee['amount']}")
    for shutoff in answer["shutoffs"]:
        said = [
            f"{'allowed' if allowed else 'not allowed'} {side.replace('_', ' ')}"
            for side, allowed in shutoff["allowed"].items()
        ]
        click.echo(f"shutoff of {day(shutoff['at'])}, version {shutoff['version']}: {', '.join(said)}")
        if shutoff["fee"] and not shutoff["allowed"]["after"]:
            fee = shutoff["fee"]
            click.echo(f"  its fee {fee['fee']} of {fee['amount']} stands: 'service wrongful' in the feed gives it up")
        for rule in shutoff["rules"]:
            turned = f"{rule['rule']}: {rule['before']} before, {rule['after']} after: {rule['because']}"
            click.echo(click.wrap_text(turned, WIDTH, initial_indent="  ", subsequent_indent="    "))
    before, after = ([_line(each) for each in answer["statement"][side]] for side in ("before", "after"))
    for sign, lines, others in (("-", before, after), ("+", after, before)):
        for line in lines:
            if line not in others:
                click.echo(f"{sign} {line}")


def _line(line: Answer) -> str:
    return f"{day(line['on'][:10]):<12} {line['kind']:<24} {line['reference'] or '':<20} {line['amount']:>12}"


def _without(history: History, event: e.Event) -> History:
    return History(history.account, [each for each in history.events if each.version != event.version])


def _judged(history: History, rules: Rules, at: datetime) -> dict[str, Any]:
    case = Case(history.as_of(at), at, *rules)
    return {verdict.rule: verdict for verdict in judged(case)}
