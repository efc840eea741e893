"""What concerns the whole utility: closures, office hours and policy packs, as known at a moment."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import NamedTuple

from ledger import events as e
from ledger.calendar import Calendar, Hours, weekdays
from ledger.closing import closed_through
from ledger.policy.parameters import Policies


class Rules(NamedTuple):
    """The calendar and the rules, as known at one moment."""

    calendar: Calendar
    policies: Policies


class Utility:
    """The fold of the utility's own stream, for any moment of knowing."""

    def __init__(self, events: Sequence[e.Event]) -> None:
        self.events = events
        self._known: dict[tuple[int, ...], Rules] = {}
        self._policies: dict[tuple[int, ...], Policies] = {}
        self._latest: tuple[int, datetime | None, Rules] | None = None
        self._closed: tuple[int, date | None] = 0, None

    def rules(self, known_at: datetime | None = None) -> Rules:
        """The calendar and the rules as known at a moment, inclusive."""
        if self._latest and self._latest[0] == len(self.events):
            _, last, rules = self._latest
            if known_at is None or last is None or known_at >= last:
                return rules
        known = [event for event in self.events if known_at is None or event.known_from <= known_at]
        versions = tuple(event.version for event in known)
        if versions not in self._known:
            self._known[versions] = self._rules(known)
        if len(known) == len(self.events):
            last = max((event.known_from for event in known), default=None)
            self._latest = len(known), last, self._known[versions]
        return self._known[versions]

    @property
    def closed_through(self) -> date | None:
        """The last day through which the books are closed; None where they never were."""
        if self._closed[0] != len(self.events):
            self._closed = len(self.events), closed_through(self.events)
        return self._closed[1]

    def closes(self) -> list[e.BooksClosed]:
        """Every close of the books; each is of a later day than the one before."""
        return [event for event in self.events if isinstance(event, e.BooksClosed)]

    def _rules(self, known: Sequence[e.Event]) -> Rules:
        published = [p for p in known if isinstance(p, e.PolicyPublished)]
        # Rule books are dear, and a closure changes none of them.
        versions = tuple(p.version for p in published)
        if versions not in self._policies:
            self._policies[versions] = Policies.of((p.text, p.effective_from) for p in published)
        policies = self._policies[versions]
        closures = {c.on: c.reason for c in known if isinstance(c, e.OfficeClosed)}
        hours = [
            Hours(h.effective_on, time.fromisoformat(h.opens), time.fromisoformat(h.closes), weekdays(h.weekdays))
            for h in known
            if isinstance(h, e.OfficeHoursSet)
        ]
        return Rules(policies.calendar(closures, hours), policies)
