"""Campaigns 6 and 7: no room on the disk, and connections that are cut while a command commits."""

from urllib.parse import urlsplit

from ledger.application import Ledger
from ledger.store.log import StoreUnavailable
from ledger.store.sqlite import SQLiteLog
from scripts.campaigns.acting import clock, made, posted, records
from scripts.campaigns.looking import check_acknowledged, check_posted_again, check_whole
from scripts.campaigns.run import Round
from tests.store.proxy import Proxy

TRIES = 100
"""How often the same is sent before it counts as never taken."""


def cut_connection(round: Round) -> None:
    """A proxy cuts the connection before or after a COMMIT; whatever the answer was, the same again is right (P3)."""
    chance = round.chance
    written = records(chance, accounts=2, each=15)
    url = made(round.fresh())
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    far = url.replace(f":{parts.port}/", f":{proxy.port}/")
    acknowledged = []
    try:
        with Ledger(far, clock) as ledger:
            number, tries = 0, 0
            while number < len(written):
                some = written[number : number + chance.choice([1, 1, 1, 5])]
                proxy.cut = cut = chance.choice([None, "before", "after"])
                cuts = proxy.cuts
                try:
                    outcomes = posted(ledger, some)
                    assert all(outcome.status in ("recorded", "duplicate") for outcome in outcomes), outcomes
                    acknowledged += range(number, number + len(some))
                    number += len(some)
                    tries = 0
                except StoreUnavailable:
                    tries += 1
                    assert tries < TRIES, f"after {tries} tries record {number} is not in"
                if proxy.cuts > cuts:
                    round.counts[f"cut {cut} a commit"] += 1
    finally:
        proxy.close()
    check_whole(url)
    check_acknowledged(url, written, acknowledged)
    check_posted_again(url, written, acknowledged)


def full_disk(round: Round) -> None:
    """The disk fills up at any page; nothing half is recorded, and with room again all goes on."""
    chance = round.chance
    written = records(chance, accounts=3, each=80)
    url = made(round.fresh())
    acknowledged = []
    with Ledger(url, clock) as ledger:
        assert isinstance(ledger.store, SQLiteLog)
        db = ledger.store._connection()
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + chance.randint(0, 12)}")
        number, refused = 0, 0
        while number < len(written):
            some = written[number : number + chance.choice([1, 1, 10])]
            try:
                outcomes = posted(ledger, some)
            except StoreUnavailable as full:
                if "the disk is full" not in str(full):
                    raise
                refused += 1
                if refused > 3:
                    db.execute("PRAGMA max_page_count = 1000000")
                continue
            assert all(outcome.status == "recorded" for outcome in outcomes), outcomes
            acknowledged += range(number, number + len(some))
            number += len(some)
    assert refused, "the disk never was full"
    round.counts["refused"] += refused
    check_whole(url)
    check_acknowledged(url, written, acknowledged)
    check_posted_again(url, written, acknowledged)
