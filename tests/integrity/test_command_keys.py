"""Command keys stand in no hash; the audit compares them with the events that they are of."""

from random import Random

import pytest

from commands.catalogue import titles
from ledger.application import Ledger, create
from ledger.integrity.audit import Evidence, verify
from scripts.campaigns.acting import clock, command, records
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
    ("UPDATE command SET account = 'A-1' WHERE key = 'id/A-0.1'", "is not the id that its events hold"),
]


@pytest.mark.parametrize(("statement", "told"), ABOUT_KEYS)
def test_a_command_key_that_was_altered_is_told(ledger, statement, told):
    evidence = Evidence(titles=titles())
    assert verify(ledger, evidence).findings == []
    tampered(ledger, statement if ledger.startswith("postgres") else statement.replace("%%", "%"))
    assert any(told in found.reason for found in verify(ledger, evidence).findings), verify(ledger, evidence)

