"""Notices: what serving one records, when it is flagged, and what cannot be brought back."""

from datetime import date

import pytest

from ledger.events import NoticeReturned, NoticeServed
from ledger.policy.parameters import FOLDER, load_pack
from tests.commands.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    return world


def test_a_notice_is_recorded_as_served(world: World) -> None:
    served = world.then(
        "notice serve", notice="N-1", kind="discontinuance", on="2024-03-25", method="mail", language="es",
        amount="90.00", act_by="2024-04-12",
    )  # fmt: skip
    assert served == [
        NoticeServed(
            notice="N-1",
            kind="discontinuance",
            on=date(2024, 3, 25),
            method="mail",
            language="es",
            amount=9000,
            act_by=date(2024, 4, 12),
            policy_text=world.policies.on(date(2024, 3, 25)).packs["del-oro"].sha,
        )
    ]


@pytest.mark.parametrize(("said", "recorded"), [({}, "ko"), ({"language": "ko"}, "ko"), ({"language": "en"}, "en")])
def test_a_notice_is_in_the_accounts_language_unless_another_is_named(said: dict[str, str], recorded: str) -> None:
    world = World().given("account correct", language="ko", reason="asked for")
    fields = {"notice": "N-1", "kind": "past_due", "on": "2024-03-25", "method": "mail", **said}
    (served,) = world.then("notice serve", **fields)
    assert served.language == recorded


@pytest.mark.parametrize(("on", "text"), [("2024-06-30", "old"), ("2024-07-01", "new"), ("2024-07-02", "new")])
def test_a_notice_names_the_policy_text_in_force_on_its_day(world: World, on: str, text: str) -> None:
    old = world.policies.on(date(2024, 6, 1)).packs["del-oro"]
    mended = load_pack((FOLDER / "del-oro.toml").read_text(encoding="utf-8") + "# printed anew\n")
    world.policies = world.policies.with_published(mended, date(2024, 7, 1))
    (served,) = world.then("notice serve", notice="N-1", kind="discontinuance", on=on, method="mail")
    assert served.policy_text == {"old": old.sha, "new": mended.sha}[text]
    assert old.sha != mended.sha


@pytest.mark.parametrize("kind", ["discontinuance", "final"])
@pytest.mark.parametrize(("on", "flags"), [("2024-03-23", ("DO-19",)), ("2024-03-24", ()), ("2024-03-25", ())])
def test_do_19_a_notice_before_anything_is_past_due_is_flagged(
    world: World, kind: str, on: str, flags: tuple[str, ...]
) -> None:
    (served,) = world.then("notice serve", notice="N-1", kind=kind, on=on, method="mail")
    assert served.flags == flags


@pytest.mark.parametrize("kind", ["past_due", "occupants"])
def test_do_19_is_no_matter_of_reminders_and_notices_to_occupants(world: World, kind: str) -> None:
    (served,) = world.then("notice serve", notice="N-1", kind=kind, on="2024-03-10", method="mail")
    assert served.flags == ()


def test_do_19_a_notice_after_payment_is_flagged(world: World) -> None:
    world.given("payment receive", payment="P-1", amount="90.00", received_at="2024-03-26", channel="mail")
    (served,) = world.then("notice serve", notice="N-1", kind="discontinuance", on="2024-03-27", method="mail")
    assert served.flags == ("DO-19",)


def test_a_notice_whose_last_day_is_before_it_is_invalid(world: World) -> None:
    said = world.refusal(
        "notice serve", notice="N-1", kind="final", on="2024-04-02", method="hand", act_by="2024-04-01"
    )
    assert (said.code, said.message) == ("invalid_value", "act_by: 2024-04-01 is before the notice, of 2024-04-02")


def test_a_notice_may_name_its_own_day_as_the_last(world: World) -> None:
    (served,) = world.then(
        "notice serve", notice="N-1", kind="final", on="2024-04-02", method="hand", act_by="2024-04-02"
    )
    assert served.act_by == date(2024, 4, 2)


def test_a_notice_comes_back(world: World) -> None:
    world.given("notice serve", notice="N-1", kind="discontinuance", on="2024-03-25", method="mail")
    returned = world.then("notice return", notice="N-1", on="2024-03-25")
    assert returned == [NoticeReturned(notice="N-1", on=date(2024, 3, 25))]


def test_only_a_notice_that_was_served_comes_back(world: World) -> None:
    said = world.refusal("notice return", notice="N-9", on="2024-04-02")
    assert (said.code, said.message) == ("unknown_notice", "account 7001 has no notice N-9; record it first")


def test_a_notice_does_not_come_back_before_it_was_served(world: World) -> None:
    world.given("notice serve", notice="N-1", kind="discontinuance", on="2024-03-25", method="mail")
    said = world.refusal("notice return", notice="N-1", on="2024-03-24")
    assert said.code == "too_early"
    assert "correct the day" in said.message
