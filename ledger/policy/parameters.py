"""The rule books: what the packs say, which version is in force on a day, and in which district.

Packs are published from a day on; of each pack the last publication recorded that has begun by a day governs that day.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ledger.calendar import Calendar, Holiday, Hours, weekdays
from ledger.events import Layer, RuleVersion
from ledger.moments import said
from ledger.policy.pack import FUNCTIONS, Divergence, Pack, PackError, Table, Version, load_pack
from ledger.refusal import Refused

__all__ = ["UTILITIES", "NoVersion", "PackError", "Parameters", "Policies", "Rule", "builtin_packs", "load_pack"]

FOLDER = Path(__file__).parent / "packs"
SHARED = ("california", "orders", "faq", "holidays")
"""The packs that every utility is under, whatever its own."""

UTILITIES = tuple(sorted({path.stem for path in FOLDER.glob("*.toml")} - {*SHARED}))
"""The policies that a store may begin with: another utility is one more pack."""

ALWAYS = date.min
"""The day from which a pack that came with the program holds: how far back it speaks is said by its versions."""

State = Literal["in_force", "absent", "ended", "unknown"]
"""How a rule stands on a day; see `Rule`."""


class NoVersion(Refused, LookupError):
    """A value asked of a rule that says nothing on that day: an error, never a default."""

    def __init__(self, message: str) -> None:
        super().__init__("no_rule_version", message)


class Rule(NamedTuple):
    """One rule on one day, in one district.

    `absent`: no such rule then, or not for so small a system. `ended`: no longer. `unknown`: the books do not reach
    back so far. `why` says it in a clause. `since`, `source` are those of the version that says so, and so are
    `values` (cents, days, months, text) of a rule in force; of any other there are none.
    """

    function: str
    id: str
    cite: str
    layer: Layer
    state: State
    why: str
    since: date | None
    values: Mapping[str, Any]
    source: str
    assumed: bool
    pack: str

    @property
    def version(self) -> RuleVersion:
        """Which version this is, for an event's `basis`; raises NoVersion where there is none."""
        if self.since is None:
            raise NoVersion(f"{self.id} ({self.function}): {self.why}")
        return RuleVersion(self.id, self.since, self.pack)


class Parameters:
    """The rule book on one day, in one district. `rules` are in the order of the catalogue."""

    __slots__ = ("_by_function", "divergences", "packs", "policy_text", "rules")

    def __init__(self, packs: Iterable[Pack], day: date, district: str | None) -> None:
        self.packs = {pack.name: pack for pack in packs}
        company = next((pack for pack in self.packs.values() if pack.connections is not None), None)
        self.policy_text = company.sha if company else None
        self.divergences: tuple[Divergence, ...] = sum((pack.divergences for pack in self.packs.values()), ())
        connections = _connections(company, district)
        found = {
            function: _rule(table, pack, day, district, connections)
            for pack in self.packs.values()
            for function, table in pack.tables.items()
        }
        self._by_function = {function: found[function] for function in FUNCTIONS if function in found}
        self.rules = tuple(self._by_function.values())

    def rule(self, function: str) -> Rule:
        """The rule that stands for `function`; raises NoVersion where no pack has it."""
        rule = self._by_function.get(function)
        if rule is None:
            raise NoVersion(f"no pack has a rule {function}; publish one that does")
        return rule

    def get(self, function: str) -> Rule | None:
        """The rule that stands for `function`, or None where no pack has it."""
        return self._by_function.get(function)

    def in_force(self, function: str) -> bool:
        """Whether there is such a rule, on that day and in that district."""
        rule = self._by_function.get(function)
        return rule is not None and rule.state == "in_force"

    def id_of(self, function: str) -> str:
        """The id under which this utility's books know `function`."""
        return self.rule(function).id

    def value(self, function: str, key: str) -> Any:
        """A value of a rule in force: days, months, cents, text; raises NoVersion where it says nothing that day."""
        rule = self.rule(function)
        if rule.state != "in_force":
            raise NoVersion(f"{rule.id} ({function}): {rule.why}")
        if key not in rule.values:
            raise NoVersion(f"{rule.id} ({function}) gives no {key} from {rule.since}; publish a version that does")
        return rule.values[key]

    def find(self, function: str, key: str) -> Any | None:
        """As `value`, and None where the rule is not in force or gives no such value."""
        rule = self._by_function.get(function)
        return None if rule is None else rule.values.get(key)


class Policies:
    """Every publication of every pack, in the order recorded; answers which rule book holds on a day."""

    def __init__(self, publications: Iterable[tuple[Pack, date]]) -> None:
        self._publications = tuple(publications)
        turns = {ALWAYS}
        for pack, effective_from in self._publications:
            turns.add(effective_from)
            for version in (version for table in pack.tables.values() for version in table.versions):
                turns.add(version.since)
                if version.until is not None and version.until < date.max:
                    turns.add(version.until + timedelta(days=1))
        self._turns = sorted(turns)
        self._books: dict[tuple[int, str | None], Parameters] = {}
        for day in sorted({effective_from for _, effective_from in self._publications}):
            _refuse_overlaps(self.governing(day))

    @classmethod
    def of(cls, publications: Iterable[tuple[str, date]]) -> "Policies":
        """The policies in these texts, each from its day; raises PackError for a text that cannot be used.

        Two packs may not both hold a rule on one day: publish under the name of the pack that is to be replaced.
        """
        return cls((load_pack(text), effective_from) for text, effective_from in publications)

    @classmethod
    def builtin(cls, policy: str) -> "Policies":
        """The policies a store of `policy` ("del-oro", "cal-water") begins with; raises PackError for another."""
        return cls((load_pack(text, f"{name}.toml"), ALWAYS) for name, text in builtin_packs(policy))

    def with_published(self, pack: Pack, effective_from: date) -> "Policies":
        """These policies and one publication more.

        Raises PackError where two packs would hold a rule on one day, or the pack leaves out a rule or a holiday of the
        one whose place it takes, on its first day or later: what nobody says any more would forbid nothing.
        """
        for day in sorted({effective_from, *(begins for _, begins in self._publications if begins > effective_from)}):
            _refuse_gaps(self.governing(day), pack)
        return Policies((*self._publications, (pack, effective_from)))

    def governing(self, day: date) -> list[Pack]:
        """The packs that govern `day`: of each name, the last publication recorded that has begun."""
        return list({pack.name: pack for pack, effective_from in self._publications if effective_from <= day}.values())

    def on(self, day: date, district: str | None = None) -> Parameters:
        """The rule book on `day` for an account in `district`; without one, as of a system of unknown size."""
        turn = bisect_right(self._turns, day) - 1
        book = self._books.get((turn, district))
        if book is None:
            start = self._turns[turn]
            book = self._books[turn, district] = Parameters(self.governing(start), start, district)
        return book

    def turn_after(self, day: date) -> date:
        """The first day after `day` on which another rule book may hold; the last day there is if none will."""
        at = bisect_right(self._turns, day)
        return self._turns[at] if at < len(self._turns) else date.max

    def calendar(self, closures: Mapping[date, str] | None = None, hours: Iterable[Hours] = ()) -> Calendar:
        """The calendar of these policies' holidays and usual hours, with the utility's own closures and hours."""
        starts = sorted({effective_from for _, effective_from in self._publications})
        holidays: list[Holiday] = []
        usual: list[Hours] = []
        for start, next_start in zip(starts, [*starts[1:], None], strict=False):
            last = next_start - timedelta(days=1) if next_start else None
            for pack in self.governing(start):
                holidays += filter(None, (_between(holiday, start, last) for holiday in pack.holidays))
                usual += _usual_hours(pack, start, last)
        return Calendar(holidays, closures, hours, usual)


@lru_cache(maxsize=8)
def builtin_packs(policy: str) -> tuple[tuple[str, str], ...]:
    """The names and texts of the packs that a store of that policy begins with; raises PackError for another policy."""
    if policy not in UTILITIES:
        raise PackError(policy, "", f"is no policy of this program; it has {', '.join(UTILITIES)}")
    return tuple((name, (FOLDER / f"{name}.toml").read_text(encoding="utf-8")) for name in (policy, *SHARED))


def _rule(table: Table, pack: Pack, day: date, district: str | None, connections: int | None) -> Rule:
    state, why, version = _in_force(table, day, district, connections)
    about = (table.function, table.id, table.cite, table.layer, state, why)
    if version is None:
        return Rule(*about, None, {}, "", False, pack.sha)
    values = version.values if state == "in_force" else {}
    return Rule(*about, version.since, values, version.source, version.assumed, pack.sha)


def _in_force(
    table: Table, day: date, district: str | None, connections: int | None
) -> tuple[State, str, Version | None]:
    at = bisect_right(table.versions, day, key=lambda version: version.since)
    if not at:
        return "unknown", f"no version before {said(table.versions[0].since)}; publish one that reaches back", None
    version = table.versions[at - 1]
    if version.until is not None and day > version.until:
        return "ended", f"ended on {said(version.until)}", version
    if version.absent:
        return "absent", f"not yet in force: {version.source}", version
    if version.connections_over is not None and connections is not None and connections <= version.connections_over:
        why = f"covers systems over {version.connections_over} connections; {district} has {connections}"
        return "absent", why, version
    return "in_force", f"in force since {said(version.since)}", version


def _connections(company: Pack | None, district: str | None) -> int | None:
    """The connections of `district`, however its name is spelled; None where they are not known."""
    if company is None or company.connections is None or district is None:
        return None
    known = {_plain(name): connections for name, connections in company.connections.items()}
    return known.get(_plain(district))


def _plain(name: str) -> str:
    return name.casefold().replace("-", " ").replace("_", " ").strip()


def _between(holiday: Holiday, start: date, last: date | None) -> Holiday | None:
    since = max(holiday.since, start)
    until = min(filter(None, (holiday.until, last)), default=None)
    return None if until is not None and until < since else holiday._replace(since=since, until=until)


def _usual_hours(pack: Pack, start: date, last: date | None) -> Iterator[Hours]:
    table = pack.tables.get("office_open")
    for version in table.versions if table else ():
        if not version.absent and (last is None or version.since <= last):
            opens, closes, days = (version.values[key] for key in ("opens", "closes", "weekdays"))
            yield Hours(max(version.since, start), opens, closes, weekdays(days), version.assumed)


def _refuse_gaps(packs: Iterable[Pack], new: Pack) -> None:
    kept = {
        *new.tables,
        *(holiday.id for holiday in new.holidays),
        *(["utility"] if new.connections is not None else []),
    }
    for old in packs:
        left_out = [table.id for function, table in old.tables.items() if function not in kept]
        left_out += [holiday.name for holiday in old.holidays if holiday.id not in kept]
        left_out += ["[utility]"] if old.connections is not None and "utility" not in kept else []
        if old.name == new.name and left_out:
            several = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
            reason = f"leaves out {left_out[0]}{several}, which the {old.name} it replaces has; publish it whole"
            raise PackError(new.name, "", f"{reason} (a rule that is over ends with `until`)")


def _refuse_overlaps(packs: Iterable[Pack]) -> None:
    stands: dict[str, str] = {}
    for pack in packs:
        for function, table in pack.tables.items():
            for name in (function, table.id):
                other = stands.setdefault(name, pack.name)
                if other != pack.name:
                    reason = f"{name} stands in {other} already; publish all of {other} anew, under that name"
                    raise PackError(pack.name, function, reason)
