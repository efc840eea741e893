"""The door of a Python program, the command object handed to the ledger: it lets in what every other door does."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import pytest

from commands.arrangement import AgreeArrangement
from commands.bill import IssueBill
from commands.office import CloseOffice
from commands.payment import ReceivePayment
from commands.policy import PackFile, PublishPolicy
from ledger.application import Ledger, create
from ledger.events import Installment, Line
from ledger.refusal import Invalid
from tests.commands.world import NOW, command


class Named(StrEnum):
    """What shows another text than it holds, or may."""

    BILL = "B-1"


OPENED = {"name": "Sample Customer", "service_address": "1 Example Lane", "opened_on": "2019-01-01"}
PYTHON: dict[str, Any] = {"account": "7001", "bill": "B-9", "mailed_on": date(2024, 3, 4), "amount": 9050}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": 90.5}, "amount: 90.5 is not a whole number of cents"),
        ({"amount": True}, "amount: true is not a whole number of cents"),
        ({"amount": 0}, "amount: 0.00 is not over zero"),
        ({"amount": 10_000_000_000}, "amount: 100000000.00 is over the largest amount"),
        ({"amount": "90.50"}, "amount: '90.50' is not a whole number of cents"),
        ({"bill": "B 9"}, "bill: 'B 9' is not an id"),
        ({"account": "a b"}, "account: 'a b' is not an id"),
        ({"account": None}, "'bill issue' needs account"),
        ({"kind": "weird"}, "kind: 'weird' is not one of regular"),
        ({"mailed_on": "2024-03-04"}, "mailed_on: '2024-03-04' is not a date"),
        ({"mailed_on": datetime(2024, 3, 4, 10, 0)}, "mailed_on: .* is not a date"),
        ({"mailed_on": date(1899, 12, 31)}, "mailed_on: .*1900 to 2199"),
        ({"usage": 1.5}, "usage: 1.5 is not a whole number of thousandths"),
        ({"lines": ({"kind": "usage", "amount": "1.00"},)}, "lines: this is not a tuple of Line"),
        ({"lines": (Line(kind="usage", amount=1.5),)}, "lines: 1.5 is not a whole number of cents"),
        ({"learned_at": datetime(2024, 3, 4, 10, 0)}, "learned_at: .* has a time of day and no offset"),
        ({"note": "a\nb"}, "note: the text has control characters"),
        ({"bill": Named.BILL}, "bill: this is not a plain str"),
        ({"kind": Named.BILL}, "kind: this is not a plain str"),
        ({"note": PackFile("x", "y")}, "note: this is not a plain str"),
        ({"lines": (Line(kind=Named.BILL, amount=100),)}, "lines: this is not a plain str"),
        ({"amount": 10**5000}, "amount: there are no cents beyond 18 digits"),
        ({"period_start": date(2024, 1, 1)}, "a period needs both"),
    ],
)
def test_a_command_that_a_program_makes_is_held_to_what_every_door_lets_in(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        IssueBill(**PYTHON | wrong).taken()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (PackFile("x", 7), "the path and the text of a pack are plain str"),
        (PackFile("x", "#" * (2**20 + 1)), "x is larger than 1,048,576 bytes"),
        (PackFile("x", "[pack"), "x: "),
    ],
)
def test_a_pack_that_a_program_gives_is_a_pack(file: PackFile, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        PublishPolicy(file=file).taken()


@pytest.mark.parametrize("due_on", ["2024-05-01", datetime(2024, 5, 1, 23, 0)])
def test_an_installment_is_due_on_a_day(due_on: Any) -> None:
    rows = (Installment(due_on=due_on, amount=100),)
    with pytest.raises(Invalid, match=r"installments: .* is not a date"):
        AgreeArrangement(
            account="7001", arrangement="A-1", kind="alternative", on=date(2024, 4, 1), installments=rows
        ).taken()


def test_none_is_a_field_not_given_as_in_a_feed() -> None:
    made = IssueBill(**PYTHON | {"kind": None}).taken()
    assert (made, made.kind) == (IssueBill(**PYTHON), "regular")


def test_a_command_of_the_utility_is_about_no_account() -> None:
    with pytest.raises(Invalid, match="'office close' has no account"):
        CloseOffice(account="7001", on=date(2024, 3, 4), reason="training").taken()


def test_a_moment_that_a_program_gives_is_put_on_the_pacific_clock() -> None:
    """Given five in the morning in London, which is the evening before in California."""
    at = datetime(2024, 2, 19, 5, 0, tzinfo=UTC)
    made = ReceivePayment(account="7001", payment="P-1", amount=100, received_at=at, channel="mail").taken()
    written = {"payment": "P-1", "amount": "1.00", "received_at": "2024-02-18T21:00", "channel": "mail"}
    read = command("payment receive", account="7001", **written)
    assert (made, made.content()) == (read, read.content())
    assert made.received_at.date() == date(2024, 2, 18)


def test_a_program_posts_what_it_made_as_a_feed_would(store_url: str) -> None:
    written = {"account": "7001", "bill": "B-9", "mailed_on": "2024-03-04", "amount": "90.50"}
    create(store_url, lambda: NOW)
    with Ledger(store_url, lambda: NOW) as ledger:
        posted = (
            command("account open", account="7001", **OPENED),
            IssueBill(**PYTHON),
            command("bill issue", **written),
        )
        assert [ledger.post(each).status for each in posted] == ["recorded", "recorded", "duplicate"]
        wrong = IssueBill(**PYTHON | {"bill": "B-10", "amount": 90.5})
        outcomes = [
            ledger.post(wrong),
            *ledger.post_all([wrong]),
            *ledger.post_together([wrong]),
            *ledger.rehearse([wrong]),
        ]
        assert [(each.status, each.account, each.error.field) for each in outcomes] == [
            ("invalid", "7001", "amount")
        ] * 4
        assert ledger.books.history("7001").as_of().balance == 9050


def test_what_is_refused_names_its_field(store_url: str) -> None:
    bill = {"bill": "B-1", "mailed_on": "2024-02-01", "amount": "85.00"}
    paid = {"payment": "P-1", "amount": "1.00", "received_at": "2024-02-20", "channel": "mail"}
    moved = {"payment": "P-1", "on": "2024-02-20", "reason": "typed wrong"}
    asked = [
        (command("bill issue", account="7009", **bill), "unknown_account", "account"),
        (command("bill void", bill="B-9", on="2024-02-03", reason="issued twice"), "unknown_bill", "bill"),
        (command("bill issue", **bill | {"amount": "86.00"}), "recorded_differently", "bill"),
        (command("payment transfer", to_account="7009", **moved), "unknown_account", "to_account"),
        (command("fee charge", id="X", fee="F-1", kind="other", amount="1.00", on="2024-02-20"), "id_used", "id"),
    ]
    create(store_url, lambda: NOW)
    with Ledger(store_url, lambda: NOW) as ledger:
        there = [
            command("account open", **OPENED),
            command("bill issue", **bill),
            command("payment receive", id="X", **paid),
        ]
        assert {outcome.status for outcome in ledger.post_all(there)} == {"recorded"}
        for wrong, code, field in asked:
            error = ledger.post(wrong).error
            assert error is not None
            assert (error.code, error.field) == (code, field)
