"""Where personal data stands in an account's history: by class and field, and what of it can still be read."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.events import Event, PersonalClass, PersonalDataErased
from ledger.store.codec import personal_fields


class Held(NamedTuple):
    """One personal field of one event, as it is stored."""

    kind: PersonalClass
    field: str
    event: Event
    sealed: str


def personal_data(events: Iterable[Event]) -> Iterator[Held]:
    """Every personal field that was given, in the order recorded."""
    for event in events:
        for field, kind in personal_fields(type(event)):
            sealed = getattr(event, field)
            if sealed is not None:
                yield Held(kind, field, event, sealed)


def not_erased(events: Iterable[Event], kind: PersonalClass) -> list[int]:
    """The versions of the events that hold data of a class and were recorded after it was last erased."""
    found: list[int] = []
    for event in events:
        if isinstance(event, PersonalDataErased):
            if event.kind == kind:
                found = []
        elif any(held.kind == kind for held in personal_data([event])):
            found.append(event.version)
    return found
