"""The feed: one JSON object a line in, one JSON object a line out, in the same order. A bad line loses no other."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from select import select
from typing import IO, Any, BinaryIO, NamedTuple

import msgspec
import orjson

from commands.base import Command, read
from commands.catalogue import command_type
from commands.fields import identifier
from ledger.posting import Outcome
from ledger.refusal import Invalid, Refused, shown

LONGEST_LINE = 1024 * 1024
"""How many bytes a line may have; a longer one is passed over and answered as invalid."""


class Numbered(NamedTuple):
    """A line of a feed by its number, and the command in it or why there is none."""

    line: int
    item: Command | Outcome


def parse(stream: BinaryIO) -> Iterator[Numbered]:
    """The commands of a feed; blank lines are passed over. Holds a piece of the feed at a time."""
    return (each for each in arriving(stream) if each is not None)


def arriving(stream: BinaryIO) -> Iterator[Numbered | None]:
    """As `parse`, with None wherever the feed pauses: who writes it may be waiting for an answer."""
    number = 0
    for line in _lines(stream):
        if line == _PAUSE:
            yield None
            continue
        number += 1
        if line is None or line.strip():
            yield Numbered(number, _item(line))


def answer(line: int | None, outcome: Outcome) -> bytes:
    """What `post` prints for a line: absent things are left out."""
    said: dict[str, object] = {} if line is None else {"line": line}
    said["status"] = outcome.status
    if outcome.account and not outcome.account.startswith("@"):
        said["account"] = outcome.account
    if outcome.version:
        said["version"] = outcome.version
    if outcome.events:
        said["events"] = outcome.events
    if outcome.flags:
        said["flags"] = outcome.flags
    if outcome.error:
        said["error"] = error_of(outcome.error)
    return orjson.dumps(said)


def error_of(refusal: Refused) -> dict[str, object]:
    """A refusal as it is printed."""
    said: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if refusal.field:
        said["field"] = refusal.field
    if refusal.rules:
        said["rules"] = list(refusal.rules)
    return said


def decoded(text: str, what: str = "line") -> object:
    """The JSON value in `text`, strictly: no key twice, no NaN, not too deep; raises Invalid naming `what` it is."""
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        way_out = f"; {_WAY_OUT}" if what == "line" else ""
        reason = f"the {what} is not JSON from character {error.pos + 1} on{way_out}"
        raise Invalid("invalid_json", reason) from None
    except (RecursionError, ValueError):
        reason = f"the {what} is nested too deep or has a number too long to be a command"
        raise Invalid("invalid_json", reason) from None


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Each line, None for one that is too long, and _PAUSE; some editors begin a file with a byte order mark."""
    begun, too_long, first = b"", False, True
    for piece in pieces(stream):
        if not piece:
            yield _PAUSE
            continue
        start, read = 0, begun + piece
        while end := read.find(b"\n", start) + 1:
            line = read[start:end]
            start = end
            yield None if too_long or len(line) > LONGEST_LINE else line.removeprefix(BOM_UTF8) if first else line
            too_long = first = False
        begun = read[start:]
        if len(begun) > LONGEST_LINE:
            begun, too_long = b"", True
    if begun or too_long:
        yield None if too_long else begun.removeprefix(BOM_UTF8) if first else begun


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """What the stream has, piece by piece, and an empty piece where it has nothing ready but did not end."""
    while True:
        if _pauses(stream):
            yield b""
        if piece := stream.read1(_PIECE):  # type: ignore[attr-defined]
            yield piece
        elif _pauses(stream):
            # Who opened it so that reading does not wait gets nothing for the present; that is no end.
            select([stream], [], [])
        else:
            return


def _pauses(stream: IO[bytes]) -> bool:
    try:
        return not select([stream], [], [], 0)[0]
    except (OSError, ValueError):
        # Not everything can be asked; what cannot be is read to its end.
        return False


def _item(line: bytes | None) -> Command | Outcome:
    record: dict[str, object] = {}
    try:
        if line is None:
            raise Invalid("line_too_long", f"the line has over {LONGEST_LINE:,} bytes; one command has no need of that")
        record = _object(line)
        title = record.pop("command", None)
        if not isinstance(title, str):
            raise Invalid("missing_field", 'the line needs "command", such as "bill issue"', "command")
        return read(command_type(title), record)
    except Invalid as error:
        return Outcome("invalid", account=account_in(record), error=error)


def account_in(record: Mapping[str, object]) -> str | None:
    """The account that a line is about, where it is one: what is none may be anything."""
    try:
        return identifier(record.get("account"))
    except ValueError:
        return None


def _object(line: bytes) -> dict[str, Any]:
    if b"\\" not in line:
        with suppress(ValueError):
            plain = _plain.decode(line)
            if line.count(b'"') == _quotes(plain):
                return plain
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"the line is not UTF-8: byte {error.start + 1} is not part of a character; save it as UTF-8"
        raise Invalid("not_utf8", reason) from None
    record = decoded(text)
    if not isinstance(record, dict):
        raise Invalid("invalid_json", f"the line is not an object; {_WAY_OUT}")
    return record


def _quotes(record: dict[str, Any]) -> int:
    """The quotes it was written with if no text has an escape and no key is given twice: a pair of texts has four."""
    lists = [value for value in record.values() if type(value) is list]
    return 4 * len(record) + sum([4 * sum(map(len, rows)) - 2 for rows in lists])


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    record: dict[str, object] = {}
    for key, value in pairs:
        if key in record:
            raise Invalid("duplicate_key", f"{shown(key)} is given twice; say it once", key[:60])
        record[key] = value
    return record


class _AsWritten(NamedTuple):
    """A number with a point or an exponent, as it was written: no field takes one."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _no_constant(name: str) -> object:
    raise Invalid("invalid_json", f"{name} is not a value that can be recorded; leave it out")


_PIECE = 64 * 1024
_PAUSE = b""
_WAY_OUT = 'write it as {"command": "bill issue", …}'
_plain = msgspec.json.Decoder(dict[str, str | list[dict[str, str]]])
_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_AsWritten)
