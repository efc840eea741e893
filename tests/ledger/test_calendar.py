"""The calendar: days counted as C1–C9 say, holidays as the law stood in each year."""

from datetime import UTC, date, datetime, time, timedelta

import holidays as oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import PACIFIC, Calendar, Hours, pacific, weekdays
from ledger.policy.parameters import Policies
from ledger.refusal import Refused

CLOSURES = {date(2024, 6, 12): "water main work at the office"}
LATER_HOURS = Hours(date(2024, 9, 2), time(9), time(16, 30), weekdays("mon-thu"))


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Policies.builtin("del-oro").calendar(CLOSURES, [LATER_HOURS])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PACIFIC)


def on(text: str) -> date:
    return date.fromisoformat(text)


LEGAL = {
    2019: "01-01 01-21 02-12 02-18 04-01* 03-31 05-27 07-04 09-02 09-09 09-27 10-14 11-11 11-28 12-25",
    2021: "01-01 01-18 02-12 02-15 03-31 05-31 06-18* 06-19 07-04 07-05* 09-06 09-09 09-24 10-11 11-11 11-25"
    " 12-24* 12-25 12-31*",
    2024: "01-01 01-15 02-10 02-12 02-19 03-31 04-01* 04-24 05-27 06-19 07-04 09-02 09-09 09-27 10-14 11-11 11-28"
    " 12-25",
    2026: "01-01 01-19 02-12 02-16 02-17 03-31 04-24 05-25 06-19 07-03* 07-04 09-07 09-09 09-25 10-12 11-08 11-11 11-26"
    " 12-25",
}
"""Gov. Code 6700 and 6701 and the federal holidays as they stood; * where a day stands for one on a weekend."""


@pytest.mark.parametrize("year", LEGAL)
def test_c5_the_holidays_of_a_year_are_those_in_force_then(calendar, year):
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    found = {f"{day:%m-%d}": name for day in days if day.year == year and (name := calendar.holiday(day))}
    expected = LEGAL[year].split()
    assert sorted(found) == sorted(day.rstrip("*") for day in expected)
    assert sorted(day for day, name in found.items() if name.endswith("(observed)")) == sorted(
        day.rstrip("*") for day in expected if day.endswith("*")
    )


def test_c5_federal_holidays_are_those_of_an_independent_list():
    table = [each for each in Policies.builtin("del-oro").calendar()._holidays if each.source == "federal"]
    calendar = Calendar(table)
    theirs = oracle.US(years=range(1999, 2061))
    ours = {day for n in range(366 * 62) if calendar.holiday(day := date(1999, 1, 1) + timedelta(days=n))}
    assert {day for day in ours if day.year < 2061} == {day for day in theirs if day.year >= 1999}


def test_c5_lunar_new_year_and_diwali_agree_with_an_independent_list(calendar):
    names = {each.id: each for each in calendar._holidays}
    theirs = oracle.country_holidays("US", subdiv="CA", years=range(2026, 2036))
    assert names["diwali"].dates[:10] == tuple(sorted(day for day in theirs if "Diwali" in theirs[day]))
    lunar = oracle.country_holidays("SG", years=range(2023, 2061), observed=False)
    first_days = [min(day for day in lunar.get_named("Chinese New Year") if day.year == y) for y in range(2023, 2061)]
    assert list(names["lunar-new-year"].dates) == first_days


def test_c5_every_table_of_dates_reaches_from_its_first_year_to_2060(calendar):
    tables = [each for each in calendar._holidays if each.dates]
    assert {each.id for each in tables} == {"lunar-new-year", "diwali"}
    for each in tables:
        assert [day.year for day in each.dates] == list(range(each.since.year, 2061))


@pytest.mark.parametrize(
    ("first", "name"),
    [
        ("2001-03-31", "Cesar Chavez Day"),
        ("2015-09-25", "Native American Day"),
        ("2021-06-18", "Juneteenth (observed)"),
        ("2023-01-22", "Lunar New Year"),
        ("2023-04-24", "Genocide Remembrance Day"),
        ("2026-11-08", "Diwali"),
    ],
)
def test_c5_a_holiday_begins_with_the_law_that_made_it(calendar, first, name):
    day = on(first)
    assert calendar.holiday(day) == name
    year_before = [day.replace(year=day.year - 1, month=1, day=1) + timedelta(days=n) for n in range(365)]
    assert name.removesuffix(" (observed)") not in {calendar.holiday(day) for day in year_before}


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2023-11-10", "Veterans Day (observed)"),  # 6701: a Saturday goes to Friday, for this one alone
        ("2022-09-09", "Admission Day"),
        ("2023-09-08", None),  # a Saturday Admission Day does not move
        ("2012-02-13", "Lincoln Day (observed)"),
        ("2021-12-31", "New Year's Day (observed)"),  # the federal rule, into the year before
        ("2017-01-02", "New Year's Day (observed)"),
        ("2024-02-18", None),  # a plain Sunday
    ],
)
def test_c5_a_holiday_on_a_weekend_moves_as_6701_and_the_federal_rule_say(calendar, day, name):
    assert calendar.holiday(on(day)) == name


def test_c5_good_friday_is_a_holiday_from_noon_to_three(calendar):
    day = on("2024-03-29")
    assert calendar.holiday(day) is None
    assert calendar.closed(day) is None
    asked = {hour: calendar.holiday_at(at(f"2024-03-29 {hour}")) for hour in ("11:59", "12:00", "14:59", "15:00")}
    assert [hour for hour, name in asked.items() if name] == ["12:00", "14:59"]
    assert calendar.holiday_at(at("2024-07-04 23:59")) == "Independence Day"
    assert calendar.holiday_at(at("2024-03-28 12:00")) is None


def test_closed_says_why(calendar):
    assert calendar.closed(on("2024-02-17")) == "Saturday"
    assert calendar.closed(on("2024-02-18")) == "Sunday"
    assert calendar.closed(on("2024-02-19")) == "Presidents' Day"
    assert calendar.closed(on("2024-06-12")) == calendar.closure(on("2024-06-12")) == "water main work at the office"
    assert calendar.closed(on("2024-09-06")) == "the offices keep no hours on a Friday"
    assert calendar.closed(on("2024-02-20")) is None
    assert calendar.holiday(on("2024-06-12")) is None, "a closure is no holiday"


def last_day(calendar, mailed_on, days):
    return calendar.next_open(on(mailed_on) + timedelta(days=days))


def test_c1_the_mailing_day_is_day_zero_and_c2_a_closed_last_day_rolls_forward(calendar):
    assert last_day(calendar, "2024-01-30", 19) == on("2024-02-20"), "a Sunday before Presidents' Day"
    assert last_day(calendar, "2024-01-31", 19) == on("2024-02-20"), "Presidents' Day"
    assert last_day(calendar, "2024-02-01", 19) == on("2024-02-20"), "an open Tuesday stays"
    assert last_day(calendar, "2024-02-02", 19) == on("2024-02-21")
    assert last_day(calendar, "2024-03-04", 79) == on("2024-05-22")


def test_c6_business_days_exclude_the_first_and_count_to_the_nth(calendar):
    notice = on("2024-02-14")
    assert calendar.add_business_days(notice, 0) == notice
    assert [calendar.add_business_days(notice, n) for n in (1, 2, 3)] == [
        on("2024-02-15"),
        on("2024-02-16"),
        on("2024-02-20"),
    ]
    assert calendar.add_business_days(on("2024-06-10"), 2) == on("2024-06-13"), "a closure does not count"


def test_c2_a_year_without_an_open_day_is_refused_and_not_waited_for():
    weekend = Hours(date(2024, 7, 1), time(8), time(17), weekdays("sat,sun"))
    calendar = Policies.builtin("del-oro").calendar({}, [weekend])
    assert calendar.next_open(on("2024-06-28")) == on("2024-06-28")
    with pytest.raises(Refused, match="closed on every day from 2024-06-29 to 2025-06-30; declare office hours"):
        calendar.next_open(on("2024-06-29"))
    reopened = Hours(date(2025, 6, 30), time(8), time(17))
    assert Policies.builtin("del-oro").calendar({}, [weekend, reopened]).next_open(on("2024-06-29")) == reopened.since


@given(st.dates(date(1999, 1, 1), date(2060, 1, 1)), st.integers(0, 15))
def test_c6_counting_and_adding_business_days_agree(day, count):
    calendar = Policies.builtin("del-oro").calendar()
    end = calendar.add_business_days(day, count)
    assert sum(calendar.closed(day + timedelta(days=n)) is None for n in range(1, (end - day).days + 1)) == count
    assert count == 0 or calendar.closed(end) is None
    assert calendar.next_open(day) == min(
        each for n in range(12) if calendar.closed(each := day + timedelta(days=n)) is None
    )


def test_c3_civil_days_are_pacific_also_when_the_clocks_change(calendar):
    assert calendar.add_business_days(on("2024-03-08"), 1) == on("2024-03-11")
    assert last_day(calendar, "2024-02-20", 19) == on("2024-03-11"), "19 days over the 23-hour Sunday"
    assert last_day(calendar, "2024-10-15", 19) == on("2024-11-04"), "19 days over the 25-hour Sunday"
    assert pacific(datetime(2024, 3, 10, 7, 59, tzinfo=UTC)).date() == on("2024-03-09")
    assert pacific(datetime(2024, 7, 5, 6, 59, tzinfo=UTC)).date() == on("2024-07-04")
    assert pacific(datetime(2024, 7, 5, 6, 59)) == at("2024-07-05 06:59")
    for day in ("2024-03-11", "2024-11-04"):
        opens = calendar.opening(on(day))
        assert opens == at(f"{day} {'08' if day < '2024-09' else '09'}:00")
        assert calendar.office_open(opens.astimezone(UTC))
        assert not calendar.office_open(opens - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2024-02-20 07:59:59", False),
        ("2024-02-20 08:00", True),
        ("2024-02-20 16:59:59", True),
        ("2024-02-20 17:00", False),
        ("2024-02-19 10:00", False),  # DO-00, a holiday
        ("2024-02-17 10:00", False),
        ("2024-02-18 10:00", False),
        ("2024-06-12 10:00", False),  # a declared closure
        ("2024-08-30 08:30", True),  # the last Friday before the utility's own hours
        ("2024-09-03 08:30", False),
        ("2024-09-03 09:00", True),
        ("2024-09-03 16:30", False),
        ("2024-09-06 10:00", False),
    ],
)
def test_c7_the_office_is_open_from_the_opening_minute_and_not_in_the_closing_one(calendar, moment, is_open):
    assert calendar.office_open(at(moment)) is is_open


def test_c7_hours_say_whether_they_are_assumed_and_unknown_hours_are_not_open(calendar):
    assert calendar.hours_on(on("2024-02-20")) == Hours(on("2020-02-01"), time(8), time(17), assumed=True)
    assert calendar.hours_on(on("2024-09-03")) == LATER_HOURS
    assert calendar.hours_on(on("2024-02-19")) is None
    assert calendar.hours_in_force(on("2024-02-19")).opens == time(8)
    assert calendar.opening(on("2024-02-19")) is None
    nobody_said = Calendar()
    assert nobody_said.hours_on(on("2024-02-20")) is None
    assert not nobody_said.office_open(at("2024-02-20 10:00"))
    assert nobody_said.closed(on("2024-02-20")) is None


def test_c7_hours_on_a_saturday_open_the_office_but_make_no_business_day():
    calendar = Calendar(hours=[Hours(on("2024-01-01"), time(8), time(12), weekdays("mon-sat"))])
    assert calendar.office_open(at("2024-02-17 08:00"))
    assert calendar.closed(on("2024-02-17")) == "Saturday"


def test_weekdays_are_read_as_they_are_written():
    assert weekdays("mon-fri") == frozenset(range(5))
    assert weekdays("mon,wed, fri-sat") == {0, 2, 4, 5}
    for wrong in ("", "monday", "fri-mon", "mon-", "mon;tue", "Mon"):
        with pytest.raises(ValueError, match="mon"):
            weekdays(wrong)
