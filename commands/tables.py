"""What each question shows: its sentences, and its tables with their columns, defined once for every way out.

`commands.outputs` writes them: on a terminal, as CSV, as XLSX. A column has the name of the answer's field, which is
its heading in a file; on a terminal it may have another, or stay away.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from importlib import import_module
from typing import Any, Literal, NamedTuple

from commands.answers import Answer

Row = Mapping[str, Any]

Kind = Literal[
    "text",
    "word",
    "list",
    "verdict",
    "money",
    "integer",
    "number",
    "percent",
    "fraction",
    "day",
    "moment",
    "when",
    "boolean",
]
"""What a column holds. A word is one of a few, with `_` for a blank; a number has decimals; when: a day or a moment."""

NUMBERS: frozenset[Kind] = frozenset(("money", "integer", "number", "percent", "fraction"))
"""The kinds that stand to the right, and that no spreadsheet takes for a formula."""


class Column(NamedTuple):
    """One column; `heading` (None: not shown) and `told` are for a person, where name and value are not enough."""

    name: str
    kind: Kind = "text"
    heading: str | None = ""
    wraps: bool = False
    told: Callable[[Row], object] | None = None

    @property
    def shown_as(self) -> str:
        """The heading that a person sees."""
        return self.heading or self.name.replace("_", " ")


class Table(NamedTuple):
    """Rows under columns; `total` is a last line for a person, and one that is `apart` is for files only."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    title: str = ""
    total: Row | None = None
    apart: bool = False


class Page(NamedTuple):
    """What a question shows: sentences, tables, sentences. A CSV file holds the `listed` table and those like it."""

    before: Sequence[str]
    tables: Sequence[Table] = ()
    after: Sequence[str] = ()
    listed: int = 0


def page(question: str, answer: Any) -> Page:
    """What an answer shows; `question` is its name in the contract."""
    return _PAGES[question.replace("-", "_")](answer)


def day(text: str | None) -> str:
    """A day or a moment of an answer as it is read: "22 May 2024", "22 May 2024 10:42"."""
    if not text:
        return "–"
    if "T" not in text:
        return _said(date.fromisoformat(text))
    moment = datetime.fromisoformat(text)
    return f"{_said(moment)} {moment:%H:%M}"


def _said(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def aligned(pairs: Iterable[tuple[str, object]]) -> list[str]:
    """Names and values, one pair a line, the values under each other."""
    pairs = list(pairs)
    wide = max(len(name) for name, _ in pairs)
    return [f"{name:<{wide}}  {value}" for name, value in pairs]


def when_asked(answer: Answer) -> str:
    """As of when an answer is."""
    return day(answer.get("at") or answer["on"])


_AMOUNTS = (
    Column("balance", "money"),
    Column("past_due", "money"),
    Column("credit", "money"),
    Column("deposit", "money", "credit deposit"),
    Column("commission_deposit", "money", "held by the Commission"),
    Column("disputed", "money"),
)
_BALANCE = (Column("account"), Column("at", "moment"), Column("on", "day"), *_AMOUNTS)
_BILLS = (
    Column("account", heading=None),
    Column("bill", wraps=True, told=lambda bill: bill["bill"] + (" (void)" if bill["voided_on"] else "")),
    Column("kind", "word", None),
    Column("mailed_on", "day", "mailed"),
    Column("amount", "money"),
    Column("unpaid", "money"),
    Column("past_due_from", "day"),
    Column("grace_until", "day"),
    Column("shutoff_from", "day"),
    Column("voided_on", "day", None),
)
_RULES_ASKED = (
    Column("rule"),
    Column("layer"),
    Column("verdict", "verdict"),
    Column("because", wraps=True),
    Column("cite", heading=None),
    Column("since", "day", None),
)
_USAGE = (
    Column("account", heading=None),
    Column("unit", heading=None),
    Column("month"),
    Column("average_daily", "number"),
    Column("exact", "fraction"),
    Column("literal", "number", None),
    Column("days", "integer", None),
    Column("covered_days", "integer", "days covered", told=lambda month: f"{month['covered_days']}/{month['days']}"),
    Column("state", "word"),
    Column("estimated", "boolean", None),
    Column("flags", "list", "remarks", wraps=True, told=lambda month: ", ".join(remarks(month))),
)
"""Columns of the usage export may be added at the end, never moved (CW-12)."""
_STATEMENT = (
    Column("account", heading=None),
    Column("on", "when"),
    Column("recorded_at", "moment", None),
    Column("version", "integer", None),
    Column("kind", "word"),
    Column("reference", wraps=True),
    Column("amount", "money"),
    Column("balance", "money"),
)
_HISTORY = (
    Column("version", "integer", "no"),
    Column("effective", "when"),
    Column("type", heading="event", wraps=True),
    Column("facts", wraps=True),
    Column("known_from", "moment"),
    Column("recorded_at", "moment", None),
    Column("actor", heading=None),
    Column("source", heading=None),
    Column("flags", "list", wraps=True, told=lambda event: " ".join(event["flags"])),
)
AGES = {"days_1_30": "1–30", "days_31_60": "31–60", "days_61_90": "61–90", "over_90": "over 90"}
"""The headings of the ages of receivables that are not called by their names."""
_BOOKS = {"balance": "receivables", "deposit": "credit deposits", "commission_deposit": "held by the Commission"}
_CLOSES = (
    Column("through", "day", "closed through"),
    Column("recorded_at", "moment", "recorded"),
    *(Column(book, "money", name) for book, name in _BOOKS.items()),
)
_ACCOUNTS = (
    Column("account", wraps=True),
    Column("stage", "word"),
    Column("district", wraps=True),
    Column("past_due", "money"),
    Column("balance", "money"),
    Column("protections", "list", "protected by", wraps=True),
)
_WORKLIST = (
    Column("account", wraps=True),
    Column("task", "word"),
    Column("by", "day"),
    Column("reference", heading="about", wraps=True),
    Column("amount", "money"),
    Column("because", wraps=True),
)
_RULES = (
    Column("rule"),
    Column("layer"),
    Column("state", "word"),
    Column("since", "day"),
    Column("values", wraps=True),
    Column("cite", heading="source", wraps=True),
    Column("pack", heading=None),
)


def _amounts(answer: Answer) -> list[str]:
    return aligned((column.shown_as, f"{answer[column.name]:>14}") for column in _AMOUNTS)


def _balance(answer: Answer) -> Page:
    row = {"at": None, "on": None} | answer
    before = [f"Account {answer['account']} on {when_asked(answer)}", *_amounts(answer)]
    return Page(before, [Table("balance", _BALANCE, [row], apart=True)])


def _status(answer: Answer) -> Page:
    stage = answer["stage"].replace("_", " ")
    before = [f"Account {answer['account']} on {when_asked(answer)}: {stage}, service {answer['service']}"]
    after = []
    for protection in answer["protections"]:
        since = f" since {day(protection['since'])}" if protection["since"] else ""
        after.append(f"protected by {protection['kind']}{since} ({', '.join(protection['rules'])})")
    bills = Table("bills", _BILLS, _of_account(answer, "bills"), apart=not answer["bills"])
    return Page([*before, *_amounts(answer)], [bills], after)


def _explain(answer: Answer) -> Page:
    word = "may be discontinued" if answer["allowed"] else "may not be discontinued"
    layers = (f"{layer} {'allows' if allows else 'forbids'}" for layer, allows in answer["layers"].items())
    earliest = day(answer["earliest"]) if answer["earliest"] else "none within a year"
    before = [
        f"Account {answer['account']} at {day(answer['at'])}: service {word} for nonpayment",
        "; ".join(layers),
        f"first allowed, if nothing more happens: {earliest}",
    ]
    return Page(before, [_verdicts(answer)])


def _verdicts(answer: Answer) -> Table:
    return Table("rules", _RULES_ASKED, answer["rules"], apart=not answer["rules"])


def _reconnection(answer: Answer) -> Page:
    word = "may be restored" if answer["allowed"] else "may not be restored"
    names = {"amount_to_pay": "to pay first", "fee": "reconnection fee", "deposit_required": "deposit, at most"}
    before = [
        f"Account {answer['account']} at {day(answer['at'])}: service {word}; {answer['because']}",
        *aligned((name, f"{answer[key]:>14}") for key, name in names.items()),
    ]
    return Page(before, [_verdicts(answer)])


def _usage(answer: Answer) -> Page:
    unit = answer["unit"]
    title = f"Account {answer['account']} on {day(answer['on'])}: average daily use, {unit or 'not metered'}"
    rows = ({"unit": unit} | month for month in _of_account(answer, "months"))
    return Page([title], [Table("usage", _USAGE, rows)])


def remarks(month: Row) -> list[str]:
    """What is to be said of a month's use beside its state."""
    return [word.replace("_", " ") for word in (["estimated"] if month["estimated"] else []) + month["flags"]]


def _statement(answer: Answer) -> Page:
    title = f"Account {answer['account']}: statement to {day(answer['on'])}, balance {answer['balance']}"
    return Page([title], [Table("statement", _STATEMENT, _of_account(answer, "lines"))])


def _of_account(answer: Answer, part: str) -> Iterator[Answer]:
    return ({"account": answer["account"]} | row for row in answer[part])


def _aging(answer: Answer) -> Page:
    columns = [Column(name, "money", AGES.get(name, name)) for name in answer["totals"]]
    title = f"Receivables on {day(answer['on'])}, by days past due"
    total = {"account": "total"} | answer["totals"]
    table = Table("aging", [Column("account", wraps=True), *columns], answer["rows"], title, total)
    return Page([], [table], source(answer))


def _trial_balance(answer: Answer) -> Page:
    first = f"from {day(answer['from'])} " if answer["from"] else ""
    before = [f"Control totals {first}to {day(answer['to'])}, {_count(answer['accounts'])}"]
    tables = []
    for key, name in _BOOKS.items():
        book = answer[key]
        kinds = {"opening": book["opening"], **book["movements"]}
        kinds |= {"closing": book["closing"], "difference": book["difference"]}
        columns = (Column("book", heading=None), Column("kind", "word", name), Column("amount", "money"))
        rows = [{"book": key, "kind": kind, "amount": amount} for kind, amount in kinds.items()]
        tables.append(Table(key, columns, rows))
    titles = {"known_after": "In the period, known after it", "known_within": "Known in the period, outside it"}
    listed = len(tables) if "cutoff" in answer else 0
    for key, cut in answer.get("cutoff", {}).items():
        rows, entries = [{**row, "list": key} for row in cut["rows"]], _entries("known_from", "known from")
        tables.append(Table(key, (Column("list", "word", None), *entries), rows, titles[key]))
    if "late" in answer:
        closes = [{**close, **close["late"]} for close in answer["late"]["closes"]]
        tables.append(Table("closes", _CLOSES, closes, "Late in each closed period"))
        listed = len(tables)
        tables.append(Table("late", _entries("recorded_at", "recorded"), answer["late"]["rows"], "Late entries"))
    return Page(before, tables, source(answer), listed)


def _entries(known: str, heading: str) -> tuple[Column, ...]:
    """The columns of entries, with the moment that decides beside the day on which they take effect."""
    return (
        Column("account", wraps=True),
        Column("book", "word", None),
        Column("on", "day"),
        Column("kind", "word"),
        Column("reference", wraps=True),
        Column("amount", "money"),
        Column(known, "moment", heading),
        Column("version", "integer", None),
        Column("changes", "integer", None),
    )


def source(answer: Answer) -> list[str]:
    """Where the answer comes from, for whoever wonders how long it took."""
    if answer.get("answered_from") == "tables":
        folded = f"; {_count(answer['folded'])} folded from the log" if answer["folded"] else ""
        return ["", f"answered from the tables{folded}"]
    return ["", "folded from the log"] if "answered_from" in answer else []


def _count(accounts: int) -> str:
    return f"{accounts:,} account{'' if accounts == 1 else 's'}"


def _accounts(answer: Answer) -> Page:
    total = {"account": "total", "stage": _count(answer["accounts"]), **answer["totals"]}
    table = Table("accounts", _ACCOUNTS, answer["rows"], f"Accounts on {day(answer['on'])}", total)
    return Page([], [table], source(answer))


def _worklist(answer: Answer) -> Page:
    title = f"To do on {day(answer['on'])}"
    return Page([], [Table("worklist", _WORKLIST, answer["rows"], title)], source(answer))


def _history(events: Iterable[Answer]) -> Page:
    rows = (
        event
        | {
            "facts": "; ".join(f"{name} {_told(value)}" for name, value in _facts(event)),
            "known_from": event["learned_at"] or event["recorded_at"],
            "flags": event.get("flags", []),
        }
        for event in events
    )
    return Page([], [Table("history", _HISTORY, rows)])


def _facts(event: Answer) -> Iterator[tuple[str, Any]]:
    """What the event says beyond when it happened, which has a column of its own; and who says so."""
    for name, value in (event["data"] | {name: event.get(name) for name in ("actor", "source", "note")}).items():
        if value not in (None, [], "", event["effective"]):
            yield name, value


def _told(value: object) -> str:
    """A fact in one line; of a list only its length unless it is amounts: the facts in full are what --json is for."""
    if isinstance(value, list):
        amounts = all(isinstance(part, dict) and "amount" in part for part in value)
        return ", ".join(" ".join(map(str, part.values())) for part in value) if amounts else f"({len(value)})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rules(answer: Answer) -> Page:
    rows = (
        rule | {"values": ", ".join(f"{key} {value}" for key, value in rule["values"].items())}
        for rule in answer["rules"]
    )
    district = f", {answer['district']}" if answer["district"] else ""
    return Page([], [Table("rules", _RULES, rows, f"Rules on {day(answer['on'])}{district}")])


def _elsewhere(module: str, name: str) -> Callable[[Any], Page]:
    return lambda answer: getattr(import_module(module), name)(answer)


_PAGES: dict[str, Callable[[Any], Page]] = {
    "balance": _balance,
    "status": _status,
    "explain": _explain,
    "reconnection": _reconnection,
    "usage": _usage,
    "statement": _statement,
    "history": _history,
    "rules": _rules,
    "aging": _aging,
    "trial_balance": _trial_balance,
    "worklist": _worklist,
    "accounts": _accounts,
    "register": _elsewhere("commands.registers", "page"),
    "entries": _elsewhere("commands.entries", "page"),
    "unbilled": _elsewhere("commands.unbilled", "page"),
    "report": _elsewhere("commands.reports", "page"),
    "report_list": _elsewhere("commands.reports", "listed"),
}
