"""What concerns the whole utility, as known at a moment."""

from datetime import date, datetime, timedelta

from ledger import events as e
from ledger.application import publications
from ledger.calendar import PACIFIC
from ledger.policy.parameters import builtin_packs
from ledger.utility import Utility

CREATED = datetime(2024, 1, 2, 9, 0, tzinfo=PACIFIC)
DECLARED = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
CLOSED = date(2024, 6, 12)


def utility() -> Utility:
    events: list[e.Event] = list(publications(builtin_packs("del-oro"), CREATED))
    closure = e.OfficeClosed(version=len(events) + 1, recorded_at=DECLARED, on=CLOSED, reason="main work")
    return Utility([*events, closure])


def test_a_closure_is_known_from_the_moment_it_was_recorded():
    known = utility()
    assert known.rules(DECLARED).calendar.closed(CLOSED) == known.rules().calendar.closed(CLOSED) == "main work"
    assert known.rules(DECLARED - timedelta(seconds=1)).calendar.closed(CLOSED) is None


def test_a_closure_has_no_rule_book_read_anew():
    known = utility()
    assert known.rules(DECLARED).policies is known.rules(DECLARED - timedelta(seconds=1)).policies
