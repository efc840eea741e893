"""Every command by its name; a noun's module is imported when it is first asked for."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from ledger.refusal import Invalid

if TYPE_CHECKING:
    from commands.base import Command

NOUNS = (
    "account", "autopay", "meter", "bill", "fee", "adjustment", "payment", "deposit", "arrangement", "health", "notice",
    "contact", "dispute", "appeal", "service", "privacy", "office", "policy", "books",
)  # fmt: skip
"""What commands are about, in the order of the help text: each has a module of its name."""


@cache
def commands_of(noun: str) -> "dict[str, type[Command]]":
    """The commands of a noun by verb, in the order of their definition."""
    from commands.base import Command

    module = import_module(f"commands.{noun}")
    found = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Command))
    return {kind.title().split(" ", 1)[1]: kind for kind in found if kind.__module__ == module.__name__}


@cache
def command_type(title: str) -> "type[Command]":
    """The command called `title` ("bill issue"); raises Invalid with the names that exist."""
    noun, _, verb = title.partition(" ")
    if noun not in NOUNS:
        raise Invalid("unknown_command", f"there is no command {title[:60]!r}; the nouns are {', '.join(NOUNS)}")
    verbs = commands_of(noun)
    if verb not in verbs:
        known = ", ".join(f"'{noun} {name}'" for name in verbs)
        raise Invalid("unknown_command", f"there is no command {title[:60]!r}; there are {known}")
    return verbs[verb]


def all_commands() -> "Iterator[type[Command]]":
    """Every command there is, noun by noun."""
    for noun in NOUNS:
        yield from commands_of(noun).values()


def titles() -> frozenset[str]:
    """What every command is called."""
    return frozenset(kind.title() for kind in all_commands())
