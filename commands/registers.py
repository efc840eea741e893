"""What the registers answer: every petition, appeal, arrangement, deposit, shutoff or notice, over all accounts.

A register is a projection's rows, with what is asked of a day or of the calendar beside them. Its columns say what of
it is money, here and in every way out.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from commands.answers import Answer, When, asked, cents_of, check_period
from commands.tables import Column, Page, Row, Table, day, source
from ledger.calendar import ONE_DAY, Calendar
from ledger.money import money
from ledger.movements import KINDS
from ledger.policy.parameters import Policies
from ledger.showing import plain
from projections.as_of import RowsAsOf

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Asking(NamedTuple):
    """What a register is asked for: what began from `first` to `last`, in one district, as of `on`."""

    on: date
    calendar: Calendar
    policies: Policies
    first: date | None = None
    last: date | None = None
    district: str | None = None


Beside = Callable[[Answer, Mapping[str, Sequence[Any]], Asking], Answer]
"""Gives what stands beside a row, which may depend on the account's other rows and on the day asked for."""
Totals = Callable[[Sequence[Answer], Sequence[Answer]], Answer]
"""Gives what a register comes to, from the rows of the period and those before it."""


class Register(NamedTuple):
    """The projections it reads, the field that says when a row began, its columns, what is added, what it comes to."""

    projections: tuple[str, ...]
    began: tuple[str, ...]
    columns: tuple[Column, ...]
    beside: Beside
    totals: Totals


def register(name: str, rows: RowsAsOf, asking: Asking, when: When, known_at: datetime | None = None) -> Answer:
    """A register as of a day or a moment; raises Refused for a period that ends before it begins."""
    check_period(asking.first, asking.last)
    chosen = REGISTERS[name]
    found, before = list[Answer](), list[Answer]()
    for account, kept in rows:
        about = kept["accounts"][0]
        if asking.district is not None and about.district != asking.district:
            continue
        for row in kept[chosen.projections[0]]:
            told = {"account": account, "district": about.district} | _told(row, chosen.columns)
            on = next(told[field] for field in chosen.began if told[field])[:10]
            if asking.last is None or on <= asking.last.isoformat():
                told |= chosen.beside(told, kept, asking)
                (before if asking.first and on < asking.first.isoformat() else found).append(told)
    when = asked(when)
    return {
        "register": name,
        **({"at": plain(when)} if isinstance(when, datetime) else {}),
        "on": plain(asking.on),
        "known_at": plain(known_at),
        "from": plain(asking.first),
        "to": plain(asking.last),
        **({"answered_from": "tables", "folded": rows.folded} if rows.kept else {"answered_from": "log"}),
        "rows": found,
        "totals": {"rows": len(found), "accounts": len({row["account"] for row in found})}
        | chosen.totals(found, before),
    }


def _told(row: Any, columns: Sequence[Column]) -> Answer:
    """A row as JSON has it: money as text."""
    cents = {column.name for column in columns if column.kind == "money"}
    values = ((name, getattr(row, name)) for name in row.__struct_fields__)
    return {name: money(value) if name in cents and value is not None else plain(value) for name, value in values}


def _sum(rows: Sequence[Answer], field: str) -> str:
    return money(sum(cents_of(row[field]) for row in rows))


def _dispute(row: Answer, kept: Mapping[str, Sequence[Any]], asking: Asking) -> Answer:
    filed, until = date.fromisoformat(row["filed_at"][:10]), row["answered_on"]
    return {
        "state": row["outcome"] or "open",
        "in_time": None if row["last_day"] is None else row["filed_at"][:10] <= row["last_day"],
        "waited_days": ((date.fromisoformat(until) if until else asking.on) - filed).days,
    }


def _appeal(row: Answer, kept: Mapping[str, Sequence[Any]], asking: Asking) -> Answer:
    state = "closed" if row["closed_on"] else "lapsed" if row["lapsed_on"] else "open"
    return {"state": state, "held": money(cents_of(row["deposited"]) - cents_of(row["disbursed"]))}


def _arrangement(row: Answer, kept: Mapping[str, Sequence[Any]], asking: Asking) -> Answer:
    missed = row["missed_from"]
    state = "requested"
    if row["agreed_on"]:
        state = "paid off" if missed is None else "missed" if missed <= asking.on.isoformat() else "kept"
    if state != "missed" and row["cancelled_on"]:
        state = "cancelled"
    elif state == "requested" and row["declined_on"]:
        state = "declined"
    parts = [_told(part, _INSTALLMENTS) for part in kept["installments"] if part.arrangement == row["arrangement"]]
    return {"state": state, "installments": [part | {"state": _paid(part, row, state, asking.on)} for part in parts]}


def _paid(part: Answer, row: Answer, state: str, on: date) -> str:
    """Whether an installment was paid in time or late, is missed or not due yet, or went with its arrangement."""
    if part["paid_on"]:
        return "paid" if part["paid_on"] <= part["last_day"] else "paid late"
    fell_away = row["cancelled_on"] and row["cancelled_on"] <= part["last_day"]
    if fell_away or state == "paid off":
        return "cancelled" if fell_away else state
    return "missed" if part["last_day"] < on.isoformat() else "due"


def _shutoff(row: Answer, kept: Mapping[str, Sequence[Any]], asking: Asking) -> Answer:
    off = datetime.fromisoformat(row["off_at"])
    mailed = date.fromisoformat(row["mailed_on"]) if row["mailed_on"] else None
    elapsed = (off.date() - mailed).days if mailed else None
    return {
        "weekday": _WEEKDAYS[off.weekday()],
        "days_elapsed": elapsed,
        "remarks": _remarks(row, off, elapsed, asking) if row["reason"] == "nonpayment" else [],
    }


def _remarks(row: Answer, off: datetime, elapsed: int | None, asking: Asking) -> list[str]:
    """What an auditor looks for: under the days to pay, on a Friday or a weekend, near a holiday, after hours."""
    calendar, on = asking.calendar, off.date()
    next_day = on + ONE_DAY
    days = asking.policies.on(on, row["district"]).find("days_to_pay", "days")
    under = row["service_class"] == "residential" and days is not None and elapsed is not None and elapsed <= days
    found = {
        f"under {days + 1} days" if under and days is not None else "": under,
        _WEEKDAYS[on.weekday()]: on.weekday() >= _WEEKDAYS.index("Friday"),
        "holiday": bool(calendar.holiday_at(off)),
        "before a holiday": bool(calendar.holiday(next_day) or calendar.closure(next_day)),
        "office closed": bool(calendar.closure(on)),
        "outside office hours": not calendar.office_open(off),
        "no notice": row["notice"] is None,
        "no contact": not row["contacts"],
    }
    return [remark for remark, true in found.items() if true]


def _nothing(row: Answer, kept: Mapping[str, Sequence[Any]], asking: Asking) -> Answer:
    return {}


def _states(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    states = sorted({row["state"] for row in found})
    return {state.replace(" ", "_"): sum(row["state"] == state for row in found) for state in states}


def _arrangements_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    # One that was paid off after a breach was breached all the same.
    return _states(found, before) | {"breached": sum(row["breached_on"] is not None for row in found)}


def _appeals_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    return _states(found, before) | {field: _sum(found, field) for field in ("deposited", "disbursed", "held")}


def _disputes_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    return _states(found, before) | {field: _sum(found, field) for field in ("disputed_amount", "credit")}


def _deposits_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    kinds = {kind: _sum([row for row in found if row["kind"] == kind], "amount") for kind in KINDS["deposit"]}
    return {"opening": _sum(before, "amount"), **kinds, "closing": _sum([*before, *found], "amount")}


def _shutoffs_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    return {
        "nonpayment": sum(row["reason"] == "nonpayment" for row in found),
        "with_remarks": sum(bool(row["remarks"]) for row in found),
        "flagged": sum(bool(row["flags"]) for row in found),
        "wrongful": sum(row["wrongful_on"] is not None for row in found),
        "reconnected": sum(row["on_at"] is not None for row in found),
    }


def _notices_total(found: Sequence[Answer], before: Sequence[Answer]) -> Answer:
    kinds = sorted({row["kind"] for row in found})
    counted = {kind: sum(row["kind"] == kind for row in found) for kind in kinds}
    return counted | {"returned": sum(row["returned_on"] is not None for row in found)}


def _both(first: str, second: str) -> Callable[[Row], str]:
    """A day or a moment and what is said with it, in one cell of two lines."""

    def told(row: Row) -> str:
        on, at = f"{row[first] or ''}T".split("T")[:2]
        beside = at[:5] if first == second else row[second]
        lines = (day(on) if on else "", str(beside or "").replace("_", " "))
        return "\n".join(filter(None, lines)) or "–"

    return told


def _bill(row: Row) -> str:
    return f"{row['bill']}\nmailed {day(row['mailed_on'])}"


def _in_time(row: Row) -> str:
    presumed = ", presumed" if row["presumed"] else ""
    received = f"\n(received {day(row['received_on'])}{presumed})" if row["received_on"] else ""
    return day(row["last_day"]) + received


def _off(row: Row) -> str:
    return f"{row['weekday'][:3]} {_both('off_at', 'off_at')(row)}"


def _mailed(row: Row) -> str:
    return day(row["mailed_on"]) + (f"\nday {row['days_elapsed']}" if row["mailed_on"] else "")


def _asked(row: Row) -> str:
    asked = f"asked {day(row['requested_at'][:10])}" if row["requested_at"] else ""
    agreed = f"agreed {day(row['agreed_on'])}" if row["agreed_on"] else ""
    return "\n".join(filter(None, (asked, agreed)))


def _kind(row: Row) -> str:
    return f"{row['kind']}\nto {day(row['last_due_on'])}" if row["agreed_on"] else "–"


def _missed(row: Row) -> str:
    return _both("missed_from", "state")(row) if row["state"] == "missed" else str(row["state"])


def _installment(part: Row) -> str:
    late = f" paid {part['paid_on']}" if part["state"] == "paid late" else ""
    return f"{part['due_on']} {part['amount']}{late}"


def _hidden(*names: str) -> tuple[Column, ...]:
    """Columns for files: the kind follows from the name."""
    endings = {"_on": "day", "_by": "day", "_after": "day", "_from": "day", "_at": "when", "_amount": "money"}
    kinds = {"approved_by": "text"} | dict.fromkeys(("version", "contacts", "waited_days"), "integer")
    kinds |= dict.fromkeys(("past_due", "credit", "disbursed"), "money")
    kinds |= dict.fromkeys(("presumed", "in_time", "beyond_means", "inability_shown"), "boolean")
    found: list[Column] = []
    for name in names:
        kind: Any = kinds.get(name) or next((kind for end, kind in endings.items() if name.endswith(end)), "word")
        found.append(Column(name, kind, None))
    return tuple(found)


_ACCOUNT = (Column("account", wraps=True), Column("district", heading=None))
_DISPUTES = (
    *_ACCOUNT,
    Column("dispute", wraps=True),
    Column("filed_at", "when", "filed", told=_both("filed_at", "filed_at")),
    Column("last_day", "day", "in time until", wraps=True, told=_in_time),
    Column("bill", wraps=True, told=_bill),
    Column("disputed_amount", "money", "disputed"),
    Column("state", "word", told=_both("answered_on", "state")),
    Column("credit", "money"),
    *_hidden("bill_amount", "mailed_on", "received_on", "presumed", "in_time", "waited_days", "ground", "role"),
    *_hidden("channel", "beyond_means", "answered_on", "outcome", "language", "version"),
)
_APPEALS = (
    *_ACCOUNT,
    Column("appeal", wraps=True),
    Column("filed_on", "day", "filed"),
    Column("forum", "word"),
    Column("dispute", wraps=True),
    Column("needed", "money"),
    Column("deposited", "money"),
    Column("held", "money"),
    Column("state", "word"),
    Column("outcome", wraps=True),
    *_hidden("bill", "disputed_amount", "disbursed", "lapsed_on", "closed_on", "version"),
)
_ARRANGEMENTS = (
    *_ACCOUNT,
    Column("arrangement", wraps=True),
    Column("requested_at", "when", "asked and agreed", told=_asked),
    Column("agreed_on", "day", None),
    Column("kind", "word", told=_kind),
    Column("amount", "money"),
    Column("state", "word", told=_missed),
    Column("reason", wraps=True),
    *_hidden("last_due_on", "basis", "channel", "declined_on", "breached_on", "cancelled_on", "missed_from"),
    Column("installments", heading=None),
)
_INSTALLMENTS = (
    Column("account"),
    Column("arrangement"),
    Column("n", "integer"),
    Column("due_on", "day"),
    Column("last_day", "day"),
    Column("amount", "money"),
    Column("paid_on", "day", "paid by"),
    Column("state", "word"),
)
_DEPOSITS = (
    *_ACCOUNT,
    Column("n", "integer", None),
    Column("on_day", "day", "on"),
    Column("deposit", wraps=True),
    Column("kind", "word"),
    Column("amount", "money"),
    Column("held", "money"),
    *_hidden("version"),
)
_SHUTOFFS = (
    *_ACCOUNT,
    Column("off_at", "when", "off", told=_off),
    Column("reason", "word", None),
    Column("mailed_on", "day", "bill mailed", told=_mailed),
    Column("days_elapsed", "integer", None),
    Column("notice_served_on", "day", "notice", told=_both("notice_served_on", "notice_method")),
    Column("contact_at", "when", "contact", told=_both("contact_at", "contact_outcome")),
    Column("on_at", "when", "on again", told=_both("on_at", "on_at")),
    Column("remarks", "list", wraps=True, told=lambda row: ", ".join(_all_remarks(row))),
    *_hidden("weekday", "service_class", "bill", "past_due", "notice", "notice_kind", "notice_method", "contacts"),
    *_hidden("contact_method", "contact_outcome", "authorized_at", "override_reason", "approved_by", "inability_shown"),
    *_hidden("flags", "wrongful_on", "wrongful_reason", "version"),
)
_NOTICES = (
    *_ACCOUNT,
    Column("notice", wraps=True),
    Column("kind", "word"),
    Column("served_on", "day", "served", told=_both("served_on", "method")),
    Column("method", "word", None),
    Column("language", heading=None),
    Column("amount", "money"),
    Column("bills", wraps=True),
    Column("returned_on", "day", "returned"),
    *_hidden("act_by", "stale_after", "version"),
)


def _all_remarks(row: Mapping[str, Any]) -> list[str]:
    found = [*([] if row["reason"] == "nonpayment" else [row["reason"].replace("_", " ")]), *row["remarks"]]
    if row["flags"]:
        found.append(f"against {row['flags'].replace(' ', ', ')}")
    if row["override_reason"]:
        found.append(f"overridden by {row['approved_by']}: {row['override_reason']}")
    if row["wrongful_on"]:
        found.append(f"found wrongful {day(row['wrongful_on'])}: {row['wrongful_reason']}")
    return found


REGISTERS: dict[str, Register] = {
    "disputes": Register(("disputes",), ("filed_at",), _DISPUTES, _dispute, _disputes_total),
    "appeals": Register(("appeals",), ("filed_on",), _APPEALS, _appeal, _appeals_total),
    "arrangements": Register(
        ("arrangements", "installments"),
        ("requested_at", "agreed_on"),
        _ARRANGEMENTS,
        _arrangement,
        _arrangements_total,
    ),
    "deposits": Register(("deposits",), ("on_day",), _DEPOSITS, _nothing, _deposits_total),
    "shutoffs": Register(("shutoffs",), ("off_at",), _SHUTOFFS, _shutoff, _shutoffs_total),
    "notices": Register(("notices",), ("served_on",), _NOTICES, _nothing, _notices_total),
}
"""Every register by its name; a period takes in what began in it."""


def page(answer: Answer) -> Page:
    """A register as it is shown."""
    name = answer["register"]
    period = " ".join(f"{word} {day(answer[key])}" for key, word in (("from", "from"), ("to", "to")) if answer[key])
    title = f"Register of {name} on {day(answer.get('at') or answer['on'])}{', ' if period else ''}{period}"
    rows = answer["rows"]
    tables = [Table(name, REGISTERS[name].columns, rows, title)]
    if name == "arrangements":
        # In a file a row stands alone; a person reads the installments below.
        told = [row | {"installments": "; ".join(map(_installment, row["installments"]))} for row in rows]
        parts = [{"account": row["account"]} | part for row in rows for part in row["installments"]]
        tables = [
            tables[0]._replace(rows=told),
            Table("installments", _INSTALLMENTS, parts, "Installments", apart=not parts),
        ]
    totals = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in answer["totals"].items())
    return Page([], tables, ["", totals, *source(answer)[1:]])
