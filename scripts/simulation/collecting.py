"""Collection: what the office does month by month about what is unpaid, and attempts that are meant to be refused."""

from scripts.simulation import arranging, disputing, paying, shutting
from scripts.simulation.days import DAY
from scripts.simulation.life import Life
from scripts.simulation.notices import serve


def review(life: Life) -> None:
    """Some three weeks after a bill the office looks at what it knows to be unpaid."""
    if life.closed is not None or not life.on or life.protected():
        return
    less = life.unknown()
    oldest = life.oldest(less)
    if oldest is None or life.balance + less < shutting.SMALLEST or life.today - oldest.day < 20:
        return
    if life.today - oldest.day < 45:
        remind(life, life.overdue(less))
    elif life.warned is None or life.today - life.warned > 45:
        warn(life, life.overdue(less))


def remind(life: Life, cents: int) -> None:
    """A reminder by mail."""
    serve(life, "past_due", "mail", cents, 10)
    if life.rng.share(150 if life.strained else 700):
        paying.plan_all(life, life.today + life.rng.between(3, 14))


def warn(life: Life, cents: int) -> None:
    """A notice of discontinuance, to the occupants too; then the customer answers, or the day comes."""
    rng, moratorium = life.rng, life.world.moratorium(life.today)
    if moratorium and rng.share(500):
        return
    life.warned = life.today
    method = rng.pick(((850, "mail"), (100, "posted"), (50, "hand")))
    serve(life, "discontinuance", method, cents, 20)
    if life.breached:
        serve(life, "final", "posted", cents, 20)
    if life.plan.occupancy != "customer":
        serve(life, "occupants", "posted", None, None)
    answer = rng.pick(((690, "pay"), (150, "ask"), (8, "dispute"), (3, "health"), (149, "nothing")))
    if answer == "pay":
        paying.plan_all(life, life.today + rng.between(4, 38))
    elif answer == "ask":
        arranging.plan_request(life, life.today + rng.between(2, 12))
    elif answer == "dispute":
        oldest = life.oldest()
        if oldest is not None and oldest.regular:
            life.on_day(life.today + rng.between(2, 12), disputing.file, oldest, clock=640)
    elif answer == "health" and life.plan.residential:
        life.on_day(life.today + rng.between(3, 12), plead)
    shutting.plan_shutoff(life, life.today)


def plead(life: Life) -> None:
    """The customer asks for the health exception, and is given an arrangement with it."""
    if life.closed is not None or life.protected() or not life.on or life.balance <= 0:
        return
    if disputing.plead_health(life):
        life.healthy = True
        life.on_day(life.quiet_until - 15, arranging.agree, "health")


def attempts(life: Life, day: int) -> None:
    """Now and then a clerk asks for a shutoff on a day that forbids it."""
    world, rng = life.world, life.rng
    if not rng.share(20 * max(world.last - day, 1), 365_000):
        return
    on = day + 30 + rng.below(max(world.last - day - 30, 1))
    if rng.share(300):
        april = life.days.calendar_year(on) if life.days.text(on)[5:] <= "04-24" else life.days.calendar_year(on) + 1
        on = life.days.day(april, 4, 24)
    kinds = ("Friday", "holiday") if life.profile.avoided else ("Saturday", "holiday")
    while (kind := _forbidden(life, on, kinds)) is None:
        on += 1
    if on < world.last:
        life.on_day(on, attempt, kind, clock=520)


def _forbidden(life: Life, day: int, kinds: tuple[str, ...]) -> str | None:
    if life.days.holiday(day):
        return "holiday"
    weekday = {4: "Friday", 5: "Saturday"}.get(life.days.weekday(day), "")
    return weekday if weekday in kinds else None


def attempt(life: Life, kind: str) -> None:
    """Ask for a shutoff that must be refused."""
    if life.closed is None and life.on:
        at = life.days.moment(life.today * DAY + 600)
        life.tell("service authorize", {"at": at, "note": f"meant to be refused: {kind}"}, about="attempt")
