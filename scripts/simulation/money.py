"""Cents and their texts, and what a rate is in a year."""


def dollars(cents: int) -> str:
    """Cents as a feed writes them."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02}"


def half_up(value: int, by: int) -> int:
    """`value / by`, halves upwards."""
    return (2 * value + by) // (2 * by)


def rate(cents: int, year: int) -> int:
    """A rate of 2021 in another year: four percent more each year."""
    for _ in range(2021, year):
        cents = half_up(cents * 104, 100)
    return cents
