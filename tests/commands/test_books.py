"""Closing the books: what a close records, what comes in afterwards, and that the two add up."""

from datetime import date, datetime

import pytest
from click.testing import CliRunner

from commands import answers_over_all
from commands.base import read
from commands.catalogue import command_type
from commands.cli import cli
from commands.cutoff import late_entries
from commands.questions import books_at
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import BooksClosed
from ledger.store.codec import decode


class Desk:
    """A ledger whose clock the test sets."""

    def __init__(self, url):
        self.url = url
        self.now = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
        create(url, lambda: self.now)
        self.ledger = Ledger(url, lambda: self.now)

    def post(self, title, **fields):
        return self.ledger.post(read(command_type(title), fields))

    def closes(self):
        return [e for e in decode(self.ledger.store.states("@utility")) if isinstance(e, BooksClosed)]

    def events(self, account):
        return decode(self.ledger.store.states(account))

    def totals(self, book="balance"):
        """What the last close recorded of a book."""
        return {total.kind: total.amount for total in self.closes()[-1].totals if total.book == book}

    def now_in(self, first, last):
        """What the period holds in receivables today, by kind, in dollars and cents."""
        with books_at(self.url) as books:
            answer = answers_over_all.trial_balance(books.histories(), *books.utility().rules(), last, first=first)
        moved = {kind: amount for kind, amount in answer["balance"]["movements"].items() if amount != "0.00"}
        return moved, answer["balance"]["closing"]

    def late(self, known_at=None):
        with books_at(self.url) as books:
            return late_entries(books, None, date(2199, 1, 1), known_at)


@pytest.fixture
def desk(store_url):
    desk = Desk(store_url)
    opened = {"opened_on": "2019-06-01", "name": "Sample Customer", "service_address": "1 Example Lane"}
    for account in ("7001", "7002"):
        desk.post("account open", account=account, **opened)
        desk.post("bill issue", account=account, bill="B-1", mailed_on="2024-04-04", amount="90.00")
    desk.post("deposit receive", account="7002", deposit="D-1", on="2024-04-10", amount="25.00")
    pay(desk, "P-1", "40.00", "2024-05-20")
    yield desk
    desk.ledger.close()


def pay(desk, payment, amount, received_at, account="7001"):
    about = {"payment": payment, "amount": amount, "received_at": received_at, "channel": "mail"}
    return desk.post("payment receive", account=account, **about)


def correct(desk, amount, mailed_on):
    about = {"bill": "B-1", "amount": amount, "mailed_on": mailed_on, "reason": "misread"}
    assert desk.post("bill correct", account="7002", **about).status == "recorded"


def test_a_close_records_the_control_totals(desk):
    outcome = desk.post("books close", through="2024-05-31")
    assert (outcome.status, outcome.events) == ("recorded", ("BooksClosed",))
    (close,) = desk.closes()
    assert (close.since, close.through, close.accounts) == (None, date(2024, 5, 31), 2)
    assert desk.totals() == {"opening": 0, "bill": 180_00, "payment": -40_00, "closing": 140_00}
    assert desk.totals("deposit") == {"opening": 0, "received": 25_00, "closing": 25_00}
    assert sum(place.position for place in close.positions) == sum(desk.ledger.store.heads().values()) - 1


def test_the_next_period_opens_where_the_last_one_closed(desk):
    desk.post("books close", through="2024-04-30")
    desk.post("books close", through="2024-05-31")
    assert [close.since for close in desk.closes()] == [None, date(2024, 5, 1)]
    assert desk.totals() == {"opening": 180_00, "payment": -40_00, "closing": 140_00}


def test_what_takes_effect_later_is_in_no_closed_period(desk):
    pay(desk, "P-2", "10.00", "2024-06-01")
    desk.post("books close", through="2024-05-31")
    assert desk.totals()["closing"] == 140_00


def test_the_same_close_twice_changes_nothing(desk):
    desk.post("books close", through="2024-05-31")
    pay(desk, "P-2", "10.00", "2024-05-30")
    assert desk.post("books close", through="2024-05-31").status == "duplicate"
    assert len(desk.closes()) == 1


@pytest.mark.parametrize(
    ("through", "code"), [("2024-05-30", "books_closed"), ("2024-06-04", "not_over"), ("2024-06-03", None)]
)
def test_a_close_is_after_the_last_and_not_in_the_future(desk, through, code):
    desk.post("books close", through="2024-05-31")
    outcome = desk.post("books close", through=through)
    assert (outcome.error.code if outcome.error else None) == code


@pytest.mark.parametrize(("on", "flags"), [("2024-05-31", ("late-entry",)), ("2024-06-01", ())])
def test_an_entry_on_a_closed_day_is_recorded_and_flagged(desk, on, flags):
    assert pay(desk, "P-2", "10.00", on).flags == ()
    desk.post("books close", through="2024-05-31")
    outcome = pay(desk, "P-3", "10.00", on)
    assert (outcome.status, outcome.flags) == ("recorded", flags)


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("contact attempt", {"at": "2024-05-30T10:00", "method": "phone", "outcome": "reached"}),
        ("notice serve", {"notice": "N-1", "kind": "past_due", "on": "2024-05-30", "method": "mail"}),
        ("meter read", {"read_on": "2024-05-30", "reading": "12.000"}),
    ],
)
def test_what_moves_no_book_is_no_late_entry(desk, title, fields):
    desk.post("meter install", account="7001", meter="M-1", on="2024-01-02")
    desk.post("books close", through="2024-05-31")
    outcome = desk.post(title, account="7001", **fields)
    assert (outcome.status, outcome.flags) == ("recorded", ())
    assert desk.late()["rows"] == []


def test_the_totals_and_the_late_entries_come_to_what_the_period_holds_now(desk):
    correct(desk, "120.00", "2024-05-15")
    desk.post("books close", through="2024-04-30")
    desk.post("books close", through="2024-05-31")
    # After this one, what was corrected in May by 30.00 is corrected by 21.00.
    correct(desk, "99.00", "2024-04-20")
    desk.post("payment return", account="7001", payment="P-1", on="2024-05-25", reason="no funds")
    told = desk.late()
    rows = [(row["account"], row["kind"], row["on"], row["amount"], row["closed"]) for row in told["rows"]]
    assert rows == [
        ("7001", "payment_return", "2024-05-25", "40.00", "2024-05-31"),
        ("7002", "bill_correction", "2024-04-20", "9.00", "2024-04-30"),
        ("7002", "bill_correction", "2024-05-15", "-9.00", "2024-05-31"),
    ]
    late = {event.version: event.type for event in desk.events("7002") if "late-entry" in event.flags}
    made = {(row["account"], row["on"]): (row["version"], row["changes"]) for row in told["rows"]}
    (corrected,) = late
    assert made["7002", "2024-04-20"] == (corrected, None)
    assert made["7002", "2024-05-15"] == (corrected, corrected - 1), "the older correction, because of the late one"
    assert {row["recorded_at"] for row in told["rows"]} == {desk.events("7002")[-1].recorded_at.isoformat()}
    april, may = told["closes"]
    assert (april["totals"]["balance"]["closing"], april["late"]["balance"]) == ("180.00", "9.00")
    assert desk.now_in(None, date(2024, 4, 30)) == ({"bill": "180.00", "bill_correction": "9.00"}, "189.00")
    assert may["late"]["balance"] == "31.00"
    assert desk.now_in(date(2024, 5, 1), date(2024, 5, 31))[0] == {
        "bill_correction": "21.00",
        "payment": "-40.00",
        "payment_return": "40.00",
    }


def test_late_entries_are_those_known_by_a_moment(desk):
    desk.post("books close", through="2024-05-31")
    before = desk.now
    desk.now = datetime(2024, 6, 10, 9, 0, tzinfo=PACIFIC)
    pay(desk, "P-2", "10.00", "2024-05-30")
    assert [row["reference"] for row in desk.late()["rows"]] == ["P-2"]
    assert desk.late(before)["rows"] == []
    assert desk.late(datetime(2024, 6, 3, 8, 0, tzinfo=PACIFIC)) == {"closes": [], "rows": []}


def test_a_feed_closes_with_what_stands_before_the_close(desk):
    def feed():
        paid = {"account": "7001", "received_at": "2024-05-30", "channel": "mail", "amount": "10.00"}
        yield read(command_type("payment receive"), {**paid, "payment": "P-2"})
        yield read(command_type("books close"), {"through": "2024-05-31"})
        yield read(command_type("payment receive"), {**paid, "payment": "P-3"})

    rehearsed = list(desk.ledger.rehearse(feed()))
    assert not desk.closes()
    assert [outcome.flags for outcome in rehearsed] == [(), (), ("late-entry",)]
    together = desk.ledger.post_together(feed())
    assert [outcome.status for outcome in together] == ["recorded"] * 3
    assert desk.totals()["closing"] == 130_00
    assert [row["reference"] for row in desk.late()["rows"]] == ["P-3"]
    assert [outcome.status for outcome in desk.ledger.post_all(feed())] == ["duplicate"] * 3


def test_cut_off_lists_both_ways_about(desk):
    desk.now = datetime(2024, 6, 10, 9, 0, tzinfo=PACIFIC)
    pay(desk, "P-2", "10.00", "2024-05-30")
    pay(desk, "P-3", "11.00", "2024-06-20")
    with books_at(desk.url) as books:
        rules = books.utility().rules()
        period = {"first": date(2024, 6, 1), "cutoff": True}
        june = answers_over_all.trial_balance(books.histories(), *rules, date(2024, 6, 9), **period)["cutoff"]
        week = answers_over_all.trial_balance(books.histories(), *rules, date(2024, 6, 20), **period)["cutoff"]
    # On the 9th nobody knew of the payment of the 30th yet; by the 20th it is known, and is of an earlier period.
    assert [row["reference"] for row in june["known_within"]["rows"]] == ["B-1", "P-1", "B-1", "D-1"]
    assert june["known_after"] == {"totals": dict.fromkeys(june["known_after"]["totals"], "0.00"), "rows": []}
    assert [row["reference"] for row in week["known_within"]["rows"]] == ["B-1", "P-1", "P-2", "B-1", "D-1"]
    assert week["known_within"]["totals"] == {"balance": "130.00", "deposit": "25.00", "commission_deposit": "0.00"}


def test_cut_off_lists_what_a_late_fact_makes_of_an_older_entry(desk):
    """Given a void learned after the period: a correction within comes to nothing, and both changes are listed."""
    correct(desk, "60.00", "2024-05-10")
    period = date(2024, 6, 5)
    _, known_then = desk.now_in(None, period)
    desk.now = datetime(2024, 6, 10, 9, 0, tzinfo=PACIFIC)
    desk.post("bill void", account="7002", bill="B-1", on="2024-05-07", reason="wrong address")
    _, known_now = desk.now_in(None, period)
    with books_at(desk.url) as books:
        rules = books.utility().rules()
        after = answers_over_all.trial_balance(books.histories(), *rules, period, cutoff=True)["cutoff"]["known_after"]
    corrected, voided = (event.version for event in desk.events("7002")[-2:])
    assert sorted((row["amount"], row["version"], row["changes"]) for row in after["rows"]) == [
        ("-90.00", voided, None),
        ("30.00", voided, corrected),
    ]
    assert (known_then, known_now, after["totals"]["balance"]) == ("110.00", "50.00", "-60.00")


def test_a_csv_file_of_the_cut_off_holds_its_list(desk, tmp_path):
    desk.now = datetime(2024, 6, 10, 9, 0, tzinfo=PACIFIC)
    pay(desk, "P-2", "10.00", "2024-05-30")
    file = tmp_path / "cut.csv"
    asked = ["--db", desk.url, "trial-balance", "--to", "2024-06-05", "--csv", str(file)]
    assert CliRunner().invoke(cli, [*asked, "--cutoff"]).exit_code == 0
    heading, *rows = file.read_text(encoding="utf-8").splitlines()
    assert heading == "list,account,book,on,kind,reference,amount,known_from,version,changes"
    assert [row.split(",")[:7] for row in rows] == [
        ["known_after", "7001", "balance", "2024-05-30", "payment", "P-2", "-10.00"]
    ]
    assert CliRunner().invoke(cli, [*asked, "--cutoff", "--late"]).exit_code == 2
