"""Answers drawn in a terminal with characters: bars from zero on an axis whose ticks are round numbers.

Every bar is to scale, to the nearest character; what is too short for one is a thin line, and what is not known has
none. Nothing is said by colour.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from shutil import get_terminal_size
from typing import Any, NamedTuple

from commands.answers import Answer, cents_of
from commands.outputs import WIDTH
from commands.tables import AGES, day, remarks, source
from ledger.money import decimals, half_up, money

_FILLS = {"complete": "█", "partial": "▓", "open": "▒", "unmetered": " "}
_TICKS = 4


class Bar(NamedTuple):
    """One line: what it is, its value as it is read, how far it reaches (None: not known), and a remark."""

    label: str
    value: str
    reach: Fraction | None
    remark: str = ""
    fill: str = "█"


def plot(question: str, answer: Any) -> list[str]:
    """An answer as lines for the terminal it is asked in: 80 columns where that is not known, 100 at most."""
    return _DRAWN[question](answer, min(get_terminal_size((80, 24)).columns, WIDTH))


def _usage(answer: Answer, width: int) -> list[str]:
    unit = answer["unit"]
    title = f"Account {answer['account']} on {day(answer['on'])}: average daily use, {unit or 'not metered'}"
    found = [
        Bar(
            month["month"],
            month["average_daily"] or "–",
            None if month["exact"] is None else Fraction(month["exact"]),
            ", ".join(_state(month) + remarks(month)),
            _FILLS[month["state"]],
        )
        for month in answer["months"]
    ]
    states = dict.fromkeys(month["state"] for month in answer["months"] if month["exact"] is not None)
    legend = "   ".join(f"{_FILLS[state]} {state}" for state in states)
    said = {"partial": "partial and open: over the days covered", "open": "partial and open: over the days covered"}
    about = next((said[state] for state in states if state in said), "")
    return [title, "", *bars(found, width), "", *filter(None, (legend, about))]


def _state(month: Answer) -> list[str]:
    return [] if month["state"] == "complete" else [f"{month['state']} {month['covered_days']}/{month['days']}"]


def _aging(answer: Answer, width: int) -> list[str]:
    totals = {name: cents_of(amount) for name, amount in answer["totals"].items()}
    ages = [name for name in totals if name not in ("credit", "balance")]
    whole = sum(totals[name] for name in ages)
    found = []
    for name in (*ages, "credit"):
        amount = -totals[name] if name == "credit" else totals[name]
        share = f"{decimals(Fraction(100 * amount, whole), 1)} %" if whole and name != "credit" else ""
        count = sum(row[name] != "0.00" for row in answer["rows"])
        accounts = f"{count:,} account{'' if count == 1 else 's'}" if answer["rows"] else ""
        said = ", ".join(filter(None, (share, accounts)))
        found.append(Bar(AGES.get(name, name), money(amount), Fraction(amount, 100), said))
    title = f"Receivables on {day(answer['on'])}, by days past due; balance {answer['totals']['balance']}"
    return [title, "", *bars(found, width), *source(answer)[1:]]


_DRAWN: dict[str, Callable[[Answer, int], list[str]]] = {"usage": _usage, "aging": _aging}


def bars(found: Sequence[Bar], width: int) -> Iterator[str]:
    """Bars under each other in `width` columns, and their axis."""
    known = [bar.reach for bar in found if bar.reach is not None]
    low, high = min([Fraction(0), *known]), max([Fraction(0), *known])
    if low == high:
        yield from (f"{bar.label:<7}  {bar.value}  {bar.remark}".rstrip() for bar in found)
        return
    label, value = max(len(bar.label) for bar in found), max(len(bar.value) for bar in found)
    remark = max(len(bar.remark) for bar in found)
    room = max(width - label - value - remark - 6, 10)
    step, places = _step((high - low) / _TICKS)
    ticks = [step * n for n in range(low // step, -(-high // step) + 1)]
    scale = room / (ticks[-1] - ticks[0])
    left = half_up(-ticks[0] * scale)
    for bar in found:
        drawn = _bar(bar, left, scale)
        yield f"{bar.label:<{label}}  {bar.value:>{value}}  {drawn:<{room + 1}} {bar.remark}".rstrip()
    places_of = {half_up((tick - ticks[0]) * scale): tick for tick in ticks}
    margin = " " * (label + value + 4)
    yield margin + "".join("┴" if at in places_of else "─" for at in range(room + 1))
    yield (margin + _labels({at: _number(tick, places) for at, tick in places_of.items()}, room + 1)).rstrip()


def _bar(bar: Bar, left: int, scale: Fraction) -> str:
    """The cells of a bar: `left` of them are below zero, then stands the line at zero."""
    reach = bar.reach or Fraction(0)
    cells = half_up(abs(reach) * scale)
    drawn = bar.fill * cells or ("▏" if reach else "")
    if reach < 0:
        return f"{drawn:>{left}}│"
    return f"{'':>{left}}│{drawn}"


def _step(least: Fraction) -> tuple[Fraction, int]:
    """The smallest of 1, 2 or 5 times a power of ten that is not under `least`, and the decimals it needs."""
    power = 0
    while Fraction(10) ** power > least:
        power -= 1
    while Fraction(10) ** (power + 1) <= least:
        power += 1
    step = next(n * Fraction(10) ** power for n in (1, 2, 5, 10) if n * Fraction(10) ** power >= least)
    return step, next(n for n in range(30) if (step * 10**n).denominator == 1)


def _number(value: Fraction, places: int) -> str:
    return decimals(value, places) if places else f"{half_up(value):,}"


def _labels(ticks: dict[int, str], room: int) -> str:
    """The ticks' numbers under them, those left out that would run into one another."""
    line = " " * room
    for at, text in sorted(ticks.items(), reverse=True):
        start = min(max(at - len(text) // 2, 0), room - len(text))
        if not line[max(start - 1, 0) : start + len(text) + 1].strip():
            line = line[:start] + text + line[start + len(text) :]
    return line
