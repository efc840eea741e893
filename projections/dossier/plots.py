"""A line drawing as SVG: whole numbers only, so that the same values draw the same picture everywhere."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape

from msgspec import Struct

from ledger.money import decimals

WIDTH, HEIGHT = 760, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 132, 14, 30
_STROKES = (
    'stroke="#12344d" stroke-width="2.2"',
    'stroke="#6b5b3e" stroke-width="1.6" stroke-dasharray="7 4"',
    'stroke="#7d8790" stroke-width="1.6" stroke-dasharray="2 4"',
)
_INKS = ("#12344d", "#6b5b3e", "#5f6a73")


class Line(Struct, frozen=True):
    """A named line; None leaves a gap."""

    name: str
    values: list[Fraction | None]


def plot(names: Sequence[str], lines: Sequence[Line], marked: Sequence[int], axis: str) -> str:
    """The drawing: `names` below, a grid of round numbers, `marked` places shaded, each line named at its end."""
    top = max((value for line in lines for value in line.values if value is not None), default=Fraction(1))
    step = _step(top)
    most = step * max(-(-top // step), 1)
    drawn = [*_shades(marked, len(names)), *_grid(step, most), *_names(names)]
    for at, line in reversed(list(enumerate(lines))):
        drawn += _line(line, at, most)
    drawn += _labels(lines, most)
    said = escape(f"{axis}: " + "; ".join(f"{line.name}: {_spoken(names, line)}" for line in lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="11" '
        f'font-family="Libertinus Serif, Georgia, serif"><title>{said}</title>{"".join(drawn)}</svg>'
    )


def _step(top: Fraction) -> Fraction:
    """The least of 1, 2 and 5 times a power of ten that cuts `top` into five parts at most."""
    power = Fraction(1, 10_000)
    while True:
        for times in (1, 2, 5):
            if top <= 5 * times * power:
                return times * power
        power *= 10


def _x(at: int, places: int) -> int:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (2 * at + 1) // (2 * places)


def _y(value: Fraction, most: Fraction) -> int:
    return HEIGHT - _BOTTOM - int(max(value, Fraction(0)) * (HEIGHT - _TOP - _BOTTOM) / most)


def _shades(marked: Sequence[int], places: int) -> Iterator[str]:
    wide = (WIDTH - _LEFT - _RIGHT) // places
    for at in marked:
        x = _x(at, places) - wide // 2
        yield f'<rect x="{x}" y="{_TOP}" width="{wide}" height="{HEIGHT - _TOP - _BOTTOM}" fill="#f1ead9"/>'


def _grid(step: Fraction, most: Fraction) -> Iterator[str]:
    places = next(places for places in range(6) if not (step * 10**places).denominator > 1)
    value = Fraction(0)
    while value <= most:
        y = _y(value, most)
        ink = "#5f6a73" if value == 0 else "#d5d9dc"
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}" stroke="{ink}" stroke-width="1"/>'
        number = decimals(value, places) if places else str(int(value))
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#3c464d">{number}</text>'
        value += step


def _names(names: Sequence[str]) -> Iterator[str]:
    for at, name in enumerate(names):
        x = _x(at, len(names))
        yield f'<text x="{x}" y="{HEIGHT - 10}" text-anchor="middle" fill="#3c464d">{escape(name)}</text>'


def _line(line: Line, at: int, most: Fraction) -> Iterator[str]:
    places = len(line.values)
    run: list[tuple[int, int]] = []
    for place, value in enumerate([*line.values, None]):
        if value is not None:
            run.append((_x(place, places), _y(value, most)))
        elif run:
            points = " ".join(f"{x},{y}" for x, y in run)
            yield f'<polyline fill="none" {_STROKES[at]} points="{points}"/>'
            yield from (f'<circle cx="{x}" cy="{y}" r="2.6" fill="{_INKS[at]}"/>' for x, y in run)
            run = []


def _labels(lines: Sequence[Line], most: Fraction) -> Iterator[str]:
    """The names at the ends of the lines, moved apart where they would lie on each other."""
    ends = []
    for at, line in enumerate(lines):
        last = next((value for value in reversed(line.values) if value is not None), None)
        if last is not None:
            ends.append((_y(last, most), at, line.name))
    floor = HEIGHT - _BOTTOM
    for y, at, name in sorted(ends, reverse=True):
        y = min(y, floor)
        floor = y - 15
        yield f'<text x="{WIDTH - _RIGHT + 8}" y="{y + 4}" fill="{_INKS[at]}">{escape(name)}</text>'


def _spoken(names: Sequence[str], line: Line) -> str:
    parts = (
        f"{name} {'none' if value is None else decimals(value, 2)}"
        for name, value in zip(names, line.values, strict=True)
    )
    return ", ".join(parts)
