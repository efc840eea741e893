"""What a case file is made of: sections of a few kinds of block, which the page and the PDF each set in their own way.

Nothing here says what is true of an account, and nothing that sets a block decides what stands in it. So the page and
the PDF cannot say different things.
"""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from ledger.calendar import pacific
from ledger.moments import is_bare
from ledger.money import money
from ledger.policy.case import said

Mark = Literal["", "against", "changed", "late", "key", "quiet"]
"""Why it stands out: it is against the shutoff, it changed, it came late, the case turns on it; or it stands back."""

Tone = Literal["plain", "warning"]


class Cell(Struct, frozen=True):
    """A statement, the versions of the events it rests on, a smaller line beneath, and a word that leads it."""

    text: str
    events: tuple[int, ...] = ()
    sub: str = ""
    mark: Mark = ""
    word: str = ""
    span: int = 1


class Row(Struct, frozen=True):
    """A row of a table; its first cell names it."""

    cells: list[Cell]
    mark: Mark = ""


class Block(Struct, frozen=True, tag=True, kw_only=True):
    """A part of a section."""


class Heading(Block, frozen=True):
    """A heading below that of the section."""

    text: str


class Paragraph(Block, frozen=True):
    """A sentence or a few."""

    cell: Cell


class Flag(Block, frozen=True):
    """Something the reader must not miss."""

    title: str
    cells: list[Cell]
    tone: Tone = "plain"


class Facts(Block, frozen=True):
    """Names with their values."""

    rows: list[tuple[str, Cell]]


class Table(Block, frozen=True):
    """Rows under a caption; `numbers` are the columns set to the right, `widths` their shares of the line."""

    caption: str
    head: list[str]
    rows: list[Row]
    numbers: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()


class Box(Struct, frozen=True):
    """A day of a calendar: its number in the count (0 for the day not counted), and why the offices were closed."""

    on: date
    day: int
    state: Literal["outside", "zero", "counted", "last", "skipped", "moved"]
    number: int | None = None
    closed: str = ""


class MonthOfDays(Struct, frozen=True):
    """A month of a calendar in weeks from Sunday; None fills the first and the last week."""

    name: str
    weeks: list[list[Box | None]]


class Days(Block, frozen=True):
    """A count: its named days, and all of them on a calendar."""

    caption: str
    rows: list[tuple[str, Cell]]
    months: list[MonthOfDays]


class Plot(Block, frozen=True):
    """A drawing; the table after it says the same."""

    caption: str
    svg: str


AnyBlock = Heading | Paragraph | Flag | Facts | Table | Days | Plot


class Section(Struct, frozen=True):
    """A numbered part of the file; `name` is its anchor."""

    name: str
    title: str
    blocks: list[AnyBlock]


class EventField(Struct, frozen=True):
    """One field of an event as shown; `form` tells how the stored value turns into it."""

    name: str
    shown: str
    form: Literal["text", "money", "quantity", "nested", "personal"]
    stored: bool


class EventCard(Struct, frozen=True):
    """An event in the appendix: its envelope, its facts, its stored bytes as text, and whether it was not known yet."""

    version: int
    type: str
    effective: str
    recorded_at: str
    learned_at: str
    actor: str
    source: str
    flags: str
    note: str
    fields: list[EventField]
    stored: str
    later: bool


class Document(Struct, frozen=True):
    """A whole case file."""

    account: str
    title: str
    subtitle: str
    lead: list[AnyBlock]
    sections: list[Section]
    events: list[EventCard]
    redacted: bool


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def dated(on: date) -> str:
    """A day with its weekday: Mon 4 March 2024."""
    return f"{WEEKDAYS[on.weekday()]} {said(on)}"


def timed(when: date | datetime) -> str:
    """A moment as people say it in Pacific time: Mon 10 June 2024, 10:20; a bare day without the hour."""
    if not isinstance(when, datetime):
        return dated(when)
    if is_bare(when):
        return dated(when.date())
    local = pacific(when)
    return f"{dated(local.date())}, {local:%H:%M}"


def dollars(cents: int) -> str:
    """An amount of `cents` in a sentence: 157603 is $1,576.03."""
    whole, part = money(abs(cents)).split(".")
    return f"{'−' if cents < 0 else ''}${int(whole):,}.{part}"


def counted(number: int, noun: str) -> str:
    """1 day, 2 days."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
