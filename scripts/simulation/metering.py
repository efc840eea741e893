"""Meters: what they truly counted, what was read, and what the office made of it."""

from typing import TYPE_CHECKING, Any

from scripts.simulation.chance import MONTHS
from scripts.simulation.days import DAY, month_of

if TYPE_CHECKING:
    from scripts.simulation.life import Life


class Meter:
    """A meter: `true` is what it counted and `billed` what was billed of it, in thousandths since it was new."""

    __slots__ = ("billed", "decimals", "dials", "name", "read_on", "true")

    def __init__(self, name: str, dials: int, decimals: bool, true: int) -> None:
        self.name, self.dials, self.decimals, self.true = name, dials, decimals, true
        self.billed = self.shown_units(true)
        self.read_on = 0

    def shown_units(self, true: int) -> int:
        """What a reader sees of `true`: hundredths, or whole units."""
        return true - true % (10 if self.decimals else 1000)

    def text(self, units: int) -> str:
        """A reading as the dials show it; they begin again at zero."""
        whole, part = divmod(units % (1000 * 10**self.dials), 1000)
        return f"{whole}.{part // 10:02}" if self.decimals else str(whole)


def install(life: "Life", day: int, units: list[int] | None = None) -> None:
    """Put the meters in; an old one shows what it had counted."""
    for count in range(life.plan.meters):
        if units is not None:
            true = units[count]
        elif life.plan.dials == 4 and life.rng.share(250):
            true = (9_900 + life.rng.below(90)) * 1000 + life.rng.below(1000)
        else:
            true = life.rng.below(4000) * 1000 + life.rng.below(1000)
        meter = Meter(f"M-{life.account}-{count + 1}", life.plan.dials, life.plan.decimals, true)
        meter.read_on = day
        life.meters.append(meter)
        record: dict[str, Any] = {"meter": meter.name, "on": life.text(day), "reading": meter.text(meter.billed)}
        if meter.dials != 6:
            record["dials"] = meter.dials
        life.tell("meter install", record)


def run(life: "Life", meter: Meter, day: int) -> None:
    """Let the water run through a meter until `day`; none runs while it is off."""
    span = day - meter.read_on
    month = month_of(day - 15) % 12
    season = life.profile.seasons[month]
    if life.on and span > 0:
        used = life.plan.use * 10 * season // 1000 * span // 30
        meter.true += life.rng.spread(used, MONTHS) // life.plan.meters
    meter.read_on = max(day, meter.read_on)


def run_all(life: "Life") -> None:
    """Let the water run until today."""
    for meter in life.meters:
        run(life, meter, life.today)


def read(life: "Life", month: int, day: int) -> int:
    """The monthly read of all meters; returns the usage to bill, in thousandths."""
    return sum(_read(life, meter, month, day) for meter in list(life.meters))


def _read(life: "Life", meter: Meter, month: int, day: int) -> int:
    before = meter.read_on
    run(life, meter, day)
    winter = month % 12 in (0, 1, 11)
    share = life.profile.estimated * (2 if winter else 1)
    if day > before and life.rng.share(share):
        return _estimate(life, meter, day, day - before)
    seen = meter.shown_units(meter.true)
    if life.rng.share(life.profile.misreads):
        return _misread(life, meter, day, seen)
    kind = {"kind": "customer"} if life.rng.share(4) else {}
    _tell_read(life, meter, day, seen, kind)
    return _bill(meter, seen)


def _bill(meter: Meter, seen: int) -> int:
    """What is billed for a reading: nothing where an estimate was over it, until the meter catches up."""
    usage, meter.billed = max(seen - meter.billed, 0), max(seen, meter.billed)
    return usage


def _tell_read(life: "Life", meter: Meter, day: int, units: int, more: dict[str, Any], about: str = "") -> None:
    record: dict[str, Any] = {"read_on": life.text(day), "reading": meter.text(units)}
    if life.plan.meters > 1:
        record["meter"] = meter.name
    late = life.rng.share(60)
    life.tell("meter read", {**record, **more}, learned=life.now + (DAY if late else 480), about=about)


def _estimate(life: "Life", meter: Meter, day: int, span: int) -> int:
    guess = meter.shown_units(max(meter.billed, 0) + life.plan.use * 9 * span // 30 // life.plan.meters)
    _tell_read(life, meter, day, guess, {"kind": "estimated"}, "estimated read")
    life.fact({"fact": "true reading", "meter": meter.name, "reading": meter.text(meter.true)})
    return _bill(meter, guess)


def _misread(life: "Life", meter: Meter, day: int, seen: int) -> int:
    """A digit misread; sometimes it is found before the bill goes out, sometimes after."""
    wrong = seen + (10_000 if life.rng.share(600) else 100_000)
    _tell_read(life, meter, day, wrong, {}, "misread")
    life.fact({"fact": "true reading", "meter": meter.name, "reading": meter.text(seen)})
    late = life.rng.share(500)
    life.misread.append((meter, day, seen, wrong, late))
    usage = _bill(meter, wrong if late else seen)
    meter.billed = seen
    return usage


def correct(life: "Life", meter: Meter, day: int, seen: int) -> None:
    """Put a misread reading right."""
    record = {"read_on": life.text(day), "reading": meter.text(seen), "reason": "a digit was misread"}
    if life.plan.meters > 1:
        record["meter"] = meter.name
    life.tell("meter correct", record)


def exchange(life: "Life") -> None:
    """Replace a meter that is old."""
    if life.closed is not None or not life.meters:
        return
    meter, day = life.meters[0], life.today
    if day <= meter.read_on:
        life.on_day(day + 3, exchange, clock=660)
        return
    run(life, meter, day)
    seen = meter.shown_units(meter.true)
    life.names += 1
    new = Meter(f"{meter.name}-{life.names}", 6, meter.decimals, 0)
    new.read_on = day
    new.billed = -_bill(meter, seen)
    life.meters[0] = new
    record = {"on": life.text(day), "final_reading": meter.text(seen), "new_meter": new.name}
    if life.plan.meters > 1:
        record["meter"] = meter.name
    life.tell("meter exchange", record, learned=life.now + 300)


def remove(life: "Life", day: int) -> int:
    """Read the meters a last time as the customer leaves; returns the usage to bill, in thousandths."""
    usage = 0
    for meter in life.meters:
        run(life, meter, day)
        seen = meter.shown_units(meter.true)
        usage += _bill(meter, seen)
        record = {"meter": meter.name, "on": life.text(day), "final_reading": meter.text(seen)}
        life.tell("meter remove", record, learned=life.now + 420)
    return usage


def quantity(units: int) -> str:
    """Thousandths as a feed writes them."""
    whole, part = divmod(units, 1000)
    return f"{whole}.{part:03}".rstrip("0").rstrip(".")
