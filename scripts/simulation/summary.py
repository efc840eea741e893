"""What a run made up, counted: lines by command, and the shares that tell a likely utility from an unlikely one."""

from collections import Counter
from typing import Any

from scripts.simulation.life import Life
from scripts.simulation.world import World

AGES = (20, 35, 50, 80)


def observe(life: Life) -> None:
    """Count one account that has been lived."""
    seen = life.world.shares
    plan, last = life.plan, life.world.last
    seen["accounts"] += 1
    until = min(life.closed or last, last)
    seen["account days"] += max(until - max(plan.opened, life.world.first), 0)
    for name in ("residential", "low_income", "autopay", "portal"):
        seen[name] += getattr(plan, name)
    seen["landlords"] += plan.occupancy != "customer"
    seen["closed"] += life.closed is not None
    seen["shutoffs"] += life.shutoffs
    _observe_bills(life, seen)


def _observe_bills(life: Life, seen: Counter[str]) -> None:
    """How old each bill was when payments, oldest charge first, had paid it."""
    gifts, owed, paid, at = life.gifts, 0, 0, 0
    for charge in life.charges:
        owed += charge.cents
        while paid < owed and at < len(gifts):
            paid += gifts[at][1]
            at += 1
        if not charge.regular:
            continue
        seen["regular bills"] += 1
        settled = gifts[at - 1][0] if paid >= owed and at else life.world.last + 1
        for age in AGES:
            if charge.day + age <= life.world.last:
                seen[f"bills of {age} days"] += 1
                seen[f"unpaid at {age} days"] += settled >= charge.day + age


def summary(world: World) -> dict[str, Any]:
    """Counts, and shares in permille or per thousand account-years."""
    seen, lines = world.shares, world.lines
    years = max(seen["account days"], 365)

    def yearly(count: int) -> int:
        return count * 365_000 // years

    about = ("residential", "low_income", "autopay", "portal", "landlords")
    shares = {name: seen[name] * 1000 // max(seen["accounts"], 1) for name in about}
    for age in AGES:
        shares[f"unpaid at {age} days"] = seen[f"unpaid at {age} days"] * 1000 // max(seen[f"bills of {age} days"], 1)
    bills = max(seen["regular bills"], 1)
    shares["discontinuance notices"] = seen["notice discontinuance"] * 1000 // bills
    rates = {
        "closed": yearly(seen["closed"]),
        "shutoffs": yearly(seen["shutoffs"]),
        "arrangements": yearly(lines["arrangement agree"]),
        "meter exchanges": yearly(lines["meter exchange"]),
        "petitions": yearly(lines["dispute petition"]),
        "lines": yearly(sum(lines.values())),
    }
    labels = (
        "recorded late",
        "again",
        "posted to a neighbour",
        "estimated read",
        "misread",
        "bill issued twice",
        "attempt",
    )
    return {
        "accounts": seen["accounts"],
        "account years": years // 365,
        "lines": sum(lines.values()),
        "commands": dict(sorted(lines.items())),
        "shares, permille": shares,
        "per thousand account-years": rates,
        "of note": {label: seen[label] for label in (*labels, "mailed 2024-01-31", "mailed 2024-02-29")},
    }
