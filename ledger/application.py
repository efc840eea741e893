"""The ledger as a writer sees it: load, decide, append.

`Ledger` is an application of the eventsourcing library over this project's own recorder: `post` records one command in
one transaction through it, `post_all` many in one through the log beneath.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import chain, repeat

from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent

from ledger import events as e
from ledger.books import Books
from ledger.calendar import PACIFIC
from ledger.context import Whole
from ledger.history import History
from ledger.moments import pacific
from ledger.policy.parameters import ALWAYS, builtin_packs
from ledger.posting import Command, Desk, Outcome, Pending, Stream
from ledger.refusal import Invalid, Refused
from ledger.store.codec import decode, encode
from ledger.store.keys import Keys
from ledger.store.log import COMMITMENT, Batch, CommandRow, Conflict, Entry, Log, StoreUnavailable, shard_of
from ledger.store.open import keys_of, open_keys, open_log

Item = Command | Outcome
"""A command to post, or what became of a line that is none."""

Feed = Iterable[Item | None]
"""What is to be posted; None where nothing more is ready, so that what came before is not kept waiting."""

BATCHES = (1000, 2000, 4000)
"""How many commands go into one transaction, the first, the second, each later one: more share a sync of the disk."""

AT_ONCE = 500
"""How many commands of it are laid out together: the histories of as many accounts are in memory."""

MOST_EVENTS_HELD = 200_000
"""How many decoded events a posting keeps: memory stays flat, and accounts that come again stay fast."""

FROM_THE_BEGINNING = datetime(1899, 1, 1, tzinfo=PACIFIC)
"""Before any moment that the doors let in, in whatever offset it is written."""

_TRIES = 3


class Ledger(Application[str]):
    """Posts commands. `clock` says when they are recorded; nothing else in the program asks for the time."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        super().__init__({"PERSISTENCE_MODULE": "ledger.store.recorders", "LEDGER_URL": url})
        self.store: Log = self.recorder.log  # type: ignore[attr-defined]
        self.books = Books(self.store, lambda: self.keys)
        self.keys: Keys = keys_of(url, self.store)
        self._clock = clock
        self._utility: Stream | None = None

    def post(self, command: Command, *, backfill: bool = False) -> Outcome:
        """Record one command durably and say what became of it; raises StoreUnavailable if others keep coming first."""
        try:
            command = command.taken()
        except Invalid as error:
            return _invalid(command, error)
        if command.whole:
            return next(self.post_all([command], backfill=backfill, checked=True))
        desk = self._laid_out(command, backfill)
        outcome, pending = desk.decide(command, desk.keys_of(command))
        # Keys are deleted for good, so that is done only where the command is known to be new, and others wait.
        stored = pending is not None and not desk.erasing and self._append(pending)
        if stored or pending is None or command.account != e.UTILITY:
            self._utility = desk.streams[e.UTILITY]
        if stored:
            return outcome
        # Most commands are new and nobody else's, so nothing was looked up or locked. One that is refused, or that the
        # store would not take, is decided again: its keys looked up, while others wait.
        return next(self.post_all([command], backfill=backfill, checked=True))

    def post_all(
        self, items: Feed, *, backfill: bool = False, size: int = 0, checked: bool = False
    ) -> Iterator[Outcome]:
        """Record commands in batches of one durable transaction each; every outcome is yielded once it is on disk.

        Batches are of `size` commands, or as `BATCHES` says; `checked` says that a door has read them all. Raises
        StoreUnavailable where others keep writing to the same accounts, or the store is away: what was yielded is on
        disk, the rest may be posted again.
        """
        desk = Desk(self.keys, self._clock, backfill=backfill)
        left: dict[int, int] = {}
        waiting = iter(items if checked else map(_taken, items))
        sizes = repeat(size) if size else chain(BATCHES, repeat(BATCHES[-1]))
        while some := _ready(waiting, next(sizes)):
            for attempt in range(_TRIES):
                try:
                    with self.store.writing(_accounts(some)) as batch:
                        self._drop_stale(desk, left, batch.heads)
                        desk.put(self._take_utility())
                        outcomes = [o for part in self._parts(desk, some, batch) for o in part]
                        self.keys.flush(desk.erasing)
                    break
                except Conflict:
                    desk.streams.clear()
                    desk.erasing.clear()
                    if attempt + 1 == _TRIES:
                        raise StoreUnavailable(
                            "others kept writing to the same accounts; post the rest again"
                        ) from None
            if desk.erasing:
                self.keys.tidy()
                desk.erasing.clear()
            left.update(batch.heads)
            self._utility = desk.streams[e.UTILITY]
            yield from outcomes

    def post_together(
        self,
        items: Feed,
        *,
        backfill: bool = False,
        dry_run: bool = False,
        checked: bool = False,
        called: Callable[[int], str] = lambda number: f"command {number}",
    ) -> list[Outcome]:
        """Record all commands or none, in one transaction; where one is refused or invalid, the others say so.

        `called` is how they speak of the one by its number; `checked` says that a door has read them all.
        """
        outcomes: list[Outcome] = []
        desk = Desk(self.keys, self._clock, backfill=backfill)
        with self._whole() as batch:
            for some in self._parts(desk, items if checked else map(_taken, items), batch):
                outcomes += some
            if dry_run or any(outcome.error for outcome in outcomes):
                raise _Undo
            self.keys.flush(desk.erasing)
        if desk.erasing:
            self.keys.tidy()
        return _all_or_none(outcomes, called)

    def rehearse(self, items: Feed, *, backfill: bool = False, checked: bool = False) -> Generator[Outcome, None, None]:
        """Record nothing and answer as if; others who write wait meanwhile. `checked`: a door has read all commands."""
        desk = Desk(self.keys, self._clock, backfill=backfill)
        with self._whole() as batch:
            for some in self._parts(desk, items if checked else map(_taken, items), batch):
                yield from some
            raise _Undo

    @contextmanager
    def _whole(self) -> Iterator[Batch]:
        """The whole ledger in one transaction, which `_Undo` takes back."""
        try:
            with self.store.writing(None) as batch:
                yield batch
        except _Undo:
            return
        except Conflict as error:
            raise StoreUnavailable(f"{error}; nothing was recorded, so post all of it again") from None

    def _parts(self, desk: Desk, items: Feed, batch: Batch) -> Iterator[list[Outcome]]:
        """Decide and append commands, so many at once that their accounts' histories fit in memory."""
        waiting = iter(items)
        while some := _ready(waiting, AT_ONCE):
            desk.shrink(MOST_EVENTS_HELD)
            yield self._part(desk, some, batch)

    def _part(self, desk: Desk, items: list[Item], batch: Batch) -> list[Outcome]:
        moment = self._clock()
        desk.clock = lambda: moment
        commands = [item for item in items if not isinstance(item, Outcome)]
        utility = desk.streams.get(e.UTILITY) or Stream(e.UTILITY, ())
        utility.read(batch.load([e.UTILITY], {e.UTILITY: utility.version})[e.UTILITY])
        desk.put(utility)
        needed = dict.fromkeys([*(a for c in commands for a in (c.account, *c.others())), e.UTILITY])
        for account, states in batch.load(desk.missing(needed)).items():
            desk.put(Stream(account, states))
        keyed = [() if isinstance(item, Outcome) else desk.keys_of(item) for item in items]
        desk.recorded = batch.find([wanted for keys in keyed for wanted, _ in keys])
        outcomes, entries, rows = [], list[Entry](), list[CommandRow]()
        desk.whole = partial(self._whole_as_of, batch, entries, rows)
        for item, keys in zip(items, keyed, strict=True):
            if isinstance(item, Outcome):
                outcomes.append(item)
                continue
            outcome, pending = desk.decide(item, keys)
            outcomes.append(outcome)
            if pending is not None:
                entries += pending.entries
                rows.append(pending.command)
        batch.append(entries, rows)
        return outcomes

    def _whole_as_of(self, batch: Batch, entries: list[Entry], rows: list[CommandRow]) -> Whole:
        """Every account with all that stands before a command of this batch: what was decided so far is appended."""
        if rows:
            batch.append(entries, rows)
        entries.clear()
        rows.clear()
        accounts = sorted({*self.store.accounts(), *batch.tips} - {e.UTILITY})
        some = (accounts[n : n + AT_ONCE] for n in range(0, len(accounts), AT_ONCE))
        loaded = (found for names in some for found in batch.load(names).items())
        return Whole(dict(batch.heads), (History(account, decode(states)) for account, states in loaded))

    def _drop_stale(self, desk: Desk, left: dict[int, int], heads: dict[int, int]) -> None:
        """Forget the accounts of shards where somebody else wrote since this posting's last batch there."""
        moved = {shard for shard, head in heads.items() if left.get(shard) != head}
        if not moved:
            return
        for account in [a for a in desk.streams if shard_of(a, self.store.shards) in moved]:
            del desk.streams[account]

    def _laid_out(self, command: Command, backfill: bool) -> Desk:
        """A desk with all that was recorded of the utility and of the accounts that a command touches."""
        utility = self._take_utility()
        accounts = {e.UTILITY, command.account, *command.others()}
        loaded = self.store.load(accounts, {e.UTILITY: utility.version})
        utility.read(loaded.pop(e.UTILITY))
        desk = Desk(self.keys, self._clock, backfill=backfill)
        desk.put(utility)
        for account, states in loaded.items():
            desk.put(Stream(account, states))
        return desk

    def _take_utility(self) -> Stream:
        """The utility's stream, kept between commands; it is put back once nothing unrecorded can be in it."""
        utility, self._utility = self._utility or Stream(e.UTILITY, ()), None
        return utility

    def _append(self, pending: Pending) -> bool:
        """Record what a command adds, durably; False where somebody else wrote first."""
        self.keys.flush()
        stored = [StoredEvent(*entry) for entry in pending.entries]
        try:
            self.recorder.insert_events(stored, commands=[pending.command])
        except Conflict:
            return False
        return True

    def close(self) -> None:
        """Let go of the store and the keys."""
        self.keys.close()
        self.store.close()
        super().close()


def _taken(item: Item | None) -> Item | None:
    """A command as a door would have read it, or what is wrong with it: a program may have made it of anything."""
    if item is None or isinstance(item, Outcome):
        return item
    try:
        return item.taken()
    except Invalid as error:
        return _invalid(item, error)


def _invalid(command: Command, error: Invalid) -> Outcome:
    return Outcome("invalid", account=command.account if isinstance(command.account, str) else None, error=error)


class _Undo(Exception):
    pass


def _ready(waiting: Iterator[Item | None], most: int) -> list[Item]:
    """The next items, `most` at most and no more than are ready; none at the end."""
    some: list[Item] = []
    for item in waiting:
        if item is not None:
            some.append(item)
        if len(some) == most or (item is None and some):
            break
    return some


def _accounts(items: Iterable[Item]) -> set[str] | None:
    """The accounts that these commands touch; None, which is all, where one is decided against the whole ledger."""
    items = list(items)
    if any(not isinstance(item, Outcome) and item.whole for item in items):
        return None
    return {a for c in items if not isinstance(c, Outcome) for a in (c.account, *c.others())}


def _all_or_none(outcomes: list[Outcome], called: Callable[[int], str]) -> list[Outcome]:
    if not any(outcome.error for outcome in outcomes):
        return outcomes
    first = called(next(n for n, outcome in enumerate(outcomes, 1) if outcome.error))
    reason = f"nothing was recorded, because {first} of this feed was not; mend it and post all again"
    undone = {(outcome.account, outcome.version) for outcome in outcomes if outcome.status == "recorded"}
    return [
        outcome
        if outcome.error or (outcome.account, outcome.version) not in undone
        else Outcome("refused", account=outcome.account, error=Refused("not_all", reason))
        for outcome in outcomes
    ]


def create(url: str, clock: Callable[[], datetime], *, policy: str = "del-oro", origin: str | None = None) -> bool:
    """Create a ledger with the packs of `policy`, known from the beginning; False where there is one already.

    Raises PackError for a policy that does not exist, and StoreError.
    """
    packs, now = builtin_packs(policy), pacific(clock())
    named = origin or f"{policy}.example/ledger"
    with closing(open_log(url)) as log:
        if log.exists():
            return False
        # Keys without a ledger are harmless, a ledger without its keys is not. Whoever dies in between, or is
        # overtaken, leaves keys that the next one takes.
        with closing(open_keys(url, named)) as keys:
            keys.create()
            meta = {"policy": policy, COMMITMENT: keys.commitment}
        entries = [
            Entry(e.UTILITY, version, event.type, encode(event))
            for version, event in enumerate(publications(packs, now), 1)
        ]
        return log.create(named, now.isoformat(), meta, entries)


def publications(packs: Iterable[tuple[str, str]], now: datetime) -> Iterator[e.PolicyPublished]:
    """The first events of a ledger: the packs it is created with, known from the beginning."""
    for version, (name, text) in enumerate(packs, 1):
        yield e.PolicyPublished(
            version=version,
            recorded_at=now,
            learned_at=FROM_THE_BEGINNING,
            pack=name,
            effective_from=ALWAYS,
            sha256=sha256(text.encode()).hexdigest(),
            text=text,
        )
