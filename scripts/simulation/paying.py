"""Payments: who pays when and how, and how late the utility hears of it."""

from typing import Any

from scripts.simulation.chance import LAGS
from scripts.simulation.days import DAY
from scripts.simulation.life import Charge, Life
from scripts.simulation.money import dollars

TIMED = ("internet", "autopay", "phone", "counter", "field")
ELSEWHERE = {"internet": "phone", "autopay": "mail"}
"""How one pays onto a closed account instead."""


def consider(life: Life, bill: Charge) -> None:
    """A bill came: the customer will pay it in their manner, or falls behind."""
    rng, today = life.rng, life.today
    if life.petition or (life.arranged and life.failing):
        return
    if life.arranged or life.asked:
        plan_bill(life, bill, today + rng.between(8, 15))
        return
    if life.plan.autopay:
        plan_bill(life, bill, today + rng.between(15, 18), "autopay")
        return
    hard = 2 if life.world.moratorium(today) else 1
    if life.strained or rng.share(dict(life.profile.hardship)[life.plan.payer] * hard):
        if not life.strained or not rng.share(60):
            life.strained = True
            return
        life.strained = False
        plan_all(life, today + rng.between(5, 20))
        return
    plan_bill(life, bill, today + _lag(life))


def _lag(life: Life) -> int:
    """The days from mailing to payment."""
    rng = life.rng
    if life.plan.payer == "prompt":
        return max(rng.spread(10, LAGS), 1) if not rng.share(12) else rng.between(29, 36)
    late = 330 if life.plan.payer == "slow" else 600
    if rng.share(80):
        return rng.between(45, 95)
    return rng.between(29, 44) if rng.share(late) else max(rng.spread(16, LAGS), 2)


def plan_bill(life: Life, bill: Charge, day: int, channel: str | None = None) -> None:
    """Pay this bill on a day; a later plan for it replaces this one."""
    bill.wave += 1
    channel = channel or _channel(life)
    life.at(_minute(life, day, channel), pay_bill, bill, bill.wave, channel)


def plan_all(life: Life, day: int, channel: str | None = None) -> None:
    """Pay everything owed on a day."""
    channel = channel or _channel(life)
    life.at(_minute(life, day, channel), pay_all, channel)


def _channel(life: Life) -> str:
    return life.plan.channel if life.rng.share(850) else life.rng.pick(life.profile.channels)


def _minute(life: Life, day: int, channel: str) -> int:
    """A minute of that day, or of the next on which this way of paying is open."""
    if channel == "autopay":
        return day * DAY + 330
    if channel == "internet":
        return day * DAY + life.rng.between(360, 1410)
    day = life.days.next_open(day)
    if channel == "phone":
        return day * DAY + life.rng.between(485, 1080)
    if channel in ("counter", "field"):
        return day * DAY + life.rng.between(500, 970)
    return day * DAY + 540


def pay_bill(life: Life, bill: Charge, wave: int, channel: str) -> None:
    """The customer pays one bill, or what is left to pay."""
    if bill.wave == wave:
        cents = min(bill.cents, life.balance)
        if life.rng.share(12) and cents > 20_00:
            cents = cents // 2 // 500 * 500
        if cents > 0:
            pay(life, cents, channel)


def pay_all(life: Life, channel: str) -> None:
    """The customer pays everything owed, and is no longer behind."""
    life.strained = False
    for charge in life.charges[-3:]:
        charge.wave += 1
    if life.balance > 0:
        pay(life, life.balance, channel)


def pay(life: Life, cents: int, channel: str, *, sure: bool = False, reported: bool = False) -> int:
    """Money comes in now; returns the minute the utility learns it. With `sure` nothing goes wrong with it."""
    rng = life.rng
    if life.closed is not None and life.today >= life.closed:
        channel = ELSEWHERE.get(channel, channel)
    learned = _learned(life, channel, sure)
    life.payments += 1
    name = f"P-{life.account}-{life.payments}"
    when = life.days.moment(life.now) if channel in TIMED else life.text(life.today)
    record: dict[str, Any] = {"payment": name, "amount": dollars(cents), "received_at": when, "channel": channel}
    if reported or (channel == "internet" and life.warned is not None and rng.share(300)):
        told = {"payment": name, "amount": dollars(cents), "reported_at": when, "channel": channel}
        life.tell("payment report", told, learned=life.now + 20)
        learned = max(learned, life.now + 30)
    if channel == "internet":
        record["confirmation"] = f"{life.plan.number:06}{life.payments:04}"
    if not sure and channel in ("bank", "mail") and rng.share(2) and _misposted(life, cents, record, learned):
        return learned
    file = f"{channel}-{life.text(learned // DAY)}"
    if channel not in ("phone", "counter", "field"):
        record["source"] = f"{file}.csv"
    late = learned > life.now + 4 * DAY
    life.tell("payment receive", record, learned=learned, about="recorded late" if late else "")
    life.credit(cents, learned)
    if channel == "field":
        life.charge(f"FC-{name}", life.profile.fees[2])
    again = _again(life, channel, file, learned)
    if again:
        life.tell("payment receive", dict(record), learned=again, about="again")
    if not sure and rng.share(life.profile.returned):
        life.at(max(life.now + rng.between(2, 6) * DAY, learned + 60), give_back, name, cents)
    return learned


def _learned(life: Life, channel: str, sure: bool) -> int:
    """When the office hears of a payment made now."""
    rng, today = life.rng, life.today
    if channel in ("phone", "counter"):
        return life.now + 2
    if channel == "autopay":
        return life.now + 60
    if channel == "field":
        return today * DAY + 1050
    late = 0
    if not sure and rng.share(12):
        late = rng.between(4, 15)
    elif channel in ("mail", "lockbox", "agency"):
        late = rng.pick(((500, 0), (350, 1), (150, 3)))
    return life.days.next_open(today + 1 + late) * DAY + 420


def _again(life: Life, channel: str, file: str, learned: int) -> int:
    """When a payment comes in a second time: its file was read in twice, or its line sent twice. 0 if it does not."""
    if channel not in ("phone", "counter", "field") and life.world.imported_twice(file):
        return life.days.next_open(learned // DAY + 1) * DAY + 425
    return learned + 3 if life.rng.share(1) else 0


def _misposted(life: Life, cents: int, record: dict[str, Any], learned: int) -> bool:
    """The payment goes to a neighbour's account, and is moved when somebody asks for it."""
    world = life.world
    for number in range(life.plan.number - 1, max(life.plan.number - 9, 0), -1):
        other = world.plan(number)
        if other.autopay and other.leaves is None:
            break
    else:
        return False
    moved = life.days.next_open(learned // DAY + life.rng.between(4, 15)) * DAY + 600
    life.lines += 1
    count = life.plan.turn * 100_000 + life.lines
    line = {"command": "payment receive", "account": other.account, **record}
    world.tell(life.plan.number, count, line, life.now, learned, "posted to a neighbour")
    life.at(moved, move, other.account, record["payment"], cents)
    return True


def move(life: Life, other: str, payment: str, cents: int) -> None:
    """A payment comes over from the account it was posted to by mistake."""
    life.lines += 1
    record = {"command": "payment transfer", "account": other, "payment": payment, "to_account": life.account}
    record |= {"on": life.text(life.today), "reason": "wrong account number on the slip"}
    life.world.tell(life.plan.number, life.plan.turn * 100_000 + life.lines, record, life.now, life.now, "")
    life.credit(cents)


def give_back(life: Life, payment: str, cents: int) -> None:
    """The bank takes a payment back; most customers pay again."""
    record = {"payment": payment, "on": life.text(life.today), "reason": "insufficient funds"}
    life.tell("payment return", record, learned=life.now + 90)
    life.paid -= cents
    life.gifts.append((life.today, -cents))
    life.warned = None
    fee = {"fee": life.name("F"), "kind": "returned_payment", "on": life.text(life.today), "amount": "15.00"}
    life.tell("fee charge", {**fee, "reason": f"payment {payment} returned"}, learned=life.now + 100)
    life.charge(fee["fee"], 15_00)
    if life.rng.share(750):
        plan_all(life, life.today + life.rng.between(3, 15), "phone")
    else:
        life.strained = not life.plan.autopay
