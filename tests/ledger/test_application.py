"""What a posting promises, on both stores: once, in order, all or none, and known when it was learned."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import psycopg
import pytest

from commands.base import Command, read
from commands.catalogue import command_type
from ledger import application
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.policy.parameters import Policies
from ledger.posting import Outcome
from ledger.refusal import Invalid, Refused
from ledger.store.log import Batch, Conflict, StoreUnavailable, event_hash, genesis

START = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)


class Clock:
    """A clock that moves a second at each look, or wherever a test puts it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store_url: str, clock: Clock) -> Iterator[Ledger]:
    assert create(store_url, clock)
    with Ledger(store_url, clock) as ledger:
        yield ledger


def a(title: str, **fields: Any) -> Command:
    return read(command_type(title), {"account": "7001", **fields})


OPEN = a("account open", opened_on="2024-01-02", name="Sample Customer", service_address="1 Example Lane")
BILL = a("bill issue", bill="B-1", mailed_on="2024-02-01", amount="85.00")
CREDIT = {"amount": "-5.00", "on": "2024-02-10", "reason": "leak"}


def said(outcome: Outcome) -> tuple[str, str | None]:
    return outcome.status, outcome.error.code if outcome.error else None


def balance(ledger: Ledger, account: str = "7001") -> int:
    return ledger.books.history(account).as_of().balance


def test_a_ledger_is_created_once_with_its_packs(ledger: Ledger, store_url: str, clock: Clock) -> None:
    assert not create(store_url, clock, policy="cal-water")
    packs = [event.pack for event in ledger.books.utility().events]  # type: ignore[attr-defined]
    assert packs[0] == "del-oro"
    assert {"california", "orders", "holidays"} < set(packs)


def test_a_command_is_recorded_and_the_same_again_is_a_duplicate(ledger: Ledger) -> None:
    assert ledger.post(OPEN) == Outcome("recorded", "7001", 1, ("AccountOpened",))
    assert ledger.post(BILL) == Outcome("recorded", "7001", 2, ("BillIssued",))
    assert ledger.post(BILL) == Outcome("duplicate", "7001", 2)
    assert balance(ledger) == 8500


def test_other_facts_under_the_same_name_are_refused_with_each_difference(ledger: Ledger) -> None:
    ledger.post(OPEN)
    ledger.post(BILL)
    other = ledger.post(a("bill issue", bill="B-1", mailed_on="2024-02-02", amount="90.00"))
    assert said(other) == ("refused", "recorded_differently")
    assert "bill B-1 is recorded already: mailed_on is 2024-02-01, not 2024-02-02" in str(other.error)
    assert "amount is 85.00, not 90.00" in str(other.error)


def test_personal_data_never_stands_in_a_refusal(ledger: Ledger) -> None:
    ledger.post(OPEN)
    other = ledger.post(
        a("account open", opened_on="2024-01-02", name="Somebody Else", service_address="1 Example Lane")
    )
    assert said(other) == ("refused", "recorded_differently")
    assert "Sample" not in str(other.error)
    assert "Somebody" not in str(other.error)


def test_what_names_nothing_is_a_duplicate_unless_it_brings_an_id(ledger: Ledger) -> None:
    ledger.post(OPEN)
    assert ledger.post(a("adjustment post", **CREDIT)).status == "recorded"
    assert ledger.post(a("adjustment post", **CREDIT, note="again")).status == "duplicate"
    assert ledger.post(a("adjustment post", **CREDIT, id="adj-2")).status == "recorded"
    assert ledger.post(a("adjustment post", **CREDIT, id="adj-2")).status == "duplicate"
    assert ledger.post(a("adjustment post", **CREDIT)).status == "duplicate"
    assert balance(ledger) == -1000


def test_an_id_serves_one_command_on_one_account(ledger: Ledger) -> None:
    ledger.post(OPEN)
    ledger.post(
        a("account open", account="7002", opened_on="2024-01-02", name="Sample", service_address="2 Example Lane")
    )
    assert ledger.post(a("adjustment post", **CREDIT, id="x")).status == "recorded"
    assert said(ledger.post(a("adjustment post", **{**CREDIT, "amount": "-6.00"}, id="x"))) == ("refused", "id_used")
    assert said(ledger.post(a("adjustment post", account="7002", **CREDIT, id="x"))) == ("refused", "id_used")


def test_an_account_nobody_opened_takes_nothing(ledger: Ledger) -> None:
    assert said(ledger.post(BILL)) == ("refused", "unknown_account")
    assert ledger.books.history("7001").events == []


def test_learned_at_is_for_history_brought_in(ledger: Ledger, clock: Clock) -> None:
    late = a("account open", opened_on="2020-01-02", name="x", service_address="y", learned_at="2020-01-03T10:00")
    assert said(ledger.post(late)) == ("invalid", "backfill_only")
    assert ledger.post(late, backfill=True).status == "recorded"
    future = a("bill issue", bill="B", mailed_on="2024-02-01", amount="1.00", learned_at="2030-01-01T00:00")
    assert said(ledger.post(future, backfill=True)) == ("invalid", "invalid_value")
    history = ledger.books.history("7001")
    assert history.as_of(known_at=datetime(2020, 1, 3, 10, 0, tzinfo=PACIFIC)).opened is not None, "inclusive"
    with pytest.raises(Refused, match="was not known at"):
        history.as_of(known_at=datetime(2020, 1, 3, 9, 59, tzinfo=PACIFIC))


def test_recorded_at_never_goes_back_when_the_clock_does(ledger: Ledger, clock: Clock) -> None:
    ledger.post(OPEN)
    clock.now -= timedelta(hours=2)
    ledger.post(BILL)
    first, second = ledger.books.history("7001").events
    assert second.recorded_at >= first.recorded_at


@pytest.mark.parametrize("together", [False, True])
def test_an_office_close_is_known_to_what_is_decided_after_it_though_the_clock_goes_back(
    ledger: Ledger, clock: Clock, together: bool
) -> None:
    ledger.post(OPEN)
    closed = read(command_type("office close"), {"on": "2024-05-22", "reason": "snow"})
    ledger.post(closed)
    clock.now -= timedelta(hours=2)
    off = a("service disconnect", at="2024-05-22T10:00", reason="nonpayment")
    (outcome,) = ledger.post_all([off]) if together else [ledger.post(off)]
    shutoff = ledger.books.history("7001").events[-1]
    assert "DO-36" in outcome.flags, "the office was closed that day"
    assert shutoff.recorded_at == ledger.books.utility().events[-1].recorded_at, "and that was known"


def feed(*items: Command | Outcome) -> list[Command | Outcome]:
    return list(items)


NO_COMMAND = Outcome("invalid", error=Invalid("invalid_json", "the line is not JSON"))
LATE = a("payment receive", payment="P-1", amount="85.00", received_at="2024-02-20", channel="mail")


def test_a_bad_line_loses_no_other(ledger: Ledger) -> None:
    outcomes = list(
        ledger.post_all(feed(OPEN, NO_COMMAND, a("payment return", payment="P-9", on="2024-02-02", reason="r"), BILL))
    )
    assert [said(o) for o in outcomes] == [
        ("recorded", None), ("invalid", "invalid_json"), ("refused", "unknown_payment"), ("recorded", None),
    ]  # fmt: skip
    assert balance(ledger) == 8500


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_batches_of_any_size_give_the_same(ledger: Ledger, size: int) -> None:
    items = feed(OPEN, BILL, LATE, BILL, LATE, OPEN)
    assert [o.status for o in ledger.post_all(items, size=size)] == ["recorded"] * 3 + ["duplicate"] * 3
    assert [o.status for o in ledger.post_all(items, size=size)] == ["duplicate"] * 6
    assert [event.version for event in ledger.books.history("7001").events] == [1, 2, 3]


def test_all_or_none(ledger: Ledger) -> None:
    refused = a("bill void", bill="B-9", on="2024-02-02", reason="r")
    assert [said(o) for o in ledger.post_together(feed(OPEN, BILL, refused))] == [
        ("refused", "not_all"), ("refused", "not_all"), ("refused", "unknown_bill"),
    ]  # fmt: skip
    assert ledger.books.history("7001").events == []
    assert [o.status for o in ledger.post_together(feed(OPEN, BILL))] == ["recorded", "recorded"]
    assert balance(ledger) == 8500


def test_a_rehearsal_answers_as_if_and_records_nothing(ledger: Ledger) -> None:
    ledger.post(OPEN)
    answers = [(o.status, o.version) for o in ledger.rehearse(feed(BILL, BILL, LATE))]
    assert answers == [("recorded", 2), ("duplicate", 2), ("recorded", 3)]
    assert balance(ledger) == 0
    assert ledger.post(BILL).status == "recorded"


def test_somebody_else_may_post_between_two_batches(ledger: Ledger, store_url: str, clock: Clock) -> None:
    ledger.post(OPEN)
    with Ledger(store_url, clock) as other:

        def items() -> Iterator[Command]:
            yield BILL
            assert other.post(LATE).status == "recorded"
            yield a("payment return", payment="P-1", on="2024-03-01", reason="no funds")

        assert [o.status for o in ledger.post_all(items(), size=1)] == ["recorded", "recorded"]
    assert balance(ledger) == 8500


def test_a_transfer_is_written_on_both_accounts_at_once(ledger: Ledger) -> None:
    list(ledger.post_all(feed(OPEN, BILL, LATE)))
    move = a("payment transfer", payment="P-1", to_account="7002", on="2024-03-01", reason="wrong account")
    assert said(ledger.post(move)) == ("refused", "unknown_account")
    ledger.post(
        a("account open", account="7002", opened_on="2024-01-02", name="Sample", service_address="2 Example Lane")
    )
    assert ledger.post(move).events == ("PaymentTransferred",)
    assert (balance(ledger), balance(ledger, "7002")) == (8500, -8500)
    assert [e.type for e in ledger.books.history("7002").events] == ["AccountOpened", "PaymentTransferredIn"]


def test_a_closure_counts_from_the_next_line_of_the_feed(ledger: Ledger) -> None:
    ledger.post(OPEN)
    closure = read(command_type("office close"), {"on": "2024-02-21", "reason": "storm"})
    list(ledger.post_all(feed(BILL, closure)))
    calendar = ledger.books.utility().rules().calendar
    assert calendar.closed(date(2024, 2, 21)) == "storm"


def test_the_stored_chain_is_the_one_of_the_format(ledger: Ledger) -> None:
    list(ledger.post_all(feed(OPEN, BILL, LATE)))
    for account in ("7001", UTILITY):
        expected = genesis(ledger.store.origin, account)
        for row in ledger.store.rows(account):
            expected = event_hash(expected, row.version, row.account, row.type, row.state)
            assert row.hash == expected


def test_personal_data_is_sealed_from_the_first_event_on(ledger: Ledger) -> None:
    ledger.post(OPEN)
    stored = b"".join(ledger.store.states("7001"))
    assert b"Sample" not in stored
    assert b"Example Lane" not in stored
    event = ledger.books.opened("7001", ledger.books.history("7001").events[0])
    assert (event.name, event.service_address) == ("Sample Customer", "1 Example Lane")  # type: ignore[attr-defined]


def test_the_library_reads_the_same_log(ledger: Ledger) -> None:
    list(ledger.post_all(feed(OPEN, BILL)))
    shards = [ledger.recorder.shard(n) for n in ledger.store.heads()]  # type: ignore[attr-defined]
    seen = [n.topic for shard in shards for n in shard.select_notifications(1, 100) if n.originator_id == "7001"]
    assert seen == ["AccountOpened", "BillIssued"]
    assert [e.event.type for e in ledger.events.get("7001")] == ["AccountOpened", "BillIssued"]


OPEN_2 = a("account open", account="7002", opened_on="2024-01-02", name="Sample", service_address="2 Example Lane")
CLOSURE = read(command_type("office close"), {"on": "2024-02-21", "reason": "storm", "id": "x"})
ONE_ID = [
    OPEN,
    OPEN_2,
    a("adjustment post", **CREDIT, id="x"),
    a("adjustment post", account="7002", **CREDIT, id="x"),
    CLOSURE,
    a("adjustment post", **CREDIT, id="x"),
    a("adjustment post", account="7002", **CREDIT, id="y"),
]
ONE_ID_SAID = [
    *[("recorded", None)] * 3, *[("refused", "id_used")] * 2, ("duplicate", None), ("recorded", None)
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_id_is_one_for_all_accounts_of_a_feed(ledger: Ledger, size: int) -> None:
    assert [said(o) for o in ledger.rehearse(ONE_ID)] == ONE_ID_SAID
    together = [said(o) for o in ledger.post_together(ONE_ID)]
    none = ("refused", "not_all")
    assert together == [none if s[1] is None else s for s in ONE_ID_SAID]
    assert [said(o) for o in ledger.post_all(ONE_ID, size=size)] == ONE_ID_SAID
    again = [("duplicate", None) if s[1] is None else s for s in ONE_ID_SAID]
    assert [said(o) for o in ledger.post_all(ONE_ID, size=size)] == again
    assert [said(ledger.post(item)) for item in ONE_ID] == again


def any_feed(random: Random) -> list[Command]:
    """Two accounts, three ids, few facts: most of it collides with something."""

    def one() -> Command:
        about: dict[str, Any] = {"account": random.choice(["7001", "7002"])}
        if random.random() < 0.6:
            about["id"] = random.choice("xyz")
        amount = random.choice(["5.00", "6.00"])
        match random.randrange(6):
            case 0:
                fields = {"opened_on": "2024-01-02", "name": "Sample", "service_address": "1 Example Lane"}
                return a("account open", **about, **fields)
            case 1:
                return a("bill issue", **about, bill="B-1", mailed_on="2024-02-01", amount=amount)
            case 2:
                fields = {"payment": "P-1", "received_at": "2024-02-20", "channel": "mail"}
                return a("payment receive", **about, **fields, amount=amount)
            case 3:
                del about["account"]
                return read(command_type("office close"), {**about, "on": "2024-02-21", "reason": amount})
        return a("adjustment post", **about, amount=amount, on="2024-02-10", reason="leak")

    return [one() for _ in range(30)]


@pytest.mark.parametrize("seed", range(4))
def test_every_way_of_posting_says_the_same(
    store_url: str, clock: Clock, tmp_path: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some of them decide a few commands at once and keep next to nothing in between.
    monkeypatch.setattr(application, "AT_ONCE", 1 + 2 * seed)
    monkeypatch.setattr(application, "MOST_EVENTS_HELD", 3 * seed)
    feed = any_feed(Random(seed))
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    for url in (store_url, elsewhere):
        create(url, clock)
    with Ledger(store_url, clock) as ledger, Ledger(elsewhere, clock) as other:
        expected = [said(other.post(command)) for command in feed]
        assert [said(o) for o in ledger.rehearse(feed)] == expected
        together = [said(o) for o in ledger.post_together(feed, dry_run=True)]
        assert all(s in (t, ("refused", "not_all")) for t, s in zip(expected, together, strict=True))
        assert [said(o) for o in ledger.post_all(feed, size=1 + 3 * seed)] == expected
        for account in ("7001", "7002", UTILITY):
            mine, theirs = (books.history(account).events for books in (ledger.books, other.books))
            assert [e.type for e in mine] == [e.type for e in theirs]


def test_what_somebody_else_wrote_first_leaves_a_whole_posting_unrecorded(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def beaten(accounts: Iterable[str] | None) -> Iterator[Batch]:
        raise Conflict("somebody else wrote first")
        yield

    monkeypatch.setattr(ledger.store, "writing", beaten)
    with pytest.raises(StoreUnavailable, match="somebody else wrote first; nothing was recorded"):
        ledger.post_together([OPEN])
    with pytest.raises(StoreUnavailable, match="nothing was recorded"):
        next(ledger.rehearse([OPEN]))


def test_a_connection_lost_in_a_whole_posting(postgres_store_url: str, clock: Clock) -> None:
    create(postgres_store_url, clock)

    def items() -> Iterator[Command]:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with psycopg.connect(postgres_store_url) as db:
            db.execute(f"{query} AND pid <> pg_backend_pid()")
        yield OPEN

    with Ledger(postgres_store_url, clock) as ledger:
        for attempt in (ledger.post_together, lambda items: list(ledger.rehearse(items))):
            with pytest.raises(StoreUnavailable, match="nothing was recorded"):
                attempt(items())
        assert ledger.post(OPEN).status == "recorded"


def test_nothing_is_a_duplicate_of_what_was_not_recorded(ledger: Ledger) -> None:
    ledger.post(OPEN)
    refused = a("bill void", bill="B-9", on="2024-02-02", reason="r")
    outcomes = ledger.post_together(feed(OPEN, BILL, BILL, NO_COMMAND, refused), called=lambda n: f"line {10 * n}")
    assert [said(o) for o in outcomes] == [
        ("duplicate", None), *[("refused", "not_all")] * 2, ("invalid", "invalid_json"), ("refused", "unknown_bill"),
    ]  # fmt: skip
    assert "because line 40 of this feed was not" in str(outcomes[2].error)


def test_packs_are_read_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.post(OPEN)

    def never(text: str, source: str = "") -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("ledger.policy.parameters.load_pack", never)
    for _ in range(2):
        assert ledger.post(OPEN).status == "duplicate"
        assert said(ledger.post(a("bill void", bill="B-9", on="2024-02-02", reason="r"))) == ("refused", "unknown_bill")
        assert next(ledger.post_all(feed(OPEN, OPEN_2), size=1)).status == "duplicate"
        assert said(ledger.post(CLOSURE))[0] in ("recorded", "duplicate")
        monkeypatch.undo()
        assert ledger.post(BILL).error is None
        monkeypatch.setattr("ledger.policy.parameters.load_pack", never)


def test_accounts_are_read_again_only_where_somebody_wrote(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = ledger.store.load

    def noted(accounts: Iterable[str], after: Any = None) -> dict[str, list[bytes]]:
        found = list(accounts)
        loaded.extend(account for account in found if account != UTILITY)
        return load(found, after)

    monkeypatch.setattr(ledger.store, "load", noted)
    second = a("bill issue", account="7002", bill="B-1", mailed_on="2024-02-01", amount="85.00")
    assert [o.status for o in ledger.post_all(feed(OPEN, OPEN_2, BILL, second), size=1)] == ["recorded"] * 4
    assert loaded == ["7001", "7002"]


def test_a_closure_declared_meanwhile_by_somebody_else_counts(ledger: Ledger, store_url: str, clock: Clock) -> None:
    closed = {"on": "2024-02-21", "reason": "storm"}
    with Ledger(store_url, clock) as other:

        def items() -> Iterator[Command]:
            yield OPEN
            assert other.post(read(command_type("office close"), closed)).status == "recorded"
            yield read(command_type("office close"), {**closed, "reason": "flood", "id": "z"})

        assert [o.version for o in ledger.post_all(items(), size=1)][1] == len(other.books.utility().events)
        assert other.post(OPEN).status == "duplicate"


BEFORE_ANY_PACK = datetime(1900, 1, 1, 0, 0, tzinfo=PACIFIC)


def test_before_anything_was_known_no_rule_speaks(ledger: Ledger) -> None:
    opened = a("account open", opened_on="1900-01-01", name="x", service_address="y")
    bill = a("bill issue", bill="B-1", mailed_on="1900-01-01", amount="1.00")
    early = [msgspec.structs.replace(command, learned_at=BEFORE_ANY_PACK) for command in (opened, bill)]
    outcomes = [said(o) for o in ledger.post_all(early, backfill=True)]
    assert outcomes == [("recorded", None), ("refused", "no_rule_version")]
    rules = ledger.books.utility().rules(BEFORE_ANY_PACK)
    assert rules.policies.on(date(1900, 1, 1)).rule("days_to_pay").state == "unknown"
    assert Policies(()).calendar().closed(date(1900, 1, 1)) is None


def test_what_is_recorded_together_is_recorded_at_one_moment_and_the_next_later(ledger: Ledger) -> None:
    together = list(ledger.post_all(feed(OPEN, BILL)))
    later = list(ledger.post_all(feed(a("bill void", bill="B-1", on="2024-02-03", reason="issued twice"))))
    assert [o.status for o in together + later] == ["recorded"] * 3
    opened, issued, voided = ledger.books.history("7001").events
    assert opened.recorded_at == issued.recorded_at < voided.recorded_at
