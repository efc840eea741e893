"""Meters: installed, read, put right, exchanged, removed."""

from datetime import date

import pytest

from ledger.events import MeterExchanged, MeterInstalled, MeterRemoved, ReadCorrected, ReadTaken
from ledger.refusal import Invalid
from tests.commands.world import World, command


def metered(*reads: tuple[str, str], meter: str = "M-1", dials: int = 4, reading: str = "100") -> World:
    world = World().given("meter install", meter=meter, on="2024-01-10", reading=reading, dials=dials)
    for day, shown in reads:
        world.given("meter read", read_on=day, reading=shown)
    return world


def flags(world: World, title: str, **fields: str) -> tuple[str, ...]:
    (event,) = world.then(title, **fields)
    return event.flags


def test_a_meter_is_installed():
    assert World().then("meter install", meter="M-1", on="2024-01-10") == [
        MeterInstalled(meter="M-1", on=date(2024, 1, 10), reading=0, dials=6, unit="CCF", multiplier=1)
    ]
    said = {"reading": "1498.5", "dials": 4, "unit": "KGAL", "multiplier": 10}
    assert World().then("meter install", meter="M-1", on="2024-01-10", **said) == [
        MeterInstalled(meter="M-1", on=date(2024, 1, 10), reading=1_498_500, dials=4, unit="KGAL", multiplier=10)
    ]


@pytest.mark.parametrize("title", ["meter install", "meter exchange"])
def test_a_meter_has_1_to_12_dials(title):
    named = {"meter": "M-1"} if title == "meter install" else {"new_meter": "M-2", "final_reading": "1"}
    assert command(title, on="2024-01-10", dials=12, **named)
    with pytest.raises(Invalid, match="dials: a meter has 1 to 12, not 13") as invalid:
        command(title, on="2024-01-10", dials=13, **named)
    assert invalid.value.field == "dials"


def test_a_meter_in_service_is_not_installed_again():
    refusal = metered().refusal("meter install", meter="M-1", on="2024-02-01")
    assert (refusal.code, refusal.message) == (
        "meter_installed",
        "meter M-1 is in service on account 7001 since 2024-01-10; 'meter remove' it first",
    )


@pytest.mark.parametrize("day", ["2024-03-01", "2024-03-02"])
def test_a_meter_that_was_removed_may_come_back(day):
    world = metered().given("meter remove", on="2024-03-01", final_reading="120")
    assert len(world.then("meter install", meter="M-1", on=day)) == 1
    assert world.refusal("meter install", meter="M-1", on="2024-02-29").code == "meter_installed"


def test_a_read_goes_to_the_only_meter():
    assert metered().then("meter read", read_on="2024-02-09", reading="112.125", kind="customer") == [
        ReadTaken(meter="M-1", read_on=date(2024, 2, 9), reading=112_125, kind="customer")
    ]


def test_a_read_names_its_meter_where_there_are_several():
    world = metered().given("meter install", meter="M-2", on="2024-02-01")
    refusal = world.refusal("meter read", read_on="2024-02-09", reading="112")
    assert (refusal.code, refusal.message) == (
        "which_meter",
        "account 7001 has meters M-1, M-2 on 2024-02-09; say which with meter",
    )
    assert world.then("meter read", read_on="2024-02-09", reading="5", meter="M-2") == [
        ReadTaken(meter="M-2", read_on=date(2024, 2, 9), reading=5000)
    ]
    assert world.then("meter read", read_on="2024-01-31", reading="105")[0].meter == "M-1"


def test_there_must_be_a_meter_to_read():
    refusal = World().refusal("meter read", read_on="2024-02-09", reading="112")
    assert (refusal.code, refusal.message) == (
        "no_meter",
        "account 7001 has no meter in service on 2024-02-09; 'meter install' one first",
    )
    refusal = metered().refusal("meter read", read_on="2024-02-09", reading="112", meter="M-9")
    assert (refusal.code, refusal.message) == ("unknown_meter", "account 7001 has no meter M-9; record it first")


@pytest.mark.parametrize("named", [{}, {"meter": "M-1"}])
def test_a_meter_is_not_read_before_it_was_there_nor_after_it_left(named):
    world = metered()
    assert world.then("meter read", read_on="2024-01-10", reading="100", **named)
    refusal = world.refusal("meter read", read_on="2024-01-09", reading="100", **named)
    assert (refusal.code, refusal.message) == (
        "too_early",
        "meter M-1 is of 2024-01-10, so this cannot be of 2024-01-09; correct the day",
    )
    world.given("meter remove", on="2024-03-01", final_reading="120")
    assert world.then("meter read", read_on="2024-03-01", reading="120", **named)
    refusal = world.refusal("meter read", read_on="2024-03-02", reading="120", **named)
    assert (refusal.code, refusal.message) == (
        "meter_removed",
        "meter M-1 was removed on 2024-03-01; correct the day, or 'meter install' the one there",
    )


def test_cw_10_a_read_that_falls_is_flagged():
    world = metered(("2024-02-09", "112"))
    assert flags(world, "meter read", read_on="2024-03-14", reading="112") == ()
    assert flags(world, "meter read", read_on="2024-03-14", reading="111.999") == ("CW-10",)
    assert flags(world, "meter read", read_on="2024-02-09", reading="111") == ("CW-10",)


def test_cw_10_a_read_brought_in_late_is_held_against_the_one_after():
    world = metered(("2024-03-14", "112"))
    assert flags(world, "meter read", read_on="2024-02-09", reading="112") == ()
    assert flags(world, "meter read", read_on="2024-02-09", reading="113") == ("CW-10",)


def test_cw_10_a_plausible_rollover_is_not_flagged():
    world = metered(("2024-02-09", "9995"))
    assert flags(world, "meter read", read_on="2024-03-14", reading="12") == ()
    assert flags(world, "meter read", read_on="2024-03-14", reading="994.999") == ()
    assert flags(world, "meter read", read_on="2024-03-14", reading="995") == ("CW-10",)


@pytest.mark.parametrize(
    ("reading", "flagged"), [("9999.999", ()), ("10000", ("CW-10",)), ("999999999999", ("CW-10",))]
)
def test_cw_10_a_reading_that_the_dials_cannot_show_is_flagged(reading: str, flagged: tuple[str, ...]):
    world = metered(("2024-02-09", "9990"))
    assert flags(world, "meter read", read_on="2024-03-14", reading=reading) == flagged


def test_cw_10_an_estimate_proves_nothing():
    world = metered().given("meter read", read_on="2024-02-09", reading="130", kind="estimated")
    assert flags(world, "meter read", read_on="2024-03-14", reading="120") == ()
    assert flags(world, "meter read", read_on="2024-02-09", reading="120") == ()
    assert flags(world, "meter read", read_on="2024-03-14", reading="90") == ("CW-10",)
    assert flags(world, "meter read", read_on="2024-03-14", reading="90", kind="estimated") == ()
    world.given("meter read", read_on="2024-02-09", reading="110")
    assert flags(world, "meter read", read_on="2024-03-14", reading="109") == ("CW-10",)
    world.given("meter read", read_on="2024-02-09", reading="105", kind="estimated")
    assert flags(world, "meter read", read_on="2024-03-14", reading="109") == ("CW-10",)


def test_a_correction_is_of_a_read_on_that_day():
    world = metered(("2024-02-09", "121"), ("2024-03-14", "131"))
    assert world.then("meter correct", read_on="2024-02-09", reading="112", reason="digits swapped") == [
        ReadCorrected(meter="M-1", read_on=date(2024, 2, 9), reading=112_000, reason="digits swapped")
    ]
    refusal = world.refusal("meter correct", read_on="2024-02-10", reading="112", reason="digits swapped")
    assert refusal.code == "unknown_read"
    assert refusal.message == (
        "meter M-1 was not read on 2024-02-10; its latest reads are of 2024-01-10, 2024-02-09, 2024-03-14 "
        "('meter read' records a new one)"
    )


def test_cw_10_a_correction_is_held_against_the_reads_around_it():
    world = metered(("2024-02-09", "121"), ("2024-03-14", "131"))
    correct = {"read_on": "2024-02-09", "reason": "again"}
    assert flags(world, "meter correct", reading="120", **correct) == ()
    assert flags(world, "meter correct", reading="99", **correct) == ("CW-10",)
    assert flags(world, "meter correct", reading="132", **correct) == ("CW-10",)
    world.given("meter correct", reading="110", **correct)
    assert flags(world, "meter read", read_on="2024-02-20", reading="115") == ()


def test_a_meter_is_exchanged_for_another():
    said = {"new_reading": "3", "dials": 5, "unit": "CF", "multiplier": 100}
    assert metered().then("meter exchange", on="2024-03-01", final_reading="112", new_meter="M-2", **said) == [
        MeterExchanged(
            on=date(2024, 3, 1),
            meter="M-1",
            final_reading=112_000,
            new_meter="M-2",
            new_reading=3000,
            dials=5,
            unit="CF",
            multiplier=100,
        )
    ]
    world = metered().given("meter exchange", on="2024-03-01", final_reading="112", new_meter="M-2")
    assert world.then("meter read", read_on="2024-03-01", reading="0")[0].meter == "M-2"
    assert world.then("meter read", read_on="2024-03-01", reading="112", meter="M-1")[0].meter == "M-1"
    assert world.then("meter read", read_on="2024-02-29", reading="110")[0].meter == "M-1"


def test_a_new_meter_counts_as_the_old_one_did_unless_it_is_said():
    world = World().given("meter install", meter="M-1", on="2024-01-10", dials=4, unit="GAL", multiplier=10)
    swapped = {"on": "2024-03-01", "final_reading": "112", "new_meter": "M-2"}
    (kept,) = world.then("meter exchange", **swapped)
    assert (kept.dials, kept.unit, kept.multiplier) == (4, "GAL", 10)
    (said,) = world.then("meter exchange", **swapped, unit="CCF", multiplier=1)
    assert (said.dials, said.unit, said.multiplier) == (4, "CCF", 1)
    world.given("meter exchange", **swapped, unit="CCF")
    (again,) = world.then("meter exchange", on="2024-05-01", final_reading="9", new_meter="M-3")
    assert (again.dials, again.unit, again.multiplier) == (4, "CCF", 10)


def test_only_a_meter_in_service_is_exchanged_or_removed():
    world = metered().given("meter exchange", on="2024-03-01", final_reading="112", new_meter="M-2")
    for title, fields in (("meter exchange", {"new_meter": "M-3"}), ("meter remove", {})):
        gone = {"on": "2024-04-01", "final_reading": "112", **fields}
        assert world.refusal(title, meter="M-1", **gone).code == "meter_removed"
        assert world.refusal(title, meter="M-9", **gone).code == "unknown_meter"
        assert world.refusal(title, meter="M-2", **{**gone, "on": "2024-02-29"}).code == "too_early"
        assert World().refusal(title, **gone).code == "no_meter"


def test_the_new_meter_is_another_one():
    with pytest.raises(Invalid, match="new_meter: M-1 is the meter that is replaced"):
        command("meter exchange", on="2024-03-01", final_reading="112", meter="M-1", new_meter="M-1")
    refusal = metered().refusal("meter exchange", on="2024-03-01", final_reading="112", new_meter="M-1")
    assert refusal.code == "meter_installed"


def test_a_meter_is_removed():
    world = metered(("2024-02-09", "112"))
    assert world.then("meter remove", on="2024-06-30", final_reading="140.5") == [
        MeterRemoved(meter="M-1", on=date(2024, 6, 30), final_reading=140_500)
    ]


@pytest.mark.parametrize(("title", "more"), [("meter remove", {}), ("meter exchange", {"new_meter": "M-2"})])
def test_cw_10_a_final_reading_that_falls_is_flagged(title, more):
    world = metered(("2024-02-09", "112"))
    assert flags(world, title, on="2024-02-09", final_reading="112", **more) == ()
    assert flags(world, title, on="2024-02-09", final_reading="111", **more) == ("CW-10",)
