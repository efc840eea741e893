"""Shutoffs, only where generous margins allow them, and the water turned on again."""

from scripts.simulation import arranging, billing, deposits, metering, paying
from scripts.simulation.days import DAY
from scripts.simulation.life import OFFICE, Life
from scripts.simulation.money import dollars

SMALLEST = 10_00
"""What is too little to run after, in cents."""

AGED = 91
NOTICED = 25
STALE = 43
"""Days: the age of the bill, the days since the notice, and the most of them. Wider than any rule on purpose."""

TUESDAY_TO_THURSDAY = (1, 2, 3)


def plan_shutoff(life: Life, noticed: int) -> None:
    """Choose the day of the shutoff, if the notice lives to see one; a contact is tried the week before."""
    oldest = life.oldest()
    if oldest is None:
        return
    day = max(oldest.day + AGED, noticed + NOTICED)
    while not fit(life, day):
        day += 1
    if day <= noticed + STALE and not life.world.moratorium(day):
        life.on_day(life.days.back(day, 5), contact, day, noticed, clock=life.rng.between(560, 960))
        life.on_day(life.days.back(day, 4), deposits.absorb)
        life.on_day(day, shut_off, noticed, clock=500)


def fit(life: Life, day: int) -> bool:
    """Whether a shutoff may happen on that day: a Tuesday to Thursday, and the next day open too."""
    return life.days.weekday(day) in TUESDAY_TO_THURSDAY and life.days.open(day) and life.days.open(day + 1)


def contact(life: Life, day: int, noticed: int) -> None:
    """The office calls; where nobody answers, somebody goes and leaves a notice."""
    rng = life.rng
    if not _goes_on(life, noticed):
        return
    outcome = rng.pick(((600, "reached"), (250, "message"), (150, "failed")))
    life.tell("contact attempt", {"at": life.days.moment(life.now), "method": "phone", "outcome": outcome})
    if outcome == "reached":
        life.contacted = noticed
    else:
        life.on_day(life.days.back(day, 3), visit, noticed, clock=rng.between(600, 900))
    answer = rng.pick(((480, "pay"), (110, "ask"), (410, "nothing")))
    if answer == "pay":
        paying.plan_all(life, life.today + rng.between(0, 3))
    elif answer == "ask":
        from_now = life.today + rng.between(0, 2)
        life.on_day(from_now, arranging.request, clock=life.now % DAY + 30)


def visit(life: Life, noticed: int) -> None:
    """Somebody goes to the door; now and then the money is handed over there."""
    if not _goes_on(life, noticed):
        return
    outcome = life.rng.pick(((300, "reached"), (700, "message")))
    record = {"at": life.days.moment(life.now), "method": "visit", "outcome": outcome}
    life.tell("contact attempt", record, learned=life.now + 120)
    life.contacted = noticed
    if outcome == "reached" and life.rng.share(350):
        life.now += 10
        paying.pay(life, life.balance, "field", sure=True)


def _goes_on(life: Life, noticed: int) -> bool:
    """Whether the shutoff is still on: nothing paid that clears it, nothing asked, in truth and as far as is known."""
    oldest = life.oldest()
    held_back = life.closed is not None or not life.on or life.protected() or life.warned != noticed
    return not held_back and oldest is not None and oldest.day <= noticed - 20


def shut_off(life: Life, noticed: int) -> None:
    """The day has come: the office asks whether it may, and the water goes off."""
    oldest = life.oldest()
    if not _goes_on(life, noticed) or oldest is None or life.today - oldest.day < AGED:
        return
    if life.contacted != noticed or life.held or life.unknown() or life.overdue() < SMALLEST:
        return
    at = life.today * DAY + 600 + life.rng.below(180)
    by = {"actor": f"clerk-{life.rng.below(6) + 1}"}
    life.tell("service authorize", {"at": life.days.moment(at), **by}, learned=life.now)
    life.at(at, disconnect)


def disconnect(life: Life) -> None:
    """The crew turns the water off; most customers have it back within two days."""
    rng = life.rng
    life.shutoffs += 1
    record = {"at": life.days.moment(life.now), "reason": "nonpayment", "actor": f"crew-{rng.below(4) + 1}"}
    life.tell("service disconnect", record, learned=life.now + rng.between(20, 240))
    metering.run_all(life)
    life.on = False
    if rng.share(900):
        day = life.today + rng.pick(((500, 0), (350, 1), (60, 2), (90, 6)))
        life.on_day(day, want_back, clock=life.now % DAY + 250 if day == life.today else rng.between(520, 1000))
    else:
        life.on_day(life.today + rng.between(35, 60), billing.close, clock=billing.DAWN)


def want_back(life: Life) -> None:
    """The customer pays what is owed and asks for the water."""
    rng = life.rng
    evening = rng.share(80)
    if not evening and not life.days.open(life.today):
        life.on_day(life.days.next_open(life.today), want_back, clock=OFFICE + 30)
        return
    if evening:
        life.now = max(life.now, life.today * DAY + 1090)
    office = not evening and life.now % DAY < 930
    channel = rng.pick(((400, "phone"), (300, "internet"), (300, "counter"))) if office else "internet"
    cents = life.balance + life.unknown()
    if cents > 0:
        paid = paying.pay(life, cents, channel, sure=True, reported=channel == "internet")
        if rng.share(30):
            life.at(max(life.now, paid) + 3 * DAY, paying.give_back, f"P-{life.account}-{life.payments}", cents)
    life.now += 30
    asks = {"at": life.days.moment(life.now)} | ({"after_hours": True} if evening else {})
    life.tell("service request-reconnection", asks)
    if evening and rng.share(800):
        life.at(life.now + rng.between(40, 120), reconnect, True)
    elif not office or evening:
        life.on_day(life.days.next_open(life.today + 1), reconnect, False, clock=rng.between(520, 720))
    else:
        life.at(life.now + rng.between(15, 50), reconnect, False)


def reconnect(life: Life, late: bool) -> None:
    """The crew turns the water on; the fee for it comes with that."""
    metering.run_all(life)
    life.on = True
    life.tell("service reconnect", {"at": life.days.moment(life.now)})
    life.charge(f"RC-{life.account}-{life.shutoffs}", life.profile.fees[1 if late else 0])
    life.strained, life.warned = False, None
    paying.plan_all(life, life.today + life.rng.between(12, 18))
    bills = [charge.cents for charge in life.charges if charge.regular and life.today - 360 < charge.day]
    if bills and life.rng.share(life.profile.deposit_after_shutoff):
        cents = sum(bills) * 3 // (2 * len(bills)) // 500 * 500
        asked = life.days.next_open(life.today + 1)
        record = {"on": life.text(asked)} | ({"amount": dollars(cents)} if life.rng.share(800) else {})
        life.tell("deposit require", record, happened=asked * DAY + 620)
        if life.rng.share(800):
            life.on_day(asked + life.rng.between(5, 20), deposits.receive, cents)
            life.on_day(asked + 400, deposits.give_back)
