"""The day and the hour: DO-33 to DO-38, PUC-780."""

import pytest

from tests.cases import bill_mailed, contact_made, notice_served

OLD = (bill_mailed("2024-03-04"), notice_served("2024-05-30"), contact_made("2024-05-31 10:00"))
CALENDAR = {"DO-33", "DO-34", "DO-35", "DO-36", "DO-37", "DO-38", "PUC-780"}


@pytest.mark.parametrize(
    ("when", "against"),
    [
        ("2024-06-20 10:00", set()),  # a Thursday
        ("2024-06-21 23:59", {"DO-36", "DO-37", "PUC-780"}),
        ("2024-06-22 00:00", {"DO-33", "DO-36", "PUC-780"}),
        ("2024-06-22 23:59", {"DO-33", "DO-36", "PUC-780"}),
        ("2024-06-23 10:00", {"DO-34", "DO-36", "PUC-780"}),
        ("2024-06-24 10:00", set()),
        ("2024-06-19 10:00", {"DO-35", "DO-36", "PUC-780"}),  # Juneteenth, a Wednesday
        ("2024-07-04 10:00", {"DO-35", "DO-36", "PUC-780"}),
    ],
)
def test_do_33_to_do_35_saturday_sunday_holiday(case, when, against):
    case.given(*OLD)
    assert case.explain(when).against & CALENDAR == against


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        ("2024-06-20 07:59", "blocks"),
        ("2024-06-20 08:00", "permits"),
        ("2024-06-20 16:59", "permits"),
        ("2024-06-20 17:00", "blocks"),
    ],
)
def test_do_36_the_opening_minute_is_open_the_closing_minute_is_not(case, when, verdict):
    assert case.explain(when)["DO-36"] == case.explain(when)["PUC-780"] == verdict
    assert "assumed" in case.explain(when).because("DO-36")


def test_do_00_a_declared_closure_closes_the_offices_all_day(case):
    case.closed("2024-06-20")
    told = case.explain("2024-06-20")
    assert told.against & CALENDAR == {"DO-36", "PUC-780"}
    assert "a closure" in told.because("DO-36")


@pytest.mark.parametrize(
    ("when", "verdict"), [("2024-06-20", "permits"), ("2024-06-21", "avoids"), ("2024-06-24", "permits")]
)
def test_do_37_fridays_are_avoided(case, when, verdict):
    assert case.explain(when)["DO-37"] == verdict


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        ("2024-07-02", "permits"),
        ("2024-07-03", "avoids"),
        ("2024-07-05", "permits"),
        ("2024-11-27", "avoids"),  # Thanksgiving is next
        ("2024-04-23", "avoids"),  # Genocide Remembrance Day is next
        ("2024-04-22", "permits"),
        ("2024-06-19", "permits"),
    ],
)
def test_do_38_the_day_before_a_holiday_is_avoided(case, when, verdict):
    assert case.explain(when)["DO-38"] == verdict


def test_do_38_the_day_before_a_declared_closure_is_avoided(case):
    case.closed("2024-06-26")
    assert case.explain("2024-06-25")["DO-38"] == "avoids"
    assert case.explain("2024-06-24")["DO-38"] == "permits"


@pytest.mark.parametrize(
    ("when", "verdict"),
    [
        ("2024-03-29 11:59", "permits"),
        ("2024-03-29 12:00", "blocks"),
        ("2024-03-29 14:59", "blocks"),
        ("2024-03-29 15:00", "permits"),
    ],
)
def test_do_35_good_friday_from_noon_to_three(case, when, verdict):
    assert case.explain(when)["DO-35"] == case.explain(when)["PUC-780"] == verdict


def test_what_is_avoided_is_not_allowed_and_can_be_overridden(case):
    case.given(*OLD)
    told = case.explain("2024-06-21")
    assert told.against == {"DO-37"}
    assert not told.allowed
    assert told.layers == {"policy": False, "statute": True, "orders": True}
    assert case.flags("2024-06-21") == ("DO-37",)
    assert case.flags("2024-06-21", overridden=True) == ()
    assert case.flags("2024-06-22", overridden=True) == ("DO-33", "DO-36", "PUC-780")
