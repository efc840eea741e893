"""Registers come from the tables or from the log, and are the same either way, on any day and as known then."""

import csv
import io
import re
from datetime import date, datetime, timedelta

import pytest

from commands import outputs
from commands.questions import books_at
from commands.registers import REGISTERS, Asking, page, register
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.refusal import Refused
from projections.as_of import RowsAsOf
from projections.rebuild import rebuild

SOURCE = ("answered_from", "folded", "known_at")
TIME_WAS = datetime(2199, 1, 1, tzinfo=PACIFIC)
"""As known then is as known now, and folded from the log."""

DAYS = [date(2021, 9, 15), date(2022, 6, 30), date(2023, 3, 1), date(2024, 5, 23), date(2026, 1, 5)]
MOMENTS = [datetime(2022, 12, 20, 10, 30, tzinfo=PACIFIC), datetime(2024, 5, 23, 10, 20, tzinfo=PACIFIC)]


def told(url, name, when, known_at=None, account=None, **narrowed):
    on = when.date() if isinstance(when, datetime) else when
    with books_at(url) as books:
        rows = RowsAsOf(books, url, REGISTERS[name].projections, when, known_at, account)
        return register(name, rows, Asking(on, *books.utility().rules(known_at), **narrowed), when, known_at)


def said(answer):
    return {key: value for key, value in answer.items() if key not in SOURCE}


@pytest.mark.parametrize("name", REGISTERS)
def test_both_ways_give_the_same_register(ledger_url, name):
    rebuild(ledger_url, 1)
    from_tables, rows = 0, 0
    for when in (*DAYS, *MOMENTS):
        answer, folded = told(ledger_url, name, when), told(ledger_url, name, when, TIME_WAS)
        assert said(answer) == said(folded), when
        assert folded["answered_from"] == "log"
        from_tables += answer["answered_from"] == "tables"
        rows += len(answer["rows"])
    assert from_tables > 0
    assert rows > 0


@pytest.mark.parametrize("name", REGISTERS)
def test_what_was_recorded_since_is_folded(store_url, template, name):
    utility = [entry for entry in template.entries if entry.account == UTILITY]
    others = [entry for entry in template.entries if entry.account != UTILITY]
    most = len(others) * 8 // 10
    log = template.at(store_url, 0)
    template.record(log, [*utility, *others[:most]])
    rebuild(store_url, 1)
    template.record(log, others[most:])
    log.close()
    answer = told(store_url, name, DAYS[-1])
    assert answer["answered_from"] == "tables"
    assert answer["folded"] > 0
    assert said(answer) == said(told(store_url, name, DAYS[-1], TIME_WAS))


def test_where_a_rule_was_recorded_since_all_is_folded(store_url, template):
    published = [entry for entry in template.entries if entry.account == UTILITY]
    others = [entry for entry in template.entries if entry.account != UTILITY]
    assert published[-1].type != "BooksClosed"
    log = template.at(store_url, 0)
    template.record(log, [*published[:-1], *others])
    rebuild(store_url, 1)
    assert told(store_url, "notices", DAYS[-1])["answered_from"] == "tables"
    template.record(log, published[-1:])
    log.close()
    answer = told(store_url, "notices", DAYS[-1])
    assert answer["answered_from"] == "log"
    assert said(answer) == said(told(store_url, "notices", DAYS[-1], TIME_WAS))


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_of_one_account_or_district_is_that_part_of_the_whole(ledger_url, name):
    whole = told(ledger_url, name, DAYS[-1])["rows"]
    for account in {row["account"] for row in whole}:
        assert told(ledger_url, name, DAYS[-1], account=account)["rows"] == [
            r for r in whole if r["account"] == account
        ]
    for district in {row["district"] for row in whole if row["district"]}:
        part = told(ledger_url, name, DAYS[-1], district=district)["rows"]
        assert part == [row for row in whole if row["district"] == district]


@pytest.mark.parametrize("name", REGISTERS)
def test_periods_that_meet_make_the_whole(ledger_url, name):
    whole = told(ledger_url, name, DAYS[-1])["rows"]
    last = date(2022, 3, 31)
    before = told(ledger_url, name, DAYS[-1], last=last)["rows"]
    after = told(ledger_url, name, DAYS[-1], first=last + timedelta(days=1))["rows"]
    assert sorted(map(str, before + after)) == sorted(map(str, whole))


@pytest.mark.parametrize("name", REGISTERS)
def test_a_register_goes_every_way_out(sqlite_store_url, template, name):
    template.at(sqlite_store_url).close()
    answer = told(sqlite_store_url, name, DAYS[-1])
    text, printed, book = io.StringIO(newline=""), io.StringIO(), io.BytesIO()
    outputs.write_csv(page(answer), text)
    outputs.show(page(answer), printed)
    outputs.write_xlsx(page(answer), book, DAYS[-1])
    header, *rows = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert [dict(zip(header, row, strict=True))["account"] for row in rows] == [r["account"] for r in answer["rows"]]
    assert {"account", "district"} <= set(header) <= set(answer["rows"][0])
    # Days, moments and money say so, in every column of them.
    columns = {column.name: column.kind for column in REGISTERS[name].columns}
    for field in {key for row in answer["rows"] for key, value in row.items() if _is_a_day(value)} & set(columns):
        assert columns[field] in ("day", "moment", "when"), field
    assert max(map(len, printed.getvalue().splitlines())) <= 100


def _is_a_day(value):
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) is not None


def test_what_was_not_known_is_not_in_a_register(ledger_url):
    rebuild(ledger_url, 1)
    known_at = datetime(2022, 1, 1, tzinfo=PACIFIC)
    then, now = (told(ledger_url, "notices", DAYS[-1], moment) for moment in (known_at, None))
    assert 0 < len(then["rows"]) < len(now["rows"])
    assert all(row["served_on"] < "2022-01-01" for row in then["rows"])


def test_the_deposits_of_a_period_add_up(ledger_url):
    answer = told(ledger_url, "deposits", DAYS[-1], first=date(2021, 7, 1), last=date(2022, 6, 30))
    cents = {name: int(str(total).replace(".", "")) for name, total in answer["totals"].items()}
    moved = sum(cents[kind] for kind in ("received", "interest", "absorbed", "refunded"))
    assert cents["opening"] + moved == cents["closing"]
    assert told(ledger_url, "deposits", date(2022, 6, 30))["totals"]["closing"] == answer["totals"]["closing"]


def test_an_account_that_is_not_there_is_an_error(ledger_url):
    with pytest.raises(Refused, match="account nobody is not in the ledger"):
        told(ledger_url, "disputes", DAYS[-1], account="nobody")


def test_a_period_that_ends_before_it_begins_is_an_error(ledger_url):
    with pytest.raises(Refused, match="swap the days"):
        told(ledger_url, "disputes", DAYS[-1], first=date(2025, 1, 2), last=date(2025, 1, 1))
