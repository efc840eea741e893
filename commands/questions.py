"""The questions as the command line asks them: as of when in the world, and as known at which moment."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import click
import msgspec

from commands import clock
from commands.answers import moment_of
from commands.fields import identifier, text
from ledger import moments
from ledger.books import Books
from ledger.refusal import Invalid, shown
from ledger.store.log import require_ledger
from ledger.store.open import keys_of, open_log

F = TypeVar("F", bound=Callable[..., Any])


class Asked(NamedTuple):
    """When a question is about, what was known ("now" is both set to now), and how it is to be answered."""

    when: date | datetime
    known_at: datetime | None
    as_json: bool
    csv: str | None = None
    xlsx: str | None = None


@contextmanager
def books_at(url: str) -> Iterator[Books]:
    """The ledger at `url`, to be read; raises NotALedger where there is none."""
    log = open_log(url, read_only=True)
    with Books(log, lambda: keys_of(url, log, read_only=True)) as books:
        require_ledger(log)
        yield books


class Day(click.ParamType[date]):
    """A date on the command line."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return moments.day(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Moment(click.ParamType[datetime]):
    """A moment on the command line; a bare date means the end of that day."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return moment_of(moments.moment(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Words(click.ParamType[str]):
    """A text on the command line, such as every text that is recorded."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return text(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Named(click.ParamType[str]):
    """An id on the command line; what cannot be one is not looked for: raises Invalid."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return identifier(value)
        except ValueError as error:
            raise Invalid("invalid_value", f"{self.name}: {error}", self.name) from None


class Account(Named):
    """An account on the command line."""

    name = "account"


def asking(function: F) -> F:
    """The options that every question takes; the function gets one Asked."""

    def ask(*args: Any, on: date | None, at: datetime | None, **rest: Any) -> Any:
        if on is not None and at is not None:
            raise click.UsageError("--on and --at are two ways to say when; give one of them")
        asked = Asked(at or on or clock.now(), *(rest.pop(name) for name in Asked._fields[1:]))
        return function(*args, asked=asked, **rest)

    options = (
        click.option("--on", type=Day(), metavar="DATE", help="As of the end of that day.  [default: now]"),
        click.option("--at", type=Moment(), metavar="MOMENT", help="As of that moment."),
        click.option(
            "--known-at", type=Moment(), metavar="MOMENT", help="By what was known at that moment.  [default: now]"
        ),
        click.option("--json", "as_json", is_flag=True, help="Answer as JSON."),
        click.option("--csv", metavar="FILE", type=click.Path(dir_okay=False), help="Write a CSV file (- prints)."),
        click.option("--xlsx", metavar="FILE", type=click.Path(dir_okay=False), help="Write a spreadsheet."),
    )
    decorated: Any = ask
    for option in reversed(options):
        decorated = option(decorated)
    decorated.__doc__ = function.__doc__
    decorated.__name__ = function.__name__
    return decorated  # type: ignore[no-any-return]


def tell(name: str, answer: Any, asked: Asked, *, plot: bool = False) -> None:
    """Give an answer: as JSON, as files, as a page or a drawing for a person; files may go with what is printed."""
    if plot and asked.as_json:
        raise click.UsageError("--plot draws for a person and --json answers a program; give one of them")
    printed = asked.csv == "-"
    if asked.csv is not None or asked.xlsx is not None:
        tables, outputs = import_module("commands.tables"), import_module("commands.outputs")
        outputs.files(tables.page(name, answer), asked.csv, asked.xlsx, asked.when)
        if printed or not (asked.as_json or plot):
            return
    if asked.as_json:
        write(answer)
        return
    if plot:
        click.echo("\n".join(import_module("commands.plots").plot(name, answer)))
        return
    tables, outputs = import_module("commands.tables"), import_module("commands.outputs")
    outputs.show(tables.page(name, answer))


def event_types(names: Sequence[str]) -> None:
    """Complain of a name that is no event's, and so would find nothing."""
    from ledger.events import EVENTS

    if unknown := sorted(set(names) - EVENTS.keys()):
        said = f"there is no event {unknown[0]!r} (an event's name looks like BillIssued)"
        raise click.BadParameter(said, param_hint="--type")


def write(answer: Any) -> None:
    """One JSON value on a line of its own."""
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _about_one_account(
    name: str,
    help_text: str,
    options: Sequence[click.Option] = (),
    narrow: Callable[..., None] = lambda answer: None,
    *,
    judged: bool = True,
) -> click.Command:
    """The click command of a question; `narrow` takes its own options and leaves less of the answer.

    What is not `judged` is answered without the calendar and the rules, which take longer to read than the account.
    """

    @asking
    def ask(ctx: click.Context, /, account: str, asked: Asked, **own: Any) -> None:
        answers: Any = import_module("commands.answers")
        with books_at(ctx.obj) as books:
            rules = books.utility().rules(asked.known_at) if judged else (None, None)
            answer = getattr(answers, name)(books.history(account), *rules, asked.when, asked.known_at)
        if "known_at" in answer:
            answer["known_at"] = answer["known_at"] or moments.shown(clock.now())
        narrow(answer, **own)
        tell(name, answer, asked)

    named = click.argument("account", type=Account())
    command: click.Command = click.command(name, help=help_text)(named(click.pass_context(ask)))
    command.params += options
    return command


def _are_among(rules: Sequence[Any], wanted: Sequence[str], who: str, does: str) -> None:
    """Complain of a rule that is not there: it must not look like one with nothing to say."""
    there = [each["rule"] for each in rules]
    if absent := [shown(name) for name in wanted if name not in there]:
        raise click.UsageError(f"{who} {does} no rule {' and no rule '.join(absent)}; it {does} {', '.join(there)}")


def _only_rules(answer: Any, brief: bool, rule: tuple[str, ...]) -> None:
    _are_among(answer["rules"], rule, "explain", "judges")
    if brief or rule:
        answer["rules"] = [
            r
            for r in answer["rules"]
            if r["rule"] in rule or (brief and r["verdict"] in ("blocks", "avoids", "unknown"))
        ]


def _only_since(answer: Any, since: date | None) -> None:
    if since is not None:
        answer["lines"] = [line for line in answer["lines"] if line["on"][:10] >= since.isoformat()]


balance = _about_one_account(
    "balance",
    """What ACCOUNT owes, what of it is past due, and what is held for it.

    \b
    Example:
      water-ledger balance 7001 --on 2024-05-22 --known-at 2024-05-22T10:00
    """,
    judged=False,
)
status = _about_one_account(
    "status",
    """Where ACCOUNT stands: stage, bills with their clocks, protections, service.

    \b
    Example:
      water-ledger status 7001 --on 2024-05-22
    """,
)
explain = _about_one_account(
    "explain",
    """May service of ACCOUNT be discontinued for nonpayment at a moment? Every rule answers.

    \b
    Example:
      water-ledger explain 7001 --at 2024-05-23T10:00 --known-at 2024-05-23T10:00
    """,
    (
        click.Option(["--brief"], is_flag=True, help="Show only the rules that stand in the way."),
        click.Option(["--rule"], multiple=True, metavar="ID", help="Show this rule; may be given several times."),
    ),
    _only_rules,
)
reconnection = _about_one_account(
    "reconnection",
    """What it takes to turn the water of ACCOUNT on again at a moment.

    \b
    Example:
      water-ledger reconnection 7001 --at 2024-05-24T14:00
    """,
)
statement = _about_one_account(
    "statement",
    """Every movement of the balance of ACCOUNT, in effective order.

    \b
    Example:
      water-ledger statement 7001 --since 2024-01-01 --on 2024-05-22
    """,
    (click.Option(["--since"], type=Day(), metavar="DATE", help="Show only the lines from that day on."),),
    _only_since,
    judged=False,
)


PLOT = click.option("--plot", is_flag=True, help="Draw it.")
"""The option of the questions that `commands.plots` can draw."""


@click.command()
@click.argument("account", type=Account())
@PLOT
@asking
def usage(account: str, plot: bool, asked: Asked) -> None:
    """Average daily use of ACCOUNT by month: the last 24 completed months and the current one.

    \b
    Examples:
      water-ledger usage 7001 --plot
      water-ledger usage 7001 --csv usage.csv
    """
    from commands import answers

    with books_at(click.get_current_context().obj) as books:
        rules = books.utility().rules(asked.known_at)
        answer = answers.usage(books.history(account), *rules, asked.when, asked.known_at)
    tell("usage", answer, asked, plot=plot)


@click.command()
@click.argument("account", type=Account())
@click.option("--since", type=Day(), metavar="DATE", help="Show only what happened from that day on.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only this type, BillIssued; may be repeated.")
@asking
def history(account: str, since: date | None, types: tuple[str, ...], asked: Asked) -> None:
    """Every event of ACCOUNT as recorded; with --json one object a line.

    \b
    Example:
      water-ledger history 7001 --json --known-at 2024-05-22T10:00
    """
    from commands import answers

    event_types(types)
    ctx = click.get_current_context()
    limited = any(ctx.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE for name in ("on", "at"))
    with books_at(ctx.obj) as books:
        found = answers.recorded(
            books.history(account),
            lambda event: books.opened(account, event),
            asked.when if limited else None,
            asked.known_at,
        )
        if since is not None:
            found = (event for event in found if event["effective"][:10] >= since.isoformat())
        found = (event for event in found if not types or event["type"] in types)
        if not asked.as_json or asked.csv is not None or asked.xlsx is not None:
            found = iter(rows := list(found))
            tell("history", rows, asked._replace(as_json=False))
        if asked.as_json and asked.csv != "-":
            for event in found:
                write(event)


@click.command()
@click.option("--district", type=Words(), help="Judge for a district of the utility.")
@click.option("--rule", multiple=True, metavar="ID", help="Show this rule; may be given several times.")
@asking
def rules(district: str | None, rule: tuple[str, ...], asked: Asked) -> None:
    """Every rule with its id, layer, citation and the parameters in force on a day.

    \b
    Example:
      water-ledger rules --on 2020-03-01 --district "Pine Mountain"
    """
    from commands.rule_book import rule_book

    with books_at(click.get_current_context().obj) as books:
        policies = books.utility().rules(asked.known_at).policies
    answer = rule_book(policies, asked.when, district)
    if rule:
        _are_among(answer["rules"], rule, "the rule book", "has")
        answer["rules"] = [each for each in answer["rules"] if each["rule"] in rule]
    tell("rules", answer, asked)
