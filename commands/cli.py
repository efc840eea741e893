"""The command line: every command by noun and verb, every question, and `post` for feeds."""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import click

from commands.catalogue import NOUNS, commands_of

DEFAULT_STORE = "sqlite:///water-ledger.db"
"""The store where neither --db nor WATER_LEDGER_DB names one."""
DONE, REFUSED, MISUSED, BROKEN, UNAVAILABLE = range(5)
"""The exit codes."""

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
    "register": "Disputes, appeals, arrangements, deposits, shutoffs, notices over all accounts.",
    "report": "The yearly reports: H&S Code 116918, General Order 103-A.",
    "whatif": "What would follow from other facts, to the cent; nothing is recorded.",
    "rules": "Every rule with its layer, citation and the parameters in force on a day.",
}
"""Every question by its name on the command line, and what it answers."""


class Lazy(click.Group):
    """A group whose members are made when they are asked for: a question need not wait for all commands to load."""

    def __init__(
        self,
        members: dict[str, Callable[[], click.Command]],
        summaries: dict[str, str],
        headings: dict[str, list[str]],
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self._members = members
        self._summaries = summaries
        self._headings = headings

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._members)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._members[cmd_name]() if cmd_name in self._members else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in self._headings.items():
            with formatter.section(heading):
                formatter.write_dl([(name, self._summaries[name]) for name in names])


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
    "privacy": "Personal data: erase, report, find by an address.",
    "office": "Closures and office hours of the whole utility.",
    "policy": "Publish a policy pack.",
    "books": "Close the books through a day.",
}
_FINDING_SUMMARIES = {"accounts": "Find accounts by stage, past due, protection, district."}
_EXPORT_SUMMARIES = {"export": "The books as a plain-text journal, for other programs to check."}
_TABLE_SUMMARIES = {"projections": "Tables of rows, always current: status, follow, rebuild, verify, diff."}
_EVIDENCE_SUMMARIES = {
    "dossier": "The case file of an account, for whoever decides a dispute.",
    "audit": "Seals over the log, and what an auditor checks: seal, verify, witness, key.",
    "replay": "Fold every account of an export anew, here or on other machines.",
}
_STORE_SUMMARIES = {"init": "Create a ledger.", "post": "Post a feed of commands, one JSON object a line."}
_SUMMARIES = (
    _STORE_SUMMARIES
    | _NOUN_SUMMARIES
    | QUESTIONS
    | _FINDING_SUMMARIES
    | _TABLE_SUMMARIES
    | _EVIDENCE_SUMMARIES
    | _EXPORT_SUMMARIES
)
_HEADINGS = {
    "The ledger": list(_STORE_SUMMARIES),
    "Commands": list(NOUNS),
    "Questions": [*QUESTIONS, *_FINDING_SUMMARIES],
    "Tables": list(_TABLE_SUMMARIES),
    "Evidence": list(_EVIDENCE_SUMMARIES),
    "For other programs": list(_EXPORT_SUMMARIES),
}


def member(module: str, name: str) -> Callable[[], click.Command]:
    """Gives the click command called `name` in a module, which is loaded only then."""
    return lambda: getattr(import_module(module), name)


_BESIDE_COMMANDS: dict[str, dict[str, tuple[Callable[[], click.Command], str]]] = {
    "privacy": {
        "erase": (lambda: import_module("commands.privacy").erase_line(), "Delete the keys of a class, for good."),
        "report": (member("commands.privacy", "report"), "What is recorded, and what of it can still be read."),
        "find": (member("commands.privacy", "find"), "The accounts of an e-mail address or log-in."),
    }
}
"""What a noun has besides its commands, or in place of one, by verb."""


def _noun(noun: str) -> Callable[[], click.Command]:
    def build() -> click.Command:
        from commands.command_line import command_for

        verbs: dict[str, Callable[[], click.Command]] = {
            verb: partial(command_for, kind) for verb, kind in commands_of(noun).items()
        }
        verbs |= {verb: build for verb, (build, _) in _BESIDE_COMMANDS.get(noun, {}).items()}
        summaries = {verb: (kind.__doc__ or "").strip().splitlines()[0] for verb, kind in commands_of(noun).items()}
        summaries |= {verb: said for verb, (_, said) in _BESIDE_COMMANDS.get(noun, {}).items()}
        return Lazy(verbs, summaries, {"Verbs": list(verbs)}, name=noun, help=_NOUN_SUMMARIES[noun])

    return build


_ELSEWHERE = dict.fromkeys(("aging", "trial-balance", "worklist"), "questions_over_all") | {
    name: name for name in ("register", "report", "whatif")
}
"""The modules of the questions that do not stand in `commands.questions`."""


def _question(name: str) -> Callable[[], click.Command]:
    return member(f"commands.{_ELSEWHERE.get(name, 'questions')}", name.replace("-", "_"))


_MEMBERS: dict[str, Callable[[], click.Command]] = (
    {name: member("commands.post", name) for name in _STORE_SUMMARIES}
    | {noun: _noun(noun) for noun in NOUNS}
    | {name: _question(name) for name in QUESTIONS}
    | {name: member("commands.accounts", name) for name in _FINDING_SUMMARIES}
    | {name: member("commands.projections", name) for name in _TABLE_SUMMARIES}
    | {name: member(f"commands.{name}", name) for name in _EVIDENCE_SUMMARIES}
    | {name: member("commands.export", name) for name in _EXPORT_SUMMARIES}
)


@click.group(
    cls=Lazy,
    members=_MEMBERS,
    headings=_HEADINGS,
    summaries=_SUMMARIES,
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


def program() -> None:
    """The program `water-ledger`, which ends as soon as all is printed and closed.

    Python frees what it loaded, module by module, before it exits; that takes a sixth of a question's time. Where
    threads or other processes were at work, it is done all the same: they have their own ways to end.
    """
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int) and not {"multiprocessing", "concurrent.futures"} & sys.modules.keys():
            os._exit(ended.code)
        raise


def main() -> None:
    """Run the command line; every expected failure ends in one sentence and its exit code."""
    # What is loaded at the start stays: looking through it for garbage again and again costs a tenth of a question.
    gc.set_threshold(100_000)
    try:
        code = _called() if _streams_open() else MISUSED
        if sys.stdout:
            sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        code = _told("stopped; what was not answered may be sent again, it takes effect once", REFUSED)
    except click.ClickException as error:
        code = MISUSED
        with suppress(OSError):
            error.show()
    except OSError as error:
        code = _told(f"Error: {_of_the_system(error)}", REFUSED)
    _give_up_printing()
    sys.exit(code)


def _called() -> int:
    from ledger.refusal import Refused
    from ledger.store.codec import Unreadable
    from ledger.store.log import BadAddress, StoreError

    try:
        with cli.make_context("water-ledger", sys.argv[1:]) as ctx:
            cli.invoke(ctx)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except Refused as error:
        # Options that contradict each other are wrong whatever the ledger holds.
        return _told(f"Error: {error}", MISUSED if error.code == "invalid_period" else REFUSED)
    except BadAddress as error:
        return _told(f"Error: {error}", MISUSED)
    except Unreadable as error:
        return _told(f"Error: {error}", BROKEN)
    except ValueError as error:
        from ledger.policy.pack import PackError

        if not isinstance(error, PackError):
            raise
        return _told(f"Error: {error}", BROKEN)
    except StoreError as error:
        from ledger.store.keys import Tampered

        return _told(f"Error: {error}", BROKEN if isinstance(error, Tampered) else UNAVAILABLE)
    return DONE


def _told(sentence: str, code: int) -> int:
    with suppress(OSError):
        click.echo(sentence, err=True)
    return code


def _streams_open() -> bool:
    """Whether there is somewhere to print; a closed stream's place is taken, so that no file of the store gets it."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR if stream else os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = open(0)  # noqa: SIM115 – for the life of the program; reading from it fails
    if sys.stdout is None:
        _told("Error: standard output is closed; send the answer to a file, or to /dev/null", MISUSED)
    return sys.stdout is not None


def _of_the_system(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, BrokenPipeError):
        return "the rest was not printed, because nobody reads the output any more; what was recorded is recorded"
    return f"standard input or output failed ({error.strerror}); what was recorded is recorded, and may be sent again"


def _give_up_printing() -> None:
    """What could not be printed is not tried again when the program ends."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    program()
