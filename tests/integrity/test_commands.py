"""`audit` as people call it: what it prints, and how it ends."""

import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from commands.audit import note_text
from ledger.calendar import PACIFIC
from tests import transcripts

START = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)


class Desk:
    """A shell in a folder of its own, an hour later at every command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = START

    def __call__(self, line: str, to: str | None = None) -> tuple[str, int]:
        """What a command prints, and its exit code; `to` keeps its standard output in a file of the folder."""
        self.now += timedelta(hours=1)
        words = [word.replace("~", f"{self.folder}/") for word in line.split()]
        printed, code = transcripts.run(words, b"", self.folder, self.now)
        if to:
            kept = [each for each in printed.splitlines(keepends=True) if not each.startswith(("seal ", "nothing new"))]
            (self.folder / to).write_text("".join(kept))
        return printed, code

    def open(self, account: str) -> None:
        assert (
            self(f"account open --account {account} --opened-on 2019-06-01 --name Sample --service-address Here")[1]
            == 0
        )


@pytest.fixture
def shell(tmp_path: Path) -> Desk:
    """A new ledger with a key to seal with."""
    made = Desk(tmp_path)
    made("init")
    made("audit key create")
    made("audit key show", to="log.vkey")
    return made


@pytest.fixture
def watched(shell: Desk) -> Desk:
    """Two seals, and a witness who saw the first."""
    shell("audit seal", to="1.note")
    shell.open("7001")
    shell("audit seal", to="2.note")
    assert shell("audit key create --witness auditor.example/w --key ~mine.key")[1] == 0
    assert shell("audit witness ~1.note --first --log-key ~log.vkey --key ~mine.key", to="kept.note")[1] == 0
    return shell


def test_before_there_is_a_key_every_command_says_how_to_make_one(tmp_path: Path):
    shell = Desk(tmp_path)
    assert shell("audit seal") == (
        "Error: there is no ledger here yet; 'water-ledger init' or any command creates one (see --db)\n",
        4,
    )
    shell("init")
    for command in ("seal", "note", "key show", "key rotate", "archive -o ~a"):
        printed, code = shell(f"audit {command}")
        assert "has no key to seal with yet (create one with 'water-ledger audit key create')" in printed
        assert code == 1
    assert shell("audit verify") == ("5 events, 1 accounts, 0 seals; 5 events are not sealed yet; 0 findings\n", 0)


def test_sealing_says_what_was_sealed_and_prints_the_note(shell: Desk):
    printed, code = shell("audit seal")
    assert code == 0
    assert printed.startswith("seal 1: 5 events\ndel-oro.example/ledger\n6\n")
    again, code = shell("audit seal")
    assert code == 0
    assert again == printed.replace("seal 1: 5 events", "nothing new since seal 1")
    assert shell("audit note") == shell("audit note 1") == (printed.partition("events\n")[2], 0)
    assert shell("audit note 2") == ("Error: there is no signed seal 2\n", 1)


def test_a_key_is_made_once_and_is_its_owner_s(shell: Desk):
    path = shell.folder / "water-ledger.seal.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "has a key already" in shell("audit key create")[0]
    path.chmod(0o644)
    printed, code = shell("audit seal")
    assert "others may read it (chmod 600" in printed
    assert code == 1


def test_a_witness_signs_what_extends_her_last_note(watched: Desk):
    printed, code = watched("audit witness ~2.note ~kept.note --log-key ~log.vkey --key ~mine.key")
    assert code == 0
    assert printed.startswith((watched.folder / "2.note").read_text())
    assert "\n— auditor.example/w " in printed


@pytest.mark.parametrize(
    ("line", "told", "exit_code"),
    [
        ("~1.note ~2.note --log-key ~log.vkey --key ~mine.key", "is older than the last one, of size 8", 3),
        ("~2.note ~1.note --log-key ~log.vkey --key ~mine.key", "does not carry your own cosignature", 3),
        ("~2.note --log-key ~log.vkey --key ~mine.key", "give the last note that you kept, or --first", 2),
        ("~2.note ~kept.note --log-key ~log.vkey --key ~water-ledger.seal.key", "is not a witness's", 1),
        ("~2.note ~kept.note --log-key nothing --key ~mine.key", "a verifier key is NAME+8 HEX DIGITS+BASE64", 2),
        ("~log.vkey ~kept.note --log-key ~log.vkey --key ~mine.key", "a note is a text, an empty line", 3),
    ],
)
def test_a_witness_signs_nothing_else(watched: Desk, line: str, told: str, exit_code: int):
    printed, code = watched(f"audit witness {line}")
    assert told in printed
    assert code == exit_code


@pytest.mark.parametrize(
    "line", ["verify --key ~none", "replay ~ --key ~none", "witness ~2.note --first --log-key ~none --key ~mine.key"]
)
def test_a_file_that_holds_no_key_is_a_call_that_was_wrong(watched: Desk, line: str):
    (watched.folder / "none").touch()
    printed, code = watched(f"audit {line}")
    assert "a verifier key is NAME+8 HEX DIGITS+BASE64" in printed
    assert code == 2


def test_a_name_that_no_note_can_hold_is_a_call_that_was_wrong(shell: Desk):
    printed, code = shell("audit key create --witness a+b --key ~mine.key")
    assert "'a+b' cannot name a key" in printed
    assert code == 2
    assert not (shell.folder / "mine.key").exists()


def test_a_witness_does_not_sign_a_log_that_was_rewritten(watched: Desk):
    with closing(sqlite3.connect(watched.folder / "water-ledger.db")) as db:
        db.execute("DROP TRIGGER tree_part_update_refused")
        db.execute("UPDATE tree_part SET hashes = zeroblob(length(hashes)) WHERE first = 0")
        db.commit()
    printed, code = watched("audit witness ~2.note ~kept.note --log-key ~log.vkey --key ~mine.key")
    assert "the log of size 8 does not extend the one of size 6: it was rewritten" in printed
    assert code == 3


def test_a_note_that_comes_in_pieces_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch):
    """Given a standard input that answers with nothing where nothing is there yet, which some programs leave behind."""
    out, into = os.pipe()
    os.set_blocking(out, False)

    def write_slowly() -> None:
        with os.fdopen(into, "wb", buffering=0) as writer:
            for some in ("half a n", "ote: ½\n"):
                time.sleep(0.2)
                writer.write(some.encode())

    with os.fdopen(out) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        writing = Thread(target=write_slowly)
        writing.start()
        assert note_text("-") == "half a note: ½\n"
        writing.join()


def test_keys_are_rotated_and_the_old_one_still_leads_to_the_new(watched: Desk):
    printed, code = watched("audit key rotate")
    assert code == 0
    assert printed != (watched.folder / "log.vkey").read_text()
    watched.open("7002")
    assert watched("audit seal", to="3.note")[1] == 0
    assert watched("audit witness ~3.note ~kept.note --log-key ~log.vkey --key ~mine.key")[1] == 0
    assert watched("audit verify --key ~log.vkey --note ~kept.note")[1] == 0
    assert "key 2, from seal 3 on: " in watched("audit key show --all")[0]
    assert len(list(watched.folder.glob("water-ledger.seal.key*"))) == 2


def test_a_rotation_that_died_is_finished_by_the_next(watched: Desk, monkeypatch: pytest.MonkeyPatch):
    from commands import audit_keys

    with monkeypatch.context() as patch:
        patch.setattr(audit_keys, "_replace", lambda path, coming: (_ for _ in ()).throw(KeyboardInterrupt))
        assert watched("audit key rotate")[1] == 1
    watched.open("7002")
    assert "the log's current key is" in watched("audit seal")[0]
    assert watched("audit key rotate")[1] == 0
    assert watched("audit seal")[1] == 0
    assert watched("audit verify")[1] == 0


def test_a_lost_key_is_followed_by_one_that_nobody_named(watched: Desk):
    (watched.folder / "water-ledger.seal.key").unlink()
    assert "there is no key to sign with at" in watched("audit key rotate")[0]
    assert watched("audit key rotate --lost")[1] == 0
    watched("audit key show", to="new.vkey")
    watched.open("7002")
    assert watched("audit seal")[1] == 0
    printed, code = watched("audit verify --key ~log.vkey")
    assert "was not named by the key before, which was lost or replaced" in printed
    assert code == 3
    assert watched("audit verify --key ~new.vkey")[1] == 0


def test_what_is_wrong_is_printed_and_ends_in_3(watched: Desk):
    with closing(sqlite3.connect(watched.folder / "water-ledger.db")) as db:
        db.execute("DROP TRIGGER event_update_refused")
        db.execute("UPDATE event SET state = CAST(state || ' ' AS BLOB) WHERE account = '7001'")
        db.commit()
    printed, code = watched("audit verify")
    assert printed == (
        "account 7001, version 1: its stored bytes, or its hash, are not those that were recorded\n"
        "6 events, 2 accounts, 2 seals; 1 findings\n"
    )
    assert code == 3
    printed, code = watched("audit verify --json")
    assert json.loads(printed)["findings"][0]["account"] == "7001"
    assert code == 3


def test_tables_are_compared_when_asked(watched: Desk):
    watched("projections rebuild")
    assert watched("audit verify --projections")[1] == 0
    with closing(sqlite3.connect(watched.folder / "water-ledger.views.db")) as db:
        db.execute("UPDATE folded_1 SET balances = replace(balances, '[[', '[[1') WHERE account = '7001'")
        db.commit()
    printed, code = watched("audit verify --projections")
    assert printed.startswith("account 7001: balances balance is kept as 10, and the log gives 0\n")
    assert code == 3
    assert watched("audit verify")[1] == 0


def test_what_is_wrong_with_the_log_is_told_though_its_tables_cannot_be_compared(watched: Desk):
    watched("projections rebuild")
    with closing(sqlite3.connect(watched.folder / "water-ledger.db")) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        broken = "CAST(replace(CAST(state AS TEXT), '{', '{,') AS BLOB)"
        db.execute(f"UPDATE event SET state = {broken} WHERE account = '7001'")
        db.commit()
    printed, code = watched("audit verify --projections")
    assert printed.startswith("account 7001, version 1: its stored bytes, or its hash, are not those")
    assert "the log: the tables cannot be compared: a stored event cannot be read" in printed
    assert code == 3


def test_damaged_pages_of_the_heads_are_made_anew_once_they_are_removed(watched: Desk):
    pages = watched.folder / "water-ledger.heads.db"
    for each in watched.folder.glob("*.heads.db*"):
        each.unlink()
    pages.write_bytes(b"no database at all" * 100)
    printed, code = watched("audit verify")
    assert ("(remove it, and 'water-ledger audit seal' makes it anew)" in printed, code) == (True, 3)
    pages.unlink()
    assert watched("audit seal")[1] == 0
    assert watched("audit verify")[0].endswith("; 0 findings\n")


def test_an_archive_needs_a_seal_and_a_folder_of_its_own(shell: Desk):
    printed, code = shell("audit archive -o ~a")
    assert ("has no signed seal yet" in printed, code) == (True, 1)
    shell("audit seal")
    printed, code = shell("audit archive -o ~")
    assert ("is not empty, and an archive is never mixed with anything" in printed, code) == (True, 2)


def test_an_archive_is_checked_where_there_is_no_store(watched: Desk):
    watched("audit archive -o ~archive")
    printed, code = watched("--db sqlite:///~nowhere.db audit replay ~archive --key ~log.vkey")
    assert "6 events, 2 accounts: all chains, and the seal under the note; signed by the key given" in printed
    assert printed.endswith("no table was folded: there is no store here to lend its key (see --db)\n")
    assert (code, (watched.folder / "nowhere.db").exists()) == (0, False)
    printed, code = watched("--db sqlite:///~nowhere.db audit replay ~archive --tables")
    assert ("there is no ledger here yet" in printed, code) == (True, 4)
    (segment,) = (watched.folder / "archive").glob("segment-*")
    segment.write_bytes(segment.read_bytes()[:-9])
    assert watched("--db sqlite:///~nowhere.db audit replay ~archive")[1] == 3


def test_an_archive_is_written_and_replayed(watched: Desk):
    printed, code = watched("audit archive -o ~archive")
    assert printed.endswith("archive: 6 events, 2 accounts, 1 segments, sealed by seal 2\n")
    assert code == 0
    watched("projections rebuild")
    printed, code = watched("audit replay ~archive --key ~log.vkey --tables")
    assert "6 events, 2 accounts: all chains, and the seal under the note; signed by the key given" in printed
    assert "differs" not in printed
    assert code == 0
    watched("projections rebuild")
    watched.open("7002")
    watched("projections follow --once")
    printed, code = watched("audit replay ~archive --tables")
    assert "its signature was not checked: give --key" in printed
    assert "differs from the tables" in printed
    assert code == 3
