"""C10: which credit pays which charge; DO-02 e: an increase has clocks of its own."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.charges import Charge, Credit, Part, settle

DAY = date(2024, 1, 1)


def charge(name: str, on: int, amount: int, kind: str = "bill", version: int = 0) -> Charge:
    day = DAY + timedelta(days=on)
    return Charge(kind, name, day, version, amount, [Part(day, amount, day + timedelta(days=20))])  # type: ignore[arg-type]


def credit(on: int, amount: int, to: str | None = None, version: int = 0) -> Credit:
    return Credit(DAY + timedelta(days=on), version, amount, to)


def test_c10_the_oldest_bill_is_paid_first() -> None:
    settled = settle([charge("B-2", 30, 5000), charge("B-1", 0, 6000)], [credit(40, 7000)])
    assert (settled.unpaid("bill B-1"), settled.unpaid("bill B-2")) == (0, 4000)


def test_c10_a_bill_goes_before_a_fee_of_the_same_day() -> None:
    settled = settle([charge("F", 0, 1000, "fee"), charge("B", 0, 1000)], [credit(1, 1500)])
    assert (settled.unpaid("bill B"), settled.unpaid("fee F")) == (0, 500)


def test_c10_an_open_bill_goes_before_an_older_fee() -> None:
    settled = settle([charge("F", 0, 3000, "fee"), charge("B", 30, 8500)], [credit(40, 8500)])
    assert (settled.unpaid("bill B"), settled.unpaid("fee F")) == (0, 3000)


def test_a_fee_is_paid_when_no_bill_is_open() -> None:
    settled = settle([charge("F", 10, 3000, "fee"), charge("B", 30, 8500)], [credit(20, 4000)])
    assert (settled.unpaid("bill B"), settled.unpaid("fee F"), settled.credit) == (7500, 0, 0)


def test_a_directed_payment_pays_its_bill_and_the_rest_goes_to_the_oldest() -> None:
    settled = settle([charge("B-1", 0, 6000), charge("B-2", 30, 5000)], [credit(40, 5500, "bill B-2")])
    assert (settled.unpaid("bill B-1"), settled.unpaid("bill B-2")) == (5500, 0)


def test_a_credit_waits_for_the_next_bill_and_counts_from_its_mailing() -> None:
    settled = settle([charge("B-1", 10, 6000)], [credit(0, 2500)])
    assert (settled.credit, settled.unpaid("bill B-1")) == (0, 3500)
    assert settled.unpaid_at("bill B-1", DAY + timedelta(days=10)) == 3500


def test_a_payment_for_a_bill_that_no_longer_stands_pays_the_oldest() -> None:
    settled = settle([charge("B-1", 0, 6000)], [credit(5, 1000, "bill B-9")])
    assert settled.unpaid("bill B-1") == 5000


def test_what_nothing_asks_for_is_credit() -> None:
    settled = settle([charge("B-1", 0, 6000)], [credit(5, 10000)])
    assert (settled.credit, settled.balance) == (4000, -4000)


def test_do_02_e_an_increase_is_past_due_from_its_own_mailing() -> None:
    parts = [Part(DAY, 5000, DAY + timedelta(days=20)), Part(DAY + timedelta(days=10), 1000, DAY + timedelta(days=30))]
    bill = Charge("bill", "B", DAY, 1, 6000, parts)
    assert bill.past_due(DAY + timedelta(days=19), 6000) == 0
    assert bill.past_due(DAY + timedelta(days=20), 6000) == 5000
    assert bill.past_due(DAY + timedelta(days=29), 6000) == 5000
    assert bill.past_due(DAY + timedelta(days=30), 6000) == 6000
    assert bill.past_due(DAY + timedelta(days=29), 1000) == 0, "the oldest part was paid first"


def test_do_02_e_an_increase_is_owed_from_its_own_mailing_in_the_place_of_its_bill() -> None:
    """Given money that came before the increase, it went to what was owed then; later money pays the oldest bill."""
    owed = [raised("B-1", 0, 5000, (60, 3000)), charge("B-2", 30, 5000), charge("B-3", 90, 4000)]
    before = [credit(10, 5000), credit(40, 4000)]
    settled = settle(owed, before)
    assert [settled.unpaid(f"bill B-{n}") for n in (1, 2, 3)] == [3000, 1000, 4000]
    settled = settle(owed, [*before, credit(59, 500), credit(60, 2500)])
    assert [settled.unpaid(f"bill B-{n}") for n in (1, 2, 3)] == [500, 500, 4000]


def test_do_02_e_what_is_meant_for_a_bill_pays_its_increase_once_that_is_mailed() -> None:
    owed = [raised("B-1", 0, 5000, (60, 3000)), charge("B-2", 30, 5000)]
    early = settle(owed, [credit(10, 8000, "bill B-1")])
    assert (early.unpaid("bill B-1"), early.unpaid("bill B-2")) == (3000, 2000)
    late = settle(owed, [credit(60, 8000, "bill B-1")])
    assert (late.unpaid("bill B-1"), late.unpaid("bill B-2")) == (0, 5000)


def raised(name: str, on: int, amount: int, *increases: tuple[int, int], version: int = 0) -> Charge:
    """A bill and its increases, each mailed so many days after the bill."""
    first = charge(name, on, amount, version=version)
    days = [(first.on + timedelta(days=later), more) for later, more in increases]
    parts = [*first.parts, *(Part(day, more, day + timedelta(days=20)) for day, more in days)]
    return Charge("bill", name, first.on, version, sum(part.amount for part in parts), parts)


increases = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 9_999)), max_size=2).map(sorted)
charges = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9_999), increases), max_size=8).map(
    lambda found: [raised(f"B-{n}", on, amount, *more, version=n) for n, (on, amount, more) in enumerate(found)]
)
credits = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9_999), st.none() | st.integers(0, 9)), max_size=8).map(
    lambda found: [
        credit(on, amount, None if to is None else f"bill B-{to}", n) for n, (on, amount, to) in enumerate(found)
    ]
)


@given(charges, credits)
def test_no_cent_is_lost_and_none_is_made(owed: list[Charge], given: list[Credit]) -> None:
    settled = settle(owed, given)
    unpaid = sum(settled.unpaid(c.id) for c in owed)
    assert settled.balance == sum(c.amount for c in owed) - sum(c.amount for c in given) == unpaid - settled.credit
    assert all(0 <= settled.unpaid(c.id) <= c.amount for c in owed)
    assert not (unpaid and settled.credit), "a credit lies idle beside a charge that it could pay"


@given(charges, credits, st.randoms())
def test_the_order_of_telling_changes_nothing(owed: list[Charge], given: list[Credit], chance: object) -> None:
    told = settle(owed, given)
    shuffled, mixed = list(owed), list(given)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert settle(shuffled, mixed) == told


@given(charges, credits, st.integers(0, 90))
def test_do_02_e_what_was_owed_on_a_day_is_what_was_mailed_and_paid_by_then(
    owed: list[Charge], given: list[Credit], on: int
) -> None:
    """Given what came to be known only of later days, the past stands; so a paid bill is never open again."""
    day = DAY + timedelta(days=on)
    settled = settle(owed, given)
    then = settle([c.mailed_by(day) for c in owed if c.on <= day], [c for c in given if c.on <= day])
    directed_ahead = {c.charge for c in given if c.on <= day} & {c.id for c in owed if c.on > day}
    if not directed_ahead:
        assert [settled.unpaid_at(c.id, day) for c in owed if c.on <= day] == [
            then.unpaid(c.id) for c in owed if c.on <= day
        ]
    assert [(c.name, left) for c, left in settled.open_bills_at(day, day)] == [
        (c.name, settled.unpaid_at(c.id, day)) for c in settled.charges if c.on <= day and settled.unpaid_at(c.id, day)
    ]
