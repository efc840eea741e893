"""The offices of the whole utility: closed on a day, open at hours."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta

from commands.base import UtilityCommand
from commands.fields import Clock, Text
from ledger.account import Account
from ledger.calendar import weekdays
from ledger.context import Context
from ledger.events import Event, OfficeClosed, OfficeHoursSet
from ledger.refusal import Invalid


class CloseOffice(UtilityCommand, frozen=True, kw_only=True, tag="office close"):
    """Declare the offices closed on a day: no shutoff that day, and no business day (DO-00, DO-36)."""

    example = "--on 2024-02-19 --reason 'Presidents Day'"

    on: date
    reason: Text

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [OfficeClosed(on=self.on, reason=self.reason)]


class SetOfficeHours(UtilityCommand, frozen=True, kw_only=True, tag="office hours"):
    """Declare the office hours from a day on: the opening minute is open, the closing minute is not (DO-36)."""

    example = "--effective-on 2024-01-02 --opens 08:00 --closes 17:00 --weekdays mon-fri"

    effective_on: date
    opens: Clock
    closes: Clock
    weekdays: Annotated[Text, Meta(description='Such as "mon-fri" or "mon,wed,fri".')] = "mon-fri"

    def check(self) -> None:
        if self.closes <= self.opens:
            raise Invalid("invalid_value", f"closes: {self.closes} is not after {self.opens}", "closes")
        try:
            kept = weekdays(self.weekdays)
        except ValueError as error:
            raise Invalid("invalid_value", f"weekdays: {error}", "weekdays") from None
        if not kept & weekdays("mon-fri"):
            reason = f"weekdays: {self.weekdays} leaves no business day in any week; name one of mon to fri"
            raise Invalid("invalid_value", reason, "weekdays")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [
            OfficeHoursSet(effective_on=self.effective_on, opens=self.opens, closes=self.closes, weekdays=self.weekdays)
        ]
