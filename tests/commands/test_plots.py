"""Answers drawn with characters: to scale, readable at 80 columns, with what is not known left out."""

from datetime import date
from fractions import Fraction

import pytest

from commands import answers, answers_over_all, plots
from commands.plots import Bar, bars
from ledger import events as e
from tests.cases import bill_mailed, payment
from tests.commands.told import READS, RULES, history


def drawn(*reaches, width=40):
    found = [Bar(str(n), "x", None if reach is None else Fraction(reach)) for n, reach in enumerate(reaches)]
    return list(bars(found, width))


@pytest.mark.parametrize(
    ("reaches", "lengths"),
    [(("10", "5", "0"), (30, 15, 0)), (("1/3", "1/6"), (25, 13)), (("0.001", "1000"), (1, 30)), (("7", None), (26, 0))],
)
def test_a_bar_is_to_scale(reaches, lengths):
    lines = drawn(*reaches, width=38)
    assert tuple(len(line.partition("│")[2]) for line in lines[:-2]) == lengths


def test_the_axis_has_round_numbers_and_each_stands_under_its_tick():
    lines = drawn("0.83", "0.3", width=60)
    axis, labels = lines[-2:]
    ticks = [at for at, mark in enumerate(axis) if mark == "┴"]
    assert labels.split() == ["0.0", "0.5", "1.0"]
    zero = lines[0].index("│")
    assert ticks[0] == zero
    # The bar of 0.83 ends where the axis has 0.83.
    assert len(lines[0]) - 1 - zero == round((ticks[-1] - zero) * 0.83)


def test_what_is_below_zero_lies_left_of_the_line():
    below, above, axis, labels = drawn("-50", "100", width=60)
    assert below.index("█") < below.index("│") == above.index("│") < above.index("█")
    assert labels.split() == ["-50", "0", "50", "100"]
    assert axis[above.index("│")] == "┴"


def test_nothing_known_has_no_axis():
    assert drawn(None, "0") == ["0        x", "1        x"]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_use_is_drawn_within_the_terminal_and_says_the_state_of_months(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    answer = answers.usage(history(*READS), *RULES, date(2023, 3, 31))
    lines = plots.plot("usage", answer)
    assert max(map(len, lines)) <= min(columns, 100)
    said = {line[:7]: line for line in lines}
    assert "▓" in said["2023-01"]
    assert said["2023-01"].endswith("partial 20/31")
    assert "█" in said["2023-02"]
    assert said["2023-02"].endswith("estimated")
    assert said["2023-03"].endswith("open 12/31, estimated")
    assert said["2022-12"].endswith("partial 0/31")
    assert not set("█▓▒") & set(said["2022-12"])
    assert "▓ partial   █ complete   ▒ open" in lines


def test_receivables_are_drawn_with_shares_and_accounts_and_credit_to_the_left(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = [
        history(bill_mailed("2024-02-01", "90.00", "B1"), account="7001"),
        history(bill_mailed("2024-05-20", "30.00", "B1"), account="7002"),
        history(payment("2024-05-20", "15.00"), account="7003"),
    ]
    lines = plots.plot("aging", answers_over_all.aging(told, *RULES, date(2024, 5, 23)))
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Receivables on 23 May 2024, by days past due; balance 105.00"
    said = {line.split("  ")[0]: line for line in lines}
    assert said["over 90"].endswith("75.0 %, 1 account")
    assert said["current"].endswith("25.0 %, 1 account")
    assert said["credit"].index("█") < said["credit"].index("│")
    assert "-15.00" in said["credit"]


def test_a_total_may_be_over_the_largest_amount_that_may_be_entered():
    told = [history(bill_mailed("2024-02-01", "99999999.99", "B1"), account=name) for name in ("7001", "7002")]
    lines = plots.plot("aging", answers_over_all.aging(told, *RULES, date(2024, 5, 23)))
    assert lines[0].endswith("balance 199999999.98")
    assert any(line.startswith("over 90") and "100.0 %, 2 accounts" in line for line in lines)


def test_use_of_who_has_no_meter_is_no_error():
    answer = answers.usage(history(), *RULES, date(2023, 3, 31))
    assert plots.plot("usage", answer)[0] == "Account 7001 on 31 Mar 2023: average daily use, not metered"


def test_a_read_that_goes_back_is_drawn_to_the_left():
    told = history(READS[0], e.ReadTaken(meter="M1", read_on=date(2023, 2, 12), reading=-31_000))
    lines = plots.plot("usage", answers.usage(told, *RULES, date(2023, 2, 28)))
    line = next(line for line in lines if line.startswith("2023-01"))
    assert line.index("▓") < line.index("│")
