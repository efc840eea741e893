"""What all accounts share: the utility, the seed, the days, and where the lines go."""

from collections import Counter
from typing import Any

from scripts.simulation.days import DAY, Days, month_of
from scripts.simulation.plan import Plan, chance_of, plan
from scripts.simulation.profile import Profile
from scripts.simulation.stream import Sorter

MORATORIUM = (737517, 738155)
"""2020-04-02 to 2021-12-31 as day numbers: nobody was shut off for nonpayment."""


class World:
    """A utility with its customers over some years; `truth` takes what really happened, where it is wanted."""

    def __init__(self, profile: Profile, seed: int, days: Days, recorded: Sorter, truth: Sorter | None) -> None:
        self.profile, self.seed, self.days = profile, seed, days
        self.recorded, self.truth = recorded, truth
        self.first, self.last = days.first, days.last
        self.end = (days.last + 1) * DAY
        self.lines: Counter[str] = Counter()
        self.shares: Counter[str] = Counter()
        self._twice: dict[str, bool] = {}

    def plan(self, number: int, turn: int = 1, opens: int | None = None) -> Plan:
        """The customer of an address."""
        return plan(self.profile, self.seed, number, turn, opens, self.first, self.last)

    def tell(self, number: int, count: int, record: dict[str, Any], happened: int, learned: int, about: str) -> None:
        """Write one line: when it happened goes to the truth, when the utility learned it orders the feed.

        What it had not learned by the last day is in the truth alone.
        """
        if self.truth is not None and about != "again":
            true = {"happened": self.days.moment(happened), **record}
            self.truth.add(happened, number, count, {**true, "about": about} if about else true)
        if learned < self.end:
            record["learned_at"] = self.days.moment(learned)
            self.recorded.add(learned, number, count, record)
            self.lines[record["command"]] += 1
            if about:
                self.shares[about] += 1

    def fact(self, number: int, count: int, fact: dict[str, Any], happened: int) -> None:
        """Write what nobody recorded: it goes to the truth alone."""
        if self.truth is not None:
            self.truth.add(happened, number, count, {"happened": self.days.moment(happened), **fact})

    def offices(self) -> None:
        """Tell the office hours and the closures, each announced a month before."""
        said: list[tuple[int, dict[str, Any]]] = []
        for since, (opens, closes) in self.days.hours:
            record = {"command": "office hours", "effective_on": since.isoformat(), "opens": opens, "closes": closes}
            said.append((since.toordinal(), record))
        for on, reason in self.days.closures.items():
            record = {"command": "office close", "on": on.isoformat(), "reason": reason}
            said.append((on.toordinal(), record))
        for count, (day, record) in enumerate(said):
            if self.first <= day <= self.last:
                self.tell(0, count, record, day * DAY + 480, (day - 30) * DAY + 540, "")

    def moratorium(self, day: int) -> bool:
        """Whether shutoffs for nonpayment were forbidden on that day."""
        return MORATORIUM[0] <= day <= MORATORIUM[1]

    def imported_twice(self, file: str) -> bool:
        """Whether a day's payment file was read in a second time: the same answer for all its payments."""
        found = self._twice.get(file)
        if found is None:
            found = self._twice[file] = chance_of(self.seed, file, "file").share(8)
        return found

    def mailing(self, cycle: int, month: int) -> int:
        """The day on which a cycle's bills of a month go out."""
        return self.days.mailing(cycle, self.profile.cycles, month)

    def read_days(self, plan: Plan, month: int) -> tuple[int, int]:
        """The read day and the mailing day of a month."""
        mailed = self.mailing(plan.cycle, month)
        return self.days.back(mailed, 3 + plan.number % 2), mailed

    def first_month(self) -> int:
        """The month of the first day."""
        return month_of(self.first)
