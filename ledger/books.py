"""Reading the ledger: histories, the calendar and the rules, as known at a moment. Nothing here writes."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

from ledger import events as e
from ledger.history import History
from ledger.store.codec import decode, with_personal
from ledger.store.log import Log

if TYPE_CHECKING:
    from ledger.store.keys import Keys
    from ledger.utility import Utility


class Books:
    """The ledger as a reader sees it."""

    def __init__(self, log: Log, keys: "Callable[[], Keys]") -> None:
        self.log = log
        self._open_keys = keys
        self._keys: Keys | None = None

    @property
    def keys(self) -> "Keys":
        """The data keys, opened when first needed: most questions never touch personal data."""
        if self._keys is None:
            self._keys = self._open_keys()
        return self._keys

    def history(self, account: str) -> History:
        """The events of an account; an empty history for one that is not in the ledger."""
        return History(account, decode(self.log.states(account)))

    def histories(self) -> Iterator[History]:
        """Every account's history, in the order of the accounts' ids; holds one at a time."""
        for account, states in self.log.scan():
            if account != e.UTILITY:
                yield History(account, decode(states))

    def utility(self) -> "Utility":
        """What was declared for the whole utility: closures, office hours, policy packs."""
        # Reading the packs takes as long as all else that a balance needs, and a balance needs none.
        from ledger.utility import Utility

        return Utility(decode(self.log.states(e.UTILITY)))

    def opened(self, account: str, event: e.Event) -> e.Event:
        """The event with its personal fields readable; "[erased]" where the key is gone."""
        return with_personal(event, lambda kind, field, text: self.keys.open(account, kind, field, text))

    def close(self) -> None:
        """Let go of the store and the keys."""
        self.log.close()
        if self._keys is not None:
            self._keys.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
