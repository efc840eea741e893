"""Which rule book holds: by day, by district, by publication."""

from datetime import date

import pytest

from ledger.events import RuleVersion
from ledger.policy.parameters import ALWAYS, NoVersion, PackError, Policies, builtin_packs, load_pack

DEL_ORO = Policies.builtin("del-oro")


def on(text: str) -> date:
    return date.fromisoformat(text)


def pack(days: int, since: str = "2020-02-01", name: str = "del-oro") -> str:
    return f"""
[pack]
name = "{name}"
title = "a later publication"
read = 2026-11-22
[days_to_pay]
id = "DO-04"
cite = "the policy"
versions = [{{ since = {since}, days = {days}, source = "as published" }}]
"""


def published(*later: tuple[str, str]) -> Policies:
    first = [(text, ALWAYS) for _, text in builtin_packs("del-oro")]
    return Policies.of(first + [(text, on(day)) for text, day in later])


def test_a_value_is_asked_by_function_and_named_by_the_utility_s_own_id():
    book = DEL_ORO.on(on("2024-03-04"))
    assert (book.value("days_to_pay", "days"), book.id_of("days_to_pay")) == (79, "DO-04")
    assert (book.value("reconnection_fee", "amount"), book.value("after_hours_reconnection_fee", "amount")) == (
        3000,
        7500,
    )
    assert book.find("deferred_payment", "max_days") is None
    assert book.rule("days_to_pay").version == RuleVersion("DO-04", on("2020-02-01"), load_pack(builtin("del-oro")).sha)


def builtin(name: str) -> str:
    return dict(builtin_packs("del-oro"))[name]


@pytest.mark.parametrize(
    ("function", "day", "state"),
    [
        ("days_until_past_due", "1998-12-31", "unknown"),
        ("days_until_past_due", "1999-01-01", "in_force"),
        ("days_to_pay", "1998-12-31", "unknown"),
        ("days_to_pay", "1999-01-01", "absent"),
        ("days_to_pay", "2020-01-31", "absent"),
        ("days_to_pay", "2020-02-01", "in_force"),
        ("closed_days", "1999-01-01", "in_force"),
        ("statutory_notice", "1999-01-01", "in_force"),
        ("sb998_delinquency", "2020-01-31", "absent"),
        ("sb998_delinquency", "2020-02-01", "in_force"),
        ("moratorium", "2020-04-01", "absent"),
        ("moratorium", "2020-04-02", "in_force"),
        ("moratorium", "2021-12-31", "in_force"),
        ("moratorium", "2022-01-01", "ended"),
    ],
)
def test_a_rule_is_in_force_from_its_first_day_through_its_last(function, day, state):
    book = DEL_ORO.on(on(day))
    rule = book.rule(function)
    assert rule.state == state
    assert book.in_force(function) is (state == "in_force")
    assert bool(rule.values) == (state == "in_force" and function != "closed_days")


def test_a_value_on_a_day_the_books_do_not_reach_is_an_error_that_says_so():
    with pytest.raises(NoVersion, match=r"DO-02 \(days_until_past_due\): no version before 1 January 1999"):
        DEL_ORO.on(on("1998-12-31")).value("days_until_past_due", "days")
    with pytest.raises(NoVersion, match="no version before 1 January 1999"):
        assert DEL_ORO.on(on("1998-12-31")).rule("days_until_past_due").version
    with pytest.raises(NoVersion, match=r"DO-04 \(days_to_pay\): not yet in force"):
        DEL_ORO.on(on("2019-05-01")).value("days_to_pay", "days")
    with pytest.raises(NoVersion, match="ended on 31 December 2021"):
        DEL_ORO.on(on("2022-01-01")).value("moratorium", "residential_only")
    with pytest.raises(NoVersion, match="no pack has a rule fee_late"):
        DEL_ORO.on(on("2024-05-01")).value("fee_late", "amount")
    with pytest.raises(NoVersion, match=r"DO-08 \(deferred_payment\) gives no max_days"):
        DEL_ORO.on(on("2024-05-01")).value("deferred_payment", "max_days")
    assert DEL_ORO.on(on("2024-05-01")).find("fee_late", "amount") is None
    assert DEL_ORO.on(on("2019-05-01")).find("days_to_pay", "days") is None


@pytest.mark.parametrize(
    ("district", "before_2024_08", "why"),
    [
        ("Pine Mountain", "absent", "covers systems over 200 connections; Pine Mountain has 89"),
        ("pine-mountain", "absent", "covers systems over 200 connections; pine-mountain has 89"),
        ("Pine Flat", "in_force", "in force since 1 February 2020"),
        ("Magalia", "in_force", "in force since 1 February 2020"),
        ("nowhere we know", "in_force", "in force since 1 February 2020"),
        (None, "in_force", "in force since 1 February 2020"),
    ],
)
def test_the_act_reaches_small_districts_only_from_august_2024(district, before_2024_08, why):
    for function in ("sb998_delinquency", "sb998_appeal", "sb998_health", "sb998_tenants"):
        rule = DEL_ORO.on(on("2024-07-31"), district).rule(function)
        assert (rule.state, rule.why) == (before_2024_08, why)
        assert DEL_ORO.on(on("2024-08-01"), district).in_force(function)
    assert DEL_ORO.on(on("2024-07-31"), district).value("days_to_pay", "days") == 79, (
        "the company's own policy has no size"
    )


def test_a_publication_governs_from_its_day_and_the_last_recorded_wins():
    policies = published((pack(90), "2025-01-01"), (pack(85), "2025-06-01"), (pack(100), "2025-03-01"))
    days = ("2024-12-31", "2025-01-01", "2025-02-28", "2025-03-01", "2025-05-31", "2025-06-01", "2026-01-01")
    assert [policies.on(on(day)).value("days_to_pay", "days") for day in days] == [79, 90, 90, 100, 100, 100, 100]
    assert policies.on(on("2025-01-01")).get("reconnection_fee") is None, "a publication replaces its pack whole"
    assert policies.on(on("2025-01-01")).in_force("sb998_delinquency"), "and no other"
    assert policies.on(on("2025-01-01")).rule("days_to_pay").version.pack == load_pack(pack(90)).sha


def test_a_retroactive_publication_corrects_the_days_behind_it():
    corrected = published((pack(85), "2024-01-01"))
    assert DEL_ORO.on(on("2024-05-01")).value("days_to_pay", "days") == 79
    assert corrected.on(on("2024-05-01")).value("days_to_pay", "days") == 85
    assert corrected.on(on("2023-12-31")).value("days_to_pay", "days") == 79


def test_two_packs_may_not_both_hold_a_rule_on_one_day():
    with pytest.raises(PackError, match=r"elsewhere: days_to_pay: days_to_pay stands in del-oro already"):
        published((pack(85, name="elsewhere"), "2025-01-01"))
    fee = pack(85, name="elsewhere").replace("days_to_pay", "fee_late").replace("days =", "amount =")
    with pytest.raises(PackError, match=r"elsewhere: fee_late: DO-04 stands in del-oro already"):
        published(
            (fee, "2025-01-01"),
        )


def test_a_published_holiday_table_governs_its_days_alone():
    table = """
[pack]
name = "holidays"
title = "one holiday"
read = 2026-11-22
[[holiday]]
id = "founders"
name = "Founders' Day"
source = "gov-6700"
since = 1999-01-01
month = 5
day = 15
cite = "an act"
known = "read"
"""
    calendar = published((table, "2025-05-01")).calendar()
    assert calendar.holiday(on("2024-05-15")) is None
    assert calendar.holiday(on("2025-05-15")) == "Founders' Day"
    assert calendar.holiday(on("2024-07-04")) == "Independence Day"
    assert calendar.holiday(on("2025-07-04")) is None


def test_office_hours_of_a_later_publication_hold_from_its_day():
    sooner = builtin("del-oro").replace("opens = 08:00:00", "opens = 07:30:00")
    calendar = published((sooner, "2025-01-01")).calendar()
    assert [calendar.hours_on(on(day)).opens.hour for day in ("2024-12-31", "2025-01-02")] == [8, 7]
    assert DEL_ORO.calendar().hours_on(on("1998-12-31")) is None


def test_one_day_is_one_book():
    assert DEL_ORO.on(on("2024-03-04")) is DEL_ORO.on(on("2024-03-05"))
    assert DEL_ORO.on(on("2024-03-04")) is not DEL_ORO.on(on("2024-08-01"))


def test_an_unknown_policy_is_refused_with_those_there_are():
    with pytest.raises(PackError, match="golden-state: is no policy of this program; it has cal-water, del-oro"):
        Policies.builtin("golden-state")


def test_a_pack_from_an_earlier_day_leaves_out_nothing_of_a_later_one_that_it_replaces_too():
    texts = dict(builtin_packs("del-oro"))
    more = load_pack(
        texts["holidays"].replace('id = "new-year"', 'id = "water-day"').replace("New Year's Day", "Water Day")
    )
    both = load_pack(texts["holidays"])
    wider = both._replace(holidays=(*both.holidays, more.holidays[0]))
    policies = Policies.builtin("del-oro").with_published(wider, date(2025, 1, 1))
    with pytest.raises(PackError, match="leaves out Water Day, which the holidays it replaces has"):
        policies.with_published(both, date(2024, 6, 1))
    assert policies.with_published(wider, date(2024, 6, 1))
