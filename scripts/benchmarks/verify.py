"""The whole log verified, and sealed: events a second, in one process, in all, and without its command keys."""

import tempfile
from contextlib import closing
from itertools import chain
from pathlib import Path

from commands import clock
from commands.catalogue import titles
from ledger.integrity.audit import Evidence, verify
from ledger.integrity.chains import framed
from ledger.integrity.first_sight import look
from ledger.integrity.seals import seal
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.log import LAST, CommandKey, Entry, Recorded
from ledger.store.open import open_log, seals_of
from scripts.benchmarks.measuring import Result, middle, rates, ratios, rounds, timed
from scripts.benchmarks.rebuild import simulated
from scripts.benchmarks.stores import place

TARGETS = {"chains and tree": ">= 200000"}
FIRST, FINAL = (-(2**63), ""), (2**63 - 1, LAST)
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
            "chains and tree": lambda _: _looked_at(where.ledger_url),
        }
        pieces = dict.fromkeys(turns, events)
        found = rates(rounds(turns, pieces, seconds), pieces)
    what = f"chains, tree and notes of {events:,} events; the first seal over them took {sealed:.1f} s"
    return [Result("verify", store, what, "events/s", middle(found), ratios(found), TARGETS)]


def _multiply(url: str) -> None:
    with closing(open_log(url)) as log, closing(seals_of(url)) as rows:
        keys: dict[str, list[Recorded]] = {}
        for _, key, digest, who, first, last, *_ in chain.from_iterable(rows.commands(FIRST, FINAL)):
            account = who.decode()
            named = key.decode().removeprefix(f"{account} ")
            keys.setdefault(account, []).append(Recorded(named, digest, account, first, last))
        for number in range(1, COPIES):
            for account in [each for each in log.accounts() if each.isdecimal()]:
                copy = f"{account}-{number}"
                commands = [([_copied(key, account, copy)], copy, key.first, key.last) for key in keys[account]]
                log.append([Entry(copy, *row[3:6]) for row in log.rows(account)], commands)


def _copied(key: Recorded, account: str, copy: str) -> CommandKey:
    title, _, named = key.key.partition("/")
    names = named.partition("/")[2]
    text = f"{title}/{copy}/{copy if names == account else names}" if names else key.key
    return CommandKey(text, key.digest)


def _verified(url: str, processes: int | None) -> None:
    found = verify(url, Evidence(titles=titles()), processes)
    assert not found.findings, found.findings[:3]


def _looked_at(url: str) -> None:
    """The part of it that computes chains, leaves and tree anew; to check the notes takes no time."""
    with closing(open_log(url)) as log, closing(seals_of(url)) as rows:
        seals, heads = rows.seals(), [head for _, head in sorted(log.heads().items())]
        assert look(rows, framed(log.origin, heads, seals), seals, 0, seals[-1].size).whole
