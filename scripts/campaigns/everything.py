"""Campaign 19: everything at once on one ledger: writers, an import, sealers, followers and a rebuild."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from commands.catalogue import titles
from ledger.application import Ledger
from ledger.integrity.audit import Evidence, verify
from ledger.integrity.seals import seal
from ledger.integrity.signing import FileSigner, introduce, make_key_file
from ledger.posting import OPENING
from ledger.store.log import StoreUnavailable
from ledger.store.open import seals_of
from projections.rebuild import rebuild
from projections.runner import Projector
from projections.verify import verify as compare
from scripts.campaigns.acting import START, Writer, apart, command, made, processes, records, started
from scripts.campaigns.looking import check_acknowledged, check_whole
from scripts.campaigns.run import Round

SEALERS, FOLLOWERS = 2, 2


def everything(round: Round) -> None:
    """Nothing is lost, no chain breaks, and the rows are those of the log (P1 to P6)."""
    chance, url = round.chance, made(round.fresh())
    lives = [apart(records(chance, accounts=6, each=15), name) for name in ("V", "W")]
    imported = apart(records(chance, accounts=20, each=20), "I")
    key = round.folder / "log.key"
    with closing(Ledger(url, lambda: START)) as ledger, closing(seals_of(url)) as rows:
        rows.create()
        introduce(rows, ledger.store.origin, make_key_file(key, ledger.store.origin), None)
        origin = ledger.store.origin
        opened = [record for life in lives for record in life if record["command"] == OPENING]
        list(ledger.post_all(map(command, opened)))
    rebuild(url, 1)
    over, rebuilt = processes().Event(), processes().Event()
    others = [*(started(_follow, url, over) for _ in range(FOLLOWERS)), started(_rebuild, url, rebuilt)]
    others += [started(_seal, url, str(key), origin, over) for _ in range(SEALERS)]
    # Two write to the same accounts, and an import is a writer of large batches.
    shares = [[r for r in life if r["command"] != OPENING][half::2] for life in lives for half in (0, 1)] + [imported]
    writers = [Writer(url, share, at_once=chance.choice([1, 1, 5]), patience=1000) for share in shares[:-1]]
    writers.append(Writer(url, imported, at_once=80, patience=1000))
    writers[0].wait_for(len(shares[0]) // 2)
    # What is recorded from here on reaches the rows by the followers alone.
    rebuilt.set()
    for writer in writers:
        writer.join()
    over.set()
    for each in others:
        each.join()
        assert each.exitcode == 0, f"{each.name} ended with exit code {each.exitcode}"
    for writer, share in zip(writers, shares, strict=True):
        assert len(writer.acknowledged) == len(share)
        check_acknowledged(url, share, writer.acknowledged)
    _look(round, url)


def _look(round: Round, url: str) -> None:
    check_whole(url)
    found = verify(url, Evidence(titles=titles()), processes=1)
    assert found.findings == [], found.findings[:3]
    with Projector(url) as projector:
        while (taken := projector.step()) is None or taken:
            if taken is None:
                rebuild(url, 1)
        differences = [each for account in compare(projector) for each in account]
        assert not differences, differences[0]
    round.counts["events"] += found.events
    round.counts["seals"] += found.seals


def _follow(url: str, over: Any) -> None:
    with Projector(url) as projector:
        while not over.is_set():
            if not projector.step():
                over.wait(0.01)


def _rebuild(url: str, over: Any) -> None:
    while not over.is_set():
        try:
            rebuild(url, 1)
        except StoreUnavailable:
            over.wait(0.05)


def _seal(url: str, key: str, origin: str, over: Any) -> None:
    turn = 0

    def clock() -> Any:
        return START + timedelta(milliseconds=turn)

    with closing(seals_of(url)) as rows:
        while not over.is_set():
            try:
                turn += 1
                seal(rows, origin, FileSigner(Path(key)), clock)
            except StoreUnavailable:
                pass
            over.wait(0.05)
