"""Chance in whole numbers: the same seed gives the same choices on every machine and under every hash seed."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

# Log-normal factors in permille of the median, at 64 equal steps of probability: s is the spread of the logarithm.
LAGS = (
    265, 335, 379, 415, 445, 472, 497, 520, 542, 563, 584, 604, 624, 643, 662, 681,
    699, 718, 736, 755, 774, 792, 811, 830, 849, 868, 887, 907, 927, 947, 968, 989,
    1011, 1033, 1055, 1079, 1102, 1127, 1152, 1178, 1205, 1233, 1262, 1293, 1324, 1358, 1393, 1430,
    1469, 1511, 1555, 1603, 1656, 1712, 1775, 1845, 1923, 2014, 2120, 2249, 2412, 2635, 2983, 3780,
)  # fmt: skip
"""s = 0.55: the days from mailing to payment."""

HOMES = (
    163, 225, 267, 301, 331, 359, 385, 410, 434, 457, 480, 503, 525, 548, 570, 592,
    614, 636, 659, 682, 705, 728, 751, 775, 800, 824, 850, 876, 902, 929, 957, 985,
    1015, 1045, 1076, 1109, 1142, 1177, 1213, 1251, 1290, 1331, 1374, 1419, 1467, 1518, 1571, 1628,
    1690, 1755, 1826, 1904, 1989, 2082, 2187, 2305, 2440, 2597, 2786, 3020, 3323, 3748, 4440, 6130,
)  # fmt: skip
"""s = 0.75: what one home uses beside another."""

MONTHS = (
    647, 699, 728, 750, 767, 782, 795, 807, 818, 829, 839, 848, 857, 865, 874, 882,
    890, 897, 905, 912, 919, 927, 934, 941, 948, 955, 962, 969, 976, 983, 989, 996,
    1004, 1011, 1018, 1025, 1032, 1040, 1047, 1055, 1063, 1071, 1079, 1088, 1096, 1105, 1115, 1124,
    1134, 1145, 1156, 1167, 1179, 1192, 1207, 1222, 1239, 1257, 1279, 1304, 1334, 1373, 1430, 1545,
)  # fmt: skip
"""s = 0.18: one month of a home beside another."""


class Chance(Random):
    """Random choices by weights and shares, all of them whole numbers."""

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self.random() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def share(self, count: int, of: int = 1000) -> bool:
        """True in `count` of so many cases."""
        return int(self.random() * of) < count

    def pick(self, weighted: Sequence[tuple[int, T]]) -> T:
        """One of several by weight."""
        left = int(self.random() * sum(weight for weight, _ in weighted))
        for weight, value in weighted:
            left -= weight
            if left < 0:
                return value
        raise AssertionError("weights are whole and over zero")

    def spread(self, median: int, factors: tuple[int, ...]) -> int:
        """A value around `median`, by one of the tables above."""
        return median * factors[int(self.random() * len(factors))] // 1000
