"""Campaign 15: lives of accounts, any command after any other, beside a small model."""

from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from scripts.campaigns.run import Round
from tests.properties.machine import Account, lives

LIVES, STEPS = 5, 50
"""How many lives of so many commands a round has."""


def lived(round: Round) -> None:
    """The money is the model's, and nothing is allowed where the model knows of something against it (P2, P3)."""
    machine = seed(round.chance.randrange(2**32))(type("Seeded", (Account,), {}))
    # No memory of earlier failures: what a round plays follows from its seed. What fails is told as it is, at once;
    # tests/properties looks for the shortest life.
    about = settings(lives(LIVES, STEPS), database=None, derandomize=False, deadline=None, phases=[Phase.generate])
    run_state_machine_as_test(machine, settings=about)
    round.counts["lives"] += LIVES
