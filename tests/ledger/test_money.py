"""C12: money is whole cents, rounded half-up once; text only at the doors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import MOST, cents, decimals, half_up, money, quantity, thousandths


@given(st.integers(-MOST, MOST))
def test_c12_money_survives_its_text(amount: int) -> None:
    assert cents(money(amount), "any") == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("85.00", 8500), ("0.01", 1), ("85", 8500), ("85.5", 8550), ("99999999.99", MOST)]
)
def test_an_amount_is_read_to_the_cent(text: str, amount: int) -> None:
    assert cents(text) == amount


@pytest.mark.parametrize(
    "wrong",
    [85, 85.0, None, True, "", " 85.00", "85.001", "1e3", "NaN", "Infinity", "85,00", "$85.00", "+85.00", "٨٥.٠٠",
     "0.00", "-1.00", "100000000.00", "9" * 5000, ["85.00"], "85.", ".85"],
)  # fmt: skip
def test_no_other_form_is_money(wrong: object) -> None:
    with pytest.raises(ValueError, match=r".") as said:
        cents(wrong)
    assert len(str(said.value)) < 200


def test_an_amount_may_be_zero_or_negative_only_where_that_is_meant() -> None:
    assert cents("0.00", "not_negative") == 0
    assert cents("-5.25", "any") == -525
    with pytest.raises(ValueError, match="below zero"):
        cents("-0.01", "not_negative")


@pytest.mark.parametrize(("text", "amount"), [("12.345", 12345), ("12", 12000), ("0", 0), ("0.5", 500)])
def test_a_reading_has_three_decimals_at_most(text: str, amount: int) -> None:
    assert thousandths(text) == amount
    assert thousandths(quantity(amount)) == amount


@pytest.mark.parametrize("wrong", ["12.3456", "-1", 12, "1e2", "", "NaN"])
def test_no_other_form_is_a_reading(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        thousandths(wrong)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (Fraction(12267, 100) * 2, 245),
        (Fraction(1, 2), 1),
        (Fraction(-1, 2), -1),
        (Fraction(3, 2), 2),
        (Fraction(49, 100), 0),
    ],
)
def test_c12_halves_go_up(value: Fraction, rounded: int) -> None:
    assert half_up(value) == rounded


def test_c12_an_exact_average_is_rounded_only_where_it_is_shown() -> None:
    assert decimals(Fraction(159, 280)) == "0.567857"
    assert decimals(Fraction(-1, 3), 3) == "-0.333"
    assert decimals(Fraction(1, 2_000_000)) == "0.000001"
