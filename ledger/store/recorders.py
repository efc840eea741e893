"""The bridge to the eventsourcing library: its recorder, mapper and factory over a `Log`.

`Application(env={"PERSISTENCE_MODULE": "ledger.store.recorders", "LEDGER_URL": url})` then keeps its events here. Each
shard is a notification log of its own, whose ids are the shard's gap-free positions: `recorder.shard(n)`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
    Transcoder,
)

from ledger.events import EVENTS, Event
from ledger.store.codec import decode, encode
from ledger.store.log import Conflict, Entry, Log, NotALedger, Row, StoreUnavailable
from ledger.store.open import open_log

_POLL = 1 / 20
"""Seconds between two looks at a log that had nothing new."""


class Recordable(NamedTuple):
    """An event with its place in an account's history, as the library hands events around."""

    originator_id: str
    originator_version: int
    event: Event


class Collision(Conflict, IntegrityError):
    """A version or a command key is taken; both in the ledger's words and in the library's."""


class Unavailable(StoreUnavailable, OperationalError):
    """The store could not be reached or stayed busy; both in the ledger's words and in the library's."""


class LedgerRecorder(ApplicationRecorder):
    """Records events in `log`; its notifications are those of one shard."""

    def __init__(self, log: Log, shard: int = 0) -> None:
        self.log = log
        self._shard = shard

    def shard(self, number: int) -> "LedgerRecorder":
        """The same recorder with the notifications of another shard."""
        return LedgerRecorder(self.log, number)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Record events, and the `commands` that led to them, and return their positions; raises Collision."""
        entries = [Entry(str(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
        unknown = {entry.type for entry in entries} - EVENTS.keys()
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))}: no such event in the ledger's vocabulary")
        if not entries:
            return []
        try:
            return self.log.append(entries, kwargs.get("commands") or ())
        except Conflict as error:
            raise Collision(str(error)) from None
        except StoreUnavailable as error:
            raise Unavailable(str(error)) from None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stored events of one account, by version."""
        rows = self.log.rows(str(originator_id), after=gt or 0)
        chosen = [row for row in rows if lte is None or row.version <= lte]
        ordered = chosen[::-1] if desc else chosen
        return [StoredEvent(row.account, row.version, row.type, row.state) for row in ordered[:limit]]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The shard's events from position `start` on, `limit` at most, those of other types left out."""
        after = max(0, (start or 0) - (1 if inclusive_of_start and start else 0))
        found: list[Notification] = []
        while len(found) < limit:
            asked = limit - len(found)
            rows = self.log.follow({self._shard: after}, asked, self._shard)
            wanted = (row for row in rows if not topics or row.type in topics)
            found += [_notification(row) for row in wanted if stop is None or row.position <= stop]
            if len(rows) < asked or (stop is not None and rows[-1].position >= stop):
                break
            after = rows[-1].position
        return found

    def max_notification_id(self) -> int | None:
        """The shard's last position; None while it has none."""
        return self.log.heads()[self._shard] or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """The shard's events beyond position `gt`, one after the other, waiting for more at the end."""
        return PollingSubscription(self, gt, topics)


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Looks for new events again and again: SQLite cannot notify, and PostgreSQL's NOTIFY would serialise commits."""

    def __init__(self, recorder: LedgerRecorder, gt: int | None = None, topics: Sequence[str] = ()) -> None:
        super().__init__(recorder, gt, topics)
        self._waiting: list[Notification] = []

    def __next__(self) -> Notification:
        """The next event; waits for one, and ends when the subscription is stopped."""
        while not self._has_been_stopped:
            if self._waiting:
                return self._waiting.pop()
            found = self._recorder.select_notifications(
                self._last_notification_id, 500, topics=self._topics, inclusive_of_start=False
            )
            if found:
                self._last_notification_id = found[-1].id
                self._waiting = list(reversed(found))
            else:
                time.sleep(_POLL)
        raise StopIteration


class LedgerMapper(Mapper[str]):
    """Events to stored events and back, by the closed registry: a stored name is never imported."""

    def __init__(
        self,
        transcoder: Transcoder | None = None,
        compressor: Any = None,
        cipher: Any = None,
        *,
        encode: Callable[[Event], bytes] = encode,
        decode: Callable[[Iterable[bytes]], list[Event]] = decode,
    ) -> None:
        if compressor or cipher:
            raise ValueError("stored events are not compressed or encrypted as a whole: they are hashed as they are")
        self._encode = encode
        self._decode = decode

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored event of a Recordable."""
        event: Event = domain_event.event
        return StoredEvent(
            domain_event.originator_id, domain_event.originator_version, type(event).__name__, self._encode(event)
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The Recordable of a stored event; raises Unreadable for a type outside the vocabulary."""
        (event,) = self._decode([stored_event.state])
        return Recordable(str(stored_event.originator_id), stored_event.originator_version, event)


class Factory(InfrastructureFactory[TrackingRecorder]):
    """Builds recorders over the log that `LEDGER_URL` names; the log has to be there."""

    LEDGER_URL = "LEDGER_URL"

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        url = self.env.get(self.LEDGER_URL)
        if not url:
            raise ValueError("LEDGER_URL has to name the ledger, such as sqlite:///water-ledger.db")
        self.log = open_log(url)
        if not self.log.exists():
            self.log.close()
            raise NotALedger(f"there is no ledger where {self.LEDGER_URL} points (create it with 'water-ledger init')")

    def mapper(self, transcoder: Transcoder | None = None, mapper_class: Any = None) -> Any:
        """The mapper of the ledger's vocabulary."""
        return (mapper_class or LedgerMapper)()

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder over the log; `shard(n)` gives the others."""
        return LedgerRecorder(self.log)

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The same recorder; there are no snapshots."""
        if purpose != "events":
            raise ValueError("the ledger keeps no snapshots: an account is folded from its events")
        return LedgerRecorder(self.log)

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> Any:
        """Refused: projections keep their own checkpoints."""
        raise ValueError("projections keep their own checkpoints, not the library's tracking records")

    def process_recorder(self) -> ProcessRecorder:
        """Refused: projections keep their own checkpoints."""
        raise ValueError("projections keep their own checkpoints, not the library's tracking records")

    def close(self) -> None:
        """Let go of the log."""
        self.log.close()


def _notification(row: Row) -> Notification:
    return Notification(row.account, row.version, row.type, row.state, id=row.position)
