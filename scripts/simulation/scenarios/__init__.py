"""The pack of rare cases: small feeds written by hand, listed in index.jsonl.

Each line of the index names a feed, its account, what it shows (`title`), what to ask of it (`ask`: a question of the
command line, its moments, and a part of the answer), and how many of its lines are answered with which status
(`answers`). `days` names the days a telling of it turns on. No line concerns the whole utility, so that any of the
feeds may be posted to any ledger of the del-oro policy.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from scripts.simulation.days import DAY

FOLDER = Path(__file__).parent


def index() -> list[dict[str, Any]]:
    """The cases in the order in which they are listed."""
    return [orjson.loads(line) for line in (FOLDER / "index.jsonl").read_bytes().splitlines()]


def feeds() -> list[Path]:
    """The feed of every case, by name."""
    return [path for path in sorted(FOLDER.glob("*.jsonl")) if path.name != "index.jsonl"]


def lines() -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Every line of every case with the minute it was learned and a number."""
    count = 0
    for case in index():
        for line in (FOLDER / case["feed"]).read_bytes().splitlines():
            record = orjson.loads(line)
            learned = datetime.fromisoformat(record["learned_at"])
            count += 1
            yield learned.toordinal() * DAY + learned.hour * 60 + learned.minute, count, record
