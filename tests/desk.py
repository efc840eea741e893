"""A ledger in memory: the real desk, with keys that seal nothing; for tests that post thousands of commands."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

from commands.base import Command, read
from commands.catalogue import command_type
from ledger.application import publications
from ledger.calendar import PACIFIC
from ledger.events import UTILITY
from ledger.history import History
from ledger.policy.parameters import builtin_packs
from ledger.posting import Desk, Outcome, Stream
from ledger.store.codec import encode
from ledger.utility import Rules, Utility

START = datetime(2026, 1, 5, 9, 0, tzinfo=PACIFIC)


class OpenKeys:
    """Keys that seal nothing."""

    def seal(self, account: str, kind: str, field: str, text: str) -> str:
        return text

    def retire(self, account: str, kind: str) -> list[bytes]:
        return []

    def digest(self, content: bytes) -> bytes:
        return sha256(content).digest()


class MemoryLedger:
    """Posts commands one by one; what it holds can be read as histories."""

    def __init__(self, policy: str = "del-oro") -> None:
        seconds = count()
        self.desk = Desk(OpenKeys(), lambda: START + timedelta(seconds=next(seconds)), backfill=True)  # type: ignore[arg-type]
        packs = publications(builtin_packs(policy), START)
        self.desk.put(Stream(UTILITY, [encode(event) for event in packs]))

    def post(self, title: str, **fields: Any) -> Outcome:
        """Post one command; "7001" is the account unless another is named."""
        kind = command_type(title)
        record = fields if title.startswith(("office", "policy")) else {"account": "7001", **fields}
        return self.decide(read(kind, record))

    def decide(self, command: Command) -> Outcome:
        """Post a command that was read already."""
        for account in (command.account, *command.others()):
            if account not in self.desk.streams:
                self.desk.put(Stream(account, []))
        return self.desk.decide(command, self.desk.keys_of(command))[0]

    def post_all(self, records: Iterable[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        return [self.post(title, **fields) for title, fields in records]

    def history(self, account: str = "7001") -> History:
        return History(account, self.desk.streams[account].events)

    def rules(self, known_at: datetime | None = None) -> Rules:
        return Utility(self.desk.streams[UTILITY].events).rules(known_at)
