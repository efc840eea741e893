"""The health exception: each part is submitted before anything is said of it."""

from datetime import date
from typing import Any

import pytest

from ledger.events import (
    Event,
    HealthCertified,
    HealthPartAccepted,
    HealthPartRejected,
    HealthPartWithdrawn,
    InabilityShown,
    WillingnessStated,
)
from tests.commands.world import World

SUBMISSIONS: dict[str, tuple[str, dict[str, Any], Event]] = {
    "certification": (
        "health certify",
        {"provider": "Valley Clinic", "resident": "household"},
        HealthCertified(on=date(2024, 4, 2), provider="Valley Clinic", resident="household"),
    ),
    "inability": (
        "health inability",
        {"ground": "Medi-Cal"},
        InabilityShown(on=date(2024, 4, 2), ground="Medi-Cal"),
    ),
    "willingness": ("health willing", {}, WillingnessStated(on=date(2024, 4, 2))),
}
ANSWERS = {
    "health accept": HealthPartAccepted,
    "health reject": HealthPartRejected,
    "health withdraw": HealthPartWithdrawn,
}


@pytest.mark.parametrize("part", SUBMISSIONS)
def test_do_15_each_part_is_submitted(part: str) -> None:
    title, fields, event = SUBMISSIONS[part]
    assert World().then(title, on="2024-04-02", **fields) == [event]


def test_do_16_the_certificate_is_for_the_customer_unless_said_otherwise() -> None:
    (certified,) = World().then("health certify", on="2024-04-02", provider="Valley Clinic")
    assert certified.resident == "customer"


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("part", SUBMISSIONS)
def test_do_15_each_part_is_answered_from_the_day_it_was_submitted(part: str, answer: str) -> None:
    title, fields, _ = SUBMISSIONS[part]
    world = World()
    world.given(title, on="2024-04-02", **fields)
    answered = world.then(answer, on="2024-04-02", part=part, reason="seen")
    assert answered == [ANSWERS[answer](on=date(2024, 4, 2), part=part, reason="seen")]  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("part", SUBMISSIONS)
def test_nothing_is_said_of_a_part_before_it_was_submitted(part: str, answer: str) -> None:
    title, fields, _ = SUBMISSIONS[part]
    world = World()
    for _ in range(2):
        said = world.refusal(answer, on="2024-04-01", part=part)
        assert said.code == "not_submitted"
        assert said.message == f"no {part} was submitted by 2024-04-01; record '{title}' first"
        world.given(title, on="2024-04-02", **fields)


def test_a_part_of_another_kind_does_not_count() -> None:
    world = World()
    world.given("health willing", on="2024-04-02")
    assert world.refusal("health accept", on="2024-04-03", part="inability").code == "not_submitted"
