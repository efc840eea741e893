"""Accounts: opened, closed, put right, classified, linked."""

from datetime import date

import pytest

from commands.catalogue import command_type
from ledger.events import (
    AccountClassified,
    AccountClosed,
    AccountCorrected,
    AccountOpened,
    LoginLinked,
    LoginUnlinked,
)
from ledger.refusal import Invalid
from tests.commands.world import NOW, World, command


def test_an_account_opens_as_a_residential_one_unless_told_otherwise():
    then = World(opened=False).then(
        "account open", opened_on="2024-01-05", name="Sample Customer", service_address="12 Example Lane"
    )
    assert then == [
        AccountOpened(
            opened_on=date(2024, 1, 5),
            name="Sample Customer",
            service_address="12 Example Lane",
            service_class="residential",
            dwelling="single_family",
            occupancy="customer",
            billing="monthly",
            language="en",
            low_income=False,
        )
    ]


def test_an_account_opens_with_everything_that_was_said():
    said = {
        "name": "Bo Li",
        "service_address": "3 Elm",
        "service_class": "residential",
        "dwelling": "multifamily",
        "occupancy": "tenants_metered",
        "billing": "bimonthly",
        "district": "Pine Flat",
        "language": "zh",
        "mailing_address": "PO Box 5",
        "billing_email": "bo@example.com",
        "phone": "530 555 0100",
        "low_income": True,
    }
    then = World(opened=False).then("account open", opened_on="2024-01-05", **said)
    assert then == [AccountOpened(opened_on=date(2024, 1, 5), **said)]


@pytest.mark.parametrize("title", ["account open", "account close"])
def test_an_account_opens_once_and_closes_once(title):
    fields = {"opened_on": "2024-01-05", "name": "A", "service_address": "B"}
    fields = fields if title == "account open" else {"closed_on": "2024-06-30"}
    assert command(title, **fields).named() == f"{title}/7001/7001"


def test_an_account_closes_on_the_day_it_opened_but_not_before():
    world = World()
    assert world.then("account close", closed_on="2019-01-01", reason="a mistake") == [
        AccountClosed(closed_on=date(2019, 1, 1), reason="a mistake")
    ]
    refusal = world.refusal("account close", closed_on="2018-12-31")
    assert (refusal.code, refusal.message) == (
        "too_early",
        "account 7001 is of 2019-01-01, so this cannot be of 2018-12-31; correct the day",
    )


def test_a_correction_counts_from_the_day_it_is_known():
    then = World().then("account correct", reason="misspelt", name="Sample Customr", language="es")
    assert then == [AccountCorrected(on=NOW.date(), reason="misspelt", name="Sample Customr", language="es")]


@pytest.mark.parametrize(
    ("title", "fields", "first"),
    [
        ("account correct", {"reason": "none"}, "name"),
        ("account classify", {"effective_on": "2024-01-01"}, "service_class"),
    ],
)
def test_something_must_change(title, fields, first):
    with pytest.raises(Invalid, match=f"'{title}' needs one of {first}, ") as invalid:
        command(title, **fields)
    assert (invalid.value.code, invalid.value.field) == ("missing_field", first)


def test_an_account_is_classified_from_a_day_on():
    world = World()
    then = world.then("account classify", effective_on="2024-03-01", occupancy="tenants_metered", low_income=False)
    assert then == [AccountClassified(effective_on=date(2024, 3, 1), occupancy="tenants_metered", low_income=False)]
    assert world.refusal("account classify", effective_on="2018-12-31", dwelling="mobile_home").code == "too_early"


def test_cw_01_a_log_in_is_linked_and_unlinked_from_today_on():
    world = World()
    assert world.then("account link", login="customer@example.com", nickname="cabin") == [
        LoginLinked(on=NOW.date(), login="customer@example.com", nickname="cabin")
    ]
    assert world.then("account unlink", login="customer@example.com") == [
        LoginUnlinked(on=NOW.date(), login="customer@example.com")
    ]


@pytest.mark.parametrize("title", ["account link", "account unlink"])
def test_cw_01_a_log_in_is_an_e_mail_address_and_is_not_shown_back(title):
    with pytest.raises(Invalid, match=r"^login: this is not an e-mail address") as invalid:
        command(title, login="ana.example.com")
    assert "ana" not in invalid.value.message.replace("name@", "")


def test_what_names_nothing_is_the_same_only_if_every_field_agrees():
    for verb in ("correct", "classify", "link", "unlink"):
        assert command_type(f"account {verb}").names == ()
