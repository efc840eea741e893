"""The books of the whole utility: closed through a day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta

from commands.base import UtilityCommand
from ledger.account import Account
from ledger.calendar import ONE_DAY
from ledger.closing import Totals, next_period
from ledger.context import Context
from ledger.events import BooksClosed, Event, Position
from ledger.movements import movements
from ledger.refusal import Refused


class CloseBooks(UtilityCommand, frozen=True, kw_only=True, tag="books close"):
    """Close the books through a day: the control totals since the last close are recorded as they stand.

    An entry that comes later and takes effect in the closed period is recorded all the same, flagged late-entry, and
    listed by 'trial-balance --late'. What moves no money (a read, a notice) is no entry: no total says anything of it.
    """

    names = ("through",)
    example = "--through 2024-12-31"
    whole = True

    through: Annotated[date, Meta(description="The last day of the period that is closed.")]

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        since = next_period(context.history.events)
        if since and self.through < since:
            reason = f"the books are closed through {since - ONE_DAY} already; close them through a later day"
            raise Refused("books_closed", reason)
        if self.through > context.today:
            reason = f"{self.through} has not come yet; close the books through {context.today} at the latest"
            raise Refused("not_over", reason)
        totals, whole = Totals(since), context.whole()
        for history in whole.histories:
            happened = history.effective(history.events, self.through)
            totals.take(history.as_of(self.through), movements(happened))
        return [
            BooksClosed(
                through=self.through,
                since=since,
                accounts=totals.accounts,
                totals=tuple(totals.recorded()),
                positions=tuple(Position(*each) for each in sorted(whole.positions.items())),
            )
        ]
