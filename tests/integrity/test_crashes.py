"""A sealer that dies at any step leaves nothing that the next one cannot finish, and never a second text for a size."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from ledger.integrity.audit import verify
from ledger.integrity.leaves import unpacked_heads
from ledger.integrity.seals import seal
from scripts.campaigns.sealing import check_one_text_for_a_size
from tests.integrity.conftest import ORIGIN, House

ROOT = Path(__file__).parent.parent.parent


def die(house: House, step: int) -> tuple[int, str]:
    """Seal in a process of its own, which dies at that step; its exit code, and where it died."""
    house.now += timedelta(hours=1)
    arguments = [house.url, str(house.folder / "log.key"), house.now.isoformat(), str(step)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.integrity.victim", *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode, done.stdout.strip()


def test_a_sealer_killed_at_each_step_leaves_one_text_for_each_size(house: House):
    house.record("7000", 30)
    house.seal()
    died = []
    for step in range(1, 40):
        house.record(f"{7000 + step}", 21)
        code, where = die(house, step)
        if code == 0:
            break
        died.append(where)
        if step % 2:
            # What is recorded meanwhile belongs to the next seal, whatever the one that died had begun.
            house.record("7000", 2)
        house.seal()
        found = verify(house.url, processes=1)
        assert found.findings == [], where
    names = ["make_plan", "add_parts", "add_parts", "add_seal", "sign", "add_note"]
    assert set(died) >= {f"{when} {name}" for name in names for when in ("before", "after")}
    assert code == 0, "the last one lived to the end"
    check_one_text_for_a_size(house)


def test_an_unfinished_seal_is_finished_as_it_was_planned_and_what_came_since_is_sealed_after_it(house: House):
    house.record("7001", 30)
    steps = die(house, 3)
    plan = house.rows.plan()
    house.record("7001", 5)
    made = house.seal()
    assert steps == (-9, "before add_parts")
    first = house.rows.seals()[0]
    assert (first.sealed_at, first.heads, first.events) == (plan.sealed_at, plan.heads, 30)
    assert (made.number, made.events, made.new) == (2, 35, True)
    assert verify(house.url, processes=1).unsealed == 0
    assert house.seal() == made._replace(new=False)


class Asked:
    """Stands before the rows, and notes down from which heads on changes are asked for."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.after: list[list[int]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def changed(self, after: list[int], until: list[int]) -> Any:
        self.after.append(after)
        return self._inner.changed(after, until)


def test_after_an_interrupted_seal_each_event_is_read_once_for_the_heads(house: House):
    """Given a seal, and a planned one that its sealer did not finish; when both it and what came since are sealed, then
    each of the two seals asks only for what the one before it did not hold."""
    house.record("7001", 3)
    house.seal()
    house.record("7002", 3)
    assert die(house, 3) == (-9, "before add_parts")
    house.record("7003", 3)
    rows: Any = Asked(house.rows)
    made = seal(rows, ORIGIN, house.signer, lambda: house.now)
    assert (made.number, made.events) == (3, 9)
    assert rows.after == [unpacked_heads(each.heads) for each in house.rows.seals()[:2]]
    assert verify(house.url, processes=1).findings == []
