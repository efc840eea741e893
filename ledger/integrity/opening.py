"""Reading the events of a bundle, with the personal data opened where the bundle holds the key."""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from ledger.integrity.bundle_form import History, strictly
from ledger.store.keys import ERASED, SEALED, opened_with

CLOSED = "[sealed]"
"""What a reader without the key sees."""


def opened(origin: str, history: History) -> Iterator[dict[str, Any]]:
    """Each event of an account as it is stored, its personal fields as text, or "[sealed]" where the key is not here.

    The bundle has to be checked first. Raises Tampered for a field that its key does not open.
    """
    keys = {bytes.fromhex(id): b64decode(key) for id, key in (history.keys or {}).items()}
    for event in history.events:
        said = strictly(event.stored)
        for field, value in said.items():
            if isinstance(value, str) and value.startswith(SEALED):
                text = opened_with(keys, origin, history.account, field, value)
                said[field] = CLOSED if text == ERASED else text
        yield {"account": history.account, **said}
