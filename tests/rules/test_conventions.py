"""The conventions that every rule counts by, C1 to C12: each on both sides of its boundary."""

from datetime import date

import pytest

from commands import answers
from ledger.history import History
from ledger.refusal import Invalid
from tests.cases import (
    arrangement_requested,
    bill_mailed,
    bill_received,
    contact_made,
    day,
    deposit_received,
    moment,
    notice_served,
    payment,
    petition_filed,
)
from tests.commands.world import World, command
from tests.desk import MemoryLedger

BILL = "B-2024-03-04"
READY = (bill_mailed("2024-03-04"), notice_served("2024-04-25"), contact_made("2024-05-20 10:00"))
"""What lets a shutoff go ahead from 23 May 2024."""


@pytest.mark.parametrize(
    ("on", "past_due", "may_be_shut_off"),
    [("2024-03-23", 0, False), ("2024-03-24", 9000, False), ("2024-05-22", 9000, False), ("2024-05-23", 9000, True)],
)
def test_c1_the_mailing_day_is_day_0_of_19_and_of_79(case, on, past_due, may_be_shut_off):
    case.given(*READY)
    assert case.at(on).account.past_due(day(on)) == past_due
    assert case.explain(on).allowed is may_be_shut_off


@pytest.mark.parametrize(
    ("on", "past_due", "flags"),
    [("2024-02-19", 0, ("DO-02",)), ("2024-02-20", 9000, ("DO-02",)), ("2024-02-21", 9000, ())],
)
def test_c2_status_is_literal_and_what_harms_waits_for_an_open_day(on, past_due, flags):
    # The 19th day after 31 January 2024 is Presidents' Day.
    world = World().given("bill issue", bill="B-1", mailed_on="2024-01-31", amount="90.00")
    assert world.account().past_due(day(on)) == past_due
    (late,) = world.then("fee charge", fee="F-1", kind="late", on=on, amount="5.00")
    assert late.flags == flags


@pytest.mark.parametrize(
    ("received_at", "owed_on_the_day", "owed_the_day_after"),
    [
        ("2024-03-24T06:59:59Z", 0, 0),  # 23:59:59 on 23 March, the 19th day, in daylight time
        ("2024-03-24T07:00:00Z", 9000, 0),
        ("2024-03-23T23:59:59", 0, 0),
    ],
)
def test_c3_a_payment_at_the_last_second_of_the_pacific_day_is_on_time(
    received_at, owed_on_the_day, owed_the_day_after
):
    world = World().given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    world.given("payment receive", payment="P-1", amount="90.00", received_at=received_at, channel="internet")
    for on, owed in (("2024-03-23", owed_on_the_day), ("2024-03-24", owed_the_day_after)):
        then = answers.balance(History("7001", world.events["7001"]), world.calendar, world.policies, day(on))
        assert then["balance"] == f"{owed // 100}.00"


@pytest.mark.parametrize(
    ("on", "known_at", "balance"),
    [
        ("2024-05-25", "2024-05-28 08:00", 9000),  # it had not happened
        ("2024-05-26", "2024-05-28 07:59", 9000),  # nobody knew of it
        ("2024-05-26", "2024-05-28 08:00", 0),  # known at that moment, inclusive
    ],
)
def test_c4_when_it_happened_and_when_it_was_learned_are_two_times(on, known_at, balance):
    desk = MemoryLedger()
    desk.post("account open", opened_on="2019-06-01", name="A", service_address="B", learned_at="2019-06-01T09:00")
    desk.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00", learned_at="2024-03-04T09:00")
    paid = {"payment": "P-1", "amount": "90.00", "received_at": "2024-05-26T21:00", "channel": "internet"}
    desk.post("payment receive", **paid, learned_at="2024-05-28T08:00")
    assert desk.history().as_of(day(on), moment(known_at)).balance == balance


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        ("2022-04-25", "permits"),
        ("2023-04-24", "blocks"),  # Genocide Remembrance Day is a holiday from 2023 on
        ("2022-06-20", "blocks"),  # Juneteenth, a Sunday, observed by the federal government
        ("2020-06-19", "permits"),
    ],
)
def test_c5_a_holiday_bars_from_the_year_its_law_began(case, on, verdict):
    assert case.explain(on)["DO-35"] == verdict


@pytest.mark.parametrize(("on", "verdict"), [("2024-05-30", "blocks"), ("2024-05-31", "permits")])
def test_c6_a_shutoff_is_allowed_on_the_nth_business_day(case, on, verdict):
    # Seven business days after Tuesday 21 May: Memorial Day and two weekends do not count.
    case.given(bill_mailed("2024-03-04"), contact_made("2024-05-21 10:00"))
    assert case.explain(on)["HS-116908-A"] == verdict


@pytest.mark.parametrize(
    ("at", "verdict"),
    [
        ("2024-05-23 07:59", "blocks"),
        ("2024-05-23 08:00", "permits"),
        ("2024-05-23 16:59", "permits"),
        ("2024-05-23 17:00", "blocks"),
    ],
)
def test_c7_the_hours_are_the_office_s_and_not_the_commission_s(case, at, verdict):
    assert case.explain(at)["DO-36"] == verdict


@pytest.mark.parametrize("delivery", ["mail", "email", "hand"])
def test_c8_the_clocks_run_from_the_day_of_mailing_and_from_no_other(delivery):
    world = World()
    world.given(
        "bill issue",
        bill="B-1",
        mailed_on="2024-03-04",
        amount="90.00",
        delivery=delivery,
        period_start="2024-01-28",
        period_end="2024-02-28",
    )
    assert world.account().past_due(date(2024, 3, 23)) == 0
    assert world.account().past_due(date(2024, 3, 24)) == 9000
    with pytest.raises(Invalid, match="needs mailed_on"):
        command("bill issue", bill="B-2", amount="90.00")


@pytest.mark.parametrize(
    ("evidence", "filed", "verdict"),
    [
        ([], "2024-03-14 23:59", "blocks"),  # presumed received on the fifth day, 9 March
        ([], "2024-03-15 00:00", "permits"),
        ([bill_received(BILL, "2024-03-10")], "2024-03-15 00:00", "blocks"),
        ([bill_received(BILL, "2024-03-10")], "2024-03-16 00:00", "permits"),
        ([bill_received(BILL, "2024-03-07")], "2024-03-13 00:00", "permits"),
    ],
)
def test_c9_a_mailed_bill_is_presumed_received_on_the_fifth_day_unless_shown_otherwise(case, evidence, filed, verdict):
    case.given(*READY, *evidence, petition_filed(filed, BILL))
    assert case.explain("2024-05-23")["DO-23"] == verdict


@pytest.mark.parametrize(("paid", "aged", "unpaid"), [("89.99", True, 9001), ("90.00", False, 9000)])
def test_c10_each_bill_has_its_own_clock_and_the_oldest_is_paid_first(case, paid, aged, unpaid):
    case.given(*READY, bill_mailed("2024-04-04"), payment("2024-05-21", paid))
    told = case.explain("2024-05-23")
    assert (told["DO-04"] == "permits") is aged
    assert case.at("2024-05-23").account.past_due(day("2024-05-23")) == unpaid


@pytest.mark.parametrize(
    ("more", "on", "against"),
    [
        ([], "2024-05-23", set()),
        ([deposit_received("2024-01-05", "50.00")], "2024-05-23", {"policy"}),
        ([arrangement_requested("2024-05-22 09:00")], "2024-05-23", {"statute"}),
    ],
)
def test_c11_each_layer_objects_for_itself_and_any_one_is_enough(case, more, on, against):
    case.given(*READY, *more)
    told = case.explain(on)
    assert {layer for layer, allows in told.layers.items() if not allows} == against
    assert told.allowed is (not against)


@pytest.mark.parametrize(("on", "against"), [("2021-12-29", {"orders"}), ("2022-01-03", set())])
def test_c11_an_order_objects_while_it_lasts(case, on, against):
    case.given(bill_mailed("2021-09-01"), notice_served("2021-12-01"), contact_made("2021-12-20 10:00"))
    told = case.explain(on)
    assert {layer for layer, allows in told.layers.items() if not allows} == against


@pytest.mark.parametrize(("bills", "deposit"), [(("61.33", "61.34"), 12267), (("61.33", "61.33"), 12266)])
def test_c12_a_derived_amount_is_rounded_once_at_the_end(bills, deposit):
    # The average of the first is 61.335: twice that is 122.67, and not twice a rounded 61.34.
    world = World()
    for n, amount in enumerate(bills, 1):
        world.given("bill issue", bill=f"B-{n}", mailed_on=f"2024-0{n}-04", amount=amount)
    world.given("service disconnect", at="2024-05-23T10:00", reason="nonpayment")
    (required,) = world.then("deposit require", on="2024-05-28")
    assert required.amount == deposit
