"""The yearly reports as the command line asks for them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import click

from commands import clock, reports
from commands.questions import Asked, asking, books_at, tell
from ledger.refusal import Refused


@click.group()
def report() -> None:
    """Yearly reports 116918 and go-103a, each with the list of what its numbers count; and unbilled revenue.

    \b
    Example:
      water-ledger report 116918 --year 2024
    """


def _yearly(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--list", "listed", is_flag=True, help="Show what the figures count instead of the figures."),
        click.option("--year", type=click.IntRange(1900, 2199), required=True, metavar="YYYY", help="The year."),
    ):
        function = option(function)
    return function


def _tell(answer: Any, listed: bool, asked: Asked) -> None:
    tell("report_list" if listed else "report", answer, asked)


@report.command("116918")
@_yearly
@asking
def discontinuations(year: int, listed: bool, asked: Asked) -> None:
    """Residential service discontinued for nonpayment: events, distinct connections, repeats (H&S Code 116918).

    \b
    Examples:
      water-ledger report 116918 --year 2024
      water-ledger report 116918 --year 2024 --list --csv shutoffs-2024.csv
    """
    from commands.register import ask

    first, last = _period(year)
    shutoffs = ask(click.get_current_context().obj, "shutoffs", asked, first=first, last=last)
    _tell(reports.discontinuations(year, shutoffs), listed, asked)


@report.command("go-103a")
@_yearly
@asking
def performance(year: int, listed: bool, asked: Asked) -> None:
    """Performance figures by quarter and for the year, each from the raw events (CPUC General Order 103-A).

    \b
    Examples:
      water-ledger report go-103a --year 2024
      water-ledger report go-103a --year 2024 --xlsx go-103a-2024.xlsx
    """
    _period(year)
    with books_at(click.get_current_context().obj) as books:
        calendar, _ = books.utility().rules(asked.known_at)
        answer = reports.performance(books.histories(), calendar, year, asked.when, asked.known_at)
    _tell(answer, listed, asked)


@report.command()
@asking
def unbilled(asked: Asked) -> None:
    """Revenue not billed yet: the days since each account's last bill, at that bill's daily rate.

    \b
    Example:
      water-ledger report unbilled --on 2023-12-31 --known-at 2023-12-31T23:59
    """
    from commands.unbilled import unbilled as estimate

    with books_at(click.get_current_context().obj) as books:
        tell("unbilled", estimate(books.histories(), asked.when, asked.known_at), asked)


def _period(year: int) -> tuple[date, date]:
    first, last = reports.year_of(year)
    if first > clock.now().date():
        raise Refused("not_begun", f"the year {year} has not begun; give a year that has")
    return first, last
