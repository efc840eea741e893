"""The books in plain text: every movement a balanced transaction, for hledger or beancount to add up by themselves.

At the end of each account stands what its state comes to, as a balance that the reader asserts. Movements and states
are two ways through one history: a journal that does not check shows a fault.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol, get_args

from commands.answers import When, asked, day_of, stood
from ledger import events as e
from ledger import moments
from ledger.account import Account
from ledger.calendar import ONE_DAY
from ledger.history import History
from ledger.money import money
from ledger.movements import Book, Movement, movements

Format = Literal["hledger", "beancount"]
"""The programs that a journal is written for."""


class Name(NamedTuple):
    """An account of the journal: its place among the others, and the customer account where it is kept for one."""

    place: str
    of: str | None = None


Posting = tuple[Name, int]
"""So many cents, a debit if over zero."""


class Entry(NamedTuple):
    """One movement of a customer account as a transaction; its postings add up to nothing."""

    account: str
    step: Movement
    postings: list[Posting]

    @property
    def title(self) -> str:
        """Kind and reference, in words."""
        step = self.step
        book = "" if step.book == "balance" else f"{step.book} "
        kind = f"{book}{step.kind}".replace("_", " ").replace("commission", "Commission")
        return f"{kind} {self.reference}" if self.reference else kind

    @property
    def reference(self) -> str | None:
        """The id of what the entry is about; the reason of an adjustment is free text, and stays in the ledger."""
        return None if self.step.kind == "adjustment" else self.step.reference


HELD: dict[Book, tuple[str, int]] = {
    "balance": ("assets:receivable", 1),
    "deposit": ("liabilities:deposits", -1),
    "commission_deposit": ("equity:memo:commission", 1),
}
"""The place of each book of a customer account, and whether its growth is a debit (1) or a credit (-1)."""

BILLS, CORRECTIONS = "revenue:bills", "revenue:bill-corrections"
COUNTERS: dict[str, str] = {
    "adjustment": "revenue:adjustments",
    "payment_transfer": "assets:transfers",
    "dispute_credit": "revenue:dispute-credits",
    "commission_disbursement": "assets:cash:commission",
    "received": "assets:cash:deposits",
    "refunded": "assets:cash:deposits",
    "interest": "expenses:deposit-interest",
    "deposited": "equity:memo:counter",
    "to_utility": "equity:memo:counter",
    "to_customer": "equity:memo:counter",
}
"""The place that stands against a movement whose kind alone decides it."""


def _cash(channel: str) -> str:
    return f"assets:cash:{channel}"


def _lines(kind: str) -> str:
    return f"revenue:{kind}"


def _fees(kind: str) -> str:
    return f"revenue:fees:{kind.replace('_', '-')}"


SHARED = sorted(
    {BILLS, CORRECTIONS, *COUNTERS.values()}
    | {*map(_cash, get_args(e.Channel)), *map(_lines, get_args(e.LineKind)), *map(_fees, get_args(e.FeeKind))}
)
"""The places kept for no customer account in particular."""


def journal(form: Format, histories: Iterable[History], when: When, known_at: datetime | None = None) -> Iterator[str]:
    """The journal in pieces of text; holds one account at a time and passes over those not known at `known_at`."""
    when, writer = asked(when), WRITERS[form]()
    known = f", as known at {moments.shown(known_at)}" if known_at else ""
    yield f"; water-ledger: the books as of {moments.shown(when)}{known}\n{writer.preface}\n"
    for place in SHARED:
        yield writer.opened(Name(place))
    for history in histories:
        account = stood(history, when, known_at)
        if account is None:
            continue
        steps = list(movements(history.effective(history.known(known_at), when)))
        held = _held(account, steps)
        yield "\n"
        for name, _ in held:
            yield writer.opened(name)
        for entry in entries(account.id, steps):
            yield "\n" + writer.entry(entry)
        yield "\n" + writer.asserted(account.id, day_of(when), held)


def entries(account: str, steps: Iterable[Movement]) -> Iterator[Entry]:
    """The transactions of one account's movements."""
    counters = _Counters(account)
    for step in steps:
        if step.kind == "absorbed":
            continue  # it is the other side of deposit_absorbed
        place, sign = HELD[step.book]
        yield Entry(account, step, [(Name(place, account), sign * step.amount), *counters.against(step)])


class _Counters:
    """What was booked where, so that what is taken back is taken from there."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.bills: dict[str, Counter[str]] = {}
        self.fees: dict[str, str] = {}
        self.cash: dict[str, str] = {}

    def against(self, step: Movement) -> list[Posting]:
        """The postings that stand against a movement."""
        if step.kind == "deposit_absorbed":
            return [(Name(HELD["deposit"][0], self.account), -step.amount)]
        sign = HELD[step.book][1]
        return [(Name(place), -sign * amount) for place, amount in self._shares(step) if amount or not step.amount]

    def _shares(self, step: Movement) -> list[tuple[str, int]]:
        event, reference = step.event, step.reference or ""
        match step.kind:
            case "bill":
                assert isinstance(event, e.BillIssued)
                booked = self.bills[reference] = Counter()
                for line in event.lines:
                    booked[_lines(line.kind)] += line.amount
                if not event.lines:
                    booked[BILLS] = event.amount
                return list(booked.items())
            case "bill_correction":
                self.bills[reference][CORRECTIONS] += step.amount
                return [(CORRECTIONS, step.amount)]
            case "bill_void":
                return [(place, -amount) for place, amount in self.bills.pop(reference).items()]
            case "fee" | "fee_waiver":
                if isinstance(event, e.FeeCharged):
                    self.fees[reference] = _fees(event.kind)
                return [(self.fees[reference], step.amount)]
            case "payment" | "payment_return":
                if isinstance(event, e.PaymentReceived):
                    self.cash[reference] = _cash(event.channel)
                return [(self.cash[reference], step.amount)]
            case _:
                if isinstance(event, e.PaymentTransferredIn):
                    self.cash[reference] = _cash(event.channel)
                return [(COUNTERS[step.kind], step.amount)]


def _held(account: Account, steps: Iterable[Movement]) -> list[Posting]:
    """What the account's state says of each book that moved; what is owed is always said."""
    amounts: dict[Book, int] = {
        "balance": account.balance,
        "deposit": account.deposit,
        "commission_deposit": account.commission_deposit,
    }
    moved = {step.book for step in steps} | {"balance"}
    return [
        (Name(place, account.id), sign * amounts[book])
        for book, (place, sign) in HELD.items()
        if amounts[book] or book in moved
    ]


class Writer(Protocol):
    """How one program wants a journal written."""

    preface: str

    def opened(self, name: Name) -> str:
        """The line that makes an account known."""

    def entry(self, entry: Entry) -> str:
        """A transaction."""

    def asserted(self, account: str, on: date, held: list[Posting]) -> str:
        """What the balances of a customer account are at the end of `on`."""


class Hledger:
    """hledger takes every legal id as it is; memo accounts are virtual, so that --real leaves them out."""

    preface = "commodity 1000.00 USD"

    def opened(self, name: Name) -> str:
        return f"account {self._name(name)}\n"

    def entry(self, entry: Entry) -> str:
        step = entry.step
        tags = f"account:{entry.account}, version:{step.event.version}"
        if entry.reference:
            tags += f", reference:{entry.reference}"
        return f"{step.on} * {entry.title}  ; {tags}\n" + "".join(map(self._posting, entry.postings))

    def asserted(self, account: str, on: date, held: list[Posting]) -> str:
        lines = "".join(f"    {self._posted(name):<50}  0.00 USD = {money(amount)} USD\n" for name, amount in held)
        return f"{on} * balances  ; account:{account}\n{lines}"

    def _posting(self, posting: Posting) -> str:
        name, amount = posting
        return f"    {self._posted(name):<50}  {money(amount):>14} USD\n"

    def _posted(self, name: Name) -> str:
        return f"[{self._name(name)}]" if name.place.startswith("equity:memo:") else self._name(name)

    @staticmethod
    def _name(name: Name) -> str:
        return name.place if name.of is None else f"{name.place}:{name.of}"


class Beancount:
    """beancount wants capitals and no dot or underscore in an account's name: the id itself stands beside it."""

    preface = 'option "title" "water-ledger"\noption "operating_currency" "USD"'

    def opened(self, name: Name) -> str:
        beside = "" if name.of is None else f'  account: "{name.of}"\n'
        return f"{_FIRST_DAY} open {self._name(name)} USD\n{beside}"

    def entry(self, entry: Entry) -> str:
        step = entry.step
        tags = f'  account: "{entry.account}"\n  version: {step.event.version}\n'
        if entry.reference:
            tags += f'  reference: "{entry.reference}"\n'
        lines = (f"  {self._name(name):<52}  {money(amount):>14} USD\n" for name, amount in entry.postings)
        return f'{step.on} * "{entry.title}"\n{tags}' + "".join(lines)

    def asserted(self, account: str, on: date, held: list[Posting]) -> str:
        # A balance is that of the day's beginning, and without "~ 0.00" a cent more or less would pass.
        return "".join(
            f"{on + ONE_DAY} balance {self._name(name):<37}  {money(amount):>14} ~ 0.00 USD\n" for name, amount in held
        )

    @staticmethod
    def _name(name: Name) -> str:
        place = name.place.replace("revenue", "income", 1).title()
        return place if name.of is None else f"{place}:{component(name.of)}"


WRITERS: dict[Format, type[Writer]] = {"hledger": Hledger, "beancount": Beancount}
"""How each of the programs wants it."""

_FIRST_DAY = date(1900, 1, 1)
"""No entry is older, so no account is used before it was opened."""

_ESCAPES = str.maketrans({"-": "--", ".": "-D", "_": "-U"})


def component(account: str) -> str:
    """An id as part of a beancount account's name; no two ids give the same.

    "X-X" stands before what may not lead a name; in what follows "--" is a hyphen, "-D" a dot, "-U" an underscore.
    """
    escaped = account.translate(_ESCAPES)
    return escaped if escaped[0].isdigit() or escaped[0].isupper() else f"X-X{escaped}"
