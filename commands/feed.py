"""The feed: one JSON object a line in, one JSON object a line out, in the same order. A bad line loses no other."""

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import orjson

from commands.base import Command, read
from commands.catalogue import command_type
from ledger.posting import Outcome
from ledger.refusal import Invalid, Refused

LONGEST_LINE = 1024 * 1024
"""How many bytes a line may have; a longer one is passed over and answered as invalid."""


class Numbered(NamedTuple):
    """A line of a feed by its number, and the command in it or why there is none."""

    line: int
    item: Command | Outcome


def parse(stream: BinaryIO) -> Iterator[Numbered]:
    """The commands of a feed; blank lines are passed over. Holds one line at a time."""
    for number, line in enumerate(_lines(stream), 1):
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
    if isinstance(refusal, Invalid) and refusal.field:
        said["field"] = refusal.field
    if refusal.rules:
        said["rules"] = list(refusal.rules)
    return said


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Each line, or None for one that is too long."""
    while line := stream.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        yield None


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
        account = record.get("account")
        return Outcome(
            "invalid", account=account if isinstance(account, str) and len(account) <= 40 else None, error=error
        )


def _object(line: bytes) -> dict[str, object]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"the line is not UTF-8: byte {error.start + 1} is not part of a character; save it as UTF-8"
        raise Invalid("not_utf8", reason) from None
    try:
        record = _decoder.decode(text)
    except json.JSONDecodeError as error:
        reason = f'the line is not JSON from character {error.pos + 1} on; write it as {{"command": "bill issue", …}}'
        raise Invalid("invalid_json", reason) from None
    except (RecursionError, ValueError):
        raise Invalid("invalid_json", "the line is nested too deep or has a number too long to be a command") from None
    if not isinstance(record, dict):
        raise Invalid("invalid_json", 'the line is not an object; write it as {"command": "bill issue", …}')
    return record


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    record: dict[str, object] = {}
    for key, value in pairs:
        if key in record:
            shown = key if len(key) <= 60 else key[:57] + "…"
            raise Invalid("duplicate_key", f"{shown} is given twice; say it once", shown)
        record[key] = value
    return record


def _no_constant(name: str) -> object:
    raise Invalid("invalid_json", f"{name} is not a value that can be recorded; leave it out")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
