"""Adjustments: the balance moved by hand."""

from datetime import date

import pytest

from ledger.events import AdjustmentPosted
from ledger.refusal import Invalid
from tests.commands.world import World, command


def test_do_02_a_charge_by_hand_is_past_due_from_its_own_20th_day():
    world = World()
    assert world.then(
        "adjustment post", amount="12.50", on="2024-03-04", reason="meter damage", approved_by="supervisor"
    ) == [
        AdjustmentPosted(
            amount=1250,
            on=date(2024, 3, 4),
            reason="meter damage",
            approved_by="supervisor",
            past_due_from=date(2024, 3, 24),
        )
    ]


def test_a_credit_by_hand_has_no_clock():
    assert World().then("adjustment post", amount="-12.50", on="2024-03-04", reason="leak") == [
        AdjustmentPosted(amount=-1250, on=date(2024, 3, 4), reason="leak")
    ]


@pytest.mark.parametrize("amount", ["0.00", "-0.00"])
def test_an_adjustment_moves_something(amount):
    with pytest.raises(Invalid, match="moves nothing; give what it moves") as invalid:
        command("adjustment post", amount=amount, on="2024-03-04", reason="none")
    assert (invalid.value.code, invalid.value.field) == ("invalid_value", "amount")
