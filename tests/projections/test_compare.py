"""Two rebuilds compared: every value that differs, and the event that made the difference."""

import json
import re
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from shutil import copyfile

import click
import pytest
from click.testing import CliRunner

from commands.cli import cli
from commands.rebuilds import side
from ledger.calendar import PACIFIC
from ledger.history import History
from ledger.refusal import Invalid
from ledger.store.codec import decode
from ledger.store.log import StoreError
from projections import compare as comparing
from projections.catalogue import PROJECTIONS
from projections.compare import compare, not_shared
from projections.rebuild import rebuild
from projections.rows import Folded
from projections.runner import Projector

PACK = Path(__file__).parents[2] / "ledger" / "policy" / "packs" / "del-oro.toml"


def differences(url, a, b):
    with ExitStack() as stack:
        found = list(compare(side(stack, url, a), side(stack, url, b)))
    return [each for some in found for each in some]


def test_a_rebuild_is_the_log_folded(ledger_url, template):
    rebuild(ledger_url, 1)
    with ExitStack() as stack:
        found = list(compare(side(stack, ledger_url, "shown"), side(stack, ledger_url, "log")))
    assert found == [[] for _ in template.accounts]


def test_what_was_recorded_since_is_named_with_its_event(store_url, template):
    last = next(n for n in range(len(template.entries) - 1, 0, -1) if template.entries[n].type == "PaymentReceived")
    log = template.at(store_url, last)
    rebuild(store_url, 1)
    entry = template.entries[last]
    template.record(log, [entry])
    log.close()
    found = differences(store_url, "shown", "log")
    assert {each.account for each in found} == {entry.account}
    assert {each.event for each in found} == {(entry.version, "PaymentReceived")}
    (version,) = [each for each in found if (each.projection, each.column) == ("accounts", "version")]
    assert (version.a, version.b) == (entry.version - 1, entry.version)
    assert any((each.projection, each.column, each.a) == ("receivables", "", None) for each in found)


def test_what_was_known_at_a_moment(ledger_url, template):
    moment = datetime(2022, 12, 1, 12, 0, tzinfo=PACIFIC)
    found = differences(ledger_url, "log", f"known-at:{moment:%Y-%m-%dT%H:%M}")
    assert found
    for account in template.accounts:
        folded = template.folded[account]
        known = [each for each in folded.history if each.known_from <= moment]
        (balance,) = [each for each in found if each[:4] == (account, "balances", "", "balance")] or [None]
        then = Folded(account, known, folded.world).account.balance if known else None
        if known and then != folded.account.balance:
            assert (balance.a, balance.b) == (folded.account.balance, then)
            assert balance.event.version not in {each.version for each in known}
        else:
            assert balance is None


def test_the_event_is_the_one_that_sets_the_sides_apart(ledger_url):
    """Found by halving; here the folds before and after it are looked at."""
    with ExitStack() as stack:
        a, b = side(stack, ledger_url, "log"), side(stack, ledger_url, "known-at:2022-12-10T12:00")
        found = [each for some in compare(a, b) for each in some]
        assert found
        for each in found:

            def apart(version, each=each):
                rows = [one.after(each.account, version, each.projection).get(each.row) for one in (a, b)]
                return len({repr(row.get(each.column) if row and each.column else row) for row in rows}) == 2

            assert apart(each.event.version)
            assert not apart(each.event.version - 1)
            assert each.event.type == a.events(each.account)[each.event.version]


def test_no_beginning_of_a_history_is_folded_twice_for_a_side(ledger_url, template, monkeypatch):
    """However many values differ: the moments looked at are mostly the same ones."""
    folds, rows = Counter(), Counter()

    class Counting(Folded):
        def __init__(self, account, events, world):
            folds[account, len(events), id(world)] += 1
            super().__init__(account, events, world)

    def counting(name, projection):
        def counted(folded):
            rows[name, id(folded)] += 1
            keep.append(folded)
            return projection.rows(folded)

        return projection._replace(rows=counted)

    keep = []
    monkeypatch.setattr(comparing, "Folded", Counting)
    monkeypatch.setattr(comparing, "PROJECTIONS", {name: counting(name, each) for name, each in PROJECTIONS.items()})
    found = differences(ledger_url, "known-at:2022-03-01T12:00", "known-at:2022-12-10T12:00")
    assert len(found) > 5 * len(template.accounts)
    assert set(folds.values()) == {1}
    assert set(rows.values()) == {1}
    assert sum(folds.values()) < len(found)


def test_the_first_differences_are_printed_and_the_others_counted_by_table(ledger_url):
    asked = ["--db", ledger_url, "projections", "diff", "log", "known-at:2022-12-10T12:00"]
    every = CliRunner().invoke(cli, [*asked, "--all"])
    *lines, last = every.output.splitlines()
    short = CliRunner().invoke(cli, asked)
    *first, left, total = short.output.splitlines()
    assert (first, total) == (lines[:50], last)
    count = len(lines) - 50
    assert last.endswith(f", {len(lines):,} differences")
    assert left.startswith(f"and {count:,} more (")
    assert left.endswith("): --all prints each")
    assert sum(int(each.replace(",", "")) for each in re.findall(r"([\d,]+) in ", left)) == count
    assert (every.exit_code, short.exit_code) == (1, 1)
    assert len(json.loads(CliRunner().invoke(cli, [*asked, "--json"]).output)["differences"]) == len(lines)


def test_another_pack_moves_the_days_it_names(ledger_url, tmp_path):
    file = tmp_path / "pack.toml"
    file.write_text(PACK.read_text().replace("since = 2020-02-01, days = 79", "since = 2020-02-01, days = 85"))
    found = differences(ledger_url, "log", f"pack:{file}")
    moved = [each for each in found if (each.projection, each.column) == ("bills", "shutoff_from")]
    assert moved
    assert {each.event.type for each in moved} == {"BillIssued"}
    assert all(each.a < each.b for each in moved)
    assert not [each for each in found if each.projection in ("balances", "receivables", "daily_usage")]


def test_another_ledger(ledger_url, template, tmp_path):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    template.at(other, len(template.entries) - 1).close()
    found = differences(ledger_url, "log", f"db:{other}")
    last = template.entries[-1]
    assert {(each.account, each.event) for each in found} == {(last.account, (last.version, last.type))}


def test_rows_of_another_version_of_the_program(sqlite_store_url, template, tmp_path):
    template.at(sqlite_store_url).close()
    rebuild(sqlite_store_url, 1)
    name, account = str(tmp_path / "older.views.db"), template.accounts[0]
    with Projector(sqlite_store_url) as projector:
        projector.views.database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        projector.views.close()
        copyfile(projector.views.database.place, name)
        assert differences(sqlite_store_url, "log", f"views:{name}") == []
    import sqlite3

    older = sqlite3.connect(name)
    older.execute("DROP VIEW bills")
    older.execute("CREATE VIEW gone AS SELECT account FROM accounts")
    older.execute("UPDATE folded_1 SET balances = '[[7,0,0,0,0]]' WHERE account = ?", (account,))
    older.commit()
    older.close()
    with ExitStack() as stack:
        sides = side(stack, sqlite_store_url, "log"), side(stack, sqlite_store_url, f"views:{name}")
        (found,) = [each for each in compare(*sides) if each]
        left_out = not_shared(*sides)
    assert {(each.projection, each.column, each.b) for each in found} >= {("balances", "balance", 7)}
    assert all(each.event for each in found), "the event from which the log's value comes"
    assert "bills.unpaid" in left_out


def test_rows_that_do_not_follow_have_no_event(ledger_url, template):
    rebuild(ledger_url, 1)
    with Projector(ledger_url) as projector:
        generation = projector.views.shown()
        wrong = "UPDATE {s}" + generation.table + " SET balances = ? WHERE account = ?"
        projector.views.database.run(wrong, ("[[7,0,0,0,0]]", template.accounts[0]))
    found = differences(ledger_url, "shown", "log")
    assert {(each.account, each.projection) for each in found} == {(template.accounts[0], "balances")}
    assert {each.event for each in found} == {None}


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("rows", click.BadParameter, "none of shown, log"),
        ("known-at:", click.BadParameter, "none of shown, log"),
        ("known-at:yesterday", click.BadParameter, "not a moment"),
        ("views:nowhere.views.db", click.BadParameter, "no file"),
        ("db:mysql://", Exception, "mysql|address"),
    ],
)
def test_a_side_that_is_none(ledger_url, name, error, words):
    with ExitStack() as stack, pytest.raises(error, match=words):
        side(stack, ledger_url, name)


def test_a_pack_or_a_file_that_is_none(ledger_url, tmp_path):
    file = tmp_path / "note.txt"
    file.write_text("this is no pack")
    with ExitStack() as stack:
        with pytest.raises(Invalid, match="not TOML"):
            side(stack, ledger_url, f"pack:{file}")
        file.write_bytes(b"\xff\xfe\x00 no text either")
        with pytest.raises(Invalid, match="not UTF-8 text"):
            side(stack, ledger_url, f"pack:{file}")
        with pytest.raises(StoreError, match="not an SQLite file"):
            side(stack, ledger_url, f"views:{file}")
        with pytest.raises(StoreError, match="no rows yet"):
            side(stack, ledger_url, "shown")


def test_what_was_asked_on_a_day_is_what_it_is_asked_for_today(store_url, template, tmp_path):
    """Aging on D, asked today as known then, is aging as it was asked on D: later payments never count."""
    from commands.answers_over_all import aging
    from commands.questions import books_at

    learned = [decode([entry.state])[0].known_from for entry in template.entries]
    cut = next(n for n in range(len(learned) * 3 // 5, len(learned)) if max(learned[:n]) < min(learned[n:]))
    then, today = f"sqlite:///{tmp_path / 'then.db'}", store_url
    template.at(then, cut).close()
    template.at(today).close()
    moment = max(learned[:cut])
    with books_at(then) as books:
        asked_then = aging(books.histories(), *books.utility().rules(), moment.date())
    with books_at(today) as books:
        asked_today = aging(books.histories(), *books.utility().rules(moment), moment.date(), moment)
        unaware = aging(books.histories(), *books.utility().rules(), moment.date())
        later = [h for h in books.histories() if any(e.day > moment.date() for e in h.events)]
    assert asked_then["rows"]
    assert {**asked_today, "known_at": None} == asked_then
    # By what is known now, what takes effect later counts no more than if it had never come.
    assert later
    kept = [History(h.account, [e for e in h.events if e.day <= moment.date()]) for h in later]
    rows = {row["account"]: row for row in unaware["rows"]}
    assert [rows[row["account"]] for row in aging(kept, None, None, moment.date())["rows"]]
