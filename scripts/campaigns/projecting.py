"""Campaign 3: rebuilds and followers killed anywhere."""

import sys
from contextlib import closing
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from time import sleep

from ledger.application import Ledger
from projections.catalogue import PROJECTIONS
from projections.rebuild import rebuild
from projections.runner import Projector
from projections.verify import verify
from scripts.campaigns.acting import clock, command, made, records
from scripts.campaigns.run import Round

ROOT = Path(__file__).parents[2]


def killed_projector(round: Round) -> None:
    """A rebuild, then a follower, is killed anywhere, several times; the rows come out the same (P5)."""
    chance = round.chance
    written = records(chance, accounts=60, each=15)
    first = len(written) * 2 // 3
    url = made(round.fresh())
    with Ledger(url, clock) as ledger:
        list(ledger.post_all(map(command, written[:first])))
        for _ in range(chance.randint(1, 3)):
            _killed(url, "rebuild", chance.random() * 0.8)
            round.counts["rebuilds killed"] += 1
        rebuild(url, chance.choice([1, 2]))
        follower = _victim(url, "follow")
        for start in range(first, len(written), 40):
            list(ledger.post_all(map(command, written[start : start + 40])))
            if chance.random() < 0.3:
                _end(follower)
                follower = _victim(url, "follow")
                round.counts["followers killed"] += 1
        _end(follower)
    with Projector(url) as projector:
        while projector.step():
            pass
        followed = _digests(projector)
        wrong = [found for found in verify(projector) if found]
        assert not wrong, wrong[0]
    rebuild(url, 1)
    with closing(Projector(url).views) as views:
        assert {name: views.digest(name) for name in PROJECTIONS} == followed, "a rebuild gives other rows"


def _digests(projector: Projector) -> dict[str, str]:
    return {name: projector.views.digest(name) for name in PROJECTIONS}


def _victim(url: str, what: str) -> Popen[str]:
    program = [sys.executable, "-m", "tests.projections.victim", url, what]
    run = Popen(program, cwd=ROOT, stdout=PIPE, stderr=DEVNULL, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    return run


def _killed(url: str, what: str, after: float) -> None:
    run = _victim(url, what)
    sleep(after)
    _end(run)


def _end(run: Popen[str]) -> None:
    run.kill()
    run.wait()
    assert run.stdout is not None
    run.stdout.close()
