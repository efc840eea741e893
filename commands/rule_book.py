"""The rules in force on a day, as people and programs read them."""

from datetime import date, time
from typing import Any

from commands.answers import Answer, When, day_of
from ledger.money import money
from ledger.policy.pack import AMOUNTS
from ledger.policy.parameters import Policies


def rule_book(policies: Policies, when: When, district: str | None) -> Answer:
    """Every rule in the order of the catalogue: id, layer, citation, state, its values in force; money as "30.00"."""
    day = day_of(when)
    rules = [
        {
            "rule": rule.id,
            "name": rule.function,
            "layer": rule.layer,
            "state": rule.state,
            "since": rule.since.isoformat() if rule.since else None,
            "values": {key: _shown(key, value) for key, value in rule.values.items()},
            "assumed": rule.assumed,
            "cite": rule.cite,
            "source": rule.source,
            "pack": rule.pack,
        }
        for rule in policies.on(day, district).rules
    ]
    return {"on": day.isoformat(), "district": district, "rules": rules}


def _shown(key: str, value: Any) -> Any:
    if key in AMOUNTS and isinstance(value, int):
        return money(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return value
