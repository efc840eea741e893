"""One account's bundle: 120 events among a hundred thousand, made and checked, in milliseconds; and its size."""

import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path
from time import perf_counter

import msgspec

from commands import clock
from ledger.integrity.bundle import SealedLog, make
from ledger.integrity.check import check
from ledger.integrity.seals import seal
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.open import keys_of, open_log, seals_of
from scripts.benchmarks.command import seed
from scripts.benchmarks.measuring import Result, middle
from scripts.benchmarks.sample import account_id
from scripts.benchmarks.stores import place

ALLOWED_MS, ALLOWED_KB = 100, 100


def measure(store: str, seconds: float, size: int, server: str | None = None) -> list[Result]:
    """The times for one of `size` accounts, whose events are as far apart in the log as they can be."""
    found: list[dict[str, float]] = []
    with place(store, server) as where, tempfile.TemporaryDirectory() as folder:
        with closing(where.ledger()) as ledger:
            seed(ledger, None, size)
        with closing(open_log(where.ledger_url)) as log, closing(seals_of(where.ledger_url)) as rows:
            signer = make_key_file(Path(folder) / "key", log.origin)
            rows.create()
            introduce(rows, log.origin, signer, None)
            seal(rows, log.origin, signer, clock.now)
            with closing(keys_of(where.ledger_url, log)) as keys:
                end = perf_counter() + seconds
                for number in count(1):
                    if perf_counter() > end and number > 5:
                        break
                    start = perf_counter()
                    made = make(SealedLog(log, rows), [account_id(1 + number % size)], keys).bundle
                    raw = msgspec.json.encode(made)
                    between = perf_counter()
                    assert not check(raw, [signer.key]).findings
                    times = {"made": (between - start) * 1000, "checked": (perf_counter() - between) * 1000}
                    found.append(times | {"kilobytes": len(raw) / 1000})
    what = f"one account of {len(made.accounts[0].events)} events among {made.seal.events:,}"
    targets = {"made": f"<= {ALLOWED_MS}", "kilobytes": f"<= {ALLOWED_KB}"}
    return [Result("bundle", store, what, "ms", middle(found), targets=targets)]
