"""The questions about all accounts on the command line: from the tables where they tell, else from the log."""

from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from commands.questions import PLOT, Asked, Day, asking, books_at, tell

if TYPE_CHECKING:
    from ledger.policy.parameters import Policies
    from projections.kept import Source


def over_all(answer: Callable[..., Any], asked: Asked, source: "Callable[[Policies], Source]", **rest: Any) -> Any:
    """The answer about all accounts: from the rows that are shown where `source` says that they tell, else folded."""
    from commands.answers import asked as as_asked
    from projections.kept import Accounts

    url, when = click.get_current_context().obj, as_asked(asked.when)
    with books_at(url) as books:
        rules = books.utility().rules(asked.known_at)
        if asked.known_at is not None:
            # Rows hold what is known now, and do not say what was known of them earlier.
            return answer(books.histories(), *rules, when, asked.known_at, **rest) | _FROM_LOG
        with Accounts(books, url, source(rules.policies), when) as accounts:
            found = answer(accounts, *rules, when, None, **rest)
            return found | ({"answered_from": "tables", "folded": accounts.folded} if accounts.kept else _FROM_LOG)


def _over_all(name: str, asked: Asked, **rest: Any) -> Any:
    answers: Any = import_module("commands.answers_over_all")
    source = answers.CUTOFF if rest.get("cutoff") else answers.SOURCES[name]
    return over_all(getattr(answers, name), asked, lambda _: source, **rest)


_FROM_LOG = {"answered_from": "log"}


@click.command()
@click.option("--totals", is_flag=True, help="Show only the totals.")
@PLOT
@asking
def aging(totals: bool, plot: bool, asked: Asked) -> None:
    """Receivables by age from the past-due date: current, 1-30, 31-60, 61-90, over 90 days.

    \b
    Examples:
      water-ledger aging --on 2024-12-31 --json
      water-ledger aging --plot
    """
    answer = _over_all("aging", asked)
    if totals:
        answer["rows"] = []
    tell("aging", answer, asked, plot=plot)


@click.command("trial-balance")
@click.option("--from", "first", type=Day(), metavar="DATE", help="The first day of the period.  [default: the first]")
@click.option("--to", "last", type=Day(), metavar="DATE", help="The last day of the period.  [default: --on]")
@click.option("--cutoff", is_flag=True, help="List what took effect in the period and was known after it, and reverse.")
@click.option("--late", is_flag=True, help="List what came into closed periods after 'books close'.")
@asking
def trial_balance(first: date | None, last: date | None, cutoff: bool, late: bool, asked: Asked) -> None:
    """Control totals of a period: opening + movements by kind = closing; deposits apart.

    \b
    Examples:
      water-ledger trial-balance --from 2024-01-01 --to 2024-12-31 --cutoff
      water-ledger trial-balance --to 2024-12-31 --late
    """
    given = click.get_current_context().params
    if last is not None and (given["on"] or given["at"]):
        raise click.UsageError("--to and --on (or --at) both say on which day the period ends; give one of them")
    if cutoff and late and asked.csv is not None:
        raise click.UsageError("a CSV file holds one list: ask for --cutoff or for --late, or write --xlsx")
    asked = asked._replace(when=last or asked.when)
    answer = _over_all("trial_balance", asked, first=first, cutoff=cutoff)
    if late:
        from commands.answers import day_of
        from commands.cutoff import late_entries

        with books_at(click.get_current_context().obj) as books:
            answer["late"] = late_entries(books, first, day_of(asked.when), asked.known_at)
    tell("trial_balance", answer, asked)


@click.command()
@asking
def worklist(asked: Asked) -> None:
    """What needs doing on a day: notices, shutoffs, installments, stays, estimated reads.

    \b
    Example:
      water-ledger worklist --on 2024-05-22
    """
    tell("worklist", _over_all("worklist", asked), asked)
