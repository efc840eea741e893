"""Personal data: erased by deleting its keys, reported without showing it, found by an address that is never shown."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import click
from msgspec import Meta, defstruct

from commands import clock
from commands.answers import Answer
from commands.base import Command
from commands.command_line import Discreet, command_for
from commands.fields import Text, email
from commands.questions import Account as AccountArgument
from commands.questions import books_at, write
from commands.tables import day
from ledger.account import Account
from ledger.books import Books
from ledger.context import Context
from ledger.events import Event, PersonalClass, PersonalDataErased
from ledger.personal import not_erased, personal_data
from ledger.refusal import Invalid, Refused
from ledger.showing import plain

if TYPE_CHECKING:
    _OfAClass = Command
else:
    # Python keeps the word "class" for itself, and every door calls this field so.
    _OfAClass = defstruct(
        "_OfAClass", [("class", PersonalClass)], bases=(Command,), frozen=True, kw_only=True, module=""
    )


class ErasePersonalData(_OfAClass, frozen=True, kw_only=True, tag="privacy erase"):
    """Make what was recorded of one class of an account's personal data unreadable, for good: its keys are deleted.

    Balances, hashes and proofs stay as they are, and every answer reads "[erased]" in its place. Refused while a
    petition or an appeal is open, which may need it, unless a reason is given. What is recorded later has a new key.
    """

    example = "--account 7001 --class contact --authority 'request of 2026-03-02, ticket 118'"

    authority: Annotated[Text, Meta(description="The request, order or rule behind it; name nobody.")]
    override_reason: Annotated[
        Text | None, Meta(description="Why it is erased although a petition or an appeal is open.")
    ] = None

    def erases(self) -> PersonalClass:
        kind: PersonalClass = getattr(self, "class")
        return kind

    def lapsed(self, recorded: Sequence[Event]) -> bool:
        return bool(not_erased(recorded, self.erases()))

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        kind = self.erases()
        if not not_erased(context.history.events, kind):
            raise Refused("nothing_to_erase", f"account {account.id} has no {kind} data that is not erased already")
        waiting = list(_open_matters(account))
        if waiting and self.override_reason is None:
            raise Refused(
                "still_needed",
                f"the {kind} data of account {account.id} may be needed: {' and '.join(waiting)} open; "
                "erase it when that is over, or give override_reason",
            )
        return [
            PersonalDataErased(
                on=context.today, kind=kind, authority=self.authority, override_reason=self.override_reason
            )
        ]


def _open_matters(account: Account) -> Iterator[str]:
    for name in account.disputes:
        if name not in account.answers:
            yield f"petition {name} is"
    for name, appeal in account.appeals.items():
        if appeal.closed is None:
            yield f"appeal {name} is"


def erase_line() -> click.Command:
    """`privacy erase` on the command line: the account may stand alone, and the tables forget at once."""
    line = command_for(ErasePersonalData)
    post = line.callback
    assert post is not None, "every command has a callback"

    def erase(named: str | None, **values: Any) -> None:
        said = {named, values["account"]} - {None}
        if len(said) != 1:
            raise click.UsageError("say whose data, of one account: 'privacy erase ACCOUNT'")
        (account,) = said
        values["account"] = account
        try:
            post(**values)
        except click.exceptions.Exit as ended:
            if ended.exit_code == 0 and not values["dry_run"]:
                _forget_in_tables(click.get_current_context().obj, account)
            raise

    line.callback = erase
    for option in line.params:
        option.required = option.required and option.name != "account"
    line.params.append(click.Argument(["named"], metavar="[ACCOUNT]", required=False))
    return line


def _forget_in_tables(url: str, account: str) -> None:
    from projections.runner import Projector

    with Projector(url) as projector:
        if projector.views.database.exists():
            projector.refold([account])


def held(books: Books, account: str) -> Answer:
    """What personal data of an account is recorded, by class and field, and what of it can still be read."""
    from ledger.store.keys import ERASED, KINDS

    events = books.history(account).known()
    classes = []
    for kind in KINDS:
        fields: dict[str, list[Answer]] = {}
        for each in personal_data(events):
            if each.kind == kind:
                readable = books.keys.open(account, kind, each.field, each.sealed) != ERASED
                fields.setdefault(each.field, []).append(_entry(each.event, readable))
        erasures = [event for event in events if isinstance(event, PersonalDataErased) and event.kind == kind]
        entries = [entry for found in fields.values() for entry in found]
        last = erasures[-1].version if erasures else 0
        classes.append(
            {
                "class": kind,
                "key": _state(entry["readable"] for entry in entries),
                "erasures": [_erasure(event) for event in erasures],
                "came_back": sorted({e["version"] for e in entries if e["readable"] and e["version"] < last}),
                "fields": [
                    {"field": field, "since": found[0]["recorded_at"], "key": _state(e["readable"] for e in found)}
                    | {"events": found}
                    for field, found in fields.items()
                ],
            }
        )
    return {"account": account, "at": plain(clock.now()), "classes": classes}


def _state(readable: Iterator[bool]) -> str:
    found = set(readable)
    if not found:
        return "none"
    return "present" if found == {True} else "erased" if found == {False} else "partly erased"


def _entry(event: Event, readable: bool) -> Answer:
    return {
        "version": event.version,
        "type": event.type,
        "effective": plain(event.effective),
        "recorded_at": plain(event.recorded_at),
        "readable": readable,
    }


def _erasure(event: PersonalDataErased) -> Answer:
    return {"version": event.version, "on": plain(event.on), "authority": event.authority, "actor": event.actor}


@click.command(cls=Discreet)
@click.argument("account", type=AccountArgument())
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_obj
def report(url: str, account: str, as_json: bool) -> None:
    """What personal data of ACCOUNT is recorded: by class and field, since when, in which events, readable or erased.

    It is named and never shown; 'history' shows it.

    \b
    Example:
      water-ledger privacy report 7001 --json
    """
    with books_at(url) as books:
        answer = held(books, account)
    if as_json:
        write(answer)
        return
    for each in answer["classes"]:
        said = {"none": "none was recorded", "present": "the key is present"}.get(each["key"], each["key"])
        click.echo(f"{each['class']}: {said}")
        for field in each["fields"]:
            versions = ", ".join(f"{e['version']}{'' if e['readable'] else ' [erased]'}" for e in field["events"])
            click.echo(f"  {field['field']:<16} since {day(field['since'][:10])}, in events {versions}")
        for erasure in each["erasures"]:
            click.echo(f"  erased on {day(erasure['on'])} by event {erasure['version']}: {erasure['authority']}")
        if each["came_back"]:
            versions = ", ".join(map(str, each["came_back"]))
            click.echo(f"  events {versions} were erased and can be read again: run 'privacy erase' again")


@click.command(cls=Discreet)
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_obj
def find(url: str, address: str, as_json: bool) -> None:
    """The accounts that ADDRESS may see as a log-in or gets bills for; - reads it from standard input.

    Only its keyed digest is looked for, in tables that are brought up to date first. It is never shown.

    \b
    Example:
      echo customer@example.com | water-ledger privacy find -
    """
    try:
        wanted = email(sys.stdin.readline().strip() if address == "-" else address)
    except ValueError as error:
        raise Invalid("invalid_value", f"address: {error}", "address") from None
    found = list(_found(url, wanted))
    if as_json:
        write({"accounts": found})
    elif not found:
        click.echo("no account has this address")
    for each in found if not as_json else ():
        until = f" until {day(each['until'])}" if each["until"] else ""
        click.echo(f"account {each['account']}: {each['as'].replace('_', ' ')} since {day(each['since'])}{until}")


def _found(url: str, address: str) -> Iterator[Answer]:
    from projections.addresses import uses
    from projections.runner import Projector

    with books_at(url) as books:
        digest = books.keys.lookup(address).hex()
    with Projector(url) as projector:
        projector.prepare()
        taken: int | None = 1
        while taken:
            taken = projector.step()
        if taken is None:
            raise Refused(
                "tables_not_current",
                "an address is looked up in tables, and they are not current; run 'projections follow --once' first",
            )
        for use in uses(projector.views, digest):
            yield {"account": use.account, "as": use.used_as, "since": plain(use.since), "until": plain(use.until)}
