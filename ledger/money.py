"""Money in whole cents and quantities in whole thousandths; text only at the doors (C12)."""

import re
from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta

from ledger.refusal import shown

Cents = Annotated[int, Meta(extra={"form": "money"})]
"""An amount in cents. Stored as an integer, shown as "85.00"."""

Thousandths = Annotated[int, Meta(extra={"form": "quantity"})]
"""A meter reading or a usage, in thousandths of the meter's unit. Stored as an integer, shown as "12.345"."""

MOST = 99_999_999_99
"""The largest amount that may be entered, in cents."""

_MONEY = re.compile(r"-?\d{1,10}(?:\.(?P<cents>\d{1,2}))?", re.ASCII)
_QUANTITY = re.compile(r"-?\d{1,12}(?:\.(?P<part>\d{1,3}))?", re.ASCII)

Sign = Literal["positive", "not_negative", "any"]


def cents(text: object, sign: Sign = "positive") -> int:
    """The cents in `text` ("85.00"); raises ValueError with a sentence for whoever typed it."""
    if not isinstance(text, str):
        raise ValueError(f'money is written as text with two decimals, such as "85.00", not {shown(text)}')
    found = _MONEY.fullmatch(text)
    if found is None:
        raise ValueError(f'{shown(text)} is not an amount of money; write it as "85.00"')
    whole, _, part = text.partition(".")
    amount = int(whole + part.ljust(2, "0"))
    if abs(amount) > MOST:
        raise ValueError(f"{text} is over the largest amount, {money(MOST)}")
    _require(sign, amount, text)
    return amount


def money(amount: int) -> str:
    """`amount` cents as text with two decimals: "85.00"."""
    whole, part = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{part:02}"


def thousandths(text: object, sign: Sign = "not_negative") -> int:
    """The thousandths in `text` ("12.345"); raises ValueError with a sentence for whoever typed it."""
    if not isinstance(text, str):
        raise ValueError(f'a reading or usage is written as text, such as "12.345", not {shown(text)}')
    if _QUANTITY.fullmatch(text) is None:
        raise ValueError(f'{shown(text)} is not a quantity; write it as "12.345", with three decimals at most')
    whole, _, part = text.partition(".")
    amount = int(whole + part.ljust(3, "0"))
    _require(sign, amount, text)
    return amount


def quantity(amount: int) -> str:
    """`amount` thousandths as the shortest text: 12345 is "12.345", 12000 is "12"."""
    whole, part = divmod(abs(amount), 1000)
    return f"{'-' if amount < 0 else ''}{whole}" + (f".{part:03}".rstrip("0") if part else "")


def half_up(value: Fraction) -> int:
    """The nearest integer; halves go away from zero (C12)."""
    magnitude = (2 * abs(value).numerator + value.denominator) // (2 * value.denominator)
    return -magnitude if value < 0 else magnitude


def decimals(value: Fraction, places: int = 6) -> str:
    """`value` as text with that many decimals, rounded half-up once."""
    return quotient(value.numerator, value.denominator, places)


def quotient(above: int, below: int, places: int = 6) -> str:
    """`above`/`below`, which is over zero, as text with that many decimals, rounded half-up once."""
    # In whole numbers, and their digits cut: a Fraction would be reduced again, and a format takes three times as long.
    digits = str((2 * abs(above) * 10**places + below) // (2 * below))
    if len(digits) <= places:
        digits = digits.zfill(places + 1)
    sign = "-" if above < 0 and digits.strip("0") else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _require(sign: Sign, amount: int, text: str) -> None:
    if sign == "positive" and amount <= 0:
        raise ValueError(f"{text} is not over zero")
    if sign == "not_negative" and amount < 0:
        raise ValueError(f"{text} is below zero")
