"""Autopay, account by account (CW-05)."""

from datetime import date

from ledger.events import AutopayCancelled, AutopayEnrolled
from tests.commands.world import World


def test_cw_05_an_account_is_enrolled_and_cancelled():
    world = World()
    assert world.then("autopay enroll", on="2024-02-01", method="bank") == [
        AutopayEnrolled(on=date(2024, 2, 1), method="bank")
    ]
    world.given("autopay enroll", on="2024-02-01", method="bank")
    assert world.then("autopay cancel", on="2024-02-01") == [AutopayCancelled(on=date(2024, 2, 1))]


def test_cw_05_there_must_be_something_to_cancel_that_day():
    world = World().given("autopay enroll", on="2024-02-01")
    assert world.refusal("autopay cancel", on="2024-01-31").code == "autopay_not_enrolled"
    world.given("autopay cancel", on="2024-05-01")
    for day in ("2024-01-31", "2024-05-01", "2024-06-01"):
        refusal = world.refusal("autopay cancel", on=day)
        assert (refusal.code, refusal.message) == (
            "autopay_not_enrolled",
            f"account 7001 has no autopay on {day} to cancel; 'autopay enroll' it first",
        )
