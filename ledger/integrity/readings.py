"""The readings of an audit, cut into ranges that any number of processes share.

One of the events, in the order of their leaves, and one of the command keys. Where the first says that something is
wrong, the events are read again by account, where the chains, the counts and the times are, and by leaf, where the tree
is, and what is wrong is named.
"""

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

from ledger.integrity.chains import Chains, Finding, Frame, Told, framed
from ledger.integrity.command_keys import check_explicit, check_keys
from ledger.integrity.first_sight import Seen, laid_out, look
from ledger.integrity.growth import Grown, Stretch, grow
from ledger.integrity.heads import leaf_hashes
from ledger.store.log import LAST
from ledger.store.open import seals_of
from ledger.store.seal_rows import PAGE, Head, Mark, SealRow, SealRows

LEAST, MOST = 128 * PAGE, 1024 * PAGE
"""Leaves in one piece of work: what the events of an account follow is looked up once in each, and held."""

ACCOUNTS = 1_000
"""Accounts in one piece of work."""

SHARDS = 16
"""Shards whose command keys are one piece of work, where there are shards."""

WORTH_A_PROCESS = 50_000
"""How many events a process is started for."""

Report = Callable[[int, int], None]
Tips = dict[bytes, tuple[int, bytes]]
Done = TypeVar("Done")


class Workers:
    """Does pieces of work here, or in as many processes as they are worth."""

    def __init__(self, events: int, processes: int | None, report: Report) -> None:
        self.count = max(min(processes or os.cpu_count() or 1, events // WORTH_A_PROCESS), 1)
        # What is read makes no circles, and there is much of it.
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self.count, spawn, gc.disable) if self.count > 1 else None
        self._report = report
        self._done = self._total = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def run(self, work: Callable[..., Done], pieces: Sequence[tuple[object, ...]]) -> Iterator[Done]:
        """What becomes of each piece, in order; begun at once."""
        self._total += len(pieces)
        if self._pool is None:
            return (self._counted(work(*piece)) for piece in pieces)
        begun: deque[Future[Done]] = deque(self._pool.submit(work, *piece) for piece in pieces)
        return self._ended(begun)

    def _ended(self, begun: deque[Future[Done]]) -> Iterator[Done]:
        while begun:
            # Each is let go of once it is told: together the results would fill the memory.
            yield self._counted(begun.popleft().result())

    def _counted(self, result: Done) -> Done:
        self._done += 1
        self._report(self._done, self._total)
        return result


class Store(NamedTuple):
    """What is read: the ledger at `url`, how far, and how many events stand there."""

    url: str
    rows: SealRows
    frame: Frame
    seals: Sequence[SealRow]
    events: int


class Read(NamedTuple):
    """What the events come to, by account and by leaf, and what is wrong with them."""

    findings: list[Finding]
    chains: list[Told]
    leaves: list[Grown]


def read(store: Store, titles: frozenset[str], workers: Workers) -> Read:
    """Read the whole log."""
    rows, frame = store.rows, store.frame
    # Whatever a damaged head or position states, there is nothing to look at behind the last event of its shard, nor
    # among many more places than there are events.
    heads = tuple(min(head, last, 2 * store.events) for head, last in zip(frame.heads, rows.reached(), strict=True))
    order, seals = laid_out(store.seals, heads), len(store.seals)
    looked_by = (frame._replace(heads=heads), seals) if order else (framed(frame.origin, heads, []), 0)
    ranges = _ranges(order or laid_out([], heads) or [], store.seals[-1].size if order and seals else 0, workers)
    seen = workers.run(_look, [(store.url, *looked_by, low, high) for low, high in ranges])
    cuts = ["", *islice(rows.accounts(), ACCOUNTS, None, ACCOUNTS), LAST]
    marks = _marks(frame, cuts)
    keyed = workers.run(_keys, [(store.url, _shards(frame), titles, low, high) for low, high in pairwise(marks)])
    looked, tips = _gathered(seen)
    findings = [finding for each in keyed for finding in each]
    findings += [finding for each in looked for finding in each.ids.findings]
    if {sum(each.ids.begun for each in looked), sum(each.ids.ended for each in looked)} != {rows.explicit_count()}:
        findings += check_explicit(rows, _shards(frame))
    there = order is not None and heads == frame.heads
    if there and all(each.whole for each in looked) and not rows.strays():
        return Read(findings, [_told(frame, looked, tips)], [each.grown for each in looked])
    told = workers.run(_chains, [(store.url, frame, low, high) for low, high in pairwise(cuts)])
    # Whatever a damaged seal states, there are no more leaves than events and seals.
    size = min(store.seals[-1].size, sum(frame.heads) + seals) if seals else 0
    pieces = [(store.url, seals, low, min(low + LEAST, size)) for low in range(0, size, LEAST)]
    chains, leaves = list(told), list(workers.run(_leaves, pieces))
    return Read(findings + [finding for each in chains for finding in each.findings], chains, leaves)


def _ranges(order: Sequence[Stretch], sealed: int, workers: Workers) -> list[tuple[int, int]]:
    """The leaves, two pieces for each process, and then the events that no seal took."""
    size = order[-1].first + order[-1].leaves if order else 0
    share = -(-size // (2 * workers.count * PAGE)) * PAGE
    step = min(max(share, LEAST), MOST)
    ends = [(0, sealed), (sealed, size)]
    return [(low, min(low + step, high)) for first, high in ends for low in range(first, high, step)]


def _marks(frame: Frame, cuts: Sequence[str]) -> list[Mark]:
    """Where the command keys are cut: by account where there is one shard, else by shards."""
    one, much = len(frame.heads) == 1, sum(frame.heads) > WORTH_A_PROCESS
    middle = [(0, cut) for cut in cuts[1:-1]]
    if not one:
        middle = [(shard, LAST) for shard in range(SHARDS - 1, len(frame.heads), SHARDS) if much]
    return [(-(2**63), "" if one else LAST), *middle, (2**63 - 1, LAST)]


def _gathered(seen: Iterable[Seen]) -> tuple[list[Seen], Tips]:
    """What was seen, and the last tip of each account: one of an account is held, and not one of each range."""
    looked, tips = list[Seen](), Tips()
    for each in seen:
        tips |= each.tips
        looked.append(each._replace(tips={}))
    return looked, tips


def _told(frame: Frame, looked: Sequence[Seen], tips: Tips) -> Told:
    """What the accounts come to where nothing is wrong."""
    heads = leaf_hashes(Head(account.decode(), *tips[account]) for account in sorted(tips))
    opened = {seal: sum(each.opened[seal] for each in looked) for seal in range(len(frame.sealed_at) + 1)}
    return Told([], b"".join(heads), dict(enumerate(frame.heads)), opened)


def _shards(frame: Frame) -> int:
    return max(len(frame.heads) - 1, 1)


def _look(url: str, frame: Frame, seals: int, low: int, high: int) -> Seen:
    with closing(seals_of(url, read_only=True)) as rows:
        return look(rows, frame, rows.seals()[:seals] if seals else [], low, high)


def _keys(url: str, shards: int, titles: frozenset[str], low: Mark, high: Mark) -> list[Finding]:
    with closing(seals_of(url, read_only=True)) as rows:
        return check_keys(rows, shards, titles, low, high)


def _chains(url: str, frame: Frame, low: str, high: str) -> Told:
    with closing(seals_of(url, read_only=True)) as rows:
        return Chains(frame, rows.heads).check(rows.stored(low, high))


def _leaves(url: str, sound: int, low: int, high: int) -> Grown:
    with closing(seals_of(url, read_only=True)) as rows:
        return grow(rows, rows.seals()[:sound], low, high)
