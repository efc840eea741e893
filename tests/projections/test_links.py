"""Log-ins and automatic payment as rows (CW-01, CW-05): nothing that ended looks as if it went on."""

from datetime import date

from ledger import events as e
from projections.links import autopay, logins
from projections.rows import Folded, World
from tests.commands.told import RULES, history

JAN, FEB, MARCH, MAY = (date(2024, month, 5) for month in (1, 2, 3, 5))


def folded(*events: e.Event) -> Folded:
    return Folded("7001", history(*events).events, World(RULES, lambda account, field, text: text.lower() or None))


def linked(events: Folded) -> list[tuple[str | None, date, date | None]]:
    return [(row.login, row.linked_on, row.unlinked_on) for row in logins(events)]


def test_cw_01_a_log_in_linked_twice_is_one_until_it_is_unlinked():
    twice = e.LoginLinked(on=JAN, login="Ann@x.org"), e.LoginLinked(on=FEB, login="ann@x.org", nickname="cabin")
    assert linked(folded(*twice)) == [("ann@x.org", JAN, None)]
    ended = (*twice, e.LoginUnlinked(on=MARCH, login="ANN@x.org"))
    assert linked(folded(*ended)) == [("ann@x.org", JAN, MARCH)]
    again = (*ended, e.LoginLinked(on=MAY, login="ann@x.org"))
    assert linked(folded(*again)) == [("ann@x.org", JAN, MARCH), ("ann@x.org", MAY, None)]


def test_cw_01_erased_log_ins_cannot_be_told_apart_and_stay_rows_of_their_own():
    two = e.LoginLinked(on=JAN, login=""), e.LoginLinked(on=FEB, login="")
    assert linked(folded(*two)) == [(None, JAN, None), (None, FEB, None)]


def test_cw_05_an_enrollment_ends_where_it_is_cancelled_or_another_takes_its_place():
    enrolled = e.AutopayEnrolled(on=JAN, method="bank"), e.AutopayEnrolled(on=FEB, method="card")
    rows = [(row.n, row.method, row.cancelled_on) for row in autopay(folded(*enrolled))]
    assert rows == [(1, "bank", FEB), (2, "card", None)]
    rows = [row.cancelled_on for row in autopay(folded(*enrolled, e.AutopayCancelled(on=MARCH)))]
    assert rows == [FEB, MARCH]
