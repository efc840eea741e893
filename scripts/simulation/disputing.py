"""Disputes: petitions to the utility and its answers, the rare appeal, the rare health exception."""

from typing import Any

from scripts.simulation import paying
from scripts.simulation.days import DAY
from scripts.simulation.life import Charge, Life
from scripts.simulation.money import dollars

AFTER_RECEIPT = (
    (14, 0), (14, 1), (12, 2), (5, 3), (5, 4), (20, 5), (16, 6), (6, 8), (5, 11), (3, 17),
)  # fmt: skip
"""Days from receipt to petition; the fifth is the last in time, and it and the next come often on purpose."""


def consider(life: Life, bill: Charge, *, upset: bool) -> None:
    """A bill came; now and then somebody disputes it."""
    if life.rng.share(life.profile.petitions if not upset else 4_000, 120_000) and not life.protected():
        received = life.today + (0 if life.plan.paperless else 5)
        life.on_day(received + life.rng.pick(AFTER_RECEIPT), file, bill, clock=life.rng.between(500, 1000))


def file(life: Life, bill: Charge) -> None:
    """Somebody at the address disputes a bill; it is paid after the answer."""
    if life.closed is not None or life.protected():
        return
    rng = life.rng
    life.petition = True
    bill.wave += 1
    name = life.name("D")
    record: dict[str, Any] = {"dispute": name, "bill": bill.name, "filed_at": life.days.moment(life.now)}
    if rng.share(120):
        record |= {"role": "occupant", "petitioner": f"Sample Occupant {life.plan.number:04}"}
    disputed = bill.cents
    if rng.share(300):
        disputed = bill.cents // 2
        record["disputed_amount"] = dollars(disputed)
    if rng.share(80):
        record["ground"] = "other"
    record["channel"] = rng.pick(((700, "phone"), (200, "internet"), (100, "mail")))
    if rng.share(150):
        record["beyond_means"] = True
    if rng.share(100) and not life.plan.paperless:
        receipt = {"bill": bill.name, "received_on": life.text(min(bill.day + 4, life.today)), "evidence": "envelope"}
        life.tell("bill receipt", receipt, learned=life.now + 10)
    late = rng.share(100)
    life.tell("dispute petition", record, learned=life.now + (DAY if late else 5))
    life.on_day(life.days.next_open(life.today + rng.between(8, 30)), answer, name, bill, disputed, clock=900)


def answer(life: Life, name: str, bill: Charge, disputed: int) -> None:
    """The utility answers in writing; a quarter of the bills are found too high."""
    rng = life.rng
    outcome = rng.pick(((650, "upheld"), (250, "adjusted"), (100, "withdrawn")))
    record = {"dispute": name, "on": life.text(life.today), "outcome": outcome, "language": life.plan.language}
    if outcome == "adjusted":
        credit = min(max(disputed * rng.between(10, 60) // 100, 1), bill.cents)
        record["credit"] = dollars(credit)
        life.credit(credit)
    life.tell("dispute answer", record)
    life.petition = False
    life.quiet_until = life.today + 60
    if outcome == "upheld" and rng.share(40):
        life.petition = True
        life.on_day(life.days.next_open(life.today + rng.between(3, 14)), appeal, name, disputed)
        return
    paying.plan_all(life, life.today + rng.between(6, 25))


def appeal(life: Life, dispute: str, disputed: int) -> None:
    """The answer is taken to the Commission, with the disputed amount."""
    rng, name = life.rng, life.name("A")
    case = 640_000 + rng.below(50_000)
    record = {"appeal": name, "dispute": dispute, "on": life.text(life.today), "evidence": f"CAB file {case}"}
    life.tell("appeal file", record)
    deposited = life.today + rng.between(1, 6)
    proof = {"appeal": name, "amount": dollars(disputed), "on": life.text(deposited), "reference": f"impound {case}"}
    life.tell("appeal deposit", proof, happened=deposited * DAY + 700)
    ends = life.days.next_open(life.today + rng.between(40, 90))
    life.on_day(ends, decide, name, disputed)


def decide(life: Life, name: str, disputed: int) -> None:
    """The Commission ends the appeal and pays out what it held."""
    share = life.rng.pick(((700, 100), (200, 60), (100, 0)))
    outcome = {100: "bill upheld", 60: "bill reduced", 0: "found for the customer"}[share]
    ours = disputed * share // 100
    life.tell("appeal close", {"appeal": name, "on": life.text(life.today), "outcome": outcome})
    paid = life.days.next_open(life.today + 7)
    shares = {"to_utility": dollars(ours), "to_customer": dollars(disputed - ours)}
    life.tell("appeal disburse", {"appeal": name, "on": life.text(paid), **shares}, happened=paid * DAY + 600)
    if ours:
        life.credit(ours, paid * DAY + 600)
    if disputed > ours:
        less = {"amount": dollars(ours - disputed), "on": life.text(paid), "reason": f"Commission's outcome of {name}"}
        life.tell("adjustment post", {**less, "approved_by": "supervisor-1"}, happened=paid * DAY + 630)
        life.credit(disputed - ours, paid * DAY + 630)
    life.petition = False
    life.quiet_until = life.today + 60
    paying.plan_all(life, life.today + life.rng.between(9, 25))


def plead_health(life: Life) -> bool:
    """A certificate, the inability to pay and the willingness to: returns whether the utility accepted all three."""
    rng, today = life.rng, life.today
    resident = rng.pick(((400, "customer"), (600, "household")))
    life.tell("health certify", {"on": life.text(today), "provider": "Example Clinic", "resident": resident})
    ground = rng.pick(((500, "Medi-Cal"), (300, "CalFresh"), (200, "declared income")))
    life.tell("health inability", {"on": life.text(today), "ground": ground}, learned=life.now + 1)
    life.tell("health willing", {"on": life.text(today)}, learned=life.now + 2)
    judged = life.days.next_open(today + rng.between(2, 8))
    happened = judged * DAY + 600
    accepted = rng.share(700)
    for count, part in enumerate(("certification", "inability", "willingness")):
        verb, why = "health accept", {}
        if part == "certification" and not accepted:
            verb, why = "health reject", {"reason": "the provider did not sign"}
        life.tell(verb, {"on": life.text(judged), "part": part, **why}, happened=happened + count)
    life.quiet_until = judged + 30
    return accepted
