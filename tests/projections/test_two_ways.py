"""Answers about all accounts come from the tables or from the log, and are the same either way."""

from datetime import date, datetime, timedelta

import pytest

from commands import answers_over_all
from commands.questions import books_at
from ledger.calendar import PACIFIC
from ledger.store.log import StoreError
from ledger.store.open import open_log
from projections.kept import Accounts
from projections.rebuild import rebuild

QUESTIONS = sorted(answers_over_all.SOURCES)
DAYS = [date(2023, 12, 31) + timedelta(days=days) for days in range(0, 800, 160)] + [date(2026, 1, 5), date(2031, 3, 1)]
MOMENTS = [datetime(2025, 1, 20, 10, 30, tzinfo=PACIFIC), datetime(2026, 1, 3, 12, 0, tzinfo=PACIFIC)]


def options(question):
    return {"first": date(2023, 12, 1), "cutoff": True} if question == "trial_balance" else {}


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
    with books_at(ledger_url) as books:
        with Accounts(books, ledger_url, answers_over_all.SOURCES["aging"], DAYS[-1]) as accounts:
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
