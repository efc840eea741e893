"""The one clock of the program. Everything else is handed the time."""

from datetime import datetime

from ledger.calendar import PACIFIC


def now() -> datetime:
    """This moment, in Pacific time."""
    return datetime.now(PACIFIC)
