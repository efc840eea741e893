"""Personal data: sealed, opened, moved, altered, erased."""

import base64
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import sql

from ledger.store.keys import ERASED, Keys, Tampered, key_id_of
from ledger.store.log import StoreError
from ledger.store.open import open_keys
from tests.store.conftest import ORIGIN

NAME = "Ximena Quiñones-Canary"


@pytest.fixture(autouse=True)
def no_key_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WATER_LEDGER_KEK", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def open_again(store_url: str) -> Iterator[Callable[..., Keys]]:
    """Opens the same key store again, as another program would."""
    opened: list[Keys] = []

    def another(origin: str = ORIGIN, read_only: bool = False) -> Keys:
        opened.append(open_keys(store_url, origin, read_only=read_only))
        return opened[-1]

    another().create()
    yield another
    for keys in opened:
        keys.close()


@pytest.fixture
def keys(open_again: Callable[..., Keys]) -> Keys:
    return open_again()


def stored_rows(url: str) -> list[tuple[bytes, str, str, bytes]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///").removesuffix(".db") + ".keys.db")) as db:
            return db.execute("SELECT key_id, account, kind, wrapped FROM data_key").fetchall()
    with psycopg.connect(url) as server:
        return server.execute("SELECT key_id, account, kind, wrapped FROM ledger_keys.data_key").fetchall()


def test_what_is_sealed_opens_again(keys: Keys, open_again: Callable[..., Keys]) -> None:
    for text in (NAME, "", "x" * 2000):
        sealed = keys.seal("7001", "contact", "name", text)
        assert sealed.startswith("sealed:1:")
        assert NAME not in sealed
        assert keys.open("7001", "contact", "name", sealed) == text
        keys.flush()
        assert open_again(read_only=True).open("7001", "contact", "name", sealed) == text


def test_the_form_is_the_documented_one(keys: Keys) -> None:
    sealed = keys.seal("7001", "contact", "name", NAME)
    _, one, key_id, body = sealed.split(":")
    (key,) = [key for _, key in keys._opened.values()]
    assert one == "1"
    assert bytes.fromhex(key_id) == sha256(b"waterledger/dek-commit/v1\n" + key).digest()[:16]

    def lp(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    data = b"waterledger/pii/v1\n" + lp(ORIGIN.encode()) + lp(b"7001") + lp(b"name") + lp(bytes.fromhex(key_id))
    raw = base64.b64decode(body)
    assert AESGCM(key).decrypt(raw[:12], raw[12:], data).decode() == NAME


def test_the_same_text_never_looks_the_same(keys: Keys) -> None:
    assert len({keys.seal("7001", "contact", "name", NAME) for _ in range(50)}) == 50


def test_one_key_for_an_account_and_class(keys: Keys, store_url: str) -> None:
    for _ in range(3):
        for account, kind in (("7001", "contact"), ("7001", "medical"), ("7002", "contact")):
            keys.seal(account, kind, "name", NAME)
        keys.flush()
    assert sorted((a, k) for _, a, k, _ in stored_rows(store_url)) == [
        ("7001", "contact"),
        ("7001", "medical"),
        ("7002", "contact"),
    ]


def test_nothing_opens_in_another_place(keys: Keys) -> None:
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.seal("7002", "contact", "name", NAME)
    for account, kind, field in (
        ("7002", "contact", "name"),
        ("7001", "medical", "name"),
        ("7001", "contact", "phone"),
    ):
        with pytest.raises(Tampered, match=f"account {account}: {field}"):
            keys.open(account, kind, field, sealed)


def test_every_altered_character_is_noticed(keys: Keys) -> None:
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    for place in range(len(sealed)):
        for other in "A0:f ":
            altered = sealed[:place] + other + sealed[place + 1 :]
            if altered == sealed:
                continue
            try:
                found = keys.open("7001", "contact", "name", altered)
            except Tampered:
                continue
            # A key id that was never given out looks like one that was erased.
            assert found == ERASED
            assert len("sealed:1:") <= place < len("sealed:1:") + 32
    for nonsense in ("", NAME, sealed + "=", sealed[:-4], sealed.upper(), "sealed:2:" + sealed[9:], sealed + "\n"):
        with pytest.raises(Tampered):
            keys.open("7001", "contact", "name", nonsense)


def test_erased_is_gone(keys: Keys, open_again: Callable[..., Keys], store_url: str) -> None:
    contact = keys.seal("7001", "contact", "name", NAME)
    medical = keys.seal("7001", "medical", "provider", "Dr Canary")
    other = keys.seal("7002", "contact", "name", NAME)
    keys.flush()
    assert keys.erase("7001", "contact") == 1
    assert keys.open("7001", "contact", "name", contact) == ERASED
    assert open_again().open("7001", "contact", "name", contact) == ERASED
    assert keys.open("7001", "medical", "provider", medical) == "Dr Canary"
    assert keys.erase("7001") == 1
    assert keys.open("7001", "medical", "provider", medical) == ERASED
    assert keys.open("7002", "contact", "name", other) == NAME
    assert keys.erase("7001") == 0
    again = keys.seal("7001", "contact", "name", "new customer")
    keys.flush()
    assert keys.open("7001", "contact", "name", again) == "new customer"
    assert keys.open("7001", "contact", "name", contact) == ERASED
    assert len(stored_rows(store_url)) == 2


def test_an_erased_key_leaves_no_bytes_in_the_files(sqlite_store_url: str) -> None:
    keys = open_keys(sqlite_store_url, ORIGIN)
    keys.create()
    keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    ((_, _, _, wrapped),) = stored_rows(sqlite_store_url)
    folder = Path(sqlite_store_url.removeprefix("sqlite:///")).parent

    def holders() -> list[str]:
        return [file.name for file in folder.rglob("*") if file.is_file() and wrapped in file.read_bytes()]

    assert holders()
    keys.erase("7001")
    assert holders() == []
    keys.close()


def test_many_accounts_cost_one_transaction(keys: Keys, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    add = keys._rows.add
    monkeypatch.setattr(keys._rows, "add", lambda rows: (calls.append(len(list(rows))), add(rows)))
    owners = [(f"A{n}", "contact") for n in range(300)]
    keys.prepare(owners)
    sealed = {account: keys.seal(account, "contact", "name", NAME) for account, _ in owners}
    assert stored_rows(store_url) == []
    keys.flush()
    keys.flush()
    assert calls == [300]
    assert len(stored_rows(store_url)) == 300
    keys.prepare(owners)
    keys.flush()
    assert calls == [300]
    assert all(keys.open(account, "contact", "name", text) == NAME for account, text in sealed.items())


def test_a_key_erased_by_another_program_seals_nothing_more(keys: Keys, open_again: Callable[..., Keys]) -> None:
    keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    other = open_again()
    other.erase("7001")
    sealed = keys.seal("7001", "contact", "name", "new customer")
    keys.flush()
    assert other.open("7001", "contact", "name", sealed) == "new customer"


def test_two_programs_may_make_a_key_at_once(keys: Keys, open_again: Callable[..., Keys]) -> None:
    other = open_again()
    texts = [one.seal("7001", "contact", "name", NAME) for one in (keys, other)]
    keys.flush()
    other.flush()
    third = open_again()
    assert [third.open("7001", "contact", "name", text) for text in texts] == [NAME, NAME]
    assert third.erase("7001") == 2
    assert [third.open("7001", "contact", "name", text) for text in texts] == [ERASED, ERASED]


def test_digests_are_keyed_and_steady(keys: Keys, open_again: Callable[..., Keys], tmp_path: Path) -> None:
    digest = keys.digest(b"content")
    assert digest == open_again().digest(b"content") != keys.digest(b"content ")
    assert len(digest) == 32
    assert digest != keys.lookup("content")
    elsewhere = open_keys(f"sqlite:///{tmp_path / 'elsewhere.db'}", ORIGIN)
    elsewhere.create()
    assert elsewhere.digest(b"content") != digest
    elsewhere.close()


def test_addresses_are_looked_up_in_any_case(keys: Keys) -> None:
    assert keys.lookup("Ana.Lopez@Example.com ") == keys.lookup("ana.lopez@example.COM")
    assert keys.lookup("ana.lopez@example.com") != keys.lookup("ana.lopes@example.com")


def test_the_key_files_are_their_owner_s(sqlite_store_url: str) -> None:
    keys = open_keys(sqlite_store_url, ORIGIN)
    keys.create()
    keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    folder = Path(sqlite_store_url.removeprefix("sqlite:///")).parent
    names = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir() if file.is_file()}
    assert {"water-ledger.kek", "water-ledger.keys.db"} <= names.keys()
    assert set(names.values()) == {0o600}
    (folder / "water-ledger.kek").chmod(0o644)
    with pytest.raises(StoreError, match=r"others may read it \(chmod 600"):
        open_keys(sqlite_store_url, ORIGIN).digest(b"")
    keys.close()


def test_a_server_s_key_lies_with_the_user(postgres_store_url: str, tmp_path: Path) -> None:
    keys = open_keys(postgres_store_url, ORIGIN)
    keys.create()
    (file,) = (tmp_path / "config" / "water-ledger").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys.close()


def test_the_key_may_come_from_the_environment(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATER_LEDGER_KEK", base64.b64encode(b"k" * 32).decode())
    keys = open_keys(store_url, ORIGIN)
    keys.create()
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    keys.close()
    assert not list(tmp_path.rglob("*.kek"))
    assert keys.open("7001", "contact", "name", sealed) == NAME
    keys.close()
    monkeypatch.setenv("WATER_LEDGER_KEK", base64.b64encode(b"K" * 32).decode())
    with pytest.raises(Tampered, match="does not open with this key-encryption key"):
        keys.open("7001", "contact", "name", sealed)
    monkeypatch.delenv("WATER_LEDGER_KEK")
    with pytest.raises(StoreError, match="WATER_LEDGER_KEK"):
        keys.open("7001", "contact", "name", sealed)
    for wrong in ("short", base64.b64encode(b"k" * 31).decode(), base64.b64encode(b"k" * 32).decode() + "AAAA"):
        monkeypatch.setenv("WATER_LEDGER_KEK", wrong)
        with pytest.raises(StoreError, match="WATER_LEDGER_KEK holds no key") as raised:
            keys.open("7001", "contact", "name", sealed)
        assert wrong not in str(raised.value)
    keys.close()


def test_another_log_s_fields_do_not_open(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATER_LEDGER_KEK", base64.b64encode(b"k" * 32).decode())
    keys, other = open_keys(store_url, ORIGIN), open_keys(store_url, "other.example")
    keys.create()
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    with pytest.raises(Tampered):
        other.open("7001", "contact", "name", sealed)
    keys.close()
    other.close()


def test_keys_that_were_moved_are_noticed(keys: Keys, open_again: Callable[..., Keys], store_url: str) -> None:
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.seal("7002", "contact", "name", NAME)
    keys.flush()
    rows = {account: (key_id, wrapped) for key_id, account, _, wrapped in stored_rows(store_url)}
    change_row(store_url, "wrapped", rows["7002"][1], rows["7001"][0])
    with pytest.raises(Tampered):
        open_again().open("7001", "contact", "name", sealed)
    change_row(store_url, "wrapped", rows["7001"][1], rows["7001"][0])
    assert open_again().open("7001", "contact", "name", sealed) == NAME
    change_row(store_url, "account", "7003", rows["7001"][0])
    with pytest.raises(Tampered):
        open_again().seal("7003", "contact", "name", NAME)


def change_row(url: str, column: str, value: bytes | str, key_id: bytes) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///").removesuffix(".db") + ".keys.db")) as db:
            db.execute(f"UPDATE data_key SET {column} = ? WHERE key_id = ?", (value, key_id))
            db.commit()
    else:
        with psycopg.connect(url) as server:
            query = sql.SQL("UPDATE ledger_keys.data_key SET {} = %s WHERE key_id = %s")
            server.execute(query.format(sql.Identifier(column)), (value, key_id))


def test_a_key_store_that_is_missing(store_url: str) -> None:
    keys = open_keys(store_url, ORIGIN)
    for use in (lambda: keys.digest(b""), lambda: keys.lookup("a@b.c")):
        with pytest.raises(StoreError, match="no key store"):
            use()
    keys.close()


def test_questions_without_personal_data_do_not_load_the_library(sqlite_store_url: str) -> None:
    script = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nfrom ledger.store.open import open_keys, open_log\n"
        "open_keys(sys.argv[2], 'o')\nopen_log(sys.argv[2]).exists()\n"
        "print([m for m in ('cryptography', 'psycopg', 'eventsourcing') if m in sys.modules])\n"
    )
    run = [sys.executable, "-c", script, str(Path(__file__).parents[2]), sqlite_store_url]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_ids_commit_to_their_keys() -> None:
    assert key_id_of(b"\0" * 32) != key_id_of(os.urandom(32))
    assert len(key_id_of(b"\0" * 32)) == 16


def test_keys_of_another_ledger_are_used_for_nothing(keys: Keys, store_url: str) -> None:
    sealed = keys.seal("7001", "contact", "name", NAME)
    keys.flush()
    with closing(open_keys(store_url, ORIGIN, commitment=keys.commitment)) as mine:
        assert mine.open("7001", "contact", "name", sealed) == NAME
    other = "0" * len(keys.commitment)
    with closing(open_keys(store_url, ORIGIN, commitment=other)) as foreign:
        for use in (
            lambda: foreign.digest(b""),
            lambda: foreign.lookup("a@b.c"),
            lambda: foreign.seal("7001", "contact", "name", NAME),
            lambda: foreign.open("7001", "contact", "name", sealed),
            lambda: foreign.prepare([("7002", "contact")]),
            lambda: foreign.erase("7001"),
        ):
            with pytest.raises(StoreError, match="the keys of another ledger"):
                use()
    assert len(stored_rows(store_url)) == 1


def test_the_commitment_is_the_documented_one(keys: Keys) -> None:
    digest_key = keys._hmac()
    assert keys.commitment == sha256(b"waterledger/digest-commit/v1\n" + digest_key).hexdigest()[:32]
