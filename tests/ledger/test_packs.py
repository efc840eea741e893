"""The packs that come with the program, and the refusal of packs that are wrong."""

import re
import tomllib
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.policy.pack import FUNCTIONS, PackError, load_pack
from ledger.policy.parameters import FOLDER, SHARED, UTILITIES, Policies, builtin_packs

PACKS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml"))}

CATALOGUE = {
    "del-oro": [f"DO-{n:02}" for n in range(46)],
    "faq": [f"CW-{n:02}" for n in range(1, 15)],
    "california": [
        *("HS-116908-A", "HS-116908-B", "HS-116910", "HS-116914", "HS-116916", "PUC-777", "PUC-777.1", "PUC-779-A"),
        *("PUC-779-C", "PUC-779.1-A", "PUC-779.1-B", "PUC-780", "GOV-6800", "C6"),
    ],
    "orders": ["ORD-2020-04"],
}

GOOD = """
[pack]
name = "del-oro"
title = "a pack"
read = 2026-11-22
[days_to_pay]
id = "DO-04"
cite = "the policy"
versions = [
  { since = 1999-01-01, absent = true, source = "none" },
  { since = 2020-02-01, days = 79, source = "as published" },
]
[reconnection_fee]
id = "DO-40"
cite = "the policy"
versions = [{ since = 2020-02-01, until = 2020-12-31, amount = 3000, source = "as published", read = 2026-11-22 }]
[office_open]
id = "DO-36"
cite = "the policy"
versions = [{ since = 2020-02-01, opens = 08:00:00, closes = 17:00:00, weekdays = "mon-fri", source = "as published" }]
[utility]
name = "a company"
billing = ["monthly"]
connections = { "Pine Flat" = 201 }
[[holiday]]
id = "founders"
name = "Founders' Day"
source = "gov-6700"
since = 1999-01-01
month = 2
weekday = "mon"
nth = 3
cite = "an act"
known = "read"
[[divergence]]
id = "T1"
rules = ["DO-04"]
languages = ["zh"]
effect = "trivial"
text = "a slip of the pen"
"""

WRONG = [
    ("days = 79", "dayz = 79", "days_to_pay.versions[1].dayz", "is not known here; known are absent, assumed"),
    ("days = 79", "days = 79.0", "days_to_pay.versions[1].days", "is 79.0, not a whole number"),
    ("days = 79", "days = true", "days_to_pay.versions[1].days", "is True, not a whole number"),
    ("days = 79", 'days = "79"', "days_to_pay.versions[1].days", "is '79', not a whole number"),
    ("days = 79", "days = -1", "days_to_pay.versions[1].days", "is -1, not between 0 and 36600"),
    ("days = 79", "days = 79, amount = 1", "days_to_pay.versions[1].amount", "is not known here"),
    ("days = 79, ", "", "days_to_pay.versions[1].days", "is missing; give a whole number"),
    ("absent = true", "absent = true, days = 79", "days_to_pay.versions[0].days", "although the rule was absent"),
    ("amount = 3000", "amount = 10000000000", "reconnection_fee.versions[0].amount", "is 10000000000, not between"),
    ("since = 2020-02-01, days", "days", "days_to_pay.versions[1].since", "is missing; give a date"),
    ("since = 2020-02-01, days", "since = 2020-02-01T00:00:00, days", "days_to_pay.versions[1].since", "not a date"),
    (
        "since = 2020-02-01, days",
        "since = 1998-02-01, days",
        "days_to_pay.versions[1].since",
        "sort the versions by day",
    ),
    (
        "since = 2020-02-01, days",
        "since = 1999-01-01, days",
        "days_to_pay.versions[1].since",
        "is not after 1999-01-01",
    ),
    (
        "absent = true",
        "absent = true, until = 2020-02-01",
        "days_to_pay.versions[1].since",
        "overlaps the version before",
    ),
    ("until = 2020-12-31", "until = 2020-01-31", "reconnection_fee.versions[0].until", "is before since, 2020-02-01"),
    ('source = "none"', 'source = ""', "days_to_pay.versions[0].source", "is empty"),
    (', source = "none"', "", "days_to_pay.versions[0].source", "is missing; give text"),
    ("read = 2026-11-22 }", 'read = "then" }', "reconnection_fee.versions[0].read", "is 'then', not a date"),
    ('id = "DO-04"', "", "days_to_pay.id", "is missing; give text"),
    ('id = "DO-40"', 'id = "DO-04"', "reconnection_fee.id", "DO-04 is the id of days_to_pay already"),
    ('id = "DO-40"\ncite = "the policy"', 'id = "DO-40"', "reconnection_fee.cite", "is missing; give text"),
    ("[days_to_pay]", "[days_to_play]", "days_to_play", "is not known here"),
    ("[days_to_pay]", "days_to_pay = 79\n[days_until_past_due]", "pack.days_to_pay", "is not known here"),
    ("read = 2026-11-22\n", "", "pack.read", "is missing; give a date"),
    ('name = "del-oro"', "", "pack.name", "is missing; give text"),
    ('title = "a pack"', "", "pack.title", "is missing; give text"),
    ("opens = 08:00:00", "opens = 17:00:00", "office_open.versions[0].closes", "17:00:00 is not after opens, 17:00:00"),
    ('"mon-fri"', '"weekdays"', "office_open.versions[0].weekdays", "names no weekdays"),
    ("= 201", "= 201.5", "utility.connections.Pine Flat", "is 201.5, not a whole number"),
    ('["monthly"]', "[1]", "utility.billing", "holds 1, not text"),
    ('name = "a company"', "", "utility.name", "is missing; give text"),
    ('name = "a company"', 'name = "a company"\nphone = 8773356764', "utility.phone", "is 8773356764, not text"),
    ("nth = 3", "nth = 5", "holiday[0].nth", "is 5, not between -1 and 4"),
    ("nth = 3", "nth = 0", "holiday[0].nth", "is 0; give 1 to 4"),
    ("nth = 3", "", "holiday[0]", "needs month and day, or month, weekday and nth"),
    ('weekday = "mon"\nnth = 3', "day = 29", "holiday[0].day", "29 is not in every year's month 2"),
    ('weekday = "mon"', 'weekday = "monday"', "holiday[0].weekday", 'is "monday", not one of mon to sun'),
    ("month = 2", "month = 13", "holiday[0].month", "is 13, not between 1 and 12"),
    ("nth = 3", "nth = 3\nhours = { from = 15:00:00, to = 12:00:00 }", "holiday[0].hours.to", "is not after from"),
    ('"gov-6700"', '"somebody"', "holiday[0].source", 'is "somebody", not "gov-6700"'),
    ('cite = "an act"', "", "holiday[0].cite", "is missing; give text"),
    ('known = "read"', "", "holiday[0].known", "is missing; give text"),
    ('known = "read"', 'known = "read"\nread = "then"', "holiday[0].read", "is 'then', not a date"),
    ('rules = ["DO-04"]', 'rules = ["DO-99"]', "divergence[0].rules", "DO-99 is the id of no rule in this pack"),
    ('["zh"]', '["fr"]', "divergence[0].languages", '"fr" is none of en, es, zh, ko, vi, tl'),
    ('"trivial"', '"grave"', "divergence[0].effect", '"grave" is none of promised_more'),
    ("[days_to_pay]", "[days_to_pay", "", "is not TOML"),
    ("[utility]", "[pack]", "", "is not TOML"),
]


@pytest.mark.parametrize("policy", UTILITIES)
def test_every_pack_that_comes_with_the_program_loads(policy):
    assert [name for name, _ in builtin_packs(policy)] == [policy, *SHARED]
    assert set(PACKS) == {*UTILITIES, *SHARED}
    for name, text in builtin_packs(policy):
        assert load_pack(text, f"{name}.toml").name == name
    Policies.builtin(policy)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_rule_of_the_catalogue_stands_in_its_pack_in_order(name):
    assert [table.id for table in load_pack(PACKS[name]).tables.values()] == CATALOGUE[name]


def test_every_function_has_a_rule_but_the_fees_no_text_gives():
    rules = Policies.builtin("del-oro").on(date(2024, 3, 4)).rules
    assert set(FUNCTIONS) - {rule.function for rule in rules} == {"fee_late", "fee_returned_payment"}
    assert [rule.function for rule in rules] == [name for name in FUNCTIONS if not name.startswith("fee_")]


def test_the_seventy_nine_days_are_nineteen_and_sixty():
    del_oro, law = load_pack(PACKS["del-oro"]).tables, load_pack(PACKS["california"]).tables
    past_due, to_pay = (del_oro[name].versions[-1].values["days"] for name in ("days_until_past_due", "days_to_pay"))
    assert to_pay == past_due + law["sb998_delinquency"].versions[-1].values["days"] == 79
    assert past_due == law["statutory_notice"].versions[-1].values["days_to_pay"]


def test_cal_water_differs_by_data_alone():
    ours, theirs = load_pack(PACKS["del-oro"]), load_pack(PACKS["cal-water"])
    assert set(theirs.tables) < set(ours.tables)
    assert set(ours.tables) - set(theirs.tables) == {
        *("information_line", "no_second_chance", "avoid_friday", "avoid_day_before_holiday", "reconnection_fee"),
        *("after_hours_reconnection_fee", "field_collection_fee"),
    }
    assert [table.id for table in theirs.tables.values()] == [f"CWS-{n:02}" for n in range(1, len(theirs.tables) + 1)]
    assert not {table.id for table in ours.tables.values()} & {table.id for table in theirs.tables.values()}
    book = Policies.builtin("cal-water").on(date(2024, 3, 4))
    assert book.value("reduced_payment", "months") == 6
    assert book.value("deferred_payment", "max_days") == 14
    assert book.policy_text == theirs.sha, "its own policy is the company's, and no other"
    assert "del-oro" not in book.packs


def test_each_divergence_of_a_translation_is_there_once_with_its_effect():
    found = {each.id: each.effect for each in load_pack(PACKS["del-oro"]).divergences}
    assert list(found) == [f"T{n}" for n in range(1, 21)]
    assert [t for t in found if found[t] == "promised_more"] == ["T1", "T3", "T5", "T6", "T8", "T9", "T11", "T15"]
    assert [t for t in found if found[t] == "promised_less"] == ["T2", "T7", "T12"]


def test_no_pack_holds_a_fraction_and_every_version_says_where_and_when_it_was_read():
    for name, text in PACKS.items():
        assert not re.search(r"[=\[,] *-?\d+\.\d", re.sub(r'"[^"]*"|#.*', "", text)), name
        written = tomllib.loads(text)
        for table in load_pack(text).tables.values():
            for version, said in zip(table.versions, written[table.function]["versions"], strict=True):
                assert version.source == said["source"].strip() != ""
                assert type(said.get("read", written["pack"]["read"])) is date


def test_the_good_pack_is_good():
    pack = load_pack(GOOD, "mine.toml")
    assert pack.tables["days_to_pay"].versions[1].values == {"days": 79}
    assert pack.connections == {"Pine Flat": 201}


@pytest.mark.parametrize(("right", "wrong", "key", "reason"), WRONG)
def test_a_wrong_pack_is_refused_with_file_key_and_reason(right, wrong, key, reason):
    assert right in GOOD
    with pytest.raises(PackError) as refused:
        load_pack(GOOD.replace(right, wrong, 1), "mine.toml")
    assert (refused.value.file, refused.value.key) == ("mine.toml", key)
    assert reason in refused.value.reason
    assert str(refused.value).startswith(f"mine.toml: {key}: " if key else "mine.toml: ")


PIECES = st.sampled_from(
    [line for line in GOOD.splitlines() if line] + ["", "[", "= 1", "a = 1e3", "versions = 3", "\0", "\ud800"]
)


@given(st.lists(PIECES, max_size=20), st.text(max_size=20), st.integers(0, len(GOOD)))
def test_whatever_is_published_only_a_pack_error_escapes(lines, noise, cut):
    for text in ("\n".join(lines), GOOD[:cut] + noise + GOOD[cut:], noise, "a = " + "[" * 5000):
        with suppress(PackError):
            assert load_pack(text, "mine.toml").name
