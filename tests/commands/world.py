"""A world to decide commands in: records as a feed brings them, decided against the accounts they name; no store."""

from datetime import datetime
from typing import Any

import msgspec

from commands.base import Command, UtilityCommand, read
from commands.catalogue import command_type
from ledger.account import Account
from ledger.calendar import PACIFIC
from ledger.context import Context, On
from ledger.events import Event
from ledger.history import History
from ledger.policy.parameters import Policies
from ledger.refusal import Refused

NOW = datetime(2024, 12, 1, 9, 0, tzinfo=PACIFIC)


class World:
    """Some accounts under one policy; "7001" is open since 2019 unless the test opens it itself."""

    def __init__(self, policy: str = "del-oro", *, opened: bool = True) -> None:
        self.policies = Policies.builtin(policy)
        self.calendar = self.policies.calendar()
        self.events: dict[str, list[Event]] = {}
        if opened:
            self.given("account open", opened_on="2019-01-01", name="Sample Customer", service_address="1 Example Lane")

    def given(self, title: str, **fields: Any) -> "World":
        """The command is decided and what follows is recorded."""
        for decided in self._decide(command(title, **fields)):
            account, event = decided if isinstance(decided, On) else (fields.get("account", "7001"), decided)
            self.happened(event, account)
        return self

    def happened(self, event: Event, account: str = "7001") -> "World":
        """The event is recorded as it is."""
        events = self.events.setdefault(account, [])
        events.append(msgspec.structs.replace(event, version=len(events) + 1, recorded_at=NOW))
        return self

    def then(self, title: str, **fields: Any) -> list[Event | On]:
        """Exactly what the command would record."""
        return list(self._decide(command(title, **fields)))

    def refusal(self, title: str, **fields: Any) -> Refused:
        """What the command is refused with; it fails if it is not."""
        try:
            decided = self.then(title, **fields)
        except Refused as refusal:
            return refusal
        raise AssertionError(f"'{title}' was not refused: {decided}")

    def account(self, account: str = "7001") -> Account:
        """The account with all that was recorded."""
        return History(account, self.events[account]).as_of()

    def _decide(self, command: Command) -> Any:
        events = self.events.get(command.account, [])
        account = self.account(command.account) if events else Account(command.account)
        others = {name: self.account(name) for name in command.others() if name in self.events}
        context = Context(History(command.account, events), self.calendar, self.policies, NOW, others=others)
        return command.decide(account, context)


def command(title: str, **fields: Any) -> Command:
    """The command that a door builds of these fields, on account 7001 unless it or they say otherwise."""
    kind = command_type(title)
    return read(kind, fields if issubclass(kind, UtilityCommand) else {"account": "7001", **fields})
