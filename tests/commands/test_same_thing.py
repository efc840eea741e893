"""The same thing twice: what makes two commands the same, and what is said where they are not."""

from typing import Any

import pytest

from commands.base import Command, read
from commands.catalogue import all_commands
from commands.fields import fields_of
from ledger.posting import Outcome
from tests.commands.test_bad_input import example_of
from tests.desk import MemoryLedger

OPENING = {"opened_on": "2019-06-01", "name": "Sample Customer", "service_address": "12 Example Lane"}
BILL = {"bill": "B-1", "mailed_on": "2024-02-01"}
LINES = [{"kind": "service", "amount": "60.00"}, {"kind": "usage", "amount": "30.00"}]


@pytest.mark.parametrize("kind", [k for k in all_commands() if k.title() != "policy publish"], ids=lambda k: k.title())
def test_a_default_written_out_is_as_good_as_none(kind: type[Command]) -> None:
    bare = read(kind, example_of(kind))
    for spec in fields_of(kind).values():
        if spec.default in (None, ()) or spec.name == "account":
            continue
        # Text anew, so that no two strings are the same object.
        written = spec.default if isinstance(spec.default, bool | int) else "".join(list(str(spec.default)))
        written = spec.show(written) if spec.form == "quantity" else written
        said = read(kind, {**example_of(kind), spec.name: written})
        given = spec.name in example_of(kind)
        assert (said.content() == bare.content()) is (not given or getattr(bare, spec.name) == spec.default), spec.name


def test_every_field_but_those_about_the_post_is_content() -> None:
    for kind in (k for k in all_commands() if k.title() != "policy publish"):
        bare = read(kind, example_of(kind))
        about = read(kind, {**example_of(kind), "id": "X", "actor": "a", "source": "s", "note": "n"})
        assert about.content() == bare.content()
        assert kind.title().encode() in bare.content()


@pytest.fixture
def ledger() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.post("account open", **OPENING)
    ledger.post("bill issue", **BILL, amount="90.00")
    ledger.post("meter install", meter="M-1", on="2024-01-05", dials=4)
    return ledger


def twice(ledger: MemoryLedger, title: str, first: dict[str, Any], second: dict[str, Any]) -> Outcome:
    assert ledger.post(title, **first).status == "recorded"
    return ledger.post(title, **second)


PETITION = {"dispute": "D-1", "bill": "B-1", "filed_at": "2024-02-08"}
EXCHANGE = {"on": "2024-03-01", "final_reading": "112", "new_meter": "M-2"}
FIELD = {"fee": "F-1", "kind": "field_collection", "on": "2024-03-12"}


@pytest.mark.parametrize(
    ("title", "first", "second"),
    [
        ("bill issue", {"bill": "B-2", "mailed_on": "2024-03-01", "lines": LINES}, {"amount": "90.00"}),
        ("dispute petition", PETITION, {"disputed_amount": "90.00"}),
        ("fee charge", FIELD, {"amount": "20.00"}),
        ("meter exchange", EXCHANGE, {"dials": 4, "unit": "CCF", "multiplier": 1, "meter": "M-1"}),
    ],
)
def test_what_the_ledger_fills_in_may_be_given_too(
    ledger: MemoryLedger, title: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    events = len(ledger.history().events)
    again = twice(ledger, title, first, {**first, **second})
    assert (again.status, again.version, len(ledger.history().events)) == ("duplicate", events + 1, events + 1)
    for name, value in second.items():
        other = {"amount": "89.99", "disputed_amount": "89.99", "dials": 5, "unit": "CF", "multiplier": 2}.get(name)
        if other and title != "bill issue":
            differs = ledger.post(title, **{**first, **second, name: other})
            assert differs.error is not None
            assert f"{name} is {value}, not {other}" in differs.error.message


def test_lines_that_add_up_to_another_amount_are_other_facts(ledger: MemoryLedger) -> None:
    bill = {"bill": "B-2", "mailed_on": "2024-03-01"}
    again = twice(ledger, "bill issue", {**bill, "lines": LINES}, {**bill, "lines": LINES[:1]})
    assert again.error is not None
    assert "amount is 90.00, not 60.00" in again.error.message
    assert "lines is 2 lines: service 60.00, usage 30.00, not 1 lines: service 60.00" in again.error.message


def test_what_was_given_and_is_left_to_the_ledger_now_is_asked_for(ledger: MemoryLedger) -> None:
    again = twice(ledger, "dispute petition", {**PETITION, "disputed_amount": "30.00"}, PETITION)
    assert again.error is not None
    assert again.error.message == (
        "dispute D-1 is recorded already: it has disputed_amount 30.00, which this one does not say (say it too if it "
        "is the same); use another name, or correct what was recorded"
    )


def test_only_what_differs_is_named(ledger: MemoryLedger) -> None:
    field = {"payment": "P-1", "amount": "45.00", "received_at": "2024-03-04", "channel": "field"}
    again = twice(ledger, "payment receive", field, {**field, "received_at": "2024-03-05"})
    assert again.error is not None
    assert again.error.message == (
        "payment P-1 is recorded already: received_at is 2024-03-04, not 2024-03-05; use another name, or correct what "
        "was recorded"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, ", or it has disputed_amount 90.00,"), ({"disputed_amount": "90.00"}, ", or disputed_amount was not")],
)
def test_personal_data_is_not_said_to_differ_where_it_may_not(
    ledger: MemoryLedger, given: dict[str, str], said: str
) -> None:
    again = twice(ledger, "dispute petition", {**PETITION, "petitioner": "A"}, {**PETITION, "petitioner": "B", **given})
    assert again.error is not None
    assert f"the personal data in it differs{said}" in again.error.message


def test_a_closure_of_the_offices_is_the_same_twice(ledger: MemoryLedger) -> None:
    hours = {"effective_on": "2024-07-01", "opens": "08:00", "closes": "17:00"}
    assert twice(ledger, "office hours", hours, {**hours, "weekdays": "-".join(["mon", "fri"])}).status == "duplicate"
