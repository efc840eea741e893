"""Two ways to come to rows, compared account by account: what differs is named, and the event that made it differ."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from ledger import events as e
from ledger.store.codec import decode
from ledger.store.log import StoreError
from ledger.store.sqlite_file import connect, in_plain_words
from projections.catalogue import NO_ROWS, PROJECTIONS
from projections.rows import Folded, World
from projections.runner import Projector
from projections.store import Generation

Table = dict[str, dict[str, Any]]
"""The rows of one account in one projection by their key, each by column; values as JSON has them."""


class Side(Protocol):
    """One of two ways to come to rows."""

    def accounts(self) -> Iterator[str]:
        """Every account that may have rows."""

    def columns(self) -> Mapping[str, Sequence[str]]:
        """The columns of each projection."""

    def tables(self, account: str) -> dict[str, Table]:
        """The rows of an account in each projection."""

    def after(self, account: str, version: int, name: str) -> Table | None:
        """An account's rows in a projection after an event; None where no history stands behind them."""

    def events(self, account: str) -> dict[int, str]:
        """The events behind an account's rows: the type of each by version."""


class Made(NamedTuple):
    """An event by its number in the account's history and its type."""

    version: int
    type: str


class Unlike(NamedTuple):
    """A value in which two sides differ, and the event that made the difference; of a missing row, `column` is empty.

    Where the rules differ, that is the first event that they judge otherwise. `event` is None where no history tells:
    the rows do not follow from the log, or no log stands behind them.
    """

    account: str
    projection: str
    row: str
    column: str
    a: Any
    b: Any
    event: Made | None


class _Held:
    """An account's events that count, and what the first so many of them come to; each is folded once.

    Every value that differs looks at many moments of its account, and mostly at the same ones.
    """

    def __init__(self, account: str, events: list[e.Event], world: World) -> None:
        self.account = account
        self.events = events
        self._world = world
        self._versions = [each.version for each in events]
        self._folds: dict[int, Folded] = {}
        self._tables: dict[tuple[int, str], Table] = {}

    def after(self, version: int, name: str) -> Table:
        """The rows in a projection after an event."""
        count = bisect_right(self._versions, version)
        if (count, name) not in self._tables:
            self._tables[count, name] = _table(name, PROJECTIONS[name].rows(self.folded(count)) if count else ())
        return self._tables[count, name]

    def folded(self, count: int) -> Folded:
        """The account by its first `count` events, at least one."""
        if count not in self._folds:
            self._folds[count] = Folded(self.account, self.events[:count], self._world)
        return self._folds[count]


class Folding:
    """Rows folded from a ledger's events: those that `counts` takes, by the rules of `world`."""

    def __init__(self, projector: Projector, world: World, counts: Callable[[e.Event], bool] = lambda _: True) -> None:
        self._projector = projector
        self._world = world
        self._counts = counts
        self._held = _Held("", [], world)

    def accounts(self) -> Iterator[str]:
        """Every account of the ledger."""
        return (account for account in self._projector.log.accounts() if account != e.UTILITY)

    def columns(self) -> Mapping[str, Sequence[str]]:
        """The columns of each projection of this program."""
        return _OWN

    def tables(self, account: str) -> dict[str, Table]:
        """The rows that the events fold to."""
        held = self._history(account)
        last = held.events[-1].version if held.events else 0
        return {name: held.after(last, name) for name in PROJECTIONS}

    def after(self, account: str, version: int, name: str) -> Table:
        """The rows in a projection that the events up to a version fold to."""
        return self._history(account).after(version, name)

    def events(self, account: str) -> dict[int, str]:
        """The events that count."""
        return {each.version: each.type for each in self._history(account).events}

    def _history(self, account: str) -> _Held:
        if self._held.account != account:
            events = [each for each in decode(self._states(account)) if self._counts(each)]
            self._held = _Held(account, events, self._world)
        return self._held

    def _states(self, account: str) -> list[bytes]:
        return self._projector.log.states(account)


class Shown(Folding):
    """The rows that people read, and the events that they hold."""

    def __init__(self, projector: Projector, generation: Generation) -> None:
        super().__init__(projector, projector.world(generation.utility))
        self._generation = generation

    def accounts(self) -> Iterator[str]:
        """Every account that has rows."""
        return self._projector.views.accounts(self._generation)

    def tables(self, account: str) -> dict[str, Table]:
        """The rows as they are kept; raises StoreError where they cannot be read."""
        views, generation = self._projector.views, self._generation
        kept = zip(PROJECTIONS, views.stored(generation, account) or NO_ROWS, strict=True)
        try:
            return {name: _table(name, views.unpacked(name, text, generation)) for name, text in kept}
        except msgspec.MsgspecError:
            reason = f"the rows of account {account} cannot be read (run 'water-ledger projections verify')"
            raise StoreError(f"{views.database.place}: {reason}") from None

    def _states(self, account: str) -> list[bytes]:
        return self._projector.states(self._generation, account)


class File:
    """The rows that another version of the program made, in an SQLite file; no history stands behind them."""

    def __init__(self, path: str) -> None:
        self._path = path
        with in_plain_words(path):
            self._open = connect(path, "ro", 10)
            # Some releases of SQLite hold the operators in our views for unsafe. Nothing here can be called but SQLite.
            self._open.execute("PRAGMA trusted_schema = ON")
        views = self._run("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
        names = [name for (name,) in views if name.isidentifier()]
        self._columns = {name: [column for _, column, *_ in self._run(f"PRAGMA table_info({name})")] for name in names}
        if "accounts" not in self._columns:
            raise StoreError(f"{path} holds no rows (name a file that ends in .views.db)")

    def accounts(self) -> Iterator[str]:
        """Every account that has a row in the first of the tables."""
        return (account for (account,) in self._run("SELECT account FROM accounts ORDER BY account"))

    def columns(self) -> Mapping[str, Sequence[str]]:
        """The columns of each view in the file."""
        return {name: columns[1:] for name, columns in self._columns.items()}

    def tables(self, account: str) -> dict[str, Table]:
        """The rows in the file."""
        found = {}
        for name, columns in self._columns.items():
            if name in PROJECTIONS:
                rows = self._run(f"SELECT * FROM {name} WHERE account = ?", account)
                found[name] = _by_key(name, (dict(zip(columns, row, strict=True)) for row in rows))
        return found

    def after(self, account: str, version: int, name: str) -> None:
        """Nobody knows."""

    def events(self, account: str) -> dict[int, str]:
        """None is known."""
        return {}

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def _run(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with in_plain_words(self._path):
            return self._open.execute(query, values).fetchall()


def compare(a: Side, b: Side) -> Iterator[list[Unlike]]:
    """Compare all accounts; yields the differences of each, mostly none. Only what both sides have is compared."""
    shared = _shared(a, b)
    for account in sorted({*a.accounts(), *b.accounts()}):
        ours, theirs = a.tables(account), b.tables(account)
        found = []
        for name, columns in shared.items():
            mine, other = ours.get(name, {}), theirs.get(name, {})
            if mine != other:
                found += list(_unlike(account, name, columns, mine, other))
        if found:
            history = _History(a, b, account)
            found = [history.explained(each) for each in found]
        yield found


def not_shared(a: Side, b: Side) -> list[str]:
    """The projections and columns that only one side has."""
    ours, theirs = _names(a), _names(b)
    return sorted(ours ^ theirs)


def _names(side: Side) -> set[str]:
    return {f"{name}.{column}" for name, columns in side.columns().items() for column in columns}


def _shared(a: Side, b: Side) -> dict[str, list[str]]:
    theirs = b.columns()
    both = (name for name in a.columns() if name in theirs)
    return {name: [column for column in a.columns()[name] if column in theirs[name]] for name in both}


def _unlike(account: str, name: str, columns: Sequence[str], a: Table, b: Table) -> Iterator[Unlike]:
    for row in dict.fromkeys((*a, *b)):
        mine, other = a.get(row), b.get(row)
        if mine is None or other is None:
            yield Unlike(account, name, row, "", mine, other, None)
            continue
        for column in columns:
            if mine.get(column) != other.get(column):
                yield Unlike(account, name, row, column, mine.get(column), other.get(column), None)


class _History:
    """Why two sides differ in an account: their rows after each event."""

    def __init__(self, a: Side, b: Side, account: str) -> None:
        self._account = account
        self._types = a.events(account) | b.events(account)
        sides = ((0, a), (1, b))
        self._stand = [(n, side) for n, side in sides if side.after(account, 0, "accounts") is not None]

    def explained(self, found: Unlike) -> Unlike:
        """The difference with the event that made it: the one that sets the sides apart, or else made the value."""
        return found._replace(event=_first(self._types, lambda version: self._apart(found, version)))

    def _apart(self, found: Unlike, version: int) -> bool:
        values = [self._value(side, found, version) for _, side in self._stand]
        if len(values) == 2:
            return bool(values[0] != values[1])
        # Behind one side stands no history: the event from which the other one's value comes.
        return bool(values and values[0] == (found.a, found.b)[self._stand[0][0]])

    def _value(self, side: Side, found: Unlike, version: int) -> Any:
        row = (side.after(self._account, version, found.projection) or {}).get(found.row)
        return row.get(found.column) if row and found.column else row


def _first(types: Mapping[int, str], apart: Callable[[int], bool]) -> Made | None:
    """The event after which two sides are apart, and before which they are not."""
    versions = sorted(types)
    if not versions or not apart(versions[-1]):
        return None
    low, high = -1, len(versions) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if apart(versions[middle]) else (middle, high)
    return Made(versions[high], types[versions[high]])


_OWN = {name: [column.name for column in projection.columns] for name, projection in PROJECTIONS.items()}


def _table(name: str, rows: Iterable[Any]) -> Table:
    return _by_key(name, (dict(zip(_OWN[name], msgspec.to_builtins(row), strict=True)) for row in rows))


def _by_key(name: str, rows: Iterator[dict[str, Any]]) -> Table:
    return {" ".join(str(row.get(key)) for key in PROJECTIONS[name].key): row for row in rows}
