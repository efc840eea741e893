"""Stores to test on: SQLite files, and databases of one PostgreSQL that the run starts itself and shares."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.cases import case
from tests.postgres_server import SharedServer, fresh_database

__all__ = ["case"]

hypothesis.settings.register_profile("here", deadline=None)
# The same examples on every run: a change is judged by what it changed, not by its luck.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

SERVER = pytest.StashKey[SharedServer]()


def pytest_configure(config: pytest.Config) -> None:
    handed = getattr(config, "workerinput", None)
    config.stash[SERVER] = SharedServer.for_this_run() if handed is None else SharedServer(Path(handed["postgres"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["postgres"] = str(node.config.stash[SERVER].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[SERVER].stop()


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """The URL of a running PostgreSQL, shared by the whole run; its superuser may create databases."""
    return pytestconfig.stash[SERVER].url()


@pytest.fixture
def postgres_store_url(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that no other test sees."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def sqlite_store_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'water-ledger.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store: a test that takes it runs once on each kind."""
    name = "sqlite_store_url" if request.param == "sqlite" else "postgres_store_url"
    url: str = request.getfixturevalue(name)
    return url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write the golden transcripts anew; review the diff")
    parser.addoption("--bundles", type=int, default=1200, metavar="N", help="so many made and forged bundles")
