"""The command line: every command by noun and verb, every question, and `post` for feeds."""

import gc
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import click

from commands.catalogue import NOUNS, commands_of

DEFAULT_STORE = "sqlite:///water-ledger.db"
DONE, REFUSED, MISUSED, BROKEN, UNAVAILABLE = range(5)
"""Exit codes (contract)."""

QUESTIONS = {
    "balance": "What an account owes.",
    "status": "Stage, bills with their clocks, protections, service.",
    "explain": "May service be discontinued for nonpayment at a moment, and by which rules?",
    "reconnection": "What it takes to turn the water on again.",
    "usage": "Average daily use by month.",
    "statement": "Every movement of the balance.",
    "history": "Every event as recorded.",
    "aging": "Receivables by age.",
    "trial-balance": "Control totals of a period by kind of entry.",
    "worklist": "What needs doing on a day.",
    "rules": "Every rule with its layer, citation and the parameters in force on a day.",
}


class Lazy(click.Group):
    """A group whose members are made when they are asked for: a question need not wait for all commands to load."""

    def __init__(self, members: dict[str, Callable[[], click.Command]], summaries: dict[str, str], **rest: Any) -> None:
        super().__init__(**rest)
        self._members = members
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._members[cmd_name]() if cmd_name in self._members else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in _HEADINGS.items():
            if rows := [(name, self._summaries[name]) for name in names if name in self._members]:
                with formatter.section(heading):
                    formatter.write_dl(rows)


_NOUN_SUMMARIES = {
    "account": "Open, close, correct, classify, link to a log-in.",
    "autopay": "Enroll and cancel automatic payment.",
    "meter": "Install, read, correct, exchange, remove.",
    "bill": "Issue, receive, correct, void.",
    "fee": "Charge and waive.",
    "adjustment": "Move a balance by hand.",
    "payment": "Report, receive, return, transfer.",
    "deposit": "Credit deposits: require, receive, accrue, absorb, refund.",
    "arrangement": "Payment arrangements: request, agree, decline, breach, cancel.",
    "health": "The health and safety exception, part by part.",
    "notice": "Serve notices, and record those the post returned.",
    "contact": "Attempts to speak with an adult at the service.",
    "dispute": "Petitions to the utility, and their answers.",
    "appeal": "Appeals to the Commission, and the deposits it holds.",
    "service": "Authorize, disconnect, reconnect, find wrongful.",
    "office": "Closures and office hours of the whole utility.",
    "policy": "Publish a policy pack.",
}
_EXPORT_SUMMARIES = {"export": "The books as a plain-text journal, for other programs to check."}
_STORE_SUMMARIES = {"init": "Create a ledger.", "post": "Post a feed of commands, one JSON object a line."}
_HEADINGS = {
    "The ledger": list(_STORE_SUMMARIES),
    "Commands": list(NOUNS),
    "Questions": list(QUESTIONS),
    "For other programs": list(_EXPORT_SUMMARIES),
}


def _member(module: str, name: str) -> Callable[[], click.Command]:
    return lambda: getattr(import_module(module), name)


def _noun(noun: str) -> Callable[[], click.Command]:
    def build() -> click.Command:
        from commands.command_line import command_for

        verbs: dict[str, Callable[[], click.Command]] = {
            verb: partial(command_for, kind) for verb, kind in commands_of(noun).items()
        }
        summaries = {verb: (kind.__doc__ or "").strip().splitlines()[0] for verb, kind in commands_of(noun).items()}
        _HEADINGS["Verbs"] = [*dict.fromkeys([*_HEADINGS.get("Verbs", []), *verbs])]
        return Lazy(verbs, summaries, name=noun, help=_NOUN_SUMMARIES[noun])

    return build


def _question(name: str) -> Callable[[], click.Command]:
    return _member("commands.questions", name.replace("-", "_"))


_MEMBERS: dict[str, Callable[[], click.Command]] = (
    {name: _member("commands.post", name) for name in _STORE_SUMMARIES}
    | {noun: _noun(noun) for noun in NOUNS}
    | {name: _question(name) for name in QUESTIONS}
    | {name: _member("commands.export", name) for name in _EXPORT_SUMMARIES}
)


@click.group(
    cls=Lazy,
    members=_MEMBERS,
    summaries=_STORE_SUMMARIES | _NOUN_SUMMARIES | QUESTIONS | _EXPORT_SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 refused, invalid or short; 2 called wrongly; 3 integrity; 4 store unavailable.",
)
@click.option(
    "--db", envvar="WATER_LEDGER_DB", default=DEFAULT_STORE, show_default=True, metavar="URL", help="The store."
)
@click.version_option(package_name="water-ledger")
@click.pass_context
def cli(ctx: click.Context, db: str) -> None:
    """Customer accounts of a water utility: what was owed, what was past due, and what the rules allowed."""
    ctx.obj = db


def main() -> None:
    """Run the command line; every expected failure ends in one sentence and the contract's exit code."""
    # What is loaded at the start stays: looking through it for garbage again and again costs a tenth of a question.
    gc.set_threshold(100_000)
    from ledger.policy.pack import PackError
    from ledger.refusal import Refused
    from ledger.store.codec import Unreadable
    from ledger.store.log import BadAddress, NotALedger, StoreError

    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="water-ledger"))
    except click.ClickException as error:
        error.show()
        sys.exit(MISUSED)
    except click.exceptions.Abort:
        click.echo("stopped; what was answered is recorded", err=True)
        sys.exit(REFUSED)
    except (Refused, PackError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(REFUSED)
    except BadAddress as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(MISUSED)
    except Unreadable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(BROKEN)
    except (NotALedger, StoreError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNAVAILABLE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(DONE)


if __name__ == "__main__":
    main()
