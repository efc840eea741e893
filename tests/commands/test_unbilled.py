"""Unbilled revenue: the days since the last bill's period, at that bill's daily rate."""

from datetime import date

import pytest

from commands.unbilled import unbilled
from ledger.history import History
from tests.commands.world import World


def told(world, on):
    return unbilled(
        [History(account, events) for account, events in sorted(world.events.items())], date.fromisoformat(on)
    )


def days(world, on):
    return [(row["days"], row["unbilled"]) for row in told(world, on)["rows"]]


@pytest.fixture
def world() -> World:
    """73.90 for the 28 days from 1 to 28 November; the meter was read on the 29th."""
    period = {"period_start": "2023-11-01", "period_end": "2023-11-29"}
    return World().given("bill issue", bill="B-1", mailed_on="2023-12-04", amount="73.90", **period)


@pytest.mark.parametrize(
    ("on", "found"),
    [
        ("2023-12-03", []),
        ("2023-12-04", [(6, "15.84")]),
        ("2023-12-31", [(33, "87.10")]),
        ("2024-03-07", [(100, "263.93")]),
    ],
)
def test_the_day_of_the_last_read_is_the_first_that_is_not_billed(world, on, found):
    assert days(world, on) == found


def test_the_next_bill_counts_from_its_mailing(world):
    period = {"period_start": "2023-11-29", "period_end": "2023-12-29"}
    world.given("bill issue", bill="B-2", mailed_on="2024-01-04", amount="90.00", **period)
    assert days(world, "2024-01-03") == [(36, "95.01")]
    assert days(world, "2024-01-04") == [(7, "21.00")]


def test_a_bill_that_was_voided_bills_nothing_and_a_corrected_one_its_new_amount(world):
    period = {"period_start": "2023-11-29", "period_end": "2023-12-29"}
    world.given("bill issue", bill="B-2", mailed_on="2024-01-04", amount="90.00", **period)
    world.given("bill void", bill="B-2", on="2024-01-05", reason="issued twice")
    world.given("bill correct", bill="B-1", amount="56.00", mailed_on="2024-01-05", reason="misread")
    assert days(world, "2024-01-05") == [(38, "76.00")]


def test_an_account_that_was_closed_is_counted_up_to_its_closing(world):
    world.given("account close", closed_on="2023-12-09")
    assert days(world, "2023-12-31") == [(10, "26.39")]
    period = {"period_start": "2023-11-29", "period_end": "2023-12-09"}
    world.given("bill issue", bill="B-2", mailed_on="2023-12-20", amount="30.00", kind="closing", **period)
    assert told(world, "2023-12-31")["rows"] == told(world, "2023-12-31")["not_estimated"] == []


def test_what_cannot_be_estimated_is_named(world):
    assert told(world, "2024-03-08")["not_estimated"] == [{"account": "7001", "because": "unbilled for 101 days"}]
    assert told(World(), "2024-03-08")["not_estimated"] == [{"account": "7001", "because": "no period billed"}]
