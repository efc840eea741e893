"""The customer portal: log-ins (CW-01, CW-02, CW-03), what a representative does (CW-04), autopay (CW-05, CW-08),
paying online and otherwise (CW-06, CW-07), two years of usage and its export (CW-09, CW-12), suggestions (CW-13), names
put right (CW-14).
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from commands import answers, outputs, tables
from commands.base import read
from commands.catalogue import command_type
from ledger import events as e
from ledger.application import Ledger, create
from ledger.calendar import PACIFIC
from ledger.posting import Outcome
from ledger.refusal import Invalid
from tests.desk import MemoryLedger

NOW = datetime(2024, 6, 3, 9, 0, tzinfo=PACIFIC)
ONLINE = ["internet", "autopay"]
OTHERS = ["bank", "mail", "lockbox", "phone", "counter", "field", "agency"]


@pytest.fixture
def portal(sqlite_store_url: str) -> Iterator[Ledger]:
    """A ledger with its keys, and three accounts in it."""
    create(sqlite_store_url, lambda: NOW)
    with Ledger(sqlite_store_url, lambda: NOW) as ledger:
        for account in ("7001", "7010", "7020"):
            post(ledger, "account open", account=account, opened_on="2019-06-01", name="A", service_address="B")
        yield ledger


@pytest.fixture
def desk() -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.post("account open", opened_on="2019-06-01", name="Ana Lopes", service_address="1 Elm St")
    return ledger


def post(ledger: Ledger, title: str, **fields: str) -> Outcome:
    return ledger.post(read(command_type(title), {"account": "7001", **fields}))


def seen_by(ledger: Ledger, login: str) -> set[str]:
    """The accounts that a log-in sees, by the digest under which its address is looked up."""
    found = set()
    for account in ("7001", "7010", "7020"):
        for event in ledger.books.history(account).as_of().logins:
            if ledger.keys.lookup(ledger.books.opened(account, event).login) == ledger.keys.lookup(login):
                (found.add if isinstance(event, e.LoginLinked) else found.discard)(account)
    return found


def pay(channel: str, at: str, payment: str = "P-1", amount: str = "90.00") -> dict[str, str]:
    return {"payment": payment, "amount": amount, "received_at": at, "channel": channel}


def invalid(desk: MemoryLedger, title: str, **fields: str) -> tuple[str, str | None]:
    """The code and the field of a command that cannot be read."""
    with pytest.raises(Invalid) as error:
        desk.post(title, **fields)
    return error.value.code, error.value.field


def test_cw_01_one_log_in_sees_any_number_of_accounts_and_an_account_any_number_of_log_ins(portal):
    post(portal, "account link", account="7001", login="Owner@Example.com")
    post(portal, "account link", account="7010", login="owner@example.COM", nickname="the cabin")
    post(portal, "account link", account="7001", login="manager@example.com")
    assert seen_by(portal, "OWNER@example.com") == {"7001", "7010"}
    assert seen_by(portal, "manager@example.com") == {"7001"}
    assert seen_by(portal, "owners@example.com") == set()
    post(portal, "account unlink", account="7001", login="owner@example.com")
    assert seen_by(portal, "owner@example.com") == {"7010"}
    assert seen_by(portal, "manager@example.com") == {"7001"}


def test_cw_02_bills_go_to_an_address_of_their_own(desk):
    desk.post("account correct", reason="asked by phone", billing_email="bills@example.com")
    desk.post("account link", login="owner@example.com")
    corrected, linked = desk.history().events[1:]
    assert (corrected.billing_email, linked.login) == ("bills@example.com", "owner@example.com")
    two = invalid(desk, "account correct", reason="two", billing_email="a@example.com, b@example.com")
    assert two == ("invalid_value", "billing_email")


def test_cw_03_an_older_user_name_is_no_log_in_and_what_was_linked_stays_on_record(desk):
    assert invalid(desk, "account link", login="ana1987") == ("invalid_value", "login")
    desk.post("account link", login="ana@example.com", note="was ana1987")
    desk.post("account unlink", login="ana@example.com")
    assert desk.post("account link", login="ana@example.com").status == "duplicate"
    assert desk.post("account link", login="ana@example.com", id="again").status == "recorded"
    linked = desk.history().as_of().logins
    assert [(type(event).__name__, event.note) for event in linked] == [
        ("LoginLinked", "was ana1987"),
        ("LoginUnlinked", None),
        ("LoginLinked", None),
    ]


@pytest.mark.parametrize(
    ("title", "fields"),
    [
        ("account link", {"login": "ana@example.com"}),
        ("account unlink", {"login": "ana@example.com"}),
        ("account correct", {"reason": "asked by phone", "mailing_address": "Ana Lopes or Bo Li, PO Box 5"}),
    ],
)
def test_cw_04_what_a_representative_does_carries_their_name(desk, title, fields):
    desk.post(title, actor="representative 12", **fields)
    opened, done = answers.recorded(desk.history(), lambda event: event)
    assert (opened["actor"], done["actor"]) == (None, "representative 12")


def test_cw_05_autopay_is_the_account_s_and_is_not_copied_by_linking(desk):
    desk.post("account open", account="7010", opened_on="2019-06-01", name="Ana Lopes", service_address="2 Elm St")
    desk.post("autopay enroll", on="2024-02-01", method="bank")
    for account in ("7001", "7010"):
        desk.post("account link", account=account, login="ana@example.com")
    assert desk.history("7001").as_of(date(2024, 1, 31)).autopay is None
    assert desk.history("7001").as_of(date(2024, 2, 1)).autopay.method == "bank"
    assert desk.history("7010").as_of().autopay is None
    desk.post("autopay enroll", account="7010", on="2024-03-01", method="card")
    desk.post("autopay cancel", on="2024-04-01")
    assert desk.history("7001").as_of().autopay is None
    assert desk.history("7010").as_of().autopay.method == "card"


@pytest.mark.parametrize("channel", ONLINE)
def test_cw_06_an_online_payment_needs_an_active_account_whatever_it_owes(desk, channel):
    desk.post("account close", closed_on="2024-05-31")
    assert desk.post("payment receive", **pay(channel, "2024-05-30T23:59:59")).status == "recorded"
    for at in ("2024-05-31T00:00", "2024-06-01T00:00"):
        refused = desk.post("payment receive", **pay(channel, at, "P-2"))
        assert (refused.status, refused.error.code, refused.error.rules) == ("refused", "account_closed", ("CW-06",))


@pytest.mark.parametrize("channel", OTHERS)
def test_cw_07_a_closed_account_is_paid_any_other_way_and_its_balance_goes_on(desk, channel):
    desk.post("bill issue", bill="B-1", mailed_on="2024-05-20", amount="90.00", kind="closing")
    desk.post("account close", closed_on="2024-05-31")
    assert desk.post("payment receive", **pay(channel, "2024-06-14")).status == "recorded"
    history = desk.history()
    assert history.as_of(date(2024, 6, 13)).balance == 9000
    assert history.as_of(date(2024, 6, 14)).balance == (2000 if channel == "field" else 0)


@pytest.mark.parametrize("method", ["bank", "card", None])
def test_cw_08_autopay_is_set_up_in_one_step_and_moves_no_money(desk, method):
    desk.post("bill issue", bill="B-1", mailed_on="2024-05-20", amount="90.00")
    enrolled = desk.post("autopay enroll", on="2024-05-21", **({"method": method} if method else {}))
    assert enrolled.events == ("AutopayEnrolled",)
    account = desk.history().as_of()
    assert (account.autopay.method, account.balance, account.payments) == (method, 9000, {})
    assert invalid(desk, "autopay enroll", on="2024-05-21", method="cash") == ("invalid_value", "method")


@pytest.mark.parametrize(
    ("on", "first", "last"), [("2024-04-30", "2022-04", "2024-04"), ("2024-05-01", "2022-05", "2024-05")]
)
def test_cw_09_two_years_are_shown_and_all_is_kept(desk, on, first, last):
    desk.post("meter install", meter="M-1", on="2021-01-01")
    for n in range(1, 41):
        year, month = divmod(n, 12)
        desk.post("meter read", read_on=f"{2021 + year}-{month + 1:02}-01", reading=f"{n * 7}")
    usage = answers.usage(desk.history(), *desk.rules(), date.fromisoformat(on))
    shown = [month["month"] for month in usage["months"]]
    assert (len(shown), shown[0], shown[-1]) == (25, first, last)
    assert sum(event.type == "ReadTaken" for event in desk.history().events) == 40


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum"])
def test_cw_12_a_cell_that_a_spreadsheet_would_run_is_quoted(desk, text):
    desk.post("meter install", meter="M-1", on="2024-01-01")
    usage = answers.usage(desk.history(), *desk.rules(), date(2024, 3, 31)) | {"account": text}
    file = io.StringIO(newline="")
    outputs.write_csv(tables.page("usage", usage), file)
    header, *rows = csv.reader(file.getvalue().split("\r\n")[:-1])
    assert header[:3] == ["account", "unit", "month"]
    assert {row[0] for row in rows} == {f"'{text}"}
    assert rows[-1][2] == "2024-03"


def test_cw_13_using_more_water_brings_no_charge_and_no_flag(desk):
    desk.post("meter install", meter="M-1", on="2024-01-01", reading="0")
    for read_on, reading in (("2024-02-01", "7"), ("2024-03-01", "700")):
        taken = desk.post("meter read", read_on=read_on, reading=reading)
        assert (taken.events, taken.flags) == (("ReadTaken",), ())
    assert desk.history().as_of().balance == 0


def test_cw_14_a_corrected_name_keeps_the_old_one_and_what_is_owed(desk):
    desk.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    asked = desk.rules(), datetime(2024, 5, 23, 10, 0, tzinfo=PACIFIC)
    before = answers.explain(desk.history(), *asked[0], asked[1]), desk.history().as_of().balance
    desk.post("account correct", reason="misspelt", name="Ana Lopez")
    opened, _, corrected = desk.history().events
    assert (opened.name, corrected.name, corrected.reason) == ("Ana Lopes", "Ana Lopez", "misspelt")
    assert [event.type for event in desk.history().events] == ["AccountOpened", "BillIssued", "AccountCorrected"]
    assert (answers.explain(desk.history(), *asked[0], asked[1]), desk.history().as_of().balance) == before
