"""The movements of the balance add up to the balance, whatever happened and in whatever order it was recorded."""

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger import events as e
from ledger.calendar import PACIFIC
from ledger.history import History
from ledger.movements import KINDS, movements
from tests.cases import (
    appeal_filed,
    bill_corrected,
    bill_mailed,
    bill_voided,
    commission_deposit,
    deposit_absorbed,
    deposit_received,
    payment,
    payment_returned,
    petition_answered,
)

FIRST = date(2024, 1, 1)
OPENED = e.AccountOpened(opened_on=FIRST, name="Sample Customer", service_address="1 Elm St")


def history(*events: e.Event) -> History:
    return History("7001", [replace(event, version=n) for n, event in enumerate((OPENED, *events), 1)])


def steps(of: History) -> list[tuple[str, str | None, int]]:
    return [(s.kind, s.reference, s.amount) for s in movements(of.effective(of.events)) if s.book == "balance"]


def test_a_correction_is_the_difference_and_a_void_takes_back_what_was_left():
    told = history(
        bill_mailed("2024-01-05", "90.00", "B1"),
        bill_corrected("B1", "79.00", "2024-01-10"),
        bill_voided("B1", "2024-01-12"),
        bill_corrected("B1", "50.00", "2024-01-15"),
    )
    assert steps(told) == [("bill", "B1", 90_00), ("bill_correction", "B1", -11_00), ("bill_void", "B1", -79_00)]


def test_a_return_on_the_day_of_the_receipt_follows_it():
    told = history(payment("2024-01-05 10:00", "85.00", payment="P1"), payment_returned("P1", "2024-01-05"))
    assert steps(told) == [("payment", "P1", -85_00), ("payment_return", "P1", 85_00)]
    assert [s.event.version for s in movements(told.effective(told.events))] == [2, 3]


def test_a_reported_payment_moves_nothing_and_neither_does_its_return():
    reported = e.PaymentReported(payment="P1", amount=85_00, reported_at=datetime(2024, 1, 5), channel="internet")
    assert steps(history(reported, payment_returned("P1", "2024-01-08"))) == []


def test_a_payment_that_left_cannot_be_returned_as_well():
    left = e.PaymentTransferred(payment="P1", to_account="7002", on=date(2024, 1, 8), reason="wrong account")
    told = history(payment("2024-01-05", "85.00", payment="P1"), left, payment_returned("P1", "2024-01-09"))
    assert steps(told) == [("payment", "P1", -85_00), ("payment_transfer", "P1", 85_00)]


def test_an_absorbed_deposit_moves_two_books():
    told = history(
        bill_mailed("2024-01-05", "90.00", "B1"),
        deposit_received("2024-01-06", "60.00"),
        deposit_absorbed("2024-02-01", "60.00"),
    )
    assert [(s.book, s.kind, s.amount) for s in movements(told.effective(told.events))] == [
        ("balance", "bill", 90_00),
        ("deposit", "received", 60_00),
        ("balance", "deposit_absorbed", -60_00),
        ("deposit", "absorbed", -60_00),
    ]


NAMES = st.sampled_from(["1", "2", "3"])
DAYS = st.integers(0, 12).map(lambda n: FIRST + timedelta(days=n))
AMOUNTS = st.integers(1, 500)
HOURS = st.sampled_from([None, 9, 15])


def at(on: date, hour: int | None) -> datetime:
    return datetime(on.year, on.month, on.day, hour or 0, tzinfo=PACIFIC if hour else None)


def made(build):
    return st.builds(build, NAMES, DAYS, AMOUNTS, HOURS)


def cents(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02}"


# Each names its thing, so that the same thing is not recorded twice; the order is any order.
NAMED = st.one_of(
    made(lambda n, d, a, h: bill_mailed(d, cents(a), n)),
    made(lambda n, d, a, h: e.FeeCharged(fee=n, kind="late", on=d, amount=a)),
    made(lambda n, d, a, h: e.PaymentReceived(payment=n, amount=a, received_at=at(d, h), channel="mail")),
    made(lambda n, d, a, h: e.PetitionFiled(dispute=n, bill=n, filed_at=at(d, h), disputed_amount=a)),
    made(lambda n, d, a, h: appeal_filed(d, n, n)),
)
FREE = st.one_of(
    made(lambda n, d, a, h: bill_corrected(n, cents(a), d)),
    made(lambda n, d, a, h: bill_voided(n, d)),
    made(lambda n, d, a, h: e.FeeWaived(fee=n, on=d, reason="goodwill")),
    made(lambda n, d, a, h: e.AdjustmentPosted(amount=a if h else -a, on=d, reason="by hand")),
    made(lambda n, d, a, h: payment_returned(n, d)),
    made(lambda n, d, a, h: e.PaymentTransferred(payment=n, to_account="7002", on=d, reason="wrong account")),
    made(lambda n, d, a, h: deposit_received(d, cents(a), n)),
    made(lambda n, d, a, h: e.DepositInterestAccrued(deposit=n, amount=a, on=d)),
    made(lambda n, d, a, h: e.DepositRefunded(deposit=n, amount=a, on=d)),
    made(lambda n, d, a, h: deposit_absorbed(d, cents(a))),
    made(lambda n, d, a, h: petition_answered(d, n, outcome="adjusted", credit=a if h else None)),
    made(lambda n, d, a, h: commission_deposit(d, cents(a), n)),
    made(lambda n, d, a, h: e.CommissionDepositDisbursed(appeal=n, on=d, to_utility=a, to_customer=a // 2)),
)


def thing(event: e.Event) -> tuple[str, str]:
    first_of_its_own = type(event).__struct_fields__[len(e.Event.__struct_fields__)]
    return event.type, getattr(event, first_of_its_own)


@given(st.lists(NAMED, unique_by=thing), st.lists(FREE, max_size=20), st.randoms(use_true_random=False))
def test_movements_add_up_to_what_the_state_says_on_every_day_and_at_every_hour(named, free, random):
    events = [*named, *free]
    random.shuffle(events)
    told = history(*events)
    for day in {event.day for event in told.events}:
        for when in (day, at(day, 9), at(day, 12)):
            sums = dict.fromkeys(KINDS, 0)
            for step in movements(told.effective(told.events, when)):
                sums[step.book] += step.amount
                assert step.kind in KINDS[step.book]
            account = told.as_of(when)
            assert sums == {
                "balance": account.balance,
                "deposit": account.deposit,
                "commission_deposit": account.commission_deposit,
            }
