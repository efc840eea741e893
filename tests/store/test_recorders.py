"""The eventsourcing library over this store."""

import threading
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from eventsourcing.application import AggregateNotFoundError, Application, LocalNotificationLog
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.events import BillVoided, Event
from ledger.store.codec import Unreadable, encode
from ledger.store.log import Conflict, Entry, Log, NotALedger, shard_of
from ledger.store.recorders import LedgerMapper, LedgerRecorder, Recordable
from tests.store.conftest import command


class Accounts(Application[str]):
    """A stock application of the library, with str ids."""


class Folded(list[Event]):
    """An account as the list of its events."""


def fold(state: Folded | None, events: Iterator[Recordable]) -> Folded | None:
    return Folded([*(state or []), *(recordable.event for recordable in events)]) or None


def voided(account: str, version: int) -> Recordable:
    event = BillVoided(version=version, bill=f"B-{version}", on=date(2024, 2, 1), reason="typed twice")
    return Recordable(account, version, event)


@pytest.fixture
def app(log: Log, store_url: str) -> Iterator[Accounts]:
    with Accounts({"PERSISTENCE_MODULE": "ledger.store.recorders", "LEDGER_URL": store_url}) as app:
        yield app


def test_an_application_saves_and_loads(app: Accounts, log: Log) -> None:
    saved = app.save(voided("7001", 1), voided("7001", 2), commands=[command("id/1", "7001", 1)])
    assert [r.notification.id for r in saved] == [1, 2]
    app.save(voided("7001", 3))
    assert app.repository.get("7001", projector_func=fold) == [voided("7001", v).event for v in (1, 2, 3)]
    assert app.repository.get("7001", version=2, projector_func=fold) == [voided("7001", v).event for v in (1, 2)]
    assert list(log.find(["id/1"], "7001")) == ["id/1"]
    assert log.states("7001") == [encode(voided("7001", v).event) for v in (1, 2, 3)]
    with pytest.raises(AggregateNotFoundError):
        app.repository.get("7002", projector_func=fold)


def test_a_collision_in_both_tongues(app: Accounts) -> None:
    app.save(voided("7001", 1))
    for kind in (IntegrityError, Conflict):
        with pytest.raises(kind):
            app.save(voided("7001", 1))


def test_every_shard_is_a_notification_log(app: Accounts, log: Log) -> None:
    accounts = [f"A{n}" for n in range(20)]
    for account in accounts:
        app.save(voided(account, 1))
    assert isinstance(app.recorder, LedgerRecorder)
    seen = []
    for shard in log.heads():
        recorder = app.recorder.shard(shard)
        section = LocalNotificationLog(recorder, section_size=50)["1,50"]
        assert [n.id for n in section.items] == list(range(1, (recorder.max_notification_id() or 0) + 1))
        assert {shard_of(str(n.originator_id), log.shards) for n in section.items} <= {shard}
        seen += [str(n.originator_id) for n in section.items]
    assert sorted(seen) == sorted(accounts)


def test_notifications_are_selected(app: Accounts, log: Log) -> None:
    other = Entry("7001", 4, "BillReceiptShown", b"{}")
    app.save(*(voided("7001", v) for v in (1, 2, 3)))
    log.append([other])
    app.save(voided("7001", 5))
    recorder = app.recorder.shard(shard_of("7001", log.shards))  # type: ignore[attr-defined]

    def ids(*args: int | None, **kwargs: object) -> list[int]:
        return [n.id for n in recorder.select_notifications(*args, **kwargs)]

    assert ids(None, 10) == ids(1, 10) == ids(0, 10) == [1, 2, 3, 4, 5]
    assert ids(2, 2) == [2, 3]
    assert ids(2, 10, inclusive_of_start=False) == [3, 4, 5]
    assert ids(2, 10, stop=3) == [2, 3]
    assert ids(1, 4, topics=["BillVoided"]) == [1, 2, 3, 5]
    assert ids(1, 1, topics=["BillReceiptShown"]) == [4]
    assert recorder.max_notification_id() == 5


def test_events_are_selected(app: Accounts) -> None:
    app.save(*(voided("7001", v) for v in range(1, 6)))

    def versions(**kwargs: object) -> list[int]:
        return [e.originator_version for e in app.recorder.select_events("7001", **kwargs)]  # type: ignore[arg-type]

    assert versions() == [1, 2, 3, 4, 5]
    assert versions(gt=2, lte=4) == [3, 4]
    assert versions(desc=True, limit=2) == [5, 4]


def test_a_subscription_waits_for_more(log: Log, open_here: Callable[[], Log]) -> None:
    shard = shard_of("7001", log.shards)
    recorder = LedgerRecorder(log, shard)
    recorder.insert_events([LedgerMapper().to_stored_event(voided("7001", 1))])
    writer = LedgerRecorder(open_here())
    later = threading.Timer(0.2, writer.insert_events, [[LedgerMapper().to_stored_event(voided("7001", 2))]])
    with recorder.subscribe() as subscription:
        assert next(subscription).id == 1
        later.start()
        assert next(subscription).id == 2
        subscription.stop()
        assert list(subscription) == []
    later.join()


def test_a_stored_name_is_never_imported(app: Accounts) -> None:
    mapper = LedgerMapper()
    for state in (b'{"type":"os:system"}', b'{"type":"Nothing"}', b"{}", b"not json"):
        with pytest.raises(Unreadable):
            mapper.to_domain_event(StoredEvent("7001", 1, "os:system", state))
    with pytest.raises(ValueError, match="no such event"):
        app.recorder.insert_events([StoredEvent("7001", 1, "os:system", b"{}")])


def test_without_a_ledger(sqlite_store_url: str) -> None:
    with pytest.raises(NotALedger, match="water-ledger init"):
        Accounts({"PERSISTENCE_MODULE": "ledger.store.recorders", "LEDGER_URL": sqlite_store_url})
    with pytest.raises(ValueError, match="LEDGER_URL"):
        Accounts({"PERSISTENCE_MODULE": "ledger.store.recorders"})
