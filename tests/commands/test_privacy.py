"""Personal data erased, reported and found: what is gone, what stays, and what a crash in between leaves behind."""

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from commands.base import Command, read
from commands.catalogue import command_type
from commands.cli import cli
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import PersonalDataErased
from ledger.personal import not_erased
from ledger.store.kek import VARIABLE
from ledger.store.keys import Keys
from tests.projections.conftest import KEK

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)
OPEN = {
    "opened_on": "2019-06-01",
    "name": "Sample Customer",
    "service_address": "1 Example Lane",
    "billing_email": "customer@example.com",
}
FEED = [
    ("account open", OPEN),
    ("account link", {"login": "login@example.com"}),
    ("health certify", {"on": "2024-04-02", "provider": "Sample Clinic"}),
    ("bill issue", {"bill": "B-1", "mailed_on": "2024-03-04", "amount": "90.00"}),
]

Call = Callable[..., str]


@pytest.fixture(autouse=True)
def kek(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEK)


@pytest.fixture
def url(store_url: str) -> str:
    """A ledger with one account that has data of both classes."""
    create(store_url, lambda: NOW)
    with Ledger(store_url, lambda: NOW) as ledger:
        assert all(o.status == "recorded" for o in ledger.post_all(made(t, **f) for t, f in FEED))
    return store_url


def made(title: str, **fields: Any) -> Command:
    return read(command_type(title), {"account": "7001", **fields})


def erasing(kind: str = "contact", authority: str = "request 118", **more: Any) -> Command:
    return made("privacy erase", **{"class": kind}, authority=authority, **more)


def call(url: str, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
    told = CliRunner().invoke(cli, ["--db", url, *arguments], input=stdin)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    assert told.exit_code == code, told.output
    return told.output


def erase(url: str, *more: str, kind: str = "contact", code: int = 0) -> str:
    authority = () if "--authority" in more else ("--authority", "request 118")
    return call(url, "privacy", "erase", "7001", "--class", kind, *authority, *more, code=code)


def shown(url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in call(url, "history", "7001", "--json").splitlines()]


def report(url: str) -> dict[str, dict[str, Any]]:
    answer = json.loads(call(url, "privacy", "report", "7001", "--json"))
    return {each["class"]: each for each in answer["classes"]}


def test_what_is_erased_reads_so_and_everything_else_stays(url: str) -> None:
    with Ledger(url, lambda: NOW) as ledger:
        before = ledger.store.rows("7001")
    answers = [call(url, *q, "--on", "2024-06-01", "--json") for q in (["balance", "7001"], ["statement", "7001"])]
    assert erase(url) == "recorded: PersonalDataErased on account 7001, version 5\n"
    opened, linked, certified, *_, erased = shown(url)
    assert {opened["data"][field] for field in ("name", "service_address", "billing_email")} == {"[erased]"}
    assert (opened["data"]["opened_on"], opened["data"]["phone"]) == ("2019-06-01", None)
    assert linked["data"]["login"] == "[erased]"
    assert certified["data"]["provider"] == "Sample Clinic"
    assert erased["data"]["authority"] == "request 118"
    with Ledger(url, lambda: NOW) as ledger:
        assert ledger.store.rows("7001")[: len(before)] == before
    assert [
        call(url, *q, "--on", "2024-06-01", "--json") for q in (["balance", "7001"], ["statement", "7001"])
    ] == answers
    assert erase(url, kind="medical").startswith("recorded")
    assert shown(url)[2]["data"]["provider"] == "[erased]"


def test_old_commands_are_still_known(url: str) -> None:
    erase(url)
    with Ledger(url, lambda: NOW) as ledger:
        assert [ledger.post(made(title, **fields)).status for title, fields in FEED] == ["duplicate"] * 4
        other = ledger.post(made("account open", **OPEN | {"name": "Other Customer"}))
        assert (other.status, other.error and other.error.code) == ("refused", "recorded_differently")


def test_of_two_accounts_none_is_erased(url: str) -> None:
    assert "say whose data, of one account" in erase(url, "--account", "7002", code=2)
    assert report(url)["contact"]["key"] == "present"
    assert erase(url, "--account", "7001").startswith("recorded")


def test_run_again_it_changes_nothing_and_erases_what_was_recorded_since(url: str) -> None:
    assert "version 5" in erase(url)
    assert erase(url) == "duplicate: privacy erase on account 7001, version 5\n"
    call(url, "account", "correct", "--account", "7001", "--reason", "moved in", "--name", "Second Customer")
    assert shown(url)[-1]["data"]["name"] == "Second Customer"
    assert report(url)["contact"]["key"] == "partly erased"
    assert erase(url) == "recorded: PersonalDataErased on account 7001, version 7\n"
    assert shown(url)[5]["data"]["name"] == "[erased]"
    assert erase(url).startswith("duplicate")


def test_an_id_sent_again_takes_effect_once(url: str) -> None:
    assert erase(url, "--id", "E-1").startswith("recorded")
    assert shown(url)[0]["data"]["name"] == "[erased]"
    call(url, "account", "correct", "--account", "7001", "--reason", "moved in", "--name", "Second Customer")
    assert erase(url, "--id", "E-1").startswith("duplicate")
    assert shown(url)[-1]["data"]["name"] == "Second Customer"
    assert erase(url, "--id", "E-2").startswith("recorded")
    assert shown(url)[5]["data"]["name"] == "[erased]"


def test_what_a_feed_records_after_the_erasure_has_a_key_of_its_own(url: str) -> None:
    moved_in = made("account correct", reason="moved in", name="Second Customer")
    moved_out = made("account correct", reason="misspelt", name="First Customer")
    with Ledger(url, lambda: NOW) as ledger:
        done = list(ledger.post_all([moved_out, erasing(), moved_in]))
        assert [outcome.status for outcome in done] == ["recorded"] * 3
    assert [event["data"].get("name") for event in shown(url)][-3:] == ["[erased]", None, "Second Customer"]


@pytest.mark.parametrize("way", ["dry_run", "refused", "rehearse", "dry-run"])
def test_what_is_not_recorded_erases_nothing(url: str, way: str) -> None:
    bad = made("bill void", bill="B-9", on="2024-03-05", reason="no such bill")
    with Ledger(url, lambda: NOW) as ledger:
        if way == "rehearse":
            assert [o.status for o in ledger.rehearse([erasing()])] == ["recorded"]
        elif way == "dry-run":
            assert "would be recorded" in erase(url, "--dry-run")
        else:
            items = [erasing(), bad] if way == "refused" else [erasing()]
            ledger.post_together(items, dry_run=way == "dry_run")
        # Nor may it do so with the next thing that is recorded.
        assert ledger.post(made("account correct", reason="moved", phone="530-555-0101")).status == "recorded"
    assert shown(url)[0]["data"]["name"] == "Sample Customer"
    assert (report(url)["contact"]["key"], report(url)["contact"]["erasures"]) == ("present", [])


def test_together_with_others_it_is_done_when_all_are(url: str) -> None:
    with Ledger(url, lambda: NOW) as ledger:
        assert [o.status for o in ledger.post_together([erasing(), erasing("medical")])] == ["recorded"] * 2
    assert {each["key"] for each in report(url).values()} == {"erased"}


def test_who_dies_between_erasing_and_saying_so_says_it_when_run_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Keys.flush

    def dies(self: Keys, erasing: Any = ()) -> None:
        whole(self, erasing)
        if erasing:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, Ledger(url, lambda: NOW) as ledger:
        patch.setattr(Keys, "flush", dies)
        with pytest.raises(KeyboardInterrupt):
            ledger.post(erasing())
    assert len(shown(url)) == 4
    assert (report(url)["contact"]["key"], report(url)["contact"]["erasures"]) == ("erased", [])
    assert erase(url).startswith("recorded")
    assert len(report(url)["contact"]["erasures"]) == 1


def test_keys_that_a_backup_brought_back_are_named_and_erased_again(
    sqlite_store_url: str, request: pytest.FixtureRequest
) -> None:
    create(sqlite_store_url, lambda: NOW)
    with Ledger(sqlite_store_url, lambda: NOW) as ledger:
        list(ledger.post_all(made(t, **f) for t, f in FEED))
    keys = Path(sqlite_store_url.removeprefix("sqlite:///")).with_suffix(".keys.db")
    shutil.copy(keys, keys.with_suffix(".backup"))
    erase(sqlite_store_url)
    shutil.copy(keys.with_suffix(".backup"), keys)
    assert report(sqlite_store_url)["contact"]["came_back"] == [1, 2]
    assert "events 1, 2 were erased and can be read again" in call(sqlite_store_url, "privacy", "report", "7001")
    assert erase(sqlite_store_url).startswith("duplicate")
    assert report(sqlite_store_url)["contact"]["came_back"] == []
    assert shown(sqlite_store_url)[0]["data"]["name"] == "[erased]"


def test_the_server_s_table_no_longer_holds_the_key(postgres_store_url: str) -> None:
    create(postgres_store_url, lambda: NOW)
    accounts = [f"A-{n}" for n in range(40)]
    with Ledger(postgres_store_url, lambda: NOW) as ledger, psycopg.connect(postgres_store_url) as server:
        list(ledger.post_all(read(command_type("account open"), OPEN | {"account": a}) for a in accounts))
        query = "SELECT wrapped FROM ledger_keys.data_key WHERE account = 'A-3'"
        (wrapped,) = server.execute(query).fetchone() or (b"",)
        server.commit()
        assert wrapped in heap(server)
        assert ledger.post(
            read(command_type("privacy erase"), {"account": "A-3", "class": "contact", "authority": "r"})
        )
        assert wrapped not in heap(server)
        assert server.execute(query).fetchone() is None


def heap(server: psycopg.Connection[Any]) -> bytes:
    """The table of the keys as it lies on the server's disk."""
    server.execute("CHECKPOINT")
    query = "SELECT pg_read_binary_file(pg_relation_filepath('ledger_keys.data_key'))"
    (found,) = server.execute(query).fetchone() or (b"",)
    server.commit()
    return bytes(found)


def test_it_is_refused_while_a_petition_or_an_appeal_is_open(url: str) -> None:
    with Ledger(url, lambda: NOW) as ledger:

        def post(title: str, **fields: Any) -> None:
            assert ledger.post(made(title, **fields)).status == "recorded"

        def refused() -> str:
            outcome = ledger.post(erasing())
            assert outcome.error is not None
            assert outcome.error.code == "still_needed"
            return outcome.error.message

        post("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-06", petitioner="Sample Tenant")
        assert "petition D-1 is open" in refused()
        post("dispute answer", dispute="D-1", on="2024-03-20", outcome="upheld")
        post("appeal file", appeal="A-1", dispute="D-1", on="2024-03-25")
        assert "appeal A-1 is open" in refused()
        assert shown(url)[0]["data"]["name"] == "Sample Customer"
        assert ledger.post(erasing("medical", override_reason="order of the court")).status == "recorded"
        post("appeal close", appeal="A-1", on="2024-06-25", outcome="denied")
        assert ledger.post(erasing()).status == "recorded"
    assert shown(url)[4]["data"]["petitioner"] == "[erased]"


def test_there_has_to_be_something_to_erase(url: str) -> None:
    with Ledger(url, lambda: NOW) as ledger:
        unknown = ledger.post(
            read(command_type("privacy erase"), {"account": "7009", "class": "contact", "authority": "r"})
        )
        assert unknown.error is not None
        assert unknown.error.code == "unknown_account"
        assert ledger.post(erasing("medical")).status == "recorded"
        nothing = ledger.post(erasing("medical", authority="request 119"))
        assert nothing.error is not None
        assert nothing.error.code == "nothing_to_erase"
        events = ledger.books.history("7001").events
        assert (not_erased(events, "medical"), not_erased(events, "contact")) == ([], [1, 2])
        assert isinstance(events[-1], PersonalDataErased)


def test_a_report_names_fields_and_events_and_shows_no_value(url: str) -> None:
    said = call(url, "privacy", "report", "7001") + call(url, "privacy", "report", "7001", "--json")
    assert not [value for value in ("Sample", "Example Lane", "@", "Clinic") if value in said]
    contact, medical = report(url).values()
    assert {f["field"]: [e["version"] for e in f["events"]] for f in contact["fields"]} == {
        "name": [1],
        "service_address": [1],
        "billing_email": [1],
        "login": [2],
    }
    assert (contact["key"], medical["key"], medical["fields"][0]["field"]) == ("present", "present", "provider")
    assert medical["fields"][0]["since"].startswith("2026-01-05T09:00")
    assert "unknown_account" not in call(url, "privacy", "report", "7001")


def found(url: str, address: str) -> list[tuple[str, str, str | None]]:
    answer = json.loads(call(url, "privacy", "find", "-", "--json", stdin=f"{address}\n"))
    return [(each["account"], each["as"], each["until"]) for each in answer["accounts"]]


def test_accounts_are_found_by_an_address_in_any_case_until_it_is_erased(url: str) -> None:
    with Ledger(url, lambda: NOW) as ledger:
        second = {"account": "7002", **OPEN, "billing_email": "CUSTOMER@example.com"}
        assert ledger.post(read(command_type("account open"), second)).status == "recorded"
    call(url, "projections", "follow", "--once")
    both = [("7001", "billing_email", None), ("7002", "billing_email", None)]
    assert found(url, "Customer@Example.com") == both
    assert found(url, "login@example.com") == [("7001", "login", None)]
    assert found(url, "nobody@example.com") == []
    # What is recorded later is taken in first.
    with Ledger(url, lambda: NOW) as ledger:
        ledger.post(made("account unlink", login="login@example.com"))
        ledger.post(made("account correct", reason="new address", billing_email="new@example.com"))
    assert found(url, "login@example.com") == [("7001", "login", "2026-01-05")]
    assert found(url, "customer@example.com") == [("7001", "billing_email", "2026-01-05"), both[1]]
    assert "login since 5 Jan 2026 until 5 Jan 2026" in call(url, "privacy", "find", "login@example.com")
    erase(url)
    assert found(url, "login@example.com") == found(url, "new@example.com") == []
    assert found(url, "customer@example.com") == both[1:]


def test_a_follower_forgets_what_a_feed_erased(url: str) -> None:
    call(url, "projections", "follow", "--once")
    with Ledger(url, lambda: NOW) as ledger:
        assert ledger.post(erasing()).status == "recorded"
    assert found(url, "login@example.com") == []
    assert "0 differences" in call(url, "projections", "verify")


def test_tables_forget_at_once(url: str) -> None:
    call(url, "projections", "follow", "--once")
    erase(url)
    status = json.loads(call(url, "projections", "status", "--json"))
    assert status["behind"] == 1
    assert "0 differences" in call(url, "projections", "verify")


@pytest.mark.parametrize("address", ["customer", "customer@example", "c@example.com d@example.com", "-"])
def test_what_is_no_address_is_not_said_back(url: str, address: str) -> None:
    from ledger.refusal import Invalid

    with pytest.raises(Invalid, match=r"address: (this is not an e-mail address|the text is empty)") as refused:
        call(url, "privacy", "find", address, stdin="")
    assert "customer" not in refused.value.message
    assert "d@" not in refused.value.message
