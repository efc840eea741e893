"""Campaigns 6 and 7: no room on the disk, and connections that are cut while a command commits."""

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

from ledger.application import Ledger
from ledger.store.log import StoreUnavailable
from ledger.store.sqlite import SQLiteLog
from scripts.campaigns.acting import Record, clock, command, made, posted, records
from scripts.campaigns.looking import check_acknowledged, check_posted_again, check_whole
from scripts.campaigns.run import Round
from tests.postgres_server import SAFE, Cluster
from tests.store.proxy import Proxy

TRIES = 100
"""How often the same is sent before it counts as never taken."""

REFUSED = 4
"""How often there is no room before there is room again."""

FITS = 2900
"""How many commands surely need less than a megabyte."""


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
    written = records(round.chance, accounts=3, each=80)
    url = made(round.fresh())
    with Ledger(url, clock) as ledger:
        assert isinstance(ledger.store, SQLiteLog)
        db = ledger.store._connection()
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + round.chance.randint(0, 12)}")
        make_room = partial(db.execute, "PRAGMA max_page_count = 1000000")
        _post_until_full(round, ledger, written, "the disk is full", make_room)
    _look_after(url, written)


def full_server(round: Round) -> None:
    """No file of a server may grow over a megabyte and a little: the events reach that first."""
    written = records(round.chance, accounts=3, each=1250)
    settings = SAFE | {"log_min_messages": "panic"}
    with Cluster(round.folder / "server", settings, 1024 + 8 * round.chance.randint(0, 8)) as cluster:
        url = made(cluster.url)

        def make_room() -> None:
            cluster.largest_file = 0
            cluster.stop()
            cluster.start()

        with Ledger(url, clock) as ledger:
            for outcome in ledger.post_all(map(command, written[:FITS])):
                assert outcome.status == "recorded", outcome
            _post_until_full(round, ledger, written[FITS:], "its own log says why", make_room)
        _look_after(url, written)


def _post_until_full(
    round: Round, ledger: Ledger, written: Sequence[Record], full: str, make_room: Callable[[], object]
) -> None:
    """Post it all; what is refused for want of room is sent again, and after some refusals room is made."""
    number, refused, roomy = 0, 0, False
    while number < len(written):
        some = written[number : number + round.chance.choice([1, 1, 10])]
        try:
            outcomes = posted(ledger, some)
        except StoreUnavailable as error:
            # A server that was started again has left its connections behind.
            if full not in str(error) and not roomy:
                raise
            refused += full in str(error)
            if refused == REFUSED and not roomy:
                make_room()
                roomy = True
            continue
        assert all(outcome.status == "recorded" for outcome in outcomes), outcomes
        number += len(some)
    assert refused, "the disk never was full"
    round.counts["refused"] += refused


def _look_after(url: str, written: Sequence[Record]) -> None:
    check_whole(url)
    check_acknowledged(url, written, range(len(written)))
    check_posted_again(url, written, range(len(written)))
