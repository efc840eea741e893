"""Ledgers full of simulated customers, on either store, built from one template so that they hold the same bytes."""

import base64
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from commands.feed import parse
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.store.codec import decode
from ledger.store.kek import VARIABLE
from ledger.store.key_rows import KeyRow
from ledger.store.keys import KINDS
from ledger.store.log import Entry, Log
from ledger.store.open import open_keys, open_log
from projections.catalogue import PROJECTIONS, pack
from projections.rows import Folded
from projections.runner import Projector
from scripts.simulation.command import main as simulate

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)
KEK = base64.b64encode(bytes(range(32))).decode()
ORIGIN = "test.example/ledger"


class Template:
    """What one ledger recorded, to be recorded again elsewhere as it was; its keys are the same everywhere."""

    def __init__(self, url: str) -> None:
        log = open_log(url)
        heads = log.heads()
        rows = log.follow({}, sum(heads.values()))
        self.entries = [Entry(row.account, row.version, row.type, row.state) for row in rows]
        self.accounts = sorted({entry.account for entry in self.entries} - {UTILITY})
        log.close()
        with Projector(url) as projector:
            world = projector.world(sum(entry.account == UTILITY for entry in self.entries))
            states = {account: [] for account in self.accounts}
            for entry in self.entries:
                if entry.account != UTILITY:
                    states[entry.account].append(entry.state)
            self.folded = {account: Folded(account, decode(found), world) for account, found in states.items()}
            self.packed = {account: pack(folded) for account, folded in self.folded.items()}
            assert projector._keys is not None
            self.secret = projector._keys._rows.secret("hmac")
            owners = [(account, kind) for account in self.accounts for kind in KINDS]
            self.keys: list[KeyRow] = projector._keys._rows.of(owners)

    @property
    def digests(self) -> dict[str, str]:
        """What the rows of each projection come to, by folding and nothing else."""
        found = {}
        for place, name in enumerate(PROJECTIONS):
            lines = (f'["{a}",{p[place]}]\n' for a, p in self.packed.items() if p[place] is not None)
            found[name] = sha256("".join(lines).encode()).hexdigest()
        return found

    def at(self, url: str, count: int | None = None) -> Log:
        """A ledger at `url` with the first `count` events."""
        log = open_log(url)
        log.create(ORIGIN, NOW.isoformat(), {"policy": "del-oro"})
        keys = open_keys(url, ORIGIN)
        keys._rows.create({"hmac": self.secret})
        keys._rows.add(self.keys)
        keys.close()
        self.record(log, self.entries[:count])
        return log

    def record(self, log: Log, entries: Sequence[Entry]) -> None:
        log.append(entries)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Thirty addresses over two years, and the rare cases."""
    return simulated(tmp_path_factory.mktemp("template"))


def simulated(folder: Path) -> Template:
    """What the simulation records in that folder."""
    feed, url = folder / "feed.jsonl", f"sqlite:///{folder / 'ledger.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, KEK)
        assert simulate(["--accounts", "30", "--years", "2", "--seed", "5", "--scenarios", "-o", str(feed)]) == 0
        create(url, lambda: NOW, origin=ORIGIN)
        with Ledger(url, lambda: NOW) as ledger, feed.open("rb") as lines:
            told = list(ledger.post_all((item for _, item in parse(lines)), backfill=True))
        assert sum(outcome.status == "recorded" for outcome in told) > 1500
        return Template(url)


@pytest.fixture(autouse=True)
def kek(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the keys, the same for every ledger here."""
    monkeypatch.setenv(VARIABLE, KEK)


@pytest.fixture
def ledger_url(store_url: str, template: Template) -> str:
    """A store with all events of the template and no rows yet."""
    template.at(store_url).close()
    return store_url


def digests(url: str) -> dict[str, str]:
    """What the rows that are shown come to."""
    with Projector(url) as projector:
        return {name: projector.views.digest(name) for name in PROJECTIONS}


@pytest.fixture
def ask(store_url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Asks SQL of the rows as anybody may, over a connection of its own."""
    connection: Any
    if store_url.startswith("sqlite:"):
        import sqlite3

        path = Path(store_url.removeprefix("sqlite:///")).with_suffix(".views.db")
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    else:
        import psycopg

        connection = psycopg.connect(store_url, autocommit=True, options="-c search_path=ledger_read")
    yield lambda query: connection.execute(query).fetchall()
    connection.close()
