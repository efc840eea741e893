"""Notices: reminders, notices of discontinuance, final ones, and those to the occupants."""

from typing import Any

from scripts.simulation.days import DAY
from scripts.simulation.life import OFFICE, Life
from scripts.simulation.money import dollars


def serve(life: Life, kind: str, method: str, cents: int | None, days: int | None) -> None:
    """A written notice goes out; the post brings some back."""
    life.notices += 1
    life.world.shares[f"notice {kind}"] += 1
    name = f"N-{life.account}-{life.notices}"
    record: dict[str, Any] = {"notice": name, "kind": kind, "on": life.text(life.today), "method": method}
    if life.plan.language != "en":
        record["language"] = life.plan.language
    if cents:
        record["amount"] = dollars(cents)
    if days:
        record["act_by"] = life.text(life.today + days)
    life.tell("notice serve", record, learned=life.now + 15)
    if method == "mail" and kind == "past_due" and life.rng.share(15):
        back = life.days.next_open(life.today + 8)
        life.tell("notice return", {"notice": name, "on": life.text(back)}, happened=back * DAY + OFFICE)
