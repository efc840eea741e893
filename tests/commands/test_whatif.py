"""What would follow from other facts: the difference to the cent, and a ledger in which nothing was written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from commands.cli import cli
from commands.feed import parse
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)
LATER = "2025-06-03"

# A customer whose water was turned off on 23 May, who paid the day after, and 30.00 for the reconnection.
FEED: list[dict[str, Any]] = [
    {
        "command": "account open",
        "opened_on": "2019-06-01",
        "name": "Sample Customer",
        "service_address": "1 Example Lane",
    },
    {"command": "bill issue", "bill": "B-1", "mailed_on": "2024-03-04", "amount": "90.00"},
    {"command": "notice serve", "notice": "N-1", "kind": "discontinuance", "on": "2024-04-25", "method": "mail"},
    {"command": "contact attempt", "at": "2024-05-20T10:00", "method": "phone", "outcome": "reached"},
    {"command": "service authorize", "at": "2024-05-23T10:00"},
    {"command": "service disconnect", "at": "2024-05-23T10:20", "reason": "nonpayment"},
    {
        "command": "payment receive",
        "payment": "P-1",
        "amount": "90.00",
        "received_at": "2024-05-24",
        "channel": "counter",
    },
    {"command": "service reconnect", "at": "2024-05-24T15:30"},
    {
        "command": "payment receive",
        "payment": "P-2",
        "amount": "30.00",
        "received_at": "2024-06-03",
        "channel": "counter",
    },
]
SHUTOFF, PAYMENT, RECONNECTION, FEE = 6, 7, 8, 9
PAID_IN_TIME = {
    "command": "payment receive",
    "payment": "P-9",
    "amount": "90.00",
    "received_at": "2024-05-22T21:00",
    "channel": "internet",
}


def lines(commands: list[dict[str, Any]]) -> bytes:
    given = ({"account": "7001", **each} for each in commands)
    told = ({name: value for name, value in each.items() if value is not None} for each in given)
    return b"".join(json.dumps(each).encode() + b"\n" for each in told)


@pytest.fixture
def url(store_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return filled(store_url)


@pytest.fixture
def file_url(sqlite_store_url: str) -> str:
    return filled(sqlite_store_url)


def filled(url: str) -> str:
    create(url, lambda: NOW)
    with Ledger(url, lambda: NOW) as ledger:
        said = list(ledger.post_all(item for _, item in parse(BytesIO(lines(FEED)))))
    assert {outcome.status for outcome in said} == {"recorded"}
    return url


def asked(url: str, *arguments: str, feed: list[dict[str, Any]] | None = None) -> Result:
    fed = ["--feed", "-"] if feed is not None else []
    told = CliRunner().invoke(
        cli, ["--db", url, "whatif", "7001", "--on", LATER, *fed, *arguments], input=lines(feed or [])
    )
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told


def whatif(url: str, *arguments: str, feed: list[dict[str, Any]] | None = None, code: int = 0) -> dict[str, Any]:
    told = asked(url, *arguments, "--json", feed=feed)
    assert told.exit_code == code, told.output
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def contents(url: str) -> dict[str, str]:
    """A digest of everything that a store holds, keys and tables too."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        files = [each for each in path.parent.glob(f"{path.stem}*") if not each.name.endswith(("-wal", "-shm"))]
        logs = [each for each in path.parent.glob("*-wal") if each.stat().st_size]
        return {each.name: sha256(each.read_bytes()).hexdigest() for each in [*files, *logs]}
    with psycopg.connect(url) as server:
        tables = server.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        query = "SELECT coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM {}.{} AS t"
        return {
            f"{schema}.{table}": server.execute(query.format(schema, table).encode()).fetchone()[0]  # type: ignore[index]
            for schema, table in tables
        }


@contextmanager
def unchanged(url: str) -> Iterator[None]:
    before = contents(url)
    assert len(before) > 2
    yield
    assert contents(url) == before


def test_nothing_is_written(url: str) -> None:
    with unchanged(url):
        moved = {"command": "account correct", "reason": "moved", "name": "Other Customer"}
        certified = {"command": "health certify", "on": "2024-05-01", "provider": "Sample Clinic"}
        answer = whatif(
            url, "--without", "7,9", feed=[PAID_IN_TIME, moved, certified, {"command": "bill void"}], code=1
        )
        assert [line["status"] for line in answer["lines"]] == ["recorded", "recorded", "recorded", "invalid"]
        assert [event["version"] for event in answer["added"]] == [11, 12, 13]
    with Ledger(url, lambda: NOW) as ledger:
        assert len(ledger.books.history("7001").events) == 10


def test_a_bill_reduced_gives_back_the_rest_with_interest(file_url: str) -> None:
    reduced = {**FEED[1], "amount": "60.00"}
    answer = whatif(file_url, "--without", "2", "--interest-rate", "7", feed=[reduced])
    assert (answer["before"]["balance"], answer["after"]["balance"]) == ("0.00", "-30.00")
    assert answer["difference"]["balance"] == "-30.00"
    # 90.00 came on 24 May for a bill of 60.00 and a fee of 30.00 charged that day: overpaid from 3 June, 365 days.
    assert (answer["refund"], answer["interest"], answer["fees_reversed"]) == ("30.00", "2.10", "0.00")
    assert [line["amount"] for line in answer["statement"]["before"]] == ["90.00", "30.00", "-90.00", "-30.00"]
    assert [line["amount"] for line in answer["statement"]["after"]] == ["60.00", "30.00", "-90.00", "-30.00"]
    assert [e["version"] for e in answer["left_out"]] == [2]


def test_an_account_may_owe_more_than_may_be_entered_at_once(file_url: str) -> None:
    most = [{**FEED[1], "bill": name, "amount": "99999999.99"} for name in ("B8", "B9")]
    answer = whatif(file_url, feed=most)
    assert answer["after"]["balance"] == answer["difference"]["balance"] == "199999999.98"


def test_interest_runs_from_the_day_the_money_was_too_much(file_url: str) -> None:
    """Without the fee 30.00 were too much from 3 June 2024; with a bill of 50.00, another 40.00 from 24 May."""
    reduced = {**FEED[1], "amount": "50.00"}
    answer = whatif(file_url, "--without", f"2,{FEE}", "--interest-rate", "3.65", feed=[reduced])
    # 40.00 for 375 days and 30.00 for 365 days at a ten-thousandth a day: 1.5000 + 1.0950.
    assert (answer["refund"], answer["interest"]) == ("70.00", "2.60")
    assert whatif(file_url, "--without", f"2,{FEE}", feed=[reduced])["interest"] is None


def test_a_shutoff_undone_takes_its_fee_with_it(file_url: str) -> None:
    answer = whatif(file_url, "--without", str(SHUTOFF))
    assert [(e["version"], e["type"]) for e in answer["left_out"]] == [(6, "ServiceDisconnected"), (9, "FeeCharged")]
    assert answer["fees"] == [
        {"fee": "RC-6", "kind": "reconnection", "on": "2024-05-24", "amount": "30.00", "reversed": True}
    ]
    assert (answer["refund"], answer["fees_reversed"], answer["difference"]["fees"]) == ("30.00", "30.00", "-30.00")
    answer = whatif(file_url, "--without", str(RECONNECTION))
    assert [e["version"] for e in answer["left_out"]] == [8, 9]


def test_a_fee_that_a_person_named_so_is_not_what_a_shutoff_cost(file_url: str) -> None:
    named = {"command": "fee charge", "fee": f"RC-{SHUTOFF}", "kind": "other", "on": "2024-06-10", "amount": "12.00"}
    (shutoff,) = whatif(file_url, "--without", str(RECONNECTION), feed=[named])["shutoffs"]
    assert shutoff["fee"] is None


def test_a_finding_gives_the_fee_up(file_url: str) -> None:
    wrongful = {"command": "service wrongful", "on": "2024-05-27", "reason": "paid before the shutoff"}
    answer = whatif(file_url, feed=[wrongful])
    assert (answer["refund"], answer["fees_reversed"]) == ("30.00", "30.00")
    assert [e["type"] for e in answer["added"]] == ["ShutoffFoundWrongful", "FeeWaived"]


def test_a_payment_made_in_time_turns_the_verdict(file_url: str) -> None:
    answer = whatif(file_url, "--without", str(PAYMENT), feed=[PAID_IN_TIME])
    (shutoff,) = answer["shutoffs"]
    assert shutoff["allowed"] == {"as_decided": True, "before": True, "after": False}
    turned = {each["rule"]: (each["before"], each["after"]) for each in shutoff["rules"]}
    assert turned["DO-31"] == ("permits", "blocks")
    assert shutoff["fee"] == {"fee": "RC-6", "amount": "30.00"}
    assert answer["difference"]["balance"] == "0.00"
    told = asked(file_url, "--without", str(PAYMENT), feed=[PAID_IN_TIME]).output
    assert "DO-31: permits before, blocks after: no bill is past due" in told
    assert "its fee RC-6 of 30.00 stands: 'service wrongful' in the feed gives it up" in told
    assert "- 24 May 2024  payment                  P-1" in told
    assert "+ 22 May 2024  payment                  P-9" in told


def test_a_closure_would_have_forbidden_it(file_url: str) -> None:
    told = CliRunner().invoke(
        cli,
        ["--db", file_url, "whatif", "7001", "--feed", "-", "--json"],
        input='{"command": "office close", "on": "2024-05-23", "reason": "power cut"}\n',
    )
    (shutoff,) = json.loads(told.stdout)["shutoffs"]
    assert shutoff["allowed"] == {"as_decided": True, "before": True, "after": False}
    assert "DO-36" in {each["rule"] for each in shutoff["rules"]}


def test_a_payment_left_out_takes_its_collection_fee_with_it(file_url: str) -> None:
    in_the_field = {**PAID_IN_TIME, "channel": "field", "received_at": "2024-06-04T10:00"}
    added = whatif(file_url, feed=[in_the_field])
    assert [(e["version"], e["type"]) for e in added["added"]] == [(11, "PaymentReceived"), (12, "FeeCharged")]
    with Ledger(file_url, lambda: NOW) as ledger:
        list(ledger.post_all(item for _, item in parse(BytesIO(lines([in_the_field])))))
    assert [e["version"] for e in whatif(file_url, "--without", "11")["left_out"]] == [11, 12]


def test_what_is_recorded_already_is_recorded_on_the_branch_too(file_url: str) -> None:
    same, other = FEED[1], {**FEED[1], "amount": "60.00"}
    answer = whatif(file_url, "--without", "4", feed=[same, other], code=1)
    assert [line["status"] for line in answer["lines"]] == ["duplicate", "refused"]
    assert "amount is 90.00, not 60.00" in answer["lines"][1]["error"]["message"]
    # Left out, it is recorded no longer.
    answer = whatif(file_url, "--without", "2", feed=[same])
    assert answer["lines"][0]["status"] == "recorded"
    assert set(answer["difference"].values()) == {"0.00"}


def test_the_same_thing_twice_is_told_on_a_branch_too(file_url: str) -> None:
    bill = {"command": "bill issue", "bill": "B-9", "mailed_on": "2024-06-03", "amount": "90.00"}
    with unchanged(file_url):
        feed = [bill, bill | {"amount": "95.00"}, bill, FEED[8], FEED[8] | {"amount": "31.00"}]
        told = whatif(file_url, "--without", "2,7", feed=feed, code=1)["lines"]
    assert [line["status"] for line in told] == ["recorded", "refused", "duplicate", "duplicate", "refused"]
    assert "amount is 90.00, not 95.00" in told[1]["error"]["message"]
    assert "amount is 30.00, not 31.00" in told[4]["error"]["message"]
    assert [told[0]["version"], told[2]["version"], told[3]["version"]] == [11, 11, 10], "by the versions they have"


def test_decisions_are_refused_as_always(file_url: str) -> None:
    again = {"command": "service authorize", "at": "2024-06-10T10:00"}
    told = asked(file_url, feed=[again])
    assert told.exit_code == 1
    assert "line 1 is not on the branch: " in told.stderr
    assert "DO-31: no bill is past due" in told.stderr


def test_what_looks_at_every_account_is_not_decided_on_a_branch(file_url: str) -> None:
    close = {"command": "books close", "through": "2024-06-30", "account": None}
    answer = whatif(file_url, feed=[close, {**FEED[1], "bill": "B9"}], code=1)
    assert [line["status"] for line in answer["lines"]] == ["refused", "recorded"]
    assert answer["lines"][0]["error"]["code"] == "not_on_a_branch"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--without", "x"], 2),
        (["--without", "2", "--interest-rate", "much"], 2),
        (["--without", "2", "x"], 2),
    ],
)
def test_what_cannot_be_asked(file_url: str, arguments: list[str], code: int) -> None:
    assert asked(file_url, *arguments).exit_code == code
