"""Where a translation served promised more than the English (T1 to T20): English decides, and the decision says so."""

from typing import Any

import pytest

from tests.commands.world import World


def world(language: str, *, account: str = "en") -> World:
    """A customer, shut off on a holiday, whose discontinuance notice was served in `language`."""
    world = World(opened=False)
    world.given(
        "account open",
        opened_on="2019-01-01",
        name="Sample Customer",
        service_address="1 Example Lane",
        language=account,
    )
    world.given("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    return world.given(
        "notice serve", notice="N-1", kind="discontinuance", on="2024-04-25", method="mail", language=language
    )


def divergence(event: Any) -> tuple[str, ...]:
    return event.translation_divergence


def shut_off(language: str, at: str = "2024-05-24T10:00", **about: str) -> World:
    return world(language, **about).given("service disconnect", at=at, reason="nonpayment")


@pytest.mark.parametrize(
    ("language", "found"),
    [("en", ()), ("zh", ("T1",)), ("vi", ()), ("ko", ()), ("es", ()), ("tl", ())],
)
def test_t1_the_chinese_deposit_is_put_before_a_person_and_the_vietnamese_must_is_not(language, found):
    (required,) = shut_off(language).then("deposit require", on="2024-05-28")
    assert (required.amount, divergence(required)) == (18000, found)


@pytest.mark.parametrize(("language", "found"), [("ko", {"T3", "T6"}), ("tl", {"T11"}), ("zh", set()), ("en", set())])
def test_t3_t6_t11_a_shutoff_says_what_the_version_served_promised(language, found):
    (made,) = world(language).then("service disconnect", at="2024-05-24T10:00", reason="nonpayment")
    assert set(divergence(made)) == found
    assert "DO-37" in made.flags


def test_an_authorization_says_it_too():
    given = world("ko").given("contact attempt", at="2024-05-20T10:00", method="phone", outcome="reached")
    about = {"override_reason": "leak at the meter", "approved_by": "supervisor"}
    (authorized,) = given.then("service authorize", at="2024-05-24T10:00", **about)
    assert {"T3", "T6"} <= set(divergence(authorized))
    (english,) = (
        world("en")
        .given("contact attempt", at="2024-05-20T10:00", method="phone", outcome="reached")
        .then("service authorize", at="2024-05-24T10:00", **about)
    )
    assert divergence(english) == ()


def test_the_account_s_own_language_counts_as_served():
    (made,) = world("en", account="ko").then("service disconnect", at="2024-05-24T10:00", reason="nonpayment")
    assert "T3" in divergence(made)


@pytest.mark.parametrize(("language", "found"), [("ko", {"T5", "T15"}), ("zh", set()), ("en", set())])
def test_t5_t15_a_request_declined(language, found):
    asked = world(language).given("arrangement request", arrangement="P-1", at="2024-05-01T09:00")
    (declined,) = asked.then("arrangement decline", arrangement="P-1", on="2024-05-02", reason="too late")
    assert set(divergence(declined)) == found


@pytest.mark.parametrize(("language", "found"), [("zh", ("T8",)), ("vi", ("T9",)), ("ko", ()), ("en", ())])
def test_t8_t9_a_part_of_the_health_exception_rejected(language, found):
    told = world(language).given("health inability", on="2024-05-01", ground="household income")
    (rejected,) = told.then("health reject", on="2024-05-02", part="inability", reason="no document")
    assert divergence(rejected) == found
