"""Answers about all accounts come from the tables or from the log, and are the same either way."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import get_args

import pytest

from commands import answers_over_all
from commands.accounts import Wanted, find, source
from commands.questions import books_at
from ledger.calendar import PACIFIC
from ledger.policy.explain import Stage
from ledger.policy.protections import ProtectionKind
from ledger.store.log import StoreError
from ledger.store.open import open_log
from projections.kept import Accounts
from projections.rebuild import rebuild

QUESTIONS = sorted(answers_over_all.SOURCES)
DAYS = [date(2021, 7, 1), date(2022, 5, 22), *(date(2022, 12, 1) + timedelta(days=n) for n in range(0, 36, 7))]
DAYS += [date(2024, 7, 29), date(2031, 3, 1)]
MOMENTS = [datetime(2022, 12, 29, 10, 30, tzinfo=PACIFIC), datetime(2024, 7, 30, 9, 0, tzinfo=PACIFIC)]
"""The simulated customers live in 2021 and 2022, the rare cases from 1996 to July 2024."""


def options(question):
    return {"first": date(2021, 6, 1)} if question == "trial_balance" else {}


def from_the_log(books, question, when, known_at=None):
    rules = books.utility().rules(known_at)
    ask = getattr(answers_over_all, question)
    return ask(books.histories(), *rules, when, known_at, **options(question))


def from_the_tables(books, url, question, when):
    ask = getattr(answers_over_all, question)
    with Accounts(books, url, answers_over_all.SOURCES[question], when) as accounts:
        answer = ask(accounts, *books.utility().rules(), when, **options(question))
    return answer, accounts


@pytest.mark.parametrize("question", QUESTIONS)
def test_both_ways_give_the_same_answer(ledger_url, template, question):
    rebuild(ledger_url, 1)
    kept = 0
    with books_at(ledger_url) as books:
        for when in (*DAYS, *MOMENTS):
            told, accounts = from_the_tables(books, ledger_url, question, when)
            assert told == from_the_log(books, question, when), when
            assert accounts.kept + accounts.folded == len(template.accounts)
            kept += accounts.kept
    assert kept > len(template.accounts), "the tables were hardly asked"


WANTED = [
    *(Wanted(stage=name) for name in get_args(Stage)),
    *(Wanted(protection=name) for name in get_args(ProtectionKind)),
    Wanted(past_due_over=0),
    Wanted(past_due_over=100_00, district="Pine Mountain"),
    Wanted(),
]


def test_accounts_are_found_either_way(ledger_url, template):
    rebuild(ledger_url, 1)
    found = Counter()
    with books_at(ledger_url) as books:
        rules = books.utility().rules()
        for when in (date(2021, 8, 3), MOMENTS[0], DAYS[-1]):
            everybody = find(books.histories(), *rules, when)["rows"]
            for wanted in WANTED:
                with Accounts(books, ledger_url, source(wanted, rules.policies), when) as accounts:
                    told = find(accounts, *rules, when, None, wanted)["rows"]
                    found["kept"] += accounts.kept
                assert told == [row for row in everybody if is_wanted(row, wanted)], (when, wanted)
                found[wanted] += len(told)
    assert found["kept"] > 15 * len(template.accounts)
    assert len(+found) > len(WANTED) // 2, found


def is_wanted(row, wanted):
    return (
        wanted.stage in (None, row["stage"])
        and (wanted.past_due_over is None or int(row["past_due"].replace(".", "")) > wanted.past_due_over)
        and (wanted.protection is None or wanted.protection in row["protections"])
        and wanted.district in (None, row["district"])
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_was_recorded_since_is_folded(store_url, template, question):
    half = len(template.entries) * 9 // 10
    log = template.at(store_url, half)
    rebuild(store_url, 1)
    template.record(log, template.entries[half:])
    log.close()
    behind = {entry.account for entry in template.entries[half:]}
    with books_at(store_url) as books:
        for when in (DAYS[3], DAYS[-1]):
            told, accounts = from_the_tables(books, store_url, question, when)
            assert told == from_the_log(books, question, when)
            assert accounts.folded >= len(behind)
    assert accounts.kept, "nothing was asked of the tables"


def test_without_rows_every_account_is_folded(ledger_url):
    with books_at(ledger_url) as books:
        told, accounts = from_the_tables(books, ledger_url, "aging", DAYS[-1])
        assert told == from_the_log(books, "aging", DAYS[-1])
    assert accounts.kept == 0


def test_rows_of_another_version_of_the_program_are_not_asked(ledger_url, monkeypatch):
    rebuild(ledger_url, 1)
    monkeypatch.setattr("projections.kept.code", lambda: "another")
    with books_at(ledger_url) as books:
        assert from_the_tables(books, ledger_url, "aging", DAYS[-1])[1].kept == 0


def test_a_question_writes_nothing(ledger_url, tmp_path):
    rebuild(ledger_url, 1)
    before = stored(ledger_url)
    source = answers_over_all.SOURCES["aging"]
    with books_at(ledger_url) as books, Accounts(books, ledger_url, source, DAYS[-1]) as accounts:
        assert list(accounts)
        with pytest.raises(StoreError):
            accounts._database.run("DELETE FROM {s}generation")
    assert stored(ledger_url) == before


def stored(url):
    log = open_log(url, read_only=True)
    try:
        return log.heads()
    finally:
        log.close()
