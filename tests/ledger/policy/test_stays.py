"""Petitions, appeals and the health exception: DO-15, DO-23 to DO-29, HS-116908-B, HS-116910, PUC-779-A."""

from datetime import date
from itertools import product

import pytest

from ledger.policy.stays import petition_late_by
from tests.cases import (
    appeal_closed,
    appeal_filed,
    appeal_lapsed,
    arrangement_agreed,
    bill_corrected,
    bill_mailed,
    bill_received,
    commission_deposit,
    contact_made,
    health_accepted,
    health_rejected,
    health_submitted,
    notice_served,
    petition_answered,
    petition_filed,
)

BILL = "B-2024-03-04"
READY = (bill_mailed("2024-03-04"), notice_served("2024-05-01"), contact_made("2024-05-20 10:00"))
PETITION = petition_filed("2024-03-12 09:00", BILL)
STATUTE = ("HS-116908-B", "PUC-779-A")
PARTS = ("certification", "inability", "willingness")


@pytest.mark.parametrize(
    ("evidence", "filed", "late"),
    [
        ([], "2024-03-14 23:59", 0),  # mailed Monday 4 March, received the 9th
        ([], "2024-03-15 00:00", 1),
        ([], "2024-03-16 12:00", 2),
        ([bill_received(BILL, "2024-03-06")], "2024-03-11 09:00", 0),
        ([bill_received(BILL, "2024-03-06")], "2024-03-12 09:00", 1),
        ([bill_received(BILL, "2024-03-12")], "2024-03-18 09:00", 0),  # the fifth day is Sunday the 17th
        ([bill_received(BILL, "2024-03-12")], "2024-03-19 09:00", 1),
        ([bill_corrected(BILL, "95.00", "2024-03-18")], "2024-03-28 09:00", 0),
        ([bill_corrected(BILL, "95.00", "2024-03-18")], "2024-03-29 09:00", 1),
        ([bill_corrected(BILL, "85.00", "2024-03-18")], "2024-03-28 09:00", 14),
    ],
)
def test_do_23_within_five_days_of_receiving_the_bill(case, evidence, filed, late):
    case.given(*READY, *evidence, petition_filed(filed, BILL, "95.00"))
    asked = case.at("2024-05-23")
    assert petition_late_by(asked, asked.account.disputes["D-1"]) == late
    told = case.explain("2024-05-23")
    assert told["DO-23"] == ("permits" if late else "blocks")
    assert [told[rule] for rule in STATUTE] == ["blocks", "blocks"]
    assert told.earliest is None
    if late:
        assert f"late by {late} day" in told.because("DO-23")


@pytest.mark.parametrize(
    ("delivery", "filed", "late"), [("email", "2024-03-11 12:00", 0), ("hand", "2024-03-12 12:00", 1)]
)
def test_c9_a_bill_not_mailed_is_received_at_once(case, delivery, filed, late):
    case.given(bill_mailed("2024-03-06", delivery=delivery), petition_filed(filed, "B-2024-03-06"))
    asked = case.at("2024-05-23")
    assert petition_late_by(asked, asked.account.disputes["D-1"]) == late


@pytest.mark.parametrize(
    ("beyond_means", "arrangement", "do_23", "do_24"),
    [
        (False, False, "blocks", "not_applicable"),
        (False, True, "blocks", "not_applicable"),
        (True, False, "permits", "permits"),
        (True, True, "blocks", "permits"),
    ],
)
def test_do_24_only_who_pleads_inability_needs_an_arrangement(case, beyond_means, arrangement, do_23, do_24):
    case.given(*READY, petition_filed("2024-03-12 09:00", BILL, beyond_means=beyond_means))
    if arrangement:
        case.given(arrangement_agreed("2024-03-13", ("2024-06-03", "90.00")))
    told = case.explain("2024-05-23")
    assert (told["DO-23"], told["DO-24"]) == (do_23, do_24)
    assert [told[rule] for rule in STATUTE] == ["blocks", "blocks"]


def test_do_22_a_petition_about_something_else_holds_only_by_statute(case):
    case.given(*READY, petition_filed("2024-03-12 09:00", BILL, ground="other"))
    told = case.explain("2024-05-23")
    assert told["DO-23"] == "permits"
    assert [told[rule] for rule in STATUTE] == ["blocks", "blocks"]


def test_do_23_ends_with_the_answer(case):
    case.given(*READY, PETITION, petition_answered("2024-05-07"))
    assert case.explain("2024-05-06")["DO-23"] == "blocks"
    told = case.explain("2024-05-07")
    assert (told["DO-23"], told["HS-116908-B"], told["PUC-779-A"]) == ("permits", "permits", "permits")
    assert told.because("DO-23") == "every petition is answered"
    assert case.explain("2024-03-11")["DO-23"] == "not_applicable"


def test_do_24_ends_with_the_answer_too(case):
    case.given(*READY, petition_filed("2024-03-12 09:00", BILL, beyond_means=True), petition_answered("2024-05-07"))
    assert case.explain("2024-03-11")["DO-24"] == "not_applicable"
    assert "condition_met" in case.explain("2024-05-06").facts("DO-24")
    told = case.explain("2024-05-07")
    assert (told["DO-24"], told.because("DO-24")) == ("permits", "petition D-1 pleaded inability and is answered")


def test_do_23_holds_before_the_bill_is_past_due(case):
    case.given(bill_mailed("2024-03-04"), PETITION)
    assert case.explain("2024-03-13")["DO-23"] == "blocks"


@pytest.mark.parametrize("disputed", ["0.01", "89.99", "90.00"])
def test_do_23_holds_whatever_part_of_the_bills_is_disputed(case, disputed):
    case.given(bill_mailed("2024-02-01", "50.00"), *READY, petition_filed("2024-03-12 09:00", BILL, disputed))
    assert case.explain("2024-05-23")["DO-23"] == "blocks"


def test_do_29_the_stay_covers_the_disputed_bill_and_no_other(case):
    case.given(*READY, *APPEALED, commission_deposit("2024-04-09", "90.00"))
    assert [p.rules for p in case.protections("2024-05-23")] == [("DO-29", "HS-116908-B")]
    case.given(bill_mailed("2024-02-01", "50.00"))
    told = case.explain("2024-05-23")
    assert told["DO-29"] == "permits"
    assert "50.00 of bill B-2024-02-01 is not disputed" in told.because("DO-29")
    assert told["HS-116908-B"] == "blocks"
    assert [p.rules for p in case.protections("2024-05-23")] == [("HS-116908-B",)]


@pytest.mark.parametrize(("disputed", "verdict"), [("89.99", "permits"), ("90.00", "blocks")])
def test_do_29_the_undisputed_part_stays_payable(case, disputed, verdict):
    case.given(*READY, petition_filed("2024-03-12 09:00", BILL, disputed), *APPEALED[1:])
    case.given(commission_deposit("2024-04-09", disputed))
    assert case.explain("2024-05-23")["DO-29"] == verdict


@pytest.mark.parametrize(("disputed", "verdict"), [("89.99", "permits"), ("90.00", "blocks")])
def test_do_29_two_appeals_about_one_petition_cover_it_once(case, disputed, verdict):
    case.given(*READY, petition_filed("2024-03-12 09:00", BILL, disputed), *APPEALED[1:])
    case.given(appeal_filed("2024-04-09", "AP-2"), commission_deposit("2024-04-09", disputed))
    case.given(commission_deposit("2024-04-10", disputed, "AP-2"))
    assert case.explain("2024-05-23")["DO-29"] == verdict


def test_do_23_petition_and_appeal_together_cover_two_bills(case):
    case.given(bill_mailed("2024-02-01", "50.00"), *READY, PETITION)
    case.given(petition_filed("2024-02-08 09:00", "B-2024-02-01", "50.00", dispute="D-2"))
    case.given(petition_answered("2024-03-01", "D-2"), appeal_filed("2024-03-04", dispute="D-2"))
    case.given(commission_deposit("2024-03-05", "50.00"))
    told = case.explain("2024-05-23")
    assert told["DO-23"] == told["DO-29"] == "blocks"


APPEALED = (PETITION, petition_answered("2024-04-01"), appeal_filed("2024-04-08"))


@pytest.mark.parametrize(
    ("deposit", "do_29", "met"), [(None, "permits", False), ("89.99", "permits", False), ("90.00", "blocks", True)]
)
def test_do_26_the_disputed_amount_is_deposited(case, deposit, do_29, met):
    case.given(*READY, *APPEALED)
    if deposit:
        case.given(commission_deposit("2024-04-09", deposit))
    told = case.explain("2024-05-23")
    assert (told["DO-26"], told["DO-29"], told["HS-116908-B"]) == ("permits", do_29, "blocks")
    assert told.facts("DO-26")["condition_met"] is met


@pytest.mark.parametrize("end", [appeal_closed("2024-05-23"), appeal_lapsed("2024-05-23")])
def test_do_29_the_stay_ends_the_day_after_the_appeal_does(case, end):
    case.given(*READY, *APPEALED, commission_deposit("2024-04-09", "90.00"), end)
    told = case.explain("2024-05-23")
    assert (told["DO-29"], told["HS-116908-B"]) == ("blocks", "blocks")
    assert told.earliest == date(2024, 5, 28)  # Friday is avoided, Monday is Memorial Day
    told = case.explain("2024-05-24")
    assert (told["DO-29"], told["HS-116908-B"], told["DO-26"]) == ("permits", "permits", "permits")
    assert told.because("DO-26") == "every appeal is closed or lapsed"
    assert case.explain("2024-04-07")["DO-26"] == "not_applicable"


def test_do_29_is_residential(case):
    case.opened(service_class="nonresidential").given(*READY, *APPEALED, commission_deposit("2024-04-09", "90.00"))
    told = case.explain("2024-05-23")
    rules = ("DO-15", "DO-29", "HS-116908-B", "HS-116910", "PUC-779-A")
    assert [told[rule] for rule in rules] == ["not_applicable"] * 5


@pytest.mark.parametrize("accepted", list(product([False, True], repeat=3)))
def test_do_15_all_three_parts_are_accepted(case, accepted):
    case.given(*READY, *(health_submitted(part, "2024-05-01") for part in PARTS))
    case.given(*(health_accepted(part, "2024-05-02") for part, done in zip(PARTS, accepted, strict=True) if done))
    told = case.explain("2024-05-23")
    assert told["DO-15"] == told["HS-116910"] == ("blocks" if all(accepted) else "permits")
    assert told["PUC-779-A"] == "blocks"  # under review is enough there


@pytest.mark.parametrize("part", PARTS)
def test_do_15_a_part_rejected_later_ends_it(case, part):
    for each in PARTS:
        case.given(health_submitted(each, "2024-05-01"), health_accepted(each, "2024-05-02"))
    case.given(*READY, health_rejected(part, "2024-05-10"))
    assert case.explain("2024-05-09")["DO-15"] == "blocks"
    told = case.explain("2024-05-10")
    assert (told["DO-15"], told["HS-116910"], told["PUC-779-A"]) == ("permits", "permits", "permits")
    assert f"{part} (rejected)" in told.because("DO-15")


def test_puc_779_a_a_missing_part_does_not_hold(case):
    case.given(*READY, health_submitted("certification", "2024-05-01"), health_submitted("inability", "2024-05-01"))
    assert case.explain("2024-05-23")["PUC-779-A"] == "permits"
