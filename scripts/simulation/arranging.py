"""Arrangements: asked for, agreed or declined, kept or not."""

from typing import Any

from scripts.simulation import notices, paying, shutting
from scripts.simulation.life import Life
from scripts.simulation.money import dollars

Installments = list[tuple[int, int]]


def plan_request(life: Life, day: int) -> None:
    """The customer will ask for more time, by phone at any hour."""
    life.on_day(day, request, clock=life.rng.between(420, 1200))


def request(life: Life) -> None:
    """The customer asks; the office answers within days."""
    if life.closed is not None or not life.on or life.protected() or life.balance <= 0:
        return
    life.asked = life.name("R")
    record = {"arrangement": life.asked, "at": life.days.moment(life.now), "channel": "phone"}
    record["asks"] = life.rng.pick(((6, "a few months"), (3, "until payday"), (1, "a smaller payment each week")))
    life.tell("arrangement request", record, learned=life.now + 5)
    day = life.days.next_open(life.today + life.rng.below(4) + 1)
    if life.rng.share(300):
        life.on_day(day, decline)
    else:
        life.on_day(day, agree, "ordinary")


def decline(life: Life) -> None:
    """The office says no."""
    record = {"arrangement": life.asked, "on": life.text(life.today), "reason": "an earlier one was not kept"}
    life.tell("arrangement decline", record)
    life.asked = ""
    if life.rng.share(650):
        paying.plan_all(life, life.today + life.rng.between(1, 9))


def agree(life: Life, basis: str) -> None:
    """Installments are agreed; forty in a hundred customers will not keep them."""
    rng, asked, owed = life.rng, life.asked, life.balance
    life.asked = ""
    if life.closed is not None or not life.on or life.arranged or owed < 5_00:
        end_health(life)
        if asked:
            answer = {"arrangement": asked, "on": life.text(life.today), "reason": "nothing is owed any more"}
            life.tell("arrangement decline", answer)
        return
    life.arranged = asked or life.name("R")
    kind, installments = _installments(life, owed, basis)
    record: dict[str, Any] = {
        "arrangement": life.arranged, "kind": kind, "on": life.text(life.today),
        "installments": [{"due_on": life.text(day), "amount": dollars(cents)} for day, cents in installments],
    }  # fmt: skip
    if basis != "ordinary":
        record["basis"] = basis
    if life.ever_breached:
        record["reason"] = "agreed once more after a talk"
    life.tell("arrangement agree", record, learned=life.now + 10)
    life.strained = False
    kept = rng.share(600) or basis == "health"
    count = len(installments) if kept else rng.below(len(installments))
    # A shutoff planned on the notice before is off; a breach has its own notice.
    life.failing, life.warned = not kept, None
    for charge in life.charges[-3:]:
        charge.wave += 1
    for number, (day, cents) in enumerate(installments[:count], 1):
        early = day - rng.below(3)
        life.on_day(max(early, life.today), installment, life.arranged, cents, number == len(installments), clock=1000)
    if not kept:
        missed = life.days.next_open(installments[count][0])
        life.on_day(life.days.next_open(missed + rng.between(2, 6)), miss, life.arranged)


def _installments(life: Life, owed: int, basis: str) -> tuple[str, Installments]:
    """What is paid when: some months, one later day, or a half now and a half later."""
    rng, today = life.rng, life.today
    kind = "reduced" if basis == "health" else rng.pick(((600, "reduced"), (300, "deferred"), (100, "alternative")))
    if kind == "deferred":
        return kind, [(today + rng.between(7, 13), owed)]
    if kind == "alternative":
        return kind, [(today + 10, owed // 2), (today + 38, owed - owed // 2)]
    count = rng.between(2, life.profile.longest_plan - 1)
    part = owed // count
    days = [today + 18 + 29 * number for number in range(count)]
    return kind, [(day, part) for day in days[:-1]] + [(days[-1], owed - part * (count - 1))]


def installment(life: Life, arranged: str, cents: int, last: bool) -> None:
    """The customer pays as agreed."""
    if life.arranged != arranged or life.closed is not None:
        return
    paying.pay(life, cents, "phone", sure=True)
    if last:
        life.arranged, life.breached = "", False
        end_health(life)


def end_health(life: Life) -> None:
    """What the health exception was for has passed."""
    if life.healthy:
        life.healthy = False
        record = {"on": life.text(life.today), "part": "certification", "reason": "the certificate ran out"}
        life.tell("health withdraw", record)


def miss(life: Life, arranged: str) -> None:
    """The office finds an installment unpaid: a final notice, and then the end of the matter or of the water."""
    if life.arranged != arranged or life.closed is not None:
        return
    if life.balance <= 0:
        life.arranged = ""
        return
    record = {"arrangement": arranged, "on": life.text(life.today), "reason": "an installment was not paid"}
    life.tell("arrangement breach", record)
    life.arranged = ""
    life.breached = life.ever_breached = life.strained = True
    life.on_day(life.days.next_open(life.today + 1), finish)


def cancel(life: Life) -> None:
    """The customer leaves, and the arrangement ends with that."""
    record = {"arrangement": life.arranged, "on": life.text(life.today), "reason": "account closed"}
    life.tell("arrangement cancel", record)
    life.arranged = ""


def finish(life: Life) -> None:
    """The final notice is posted."""
    if life.closed is None and life.balance > 0 and not life.protected():
        life.warned = life.today
        notices.serve(life, "final", "posted", life.overdue(life.unknown()), 15)
        if life.plan.occupancy != "customer":
            notices.serve(life, "occupants", "posted", None, None)
        if life.rng.share(700):
            paying.plan_all(life, life.today + life.rng.between(2, 12))
        shutting.plan_shutoff(life, life.today)
