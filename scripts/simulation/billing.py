"""Bills: the account opened, read and billed month by month, and closed."""

from typing import Any

from scripts.simulation import arranging, collecting, deposits, disputing, metering, paying
from scripts.simulation.days import DAY, month_of
from scripts.simulation.life import Charge, Life
from scripts.simulation.money import dollars, half_up, rate
from scripts.simulation.plan import YEAR

MAILED = 17 * 60
OPENED = 600
OFFICE_ROUND = 500
DAWN = 300
"""When a bill is mailed, an account opened, the first meter read; and when a customer is gone, before any payment."""


def open_account(life: Life) -> None:
    """The customer comes; those of before the first day are brought in with a reading to start from."""
    plan, rng = life.plan, life.rng
    record: dict[str, Any] = {"opened_on": life.text(plan.opened), "name": plan.name, "service_address": plan.address}
    others: list[tuple[str, Any, bool]] = [
        ("service_class", "nonresidential", not plan.residential),
        ("dwelling", plan.dwelling, plan.dwelling != "single_family"),
        ("occupancy", plan.occupancy, plan.occupancy != "customer"),
        ("district", plan.district, True),
        ("language", plan.language, plan.language != "en"),
        ("mailing_address", f"PO Box {plan.landlord}, Example City", plan.landlord is not None),
        ("billing_email", plan.login, plan.paperless),
        ("phone", f"530-555-01{plan.number % 100:02}", True),
        ("low_income", True, plan.low_income),
    ]
    life.tell("account open", record | {name: value for name, value, given in others if given})
    if plan.portal:
        life.tell("account link", {"login": plan.login}, learned=life.now + 7)
    if plan.autopay:
        life.tell("autopay enroll", {"on": life.text(plan.opened), "method": rng.pick(((600, "bank"), (400, "card")))})
    if plan.deposit:
        deposits.receive(life, rng.between(12, 30) * 5_00)
        life.on_day(plan.opened + YEAR, deposits.give_back)
    if plan.opened >= life.world.first:
        metering.install(life, life.today)
        _begin(life, plan.opened)


def start(life: Life) -> None:
    """Put the account's coming on the agenda, and its first reading where it came before the first day."""
    plan, world = life.plan, life.world
    life.on_day(plan.opened, open_account, clock=OPENED)
    if plan.opened < world.first:
        life.on_day(world.read_days(plan, world.first_month() - 1)[0], bring_in)


def bring_in(life: Life) -> None:
    """The first reading of an account that is older than the run."""
    metering.install(life, life.today)
    _begin(life, life.today)


def _begin(life: Life, day: int) -> None:
    """The monthly round begins, and what comes only now and then is given its day."""
    world, rng, plan = life.world, life.rng, life.plan
    month = month_of(max(day, world.first))
    while world.read_days(plan, month)[0] < day + 8 or world.read_days(plan, month)[1] < world.first:
        month += 1
    life.on_day(world.read_days(plan, month)[0], read, month, day, clock=OFFICE_ROUND + rng.below(240))
    span = max(world.last - day, 1)
    for share, act in ((life.profile.exchanges, metering.exchange), (3, rename), (10, reclassify), (3, leak), (3, tag)):
        if rng.share(share * span, 1000 * YEAR):
            life.on_day(life.days.next_open(day + 20 + rng.below(span)), act, clock=660)
    collecting.attempts(life, day)
    if plan.leaves is not None:
        life.on_day(plan.leaves, close, clock=DAWN)


def read(life: Life, month: int, since: int) -> None:
    """The meter reader comes by; the bill follows a few business days later."""
    if life.closed is not None:
        return
    usage = metering.read(life, month, life.today)
    mailed = life.world.read_days(life.plan, month)[1]
    found_late = 0
    for meter, day, seen, wrong, late in life.misread:
        found_late += (wrong - seen) * late
        life.on_day(day + 2 if not late else mailed + life.rng.between(6, 12), metering.correct, meter, day, seen)
    life.misread = []
    life.on_day(mailed, mail, since, life.today, usage, found_late, clock=MAILED)
    next_read = life.world.read_days(life.plan, month + 1)[0]
    life.on_day(next_read, read, month + 1, life.today, clock=OFFICE_ROUND + life.rng.below(240))


def _lines(life: Life, days: int, usage: int) -> list[dict[str, str]]:
    """What a bill consists of, in cents: the service charge by days, less for low incomes, the usage, the surcharge."""
    year = life.days.calendar_year(life.today)
    service = half_up(rate(life.profile.service_cents, year) * min(days, 31), 30) if days < 25 else None
    cents = {"service": service or rate(life.profile.service_cents, year)}
    cents["usage"] = half_up(usage * rate(life.profile.ccf_cents, year), 1000)
    cents["surcharge"] = half_up((cents["service"] + cents["usage"]) * 18, 1000)
    if life.plan.low_income:
        cents["service"] -= min(10_00, cents["service"] // 2)
    return [{"kind": kind, "amount": dollars(amount)} for kind, amount in cents.items() if amount]


def mail(life: Life, since: int, until: int, usage: int, found_late: int, kind: str = "regular") -> None:
    """The bill goes out; its customer will pay it, or not."""
    if life.closed is not None and kind != "closing":
        return
    lines = _lines(life, until - since, usage)
    amount = sum(int(line["amount"].replace(".", "")) for line in lines)
    if kind == "regular" and until - since < 25 and life.plan.opened >= life.world.first and not life.charges:
        kind = "opening"
    name = f"B-{life.account}-{life.text(life.today)[2:7].replace('-', '')}" + ("C" if kind == "closing" else "")
    record: dict[str, Any] = {
        "bill": name, "mailed_on": life.text(life.today), "amount": dollars(amount), "lines": lines,
        "period_start": life.text(since), "period_end": life.text(until), "usage": metering.quantity(usage),
    }  # fmt: skip
    if life.plan.paperless:
        record["delivery"] = "email"
    if kind != "regular":
        record["kind"] = kind
    life.tell("bill issue", record, about=_remarkable(record["mailed_on"]))
    bill = life.charge(name, amount, regular=kind == "regular")
    if life.rng.share(1, 2000):
        _issue_twice(life, record)
    if found_late:
        wrong = half_up(found_late * rate(life.profile.ccf_cents, life.days.calendar_year(life.today)), 1000)
        life.on_day(life.today + 12, correct_bill, bill, min(wrong, amount - 1_00))
    disputing.consider(life, bill, upset=bool(found_late))
    paying.consider(life, bill)
    life.on_day(life.days.next_open(life.today + 22), collecting.review, clock=560)


def _remarkable(mailed_on: str) -> str:
    return f"mailed {mailed_on}" if mailed_on in ("2024-01-31", "2024-02-29") else ""


def _issue_twice(life: Life, record: dict[str, Any]) -> None:
    """A bill printed twice under two numbers; the second is withdrawn."""
    name = record["bill"] + "X"
    life.tell("bill issue", {**record, "bill": name}, about="bill issued twice")
    later = life.days.next_open(life.today + 1) * DAY + OFFICE_ROUND + 60
    void = {"bill": name, "on": life.text(later // DAY), "reason": "issued twice"}
    life.tell("bill void", void, happened=later)


def correct_bill(life: Life, bill: Charge, less: int) -> None:
    """A bill made from a misread meter is mailed again, lower."""
    bill.cents -= less
    record = {"bill": bill.name, "amount": dollars(bill.cents), "mailed_on": life.text(life.today)}
    life.tell("bill correct", {**record, "reason": "the meter was misread"})


def close(life: Life) -> None:
    """The customer leaves: a last reading, a last bill, the deposit given back, and somebody else comes."""
    if life.closed is not None:
        return
    if life.asked or life.petition or any(life.today <= meter.read_on + 10 for meter in life.meters):
        life.on_day(life.today + 11, close, clock=DAWN)
        return
    since = min(meter.read_on for meter in life.meters)
    usage = metering.remove(life, life.today)
    life.closed = life.today
    if life.arranged:
        arranging.cancel(life)
    why = "moved away" if life.on else "left without restoring service"
    life.tell("account close", {"closed_on": life.text(life.today), "reason": why}, learned=life.now + 450)
    mailed = life.days.next_open(life.today + 3)
    life.on_day(mailed, mail, since, life.today, usage, 0, "closing", clock=MAILED)
    life.on_day(life.days.next_open(mailed + 26), deposits.give_back)


def rename(life: Life) -> None:
    """A name was misspelt."""
    if life.closed is None:
        life.tell("account correct", {"reason": "name misspelt", "name": life.plan.name.replace("Sample", "Sampel")})


def reclassify(life: Life) -> None:
    """A household's income was looked at again."""
    if life.closed is None and life.plan.residential:
        change = {"effective_on": life.text(life.today), "low_income": not life.plan.low_income}
        life.tell("account classify", change)


def leak(life: Life) -> None:
    """A leak was found, and part of the bill forgiven."""
    if life.closed is not None:
        return
    cents = life.rng.between(6, 80) * 50
    record = {"amount": dollars(-cents), "on": life.text(life.today), "reason": "leak allowance"}
    life.tell("adjustment post", {**record, "approved_by": f"supervisor-{life.rng.below(4) + 1}"})
    life.credit(cents)


def tag(life: Life) -> None:
    """A visit was charged for."""
    if life.closed is not None:
        return
    record = {"fee": life.name("F"), "kind": "other", "on": life.text(life.today), "amount": "10.00"}
    life.tell("fee charge", {**record, "reason": "second visit to a locked gate"})
    life.charge(record["fee"], 10_00)
