"""Fold every account anew, beside the rows that people read, over several processes; then show the new rows.

A rebuild that was killed goes on where it stopped: each stretch of accounts says in the transaction of its rows how far
it got.
"""

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

from ledger.events import UTILITY
from ledger.store.codec import decode
from ledger.store.log import LAST, StoreError, StoreUnavailable
from projections.catalogue import Packed, pack
from projections.rows import Folded
from projections.runner import AT_ONCE, RULES, Projector, RulesChanged
from projections.store import Generation, Stretch, code

WORTH_A_PROCESS = 2000
"""How many events a process is started for: it takes as long to start as they take to fold."""

_TRIES = 5
_PATIENCE = 60

Progress = Callable[[int, int], None]
"""Is told how many accounts are folded, and of how many."""


def rebuild(url: str, processes: int | None = None, progress: Progress = lambda done, total: None) -> Generation:
    """Fold every account anew and show the new rows; returns what is shown then.

    `processes`: at most so many, else one for each processor. Raises StoreUnavailable where the rules kept changing.
    """
    with Projector(url) as projector:
        projector.prepare()
        accounts = list(projector.log.accounts())
        for _ in range(_TRIES):
            generation = _unfinished(projector) or _begun(projector, accounts, processes or os.cpu_count() or 1)
            _fill(projector, generation, lambda done: progress(done, len(accounts)))
            try:
                return _shown(projector, generation)
            except RulesChanged:
                projector.views.drop(generation)
    raise StoreUnavailable("closures, hours or packs kept being recorded meanwhile; run the rebuild again")


def _unfinished(projector: Projector) -> Generation | None:
    """The rebuild that was begun by this version of the program, by today's rules, and not finished.

    Others are dropped: where the rules of then cannot be followed, their successors may mend just that.
    """
    found, utility = None, decode(projector.log.states(UTILITY))
    for generation in projector.views.generations():
        goes_on = generation.state == "building" and generation.code == code() and found is None
        if goes_on and not any(event.type in RULES for event in utility[generation.utility :]):
            found = generation
        elif generation.state != "shown":
            projector.views.drop(generation)
    return found


def _begun(projector: Projector, accounts: Sequence[str], processes: int) -> Generation:
    # The heads come first: what is recorded from here on is seen again when the rebuild catches up.
    positions = projector.log.heads()
    utility = len(projector.log.states(UTILITY))
    parts = max(1, min(processes, len(accounts), sum(positions.values()) // WORTH_A_PROCESS))
    cuts = [accounts[len(accounts) * n // parts] for n in range(1, parts)]
    return projector.views.begin(code(), utility, positions, ["", *cuts, LAST])


def _shown(projector: Projector, generation: Generation) -> Generation:
    """Catch up with what was recorded meanwhile and swap; readers read on and see the old rows or the new."""
    count = -1
    while count:
        with projector.views.database.transaction(exclusive=True):
            generation, count = projector.catch_up(_again(projector, generation))
    deadline = time.monotonic() + _PATIENCE
    while generation.state != "shown":
        try:
            with projector.views.database.transaction(exclusive=True):
                generation, count = _again(projector, generation), -1
                while count:
                    generation, count = projector.catch_up(generation)
                projector.views.show(generation)
            generation = generation._replace(state="shown")
        except StoreUnavailable:
            if time.monotonic() > deadline:
                raise
    for old in projector.views.generations():
        # One that somebody still reads is left to the next rebuild.
        with suppress(StoreUnavailable):
            if old.state == "old":
                projector.views.drop(old)
    return generation


def _again(projector: Projector, generation: Generation) -> Generation:
    for found in projector.views.generations():
        if found.number == generation.number:
            return found
    raise StoreUnavailable("another rebuild took this one's place; run it again if its rows are still wanted")


def _fill(projector: Projector, generation: Generation, progress: Callable[[int], None]) -> None:
    """Fold every stretch to its end: here, or each in a process of its own."""
    stretches = projector.views.stretches(generation)
    if len(stretches) <= 1:
        for stretch in stretches:
            done = 0
            for count in fold_stretch(projector, generation, stretch):
                done += count
                progress(done)
        return
    spawn: Any = multiprocessing.get_context("spawn")
    workers, ends = [], []
    for stretch in stretches:
        end, theirs = spawn.Pipe(duplex=False)
        worker = spawn.Process(target=_work, args=(projector.url, generation, stretch, theirs), daemon=True)
        worker.start()
        theirs.close()
        workers.append(worker)
        ends.append(end)
    try:
        _wait(ends, progress)
    finally:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
            worker.join()


def _wait(ends: Sequence[Any], progress: Callable[[int], None]) -> None:
    working, done = list(ends), 0
    while working:
        end: Any
        for end in wait(working):
            try:
                told = end.recv()
            except EOFError:
                died = "a process of the rebuild ended before its work (run it again: it goes on where it stopped)"
                raise StoreError(died) from None
            if isinstance(told, Exception):
                raise told
            if told is None:
                working.remove(end)
            else:
                done += told
                progress(done)


def _work(url: str, generation: Generation, stretch: Stretch, end: Any) -> None:
    """What a process of the rebuild does: it says how many accounts it folded, and None at the end."""
    gc.freeze()
    gc.disable()
    parent = multiprocessing.parent_process()
    try:
        with Projector(url) as projector:
            for count in fold_stretch(projector, generation, stretch):
                if parent is not None and not parent.is_alive():
                    return
                end.send(count)
                gc.collect()
        end.send(None)
    except Exception as error:  # noqa: BLE001 – it is raised again where somebody waits for it
        end.send(error)


def fold_stretch(projector: Projector, generation: Generation, stretch: Stretch) -> Iterator[int]:
    """Fold the accounts of a stretch and write their rows; yields how many at each commit."""
    world = projector.world(generation.utility)
    while stretch.done < stretch.high:
        rows: list[tuple[str, Packed]] = []
        for account, joined in projector.log.scan_joined(stretch.done, stretch.high):
            if account != UTILITY:
                rows.append((account, pack(Folded(account, decode([joined]), world))))
            if len(rows) == AT_ONCE:
                if not projector.views.fill(generation, stretch, account, rows):
                    break
                yield len(rows)
                stretch, rows = stretch._replace(done=account), []
        else:
            if projector.views.fill(generation, stretch, stretch.high, rows):
                yield len(rows)
                return
        # Somebody else folds this stretch too, perhaps what is left of a killed rebuild: go on from where they are.
        found = {each.low: each for each in projector.views.stretches(generation)}
        stretch = found.get(stretch.low, stretch._replace(done=stretch.high))
