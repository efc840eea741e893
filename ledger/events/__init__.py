"""Every event the ledger can hold: facts in the past tense, no behaviour.

The names and fields are the storage format: never renamed, retyped or removed; a new field has a default, a new meaning
is a new event. Amounts are whole cents, readings whole thousandths of the meter's unit, days are Pacific civil days. A
moment without an offset stands for a bare day: only the day was known.
"""

from ledger.events.base import *
from ledger.events.customers import *
from ledger.events.receivable import *
from ledger.events.protections import *
from ledger.events.service import *


def _kinds(parent: type[Event]) -> list[type[Event]]:
    found: list[type[Event]] = []
    for child in parent.__subclasses__():
        found += _kinds(child) if child.__name__.startswith("_") else [child]
    return found


EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in _kinds(Event)}
"""The closed registry of event types by stored name (a stored name is never imported as code)."""
