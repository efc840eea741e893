"""The offices: a day they are closed, the hours they keep."""

from datetime import date

import pytest

from ledger.events import OfficeClosed, OfficeHoursSet
from tests.commands.world import World


def test_do_00_a_closure_is_declared() -> None:
    closed = World().then("office close", on="2024-02-19", reason="Presidents Day")
    assert closed == [OfficeClosed(on=date(2024, 2, 19), reason="Presidents Day")]


def test_do_36_hours_are_declared() -> None:
    declared = World().then("office hours", effective_on="2024-01-02", opens="08:30", closes="16:30")
    assert declared == [
        OfficeHoursSet(effective_on=date(2024, 1, 2), opens="08:30", closes="16:30", weekdays="mon-fri")
    ]


@pytest.mark.parametrize("weekdays", ["mon-sat", "mon,wed,fri", "mon-thu,sat"])
def test_do_36_the_weekdays_may_be_others(weekdays: str) -> None:
    (declared,) = World().then(
        "office hours", effective_on="2024-01-02", opens="08:00", closes="17:00", weekdays=weekdays
    )
    assert declared.weekdays == weekdays


@pytest.mark.parametrize("weekdays", ["monday", "fri-mon", "mon-", "1-5"])
def test_weekdays_that_are_none_are_invalid(weekdays: str) -> None:
    said = World().refusal("office hours", effective_on="2024-01-02", opens="08:00", closes="17:00", weekdays=weekdays)
    assert said.code == "invalid_value"
    assert said.message.startswith(f'weekdays: "{weekdays}"')


@pytest.mark.parametrize("weekdays", ["sat", "sun", "sat-sun", "sat,sun"])
def test_hours_without_a_business_day_are_invalid(weekdays: str) -> None:
    said = World().refusal("office hours", effective_on="2024-01-02", opens="08:00", closes="17:00", weekdays=weekdays)
    assert (said.code, said.message) == (
        "invalid_value",
        f"weekdays: {weekdays} leaves no business day in any week; name one of mon to fri",
    )


@pytest.mark.parametrize(("opens", "closes"), [("17:00", "08:00"), ("08:00", "08:00")])
def test_offices_that_close_before_they_open_are_invalid(opens: str, closes: str) -> None:
    said = World().refusal("office hours", effective_on="2024-01-02", opens=opens, closes=closes)
    assert (said.code, said.message) == ("invalid_value", f"closes: {closes} is not after {opens}")


@pytest.mark.parametrize("title", ["office close", "office hours"])
def test_the_offices_belong_to_no_account(title: str) -> None:
    said = World().refusal(title, account="7001")
    assert said.code == "unknown_field"
    assert "account" not in said.message.split("it has")[1]
