"""Notices: served, and brought back by the post."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from msgspec import Meta

from commands.base import Command
from commands.checks import broken, missing, not_before
from commands.fields import Id, Money
from ledger.account import Account
from ledger.context import Context
from ledger.events import Event, Language, NoticeKind, NoticeMethod, NoticeReturned, NoticeServed
from ledger.refusal import Invalid


class ServeNotice(Command, frozen=True, kw_only=True, tag="notice serve"):
    """Record a written notice; it covers the bills past due on its day and none other (DO-13, DO-19, DO-20, DO-21)."""

    names = ("notice",)
    computed = ("language",)
    example = "--account 7001 --notice N-1 --kind discontinuance --on 2024-03-25 --method mail --act-by 2024-04-22"

    notice: Id
    kind: NoticeKind
    on: date
    method: NoticeMethod
    language: Annotated[Language | None, Meta(description="What it was written in; else the account's own.")] = None
    amount: Money | None = None
    act_by: date | None = None

    def check(self) -> None:
        if self.act_by is not None and self.act_by < self.on:
            raise Invalid("invalid_value", f"act_by: {self.act_by} is before the notice, of {self.on}", "act_by")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        ends_service = self.kind in ("discontinuance", "final")
        parameters = context.parameters(self.on, account)
        premature = ends_service and not context.as_of(self.on).past_due_bills(self.on)
        return [
            NoticeServed(
                notice=self.notice,
                kind=self.kind,
                on=self.on,
                method=self.method,
                language=self.language or account.language,
                amount=self.amount,
                act_by=self.act_by,
                policy_text=parameters.policy_text,
                flags=broken(parameters, "notice_given") if premature else (),
            )
        ]


class ReturnNotice(Command, frozen=True, kw_only=True, tag="notice return"):
    """Record that the post brought a notice back (HS-116908-A)."""

    names = ("notice",)
    example = "--account 7001 --notice N-1 --on 2024-04-02"

    notice: Id
    on: date

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        served = next((notice for notice in account.notices if notice.notice == self.notice), None)
        if served is None:
            raise missing("notice", self.notice, account)
        not_before("notice", self.notice, served.on, self.on)
        return [NoticeReturned(notice=self.notice, on=self.on)]
