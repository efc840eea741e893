"""Campaign 13: bits of stored rows flipped, whatever guards them; the audit finds each and names where."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import psycopg

from commands.catalogue import titles
from ledger.application import Ledger
from ledger.integrity.audit import Evidence, verify
from ledger.integrity.chains import Finding
from ledger.integrity.seals import seal
from ledger.integrity.signing import introduce, make_key_file
from ledger.store.log import EXPLICIT
from ledger.store.open import seals_of
from scripts.campaigns.acting import START, command, made
from scripts.campaigns.run import Round
from scripts.campaigns.tampering import Change, tampering

_ABOUT = {"account": "7001", "name": "Sample Customer", "service_address": "1 Example Lane"}
_LIFE: list[dict[str, str]] = [
    {"command": "account open", "opened_on": "2024-01-02", "id": "a.1", **_ABOUT},
    {"command": "bill issue", "account": "7001", "bill": "B-1", "mailed_on": "2024-02-01", "amount": "80.00"},
    {"command": "payment receive", "account": "7001", "payment": "P-1", "received_at": "2024-02-09", "channel": "mail",
     "amount": "30.00", "id": "a.2"},
    {"command": "contact attempt", "account": "7001", "at": "2024-03-01T10:00", "method": "phone",
     "outcome": "reached"},
    {"command": "bill correct", "account": "7001", "bill": "B-1", "amount": "75.00", "mailed_on": "2024-03-02",
     "reason": "misread"},
    {"command": "fee charge", "account": "7001", "fee": "F-1", "kind": "other", "on": "2024-03-05", "amount": "5.00"},
]  # fmt: skip

KEYS = {
    "event": ("shard", "position"),
    "command": ("shard", "key"),
    "head": ("shard",),
    "seal": ("number",),
    "seal_note": ("number",),
    "seal_key": ("number",),
    "seal_plan": ("number",),
    "tree_part": ("level", "first"),
}
"""The tables that are flipped, and by what their rows are known."""

EACH = {"sqlite": 3, "postgresql": 1}
"""How many bits of each value, and of each word of a note, are flipped in a round: a server answers more slowly."""


class Cell(NamedTuple):
    """A value in a store: the columns that its row is known by, and what the row says."""

    table: str
    row: dict[str, Any]
    column: str


_WHICH = ("position", "account", "version")
"""The columns that give an event its place: after a flip there its neighbours, or another account, are named too."""

FIVE = ("BillIssued", "PaymentReceived", "ContactAttempted", "BillCorrected", "FeeCharged")
"""The types of which every bit is flipped, in the first round."""

AT_ONCE = 100
"""In so many accounts a bit is flipped before the audit is asked."""


def flipped(round: Round) -> None:
    """Each flipped bit is found, and named by account and version where it is of an event (P6)."""
    evidence = Evidence(titles=titles())
    if round.number == 1:
        _every_bit(round, evidence)
    url = made(round.fresh())
    _sealed(url, round, ["7001", "7002"])
    assert verify(url, evidence, processes=1).findings == []
    for cell in _cells(url):
        for value in _flips(round.chance, cell.row[cell.column], EACH[round.store]):
            round.counts["bits flipped"] += _tried(url, evidence, cell, value)
            round.counts["left to the answer"] += not _claimed(cell)
    assert verify(url, evidence, processes=1).findings == []


def _every_bit(round: Round, evidence: Evidence) -> None:
    """Every bit of every column of events of five types: in each account another one, and the audit names them all."""
    url, accounts = made(round.fresh()), [f"{7100 + number}" for number in range(AT_ONCE)]
    _sealed(url, round, accounts)
    rows = _rows(url, "event")
    events = {(row["account"], row["type"]): row for row in rows}
    heads = {row["shard"]: row["head"] for row in _rows(url, "head")}
    bits = [
        (type, column, bit)
        for type in FIVE
        for column, value in events[accounts[0], type].items()
        for bit in range(64 if isinstance(value, int) else 8 * len(value))
    ]
    for start in range(0, len(bits), AT_ONCE):
        some = zip(accounts, bits[start : start + AT_ONCE], strict=False)
        flips = [
            (row, column, value)
            for account, (type, column, bit) in some
            for row in [events[account, type]]
            if (value := _changed(row[column], bit)) is not None
            # A place that another event has cannot be taken.
            if column != "position" or not 0 < value <= heads[row["shard"]]
        ]
        with tampering(url) as change:
            done = [flip for flip in flips if _exchanged(change, flip[0], flip[0] | {flip[1]: flip[2]})]
        found = verify(url, evidence, processes=1).findings
        for row, column, value in done:
            named = {each.version for each in found if each.account == row["account"]}
            what = f"{column} of {row['account']}, version {row['version']}, as {value!r}"
            assert row["version"] in named, f"{what} is not named"
            assert column in _WHICH or named == {row["version"]}, f"{what} has others named too: {named}"
        with tampering(url) as change:
            assert all(_exchanged(change, row | {column: value}, row) for row, column, value in reversed(done))
        round.counts["bits of events flipped"] += len(done)
    assert verify(url, evidence, processes=1).findings == []


def _exchanged(change: Change, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Put one event in the place of another; False where no row may be as the new one."""
    ((column, value),) = [(name, new[name]) for name in new if new[name] != old[name]]
    where = "shard = %s AND position = %s"
    return change(f"UPDATE event SET {column} = %s WHERE {where}", value, old["shard"], old["position"])


def _sealed(url: str, round: Round, accounts: Sequence[str]) -> None:
    """Accounts with events of five kinds and more, and two seals over them."""
    now = START

    def clock() -> datetime:
        return now

    with Ledger(url, clock) as ledger, closing(seals_of(url)) as rows:
        rows.create()
        origin = ledger.store.origin
        signer = make_key_file(round.folder / f"{accounts[0]}.key", origin)
        introduce(rows, origin, signer, None)
        for some in (accounts[:1], accounts[1:]):
            now += timedelta(hours=1)
            for outcome in ledger.post_all(command(record) for account in some for record in _life(account)):
                assert outcome.status == "recorded", outcome
            now += timedelta(hours=1)
            seal(rows, origin, signer, clock)


def _life(account: str) -> Iterator[dict[str, str]]:
    for record in _LIFE:
        yield record | {"account": account} | ({"id": f"{account}-{record['id']}"} if "id" in record else {})


def _cells(url: str) -> Iterator[Cell]:
    for table, keys in KEYS.items():
        rows = _rows(url, table)
        rows = [row for row in rows if row["account"] == "7001"] if "account" in rows[0] else rows
        # Of a log on a server most shards are empty.
        rows = [row for row in rows if row.get("head", 1)]
        # Of plans only the latest is read.
        rows = rows[-1:] if table == "seal_plan" else rows
        for row in rows:
            for column in row:
                yield Cell(table, {name: row[name] for name in {*keys, column, *_OF_WHOM} if name in row}, column)


_OF_WHOM = ("account", "version", "key")


def _rows(url: str, table: str) -> list[dict[str, Any]]:
    order = " ORDER BY number" if "number" in KEYS[table] else ""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            found = db.execute(f"SELECT * FROM {table}{order}")
            return [dict(zip([each[0] for each in found.description], row, strict=True)) for row in found]
    with psycopg.connect(url, options="-c search_path=ledger") as db:
        cursor = db.execute(f"SELECT * FROM {table}{order}".encode())
        return [dict(zip([each.name for each in cursor.description or ()], row, strict=True)) for row in cursor]


def _flips(chance: Random, value: Any, count: int) -> Iterator[Any]:
    if isinstance(value, int):
        # The low bits lead to a neighbour.
        bits = [chance.randrange(4), *chance.sample(range(64), count)]
        yield from (_changed(value, bit) for bit in {*chance.sample(bits, count)})
        return
    raw = value.encode() if isinstance(value, str) else value
    # Each word of a note is another thing to get wrong.
    words = [word.span() for word in re.finditer(rb"\S+", raw)] if isinstance(value, str) and "\n" in value else []
    for low, high in words or [(0, len(raw))]:
        bits = range(8 * low, 8 * high)
        changed = (_changed(value, bit) for bit in chance.sample(bits, min(count, len(bits))))
        yield from (each for each in changed if each is not None)


def _changed(value: Any, bit: int) -> Any:
    """The value with a bit flipped; None where that is no text."""
    if isinstance(value, int):
        # The last bit is that of the sign.
        return value ^ (1 << bit if bit < 63 else -1 << 63)
    changed = bytearray(value.encode() if isinstance(value, str) else value)
    changed[bit // 8] ^= 1 << bit % 8
    if not isinstance(value, str):
        return bytes(changed)
    with suppress(UnicodeDecodeError):
        return None if b"\0" in changed else changed.decode()
    return None


def _claimed(cell: Cell) -> bool:
    """Whether a flip is found: the digest of a command that has a name is known to nobody but the key store.

    Whoever sends such a command again is told that it differs, and it is not recorded twice.
    """
    key = cell.row.get("key", "")
    return cell[0::2] != ("command", "digest") or not (key.startswith(EXPLICIT) or "contact" not in key)


def _tried(url: str, evidence: Evidence, cell: Cell, value: Any) -> bool:
    """Put a value in a cell, look what the audit says, and put it back; False where no row may have that value."""
    keys = KEYS[cell.table]
    after = cell.row | {cell.column: value}
    if not _put(url, cell.table, cell.column, value, [(name, cell.row[name]) for name in keys]):
        return False
    try:
        found = verify(url, evidence, processes=1).findings
        if _claimed(cell) and not _another_of_its_texts(url, cell, value):
            assert found, f"{cell} as {value!r} is not found"
            assert _is_named(cell, found), f"{cell} as {value!r} is not what is told of: {found}"
    finally:
        assert _put(url, cell.table, cell.column, cell.row[cell.column], [(name, after[name]) for name in keys])
    return True


def _another_of_its_texts(url: str, cell: Cell, value: Any) -> bool:
    """Whether a key names another text of its event: that is not found, since an audit knows no command's fields."""
    if cell[0::2] != ("command", "key"):
        return False
    before, after = (each.rpartition("/")[2] for each in (cell.row["key"], value))
    events = [row for row in _rows(url, "event") if row["account"] == cell.row["account"]]
    return before != after and any(f'"{after}"'.encode() in bytes(row["state"]) for row in events)


_THING = {"seal": "seal", "seal_note": "seal", "seal_plan": "seal", "seal_key": "key"}
"""What an audit calls that of which a table holds the rows."""


def _is_named(cell: Cell, found: list[Finding]) -> bool:
    """Whether the audit says where this cell is, and of events and commands says nothing of others."""
    row, events = cell.row, {(each.account, each.version) for each in found if each.account}
    match cell.table:
        case "event":
            mine = row["account"], row["version"]
            return mine in events and (cell.column in _WHICH or events == {mine})
        case "command":
            accounts = {account for account, _ in events}
            return bool(accounts) and (cell.column == "account" or accounts == {row["account"]})
        case "head":
            # Where a head goes back, the events beyond it are told.
            return any("shard" in each.reason or "outside the ledger" in each.reason for each in found)
        case "tree_part":
            return any("the log tree" in each.reason for each in found)
        case table:
            what = f"{_THING[table]} {row['number']}" if "number" in row else _THING[table]
            return any(what in each.reason for each in found)


def _put(url: str, table: str, column: str, value: Any, keys: list[tuple[str, Any]]) -> bool:
    where = " AND ".join(f"{name} = %s" for name, _ in keys)
    with tampering(url) as change:
        return change(f"UPDATE {table} SET {column} = %s WHERE {where}", value, *(each for _, each in keys))
