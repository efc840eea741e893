"""The fields of commands: how each is read and described, once for every door."""

import re
import types
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from msgspec import UNSET, Meta, Struct
from msgspec.structs import fields as struct_fields

from ledger import moments, money
from ledger.events import Installment, Line
from ledger.refusal import shown

Id = Annotated[str, Meta(extra={"form": "id"})]
Text = Annotated[str, Meta(extra={"form": "text"})]
Email = Annotated[str, Meta(extra={"form": "email"})]
Clock = Annotated[str, Meta(extra={"form": "clock"})]
Money = Annotated[int, Meta(extra={"form": "money"})]
MoneyOrNone = Annotated[int, Meta(extra={"form": "money_or_none"})]
SignedMoney = Annotated[int, Meta(extra={"form": "signed_money"})]
Quantity = Annotated[int, Meta(extra={"form": "quantity"})]
Count = Annotated[int, Meta(extra={"form": "count"})]
Moment = Annotated[datetime, Meta(extra={"form": "moment"})]
TimedMoment = Annotated[datetime, Meta(extra={"form": "timed"})]
"""A moment whose time of day matters, so that a bare date will not do."""

LONGEST_TEXT = 2000
_HUGE = 10**18

_ID = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REORDERING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""What embeds, overrides or isolates a direction: what is printed could read otherwise than what is kept."""


class Field(NamedTuple):
    """One field of a command: `read` turns what a door received into its value or raises ValueError.

    `take` does so with a value that a Python program made itself: what no door lets in is not let in there either.
    """

    name: str
    form: str
    required: bool
    default: Any
    read: Callable[[Any], Any]
    take: Callable[[Any], Any]
    choices: tuple[str, ...] = ()
    help: str = ""

    def show(self, value: Any) -> str:
        """The value as a door would write it."""
        if value is None or value == ():
            return "nothing"
        if self.form in ("money", "money_or_none", "signed_money"):
            return money.money(value)
        if self.form == "quantity":
            return money.quantity(value)
        if isinstance(value, date):
            return moments.shown(value)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, tuple):
            return f"{len(value)} {self.name}: " + ", ".join(_row(row) for row in value)
        return str(value)


def identifier(value: object) -> str:
    """1 to 40 characters of A-Z a-z 0-9 . _ -."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        # An address is personal, and easily taken for what names an account.
        said = "an address" if isinstance(value, str) and "@" in value else shown(value)
        raise ValueError(f"{said} is not an id; use 1 to 40 of the characters A-Z a-z 0-9 . _ -")
    return value


def text(value: object) -> str:
    """UTF-8, not empty, at most 2,000 characters, no control characters."""
    if not isinstance(value, str):
        # Not shown back: it may be a name or a telephone number.
        raise ValueError("this is not text; write it in quotes")
    if not value.strip():
        raise ValueError("the text is empty")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"the text has {len(value):,} characters; {LONGEST_TEXT:,} are the most")
    if _CONTROL.search(value):
        raise ValueError("the text has control characters (a line break or a tab, perhaps); take them out")
    in_order(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("the text has half of a character (a lone surrogate); write it as UTF-8") from None
    return value


def in_order(value: str) -> None:
    """Raises ValueError for a text that is read otherwise than it is kept."""
    if found := _REORDERING.search(value):
        raise ValueError(
            f"the text has a character that turns its order around when it is read (U+{ord(found[0]):04X}, perhaps "
            "pasted with it); take it out: letters written from right to left need none"
        )


def email(value: object) -> str:
    """An e-mail address; it is not shown back, being personal."""
    if _EMAIL.fullmatch(text(value)) is None:
        raise ValueError("this is not an e-mail address, such as name@example.com")
    return str(value)


def clock(value: object) -> str:
    """A time of day, "08:00"."""
    if not isinstance(value, str) or _CLOCK.fullmatch(value) is None:
        raise ValueError(f'{shown(value)} is not a time of day; write it as "08:00"')
    return value


def count(value: object) -> int:
    """A whole number from 1 to 1,000,000; the command line gives it as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 7:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
        raise ValueError(f"{shown(value)} is not a whole number from 1 to 1,000,000")
    return value


def timed(value: object) -> datetime:
    """A moment with its time of day."""
    found = moments.moment(value)
    if moments.is_bare(found):
        raise ValueError(f'the time of day matters here; write it as "{value}T10:42"')
    return found


def yes_or_no(value: object) -> bool:
    """true or false; the command line gives it as text."""
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false")
    return value


def one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    """A reader for one of `choices`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{shown(value)} is not one of {', '.join(choices)}")
        return value

    return read


_line_kind = one_of(get_args(get_type_hints(Line)["kind"]))


def lines(value: object) -> tuple[Line, ...]:
    """The lines of a bill: a list of {"kind", "amount"}, each amount over zero."""
    return tuple(
        Line(kind=_line_kind(row["kind"]), amount=money.cents(row["amount"]))  # type: ignore[arg-type]
        for row in _rows(value, ("kind", "amount"), ", or leave lines out and give amount")
    )


def installments(value: object) -> tuple[Installment, ...]:
    """The installments of an arrangement: a list of {"due_on", "amount"}, put in order of their days."""
    found = [
        Installment(due_on=moments.day(row["due_on"]), amount=money.cents(row["amount"]))
        for row in _rows(value, ("due_on", "amount"))
    ]
    return tuple(sorted(found, key=lambda i: i.due_on))


def _rows(value: object, keys: tuple[str, ...], instead: str = "") -> list[dict[str, object]]:
    shape = "{" + ", ".join(f'"{key}": …' for key in keys) + "}"
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is not a list of {shape}")
    if not value:
        raise ValueError(f"the list is empty; give at least one {shape}{instead}")
    if len(value) > 1000:
        raise ValueError(f"the list has {len(value):,} entries; 1,000 are the most")
    for number, row in enumerate(value, 1):
        if not isinstance(row, dict) or set(row) != set(keys):
            raise ValueError(f"entry {number} is not {shape}")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": identifier,
    "text": text,
    "email": email,
    "clock": clock,
    "money": money.cents,
    "money_or_none": lambda value: money.cents(value, "not_negative"),
    "signed_money": lambda value: money.cents(value, "any"),
    "quantity": money.thousandths,
    "count": count,
    "moment": moments.moment,
    "timed": timed,
    "date": moments.day,
    "flag": yes_or_no,
    "lines": lines,
    "installments": installments,
}


def _whole(written: Callable[[int], str], read: Callable[[str], int], what: str) -> Callable[[object], int]:
    def take(value: object) -> int:
        if type(value) is not int:
            raise ValueError(f"{shown(value)} is not a whole number of {what}")
        if abs(value) >= _HUGE:
            raise ValueError(f"there are no {what} beyond 18 digits")
        return read(written(value))

    return take


def _plain(read: Callable[[Any], Any]) -> Callable[[object], Any]:
    def take(value: object) -> Any:
        # Of a subclass (an Enum, perhaps) what is kept and what is shown may differ.
        if type(value) is not str:
            raise ValueError("this is not a plain str")
        return read(value)

    return take


def _a_count(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{shown(value)} is not a whole number")
    return count(value)


def _a_flag(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{shown(value)} is neither True nor False")
    return value


def _a_day(value: object) -> date:
    if type(value) is not date:
        raise ValueError(f"{shown(value)} is not a date")
    return moments.day(value.isoformat())


def _a_moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError(f"{shown(value)} is not a datetime")
    if value.utcoffset() is None and value.replace(tzinfo=None) != moments.bare(value):
        raise ValueError(f"{value.isoformat()} has a time of day and no offset; say which, or give the bare day")
    return moments.moment(moments.shown(value))


def _a_timed_moment(value: object) -> datetime:
    return timed(moments.shown(_a_moment(value)))


def _some(kind: type[Struct], read: Callable[[object], Any], about: Callable[[Any], Any]) -> Callable[[object], Any]:
    def take(value: object) -> Any:
        if not isinstance(value, list | tuple) or not all(type(row) is kind for row in value):
            raise ValueError(f"this is not a tuple of {kind.__name__}")
        for row in value:
            about(getattr(row, row.__struct_fields__[0]))
            _TAKERS["money"](row.amount)
        return read([_written(row) for row in value])

    return take


def _written(row: Any) -> dict[str, object]:
    said = {name: getattr(row, name) for name in row.__struct_fields__} | {"amount": money.money(row.amount)}
    return {name: moments.shown(value) if isinstance(value, date) else value for name, value in said.items()}


_TAKERS: dict[str, Callable[[Any], Any]] = {
    "money": _whole(money.money, _READERS["money"], "cents"),
    "money_or_none": _whole(money.money, _READERS["money_or_none"], "cents"),
    "signed_money": _whole(money.money, _READERS["signed_money"], "cents"),
    "quantity": _whole(money.quantity, money.thousandths, "thousandths"),
    "count": _a_count,
    "moment": _a_moment,
    "timed": _a_timed_moment,
    "date": _a_day,
    "flag": _a_flag,
    "lines": _some(Line, lines, _plain(_line_kind)),
    "installments": _some(Installment, installments, _a_day),
}
"""How a value is taken from a Python program, where its text is not read the same way."""

_PLAIN: dict[Any, str] = {
    date: "date",
    datetime: "moment",
    bool: "flag",
    str: "text",
    int: "count",
    tuple[Line, ...]: "lines",
    tuple[Installment, ...]: "installments",
}


@cache
def fields_of(command: type[Struct]) -> dict[str, Field]:
    """The fields of a command type by name, in the order of their definition."""
    hints = get_type_hints(command, include_extras=True)
    return {f.name: _field(f.name, hints[f.name], f.required, f.default) for f in struct_fields(command)}


def _field(name: str, hint: Any, required: bool, default: Any) -> Field:
    help_text, form = "", ""
    while True:
        if get_origin(hint) is Annotated:
            for meta in hint.__metadata__:
                help_text = help_text or meta.description or ""
                form = form or (meta.extra or {}).get("form", "")
            hint = hint.__origin__
        elif get_origin(hint) in (Union, types.UnionType):
            hint = next(part for part in get_args(hint) if part is not type(None))
        else:
            break
    default = None if default is UNSET or required else default
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        read = one_of(choices)
        return Field(name, "choice", required, default, read, _plain(read), choices, help_text)
    form = form or _PLAIN[hint]
    return Field(
        name, form, required, default, _READERS[form], _TAKERS.get(form) or _plain(_READERS[form]), (), help_text
    )


def _row(row: Line | Installment) -> str:
    first = row.kind if isinstance(row, Line) else row.due_on.isoformat()
    return f"{first} {money.money(row.amount)}"
