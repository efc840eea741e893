"""Campaign 18: the log that a release recorded replays to the same chains and answers for ever.

`python -m scripts.campaigns.golden` records the log of the version at hand, once: the file of a released version is
never written again. What rules say is compared by rule and verdict, not by its sentence, which may be put better.
"""

import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from commands import answers
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.history import History
from ledger.refusal import Refused
from ledger.store.codec import decode
from ledger.store.log import Entry, event_hash, genesis
from ledger.store.open import open_log
from ledger.utility import Rules, Utility
from scripts.campaigns.acting import START, Record, command, elsewhere, lives
from scripts.campaigns.run import Round

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "tests" / "golden" / "logs"
DAYS = [date(2021, 6, 1), date(2024, 5, 24), date(2024, 6, 10), date(2026, 10, 31)]
MOMENTS = [datetime(day.year, day.month, day.day, 10, tzinfo=PACIFIC) for day in DAYS]

Line = dict[str, Any]


def golden_logs(round: Round) -> None:
    """Every recorded log, put into a store of this version, has the chains and answers of the version it is of (P5)."""
    for path in sorted(LOGS.glob("*.jsonl")):
        beginning, *rows, expected = map(orjson.loads, path.read_bytes().splitlines())
        with closing(open_log(round.fresh())) as log:
            log.create(beginning["origin"], beginning["created_at"])
            log.append([Entry(*(row[name] for name in ("account", "version", "type")), _bytes(row)) for row in rows])
            told = said(log.origin, {account: log.states(account) for account in log.accounts()})
            kept = {row.hash.hex() for row in log.follow({}, len(rows) + 1)}
        assert kept == {row["hash"] for row in rows}, f"{path.name}: other hashes"
        for name, answer in expected.items():
            assert told[name] == answer, f"{path.name}: {_first_difference(name, told[name], answer)}"
        round.counts["events replayed"] += len(rows)
        round.counts["accounts"] += len(expected["heads"])


def said(origin: str, states: dict[str, list[bytes]]) -> Line:
    """The head of every account, and what it answers on fixed days: by account, question and day."""
    rules = Utility(decode(states[UTILITY])).rules()
    found: Line = {"heads": {}, "answers": {}}
    for account in sorted(states):
        previous, events = genesis(origin, account), decode(states[account])
        for event, state in zip(events, states[account], strict=True):
            previous = event_hash(previous, event.version, account, event.type, state)
        found["heads"][account] = [len(events), previous.hex()]
        if account != UTILITY:
            found["answers"][account] = _answers(History(account, events), rules)
    return found


def _answers(history: History, rules: Rules) -> Line:
    found: Line = {}
    for day, moment in zip(DAYS, MOMENTS, strict=True):
        found[day.isoformat()] = {
            "balance": _asked(lambda day=day: answers.balance(history, *rules, day)["balance"]),
            "statement": _asked(lambda day=day: _digest(answers.statement(history, *rules, day))),
            "usage": _asked(lambda day=day: _digest(answers.usage(history, *rules, day))),
            "explain": _asked(lambda at=moment: _verdicts(answers.explain(history, *rules, at))),
        }
    return found


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Refused as refused:
        return f"refused: {refused.code}"


def _verdicts(explained: Line) -> Line:
    rules = [(rule["rule"], rule["verdict"]) for rule in explained["rules"]]
    return {"allowed": explained["allowed"], "rules": _digest(rules)}


def _digest(answer: Any) -> str:
    return sha256(orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _bytes(row: Line) -> bytes:
    return str(row["state"]).encode()


def _first_difference(name: str, told: Line, answer: Line) -> str:
    account = next((each for each in answer if told.get(each) != answer[each]), "")
    return f"{name} of account {account}: {told.get(account)} instead of {answer.get(account)}"


def recorded() -> Iterator[bytes]:
    """The lines of this version's log: what it is, every row as it is stored, and what it answers."""
    now = [START + timedelta(days=300)]

    def clock() -> datetime:
        now[0] += timedelta(seconds=7)
        return now[0]

    with tempfile.TemporaryDirectory(prefix="water-ledger-golden-") as folder:
        url = f"sqlite:///{folder}/golden.db"
        create(url, clock, origin="golden.example/ledger")
        with Ledger(url, clock) as ledger:
            for outcome in ledger.post_all(map(command, _feed()), backfill=True, size=1):
                assert outcome.status in ("recorded", "duplicate", "refused"), outcome
            log = ledger.store
            yield orjson.dumps({"origin": log.origin, "created_at": log.meta("created_at"), "version": version()})
            for row in log.follow({}, 1_000_000):
                yield orjson.dumps(row._asdict() | {"state": row.state.decode(), "hash": row.hash.hex()})
            yield orjson.dumps(said(log.origin, {account: log.states(account) for account in log.accounts()}))


def version() -> str:
    """The version of the program at hand."""
    project: Line = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _feed() -> Sequence[Record]:
    """Every scenario in accounts of its own, and what none of them has."""
    found = [elsewhere(record, f"{number:02}") for number, life in enumerate(lives(), 1) for record in life]
    return [*found, *map(orjson.loads, (LOGS / "more.feed").read_bytes().splitlines())]


if __name__ == "__main__":
    LOGS.mkdir(exist_ok=True)
    place = LOGS / f"{version()}.jsonl"
    place.write_bytes(b"".join(line + b"\n" for line in recorded()))
    print(f"{place.relative_to(ROOT)}: {place.stat().st_size:,} bytes")
