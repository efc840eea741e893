"""Command keys stand in no hash; the audit compares them with the events that they are of."""

import sqlite3
from contextlib import closing
from random import Random
from typing import Any

import psycopg
import pytest

from commands.catalogue import titles
from ledger.application import Ledger, create
from ledger.integrity.audit import Evidence, verify
from ledger.integrity.chains import Finding
from scripts.campaigns.acting import clock, command, elsewhere, lives, records
from scripts.campaigns.tampering import tampered


@pytest.fixture
def ledger(store_url):
    """Two accounts in a ledger that was never sealed."""
    create(store_url, clock, origin="torture.example/ledger")
    with Ledger(store_url, clock) as made:
        list(made.post_all(map(command, records(Random(1), 2, 4))))
    return store_url


ABOUT_KEYS = [
    ("UPDATE command SET first = 3 WHERE key = 'id/A-0.1'", "names versions 3 to 2"),
    ("UPDATE command SET last = 77 WHERE key = 'id/A-0.1'", "and they are not there"),
    ("UPDATE command SET key = 'id/A-0.7' WHERE key = 'id/A-0.1'", "the command key 'id/A-0.7'"),
    (
        "UPDATE command SET key = replace(key, 'bill issue', 'bill issuf') WHERE key LIKE '%%bill%%'",
        "not of its events",
    ),
    ("UPDATE command SET key = replace(key, 'B-', 'B_') WHERE key LIKE '%%/B-%%'", "is not of its events"),
    ("UPDATE command SET key = 'id/A-0.77' WHERE key = 'id/A-1.1'", "the command key 'id/A-0.77'"),
    ("UPDATE command SET digest = substr(digest, 1, 31) WHERE key = 'id/A-0.1'", "has a digest of 31 bytes"),
    ("UPDATE command SET account = 'A-1' WHERE key = 'id/A-0.1'", "is not the id that its events hold"),
]


@pytest.mark.parametrize(("statement", "told"), ABOUT_KEYS)
def test_a_command_key_that_was_altered_is_told(ledger, statement, told):
    evidence = Evidence(titles=titles())
    assert verify(ledger, evidence).findings == []
    tampered(ledger, statement if ledger.startswith("postgres") else statement.replace("%%", "%"))
    assert any(told in found.reason for found in verify(ledger, evidence).findings), verify(ledger, evidence)


ABOUT = {"name": "Sample Customer", "service_address": "1 Example Lane"}
AGAIN: list[dict[str, Any]] = [
    {"command": "account open", "account": "T-1", "opened_on": "2024-01-02", **ABOUT},
    {"command": "account open", "account": "T-2", "opened_on": "2024-01-02", **ABOUT},
    {"command": "payment receive", "account": "T-1", "payment": "P-1", "received_at": "2024-02-01", "channel": "mail",
     "amount": "9.00"},
    {"command": "payment transfer", "account": "T-1", "payment": "P-1", "to_account": "T-2", "on": "2024-02-02",
     "reason": "wrong account", "id": "moved"},
    {"command": "payment transfer", "account": "T-2", "payment": "P-1", "to_account": "T-1", "on": "2024-02-03",
     "reason": "right after all"},
    {"command": "privacy erase", "account": "T-1", "class": "contact", "authority": "ticket 1"},
    {"command": "account correct", "account": "T-1", "reason": "misspelt", "name": "Sample Customer"},
    {"command": "privacy erase", "account": "T-1", "class": "contact", "authority": "ticket 1"},
    {"command": "contact attempt", "account": "T-1", "at": "2024-03-01T10:00", "method": "phone", "outcome": "reached"},
]  # fmt: skip
"""A payment that moved and came back, and the same data erased twice: the second time under the key of the first."""

DELETED = [
    ("id/moved", "T-1", 3, "its command key 'id/moved' is missing"),
    ("T-2 payment transfer/T-2/P-1/T-1", "T-2", 3, "no command key names it"),
    ("T-1 payment receive/T-1/P-1", "T-1", 2, "no command key names it"),
    ("T-1 privacy erase/%", "T-1", 5, "no command key names it"),
    ("T-1 contact attempt/%", "T-1", 8, "no command key names it"),
]


@pytest.fixture
def lived(store_url):
    """The lives of the simulator's scenarios, with ids and without, and a life of what is recorded once more."""
    create(store_url, clock, origin="torture.example/ledger")
    with Ledger(store_url, clock) as made:
        for life in lives():
            posted = [*life, *(elsewhere(record, "E") for record in life)]
            assert "recorded" in {each.status for each in made.post_all(map(command, posted), backfill=True)}
        for record in AGAIN:
            assert made.post(command(record)).status == "recorded", record
    return store_url


def test_a_command_key_that_was_deleted_is_told(lived):
    """Each event of a command is under its key; the ledger's own first events and the other side of a transfer are
    under none, and what an id is the only key of is told by that."""
    evidence = Evidence(titles=titles())
    assert verify(lived, evidence).findings == []
    for like, account, version, told in DELETED:
        (row,) = keys(lived, like)
        tampered(lived, "DELETE FROM command WHERE shard = %s AND key = %s", *row[:2])
        found = verify(lived, evidence, processes=1).findings
        assert (account, version) in {(each.account, each.version) for each in found if told in each.reason}, found
        tampered(lived, "INSERT INTO command VALUES (%s, %s, %s, %s, %s, %s)", *row)


def test_all_command_keys_of_an_account_that_were_deleted_are_told(lived):
    """Given an account with an event that came from elsewhere; the versions before it and behind it are named."""
    tampered(lived, "DELETE FROM command WHERE account = 'T-2' AND key NOT LIKE %s", "id/%")
    assert verify(lived, Evidence(titles=titles()), processes=1).findings == [
        Finding("T-2", 1, "no command key names it"),
        Finding("T-2", 3, "no command key names it"),
    ]
    tampered(lived, "DELETE FROM command WHERE account = 'T-1' AND key NOT LIKE %s", "id/%")
    told = [each[1:] for each in verify(lived, Evidence(titles=titles()), processes=1).findings if each[0] == "T-1"]
    assert told == [
        (1, "no command key names it, and so on up to version 2"),
        (5, "no command key names it, and so on up to version 6"),
        (8, "no command key names it"),
    ]


def test_whichever_command_key_is_deleted_its_event_is_named(lived):
    """The key of an id is always missed; the other key of a command that had an id is not, for the id is known."""
    evidence = Evidence(titles=titles())
    events = {(account, version) for _, _, _, account, first, last in keys(lived, "id/%") for version in (first, last)}
    rows = [row for row in keys(lived, "%") if row[1].startswith("id/") or (row[3], row[4]) not in events]
    for row in Random(1).sample(rows, 30 if lived.startswith("sqlite") else 5):
        tampered(lived, "DELETE FROM command WHERE shard = %s AND key = %s", *row[:2])
        found = verify(lived, evidence, processes=1).findings
        assert {(each.account, each.version) for each in found} >= {(row[3], row[4])}, row
        tampered(lived, "INSERT INTO command VALUES (%s, %s, %s, %s, %s, %s)", *row)
    assert verify(lived, evidence, processes=1).findings == []


def test_keys_are_missed_by_several_processes_as_by_one(lived, monkeypatch):
    (row,) = keys(lived, "T-1 payment receive/T-1/P-1")
    tampered(lived, "DELETE FROM command WHERE shard = %s AND key = %s", *row[:2])
    evidence = Evidence(titles=titles())
    alone = verify(lived, evidence, processes=1)
    for name, value in (("WORTH_A_PROCESS", 1), ("ACCOUNTS", 3), ("LEAST", 256), ("MOST", 256)):
        monkeypatch.setattr(f"ledger.integrity.readings.{name}", value)
    assert verify(lived, evidence, processes=2) == alone
    assert [each[:2] for each in alone.findings] == [("T-1", 2)]


def keys(url: str, like: str) -> list[tuple[Any, ...]]:
    """The command keys that are like this."""
    query = "SELECT shard, key, digest, account, first, last FROM command WHERE key LIKE %s ORDER BY key"
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            return db.execute(query.replace("%s", "?"), (like,)).fetchall()
    with psycopg.connect(url, options="-c search_path=ledger") as db:
        return db.execute(query, (like,)).fetchall()
