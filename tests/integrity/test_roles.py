"""Who records cannot seal, and who seals cannot record."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from ledger.integrity.audit import verify
from ledger.integrity.seals import seal
from ledger.store.open import seals_of
from scripts.campaigns.forbidding import MAY_NOT_SEAL, attempt
from tests.integrity.conftest import ORIGIN, House


@pytest.fixture
def house(postgres_store_url: str, tmp_path: Path) -> Any:
    made = House(postgres_store_url, tmp_path)
    made.record("7001", 3)
    made.seal()
    yield made
    made.close()


def test_no_role_may_more_with_seals_than_it_should(house: House):
    with psycopg.connect(house.url) as db:
        for role, statements in MAY_NOT_SEAL.items():
            for statement in statements:
                with pytest.raises(errors.InsufficientPrivilege):
                    attempt(db, role, statement)


@pytest.mark.parametrize("role", ["ledger_sealer", "ledger_auditor"])
def test_the_roles_suffice_for_their_work(house: House, role: str):
    house.record("7002", 2)
    with psycopg.connect(house.url, autocommit=True) as db:
        name = f"s_{urlsplit(house.url).path[1:]}"
        db.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'w' IN ROLE {role}")
        parts = urlsplit(house.url)
        url = parts._replace(netloc=f"{name}:w@{parts.hostname}:{parts.port}").geturl()
        rows = seals_of(url)
        try:
            if role == "ledger_sealer":
                assert seal(rows, ORIGIN, house.signer, lambda: house.now).number == 2
            else:
                assert verify(url, processes=1).findings == []
        finally:
            rows.close()
            db.execute(f"DROP ROLE {name}")


def test_a_seal_waits_for_those_who_write(house: House):
    """What was decided before a seal and stored after it would look dated back."""
    house.record("7001")
    with psycopg.connect(house.url) as db:
        db.execute("SELECT head FROM ledger.head WHERE shard = 0 FOR UPDATE")
        rows = seals_of(house.url)
        rows._link.connection().execute("SET lock_timeout = '100ms'")
        with pytest.raises(Exception, match="stayed busy"):
            rows.make_plan(lambda heads: None)
        rows.close()
