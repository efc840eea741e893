"""A click command for each command of the ledger, made from its fields and its docstring."""

import inspect
from typing import Any

import click

from commands.base import ABOUT_THE_POST, Command, UtilityCommand, given_fields, read
from commands.fields import Field, fields_of
from ledger.events import LATE
from ledger.posting import Outcome
from ledger.refusal import Invalid

_METAVARS = {
    "id": "ID",
    "text": "TEXT",
    "email": "EMAIL",
    "clock": "HH:MM",
    "money": "AMOUNT",
    "money_or_none": "AMOUNT",
    "signed_money": "AMOUNT",
    "quantity": "QUANTITY",
    "count": "N",
    "moment": "MOMENT",
    "timed": "MOMENT",
    "date": "DATE",
    "lines": "KIND=AMOUNT,…",
    "installments": "DATE=AMOUNT,…",
}


class Discreet(click.Command):
    """Does not say back what it was given too much of: half of a name, perhaps, that was not put in quotes."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if ctx.args:
            words = "word is" if len(ctx.args) == 1 else "words are"
            ctx.fail(f"{len(ctx.args)} {words} not part of any option (put a text that has blanks in quotes)")
        return rest


def command_for(kind: type[Command]) -> click.Command:
    """The click command that posts a `kind`."""
    specs, _ = given_fields(kind)
    ordered = sorted(specs.values(), key=lambda s: (not s.required, s.name in ABOUT_THE_POST))
    params: list[click.Parameter] = [_option(spec) for spec in ordered]
    params += [
        click.Option(["--backfill"], is_flag=True, help="History brought in from another system; allows --learned-at."),
        click.Option(["--dry-run"], is_flag=True, help="Record nothing and answer as if."),
        click.Option(["--json", "as_json"], is_flag=True, help="Answer as JSON."),
    ]
    title = kind.title()
    example = f"\b\nExample:\n  water-ledger {title} {kind.example}"
    return Discreet(
        name=title.split()[1],
        params=params,
        callback=lambda **values: _post(kind, **values),
        help=f"{inspect.cleandoc(kind.__doc__ or '')}\n\n{example}",
    )


def _option(spec: Field) -> click.Option:
    name = f"--{spec.name.replace('_', '-')}"
    default = spec.default if spec.default not in (None, (), False) else None
    help_text = spec.help + (f" [default: {spec.show(default)}]" if default is not None else "")
    if spec.form == "flag":
        return click.Option([f"{name}/--no-{name[2:]}", spec.name], default=None, help=help_text)
    metavar = "|".join(spec.choices) if spec.choices else _METAVARS[spec.form]
    return click.Option([name, spec.name], required=spec.required, metavar=metavar, help=help_text.strip())


def _post(kind: type[Command], /, *, backfill: bool, dry_run: bool, as_json: bool, **values: Any) -> None:
    from commands.post import ledger_at

    ctx = click.get_current_context()
    specs = fields_of(kind)
    try:
        given = {name: _from_shell(specs[name], value) for name, value in values.items() if value is not None}
        command = read(kind, given)
    except Invalid as error:
        if not as_json:
            raise
        from commands.feed import account_in

        _say(kind, Outcome("invalid", account=account_in(values), error=error), as_json, dry_run)
        ctx.exit(1)
    with ledger_at(ctx.obj, rehearsing=dry_run) as ledger:
        if dry_run:
            outcome = next(ledger.rehearse([command], backfill=backfill))
        else:
            outcome = ledger.post(command, backfill=backfill)
    _say(kind, outcome, as_json, dry_run)
    ctx.exit(1 if outcome.error else 0)


def _from_shell(spec: Field, value: Any) -> Any:
    """Lists may be written as "2024-05-01=30.00,2024-06-01=30.00" or as JSON."""
    if spec.form not in ("lines", "installments"):
        return value
    if value.lstrip().startswith("["):
        from commands.feed import decoded

        return decoded(value, f"list of {spec.name}")
    keys = ("kind", "amount") if spec.form == "lines" else ("due_on", "amount")
    return [dict(zip(keys, part.strip().split("=", 1), strict=False)) for part in value.split(",")]


def _say(kind: type[Command], outcome: Outcome, as_json: bool, dry_run: bool) -> None:
    if as_json:
        from commands.feed import answer

        click.echo(answer(None, outcome))
        return
    if outcome.error:
        unsaid = [rule for rule in outcome.error.rules if rule not in outcome.error.message]
        rules = f" (rules {', '.join(unsaid)})" if unsaid else ""
        click.echo(f"{outcome.status}: {outcome.error.message}{rules}", err=True)
        return
    where = "" if issubclass(kind, UtilityCommand) else f" on account {outcome.account}"
    said = "would be recorded" if dry_run and outcome.status == "recorded" else outcome.status
    what = ", ".join(outcome.events) or kind.title()
    broken = [flag for flag in outcome.flags if flag != LATE]
    flags = f"; against rule {', '.join(broken)}" if broken else ""
    flags += "; late, the books of that day are closed" if LATE in outcome.flags else ""
    click.echo(f"{said}: {what}{where}, version {outcome.version}{flags}")
