"""Bundles that hold and bundles that do not, with what a verifier has to say of each."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.integrity import forged_files, forged_histories, forged_spellings
from tests.integrity.bundle_drafts import BAD, GOOD, Case, Draft, good, written
from tests.integrity.made_log import HOUR, LIE, START, Json, MadeLog, SigningKey, moment

__all__ = ["Case", "cases", "forged_files", "forged_histories", "forged_spellings"]


def cases(seed: int, count: int) -> Iterator[Case]:
    """So many cases: every change in turn, each on another draft; then pairs of changes."""
    chance = random.Random(seed)
    logs = [MadeLog(seed=each, accounts=chance.choice([6, 9, 16]), seals=4) for each in range(8)]
    yield from lies()
    turn = [*GOOD, *BAD]
    for number in range(count):
        name = turn[number % len(turn)]
        draft = Draft(chance.choice(logs), chance)
        (GOOD | BAD)[name](draft)
        if number >= len(turn) and draft.raw is None and name in BAD and chance.random() < 0.3:
            other = chance.choice([each for each in BAD if each != name])
            try:
                BAD[other](draft)
            except (IndexError, KeyError, TypeError, ValueError, StopIteration):
                continue  # the first change took away what the second needs
            draft.names = None
            yield draft.case(f"{name} and {other}", False)
        else:
            yield draft.case(name, name in GOOD)


def lies() -> Iterator[Case]:
    """What a dishonest utility signs: every hash is right, and an event is not what it says it is."""

    def said(**other: Any) -> Callable[[Json], str]:
        return lambda event: json.dumps(event | other)

    yes = {"as it is": said(), "in another order": lambda event: json.dumps(dict(reversed(event.items())), indent=1)}
    no = {
        "another type": said(type="BillIssued"),
        "another version": said(version=LIE + 1),
        "true for one": said(version=True),
        "a text for a version": said(version=str(LIE)),
        "a fraction": lambda event: json.dumps(event).replace(f'"version": {LIE}', f'"version": {LIE}.0'),
        "no version": lambda event: json.dumps({k: v for k, v in event.items() if k != "version"}),
        "a key twice": lambda event: json.dumps(event).replace("{", '{"amount": 1, "amount": 2, ', 1),
        "no object": lambda event: json.dumps([event]),
        "no JSON": lambda event: json.dumps(event) + "}",
        "nothing": lambda event: "",
        "half a character": lambda event: json.dumps(event | {"note": "\ud800"}),
        "a number that readers round": lambda event: json.dumps(event | {"amount": 2**53 + 1}),
        "a nought below nought": lambda event: json.dumps(event).replace('"amount": -', '"other": -0, "amount": -'),
        "a huge number": lambda event: json.dumps(event | {"amount": 2**63}),
    }
    for title, lie in (yes | no).items():
        log = MadeLog(seed=5, lies={"7003": lie})
        raw = written(log.bundle(["7000", "7003"]))
        yield Case(f"lie: {title}", raw, [log.key.vkey], None, title in yes, None if title in yes else ("7003", LIE))
    times = {
        moment(START - 24 * HOUR): False,
        moment(START + 1000 * 24 * HOUR): False,
        "2024-02-30T10:00:00Z": False,
        "2024-01-10": False,
        "2024-01-10T24:00:00Z": False,
        "2024-01-10T10:00:60Z": False,
        "2024-01-10T10:00:00": False,
        "0000-01-10T10:00:00Z": False,
        "٢٠٢٤-01-10T10:00:00Z": False,
        "": False,
    }
    for at, holds in times.items():
        log = MadeLog(seed=5, lies={"7003": said(recorded_at=at)})
        raw = written(log.bundle(["7000", "7003"], dated=True))
        yield Case(f"recorded at {at!r}", raw, [log.key.vkey], None, holds, ("7003", LIE))
        yield Case(f"recorded at {at!r}, undated", written(log.bundle(["7003"])), [log.key.vkey], None, True)


@good
def as_made(draft: Draft) -> None:
    pass


@good
def since_its_own_note(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=None)
    draft.since = draft.bundle["note"]


@good
def spaced_out(draft: Draft) -> None:
    draft.raw = written(draft.bundle, indent=1, separators=(" ,\t", " :\r\n "))


@good
def escaped(draft: Draft) -> None:
    draft.raw = written(draft.bundle, ensure_ascii=True)


@good
def in_another_order(draft: Draft) -> None:
    draft.raw = written(draft.bundle, sort_keys=True)


@good
def without_keys(draft: Draft) -> None:
    for account in draft.bundle["accounts"]:
        account.pop("keys", None)


@good
def with_another_signer(draft: Draft) -> None:
    text = draft.bundle["note"].partition("\n\n")[0] + "\n"
    draft.bundle["note"] += SigningKey("witness.example/w", 9).line(text)


@good
def signed_twice(draft: Draft) -> None:
    draft.bundle["note"] += draft.bundle["note"].partition("\n\n")[2]


@good
def with_two_keys(draft: Draft) -> None:
    draft.keys.insert(0, SigningKey(draft.log.origin, 8).vkey)


@good
def of_an_older_seal(draft: Draft) -> None:
    draft.since = draft.log.seals[0].note
    draft.bundle = draft.log.bundle([draft.log.names[0]], seal=1, since=0, dated=draft.dated)


@good
def only_absent(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([], absent=["1", "zz"], since=draft.old)


@good
def of_every_account(draft: Draft) -> None:
    draft.bundle = draft.log.bundle(draft.log.names, since=draft.old, dated=draft.dated)
