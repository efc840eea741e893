"""What an account's rows tell is what its history tells, whatever happened to it and whenever it is asked.

Seen to catch, each alone: petitions, arrangements or `waiting` left out of what the work list looks at; movements
after the period left in the closing total; rows asked before all of them happened.
"""

from datetime import date, datetime, time, timedelta
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from commands import answers, answers_over_all
from commands.accounts import Wanted, find, source
from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.policy.explain import Stage
from ledger.policy.protections import ProtectionKind
from ledger.utility import Rules
from projections.catalogue import PROJECTIONS, pack
from projections.kept import Kept
from projections.rows import Folded, World
from tests.cases import (
    appeal_closed,
    appeal_filed,
    arrangement_agreed,
    arrangement_declined,
    arrangement_requested,
    bill_corrected,
    bill_mailed,
    bill_voided,
    commission_deposit,
    deposit_absorbed,
    deposit_received,
    disconnected,
    health_accepted,
    health_rejected,
    health_submitted,
    notice_served,
    payment,
    payment_reported,
    payment_returned,
    petition_answered,
    petition_filed,
    reconnected,
)
from tests.commands.told import READS, RULES, history

MENU = [
    deposit_received("2019-05-10", "25.00"),
    health_submitted("certification", "2019-06-01"),
    health_submitted("inability", "2019-06-02"),
    health_submitted("willingness", "2019-06-03"),
    health_accepted("certification", "2019-06-04"),
    health_accepted("inability", "2019-06-05"),
    health_accepted("willingness", "2019-06-06"),
    health_rejected("inability", "2023-01-05"),
    *READS,
    e.ReadTaken(meter="M1", read_on=date(2023, 4, 12), reading=52_000),
    bill_mailed("2024-03-04", "90.00", "B1"),
    bill_corrected("B1", "100.00", "2024-03-20"),
    bill_mailed("2024-04-04", "70.00", "B2"),
    bill_voided("B2", "2024-04-08"),
    e.FeeCharged(fee="F1", kind="other", on=date(2024, 4, 9), amount=1500, past_due_from=date(2024, 4, 29)),
    e.AdjustmentPosted(amount=-500, on=date(2024, 4, 10), reason="goodwill"),
    payment_reported("2024-04-11 10:00", "20.00", payment="P1"),
    payment("2024-04-12 10:00", "20.00", payment="P1"),
    payment("2024-04-15 15:00", "155.00", payment="P2"),
    payment_returned("P2", "2024-04-18"),
    arrangement_requested("2024-04-19 09:00"),
    arrangement_agreed("2024-04-22", ("2024-05-22", "30.00"), ("2024-06-24", "30.00")),
    arrangement_declined("2024-04-22"),
    petition_filed("2024-04-23 11:00", "B1"),
    petition_answered("2024-04-24", credit=500),
    appeal_filed("2024-04-25"),
    commission_deposit("2024-04-26", "90.00"),
    appeal_closed("2024-04-29"),
    deposit_absorbed("2024-04-30", "25.00"),
    notice_served("2024-05-01"),
    disconnected("2024-06-18 09:30"),
    reconnected("2024-06-20 11:00"),
    e.AccountClosed(closed_on=date(2024, 6, 28)),
]
TURNS = sorted(
    {event.day for event in MENU} | {date(2024, 3, 24), date(2024, 4, 24), date(2024, 5, 23), date(2024, 7, 1)}
)
FIRST = date(2023, 4, 1)
SIMPLE = Rules(*RULES)
WANTED = [
    *(Wanted(stage=name) for name in get_args(Stage)),
    *(Wanted(protection=name) for name in get_args(ProtectionKind)),
    *(Wanted(past_due_over=cents) for cents in (0, 50_00)),
    Wanted(district="Pine Mountain"),
    Wanted(),
]


def kept_rows(told):
    folded = Folded(told.account, told.events, World(SIMPLE, lambda account, sealed: None))
    return Kept(told.account, dict(zip(PROJECTIONS, pack(folded), strict=True)))


@st.composite
def questions(draw):
    """A little or much of what may happen, and a day or a moment, mostly when all of it has."""
    most = draw(st.sampled_from((3, 3, 12)))
    chosen = draw(st.lists(st.sampled_from(range(len(MENU))), unique=True, max_size=most))
    happened = [MENU[place] for place in sorted(chosen)]
    last = max((event.day for event in happened), default=FIRST)
    late = (0, 0, 1, 30, 400)
    on = last + timedelta(days=draw(st.sampled_from(late))) if draw(st.integers(0, 3)) else draw(st.sampled_from(TURNS))
    hour = draw(st.sampled_from((None, 8, 12, 18)))
    return history(*happened), on if hour is None else datetime.combine(on, time(hour), PACIFIC)


@settings(max_examples=300)
@given(questions())
def test_rows_that_tell_tell_what_the_history_tells(asked):
    told, when = asked
    kept = kept_rows(told)
    first = FIRST if answers.day_of(when) >= FIRST else None
    for name, (_, tells) in answers_over_all.SOURCES.items():
        if tells(kept, when):
            ask = getattr(answers_over_all, name)
            more = {"first": first} if name == "trial_balance" else {}
            assert ask([kept], *RULES, when, **more) == ask([told], *RULES, when, **more), name
    for wanted in WANTED:
        if source(wanted, RULES[1]).tells(kept, when):
            assert find([kept], *RULES, when, None, wanted) == find([told], *RULES, when, None, wanted), wanted


def test_an_account_to_which_nothing_happened_is_told_by_its_rows():
    told, when = history(), date(2024, 7, 1)
    kept = kept_rows(told)
    assert all(tells(kept, when) for _, tells in answers_over_all.SOURCES.values())
    assert all(source(wanted, RULES[1]).tells(kept, when) for wanted in WANTED)
