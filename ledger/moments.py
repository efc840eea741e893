"""Days and moments: Pacific civil time from text and to text (C3)."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from ledger.calendar import PACIFIC
from ledger.calendar import pacific as on_pacific_clock
from ledger.refusal import shown as as_given

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<offset>Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""The months in English, whatever the machine speaks."""

_OFFSETS = {offset: timezone(offset) for offset in (timedelta(hours=-7), timedelta(hours=-8))}


def day(text: object) -> date:
    """The civil day in `text` ("2024-02-29"); raises ValueError with a sentence for whoever typed it."""
    if not isinstance(text, str):
        raise _no_date(text)
    return _day(text)


def moment(text: object) -> datetime:
    """The moment in `text`, in Pacific time: "2024-04-22T10:42-07:00", or without an offset.

    A bare date gives a moment without an offset: only the day is known. Raises ValueError with a sentence.
    """
    if not isinstance(text, str):
        raise _no_moment(text)
    return _moment(text)


# A feed names the same days and minutes again and again.
@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    if _DAY.fullmatch(text) is None:
        raise _no_date(text)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text} in the calendar") from None
    return _kept(found, text)


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    if _DAY.fullmatch(text):
        return bare(_day(text))
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise _no_moment(text)
    _day(found["day"])
    offset = (found["offset"] or "").replace("Z", "+00:00")
    try:
        local = datetime.fromisoformat(f"{found['day']}T{found['time']}{offset}")
    except ValueError:
        raise ValueError(f"{text} is not a time of day; hours run from 00 to 23 and minutes from 00 to 59") from None
    there = pacific(local if offset else _unambiguous(local, found[0]))
    _kept(there.date(), found[0])
    return there


def pacific(when: datetime) -> datetime:
    """`when` on the Pacific clock, with its offset fixed: whoever reads it needs no time-zone table."""
    local = on_pacific_clock(when)
    offset = local.utcoffset()
    assert offset is not None
    return local.replace(tzinfo=_OFFSETS.get(offset) or timezone(offset), fold=0)


def bare(on: date) -> datetime:
    """A day as a moment of which only the day is known."""
    return datetime(on.year, on.month, on.day)


def is_bare(when: date | datetime) -> bool:
    """Whether only the day is known."""
    return not isinstance(when, datetime) or when.tzinfo is None


def shown(when: date | datetime) -> str:
    """A day as "2024-02-29", a moment as "2024-04-22T10:42:00-07:00"."""
    if isinstance(when, datetime) and when.tzinfo is None:
        return when.date().isoformat()
    return when.isoformat()


def said(on: date) -> str:
    """A day as a clerk says it: 22 May 2024."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def _no_date(given: object) -> ValueError:
    return ValueError(f'{as_given(given)} is not a date; write it as "2024-02-29"')


def _no_moment(given: object) -> ValueError:
    way_out = 'write it as "2024-04-22T10:42" or "2024-04-22T10:42-07:00"'
    return ValueError(f"{as_given(given)} is not a moment; {way_out}")


def _kept(on: date, text: str) -> date:
    if not _FIRST <= on <= _LAST:
        raise ValueError(f"{text} is outside the years the ledger keeps, {_FIRST.year} to {_LAST.year} in Pacific time")
    return on


def _unambiguous(local: datetime, text: str) -> datetime:
    early, late = local.replace(tzinfo=PACIFIC, fold=0), local.replace(tzinfo=PACIFIC, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    if pacific(early.astimezone(UTC)).replace(tzinfo=None) != local:
        raise ValueError(f"{text} was skipped when the clocks went forward; there was no such time")
    raise ValueError(
        f'{text} came twice when the clocks went back; write the offset, as in "{local.isoformat()}-07:00"'
    )
