"""What every command is: fields, a name, and a decision."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from commands.fields import Field, Id, Moment, Text, fields_of
from ledger.account import Account
from ledger.context import Context, On
from ledger.events import UTILITY, Event, PersonalClass
from ledger.refusal import Invalid, shown
from ledger.store.codec import personal_fields

AccountId = Annotated[Id, Meta(description="The account's number.")]
"""The account that a command is about."""


class Command(Struct, frozen=True, kw_only=True, tag_field="command", gc=False):
    """A wish to record something: immutable, and decided against the account as it is.

    `id` makes it safe to send twice. `names` are the fields that name the thing: the same name with other facts is
    refused; a command that names nothing is the same as an earlier one only if every field agrees. `computed` are the
    fields that the ledger fills in from the account or the policy where they are not given. With `whole`, it is decided
    against every account, and nothing else is recorded meanwhile. `made` are the fields that it turns into a type of
    its own, which a program may give as such; to `check` them is its own task.
    """

    names: ClassVar[tuple[str, ...]] = ()
    computed: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[str] = ""
    whole: ClassVar[bool] = False
    made: ClassVar[Mapping[str, type]] = {}

    account: AccountId
    id: Annotated[Id | None, Meta(description="Makes it safe to send twice: the same id takes effect once.")] = None
    actor: Annotated[Text | None, Meta(description="Who does this.")] = None
    source: Annotated[Text | None, Meta(description="The document behind it.")] = None
    note: Annotated[Text | None, Meta(description="Anything worth keeping.")] = None
    learned_at: Annotated[
        Moment | None, Meta(description="When the utility came to know it; only for history brought in (--backfill).")
    ] = None

    def taken(self) -> Self:
        """This command as a door would have read it, whoever made it; raises Invalid naming the field."""
        changed: dict[str, Any] = {}
        for name, spec in given_fields(type(self))[0].items():
            value = getattr(self, name)
            if value is None and spec.required:
                raise Invalid("missing_field", f"'{self.title()}' needs {name}", name)
            if value is spec.default or type(value) is self.made.get(name):
                continue
            if value is None:
                changed[name] = spec.default
                continue
            try:
                found = spec.take(value)
            except ValueError as error:
                raise Invalid("invalid_value", f"{name}: {error}", name) from None
            if found is not value:
                changed[name] = found
        made = replace(self, **changed) if changed else self
        made.check()
        return made

    def decide(self, account: Account, context: Context) -> Sequence[Event | On]:
        """The events that follow; raises Refused with every rule that stood in the way."""
        raise AssertionError(f"{type(self).__name__} decides nothing")

    def check(self) -> None:
        """Look at the fields together; raises Invalid."""

    def others(self) -> tuple[str, ...]:
        """Other accounts that the decision touches."""
        return ()

    def erases(self) -> PersonalClass | None:
        """The class of the account's personal data that this command makes unreadable."""
        return None

    def lapsed(self, recorded: Sequence[Event]) -> bool:
        """Whether the same command, though recorded before, is to be decided again; `recorded` is the whole history."""
        return False

    @classmethod
    def title(cls) -> str:
        """The command's name in the contract: "bill issue"."""
        return _title(cls)

    def normal(self) -> Self:
        """This command with what follows from it alone written out."""
        return self

    def content(self) -> bytes:
        """What makes two commands the same: all fields but `id`, `actor`, `source`, `note` and `learned_at`.

        A field that is given its default is as good as one not given.
        """
        kind = type(self)
        values, fields = _content_of(kind)
        said = {
            name: value
            for value, (name, default) in zip(values(self.normal()), fields, strict=True)
            if value != default
        }
        said["command"] = _title(kind)
        return _encoder.encode(said)

    def differences(self, recorded: Sequence[Event]) -> str | None:
        """The sentence that says how this command differs from what was recorded under the same name.

        None where it differs in nothing but that it gives what was computed then.
        """
        normal, found, computed, unread = self.normal(), [], [], False
        for spec in fields_of(type(self)).values():
            mine, name = getattr(normal, spec.name), RENAMED.get(spec.name, spec.name)
            event = next((e for e in recorded if hasattr(e, name)), None)
            if event is None or spec.name in ABOUT_THE_POST:
                continue
            theirs = getattr(event, name)
            if name in dict(personal_fields(type(event))):
                unread = unread or mine is not None or theirs is not None
            elif theirs != mine and mine is None and spec.name in self.computed:
                computed.append(f"{spec.name} {spec.show(theirs)}")
            elif theirs != mine:
                other = "and this one gives none" if mine is None else f"not {spec.show(mine)}"
                found.append(f"{spec.name} is {spec.show(theirs)}, {other}")
        said = ", ".join(found) or ", or ".join(self._unseen(computed, unread))
        if not said:
            return None
        what = f"{self.title().split()[0]} {getattr(self, self.names[0])}" if self.names else self.title()
        return f"{what} is recorded already: {said}; use another name, or correct what was recorded"

    def _unseen(self, computed: Sequence[str], unread: bool) -> Iterator[str]:
        """Why this may be another command although nothing that can be compared differs."""
        if unread:
            yield "the personal data in it differs"
            yield from (f"{name} was not given then" for name in self.computed if getattr(self, name) is not None)
        if computed:
            yield f"it has {', '.join(computed)}, which this one does not say (say it too if it is the same)"

    def named(self) -> str | None:
        """The key under which the thing it names is recorded, or None if it names nothing."""
        if not self.names:
            return None
        named = "/".join([str(getattr(self, name)) for name in self.names])
        return f"{_title(type(self))}/{self.account}/{named}"


class UtilityCommand(Command, frozen=True, kw_only=True):
    """A command about the whole utility, not about one account."""

    account: AccountId = UTILITY

    def taken(self) -> Self:
        """As of any command; its account is the utility's own."""
        if self.account != UTILITY:
            raise Invalid("unknown_field", f"'{self.title()}' has no account; it is the utility's", "account")
        return super().taken()


RENAMED = {"basis": "arrangement_basis"}
"""The fields of commands that their events call otherwise; in an event `basis` is the rules it rests on."""

ABOUT_THE_POST = ("id", "actor", "source", "note", "learned_at")
"""The fields that are not content."""

_encoder = msgspec.json.Encoder(order="sorted")


def read(command: type[Command], record: Mapping[str, Any]) -> Command:
    """Build a command from what a door received; raises Invalid naming the field and the way out."""
    specs, required = given_fields(command)
    values: dict[str, Any] = {}
    for name, value in record.items():
        spec = specs.get(name)
        if spec is None:
            known = ", ".join(specs)
            raise Invalid("unknown_field", f"'{command.title()}' has no field {shown(name)}; it has {known}", name[:60])
        if value is None and not spec.required:
            continue
        try:
            values[name] = spec.read(value)
        except ValueError as error:
            raise Invalid("invalid_value", f"{name}: {error}", name) from None
    for name in required:
        if name not in values:
            raise Invalid("missing_field", f"'{command.title()}' needs {name}", name)
    built = command(**values)
    built.check()
    return built


@cache
def _title(command: type[Command]) -> str:
    return str(command.__struct_config__.tag)


@cache
def given_fields(command: type[Command]) -> tuple[dict[str, Field], tuple[str, ...]]:
    """The fields that a door may give, and the names of those that it has to."""
    of_the_utility = issubclass(command, UtilityCommand)
    specs = {n: spec for n, spec in fields_of(command).items() if n != "account" or not of_the_utility}
    return specs, tuple(name for name, spec in specs.items() if spec.required)


@cache
def _content_of(command: type[Command]) -> tuple[Callable[[Command], tuple[Any, ...]], list[tuple[str, Any]]]:
    """How to get the values of the fields that are content, and their names and defaults."""
    fields = [(spec.name, spec.default) for spec in fields_of(command).values() if spec.name not in ABOUT_THE_POST]
    return attrgetter(*(name for name, _ in fields)), fields
