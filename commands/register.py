"""The registers as the command line asks for them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import click

from commands.accounts import Amount
from commands.answers import day_of
from commands.entries import ENTRY_KINDS, GROUPS, Wanted
from commands.entries import entries as all_entries
from commands.questions import Account, Asked, Day, Words, asking, books_at, tell
from commands.registers import REGISTERS, Asking
from commands.registers import register as answer
from projections.as_of import RowsAsOf

_HELP = {
    "disputes": "Petitions to the utility, the days they were filed in, and their answers.",
    "appeals": "Appeals to the Commission, and the deposits it holds for them.",
    "arrangements": "Requests for arrangements, what was agreed, and what became of it.",
    "deposits": "Movements of the credit deposits; in total opening, by kind, and closing.",
    "shutoffs": "Water turned off and on again, what it rested on, overrides, wrongful findings.",
    "notices": "Notices served, the bills they cover, and those the post returned.",
}


@click.group()
def register() -> None:
    """Registers over all accounts: disputes, appeals, arrangements, deposits, shutoffs, notices, entries.

    A period takes in what began in it; --on says up to when what became of it counts.

    \b
    Example:
      water-ledger register shutoffs --from 2024-01-01 --to 2024-12-31 --xlsx shutoffs.xlsx
    """


def ask(url: str, name: str, asked: Asked, account: str | None = None, **narrowed: Any) -> Any:
    """A register of the ledger at `url`, from the tables where they can say it and else from the log."""
    with books_at(url) as books:
        rules = books.utility().rules(asked.known_at)
        rows = RowsAsOf(books, url, REGISTERS[name].projections, asked.when, asked.known_at, account)
        return answer(name, rows, Asking(day_of(asked.when), *rules, **narrowed), asked.when, asked.known_at)


def _command(name: str) -> Callable[..., None]:
    @click.option("--from", "first", type=Day(), metavar="DATE", help="The first day of the period.")
    @click.option("--to", "last", type=Day(), metavar="DATE", help="The last day of the period.")
    @click.option("--account", type=Account(), metavar="ID", help="Of one account only.")
    @click.option("--district", type=Words(), metavar="NAME", help="Of one district only.")
    @asking
    def shown(first: date | None, last: date | None, account: str | None, district: str | None, asked: Asked) -> None:
        url = click.get_current_context().obj
        tell("register", ask(url, name, asked, account, first=first, last=last, district=district), asked)

    return shown


for _name, _help in _HELP.items():
    _example = f"\n\n\b\nExample:\n  water-ledger register {_name} --from 2024-01-01 --to 2024-12-31 --on 2025-01-31"
    register.command(_name, help=_help + _example)(_command(_name))


_KINDS = f"Of this kind; may be repeated: {', '.join(ENTRY_KINDS)}."


@register.command()
@click.option("--from", "first", type=Day(), metavar="DATE", help="Effective on that day or later.")
@click.option("--to", "last", type=Day(), metavar="DATE", help="Effective on that day or earlier.")
@click.option("--kind", "kinds", type=click.Choice(ENTRY_KINDS), multiple=True, metavar="KIND", help=_KINDS)
@click.option("--over", type=Amount(), metavar="AMOUNT", help="Over that amount, either way.")
@click.option("--about-before", type=Day(), metavar="DATE", help="Changing what is dated before that day.")
@click.option("--account", type=Account(), metavar="ID", help="Of one account only.")
@click.option("--by", type=click.Choice(GROUPS), help="Count and add up by that instead.")
@asking
def entries(account: str | None, by: str | None, asked: Asked, **narrowed: Any) -> None:
    """Every change of a balance: what it changed, by whom, approved by whom, and why.

    \b
    Examples:
      water-ledger register entries --kind adjustment --over 500.00 --from 2024-01-01
      water-ledger register entries --kind bill_void --from 2024-01-01 --about-before 2024-01-01
      water-ledger register entries --kind payment --by source --csv imports.csv
    """
    with books_at(click.get_current_context().obj) as books:
        histories = books.histories() if account is None else (books.history(account),)
        tell("entries", all_entries(histories, asked.when, asked.known_at, Wanted(**narrowed), by), asked)
