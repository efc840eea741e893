"""Contacts: an attempt is a fact, whatever came of it."""

from datetime import date, datetime

import pytest

from ledger.calendar import PACIFIC
from ledger.events import ContactAttempted
from tests.commands.world import World


@pytest.mark.parametrize("outcome", ["reached", "message", "failed"])
@pytest.mark.parametrize("method", ["phone", "visit", "text", "email"])
def test_an_attempt_is_recorded(method: str, outcome: str) -> None:
    attempted = World().then("contact attempt", at="2024-04-19T10:15", method=method, outcome=outcome)
    at = datetime(2024, 4, 19, 10, 15, tzinfo=PACIFIC)
    assert attempted == [ContactAttempted(at=at, method=method, outcome=outcome)]  # type: ignore[arg-type]


def test_of_an_attempt_only_the_day_may_be_known() -> None:
    (attempted,) = World().then("contact attempt", at="2024-04-19", method="visit", outcome="message")
    assert attempted.effective == date(2024, 4, 19)


@pytest.mark.parametrize("what", [{"method": "fax", "outcome": "reached"}, {"method": "phone", "outcome": "busy"}])
def test_an_attempt_has_one_of_the_known_ways_and_ends(what: dict[str, str]) -> None:
    said = World().refusal("contact attempt", at="2024-04-19", **what)
    assert said.code == "invalid_value"
    assert "is not one of" in said.message
