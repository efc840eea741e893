"""What an audit reads is in pieces; what it holds of them grows with the accounts and not with the log."""

import tracemalloc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from ledger.integrity.command_keys import Ids
from ledger.integrity.first_sight import Seen
from ledger.integrity.growth import Grown
from ledger.integrity.readings import Workers, _gathered

ACCOUNTS = 2_000


def ranges(count: int) -> Iterator[Seen]:
    """Ranges of a log in each of which every account has an event."""
    for version in range(1, count + 1):
        hash = version.to_bytes(16, "big")
        tips = {b"%d" % number: (version, hash + number.to_bytes(16, "big")) for number in range(ACCOUNTS)}
        yield Seen(True, tips, {}, Grown([], [], {}, {}, []), Ids([], 0, 0))


def held(count: int) -> int:
    """The most bytes held while so many ranges are gathered."""
    tracemalloc.start()
    try:
        looked, tips = _gathered(ranges(count))
        assert (len(looked), len(tips), {tip[0] for tip in tips.values()}) == (count, ACCOUNTS, {count})
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_one_tip_of_each_account_is_held_however_long_the_log_is():
    assert held(40) < 1.5 * held(4)


class Result:
    """What a piece of work comes to."""


def test_a_result_that_was_told_is_let_go_of_while_others_are_awaited():
    with Workers(0, 1, lambda done, of: None) as workers:
        check(workers.run(Result, [()] * 3))
        workers._pool = ThreadPoolExecutor(1)  # type: ignore[assignment]
        check(workers.run(Result, [()] * 3))


def check(results: Iterator[Result]) -> None:
    """The first is gone once the second is there."""
    first = weakref.ref(next(results))
    assert next(results) is not None
    assert first() is None
