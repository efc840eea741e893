"""`audit recheck`: every recorded decision judged again, and what would be judged otherwise."""

import sys

import click

from commands.answers import Answer
from commands.cli import REFUSED
from commands.outputs import WIDTH
from commands.questions import Account as AccountArgument
from commands.questions import books_at, write
from commands.tables import day

_EVERY = 1000
"""After how many accounts the count on a terminal moves."""


@click.command()
@click.option("--account", type=AccountArgument(), help="Judge the decisions of this account only.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one object a line; the last one counts.")
@click.pass_context
def recheck(ctx: click.Context, account: str | None, as_json: bool) -> None:
    """Judge every recorded decision again, and list those that would be judged otherwise today. Nothing is rewritten.

    Once by the rules as corrected since: packs published later. Once by the facts learned since: a payment made before
    the shutoff and posted after it, a bill corrected, a petition that came late to light. Each finding names the event
    that made the difference. The exit code is 1 where there is one.

    \b
    Example:
      water-ledger audit recheck --account 7001
    """
    from commands.rejudge import Known, judge_again

    accounts = decisions = findings = 0
    with books_at(ctx.obj) as books:
        known = Known(books.utility().events)
        for history in [books.history(account)] if account else books.histories():
            history.known()
            accounts += 1
            for found in judge_again(history, known):
                decisions, findings = decisions + 1, findings + len(found)
                for finding in found:
                    _say(finding.plain(), as_json)
            if sys.stderr.isatty() and accounts % _EVERY == 0:
                # The next line covers it.
                sys.stderr.write(f"{accounts:,} accounts judged\r")
                sys.stderr.flush()
    if as_json:
        write({"accounts": accounts, "decisions": decisions, "findings": findings})
    else:
        click.echo(f"accounts {accounts:,}, decisions judged again {decisions:,}, otherwise {findings:,}")
    ctx.exit(REFUSED if findings else 0)


def _say(finding: Answer, as_json: bool) -> None:
    if as_json:
        write(finding)
        return
    event = f"{finding['type']} of {day(finding['effective'])}"
    since = finding["because"]
    if since is None:
        cause = "as this version of the program has it"
    else:
        whose = f"event {since['version']}{'' if since['account'] else ' of the utility'}"
        cause = f"since {whose}, {since['type']}, known from {day(since['known_from'])}"
    click.echo(f"account {finding['account']}, version {finding['version']}: {event}, by {finding['judged']} {cause}")
    if finding["after"].get("because"):
        why = finding["after"]["because"]
        click.echo(click.wrap_text(why, WIDTH, initial_indent="  why: ", subsequent_indent="       "))
    for name in dict.fromkeys([*finding["before"], *finding["after"]]):
        if name == "because":
            continue
        before, after = (_shown(finding[side].get(name)) for side in ("before", "after"))
        click.echo(f"  {name.replace('_', ' ')}: {before}; now {after}")


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
