"""Average daily use: every case of the catalogue (CW-09 to CW-11), and what must hold for any series of reads."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger import events as e
from ledger.account import Account
from ledger.history import History
from ledger.money import decimals, thousandths
from ledger.usage import Month, implausible, metering, monthly

day = date.fromisoformat


def months(account: Account, through: date, last: int) -> list[Month]:
    """The `last` months up to that of `through`, for the account as it stood then."""
    return monthly(metering(account), through, last, still_open=account.closed_on is None)


FIRST_RECORDED = datetime.fromisoformat("2024-01-01T08:00-08:00")


def history(*events: e.Event) -> History:
    """An account's history, recorded one event a minute."""
    opened = e.AccountOpened(opened_on=day("1999-01-01"), name="Sample Customer", service_address="1 Elm St")
    recorded = [
        replace(event, version=n, recorded_at=FIRST_RECORDED + timedelta(minutes=n))
        for n, event in enumerate((opened, *events), 1)
    ]
    return History("7001", recorded)


def account(*events: e.Event) -> Account:
    return history(*events).as_of()


def installed(on: str, reading: str = "0", meter: str = "M1", **spec: object) -> e.Event:
    return e.MeterInstalled(meter=meter, on=day(on), reading=thousandths(reading), **spec)


def read(on: str, reading: str, kind: e.ReadKind = "actual", meter: str = "M1") -> e.Event:
    return e.ReadTaken(meter=meter, read_on=day(on), reading=thousandths(reading), kind=kind)


def corrected(on: str, reading: str, meter: str = "M1") -> e.Event:
    return e.ReadCorrected(meter=meter, read_on=day(on), reading=thousandths(reading), reason="misread")


def removed(on: str, final: str, meter: str = "M1") -> e.Event:
    return e.MeterRemoved(meter=meter, on=day(on), final_reading=thousandths(final))


def exchanged(on: str, final: str, new: str = "0", meter: str = "M1", to: str = "M2", **spec: object) -> e.Event:
    new_reading = thousandths(new)
    return e.MeterExchanged(
        meter=meter, on=day(on), final_reading=thousandths(final), new_meter=to, new_reading=new_reading, **spec
    )


def billed(bill: str, start: str, end: str, usage: str | None) -> e.Event:
    return e.BillIssued(
        bill=bill,
        mailed_on=day(end),
        amount=1000,
        past_due_from=day(end) + timedelta(days=20),
        period_start=day(start),
        period_end=day(end),
        usage=None if usage is None else thousandths(usage),
    )


def told(name: str, average: Fraction | None, *rest: object, **more: object) -> Month:
    """A month of that average."""
    return Month(name, *(average.as_integer_ratio() if average is not None else (0, 0)), *rest, **more)


def month(of: Account, name: str) -> Month:
    """The month of that name, asked for at its end."""
    year, number = int(name[:4]), int(name[5:])
    found = months(of, date(year, number, monthrange(year, number)[1]), 1)
    assert [m.month for m in found] == [name]
    return found[0]


# The worked example: P1 0.5 a day, P2 0.6 a day.
EXAMPLE = (installed("2023-01-12"), read("2023-02-10", "14.5"), read("2023-03-13", "33.1"))
# The gap of the catalogue: P1 0.4 a day, nothing from 9 to 13 February, P2 0.5 a day.
GAP = (installed("2024-01-10"), removed("2024-02-09", "12"), installed("2024-02-14"), read("2024-03-14", "14.5"))


def test_cw_11_a_month_between_two_periods():
    feb = month(account(*EXAMPLE), "2023-02")
    assert feb == told("2023-02", Fraction(159, 280), 28, 28, "complete")
    assert decimals(feb.average) == "0.567857"


def test_cw_10_the_day_of_a_read_belongs_to_the_period_that_begins():
    first, second = metering(account(*EXAMPLE)).periods
    assert (first.start, first.end, first.days) == (day("2023-01-12"), day("2023-02-10"), 29)
    assert (second.start, second.end, second.days) == (day("2023-02-10"), day("2023-03-13"), 31)


@pytest.mark.parametrize("on", ["2024-05-01", "2024-05-22", "2024-05-31"])
def test_cw_09_two_years_and_the_current_month(on):
    shown = months(account(*EXAMPLE), day(on), 25)
    assert len(shown) == 25
    assert (shown[0].month, shown[-2].month, shown[-1].month) == ("2022-05", "2024-04", "2024-05")


def test_cw_11_a_gap_is_partial_and_never_zero_filled():
    feb = month(account(*GAP), "2024-02")
    assert (feb.state, feb.covered_days, feb.days) == ("partial", 24, 29)
    assert (feb.average, decimals(feb.average)) == (Fraction(112, 240), "0.466667")
    assert (feb.literal, decimals(feb.literal)) == (Fraction(112, 290), "0.386207")


def test_cw_11_the_same_gap_between_printed_periods():
    without_meter = account(
        billed("B1", "2024-01-10", "2024-02-09", "12"), billed("B2", "2024-02-14", "2024-03-14", "14.5")
    )
    assert month(without_meter, "2024-02") == month(account(*GAP), "2024-02")


def test_cw_11_opened_in_the_middle_of_a_month():
    feb = month(account(installed("2024-02-20"), read("2024-03-21", "9")), "2024-02")
    assert (feb.state, feb.covered_days) == ("partial", 10)
    assert (feb.average, decimals(feb.literal)) == (Fraction(3, 10), "0.103448")


def test_cw_11_an_open_month_is_not_forecast():
    april = month(account(installed("2024-03-20"), read("2024-04-19", "10.5")), "2024-04")
    assert (april.state, april.covered_days, april.average) == ("open", 18, Fraction(35, 100))
    assert april.literal == Fraction(21, 100)


def test_cw_11_the_days_after_the_last_read_of_a_closed_account_are_partial():
    closed = account(
        installed("2024-03-20"), removed("2024-04-19", "10.5"), e.AccountClosed(closed_on=day("2024-04-19"))
    )
    assert month(closed, "2024-04").state == "partial"


def test_cw_11_a_month_without_any_read_says_nothing():
    meter = account(installed("2024-03-20"), read("2024-04-19", "10.5"))
    june, january = month(meter, "2024-06"), month(meter, "2024-01")
    assert (june.state, june.covered_days, june.average, june.literal) == ("open", 0, None, None)
    assert (january.state, january.average) == ("partial", None)


def test_cw_10_a_gap_and_days_after_the_last_read_are_partial():
    assert month(account(*GAP[:3]), "2024-02").state == "partial"


def test_cw_11_an_estimate_is_restated_by_the_next_actual_read():
    reads = history(
        installed("2024-01-01"),
        read("2024-02-01", "31", "estimated"),
        read("2024-03-01", "30"),
        read("2024-03-31", "60"),
    )
    now, then = reads.as_of(), reads.as_of(known_at=FIRST_RECORDED + timedelta(minutes=3))
    assert month(now, "2024-01") == told("2024-01", Fraction(1, 2), 31, 31, "complete", flags=("restated",))
    assert month(then, "2024-01") == told("2024-01", Fraction(1), 31, 31, "complete", estimated=True)


def test_cw_11_several_estimates_in_a_row_are_restated_together():
    reads = (installed("2024-01-01"), read("2024-02-01", "20", "estimated"), read("2024-03-01", "40", "estimated"))
    assert [p.estimated for p in metering(account(*reads)).periods] == [True, True]
    (period,) = metering(account(*reads, read("2024-04-01", "45.5"))).periods
    assert (period.start, period.end, period.estimated) == (day("2024-01-01"), day("2024-04-01"), False)
    assert month(account(*reads, read("2024-04-01", "45.5")), "2024-02").average == Fraction(1, 2)


def test_cw_10_a_customers_own_read_counts_as_an_actual_one():
    (period,) = metering(account(installed("2024-01-01"), read("2024-02-01", "31", "customer"))).periods
    assert not period.estimated
    assert period.flags == ()


def test_cw_10_a_corrected_read_moves_both_its_neighbours():
    wrong = (installed("2024-01-01"), read("2024-02-01", "62"), read("2024-03-01", "60"))
    assert month(account(*wrong), "2024-02").flags == ("negative",)
    right = account(*wrong, corrected("2024-02-01", "31"))
    assert [month(right, m).average for m in ("2024-01", "2024-02")] == [Fraction(1), Fraction(1)]


def test_cw_10_the_correction_of_an_estimate_stays_an_estimate():
    (period,) = metering(
        account(installed("2024-01-01"), read("2024-02-01", "62", "estimated"), corrected("2024-02-01", "31"))
    ).periods
    assert (period.grains, period.estimated) == (31_000, True)


def test_cw_10_voided_and_reissued_bills_leave_the_use_as_it_was():
    void = e.BillVoided(bill="B1", on=day("2023-03-01"), reason="issued twice")
    again = account(*EXAMPLE, billed("B1", "2023-01-12", "2023-02-10", "99"), void)
    assert month(again, "2023-02") == month(account(*EXAMPLE), "2023-02")


def test_cw_10_an_exchange_keeps_one_rate_over_the_billing_period():
    (period,) = metering(
        account(installed("2024-01-01", "1498"), exchanged("2024-01-20", "1512"), read("2024-02-01", "9", meter="M2"))
    ).periods
    assert (period.start, period.end, period.grains) == (day("2024-01-01"), day("2024-02-01"), 23_000)


def test_cw_10_an_estimate_before_an_exchange_is_restated_over_it():
    exchange = (
        installed("2024-01-01", "100"),
        read("2024-02-01", "160", "estimated"),
        exchanged("2024-02-15", "130", "5"),
        read("2024-03-01", "35", meter="M2"),
    )
    (period,) = metering(account(*exchange)).periods
    assert (period.grains, period.flags) == (60_000, ("restated",))


def test_cw_10_a_removal_on_the_day_of_an_exchange_read_takes_the_final_reading():
    (period,) = metering(
        account(installed("2024-01-01"), read("2024-02-01", "30"), removed("2024-02-01", "31"))
    ).periods
    assert period.grains == 31_000


def test_cw_10_rollover_of_four_dials():
    (period,) = metering(account(installed("2024-01-01", "9995", dials=4), read("2024-02-01", "12"))).periods
    assert (period.grains, period.flags) == (17_000, ("rollover",))


@pytest.mark.parametrize(
    ("previous", "reading", "usage", "wrong"),
    [
        ("9995", "994.999", "999.999", False),
        ("9995", "995", "-9000", True),
        ("9995", "9994.999", "-0.001", True),
        ("9995", "9995", "0", False),
    ],
)
def test_cw_10_a_rollover_is_under_a_tenth_of_the_dials(previous, reading, usage, wrong):
    (period,) = metering(account(installed("2024-01-01", previous, dials=4), read("2024-02-01", reading))).periods
    assert period.grains == thousandths(usage, "any")
    assert implausible(thousandths(previous), thousandths(reading), 4) is wrong


def test_cw_10_reads_of_one_day_make_no_period_and_lose_no_water():
    first, second = metering(
        account(installed("2024-01-01"), read("2024-02-01", "31"), read("2024-02-01", "33"), read("2024-03-01", "60"))
    ).periods
    assert (first.grains, second.grains, second.flags) == (31_000, 29_000, ("same_day",))


def test_cw_10_an_actual_read_stands_before_an_estimate_of_its_day():
    (period,) = metering(
        account(installed("2024-01-01"), read("2024-02-01", "50", "estimated"), read("2024-02-01", "31"))
    ).periods
    assert (period.grains, period.estimated) == (31_000, False)


def test_cw_10_zero_use_is_data():
    jan = month(account(installed("2024-01-01", "5"), read("2024-02-01", "5")), "2024-01")
    assert jan == told("2024-01", Fraction(0), 31, 31, "complete")


def test_cw_10_negative_use_is_kept_exact_and_flagged():
    jan = month(account(installed("2024-01-01", "50"), read("2024-02-01", "19")), "2024-01")
    assert (jan.average, jan.flags) == (Fraction(-1), ("negative",))


def test_cw_11_flat_rate_service_has_no_average():
    flat = account(billed("B1", "2024-01-01", "2024-02-01", None))
    assert month(flat, "2024-01") == told("2024-01", None, 31, 0, "unmetered")
    assert metering(flat) is None


def test_cw_10_days_without_service_stay_in_the_denominator():
    off = e.ServiceDisconnected(at=datetime.fromisoformat("2023-02-14T10:00-08:00"), reason="nonpayment")
    assert month(account(*EXAMPLE, off), "2023-02") == month(account(*EXAMPLE), "2023-02")


def test_cw_10_several_meters_are_summed_day_by_day():
    two = account(
        installed("2024-01-01"),
        installed("2024-01-01", meter="M9"),
        read("2024-02-01", "31"),
        read("2024-02-01", "15.5", meter="M9"),
    )
    assert month(two, "2024-01") == told("2024-01", Fraction(3, 2), 31, 31, "complete")


def test_cw_10_a_second_meter_adds_from_its_first_day():
    two = account(
        installed("2024-01-01"),
        installed("2024-01-16", meter="M9"),
        read("2024-02-01", "31"),
        read("2024-02-01", "16", meter="M9"),
    )
    assert month(two, "2024-01") == told("2024-01", Fraction(47, 31), 31, 31, "complete")


def test_cw_11_a_day_is_covered_when_every_meter_in_service_was_read():
    two = account(
        installed("2024-01-01"),
        installed("2024-01-01", meter="M9"),
        read("2024-02-01", "31"),
        read("2024-01-11", "20", meter="M9"),
    )
    assert month(two, "2024-01") == told("2024-01", Fraction(3), 31, 10, "open")


@pytest.mark.parametrize(
    ("unit", "reading", "ccf"),
    [("CCF", "31", 31), ("CF", "3100", 31), ("GAL", "23188", 31), ("KGAL", "7.48", 10)],
)
def test_cw_10_meters_that_differ_are_told_in_ccf(unit, reading, ccf):
    other = "GAL" if unit == "CCF" else "CCF"
    two = account(
        installed("2024-01-01", unit=unit),
        installed("2024-01-01", meter="M9", unit=other),
        read("2024-02-01", reading),
        read("2024-02-01", "0", meter="M9"),
    )
    assert metering(two).unit == "CCF"
    assert month(two, "2024-01").average == Fraction(ccf, 31)


def test_cw_10_meters_that_agree_keep_their_unit():
    gallons = account(installed("2024-01-01", unit="GAL"), read("2024-02-01", "3100"))
    assert (metering(gallons).unit, month(gallons, "2024-01").average) == ("GAL", Fraction(100))


def test_cw_10_a_multiplier_and_a_unit_hold_from_the_exchange_on():
    changed = account(
        installed("2024-01-01", multiplier=10),
        exchanged("2024-01-20", "2", unit="CF", multiplier=5),
        read("2024-02-01", "220", meter="M2"),
    )
    assert month(changed, "2024-01").average == Fraction(2 * 10 + 11, 31)


def test_cw_10_a_day_printed_on_two_bills_belongs_to_the_one_recorded_last():
    twice = account(
        billed("B1", "2024-01-01", "2024-02-05", "35"),
        billed("B2", "2024-02-01", "2024-03-01", "58"),
        billed("B3", "2024-01-20", "2024-01-22", "8"),
    )
    jan, feb = month(twice, "2024-01"), month(twice, "2024-02")
    assert (jan.average, jan.flags) == (Fraction(29 + 8, 31), ("overlap",))
    assert (feb.average, feb.flags, feb.state) == (Fraction(2), ("overlap",), "complete")


def test_cw_10_a_voided_bills_period_is_left_out():
    void = e.BillVoided(bill="B1", on=day("2024-02-03"), reason="issued twice")
    again = account(
        billed("B1", "2024-01-01", "2024-02-01", "99"), void, billed("B2", "2024-01-01", "2024-02-01", "31")
    )
    assert month(again, "2024-01") == told("2024-01", Fraction(1), 31, 31, "complete")


# What must hold for any series of reads.

SPANS = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 50_000)), min_size=1, max_size=12)
STARTS = st.dates(date(2004, 1, 1), date(2030, 12, 31))


def series(start: date, spans: list[tuple[int, int]]) -> list[e.Event]:
    events, on, reading = [installed(start.isoformat())], start, 0
    for days, used in spans:
        on, reading = on + timedelta(days=days), reading + used
        events.append(e.ReadTaken(meter="M1", read_on=on, reading=reading))
    return events


def all_months(of: Account, until: date) -> list[Month]:
    return months(of, until, 12 * 6)


@given(STARTS, SPANS)
def test_cw_11_water_is_conserved(start, spans):
    of = account(*series(start, spans))
    end = start + timedelta(days=sum(days for days, _ in spans))
    told = sum(m.average * m.covered_days for m in all_months(of, end) if m.average is not None)
    assert told == Fraction(sum(used for _, used in spans), 1000)


@given(STARTS, SPANS)
def test_cw_10_periods_tile_the_calendar(start, spans):
    of = account(*series(start, spans))
    periods = metering(of).periods
    assert [p.end for p in periods[:-1]] == [p.start for p in periods[1:]]
    covered = sum(m.covered_days for m in all_months(of, periods[-1].end))
    assert covered == sum(p.days for p in periods) == sum(days for days, _ in spans)


@given(STARTS, SPANS)
def test_cw_11_an_average_lies_between_the_rates_of_its_days(start, spans):
    of = account(*series(start, spans))
    metered = metering(of)
    for m in all_months(of, metered.periods[-1].end):
        first = day(f"{m.month}-01")
        within = [p for p in metered.periods if p.start < first + timedelta(days=m.days) and p.end > first]
        if m.average is not None:
            assert min(map(metered.rate, within)) <= m.average <= max(map(metered.rate, within))


@given(STARTS, SPANS)
def test_cw_11_four_hundred_years_later_nothing_changes(start, spans):
    shifted = start.replace(year=start.year + 400)
    end = start + timedelta(days=sum(days for days, _ in spans))
    later = end + (shifted - start)
    before, after = account(*series(start, spans)), account(*series(shifted, spans))
    renamed = [replace(m, month=f"{int(m.month[:4]) + 400}{m.month[4:]}") for m in all_months(before, end)]
    assert renamed == all_months(after, later)


@given(STARTS, SPANS, st.lists(st.booleans(), min_size=12, max_size=12))
def test_cw_11_restating_conserves_water_between_actual_reads(start, spans, estimated):
    events = series(start, spans)
    mixed = [
        replace(event, kind="estimated") if guess else event
        for event, guess in zip(events[1:-1], estimated, strict=False)
    ]
    plain, restated = account(*events), account(events[0], *mixed, events[-1])
    assert not any(p.estimated for p in metering(restated).periods)
    assert sum(map(metering(restated).usage, metering(restated).periods)) == sum(
        map(metering(plain).usage, metering(plain).periods)
    )


@given(STARTS, SPANS)
def test_cw_11_as_a_sum_over_single_days(start, spans):
    of = account(*series(start, spans))
    metered = metering(of)
    rates = {
        p.start + timedelta(days=n): metered.rate(p) for p in metered.periods for n in range((p.end - p.start).days)
    }
    for m in all_months(of, metered.periods[-1].end):
        used = [r for d, r in rates.items() if d.isoformat()[:7] == m.month]
        assert m.covered_days == len(used)
        assert m.average == (sum(used) / len(used) if used else None)
