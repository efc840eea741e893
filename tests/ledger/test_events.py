"""The storage format: every event's name and fields, pinned. A field is never renamed, retyped or removed."""

import json
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from ledger.events import EVENTS, Event
from ledger.evolve import _EVOLVE
from ledger.store.codec import Unreadable, decode, encode, personal_fields

PINNED = Path(__file__).parent.parent / "golden" / "events.json"


def described() -> dict[str, Any]:
    """Each event with its fields: type, and default where it has one."""
    return {name: _fields(kind) for name, kind in sorted(EVENTS.items())}


def _fields(kind: type[Event]) -> dict[str, str]:
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(kind):
        default = "" if field.required else f" = {json.dumps(field.default, default=str)}"
        found[field.encode_name] = _type(hints[field.name]) + default
    return found


def _type(hint: Any) -> str:
    """A type in words that no version of Python spells differently."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        marks = [value for meta in hint.__metadata__ for value in (meta.extra or {}).values()]
        return f"{_type(parts[0])}:{'/'.join(marks)}"
    if origin in (Union, UnionType):
        return " | ".join(_type(part) for part in parts)
    if origin is Literal:
        return "one of " + " ".join(parts)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    return "nothing" if hint is type(None) else str(hint.__name__)


def test_the_storage_format_is_the_pinned_one(request: pytest.FixtureRequest) -> None:
    now = json.loads(json.dumps(described()))
    if request.config.getoption("--rewrite"):
        PINNED.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n")
    pinned = json.loads(PINNED.read_text())
    for name, fields in pinned.items():
        assert name in now, f"{name} was stored once and can no longer be read"
        for field, kind in fields.items():
            assert now[name].get(field) == kind, f"{name}.{field} was {kind!r} when it was stored"
        for field in now[name].keys() - fields.keys():
            assert " = " in now[name][field], f"{name}.{field} is new, so it needs a default"
    assert now == pinned, "pin what is new with --rewrite"


def test_every_event_is_folded() -> None:
    assert set(_EVOLVE) == set(EVENTS.values())


def test_an_event_says_when_it_happened_and_of_what_kind_it_is() -> None:
    for kind in EVENTS.values():
        assert kind.when in kind.__struct_fields__
        assert 0 <= kind.rank <= 9


def test_personal_data_is_marked_where_it_stands() -> None:
    marked = {(name, field) for name, kind in EVENTS.items() for field, _ in personal_fields(kind)}
    assert marked == {
        *(("AccountOpened", f) for f in ("name", "service_address", "mailing_address", "billing_email", "phone")),
        *(("AccountCorrected", f) for f in ("name", "service_address", "mailing_address", "billing_email", "phone")),
        *((event, f) for event in ("LoginLinked", "LoginUnlinked") for f in ("login", "nickname")),
        ("HealthCertified", "provider"),
        ("PetitionFiled", "petitioner"),
    }


@pytest.mark.parametrize(
    "stored",
    [
        b"{",
        b"[]",
        b'{"type":"SomethingElse"}',
        b'{"type":"os.system"}',
        b'{"type":"BillVoided","bill":"B","on":"2024-01-01","reason":"r","more":1}',
        b'{"type":"BillVoided","bill":"B","on":"2024-13-01","reason":"r"}',
        b'{"type":"BillVoided","bill":"B","on":"2024-01-01"}',
        b'{"type":"BillIssued","bill":"B","mailed_on":"2024-01-01","amount":"85.00","past_due_from":"2024-01-21"}',
        b'{"type":"BillIssued","bill":"B","mailed_on":"2024-01-01","amount":85.5,"past_due_from":"2024-01-21"}',
    ],
)
def test_what_is_no_event_is_never_ignored(stored: bytes) -> None:
    with pytest.raises(Unreadable):
        decode([stored])


def test_an_event_survives_its_bytes() -> None:
    stored = (
        b'{"type":"BillVoided","bill":"B","on":"2024-01-01","reason":"r","version":3,'
        b'"recorded_at":"2024-01-02T09:00:00-08:00"}'
    )
    (event,) = decode([stored])
    assert (event.type, event.version, event.day.isoformat()) == ("BillVoided", 3, "2024-01-01")
    assert decode([encode(event)]) == [event]
