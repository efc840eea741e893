"""The history of one account: what had happened by a day, as known at a moment."""

from collections.abc import Sequence
from datetime import date, datetime

from ledger.account import Account
from ledger.events import AccountOpened, Event
from ledger.evolve import fold, order
from ledger.refusal import Refused


class History:
    """An account's events in the order in which they were recorded, and the states they fold to.

    `as_of` takes the events known by `known_at` that had happened by `when`, in effective order, and folds them. A day
    means its end.
    """

    def __init__(self, account: str, events: Sequence[Event]) -> None:
        self.account = account
        self.events = events

    def as_of(self, when: date | datetime | None = None, known_at: datetime | None = None) -> Account:
        """The account as it stood at `when`, as known at `known_at`; raises Refused if it was not known then."""
        known = self.known(known_at)
        return fold(self.account, self.effective(known, when))

    def known(self, known_at: datetime | None = None) -> list[Event]:
        """The events known at a moment, inclusive, in the order recorded; raises Refused if the account was not yet."""
        known = [e for e in self.events if known_at is None or e.known_from <= known_at]
        if not any(isinstance(e, AccountOpened) for e in known):
            raise unknown_account(self.account, known_at if self.events else None)
        return known

    @staticmethod
    def effective(events: Sequence[Event], when: date | datetime | None = None) -> list[Event]:
        """Those of `events` that had happened by `when`, in effective order."""
        return sorted((e for e in events if when is None or happened(e, when)), key=order)


def happened(event: Event, when: date | datetime) -> bool:
    """Whether an event had happened by `when`: the end of a day, or a moment."""
    if isinstance(when, datetime):
        effective = event.effective
        return effective <= when if isinstance(effective, datetime) else effective <= when.date()
    return event.day <= when


def unknown_account(account: str, known_at: datetime | None = None, field: str = "account") -> Refused:
    """The refusal for an account that is not, or was not yet, in the ledger."""
    reason = f"account {account} is not in the ledger (open it with 'account open')"
    if known_at is not None:
        moment = known_at.isoformat(timespec="minutes")
        reason = f"account {account} was not known at {moment}; ask as known at a later moment"
    return Refused("unknown_account", reason, field=field)
