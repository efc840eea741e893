"""The whole log verified, and sealed: events a second, in one process and in all."""

import tempfile
from contextlib import closing
from pathlib import Path

from commands import clock
from ledger.integrity.audit import verify
from ledger.integrity.seals import seal
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.log import Entry
from ledger.store.open import open_log, seals_of
from scripts.benchmarks.measuring import Result, middle, rates, ratios, rounds, timed
from scripts.benchmarks.rebuild import simulated
from scripts.benchmarks.stores import place

TARGETS = {"one process": ">= 200000"}
COPIES = 10
"""Every simulated account is there so many times: simulating takes longer than what is measured."""


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """Events a second for the log of `size` simulated addresses, sealed once."""
    with place(store, server) as where, tempfile.TemporaryDirectory() as folder:
        simulated(where.ledger_url, size)
        _multiply(where.ledger_url)
        with closing(open_log(where.ledger_url)) as log, closing(seals_of(where.ledger_url)) as rows:
            events = sum(log.heads().values())
            rows.create()
            signer = make_key_file(Path(folder, "key"), log.origin)
            introduce(rows, log.origin, signer, None)
            sealed = timed(lambda: seal(rows, log.origin, signer, clock.now))
        turns = {
            "ledger": lambda _: _verified(where.ledger_url, None),
            "one process": lambda _: _verified(where.ledger_url, 1),
        }
        pieces = dict.fromkeys(turns, events)
        found = rates(rounds(turns, pieces, seconds), pieces)
    what = f"chains, tree and notes of {events:,} events; the first seal over them took {sealed:.1f} s"
    return [Result("verify", store, what, "events/s", middle(found), ratios(found), TARGETS)]


def _multiply(url: str) -> None:
    with closing(open_log(url)) as log:
        for number in range(1, COPIES):
            for account in list(log.accounts()):
                if account.isdecimal():
                    log.append([Entry(f"{account}-{number}", *row[3:6]) for row in log.rows(account)])


def _verified(url: str, processes: int | None) -> None:
    found = verify(url, processes=processes)
    assert not found.findings, found.findings[:3]
