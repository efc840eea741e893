"""Ledgers with a few accounts, keys to seal them with, and the means to tamper with both stores."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from scripts.campaigns.acting import START
from scripts.campaigns.sealing import ORIGIN, House
from scripts.campaigns.tampering import tampered

__all__ = ["ORIGIN", "START", "House"]


@pytest.fixture
def house(store_url: str, tmp_path: Path) -> Iterator[House]:
    """An empty ledger on each kind of store, ready to be sealed."""
    made = House(store_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def sealed_house(house: House) -> House:
    """Two seals over nine accounts, and an event that is not sealed yet."""
    for number in range(7001, 7009):
        house.record(str(number), 3)
    house.record("@utility", 2)
    house.seal()
    house.record("7001", 2)
    house.record("7009", 4)
    house.seal()
    house.record("7002")
    return house


@pytest.fixture
def tamper(store_url: str) -> Callable[..., None]:
    """Changes what stands in a store, past every guard, as whoever owns the machine can."""
    return partial(tampered, store_url)
