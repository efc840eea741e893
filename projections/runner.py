"""Keep the rows current: find the accounts that changed, fold them, replace their rows, move the checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from ledger.events import UTILITY, OfficeClosed, OfficeHoursSet, PolicyPublished
from ledger.store.codec import decode
from ledger.store.keys import ERASED, Keys
from ledger.store.log import Log, Row, require_ledger
from ledger.store.open import keys_of
from ledger.utility import Utility
from projections.catalogue import Packed, pack
from projections.databases import open_database
from projections.rows import Folded, World
from projections.store import BOOKKEEPING, Generation, Views, code

BATCH = 5_000
"""How many events are taken in one transaction: an account is folded once for the reads and bills of a whole night."""

AT_ONCE = 200
"""How many accounts are loaded and written at once."""

FAR = 20_000
"""How many events behind, and half of what was folded, before all accounts are folded anew instead."""


RULES = frozenset(kind.__name__ for kind in (OfficeClosed, OfficeHoursSet, PolicyPublished))
"""The events of the utility that change what rows follow from."""


class RulesChanged(Exception):
    """A closure, office hours or a policy pack was recorded: every account is to be folded anew."""


class Projector:
    """The log, the keys and the rows at one address; for one thread at a time."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.url = url
        self.log: Log
        self.log, database = open_database(url, read_only=read_only)
        self.views = Views(database)
        self._keys: Keys | None = None
        self._worlds: dict[int, World] = {}
        self._hurries = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.views.close()
        self.log.close()
        if self._keys is not None:
            self._keys.close()

    def prepare(self) -> None:
        """Make the tables of the bookkeeping where there are none; raises NotALedger."""
        require_ledger(self.log)
        if not self.views.database.exists():
            self.views.database.create(BOOKKEEPING)

    def world(self, utility: int) -> World:
        """The calendar and the rules by the first `utility` events of the utility's stream."""
        if utility not in self._worlds:
            events = decode(self.log.states(UTILITY)[:utility])
            self._worlds = {utility: World(Utility(events).rules(), self.lookup)}
        return self._worlds[utility]

    def fold(self, loaded: Mapping[str, Iterable[bytes]], utility: int) -> dict[str, Packed]:
        """The rows of accounts from their stored events."""
        world, rows = self.world(utility), {}
        # One after the other: a batch's accounts decoded at once would take a hundred times the room.
        for account, states in loaded.items():
            if account != UTILITY and (found := decode(states)):
                rows[account] = pack(Folded(account, found, world))
        return rows

    def catch_up(self, generation: Generation) -> tuple[Generation, int]:
        """Take in the next events, in the transaction that is open; raises RulesChanged.

        Returns the generation as it is then, and how many events there were.
        """
        rows = self.log.follow(generation.positions, BATCH)
        if any(row.account == UTILITY and row.version > generation.utility and row.type in RULES for row in rows):
            raise RulesChanged
        if rows:
            positions = _after(generation.positions, rows)
            accounts = list(dict.fromkeys(row.account for row in rows if row.account != UTILITY))
            self.views.move(generation, positions)
            for low in range(0, len(accounts), AT_ONCE):
                some = accounts[low : low + AT_ONCE]
                self.views.replace(generation, self.fold(self.log.load(some), generation.utility))
            generation = generation._replace(positions=positions)
        return generation, len(rows)

    def step(self) -> int | None:
        """Take in the next events in one transaction and return how many; None where all has to be folded anew.

        That is so where nothing was folded yet, where the rules changed, where the rows are another version's, and
        where so much is to be taken in that a rebuild is quicker.
        """
        if self.views.shown() is None:
            return None
        try:
            with self.views.database.transaction(exclusive=True):
                # Asked again inside: another follower may have been there, or a rebuild have swapped.
                generation = self.views.shown()
                if generation is None or generation.code != code() or self._far_behind(generation):
                    return None
                taken = self.catch_up(generation)[1]
            self._hurries = taken == BATCH
            return taken
        except RulesChanged:
            return None
        finally:
            self._forget_keys()

    def _far_behind(self, generation: Generation) -> bool:
        if not self._hurries:
            return False
        behind = self.behind(generation)
        return behind > FAR and 2 * behind > sum(generation.positions.values())

    def behind(self, generation: Generation) -> int:
        """How many events the rows do not hold yet."""
        return sum(head - generation.positions.get(shard, 0) for shard, head in self.log.heads().items())

    def refold(self, accounts: Sequence[str]) -> None:
        """Fold some accounts anew, because something outside the log changed: an erased key."""
        self._forget_keys()
        with self.views.database.transaction(exclusive=True):
            for generation in self.views.generations():
                if generation.code != code():
                    # Another version of the program laid them out: they go, and the next rebuild makes them anew.
                    self.views.database.delete(generation.table, accounts)
                    continue
                kept = [account for account in accounts if self.views.stored(generation, account) is not None]
                states = {account: self.states(generation, account) for account in kept}
                self.views.replace(generation, self.fold(states, generation.utility))

    def held(self, generation: Generation, account: str) -> Packed | None:
        """The rows of an account folded from the events that a generation holds; None where it holds none of it."""
        states = self.states(generation, account)
        return self.fold({account: states}, generation.utility).get(account)

    def states(self, generation: Generation, account: str) -> list[bytes]:
        """The stored events of an account that a generation holds."""
        rows = self.log.rows(account)
        return [row.state for row in rows if row.position <= generation.positions.get(row.shard, 0)]

    def _forget_keys(self) -> None:
        # A key that is erased meanwhile must not live on here.
        if self._keys is not None:
            self._keys.close()

    def lookup(self, account: str, field: str, sealed: str) -> str | None:
        """By what a sealed address is found: its keyed digest, in hex; None where it was erased."""
        if self._keys is None:
            self._keys = keys_of(self.url, self.log, read_only=True)
        address = self._keys.open(account, "contact", field, sealed)
        return None if address == ERASED else self._keys.lookup(address).hex()


def _after(positions: Mapping[int, int], rows: Iterable[Row]) -> dict[int, int]:
    found = dict(positions)
    for row in rows:
        found[row.shard] = row.position
    return found
