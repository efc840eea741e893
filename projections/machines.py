"""Folding on the workers of a Dask cluster (the extra `bulk`)."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ledger.integrity.columns import Columns, Group
from ledger.store.log import StoreUnavailable
from projections.replay import Done, Fold, addresses_of, fold_there
from projections.rows import Lookup
from projections.store import code

AHEAD = 4
"""How many groups are begun for each thread of the cluster: enough to keep it busy, little enough to be held."""

PATIENCE = 30
"""For how many seconds a cluster without a worker is waited for."""


class NoDask(Exception):
    """The extra that folds on many machines is not installed."""


@contextmanager
def workers(address: str, export: Columns, lookup: Lookup) -> Iterator[Fold]:
    """Folds on the cluster whose scheduler is at `address`; what a worker that dies had is folded again by another.

    Raises StoreUnavailable where there is no scheduler or no worker left, NoDask.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise NoDask from None
    try:
        with distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=PATIENCE)
            yield lambda groups: _folded(client, groups, export, lookup)
    except (OSError, ValueError, distributed.CancelledError) as error:
        raise StoreUnavailable(
            f"the Dask scheduler at {address} cannot be reached, or has no worker: {error}"
        ) from None
    except distributed.KilledWorker:
        raise StoreUnavailable(f"workers of the Dask cluster at {address} keep dying (give them more memory)") from None


def _folded(client: Any, groups: Iterable[Group], export: Columns, lookup: Lookup) -> Iterator[Done]:
    utility, program = export.utility()[0].hash, code()
    begun: deque[Any] = deque()
    for group in groups:
        # Not pure: a worker may not answer from what it remembers of another folder of the same name.
        begun.append(client.submit(fold_there, group, utility, addresses_of(group, lookup), program, pure=False))
        if len(begun) > AHEAD * sum(client.nthreads().values()):
            yield _result(client, begun.popleft())
    while begun:
        yield _result(client, begun.popleft())


def _result(client: Any, future: Any) -> Done:
    while True:
        try:
            done: Done = future.result(timeout=PATIENCE)
            return done
        except TimeoutError:
            if not client.nthreads():
                raise OSError("all workers are gone") from None
