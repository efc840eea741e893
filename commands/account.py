"""Accounts: opened, closed, put right, classified, seen through a portal log-in."""

from collections.abc import Sequence
from datetime import date
from typing import Self

from msgspec.structs import replace

from commands.base import Command
from commands.checks import not_before
from commands.fields import Email, Text
from ledger.account import Account
from ledger.context import Context
from ledger.events import (
    AccountClassified,
    AccountClosed,
    AccountCorrected,
    AccountOpened,
    Billing,
    Dwelling,
    Event,
    Language,
    LoginLinked,
    LoginUnlinked,
    Occupancy,
    ServiceClass,
)
from ledger.refusal import Invalid


class OpenAccount(Command, frozen=True, kw_only=True, tag="account open"):
    """Begin service in a customer's name; everything else is recorded on an account that is open (DO-06)."""

    names = ("account",)
    example = (
        "--account 7001 --opened-on 2024-01-05 --name 'Sample Customer' --service-address '12 Example Lane, Magalia'"
    )

    opened_on: date
    name: Text
    service_address: Text
    service_class: ServiceClass = "residential"
    dwelling: Dwelling = "single_family"
    occupancy: Occupancy = "customer"
    billing: Billing = "monthly"
    district: Text | None = None
    language: Language = "en"
    mailing_address: Text | None = None
    billing_email: Email | None = None
    phone: Text | None = None
    low_income: bool = False

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [
            AccountOpened(
                opened_on=self.opened_on,
                name=self.name,
                service_address=self.service_address,
                service_class=self.service_class,
                dwelling=self.dwelling,
                occupancy=self.occupancy,
                billing=self.billing,
                district=self.district,
                language=self.language,
                mailing_address=self.mailing_address,
                billing_email=self.billing_email,
                phone=self.phone,
                low_income=self.low_income,
            )
        ]


class CloseAccount(Command, frozen=True, kw_only=True, tag="account close"):
    """End service in this name; what is owed stays owed and may be paid, only not online (CW-06, CW-07)."""

    names = ("account",)
    example = "--account 7001 --closed-on 2024-06-30 --reason 'moved away'"

    closed_on: date
    reason: Text | None = None

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _not_before_opening(account, self.closed_on)
        return [AccountClosed(closed_on=self.closed_on, reason=self.reason)]


class CorrectAccount(Command, frozen=True, kw_only=True, tag="account correct"):
    """Put right a name or a way to reach the customer, from today on; who owes does not change (CW-14)."""

    example = "--account 7001 --reason 'name misspelt' --name 'Anna Ruiz'"

    reason: Text
    name: Text | None = None
    service_address: Text | None = None
    mailing_address: Text | None = None
    billing_email: Email | None = None
    phone: Text | None = None
    language: Language | None = None

    def check(self) -> None:
        _something(self, "name", "service_address", "mailing_address", "billing_email", "phone", "language")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [
            AccountCorrected(
                on=context.today,
                reason=self.reason,
                name=self.name,
                service_address=self.service_address,
                mailing_address=self.mailing_address,
                billing_email=self.billing_email,
                phone=self.phone,
                language=self.language,
            )
        ]


class ClassifyAccount(Command, frozen=True, kw_only=True, tag="account classify"):
    """Say what the service is from a day on; which rules apply follows from it (DO-06)."""

    example = "--account 7001 --effective-on 2024-03-01 --occupancy tenants_metered"

    effective_on: date
    service_class: ServiceClass | None = None
    dwelling: Dwelling | None = None
    occupancy: Occupancy | None = None
    billing: Billing | None = None
    low_income: bool | None = None

    def check(self) -> None:
        _something(self, "service_class", "dwelling", "occupancy", "billing", "low_income")

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        _not_before_opening(account, self.effective_on)
        return [
            AccountClassified(
                effective_on=self.effective_on,
                service_class=self.service_class,
                dwelling=self.dwelling,
                occupancy=self.occupancy,
                billing=self.billing,
                low_income=self.low_income,
            )
        ]


class LinkLogin(Command, frozen=True, kw_only=True, tag="account link"):
    """Let a portal log-in see this account, from today on; one log-in may see many accounts (CW-01).

    To link it again after an unlink, give an `id`: without one the same command is a duplicate.
    """

    example = "--account 7001 --login customer@example.com --nickname 'the cabin'"

    login: Email
    nickname: Text | None = None

    def normal(self) -> Self:
        return replace(self, login=self.login.lower())

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [LoginLinked(on=context.today, login=self.login, nickname=self.nickname)]


class UnlinkLogin(Command, frozen=True, kw_only=True, tag="account unlink"):
    """No longer let a portal log-in see this account, from today on (CW-01).

    To unlink it a second time, give an `id`.
    """

    example = "--account 7001 --login customer@example.com"

    login: Email
    nickname: Text | None = None

    def normal(self) -> Self:
        return replace(self, login=self.login.lower())

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        return [LoginUnlinked(on=context.today, login=self.login, nickname=self.nickname)]


def _something(command: Command, *fields: str) -> None:
    if all(getattr(command, field) is None for field in fields):
        raise Invalid("missing_field", f"'{command.title()}' needs one of {', '.join(fields)}", fields[0])


def _not_before_opening(account: Account, on: date) -> None:
    if account.opened is not None:
        not_before("account", account.id, account.opened.opened_on, on)
