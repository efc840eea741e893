"""Events to bytes and back, by a closed registry of types; personal fields are sealed on the way in."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Union, get_type_hints

import msgspec

from ledger.events import EVENTS, Event, PersonalClass

Seal = Callable[[PersonalClass, str, str], str]
"""Turns (class, field, text) into what is stored, or back."""


class Unreadable(Exception):
    """Stored bytes are not an event this version of the program knows."""


_encoder = msgspec.json.Encoder()


@cache
def _decoder() -> msgspec.json.Decoder[list[Any]]:
    return msgspec.json.Decoder(list[Union[tuple(EVENTS.values())]])  # type: ignore[misc]  # noqa: UP007


def encode(event: Event) -> bytes:
    """The bytes that are stored and hashed for an event."""
    return _encoder.encode(event)


def decode(states: Iterable[bytes]) -> list[Event]:
    """The events of one account from their stored bytes, decoded as one list; raises Unreadable."""
    try:
        return _decoder().decode(b"[" + b",".join(states) + b"]")
    except msgspec.MsgspecError as error:
        raise Unreadable(f"a stored event cannot be read: {error}") from error


@cache
def personal_fields(kind: type[Event]) -> tuple[tuple[str, PersonalClass], ...]:
    """The personal fields of an event type and their classes."""
    found = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for part in (hint, *getattr(hint, "__args__", ())):
            for meta in getattr(part, "__metadata__", ()):
                if isinstance(meta, msgspec.Meta) and meta.extra and "personal" in meta.extra:
                    found.append((name, meta.extra["personal"]))
    return tuple(found)


def with_personal(event: Event, turn: Seal) -> Event:
    """The event with each personal field turned: sealed before storing, opened before showing."""
    fields = personal_fields(type(event))
    if not fields:
        return event
    turned = {name: turn(kind, name, value) for name, kind in fields if (value := getattr(event, name)) is not None}
    return msgspec.structs.replace(event, **turned)
