"""Campaign 16: every reader is fed things that are almost right; only declared errors come out."""

import io
import json
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from random import Random

import orjson

from commands import answers
from commands.base import Command
from commands.catalogue import command_type
from commands.feed import answer, parse
from ledger import moments
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.policy.pack import PackError, load_pack
from ledger.posting import Outcome
from ledger.refusal import Refused
from ledger.store.log import BadAddress
from ledger.store.open import open_log
from scripts.campaigns import fuzzing_proofs
from scripts.campaigns.run import Round
from scripts.simulation.scenarios import feeds
from tests.desk import MemoryLedger

ROOT = Path(__file__).parents[2]
EACH = 200
"""How many things a reader is fed in a round."""

_ODD = (
    "", "0", "-1", "1e999", "NaN", "null", "true", "[]", "{}", '""', "\\", '"', "\0", "\n", "\r\n", "\ufeff", "\ud7ff",
    "９", "１２.５０", "99999999.99", "100000000.00", "85.005", "9" * 400, "2024-02-30", "2024-02-29", "0001-01-01",
    "9999-12-31T23:59:59+14:00", "2024-03-10T02:30", "2024-11-03T01:30", "[" * 5000, '{"a":' * 5000, f"[{'9' * 5000}]",
    "🚱", "e\u0301",
    "--", "' OR 1=1", "=1+1", "../../etc", "%s%n", "{{7*7}}", "<script>", "T", "Z", "+00:00", ".", "_", "-",
)  # fmt: skip


def almost_right(round: Round) -> None:
    """Mutations of all that is read: refused in words, or taken, and nothing else."""
    _mutants(round)
    _odd_lives(round)


def _mutants(round: Round) -> None:
    for name, (good, reader) in READERS.items():
        samples = good()
        for _ in range(EACH if len(samples[0]) < 3000 else EACH // 10):
            mutant = _mutated(round.chance, round.chance.choice(samples))
            try:
                reader(mutant)
            except Exception as error:
                raise AssertionError(f"reader of {name}: {error!r} at {mutant[:2000]!r}") from error
            round.counts[name] += 1


def _odd_lives(round: Round) -> None:
    """A feed in which every few lines are almost right is decided to its end; each line gets one of four answers."""
    chance = round.chance
    lines = chance.choice(feeds()).read_bytes().splitlines()
    for _ in range(len(lines) // 3 + 1):
        at = chance.randrange(len(lines))
        kept = chance.random() < 0.3
        lines[at : at if kept else at + 1] = [_replaced(chance, lines[at], chance.choice(lines))]
    if chance.random() < 0.2:
        chance.shuffle(lines)
    ledger = MemoryLedger()
    for line in lines:
        for _, item in parse(io.BytesIO(line)):
            outcome = item if isinstance(item, Outcome) else _decided(ledger, item, line)
            assert orjson.loads(answer(1, outcome))["status"] in ("recorded", "duplicate", "refused", "invalid")
            round.counts[outcome.status] += 1
    for account, stream in ledger.desk.streams.items():
        if account != UTILITY and stream.events:
            _asked(ledger, account)


def _replaced(chance: Random, line: bytes, other: bytes) -> bytes:
    """The line with a value of another line in place of one of its own, or with something odd in it."""
    ours, theirs = orjson.loads(line), orjson.loads(other)
    name = chance.choice(list(ours))
    if chance.random() < 0.4:
        ours[name] = chance.choice([0, -5, 1.5, None, True, [], {}, *_ODD[:-30]])
    elif name in theirs:
        ours[name] = theirs[name]
    else:
        ours[chance.choice(list(theirs))] = ours.pop(name)
    return json.dumps(ours).encode()


def _decided(ledger: MemoryLedger, item: Command, line: bytes) -> Outcome:
    try:
        return ledger.decide(item)
    except Exception as error:
        raise AssertionError(f"deciding: {error!r} at {line[:2000]!r}") from error


def _asked(ledger: MemoryLedger, account: str) -> None:
    """Every question about the account has an answer, whatever was recorded."""
    history, rules = ledger.history(account), ledger.rules()
    for when in (datetime(2024, 5, 24, 10, tzinfo=PACIFIC), date(2021, 6, 1), date(2030, 1, 1)):
        for ask in (answers.status, answers.explain, answers.reconnection, answers.usage, answers.statement):
            with suppress(Refused):
                ask(history, *rules, when)


def _mutated(chance: Random, sample: bytes) -> bytes:
    """One to four changes: bits, bytes cut, doubled, swapped, or something odd put in; or the odd thing alone."""
    if chance.random() < 0.03:
        return chance.choice(_ODD).encode("utf-8", "surrogatepass")
    found = bytearray(sample)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        at, end = sorted(chance.randint(0, len(found)) for _ in range(2))
        match chance.randrange(6):
            case 0 if found:
                found[at % len(found)] ^= 1 << chance.randrange(8)
            case 1:
                del found[at : min(end, at + 40)]
            case 2:
                found[at:at] = found[at : min(end, at + 200)]
            case 3:
                found[at:at] = chance.choice(_ODD).encode("utf-8", "surrogatepass")
            case 4:
                found[at : min(end, at + 12)] = chance.choice(_ODD).encode("utf-8", "surrogatepass")
            case _:
                found[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(found)


def _feeds() -> Sequence[bytes]:
    lines = [line for path in feeds() for line in path.read_bytes().splitlines(keepends=True)]
    commands = {orjson.loads(line).get("command"): line for line in lines}
    return [*commands.values(), *lines[::20]]


def _read_feed(mutant: bytes) -> None:
    for line, item in parse(io.BytesIO(mutant)):
        if isinstance(item, Outcome):
            assert item.error is not None
            said = orjson.loads(answer(line, item))
            assert said["status"] == "invalid", said
            assert said["error"]["message"], said
        else:
            assert command_type(type(item).title()) is type(item)
            assert item.content() == item.content()


def _packs() -> Sequence[bytes]:
    folder = ROOT / "ledger" / "policy" / "packs"
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _read_pack(mutant: bytes) -> None:
    try:
        text = mutant.decode()
    except UnicodeDecodeError:
        return
    try:
        load_pack(text, "mutant.toml")
    except PackError as error:
        assert str(error).startswith("mutant.toml")
    else:
        tomllib.loads(text)


def _moments() -> Sequence[bytes]:
    return [b"2024-04-22T10:42-07:00", b"2024-04-22", b"2024-04-22T10:42", b"2024-11-03T01:30:00.123456Z"]


def _read_moment(mutant: bytes) -> None:
    text = mutant.decode("utf-8", "replace")
    for reader in (moments.moment, moments.day):
        try:
            reader(text)
        except ValueError as error:
            assert str(error)


def _addresses() -> Sequence[bytes]:
    return [
        b"sqlite:///folder/ledger.db?timeout=3",
        b"postgresql://clerk:w@127.0.0.1:1/ledger?schema=ledger",
        b"postgresql://[::1]:1/x",
    ]


def _read_address(mutant: bytes) -> None:
    try:
        open_log(mutant.decode("utf-8", "replace")).close()
    except (BadAddress, Refused) as error:
        assert ":w@" not in str(error), "a password is shown"


READERS: dict[str, tuple[Callable[[], Sequence[bytes]], Callable[[bytes], None]]] = {
    "feed lines": (_feeds, _read_feed),
    "policy packs": (_packs, _read_pack),
    "moments": (_moments, _read_moment),
    "addresses": (_addresses, _read_address),
    **fuzzing_proofs.READERS,
}
"""Each reader with good samples of what it reads."""
