"""Campaign 17: what nobody may do to a ledger, tried as everybody; and what a superuser did is found."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import psycopg

from ledger.integrity.audit import verify
from ledger.store.log import Row
from ledger.store.open import keys_of
from scripts.campaigns.run import Round
from scripts.campaigns.sealing import House
from scripts.campaigns.tampering import tampered

_COLUMNS = {"seal": "body", "seal_note": "note", "seal_plan": "heads", "seal_key": "vkey", "tree_part": "hashes"}
"""The tables of seals, and a column of each."""

SEAL_CHANGES = [
    f"{act} {table}{rest}"
    for table, column in _COLUMNS.items()
    for act, rest in [("DELETE FROM", ""), ("UPDATE", f" SET {column} = {column}")]
]
"""On both stores nothing of a seal is taken back."""

SEAL_REPLACEMENTS = [f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" for table in _COLUMNS]

IN_A_FILE = [
    "UPDATE event SET state = x'7b7d'",
    "UPDATE OR REPLACE event SET version = 1 WHERE version = 2",
    "DELETE FROM event",
    "INSERT OR REPLACE INTO event SELECT 0, 1, account, version, type, state, hash FROM event WHERE version = 2",
    "INSERT OR REPLACE INTO event SELECT 0, 9, account, version, type, state, hash FROM event WHERE version = 2",
    "REPLACE INTO event SELECT * FROM event",
    "INSERT OR REPLACE INTO command SELECT * FROM command",
    "UPDATE command SET digest = x'00'",
    "DELETE FROM command",
    "UPDATE head SET head = 1",
    "DELETE FROM head",
    "INSERT OR REPLACE INTO head VALUES (0, 0)",
    "INSERT INTO head VALUES (1, 0)",
    "UPDATE meta SET value = 'x'",
    "DELETE FROM meta",
    "INSERT OR REPLACE INTO meta VALUES ('origin', 'x')",
    "INSERT INTO event VALUES (1, 3, 'A', 1, 'BillIssued', x'7b7d', x'00')",
    "INSERT INTO event VALUES (0, 3, 'A', 1, 'BillIssued', 'text is no blob', x'00')",
]
"""What the triggers and checks of a ledger in a file refuse whoever writes to it."""

WRITES = [
    "UPDATE ledger.event SET state = '{}'",
    "DELETE FROM ledger.event",
    "TRUNCATE ledger.event",
    "UPDATE ledger.command SET digest = 'x'",
    "DELETE FROM ledger.command",
    "TRUNCATE ledger.command",
    "UPDATE ledger.meta SET value = 'x'",
    "DELETE FROM ledger.meta",
    "INSERT INTO ledger.meta VALUES ('origin2', 'x')",
    "DELETE FROM ledger.head",
    "INSERT INTO ledger.head VALUES (65, 0)",
    "TRUNCATE ledger.head",
    "UPDATE ledger.head SET shard = 70 WHERE shard = 0",
    "DROP TABLE ledger.event",
    "ALTER TABLE ledger.event DISABLE TRIGGER ALL",
    "CREATE TABLE ledger.other (a int)",
    "DROP SCHEMA ledger CASCADE",
]
APPENDS = [
    "INSERT INTO ledger.event VALUES (0, 1, 'A', 1, 'BillIssued', '{}', 'x')",
    "INSERT INTO ledger.command VALUES (0, 'k', 'x', 'A', 1, 1)",
    "UPDATE ledger.head SET head = head",
]
KEY_STORE = [
    "SELECT * FROM ledger_keys.secret",
    "SELECT * FROM ledger_keys.data_key",
    "DELETE FROM ledger_keys.data_key",
]
MAY_NOT = {
    "ledger_app": [*WRITES, "UPDATE ledger_keys.data_key SET wrapped = 'x'", "DELETE FROM ledger_keys.secret"],
    "ledger_projector": [*WRITES, *APPENDS, *KEY_STORE],
    "ledger_auditor": [*WRITES, *APPENDS, *KEY_STORE],
}
"""What the roles of a ledger without seals may not do."""

OWNERS = [s for s in WRITES if s.startswith(("UPDATE", "DELETE", "TRUNCATE")) and ".head SET" not in s]
"""What the triggers refuse even its owner."""

_CHANGES = [
    f"{act} ledger.{table}{rest}"
    for table, column in _COLUMNS.items()
    for act, rest in [("DELETE FROM", ""), ("UPDATE", f" SET {column} = {column}"), ("TRUNCATE", "")]
]
_ADDITIONS = [
    "INSERT INTO ledger.seal_note VALUES (9, 'x')",
    "INSERT INTO ledger.seal_key VALUES (9, 9, 'x', 'x')",
    "INSERT INTO ledger.tree_part VALUES (0, 99, 'x')",
    "DELETE FROM ledger.head_page",
    "SELECT ledger.settled_heads()",
]
_RECORDING = [
    "INSERT INTO ledger.event VALUES (0, 1, 'A', 1, 'BillIssued', '{}', 'x')",
    "UPDATE ledger.head SET head = head",
    "DELETE FROM ledger.event",
]
MAY_NOT_SEAL = {
    "ledger_app": _CHANGES + _ADDITIONS,
    "ledger_projector": _CHANGES + _ADDITIONS,
    "ledger_auditor": _CHANGES + _ADDITIONS,
    "ledger_sealer": _CHANGES + _RECORDING,
}
"""Who records cannot seal, and who seals cannot record."""


def attempt(db: psycopg.Connection[Any], role: str, statement: str) -> None:
    """Run a statement as a role; raises what the server says against it."""
    with db.transaction():
        db.execute(f"SET LOCAL ROLE {role}".encode())
        db.execute(statement.encode())


def forbidden(round: Round) -> None:
    """Every statement that is forbidden is refused and changes nothing; a superuser's edit is found and named (P6)."""
    with closing(House(round.fresh(), round.folder)) as house:
        for number in range(3):
            house.record(f"{7001 + number}", 3)
        house.seal()
        before = house.log.follow({}, 1000)
        with closing(keys_of(house.url, house.log)) as keys:
            keys.create()
        tried = _in_file if house.url.startswith("sqlite:") else _on_server
        round.counts["statements refused"] += tried(house.url)
        assert house.log.follow({}, 1000) == before, "a refused statement changed something"
        assert verify(house.url, processes=1).findings == []
        edited = list(_edited(round.chance, house.url, before))
        named = {(found.account, found.version) for found in verify(house.url, processes=1).findings}
        for account, version in edited:
            assert (account, version) in named, f"an edit of account {account}, version {version} is not found: {named}"
            round.counts["edits found"] += 1


def _in_file(url: str) -> int:
    statements = [*IN_A_FILE, *SEAL_CHANGES, *SEAL_REPLACEMENTS]
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        # The guards of commands hold rows only where there are some.
        db.execute("INSERT INTO command VALUES (0, 'k', x'00', '7001', 1, 1)")
        for statement in statements:
            db.execute("SAVEPOINT tried")
            try:
                changed = db.execute(statement).rowcount
            except sqlite3.IntegrityError:
                db.execute("ROLLBACK TO tried")
                continue
            raise AssertionError(f"{changed} rows were changed by: {statement}")
        db.rollback()
    return len(statements)


def _on_server(url: str) -> int:
    with psycopg.connect(url) as db:
        # The triggers would refuse all of it too, and hide a right too many.
        db.execute("SET session_replication_role = replica")
        tried = [(role, statement) for roles in (MAY_NOT, MAY_NOT_SEAL) for role in roles for statement in roles[role]]
        for role, statement in tried:
            try:
                attempt(db, role, statement)
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(f"{role} may: {statement}")
        db.execute("SET session_replication_role = origin")
        for statement in OWNERS:
            try:
                with db.transaction():
                    db.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(f"the owner may: {statement}")
    return len(tried) + len(OWNERS)


def _edited(chance: Random, url: str, rows: list[Row]) -> Iterator[tuple[str, int]]:
    """Edit an event of each account as a superuser does who switches every guard off: each in another way."""
    accounts = sorted({row.account for row in rows})
    for way, account in enumerate(chance.sample(accounts, 3)):
        row = chance.choice([row for row in rows if row.account == account and row.version < 3])
        where = " WHERE account = %s AND version = %s"
        match way:
            case 0:
                state = row.state.replace(b"B-", b"C-", 1)
                tampered(url, "UPDATE event SET state = %s" + where, state, row.account, row.version)
            case 1:
                tampered(url, "UPDATE event SET type = %s" + where, "BillLost", row.account, row.version)
            case _:
                tampered(url, "DELETE FROM event" + where, row.account, row.version)
        yield row.account, row.version
