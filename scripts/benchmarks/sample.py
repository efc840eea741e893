"""Three ordinary years of a customer in 120 commands, the same at every call."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import zip_longest

import orjson

MONTHS = 36
COMMANDS = 120
CHANNELS = ("internet", "mail", "bank", "autopay")

Record = dict[str, object]


def account_id(number: int) -> str:
    """The id of the customer of that number."""
    return f"{number:06d}"


def life(number: int) -> Iterator[Record]:
    """The commands of one customer: opened, a meter, and for each month a read, a bill, a payment; some notices."""
    account = account_id(number)
    opened = date(2021, 1, 4)
    yield {
        "command": "account open",
        "account": account,
        "opened_on": str(opened),
        "name": f"Sample Customer {number}",
        "service_address": f"{number} Example Lane",
    }
    yield {"command": "meter install", "account": account, "meter": f"M-{account}", "on": str(opened), "reading": "100"}
    yield {"command": "autopay enroll", "account": account, "on": str(opened)}
    reading = 100
    for month in range(MONTHS):
        reading += 8 + (7 * month + number) % 9
        yield from _month(account, number, month, reading)


def _month(account: str, number: int, month: int, reading: int) -> Iterator[Record]:
    years, later = divmod(month + 1, 12)
    read_on = date(2021 + years, later + 1, 1 + number % 20)
    amount = f"{40 + (13 * month + number) % 60}.{(7 * number + month) % 100:02d}"
    paid = f"{read_on + timedelta(12 + month % 9)}T10:{number % 60:02d}-08:00"
    yield {"command": "meter read", "account": account, "read_on": str(read_on), "reading": str(reading)}
    yield {
        "command": "bill issue",
        "account": account,
        "bill": f"B-{account}-{month}",
        "mailed_on": str(read_on + timedelta(3)),
        "amount": amount,
    }
    yield {
        "command": "payment receive",
        "account": account,
        "payment": f"P-{account}-{month}",
        "amount": amount,
        "received_at": paid,
        "channel": CHANNELS[month % len(CHANNELS)],
    }
    if month % 4 == 3:
        yield {
            "command": "notice serve",
            "account": account,
            "notice": f"N-{account}-{month}",
            "kind": "past_due",
            "on": str(read_on + timedelta(27)),
            "method": "mail",
        }


def interleaved(numbers: Iterable[int]) -> Iterator[Record]:
    """The lives of several customers as a utility would see them: all first commands, then all second ones."""
    for group in zip_longest(*map(life, numbers)):
        yield from (record for record in group if record is not None)


def feed(records: Iterable[Record]) -> bytes:
    """Records as a feed, one JSON object a line."""
    return b"".join(orjson.dumps(record) + b"\n" for record in records)
