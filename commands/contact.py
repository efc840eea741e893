"""Contacts: attempts to speak with an adult at the service."""

from collections.abc import Sequence

from commands.base import Command
from commands.fields import Moment
from ledger.account import Account
from ledger.context import Context
from ledger.events import ContactAttempted, ContactMethod, ContactOutcome, Event


class AttemptContact(Command, frozen=True, kw_only=True, tag="contact attempt"):
    """Record an attempt to reach the customer, whatever came of it (PUC-779.1-B, HS-116908-A)."""

    example = "--account 7001 --at 2024-04-19T10:15 --method phone --outcome reached"

    at: Moment
    method: ContactMethod
    outcome: ContactOutcome

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [ContactAttempted(at=self.at, method=self.method, outcome=self.outcome)]
