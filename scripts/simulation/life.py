"""One customer's account in the true world: what is owed, what the utility knows of it, what happens next."""

import heapq
from collections.abc import Callable
from typing import Any

from scripts.simulation.days import DAY
from scripts.simulation.metering import Meter
from scripts.simulation.money import dollars
from scripts.simulation.plan import Plan, chance_of
from scripts.simulation.world import World

Act = Callable[..., None]
Misread = tuple[Meter, int, int, int, bool]
OFFICE = 540
"""Nine in the morning, in minutes: when the office does what a day asks of it."""


class Charge:
    """Something owed since a day; `wave` counts the plans to pay it, of which only the last holds."""

    __slots__ = ("cents", "day", "name", "regular", "wave")

    def __init__(self, name: str, day: int, cents: int, regular: bool) -> None:
        self.name, self.day, self.cents, self.regular = name, day, cents, regular
        self.wave = 0


class Life:
    """An account from its first day to its last; acts happen in true order and tell when the utility learned."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world, self.plan, self.profile = world, plan, world.profile
        self.days = world.days
        self.rng = chance_of(world.seed, plan.account, "life")
        self.account = plan.account
        self.now = 0
        self.lines = 0
        self.meters: list[Meter] = []
        self.misread: list[Misread] = []
        self.charges: list[Charge] = []
        self.gifts: list[tuple[int, int]] = []
        self.paid = 0
        self.unseen: list[tuple[int, int]] = []
        self.payments = self.notices = self.names = 0
        self.on = True
        self.closed: int | None = None
        self.deposit: str | None = None
        self.held = 0
        self.strained = False
        self.arranged = self.asked = ""
        self.failing = self.breached = self.ever_breached = False
        self.petition = self.healthy = False
        self.warned: int | None = None
        self.contacted: int | None = None
        self.quiet_until = 0
        self.shutoffs = 0
        self._agenda: list[tuple[int, int, Act, tuple[Any, ...]]] = []
        self._order = 0

    @property
    def today(self) -> int:
        """The day it is in this life."""
        return self.now // DAY

    def at(self, minute: int, act: Act, *about: Any) -> None:
        """Put an act on the agenda; nothing happens before now."""
        self._order += 1
        heapq.heappush(self._agenda, (max(minute, self.now), self._order, act, about))

    def on_day(self, day: int, act: Act, *about: Any, clock: int = OFFICE) -> None:
        """Put an act on the agenda of a day."""
        self.at(day * DAY + clock, act, *about)

    def live(self) -> None:
        """Let everything happen, until the last day."""
        while self._agenda and self._agenda[0][0] < self.world.end:
            self.now, _, act, about = heapq.heappop(self._agenda)
            act(self, *about)

    def settle(self) -> None:
        """Write what is owed at the end, less what the utility knows to be paid."""
        self.now = self.world.end - 60
        self.fact({"fact": "balance", "balance": dollars(self.balance + self.unknown())})

    def tell(
        self,
        command: str,
        fields: dict[str, Any],
        *,
        happened: int | None = None,
        learned: int | None = None,
        about: str = "",
    ) -> None:
        """Write a line about this account: it happened now and is learned at once, unless said otherwise."""
        self.lines += 1
        happened = self.now if happened is None else happened
        learned = happened if learned is None else learned
        record = {"command": command, "account": self.account, **fields}
        self.world.tell(self.plan.number, self.plan.turn * 100_000 + self.lines, record, happened, learned, about)

    def fact(self, fields: dict[str, Any]) -> None:
        """Write what nobody recorded."""
        self.lines += 1
        count = self.plan.turn * 100_000 + self.lines
        self.world.fact(self.plan.number, count, {"account": self.account, **fields}, self.now)

    def text(self, day: int) -> str:
        """A day as it is written."""
        return self.days.text(day)

    def name(self, kind: str) -> str:
        """A name for the next thing of a kind on this account."""
        self.names += 1
        return f"{kind}-{self.account}-{self.names}"

    def charge(self, name: str, cents: int, *, regular: bool = False, day: int | None = None) -> Charge:
        """Something more is owed."""
        found = Charge(name, self.today if day is None else day, cents, regular)
        self.charges.append(found)
        return found

    def credit(self, cents: int, learned: int | None = None) -> None:
        """Less is owed; the utility may learn it later."""
        self.paid += cents
        self.gifts.append((self.today, cents))
        if learned is not None and learned > self.now:
            self.unseen.append((learned, cents))
        if self.balance <= 0:
            self.strained = self.breached = False

    @property
    def balance(self) -> int:
        """What is owed in truth, in cents."""
        return sum(charge.cents for charge in self.charges) - self.paid

    def unknown(self) -> int:
        """What was paid and the utility does not know yet, in cents."""
        if self.unseen:
            self.unseen = [late for late in self.unseen if late[0] > self.now]
        return sum(cents for _, cents in self.unseen)

    def oldest(self, less: int = 0) -> Charge | None:
        """The first charge not paid in full, of payments without the last `less` cents."""
        left = self.paid - less
        for charge in self.charges:
            left -= charge.cents
            if left < 0:
                return charge
        return None

    def overdue(self, less: int = 0) -> int:
        """The cents mailed twenty days ago or earlier and not paid, of payments without the last `less` cents."""
        due = sum(charge.cents for charge in self.charges if charge.day <= self.today - 20)
        return max(due - (self.paid - less), 0)

    def protected(self) -> bool:
        """Whether something holds collection back."""
        return bool(self.arranged or self.asked or self.petition or self.healthy) or self.today < self.quiet_until
