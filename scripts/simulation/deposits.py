"""Credit deposits: received, applied to what is past due, given back with interest."""

from scripts.simulation.life import Life
from scripts.simulation.money import dollars


def receive(life: Life, cents: int) -> None:
    """A credit deposit comes in; one that follows takes over what is left of the first."""
    name = f"K-{life.account}" if life.deposit is None else life.name("K")
    life.tell("deposit receive", {"deposit": name, "amount": dollars(cents), "on": life.text(life.today)})
    life.deposit, life.held = name, life.held + cents


def absorb(life: Life) -> None:
    """The deposit is applied to what is past due."""
    cents = min(life.held, life.overdue())
    if cents > 0 and not life.unknown() and not life.protected():
        life.tell("deposit absorb", {"on": life.text(life.today)})
        life.held -= cents
        life.credit(cents)


def give_back(life: Life) -> None:
    """After a year in good standing the deposit goes back with interest; a leaver's pays the last bill first."""
    if life.held <= 0 or life.deposit is None:
        return
    left = life.closed is not None
    if not left and (life.overdue() or life.strained):
        life.on_day(life.today + 91, give_back)
        return
    if left:
        absorb(life)
    elif life.held > 50_00:
        interest = life.held * 2 // 100
        record = {"deposit": life.deposit, "amount": dollars(interest), "on": life.text(life.today)}
        life.tell("deposit accrue", record, learned=life.now + 2)
        life.held += interest
    if life.held > 0 and not (left and life.overdue()):
        record = {"deposit": life.deposit, "amount": dollars(life.held), "on": life.text(life.today)}
        life.tell("deposit refund", record, learned=life.now + 5)
        life.held = 0
