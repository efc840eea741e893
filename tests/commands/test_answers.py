"""The answers to the contract's questions about one account, to the letter of its JSON."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from commands import answers
from ledger import events as e
from ledger.refusal import Refused
from ledger.showing import fields
from tests.cases import (
    appeal_filed,
    arrangement_agreed,
    bill_corrected,
    bill_mailed,
    bill_voided,
    commission_deposit,
    day,
    deposit_absorbed,
    deposit_received,
    disconnected,
    moment,
    payment,
    payment_reported,
    payment_returned,
    petition_answered,
    petition_filed,
)
from tests.commands.told import AGED, READS, RECORDED, RULES, history, known


def test_balance_has_the_keys_of_the_contract_and_echoes_the_day():
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), deposit_received("2024-03-05", "20.00"))
    assert answers.balance(told, *RULES, date(2024, 3, 24)) == {
        "account": "7001",
        "on": "2024-03-24",
        "balance": "90.00",
        "past_due": "90.00",
        "credit": "0.00",
        "deposit": "20.00",
        "commission_deposit": "0.00",
        "disputed": "0.00",
    }
    assert answers.balance(told, *RULES, date(2024, 3, 23))["past_due"] == "0.00"


def test_balance_at_a_moment_and_as_known_then():
    told = history(bill_mailed("2024-03-04", "90.00", "B1"), payment("2024-03-06 12:00", "100.00"))
    before, after = (answers.balance(told, *RULES, moment(f"2024-03-06 {hour}")) for hour in ("11:59", "12:00"))
    assert (before["balance"], before["at"]) == ("90.00", "2024-03-06T11:59:00-08:00")
    assert (after["balance"], after["credit"]) == ("-10.00", "10.00")
    assert answers.balance(told, *RULES, date(2024, 3, 6), known(2))["balance"] == "90.00"


def test_an_account_not_known_yet_is_refused():
    with pytest.raises(Refused, match="was not known"):
        answers.balance(history(), *RULES, date(2024, 3, 6), known(0))


def test_commission_money_is_shown_beside_the_balance_and_never_in_it():
    told = history(
        bill_mailed("2024-03-04", "90.00", "B1"),
        petition_filed("2024-03-06", "B1", "40.00"),
        petition_answered("2024-03-10"),
        appeal_filed("2024-03-11"),
        commission_deposit("2024-03-12", "40.00"),
    )
    found = answers.balance(told, *RULES, date(2024, 3, 31))
    assert (found["balance"], found["commission_deposit"], found["disputed"]) == ("90.00", "40.00", "40.00")


def test_status_lists_the_bills_of_36_months_with_their_clocks():
    told = history(
        bill_mailed("2021-03-03", "10.00", "B0"),
        bill_mailed("2021-03-04", "10.00", "B1"),
        bill_mailed("2024-01-31", "85.00", "B2"),
        bill_mailed("2024-02-05", "70.00", "B3"),
        bill_voided("B3", "2024-02-06"),
    )
    found = answers.status(told, *RULES, date(2024, 3, 4))
    assert [bill["bill"] for bill in found["bills"]] == ["B1", "B2", "B3"]
    assert {key: found["bills"][1][key] for key in ("past_due_from", "grace_until", "shutoff_from", "unpaid")} == {
        "past_due_from": "2024-02-20",
        "grace_until": "2024-02-20",
        "shutoff_from": "2024-04-20",
        "unpaid": "85.00",
    }
    assert (found["bills"][2]["unpaid"], found["bills"][2]["voided_on"]) == ("0.00", "2024-02-06")
    assert (found["stage"], found["service"]) == ("past_due", "on")


def test_status_says_what_protects_and_that_the_water_is_off():
    told = history(*AGED, deposit_received("2024-05-20", "20.00"), disconnected("2024-05-23 10:00"))
    found = answers.status(told, *RULES, date(2024, 5, 23))
    assert (found["stage"], found["service"]) == ("disconnected", "off")
    assert [(p["kind"], p["rules"]) for p in found["protections"]] == [("deposit", ["DO-32"])]


def test_explain_lists_every_rule_with_its_verdict():
    found = answers.explain(history(*AGED), *RULES, moment("2024-05-23 10:00"), known(9))
    assert (found["allowed"], found["layers"]) == (True, {"policy": True, "statute": True, "orders": True})
    assert (found["at"], found["known_at"]) == ("2024-05-23T10:00:00-07:00", "2024-01-01T08:09:00-08:00")
    assert found["earliest"] == "2024-05-23"
    rule = next(rule for rule in found["rules"] if rule["rule"] == "DO-04")
    assert (rule["layer"], rule["verdict"], rule["facts"]["mailed_on"]) == ("policy", "permits", "2024-03-04")
    assert rule["events"] == [2]
    assert json.loads(json.dumps(found)) == found


def test_explain_of_a_day_is_about_its_last_moment():
    found = answers.explain(history(*AGED), *RULES, date(2024, 5, 23))
    assert found["at"] == "2024-05-23T23:59:59.999999-07:00"
    assert [rule["rule"] for rule in found["rules"] if rule["verdict"] == "blocks"] == ["DO-36", "PUC-780"]


def test_reconnection_says_what_is_to_be_paid():
    told = history(*AGED, disconnected("2024-05-23 10:00"), payment("2024-05-23 11:00", "89.99"))
    short = answers.reconnection(told, *RULES, moment("2024-05-23 12:00"))
    assert (short["allowed"], short["amount_to_pay"], short["fee"]) == (False, "0.01", "30.00")
    assert short["deposit_required"] == "180.00"
    paid = history(*AGED, disconnected("2024-05-23 10:00"), payment("2024-05-23 11:00", "90.00"))
    assert answers.reconnection(paid, *RULES, moment("2024-05-23 12:00"))["allowed"]


def test_cw_11_usage_of_the_worked_example():
    found = answers.usage(history(*READS), *RULES, date(2023, 3, 31))
    assert (found["unit"], len(found["months"])) == ("CCF", 25)
    assert found["months"][-2] == {
        "month": "2023-02",
        "average_daily": "0.567857",
        "exact": "159/280",
        "literal": "0.567857",
        "days": 28,
        "covered_days": 28,
        "state": "complete",
        "estimated": True,
        "flags": [],
    }
    assert (found["months"][-1]["state"], found["months"][-1]["literal"]) == ("open", "0.232258")


def test_cw_09_the_pack_says_how_many_months_are_shown():
    from ledger.policy.parameters import FOLDER, load_pack

    faq = (FOLDER / "faq.toml").read_text(encoding="utf-8")
    longer = RULES[1].with_published(load_pack(faq.replace("months = 24", "months = 36")), date(2023, 3, 1))
    for policies, on, months in ((RULES[1], date(2023, 3, 31), 25), (longer, date(2023, 3, 31), 37)):
        assert len(answers.usage(history(*READS), RULES[0], policies, on)["months"]) == months
    assert len(answers.usage(history(*READS), RULES[0], longer, date(2023, 2, 28))["months"]) == 25


def test_cw_11_usage_of_an_unmetered_service_is_null():
    found = answers.usage(history(), *RULES, date(2023, 3, 31))
    month = found["months"][-1]
    assert (found["unit"], month["average_daily"], month["exact"], month["state"]) == (None, None, None, "unmetered")


def test_a_whole_average_is_written_without_a_slash():
    told = history(READS[0], e.ReadTaken(meter="M1", read_on=date(2023, 2, 12), reading=62_000))
    assert answers.usage(told, *RULES, date(2023, 2, 28))["months"][-2]["exact"] == "2"


def test_statement_runs_in_effective_order_and_ends_with_the_balance():
    told = history(
        payment("2024-02-10 10:00", "50.00", payment="P1"),
        bill_mailed("2024-02-01", "90.00", "B1"),
        bill_corrected("B1", "79.00", "2024-02-05"),
        payment_returned("P1", "2024-02-10"),
        payment_reported("2024-02-12", "79.00", payment="P2"),
        deposit_received("2024-02-13", "20.00"),
        deposit_absorbed("2024-02-21", "20.00"),
    )
    found = answers.statement(told, *RULES, date(2024, 2, 29))
    assert [(x["on"], x["kind"], x["reference"], x["amount"], x["balance"]) for x in found["lines"]] == [
        ("2024-02-01", "bill", "B1", "90.00", "90.00"),
        ("2024-02-05", "bill_correction", "B1", "-11.00", "79.00"),
        ("2024-02-10", "payment", "P1", "-50.00", "29.00"),
        ("2024-02-10", "payment_return", "P1", "50.00", "79.00"),
        ("2024-02-21", "deposit_absorbed", None, "-20.00", "59.00"),
    ]
    assert found["lines"][0] | {"on": ""} == {
        "on": "",
        "recorded_at": "2024-01-01T08:03:00-08:00",
        "version": 3,
        "kind": "bill",
        "reference": "B1",
        "amount": "90.00",
        "balance": "90.00",
    }


DAYS = st.integers(0, 20).map(lambda n: date(2024, 2, 1) + timedelta(days=n))
PAID = st.tuples(DAYS, st.integers(1, 9999), st.booleans())


@given(st.lists(PAID, max_size=8), st.lists(PAID, max_size=8))
def test_statement_has_the_balance_of_every_day_and_every_moment_of_knowing(bills, payments):
    events = []
    for n, (on, amount, changed) in enumerate(bills):
        events.append(bill_mailed(on, f"{amount // 100}.{amount % 100:02}", f"B{n}"))
        if changed:
            events.append(bill_corrected(f"B{n}", "12.34", on + timedelta(days=3)))
    for n, (on, amount, changed) in enumerate(payments):
        events.append(payment(f"{on} 10:00", f"{amount // 100}.{amount % 100:02}", payment=f"P{n}"))
        if changed:
            events.append(payment_returned(f"P{n}", on))
    told = history(*events)
    for version in range(1, len(events) + 2, 3):
        for on in {date(2024, 2, 1) + timedelta(days=n) for n in range(0, 24, 4)}:
            found = answers.statement(told, *RULES, on, known(version))
            balance = answers.balance(told, *RULES, on, known(version))["balance"]
            assert found["balance"] == balance
            assert [line["balance"] for line in found["lines"]][-1:] == [balance][: len(found["lines"])]


def test_history_shows_every_event_with_money_and_readings_as_text():
    bill = replace(
        bill_mailed("2024-02-01", "85.00", "B1"),
        lines=(e.Line("service", 8500),),
        usage=12_345,
        basis=(e.RuleVersion("DO-02", date(2020, 2, 1), "abc"),),
        flags=("DO-35",),
        note="by hand",
        learned_at=RECORDED,
        actor="clerk",
    )
    told = history(bill, arrangement_agreed("2024-03-01", ("2024-04-01", "42.50")))
    opened, issued, agreed = answers.recorded(told, lambda event: event)
    assert (opened["version"], opened["type"], opened["effective"]) == (1, "AccountOpened", "2020-03-01")
    assert opened["data"]["name"] == "Sample Customer"
    assert issued | {"data": {}} == {
        "version": 2,
        "type": "BillIssued",
        "effective": "2024-02-01",
        "recorded_at": "2024-01-01T08:02:00-08:00",
        "learned_at": "2024-01-01T08:00:00-08:00",
        "actor": "clerk",
        "source": None,
        "data": {},
        "flags": ["DO-35"],
        "note": "by hand",
    }
    assert issued["data"]["lines"] == [{"kind": "service", "amount": "85.00"}]
    assert (issued["data"]["amount"], issued["data"]["usage"], issued["data"]["mailed_on"]) == (
        "85.00",
        "12.345",
        "2024-02-01",
    )
    assert issued["data"]["basis"] == [{"rule": "DO-02", "since": "2020-02-01", "pack": "abc"}]
    assert agreed["data"]["installments"] == [{"due_on": "2024-04-01", "amount": "42.50"}]
    assert "version" not in issued["data"]


def test_history_is_in_the_order_recorded_and_can_be_bounded():
    told = history(payment("2024-02-10", "50.00"), bill_mailed("2024-02-01", "90.00", "B1"))
    types = ["AccountOpened", "PaymentReceived", "BillIssued"]
    assert [x["type"] for x in answers.recorded(told, lambda event: event)] == types
    assert [x["type"] for x in answers.recorded(told, lambda event: event, known_at=known(2))] == types[:2]
    assert [x["type"] for x in answers.recorded(told, lambda event: event, day("2024-02-05"))] == [types[0], types[2]]


def test_history_opens_personal_fields():
    (opened,) = answers.recorded(history(), lambda event: replace(event, name="[erased]"))
    assert opened["data"]["name"] == "[erased]"


@pytest.mark.parametrize("kind", e.EVENTS.values(), ids=lambda kind: kind.__name__)
def test_history_can_show_every_kind_of_event(kind):
    assert all(callable(show) for _, show in fields(kind))
