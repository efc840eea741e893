"""Every field of every command is given what it must not take; each time the answer names the field and the way out."""

import io
import json
import re
import shlex
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

import pytest

from commands.base import Command, UtilityCommand, read
from commands.catalogue import NOUNS, all_commands, command_type
from commands.feed import LONGEST_LINE, answer, parse
from commands.fields import fields_of, text
from ledger.posting import Outcome
from ledger.refusal import Invalid

COMMANDS = list(all_commands())
NOT_TEXT: list[Any] = [7, 1.5, True, [], {}, ["x"]]
TURNED = [f"refund {chr(code)}00.02" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
WRONG: dict[str, list[Any]] = {
    "id": [*NOT_TEXT, "", "a b", "x" * 41, "ü", "a/b", "a\n"],
    "text": [*NOT_TEXT, "", "   ", "x" * 2001, *TURNED, "two\nlines", "tab\there", "\x00", "\x85", "\ud800"],
    "email": [*NOT_TEXT, "", "nobody", "a@b", "a b@example.com", "a@@example.com"],
    "clock": [*NOT_TEXT, "", "8:00", "24:00", "08:60", "08:00:00", "noon"],
    "money": [*NOT_TEXT, "", "0.00", "-1.00", "1.001", "NaN", "Infinity", "1e3", "1,000.00", "100000000.00", "9" * 99],
    "money_or_none": [*NOT_TEXT, "-0.01", "1.001", "NaN"],
    "signed_money": [*NOT_TEXT, "1.001", "NaN", "--1", "100000000.00"],
    "quantity": [*NOT_TEXT, "", "-1", "1.0001", "NaN", "1e3"],
    "count": [0, -1, 1.5, True, "x", "", [], 1_000_001],
    "moment": [
        *NOT_TEXT,
        "",
        "2024-02-30T10:00",
        "2024-13-01",
        "2024-05-01T25:00",
        "2024-03-10T02:30",
        "2024-11-03T01:30",
        "20240501T100000",
        "2024-W01-1",
        "1899-12-31",
        "2200-01-01",
        "2199-12-31T23:59-12:00",
        "1900-01-01T00:00+14:00",
        "now",
    ],
    "timed": [*NOT_TEXT, "", "2024-05-01", "2024-02-30T10:00", "2024-05-01T24:00"],
    "date": [
        *NOT_TEXT,
        "",
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "20240501",
        "2024-5-1",
        "2024-05-01T10:00",
        "0000-01-01",
        "1899-12-31",
        "2200-01-01",
        "٢٠٢٤-٠١-٠١",
    ],
    "flag": [1, 0, "yes", "", "True", [], {}],
    "choice": [*NOT_TEXT, "", "no-such-choice", "RESIDENTIAL"],
    "lines": [
        7,
        "x",
        {},
        [],
        [7],
        [{}],
        [{"kind": "service"}],
        [{"kind": "service", "amount": 1}],
        [{"kind": "gift", "amount": "1.00"}],
        [{"kind": "service", "amount": "1.00", "more": 1}],
    ],
    "installments": [
        7,
        "x",
        {},
        [],
        [7],
        [{}],
        [{"due_on": "2024-05-01"}],
        [{"due_on": "2024-02-30", "amount": "1.00"}],
        [{"due_on": "2024-05-01", "amount": 30.0}],
        [{"due_on": "2024-05-01", "amount": "0.00"}],
    ],
}


def example_of(kind: type[Command]) -> dict[str, Any]:
    """The record that a command's own example stands for."""
    from commands.command_line import _from_shell

    words = shlex.split(kind.example)
    specs = fields_of(kind)
    record: dict[str, Any] = {}
    while words:
        name = words.pop(0).removeprefix("--").replace("-", "_")
        if name in specs and specs[name].form == "flag":
            record[name] = True
            continue
        record[name] = _from_shell(specs[name], words.pop(0))
    return record


def cases() -> Iterator[Any]:
    for kind in COMMANDS:
        for spec in fields_of(kind).values():
            if spec.name != "account" or not issubclass(kind, UtilityCommand):
                yield pytest.param(kind, spec.name, spec.form, id=f"{kind.title()} {spec.name}")


@pytest.mark.parametrize("name", ["ישראל ישראלי", "سارة", "Sara سارة 12", "Đỗ Thị Mẫu", "\u200fא"])
def test_letters_written_from_right_to_left_are_text_like_others(name: str) -> None:
    assert text(name) == name


@pytest.mark.parametrize("turned", TURNED)
def test_what_reads_otherwise_than_it_is_kept_is_refused_with_the_character_s_number(turned: str) -> None:
    with pytest.raises(ValueError, match=rf"turns its order around .*U\+{ord(turned[7]):04X}.*take it out"):
        text(turned)


@pytest.mark.parametrize("kind", [k for k in COMMANDS if k.title() != "policy publish"], ids=lambda k: k.title())
def test_the_example_of_the_help_is_a_command(kind: type[Command]) -> None:
    assert isinstance(read(kind, example_of(kind)), kind)


@pytest.mark.parametrize(("kind", "field", "form"), list(cases()))
def test_a_wrong_value_is_named_with_its_field(kind: type[Command], field: str, form: str) -> None:
    record = example_of(kind)
    for wrong in WRONG[form]:
        with pytest.raises(Invalid) as said:
            read(kind, {**record, field: wrong})
        assert (said.value.code, said.value.field) == ("invalid_value", field), f"{wrong!r}: {said.value.message}"
        assert said.value.message.startswith(f"{field}: ")
        assert len(said.value.message) < 400


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda k: k.title())
def test_what_is_missing_or_unknown_is_named(kind: type[Command]) -> None:
    record = example_of(kind)
    for spec in fields_of(kind).values():
        if spec.required:
            with pytest.raises(Invalid) as said:
                read(kind, {name: value for name, value in record.items() if name != spec.name})
            assert (said.value.code, said.value.field) == ("missing_field", spec.name)
    with pytest.raises(Invalid) as said:
        read(kind, {**record, "colour": "blue"})
    assert (said.value.code, said.value.field) == ("unknown_field", "colour")


def test_every_noun_of_the_contract_has_commands() -> None:
    assert len(NOUNS) == 19
    assert len(COMMANDS) == 60
    with pytest.raises(Invalid, match="there are 'bill issue'"):
        command_type("bill print")
    with pytest.raises(Invalid, match="the nouns are account"):
        command_type("invoice issue")


GOOD = (
    b'{"command": "contact attempt", "account": "7001", "at": "2024-05-20T10:00", "method": "phone", '
    b'"outcome": "reached"}\n'
)
LINES = {
    b"{": "invalid_json",
    b"[]": "invalid_json",
    b'"text"': "invalid_json",
    b"nonsense": "invalid_json",
    b'{"command": "bill issue", "amount": NaN}': "invalid_json",
    b'{"command": "bill issue", "amount": -Infinity}': "invalid_json",
    b"[" * 100_000: "invalid_json",
    b'{"command": "bill issue", "amount": ' + b"9" * 5000 + b"}": "invalid_json",
    b'{"command": "bill issue", "account": "7001", "account": "7002"}': "duplicate_key",
    b'{"command": "bill issue", "lines": [{"kind": "tax", "kind": "usage"}]}': "duplicate_key",
    b'{"command":"bill issue","account":"7001","account":"7001"}': "duplicate_key",
    b'{"command" :"bill issue", "account" : "" , "account":""}': "duplicate_key",
    b'{"command": "bill issue", "account": 1, "account": 1}': "duplicate_key",
    rb'{"command": "bill issue", "account": "7001", "\u0061ccount": "7002"}': "duplicate_key",
    rb'{"command": "bill issue", "account": "a\"\"", "account": "7002"}': "duplicate_key",
    b'{"command": "bill issue", "account": "70\x0101"}': "invalid_json",
    b'{"command": "bill issue", "account": "70\xff01"}': "not_utf8",
    b'{"account": "7001"}': "missing_field",
    b'{"command": 7}': "missing_field",
    b'{"command": "bill print"}': "unknown_command",
    b"x" * (10 * 1024 * 1024): "line_too_long",
    b"x" * LONGEST_LINE: "line_too_long",
    rb'{"command": "bill issue", "account": "\ud800"}': "invalid_value",
    rb'{"command": "\udc00 issue", "account": "7001"}': "unknown_command",
    rb'{"command": "bill issue", "account": "7001", "\ud800": 1}': "unknown_field",
    rb'{"command": "bill issue", "\ud800": 1, "\ud800": 2}': "duplicate_key",
    b'{"command": "bill issue", "account": "Sample Customer", "bill": 7}': "invalid_value",
}


@pytest.mark.parametrize(("line", "code"), LINES.items(), ids=[f"{code}-{n}" for n, code in enumerate(LINES.values())])
def test_a_broken_line_is_answered_and_loses_no_other(line: bytes, code: str) -> None:
    first, broken, last = parse(io.BytesIO(GOOD + line + b"\n" + GOOD))
    assert isinstance(broken.item, Outcome)
    assert broken.item.error is not None
    assert (broken.line, broken.item.status, broken.item.error.code) == (2, "invalid", code)
    assert isinstance(first.item, Command)
    assert (last.line, last.item) == (3, first.item)
    answered = json.loads(answer(2, broken.item))
    assert answered["error"]["code"] == code
    assert "account" not in answered or answered["account"] == "7001"
    assert not re.search(r"None|True|False|\binf\b|\bnan\b|delimiter|Expecting", answered["error"]["message"])


def test_a_feed_may_begin_with_a_byte_order_mark() -> None:
    first, second = parse(io.BytesIO(BOM_UTF8 + GOOD + BOM_UTF8 + GOOD))
    assert isinstance(first.item, Command)
    assert isinstance(second.item, Outcome)
    assert second.item.error is not None
    assert second.item.error.code == "invalid_json"


PERSONAL = ("name", "service_address", "mailing_address", "billing_email", "phone", "provider", "petitioner", "login")


@pytest.mark.parametrize("value", [["Ana Ruiz"], {"Ana": "Ruiz"}, 5551234, 55.25, None, True, "Ana\nRuiz", "Ana@Ruiz"])
def test_what_may_be_personal_is_not_said_back(value: Any) -> None:
    for kind in COMMANDS:
        for field in PERSONAL:
            if field not in fields_of(kind):
                continue
            line = json.dumps({"command": kind.title(), **example_of(kind), field: value}).encode()
            (found,) = parse(io.BytesIO(line))
            if isinstance(found.item, Outcome):
                assert not re.search(rb"Ana|Ruiz|555|55\.25", answer(1, found.item))


@pytest.mark.parametrize(
    ("value", "shown"),
    [("null", "null"), ("true", "true"), ("1e999", "1e999"), ("85.00", "85.00"), ("[null]", "a list")],
)
def test_a_value_that_is_not_taken_is_shown_as_it_was_written(value: str, shown: str) -> None:
    line = b'{"command": "bill issue", "account": "7001", "bill": "B", "mailed_on": "2024-02-01", "amount": %b}'
    (told,) = parse(io.BytesIO(line % value.encode()))
    assert isinstance(told.item, Outcome)
    assert told.item.error is not None
    if value != "null":
        assert told.item.error.message.endswith(f"not {shown}")
    (told,) = parse(io.BytesIO((line % b'"1.00"').replace(b'"B"', value.encode())))
    assert isinstance(told.item, Outcome)
    assert told.item.error is not None
    assert told.item.error.message.startswith(f"bill: {shown} is not an id")


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert [found.line for found in parse(io.BytesIO(b"\n\n" + GOOD + b"  \n" + GOOD.rstrip()))] == [3, 5]


def test_a_null_is_as_good_as_nothing_where_nothing_is_needed() -> None:
    record = json.loads(GOOD) | {"note": None}
    record.pop("command")
    assert read(command_type("contact attempt"), record).note is None
