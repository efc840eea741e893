"""A row that does not follow from the log is found and named; a log-in that was erased is forgotten."""

import json
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from click.testing import CliRunner

from commands.cli import cli
from ledger.store.log import StoreError
from ledger.store.open import open_keys
from projections.catalogue import PROJECTIONS
from projections.compare import Shown
from projections.rebuild import rebuild
from projections.runner import Projector
from projections.verify import verify
from tests.projections.conftest import ORIGIN, digests


def plant(url, statement):
    """Change what is kept, as nobody should."""
    if url.startswith("sqlite:"):
        connection = sqlite3.connect(Path(url.removeprefix("sqlite:///")).with_suffix(".views.db"))
        changed = connection.execute(statement).rowcount
        connection.commit()
        connection.close()
    else:
        with psycopg.connect(url, options="-c search_path=ledger_read") as connection:
            changed = connection.execute(statement).rowcount
    assert changed == 1


def found(url, **rest):
    with Projector(url) as projector:
        return [difference for differences in verify(projector, **rest) for difference in differences]


def test_a_wrong_amount_is_named(ledger_url, template):
    rebuild(ledger_url, 1)
    account = template.accounts[3]
    plant(ledger_url, f"UPDATE folded_1 SET balances = replace(balances, '[[', '[[1') WHERE account = '{account}'")
    (difference,) = found(ledger_url)
    balance = template.folded[account].account.balance
    assert difference[:4] == (account, "balances", "", "balance")
    assert (difference.kept, difference.folded) == (int(f"1{balance}"), balance)


def test_a_row_too_few_an_account_too_many_and_text_that_is_no_row_are_named(ledger_url, template):
    rebuild(ledger_url, 1)
    few = next(a for a in template.accounts if template.folded[a].account.bills)
    many, broken = "none", template.accounts[5]
    bills = len(template.folded[few].account.bills)
    plant(ledger_url, f"UPDATE folded_1 SET bills = NULL WHERE account = '{few}'")
    plant(ledger_url, f"INSERT INTO folded_1 (account, balances) VALUES ('{many}', '[[0,0,0,0,0]]')")
    plant(ledger_url, f"UPDATE folded_1 SET accounts = '[[' WHERE account = '{broken}'")
    named = [(each.account, each.projection, each.column) for each in found(ledger_url)]
    assert sorted(named) == sorted([(few, "bills", "")] * bills + [(many, "balances", ""), (broken, "accounts", "")])


def test_a_sample_is_the_same_for_the_same_seed(ledger_url):
    rebuild(ledger_url, 1)
    with Projector(ledger_url) as projector:
        assert len(list(verify(projector, 7, seed=1))) == 7
    assert found(ledger_url, accounts=10_000, seed=1) == []


def test_rows_behind_the_log_are_compared_with_what_they_hold(store_url, template):
    half = len(template.entries) * 3 // 4
    log = template.at(store_url, half)
    rebuild(store_url, 1)
    template.record(log, template.entries[half:])
    log.close()
    assert found(store_url) == []


def test_nothing_to_compare(ledger_url):
    with Projector(ledger_url) as projector:
        projector.prepare()
        with pytest.raises(StoreError, match="projections rebuild"):
            next(verify(projector))


def test_rows_that_another_version_laid_out_are_not_read_and_an_erased_account_has_none(ledger_url, template):
    rebuild(ledger_url, 1)
    account = template.accounts[0]
    with Projector(ledger_url) as projector:
        shown, database = projector.views.shown(), projector.views.database
        database.run(f"ALTER TABLE {{s}}{shown.table} RENAME COLUMN autopay TO enrollments")
        database.run("UPDATE {s}generation SET code = 'another'")
        with pytest.raises(StoreError, match=r"another version of the program .*projections rebuild"):
            list(verify(projector))
        projector.refold([account])
        assert account not in list(projector.views.accounts(shown))
        assert len(list(projector.views.accounts(shown))) == len(template.accounts) - 1
    rebuild(ledger_url, 1)
    with Projector(ledger_url) as projector:
        assert [found for found in verify(projector) if found] == []


def test_rows_that_another_version_laid_out_in_the_same_tables_are_not_read(ledger_url, template):
    """A row with a column less does not stand against the log: it is old, and a rebuild makes it anew."""
    rebuild(ledger_url, 1)
    account = next(a for a in template.accounts if template.folded[a].account.arrangements)
    with Projector(ledger_url) as projector:
        shown, database = projector.views.shown(), projector.views.database
        database.run(f"UPDATE {{s}}{shown.table} SET arrangements = '[[\"R-1\"]]' WHERE account = ?", (account,))
        assert {each.projection for differences in verify(projector) for each in differences} == {"arrangements"}
        with pytest.raises(StoreError, match=f"account {account} cannot be read .*projections verify"):
            Shown(projector, shown).tables(account)
        database.run("UPDATE {s}generation SET code = 'another'")
        old = projector.views.shown()
        for read in (lambda: list(verify(projector)), lambda: Shown(projector, old).tables(account)):
            with pytest.raises(StoreError, match=r"another version of the program .*projections rebuild"):
                read()


def test_an_erased_log_in_is_forgotten_when_its_account_is_folded_anew(ledger_url, template, ask):
    rebuild(ledger_url, 1)
    ((account,),) = ask("SELECT account FROM logins WHERE login IS NOT NULL LIMIT 1")
    with Projector(ledger_url) as projector:
        projector.refold([account])
        assert found(ledger_url) == []
        keys = open_keys(ledger_url, ORIGIN)
        assert keys.erase(account) > 0
        keys.close()
        assert {difference.account for difference in found(ledger_url)} == {account}
        projector.refold([account])
    assert ask(f"SELECT login FROM logins WHERE account = '{account}'")[0] == (None,)
    assert found(ledger_url) == []


def called(url, *arguments, code=0):
    told = CliRunner().invoke(cli, ["--db", url, "projections", *arguments])
    assert told.exit_code == code, told.output
    return told.stdout


def test_the_command_line(ledger_url, template):
    assert called(ledger_url, "status") == "no rows yet: run 'water-ledger projections rebuild'\n"
    assert called(ledger_url, "follow", "--once") == "current; made anew; 0 events taken in\n"
    status = json.loads(called(ledger_url, "status", "--digest", "--json"))
    assert status == {"generation": 1, "behind": 0, "current_program": True, "digests": template.digests}
    assert called(ledger_url, "status") == "generation 1, 0 events behind\n"
    events = f"{len(template.entries):,}"
    assert called(ledger_url, "rebuild", "--processes", "1") == f"generation 2 is shown, {events} events folded\n"
    assert called(ledger_url, "verify", "--accounts", "5") == "5 accounts compared, 0 differences\n"
    account = template.accounts[0]
    wrong = "replace(accounts, 'residential', 'palatial')"
    plant(ledger_url, f"UPDATE folded_2 SET accounts = {wrong} WHERE account = '{account}'")
    told = called(ledger_url, "verify", code=3)
    assert f"account {account}: accounts" in told
    answer = json.loads(called(ledger_url, "verify", "--json", code=3))
    assert (answer["accounts"], answer["differences"][0]["account"]) == (len(template.accounts), account)


def test_the_views_are_the_same_on_both_stores(ledger_url, template, ask):
    rebuild(ledger_url, 1)
    for name, projection in PROJECTIONS.items():
        columns = ["account", *(column.name for column in projection.columns)]
        rows = ask(f"SELECT {', '.join(columns)} FROM {name}")
        wanted = [
            (account, *(_plain(getattr(row, column)) for column in columns[1:]))
            for account, folded in template.folded.items()
            for row in projection.rows(folded)
        ]
        assert sorted(map(repr, rows)) == sorted(map(repr, [_as_kept(row, ledger_url) for row in wanted])), name


def _plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else value


def _as_kept(row, url):
    return tuple(int(value) if isinstance(value, bool) and url.startswith("sqlite:") else value for value in row)


def test_an_auditor_may_read_the_tables_and_change_nothing(postgres_store_url, template):
    template.at(postgres_store_url).close()
    for _ in range(2):
        rebuild(postgres_store_url, 1)
        with psycopg.connect(postgres_store_url, autocommit=True, options="-c search_path=ledger_read") as connection:
            connection.execute("SET ROLE ledger_auditor")
            counted = connection.execute("SELECT count(*) FROM balances").fetchone()
            assert counted == (len(template.accounts),)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("UPDATE generation SET state = 'old'")


def test_who_follows_need_not_own_the_ledger(postgres_store_url, template):
    """Whoever first keeps the rows makes their schema, if he may; log-ins are looked up with the keys."""
    template.at(postgres_store_url).close()
    with psycopg.connect(postgres_store_url, autocommit=True) as owner:
        parts = urlsplit(postgres_store_url)
        database = parts.path[1:]
        name = f"p_{database}"
        url = parts._replace(netloc=f"{name}:w@{parts.hostname}:{parts.port}").geturl()
        owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w' IN ROLE ledger_projector")
        owner.execute(f'GRANT CREATE ON DATABASE "{database}" TO {name}')
        with pytest.raises(StoreError, match="member of ledger_app"):
            rebuild(url, 1)
        owner.execute(f"GRANT ledger_app TO {name}")
        for number in (1, 2):
            assert rebuild(url, 1).number == number
            owner.execute("SET ROLE ledger_auditor")
            assert owner.execute("SELECT count(*) FROM ledger_read.balances").fetchone() == (len(template.accounts),)
            owner.execute("RESET ROLE")
    assert digests(postgres_store_url) == template.digests


def test_who_reads_for_long_does_not_stop_a_rebuild(postgres_store_url, template):
    template.at(postgres_store_url).close()
    rebuild(postgres_store_url, 1)
    with psycopg.connect(postgres_store_url, options="-c search_path=ledger_read") as reader:
        table = "folded_1"
        reader.execute(f"SELECT count(*) FROM {table}")
        assert rebuild(postgres_store_url, 1).number == 2
        assert reader.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(template.accounts),)
    rebuild(postgres_store_url, 1)
    with Projector(postgres_store_url) as projector:
        assert [generation.number for generation in projector.views.generations()] == [3]
