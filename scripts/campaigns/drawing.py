"""What anybody may send: every command there is, about things that were spoken of before, on a day near theirs."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random

import orjson

from commands.catalogue import command_type
from scripts.campaigns.acting import Record, lives

_ROOT = Path(__file__).parents[2]
_DAY = re.compile(r'(?<=")[12]\d{3}-[01]\d-[0-3]\d')
_ANY_DAY = (date(2024, 1, 2), 500)
"""The first day on which something is said to have happened, and how many follow."""


@cache
def rest() -> list[Record]:
    """A life with every command that no scenario has; it goes on with the account of the first one."""
    lines = (_ROOT / "tests" / "golden" / "logs" / "more.feed").read_bytes().splitlines()
    pack = _ROOT / "ledger" / "policy" / "packs" / "del-oro.toml"
    published = {"command": "policy publish", "file": str(pack), "effective_from": "2026-12-01"}
    return [*map(orjson.loads, lines), published]


@cache
def examples() -> Mapping[str, Sequence[Record]]:
    """Records of every command, by its title."""
    found = defaultdict(list)
    for record in [*(record for life in lives() for record in life), *rest()]:
        found[record["command"]].append(record)
    return found


def drawn(chance: Random, sent: Sequence[Record]) -> Record:
    """Any command, about an account of those `sent` and mostly about things of it, on some day."""
    title = chance.choice(sorted(examples()))
    record = dict(chance.choice(examples()[title]))
    accounts = sorted({each["account"] for each in sent if "account" in each})
    for field in {"account", "to_account"} & record.keys():
        record[field] = chance.choice(accounts)
    about = [each for each in sent if each.get("account") == record.get("account")]
    named = command_type(title).names
    for field in ("bill", "payment", "fee", "deposit", "arrangement", "notice", "dispute", "appeal", "meter"):
        known = [each[field] for each in about if field in each]
        if field in record and field in named and chance.random() < 0.2:
            record[field] = f"{record[field]}-{chance.randrange(1000)}"
        elif field in record and known and chance.random() < 0.9:
            record[field] = chance.choice(known)
    return _moved(chance, record, about)


def _moved(chance: Random, record: Record, about: Sequence[Record]) -> Record:
    """The same, all of its days moved alike: after something of `about`, or to any day."""
    first = next(iter(_days(record)), None)
    if first is None or chance.random() < 0.1:
        return record
    days = [day for each in about[-5:] for day in _days(each)]
    to = chance.choice(days) if days else _ANY_DAY[0] + timedelta(days=chance.randrange(_ANY_DAY[1]))
    by = to + timedelta(days=chance.choice([0, 1, 5, 20, 40])) - first
    moved: Record = orjson.loads(
        _DAY.sub(lambda found: str(date.fromisoformat(found[0]) + by), orjson.dumps(record).decode())
    )
    return moved


def _days(record: Record) -> list[date]:
    return [date.fromisoformat(found) for found in _DAY.findall(orjson.dumps(record).decode())]
