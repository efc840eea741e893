"""Campaign 3: rebuilds and followers killed anywhere."""

import os
import threading
from collections.abc import Callable
from itertools import count
from multiprocessing.process import BaseProcess
from signal import SIGKILL
from time import sleep
from typing import Any

from ledger.application import Ledger
from projections import rebuild as rebuilding
from projections import runner
from projections.catalogue import PROJECTIONS
from projections.rebuild import rebuild
from projections.runner import Projector
from projections.store import Generation
from projections.verify import verify
from scripts.campaigns.acting import clock, command, made, records, started
from scripts.campaigns.run import Round


def killed_projector(round: Round) -> None:
    """A rebuild, then a follower, is killed anywhere, several times; the rows come out the same (P4, P5)."""
    chance = round.chance
    written = records(chance, accounts=60, each=15)
    first = len(written) * 2 // 3
    url = made(round.fresh())
    with Ledger(url, clock) as ledger, Projector(url) as projector:
        list(ledger.post_all(map(command, written[:first])))
        projector.prepare()
        for _ in range(chance.randint(1, 3)):
            started(_rebuild, url, chance.randint(2, 33), chance.choice(["before", "after", "soon"])).join()
            round.counts["rebuilds killed"] += 1
            round.counts["left halfway"] += _is_halfway(projector)
        rebuild(url, 1)
        # Now, for a follower folds anew whatever a rebuild left out, once something happens there.
        _check_rows(projector)
        before = seen = _taken(projector)
        follower = started(_follow, url)
        for start in range(first, len(written), 8):
            list(ledger.post_all(map(command, written[start : start + 8])))
            if chance.random() < 0.15:
                # At work, or waiting for more.
                _wait(follower, lambda seen=seen: _taken(projector) > seen)
                _kill(follower, after=chance.random() * 0.05)
                round.counts["followers killed"] += 1
                seen = _taken(projector)
                follower = started(_follow, url)
        if chance.random() < 0.5:
            _wait(follower, lambda: not projector.behind(_shown(projector)))
        _kill(follower, after=chance.random() * 0.1)
        round.counts["events followed"] += _taken(projector) - before
        while projector.step():
            pass
        assert projector.behind(_shown(projector)) == 0, "a follower stopped before the end of the log"
        followed = _digests(projector)
        _check_rows(projector)
        rebuild(url, 1)
        assert _digests(projector) == followed, "a rebuild gives other rows"


def _digests(projector: Projector) -> dict[str, str]:
    return {name: projector.views.digest(name) for name in PROJECTIONS}


def _check_rows(projector: Projector) -> None:
    wrong = [difference for found in verify(projector) for difference in found]
    assert not wrong, f"{len(wrong)} values do not follow from the log: {wrong[0]}"


def _shown(projector: Projector) -> Generation:
    generation = projector.views.shown()
    assert generation is not None, "no rows are shown"
    return generation


def _taken(projector: Projector) -> int:
    """How many events the rows hold that are shown."""
    return sum(_shown(projector).positions.values())


def _is_halfway(projector: Projector) -> bool:
    """Whether a rebuild was left that has written some of its rows."""
    unfinished = (each for each in projector.views.generations() if each.state == "building")
    return any(part.low < part.done for each in unfinished for part in projector.views.stretches(each))


def _wait(follower: BaseProcess, done: Callable[[], bool]) -> None:
    while not done():
        assert follower.is_alive(), "a follower ended by itself"
        sleep(0.002)


def _kill(process: BaseProcess, after: float) -> None:
    sleep(after)
    process.kill()
    process.join()


def _rebuild(url: str, step: int, when: str) -> None:
    """Rebuild in steps of two accounts, and die at the step of that number: before its rows, after them, or soon."""
    rebuilding.AT_ONCE = 2
    steps = count(1)
    with Projector(url) as projector:
        kind: Any = type(projector.views.database)
    insert = kind.insert

    def dying(*values: Any) -> None:
        here = next(steps) == step
        if here and when == "soon":
            threading.Timer(step / 5000, _die).start()
        if here and when == "before":
            _die()
        insert(*values)
        if here and when == "after":
            _die()

    kind.insert = dying
    rebuild(url, 1)


def _die() -> None:
    os.kill(os.getpid(), SIGKILL)


def _follow(url: str) -> None:
    """Follow in steps of three events, until killed."""
    runner.BATCH = 3
    with Projector(url) as projector:
        while True:
            if not projector.step():
                sleep(0.002)
