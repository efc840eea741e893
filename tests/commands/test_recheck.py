"""Recorded decisions judged again: what would be otherwise, by which rules or facts, and since which event."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commands.cli import cli
from commands.rejudge import DECISIONS, Finding, Known, judge_again
from ledger.events import EVENTS, UTILITY, PolicyPublished
from ledger.policy.parameters import FOLDER
from ledger.store.kek import VARIABLE
from tests.desk import MemoryLedger
from tests.projections.conftest import KEK, Template, simulated

DEL_ORO = (FOLDER / "del-oro.toml").read_text(encoding="utf-8")


@pytest.fixture
def authorized() -> MemoryLedger:
    """A shutoff allowed on 23 May 2024, by every rule as known then."""
    ledger = MemoryLedger()
    post(ledger, "account open", opened_on="2019-06-01", name="Sample Customer", service_address="1 Example Lane")
    post(ledger, "bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    post(ledger, "notice serve", notice="N-1", kind="discontinuance", on="2024-04-25", method="mail")
    post(ledger, "contact attempt", at="2024-05-20T10:00", method="phone", outcome="reached")
    post(ledger, "service authorize", at="2024-05-23T10:00")
    return ledger


@pytest.fixture
def ledger(authorized: MemoryLedger) -> MemoryLedger:
    """A shutoff on 23 May 2024 that every rule permitted as known then, and a reconnection."""
    ledger = authorized
    post(ledger, "service disconnect", at="2024-05-23T10:20", reason="nonpayment")
    post(ledger, "payment receive", payment="P-1", amount="90.00", received_at="2024-05-24T09:00", channel="counter")
    post(ledger, "service reconnect", at="2024-05-24T15:30")
    return ledger


BILL, NOTICE, AUTHORIZED, SHUTOFF, PAID, RECONNECTED = 2, 3, 5, 6, 7, 8


def post(ledger: MemoryLedger, title: str, **fields: Any) -> int:
    """Posts a command learned on the day it is of, and returns its version."""
    moment = next(
        (fields[n] for n in ("at", "opened_on", "mailed_on", "on", "received_at", "filed_at") if n in fields), ""
    )
    learned = fields.pop("learned_at", moment if "T" in moment else f"{moment}T08:00")
    outcome = ledger.post(title, learned_at=learned, **fields)
    assert outcome.status == "recorded", outcome.error
    return outcome.version


def publish(ledger: MemoryLedger, folder: Path, old: str, new: str, effective_from: str = "2020-02-01") -> int:
    """Publishes del-oro with one thing put right, known now."""
    assert old in DEL_ORO
    file = folder / "corrected.toml"
    file.write_text(DEL_ORO.replace(old, new), encoding="utf-8")
    outcome = ledger.post("policy publish", file=str(file), effective_from=effective_from)
    assert outcome.status == "recorded", outcome.error
    return outcome.version


def findings(ledger: MemoryLedger, account: str = "7001") -> list[Finding]:
    known = Known(ledger.desk.streams[UTILITY].events)
    return [finding for found in judge_again(ledger.history(account), known) for finding in found]


def brief(ledger: MemoryLedger) -> list[tuple[int, str, int | None]]:
    """Version, by rules or facts, and the version of the event that made the difference."""
    return [(f.event.version, f.judged, f.cause[1].version if f.cause else None) for f in findings(ledger)]


def test_nothing_differs_while_nothing_was_learned(ledger: MemoryLedger) -> None:
    known = Known(ledger.desk.streams[UTILITY].events)
    assert list(judge_again(ledger.history(), known)) == [[]] * 6
    # What happened later is no fact of that day, however soon it was recorded.
    post(ledger, "payment receive", payment="P-2", amount="500.00", received_at="2024-05-25T09:00", channel="counter")
    post(ledger, "office close", on="2024-12-24", reason="stock-taking")
    assert brief(ledger) == []


def test_a_payment_made_before_the_shutoff_and_posted_after_it(ledger: MemoryLedger) -> None:
    late = post(
        ledger, "payment receive", payment="P-9", amount="90.00", received_at="2024-05-22T21:00", channel="internet",
        learned_at="2024-05-25T09:00",
    )  # fmt: skip
    authorized, shutoff = findings(ledger)
    assert brief(ledger) == [(AUTHORIZED, "facts", late), (SHUTOFF, "facts", late)]
    assert (authorized.before["allowed"], authorized.after["allowed"]) == (True, False)
    assert shutoff.before["against"] == []
    assert {"DO-03", "DO-31"} <= set(shutoff.after["against"])
    assert shutoff.after["flags"] == shutoff.after["against"]
    assert "DO-31: no bill is past due" in shutoff.after["because"]


@pytest.mark.parametrize("at", ["2024-05-23T09:55", "2024-05-23T10:00", "2024-05-23T10:05"])
def test_a_shutoff_is_nothing_against_the_decision_that_allowed_it(authorized: MemoryLedger, at: str) -> None:
    post(authorized, "service disconnect", at=at, reason="nonpayment", learned_at="2024-05-23T12:00")
    made = {"payment": "P-9", "amount": "90.00", "received_at": "2024-05-22T21:00", "channel": "internet"}
    late = post(authorized, "payment receive", **made, learned_at="2024-05-28T08:00")
    assert (AUTHORIZED, "facts", late) in brief(authorized)


def test_the_event_named_is_the_one_that_made_the_difference(ledger: MemoryLedger) -> None:
    """A contact and a part payment came late to light too, and would have changed nothing."""
    at = {"received_at": "2024-05-21T09:00", "channel": "mail", "learned_at": "2024-05-26T09:00"}
    post(
        ledger,
        "contact attempt",
        at="2024-05-21T10:00",
        method="visit",
        outcome="failed",
        learned_at="2024-05-26T08:00",
    )
    post(ledger, "payment receive", payment="P-8", amount="10.00", **at)
    decisive = post(ledger, "payment receive", payment="P-9", amount="80.00", **at)
    post(
        ledger,
        "contact attempt",
        at="2024-05-22T10:00",
        method="phone",
        outcome="reached",
        learned_at="2024-05-26T10:00",
    )
    assert brief(ledger) == [(AUTHORIZED, "facts", decisive), (SHUTOFF, "facts", decisive)]


def test_what_made_a_difference_and_was_taken_back_is_no_finding(ledger: MemoryLedger) -> None:
    post(ledger, "deposit receive", deposit="D-5", amount="50.00", on="2024-05-10", learned_at="2024-05-26T09:00")
    assert [f.after["against"] for f in findings(ledger)] == [["DO-32"]] * 2
    post(ledger, "deposit refund", deposit="D-5", amount="50.00", on="2024-05-15", learned_at="2024-05-27T09:00")
    assert brief(ledger) == []


def test_a_petition_that_came_late_to_light(ledger: MemoryLedger) -> None:
    late = post(
        ledger, "dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-06", learned_at="2024-06-25T09:00"
    )
    assert brief(ledger) == [(AUTHORIZED, "facts", late), (SHUTOFF, "facts", late)]
    assert findings(ledger)[0].after["against"] == ["DO-23", "HS-116908-B", "PUC-779-A"]


def test_a_bill_corrected_before_the_notice_and_recorded_after_it(ledger: MemoryLedger) -> None:
    late = post(ledger, "bill void", bill="B-1", on="2024-04-20", reason="issued twice", learned_at="2024-06-03T09:00")
    assert brief(ledger) == [(version, "facts", late) for version in (NOTICE, AUTHORIZED, SHUTOFF)]
    assert findings(ledger)[0].after["flags"] == ["DO-19"]


def test_a_read_corrected_after_the_bill(ledger: MemoryLedger) -> None:
    post(ledger, "meter install", meter="M-1", on="2024-05-01", reading="100", learned_at="2024-05-01T09:00")
    post(ledger, "meter read", read_on="2024-06-01", reading="110", learned_at="2024-06-01T09:00")
    period = {"period_start": "2024-05-01", "period_end": "2024-06-01", "usage": "10"}
    bill = post(ledger, "bill issue", bill="B-2", mailed_on="2024-06-03", amount="40.00", **period)
    # What is read later says nothing of this period.
    post(ledger, "meter read", read_on="2024-07-01", reading="125", learned_at="2024-07-01T09:00")
    assert brief(ledger) == []
    late = post(
        ledger, "meter correct", read_on="2024-06-01", reading="107.5", reason="misread", learned_at="2024-07-02T09:00"
    )
    (found,) = findings(ledger)
    assert brief(ledger) == [(bill, "facts", late)]
    assert (found.before, found.after) == ({}, {"usage": "7.5 by the reads, 10 on the bill"})
    post(
        ledger,
        "meter correct",
        read_on="2024-06-01",
        reading="110",
        reason="it was right",
        learned_at="2024-07-03T09:00",
    )
    assert brief(ledger) == []


def test_an_estimate_that_a_later_read_restates_is_no_finding(ledger: MemoryLedger) -> None:
    post(ledger, "meter install", meter="M-1", on="2024-05-01", reading="100", learned_at="2024-05-01T09:00")
    post(ledger, "meter read", read_on="2024-06-01", reading="110", kind="estimated", learned_at="2024-06-01T09:00")
    period = {"period_start": "2024-05-01", "period_end": "2024-06-01", "usage": "10"}
    post(ledger, "bill issue", bill="B-2", mailed_on="2024-06-03", amount="40.00", **period)
    post(ledger, "meter read", read_on="2024-07-01", reading="160", learned_at="2024-07-01T09:00")
    assert brief(ledger) == []


def test_a_finding_made_earlier_than_it_was_recorded_takes_the_fee_away(ledger: MemoryLedger) -> None:
    late = post(ledger, "service wrongful", on="2024-05-23", reason="an appeal was open", learned_at="2024-06-03T09:00")
    (found,) = findings(ledger)
    assert brief(ledger) == [(RECONNECTED, "facts", late - 1)]
    assert (found.before["fee"][:18], found.after.get("fee")) == ("reconnection 30.00", "")


def test_a_closure_that_was_declared_late(ledger: MemoryLedger) -> None:
    post(ledger, "office close", on="2024-05-21", reason="power cut", learned_at="2024-05-27T09:00")
    late = post(ledger, "office close", on="2024-05-23", reason="power cut", learned_at="2024-05-28T09:00")
    assert brief(ledger) == [(AUTHORIZED, "facts", late), (SHUTOFF, "facts", late)]
    cause = findings(ledger)[0].plain()["because"]
    assert (cause["account"], cause["type"]) == (None, "OfficeClosed")


def test_a_rule_put_right_later(ledger: MemoryLedger, tmp_path: Path) -> None:
    publish(ledger, tmp_path, 'source = "company policy as published"', 'source = "read again"')
    assert brief(ledger) == []
    days = '{ since = 2020-02-01, days = 19, source = "company policy as published" }'
    corrected = publish(ledger, tmp_path, days, days.replace("19", "25"))
    found = findings(ledger)
    assert brief(ledger) == [(BILL, "rules", corrected), (RECONNECTED, "rules", corrected)]
    assert (found[0].before, found[0].after) == ({"past_due_from": "2024-03-24"}, {"past_due_from": "2024-03-30"})
    # Put right again, nothing is left of it.
    publish(ledger, tmp_path, days, days)
    assert brief(ledger) == []


def test_rules_and_facts_are_told_apart(ledger: MemoryLedger, tmp_path: Path) -> None:
    late = post(
        ledger, "payment receive", payment="P-9", amount="90.00", received_at="2024-05-22T21:00", channel="internet",
        learned_at="2024-05-25T09:00",
    )  # fmt: skip
    days = "{ since = 2020-02-01, days = 79, source"
    corrected = publish(ledger, tmp_path, days, days.replace("79", "99"))
    assert brief(ledger) == [
        (AUTHORIZED, "rules", corrected),
        (AUTHORIZED, "facts", late),
        (SHUTOFF, "rules", corrected),
        (SHUTOFF, "facts", late),
    ]
    assert findings(ledger)[0].after["against"] == ["DO-04"]


def test_an_arrangement_longer_than_a_pack_put_right_allows(ledger: MemoryLedger, tmp_path: Path) -> None:
    post(ledger, "bill issue", bill="B-2", mailed_on="2024-06-03", amount="90.00")
    agreed = post(
        ledger, "arrangement agree", arrangement="P-1", kind="reduced", on="2024-07-01",
        installments=[{"due_on": "2025-03-01", "amount": "90.00"}],
    )  # fmt: skip
    assert brief(ledger) == []
    corrected = publish(
        ledger, tmp_path, "since = 2020-02-01, months = 12, source", "since = 2020-02-01, months = 6, source"
    )
    assert brief(ledger) == [(agreed, "rules", corrected)]
    (found,) = findings(ledger)
    assert (found.after["allowed"], found.after["against"]) == (False, ["DO-09"])


def test_a_deposit_over_a_limit_put_right_is_told(ledger: MemoryLedger, tmp_path: Path) -> None:
    """Given a deposit that the ledger computed, twice the average bill, and one that was asked and is less."""
    computed = post(ledger, "deposit require", on="2024-06-03")
    post(ledger, "deposit require", on="2024-06-04", amount="80.00")
    factor = "{ since = 2020-02-01, factor = 2"
    publish(ledger, tmp_path, factor, factor.replace("factor = 2", "factor = 3"))
    assert brief(ledger) == [], "a limit that is higher allows what was asked"
    corrected = publish(ledger, tmp_path, factor, factor.replace("factor = 2", "factor = 1"))
    (found,) = findings(ledger)
    assert brief(ledger) == [(computed, "rules", corrected)]
    assert (found.after["allowed"], found.after["against"]) == (False, ["DO-42"])
    assert "a deposit of 180.00 is over the limit of 90.00 (DO-42)" in found.after["because"]


def test_a_bill_corrected_late_changes_the_average_behind_a_deposit(ledger: MemoryLedger) -> None:
    computed = post(ledger, "deposit require", on="2024-06-03")
    asked = post(ledger, "deposit require", on="2024-06-04", amount="80.00")
    late = post(
        ledger, "bill correct", bill="B-1", amount="60.00", mailed_on="2024-05-30", reason="misread",
        learned_at="2024-07-01T09:00",
    )  # fmt: skip
    over, within = findings(ledger)
    assert brief(ledger) == [(computed, "facts", late), (asked, "facts", late)]
    assert "a deposit of 180.00 is over the limit of 120.00 (DO-42)" in over.after["because"]
    assert (within.before, within.after) == ({"average": "90.00"}, {"average": "60.00"})


def test_every_event_that_a_rule_shaped_is_judged_again() -> None:
    shaped = {kind for kind in EVENTS.values() if {"basis", "verdicts"} & set(kind.__struct_fields__)}
    assert shaped <= set(DECISIONS)
    assert PolicyPublished not in DECISIONS


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The made-up utility of the projections' tests, with its rare cases."""
    return simulated(tmp_path_factory.mktemp("template"))


@pytest.fixture(autouse=True)
def kek(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, KEK)


def call(url: str, *arguments: str, code: int) -> str:
    told = CliRunner().invoke(cli, ["--db", url, "audit", "recheck", *arguments])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    assert told.exit_code == code, told.output
    return told.output


def test_the_command_line_reads_and_writes_nothing(store_url: str, template: Template) -> None:
    log = template.at(store_url)
    rows = sha256(repr(log.follow({}, 100_000)).encode()).hexdigest()
    lines = [json.loads(line) for line in call(store_url, "--json", code=1).splitlines()]
    assert lines[-1]["accounts"] == len(template.accounts)
    assert lines[-1]["findings"] == len(lines) - 1 > 0
    assert {line["judged"] for line in lines[:-1]} == {"facts"}
    assert all(line["because"]["version"] > line["version"] for line in lines[:-1] if line["because"]["account"])
    account = lines[0]["account"]
    own = [json.loads(line) for line in call(store_url, "--account", account, "--json", code=1).splitlines()]
    assert own[:-1] == [line for line in lines[:-1] if line["account"] == account]
    quiet = next(each for each in template.accounts if each not in {line.get("account") for line in lines})
    assert "otherwise 0" in call(store_url, "--account", quiet, code=0)
    assert f"account {account}, version {lines[0]['version']}: " in call(store_url, code=1)
    assert sha256(repr(log.follow({}, 100_000)).encode()).hexdigest() == rows
    log.close()
