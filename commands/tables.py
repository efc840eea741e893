"""The answers for a person: tables of at most 100 columns, money to the right, days as 22 May 2024.

On a terminal there is bold and colour; into a pipe or a file goes plain text.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Any

from commands.answers import Answer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 100

USAGE_COLUMNS = (
    "account", "unit", "month", "average_daily", "exact", "literal", "days", "covered_days", "state", "estimated",
    "flags",
)  # fmt: skip
"""The header of the usage export; columns may be added at the end, never moved (CW-12)."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_STYLES = {"blocks": "red", "avoids": "yellow", "unknown": "magenta", "permits": "green"}


def show(question: str, answer: Any, file: IO[str] | None = None) -> None:
    """Print an answer for a person, on standard output or into `file`; `question` is its name in the contract."""
    from rich.console import Console

    file = file or sys.stdout
    tty = file.isatty()
    page = file if tty else io.StringIO()
    console = Console(
        file=page, width=None if tty else WIDTH, no_color=not tty, highlight=False, emoji=False, markup=False
    )
    if console.width > WIDTH:
        console.width = WIDTH
    _SHOWN[question.replace("-", "_")](answer, console)
    if isinstance(page, io.StringIO):
        # Cells are filled up with blanks; in a file they would only be noise.
        file.writelines(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def usage_csv(answer: Answer, file: IO[str]) -> None:
    """Write average daily use as CSV (RFC 4180); open `file` with newline="" (CW-12)."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(USAGE_COLUMNS)
    for month in answer["months"]:
        row = month | {"account": answer["account"], "unit": answer["unit"], "flags": " ".join(month["flags"])}
        numbers = {"average_daily", "exact", "literal", "days", "covered_days"}
        writer.writerow([_cell(row[name], name in numbers) for name in USAGE_COLUMNS])


def _cell(value: object, number: bool) -> str:
    """A value as a spreadsheet may open it: text that would be run as a formula is quoted first."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if not number and text.startswith(_FORMULA) else text


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


def _table(console: "Console", columns: str, rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print rows under `columns`, separated by commas; ">" before a name sets it to the right, "*" lets it wrap."""
    from rich import box
    from rich.table import Table

    if title:
        console.print(title, style="bold")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns.split(","):
        name = column.lstrip(">*")
        wraps = "*" in column
        table.add_column(
            name, justify="right" if ">" in column else "left", no_wrap=not wraps, overflow="fold", ratio=None
        )
    _fill(table, rows)
    console.print()
    console.print(table)


def _fill(table: "Table", rows: Iterable[Sequence[object]]) -> None:
    from rich.text import Text

    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text("–" if cell is None else str(cell)) for cell in row))


def _lines(console: "Console", pairs: Iterable[tuple[str, object]]) -> None:
    pairs = list(pairs)
    wide = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        console.print(f"{name:<{wide}}  {value}", soft_wrap=False)


def _when(answer: Answer) -> str:
    return day(answer.get("at") or answer["on"])


def _amounts(console: "Console", answer: Answer) -> None:
    names = {
        "balance": "balance",
        "past_due": "past due",
        "credit": "credit",
        "deposit": "credit deposit",
        "commission_deposit": "held by the Commission",
        "disputed": "disputed",
    }
    _lines(console, [(name, f"{answer[key]:>14}") for key, name in names.items()])


def _balance(answer: Answer, console: "Console") -> None:
    console.print(f"Account {answer['account']} on {_when(answer)}")
    _amounts(console, answer)


def _status(answer: Answer, console: "Console") -> None:
    stage = answer["stage"].replace("_", " ")
    console.print(f"Account {answer['account']} on {_when(answer)}: {stage}, service {answer['service']}")
    _amounts(console, answer)
    if answer["bills"]:
        bills = [
            (
                bill["bill"] + (" (void)" if bill["voided_on"] else ""),
                day(bill["mailed_on"]),
                bill["amount"],
                bill["unpaid"],
                *(day(bill[key]) for key in ("past_due_from", "grace_until", "shutoff_from")),
            )
            for bill in answer["bills"]
        ]
        _table(console, "*bill,mailed,>amount,>unpaid,past due from,grace until,shutoff from", bills)
    for protection in answer["protections"]:
        since = f" since {day(protection['since'])}" if protection["since"] else ""
        console.print(f"protected by {protection['kind']}{since} ({', '.join(protection['rules'])})")


def _explain(answer: Answer, console: "Console") -> None:
    word = "may be discontinued" if answer["allowed"] else "may not be discontinued"
    console.print(f"Account {answer['account']} at {day(answer['at'])}: service {word} for nonpayment")
    layers = (f"{layer} {'allows' if allows else 'forbids'}" for layer, allows in answer["layers"].items())
    console.print("; ".join(layers))
    earliest = day(answer["earliest"]) if answer["earliest"] else "none within a year"
    console.print(f"first allowed, if nothing more happens: {earliest}")
    _verdicts(console, answer["rules"])


def _verdicts(console: "Console", rules: Iterable[Answer]) -> None:
    from rich.text import Text

    rows = [
        (r["rule"], r["layer"], Text(r["verdict"].replace("_", " "), _STYLES.get(r["verdict"], "")), r["because"])
        for r in rules
    ]
    if rows:
        _table(console, "rule,layer,verdict,*because", rows)


def _reconnection(answer: Answer, console: "Console") -> None:
    word = "may be restored" if answer["allowed"] else "may not be restored"
    console.print(f"Account {answer['account']} at {day(answer['at'])}: service {word}; {answer['because']}")
    names = {"amount_to_pay": "to pay first", "fee": "reconnection fee", "deposit_required": "deposit, at most"}
    _lines(console, [(name, f"{answer[key]:>14}") for key, name in names.items()])
    if answer["rules"]:
        _verdicts(console, answer["rules"])


def _usage(answer: Answer, console: "Console") -> None:
    unit = answer["unit"]
    console.print(f"Account {answer['account']} on {day(answer['on'])}: average daily use, {unit or 'not metered'}")
    rows = [
        (
            month["month"],
            month["average_daily"],
            month["exact"],
            f"{month['covered_days']}/{month['days']}",
            month["state"],
            ", ".join((["estimated"] if month["estimated"] else []) + month["flags"]).replace("_", " "),
        )
        for month in answer["months"]
    ]
    _table(console, "month,>average daily,>exact,>days covered,state,*remarks", rows)


def _statement(answer: Answer, console: "Console") -> None:
    console.print(f"Account {answer['account']}: statement to {day(answer['on'])}, balance {answer['balance']}")
    rows = [
        (day(line["on"]), line["kind"].replace("_", " "), line["reference"], line["amount"], line["balance"])
        for line in answer["lines"]
    ]
    _table(console, "on,kind,*reference,>amount,>balance", rows)


def _aging(answer: Answer, console: "Console") -> None:
    names = list(answer["totals"])
    rows = [[row["account"], *(row[name] for name in names)] for row in answer["rows"]]
    rows.append(["total", *(answer["totals"][name] for name in names)])
    heads = {"days_1_30": "1–30", "days_31_60": "31–60", "days_61_90": "61–90", "over_90": "over 90"}
    _table(
        console,
        ",".join(["*account", *(f">{heads.get(name, name)}" for name in names)]),
        rows,
        f"Receivables on {day(answer['on'])}, by days past due",
    )
    _source(answer, console)


def _trial_balance(answer: Answer, console: "Console") -> None:
    first = f"from {day(answer['from'])} " if answer["from"] else ""
    console.print(f"Control totals {first}to {day(answer['to'])}, {_count(answer['accounts'])}")
    names = {"balance": "receivables", "deposit": "credit deposits", "commission_deposit": "held by the Commission"}
    for key, name in names.items():
        book = answer[key]
        rows = [("opening", book["opening"])]
        rows += [(kind.replace("_", " "), amount) for kind, amount in book["movements"].items()]
        rows += [("closing", book["closing"]), ("difference", book["difference"])]
        _table(console, f"{name},>amount", rows)
    cutoff = answer.get("cutoff", {})
    titles = {"known_after": "In the period, known after it", "known_within": "Known in the period, outside it"}
    for key in cutoff:
        _entries(console, cutoff[key]["rows"], "known from", "known_from", titles[key])
    if "late" in answer:
        closes = [
            (day(close["through"]), day(close["recorded_at"]), *(close["late"][book] for book in names))
            for close in answer["late"]["closes"]
        ]
        heads = ",".join(f">{name}" for name in names.values())
        console.print()
        _table(console, f"closed through,recorded,{heads}", closes, "Late in each closed period")
        _entries(console, answer["late"]["rows"], "recorded", "recorded_at", "Late entries")
    _source(answer, console)


def _entries(console: "Console", entries: Sequence[Answer], head: str, key: str, title: str) -> None:
    console.print()
    if not entries:
        console.print(f"{title}: none")
        return
    rows = [
        (e["account"], day(e["on"]), e["kind"].replace("_", " "), e["reference"], e["amount"], day(e[key]))
        for e in entries
    ]
    _table(console, f"*account,on,kind,*reference,>amount,{head}", rows, title)


def _source(answer: Answer, console: "Console") -> None:
    """Where the answer comes from, for whoever wonders how long it took."""
    if answer.get("answered_from") == "tables":
        folded = f"; {_count(answer['folded'])} folded from the log" if answer["folded"] else ""
        console.print(f"\nanswered from the tables{folded}", style="dim")
    elif "answered_from" in answer:
        console.print("\nfolded from the log", style="dim")


def _count(accounts: int) -> str:
    return f"{accounts:,} account{'' if accounts == 1 else 's'}"


def _accounts(answer: Answer, console: "Console") -> None:
    rows = [
        (
            row["account"],
            row["stage"].replace("_", " "),
            row["district"],
            row["past_due"],
            row["balance"],
            ", ".join(row["protections"]),
        )
        for row in answer["rows"]
    ]
    rows.append(("total", _count(answer["accounts"]), "", *(answer["totals"][n] for n in ("past_due", "balance")), ""))
    _table(
        console, "*account,stage,*district,>past due,>balance,*protected by", rows, f"Accounts on {day(answer['on'])}"
    )
    _source(answer, console)


def _worklist(answer: Answer, console: "Console") -> None:
    rows = [
        (
            row["account"],
            row["task"].replace("_", " "),
            day(row["by"]),
            row["reference"],
            row["amount"],
            row["because"],
        )
        for row in answer["rows"]
    ]
    _table(console, "*account,task,by,*about,>amount,*because", rows, f"To do on {day(answer['on'])}")
    _source(answer, console)


def _history(events: Any, console: "Console") -> None:
    rows = [
        (
            event["version"],
            day(event["effective"]),
            event["type"],
            "; ".join(f"{name} {_told(value)}" for name, value in _facts(event)),
            day(event["learned_at"] or event["recorded_at"]),
            " ".join(event.get("flags", [])),
        )
        for event in events
    ]
    _table(console, ">no,effective,*event,*facts,known from,*flags", rows)


def _facts(event: Answer) -> Iterator[tuple[str, Any]]:
    """What the event says beyond when it happened, which has a column of its own."""
    for name, value in event["data"].items():
        if value not in (None, [], "", event["effective"]):
            yield name, value


def _told(value: object) -> str:
    """A fact in one line; of a list only its length, because the facts in full are what --json is for."""
    return (
        f"({len(value)})" if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    )


def _rules(answer: Answer, console: "Console") -> None:
    rows = [
        (
            rule["rule"],
            rule["layer"],
            rule["state"].replace("_", " "),
            day(rule["since"]),
            ", ".join(f"{key} {value}" for key, value in rule["values"].items()),
            rule["cite"],
        )
        for rule in answer["rules"]
    ]
    district = f", {answer['district']}" if answer["district"] else ""
    _table(console, "rule,layer,state,since,*values,*source", rows, f"Rules on {day(answer['on'])}{district}")


_SHOWN: dict[str, Callable[[Any, Any], None]] = {
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
}
