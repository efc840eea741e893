"""However the rows were built, they are the same: folded, followed, rebuilt, killed in between (P5)."""

import random
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from commands.cli import cli
from ledger import events as e
from ledger.store.codec import encode
from ledger.store.log import Entry, NotALedger, StoreError
from ledger.store.open import open_log
from projections import rebuild as rebuilding
from projections import runner, store
from projections.catalogue import PROJECTIONS
from projections.rebuild import rebuild
from projections.runner import Projector
from projections.verify import verify
from tests.projections.conftest import NOW, digests

ROOT = Path(__file__).parents[2]


def follow(url: str) -> int:
    """Take in all there is; returns how many events."""
    taken = 0
    with Projector(url) as projector:
        while found := projector.step():
            taken += found
    return taken


@pytest.mark.parametrize("processes", [1, 2])
def test_a_rebuild_gives_what_the_fold_gives(ledger_url, template, processes, monkeypatch):
    monkeypatch.setattr(rebuilding, "WORTH_A_PROCESS", 100)
    told = []
    rebuild(ledger_url, processes, lambda done, total: told.append((done, total)))
    assert digests(ledger_url) == template.digests
    assert told[-1][0] == len(template.accounts)
    with Projector(ledger_url) as projector:
        assert [found for found in verify(projector) if found] == []
        assert len(projector.views.generations()) == 1


def test_one_account_is_rebuilt_however_many_processes_there_could_be(store_url, template, monkeypatch):
    """A customer of ten years on a machine of eight cores: there are more processes than accounts to share out."""
    monkeypatch.setattr(rebuilding, "WORTH_A_PROCESS", 1)
    first = template.accounts[0]
    log = template.at(store_url, 0)
    template.record(log, [entry for entry in template.entries if entry.account in (e.UTILITY, first)])
    log.close()
    rebuild(store_url, 8)
    with Projector(store_url) as projector:
        assert list(projector.views.accounts(projector.views.shown())) == [first]
        assert [found for found in verify(projector) if found] == []


def test_where_there_is_no_ledger_no_tables_are_made(store_url):
    with Projector(store_url) as projector:
        with pytest.raises(NotALedger, match="there is no ledger here yet; 'water-ledger init' or any command"):
            projector.prepare()
        assert not projector.views.database.exists()


def test_what_follows_any_interleaving_is_what_a_rebuild_gives(store_url, template, monkeypatch):
    monkeypatch.setattr(runner, "BATCH", 37)
    monkeypatch.setattr(runner, "AT_ONCE", 2)
    chance, rest = random.Random(11), 700
    log = template.at(store_url, rest)
    rebuild(store_url, 1)
    with Projector(store_url) as projector:
        while rest < len(template.entries):
            count = chance.randint(1, 400)
            template.record(log, template.entries[rest : rest + count])
            rest += count
            for _ in range(chance.randint(0, 4)):
                projector.step()
                if projector.views.shown().utility < sum(x.account == e.UTILITY for x in template.entries[:rest]):
                    rebuild(store_url, 1)
    while follow(store_url):
        pass
    log.close()
    assert digests(store_url) == template.digests


def test_a_close_of_the_books_is_passed_over_and_a_closure_of_the_offices_is_not(ledger_url, template):
    rebuild(ledger_url, 1)
    version = sum(entry.account == e.UTILITY for entry in template.entries)
    close = e.BooksClosed(version=version + 1, recorded_at=NOW, through=NOW.date())
    closure = e.OfficeClosed(version=version + 2, recorded_at=NOW, on=NOW.date(), reason="storm")
    log = open_log(ledger_url)
    with Projector(ledger_url) as projector:
        log.append([Entry(e.UTILITY, close.version, close.type, encode(close))])
        assert projector.step() == 1
        assert projector.behind(projector.views.shown()) == 0
        log.append([Entry(e.UTILITY, closure.version, closure.type, encode(closure))])
        assert projector.step() is None
    log.close()
    rebuild(ledger_url, 1)
    with Projector(ledger_url) as projector:
        assert projector.views.shown().utility == closure.version


def test_two_followers_at_once_take_each_event_once(store_url, template):
    utility = max(n for n, entry in enumerate(template.entries) if entry.account == e.UTILITY) + 1
    log = template.at(store_url, utility)
    rebuild(store_url, 1)
    taken, over = [], threading.Event()

    def another():
        with Projector(store_url) as projector:
            while not over.is_set() or projector.behind(projector.views.shown()):
                taken.append(projector.step() or 0)

    followers = [threading.Thread(target=another) for _ in range(2)]
    for follower in followers:
        follower.start()
    for first in range(utility, len(template.entries), 150):
        template.record(log, template.entries[first : first + 150])
    over.set()
    for follower in followers:
        follower.join()
    log.close()
    assert sum(taken) == len(template.entries) - utility
    assert digests(store_url) == template.digests


def test_what_is_recorded_during_a_rebuild_is_caught_up_with(store_url, template, monkeypatch):
    late = len(template.entries) - 300
    while any(entry.account == e.UTILITY for entry in template.entries[late:]):
        late += 20
    log = template.at(store_url, late)
    fill = rebuilding._fill

    def meanwhile(*arguments):
        fill(*arguments)
        template.record(log, template.entries[late:])

    monkeypatch.setattr(rebuilding, "_fill", meanwhile)
    rebuild(store_url, 1)
    log.close()
    assert digests(store_url) == template.digests


def test_rules_that_change_during_a_rebuild_start_it_over(ledger_url, template, monkeypatch):
    fill, counted = rebuilding._fill, []

    def meanwhile(*arguments):
        fill(*arguments)
        counted.append(1)
        if len(counted) == 1:
            close_office(ledger_url, template, "2022-06-06")

    monkeypatch.setattr(rebuilding, "_fill", meanwhile)
    generation = rebuild(ledger_url, 1)
    assert (len(counted), generation.number) == (2, 2)
    with Projector(ledger_url) as projector:
        assert [found for found in verify(projector) if found] == []


def test_rules_that_never_rest_end_a_rebuild(ledger_url, template, monkeypatch):
    fill, days = rebuilding._fill, iter(range(1, 20))

    def meanwhile(*arguments):
        fill(*arguments)
        close_office(ledger_url, template, f"2022-06-{next(days):02}")

    monkeypatch.setattr(rebuilding, "_fill", meanwhile)
    with pytest.raises(StoreError, match="run the rebuild again"):
        rebuild(ledger_url, 1)


def close_office(url, template, day):
    """Record a closure of the whole utility."""
    log = open_log(url)
    version = log.tip(e.UTILITY).version + 1
    event = e.OfficeClosed(on=datetime.fromisoformat(day).date(), reason="a storm")
    event = msgspec.structs.replace(event, version=version, recorded_at=NOW)
    template.record(log, [Entry(e.UTILITY, version, event.type, encode(event))])
    log.close()


def test_a_closure_moves_the_dates_of_every_bill_it_touches(ledger_url, template, ask):
    rebuild(ledger_url, 1)
    day, count = ask("SELECT grace_until, count(*) FROM bills GROUP BY grace_until ORDER BY count(*) DESC LIMIT 1")[0]
    assert count > 1
    close_office(ledger_url, template, day)
    with Projector(ledger_url) as projector:
        assert projector.step() is None
        assert ask(f"SELECT count(*) FROM bills WHERE grace_until = '{day}'") == [(count,)]
        rebuild(ledger_url, 1)
        assert projector.step() == 0
    assert ask(f"SELECT count(*) FROM bills WHERE grace_until = '{day}'") == [(0,)]


def victim(url, what):
    program = [sys.executable, "-m", "tests.projections.victim", url, what]
    run = subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert run.stdout.readline() == "ready\n"
    return run


def test_a_rebuild_killed_anywhere_goes_on_to_the_same_rows(ledger_url, template):
    chance = random.Random(3)
    for _ in range(5):
        run = victim(ledger_url, "rebuild")
        time.sleep(chance.randint(1, 1500) / 1000)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    rebuild(ledger_url, 1)
    assert digests(ledger_url) == template.digests
    with Projector(ledger_url) as projector:
        assert len(projector.views.generations()) == 1


def test_a_rebuild_goes_on_where_a_killed_one_stopped(ledger_url, template, monkeypatch):
    monkeypatch.setattr(rebuilding, "AT_ONCE", 5)
    with Projector(ledger_url) as projector:
        projector.prepare()
        generation = rebuilding._begun(projector, list(projector.log.accounts()), 1)
        (stretch,) = projector.views.stretches(generation)
        killed = rebuilding.fold_stretch(projector, generation, stretch)
        assert next(killed) + next(killed) == 10
        killed.close()
        (stretch,) = projector.views.stretches(generation)
        assert stretch.done == template.accounts[9]
    told = []
    assert rebuild(ledger_url, 1, lambda done, total: told.append(done)).number == generation.number
    assert told[-1] == len(template.accounts) - 10
    assert digests(ledger_url) == template.digests


def test_a_rebuild_by_rules_that_were_mended_since_is_begun_anew(ledger_url, template):
    with Projector(ledger_url) as projector:
        projector.prepare()
        stopped = rebuilding._begun(projector, list(projector.log.accounts()), 1)
        close_office(ledger_url, template, "2022-06-06")
        assert rebuilding._unfinished(projector) is None
        assert stopped.number not in [found.number for found in projector.views.generations()]


def test_two_who_fold_one_stretch_write_each_account_once(ledger_url, template, monkeypatch):
    monkeypatch.setattr(rebuilding, "AT_ONCE", 3)
    with Projector(ledger_url) as one, Projector(ledger_url) as two:
        one.prepare()
        generation = rebuilding._begun(one, list(one.log.accounts()), 1)
        (stretch,) = one.views.stretches(generation)
        turns = [rebuilding.fold_stretch(each, generation, stretch) for each in (one, two)]
        counted = 0
        while turns:
            for turn in list(turns):
                found = next(turn, None)
                if found is None:
                    turns.remove(turn)
                counted += found or 0
    assert counted == len(template.accounts)
    rebuild(ledger_url, 1)
    assert digests(ledger_url) == template.digests


def test_a_follower_killed_anywhere_takes_each_event_once(store_url, template):
    utility = max(n for n, entry in enumerate(template.entries) if entry.account == e.UTILITY) + 1
    chance = random.Random(5)
    log = template.at(store_url, utility)
    rebuild(store_url, 1)
    step = (len(template.entries) - utility) // 4 + 1
    for first in range(utility, len(template.entries), step):
        run = victim(store_url, "follow")
        for part in range(first, min(first + step, len(template.entries)), 40):
            template.record(log, template.entries[part : min(part + 40, first + step)])
        time.sleep(chance.randint(1, 200) / 1000)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
    follow(store_url)
    log.close()
    assert digests(store_url) == template.digests


def test_readers_see_the_old_rows_or_the_new_and_never_neither(ledger_url, template, ask):
    rebuild(ledger_url, 1)
    over, seen = threading.Event(), []

    def read():
        while not over.is_set():
            seen.append(ask("SELECT count(*) FROM accounts")[0][0])
            seen.append(ask("SELECT count(DISTINCT account) FROM balances")[0][0])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(4):
        rebuild(ledger_url, 1)
    over.set()
    reader.join()
    assert len(seen) > 20
    assert set(seen) == {len(template.accounts)}


def test_rows_of_another_version_of_the_program_are_not_followed(ledger_url, monkeypatch):
    rebuild(ledger_url, 1)
    with Projector(ledger_url) as projector:
        assert projector.step() == 0
        monkeypatch.setattr(runner, "code", lambda: "another")
        assert projector.step() is None


def test_digests_keep_no_row_in_memory_and_the_program_is_read_once(ledger_url, template, monkeypatch):
    rebuild(ledger_url, 1)
    digests(ledger_url)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read again"))
    assert store.code() == store.code()
    assert not hasattr(store.line_of, "cache_info")


def test_the_digests_name_every_projection(ledger_url, template):
    assert list(template.digests) == list(PROJECTIONS)
    assert len(set(template.digests.values())) == len(PROJECTIONS)


def test_a_follower_is_stopped_by_ctrl_c(ledger_url, monkeypatch):
    rebuild(ledger_url, 1)

    def stopped(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", stopped)
    found = CliRunner().invoke(cli, ["--db", ledger_url, "projections", "follow"])
    assert (found.exit_code, found.output) == (0, "stopped; 0 events taken in\n")


def test_a_follower_that_is_stopped_while_it_still_prepares_ends_as_at_any_time(ledger_url, monkeypatch):
    monkeypatch.setattr(Projector, "prepare", lambda self: signal.raise_signal(signal.SIGTERM))
    found = CliRunner().invoke(cli, ["--db", ledger_url, "projections", "follow"])
    assert (found.exit_code, found.output) == (0, "stopped; 0 events taken in\n")


def test_a_follower_is_stopped_by_sigterm_between_two_transactions(store_url, template):
    first = len(template.entries) - 300
    log = template.at(store_url, first)
    rebuild(store_url, 1)
    program = [sys.executable, "-m", "commands.cli", "--db", store_url, "projections", "follow"]
    with (
        Projector(store_url) as projector,
        subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run,
    ):
        template.record(log, template.entries[first : first + 100])
        until = time.monotonic() + 60
        while projector.behind(projector.views.shown()) and time.monotonic() < until:
            time.sleep(1 / 20)
        template.record(log, template.entries[first + 100 :])
        run.terminate()
        said, complained = run.communicate(timeout=60)
    assert (run.returncode, complained) == (0, "")
    assert said in ("stopped; 100 events taken in\n", "stopped; 300 events taken in\n")
    follow(store_url)
    log.close()
    assert digests(store_url) == template.digests
