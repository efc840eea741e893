"""What a policy pack may say: the rule functions, the values each takes, and the check of a file against them.

An unknown key, a missing id, a fraction, versions out of order are refused with the file, the key and the reason.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args

from ledger.calendar import WEEKDAYS, Holiday, weekdays
from ledger.events import Language, Layer
from ledger.money import MOST

Effect = Literal["promised_more", "promised_less", "trivial"]
T = TypeVar("T")

# What each function takes: whole numbers unless another type stands behind the colon; "?" where it may be left out. The
# order is the catalogue's, in which explanations list the rules.
_POLICY = {
    "office_closure": "",
    "due_on_presentation": "",
    "days_until_past_due": "days",
    "pay_in_full": "",
    "days_to_pay": "days",
    "information_line": "phone:text",
    "residential_service": "",
    "arrangement_request": "phone:text?",
    "deferred_payment": "max_days?",
    "reduced_payment": "months",
    "alternative_schedule": "",
    "arrangement_shields": "",
    "kept_current": "",
    "breach_notice": "business_days",
    "no_second_chance": "",
    "health_exception": "",
    "health_certification": "",
    "health_inability": "",
    "health_willingness": "months",
    "notice_given": "stale_after_days",
    "notice_period": "mail posted hand tenants_metered tenants_master_metered nonresidential",
    "occupants_informed": "",
    "petition_right": "phone:text? adult_age",
    "petition_in_time": "days mail_presumption_days",
    "petition_beyond_means": "",
    "appeal_right": "",
    "appeal_deposit": "percent",
    "appeal_channels": "online:text phone:text address:text?",
    "appeal_procedure": "",
    "appeal_pending": "",
    "nonpayment_only": "",
    "ground": "",
    "deposit_absorbed_first": "",
    "not_saturday": "",
    "not_sunday": "",
    "not_holiday": "",
    "office_open": "opens:time closes:time weekdays:text",
    "avoid_friday": "",
    "avoid_day_before_holiday": "",
    "full_payment_restores": "",
    "reconnection_fee": "amount",
    "after_hours_reconnection_fee": "amount",
    "reestablishment_deposit": "factor months",
    "internet_posting": "hours hold_business_days",
    "report_payment": "",
    "field_collection_fee": "amount",
    "fee_late": "amount",
    "fee_returned_payment": "amount",
    "portal_login": "",
    "billing_email": "",
    "legacy_logins": "",
    "representative_actions": "",
    "autopay_per_account": "",
    "online_needs_active_account": "",
    "closed_account_payment": "",
    "autopay_enrolment": "",
    "usage_history": "months",
    "daily_average": "",
    "monthly_average": "",
    "usage_export": "",
    "saving_suggestions": "",
    "name_correction": "",
}
_STATUTE = {
    "sb998_delinquency": "days contact_business_days",
    "sb998_appeal": "",
    "sb998_health": "days business_days",
    "sb998_fee_caps": "regular after_hours",
    "sb998_tenants": "days",
    "tenants_individually_metered": "days",
    "tenants_master_metered": "days",
    "investigation_pending": "",
    "request_pending": "",
    "statutory_notice": "days_to_pay notice_days mail_days",
    "contact_before_shutoff": "contact_hours notice_hours",
    "closed_days": "",
    "roll_forward": "",
    "business_days": "clear_days",
}
_ORDERS = {"moratorium": "residential_only:flag"}

_TYPES: dict[str, type] = {"": int, "text": str, "time": time, "flag": bool}
_WORDS = {
    int: "a whole number",
    str: "text",
    time: "a time of day such as 08:00:00",
    bool: "true or false",
    date: "a date such as 2020-02-01",
    list: "a list",
    dict: "a table",
}
AMOUNTS = frozenset({"amount", "regular", "after_hours"})
"""The values that are cents; every other number counts something."""

_MOST_COUNTED = 36_600


class Values(NamedTuple):
    """What a function's versions hold: the layer it speaks for, and the type of each value it takes."""

    layer: Layer
    required: dict[str, type]
    optional: dict[str, type]


def _values(layer: Layer, text: str) -> Values:
    named = {part.partition(":")[0].rstrip("?"): part for part in text.split()}
    types = {key: _TYPES[part.rstrip("?").partition(":")[2]] for key, part in named.items()}
    optional = {key: kind for key, kind in types.items() if named[key].endswith("?")}
    return Values(layer, {key: kind for key, kind in types.items() if key not in optional}, optional)


_LAYERS: dict[Layer, dict[str, str]] = {"policy": _POLICY, "statute": _STATUTE, "orders": _ORDERS}
FUNCTIONS = {name: _values(layer, text) for layer, table in _LAYERS.items() for name, text in table.items()}
"""Every rule function by name, in the order of the catalogue."""


class PackError(ValueError):
    """A pack that cannot be used: which file, which key, and why."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file, self.key, self.reason = file, key, reason


class Version(NamedTuple):
    """What a rule said from `since` to `until`, inclusive.

    `absent`: no such rule then. `assumed`: no text was read that says so. With `connections_over` it holds only in
    districts with more connections than that, or with an unknown number of them.
    """

    since: date
    until: date | None
    values: Mapping[str, Any]
    source: str
    absent: bool
    assumed: bool
    connections_over: int | None


class Table(NamedTuple):
    """One rule of a pack, with its versions in order of time."""

    function: str
    id: str
    cite: str
    layer: Layer
    versions: tuple[Version, ...]


class Divergence(NamedTuple):
    """Where a translation of the policy departs from the English, and whether it promised more or less."""

    id: str
    rules: tuple[str, ...]
    languages: tuple[Language, ...]
    effect: Effect
    text: str


class Pack(NamedTuple):
    """One file, checked. `sha` is the start of the SHA-256 of its text: the identity of what was read.

    `connections` are those of a company's districts, None where the figure was not read; the pack of no company has no
    such table.
    """

    name: str
    sha: str
    tables: Mapping[str, Table]
    holidays: tuple[Holiday, ...]
    connections: Mapping[str, int | None] | None
    divergences: tuple[Divergence, ...]


@lru_cache(maxsize=64)
def load_pack(text: str, file: str = "pack") -> Pack:
    """The pack written in `text` (TOML); raises PackError that names `file`, the key and the reason."""
    try:
        sha = sha256(text.encode()).hexdigest()[:12]
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        why = "it is nested too deep" if isinstance(problem, RecursionError) else problem
        raise PackError(file, "", f"is not TOML: {why}") from problem
    whole = _Part(file, "", content, {"pack", "utility", "holiday", "divergence", *FUNCTIONS})
    header = whole.part("pack", {"name", "title", "read"})
    tables: dict[str, Table] = {}
    ids: dict[str, str] = {}
    for function in FUNCTIONS:
        if function in content:
            table = tables[function] = _table(function, whole.part(function, {"id", "cite", "versions"}))
            if table.id in ids:
                raise PackError(file, f"{function}.id", f"{table.id} is the id of {ids[table.id]} already")
            ids[table.id] = function
    holidays = tuple(_holiday(each) for each in whole.parts("holiday", {*_ABOUT_A_HOLIDAY, *_RULE_OF_A_HOLIDAY}))
    if len({each.id for each in holidays}) < len(holidays):
        raise PackError(file, "holiday", "two entries have the same id")
    known = {"id", "rules", "languages", "effect", "text"}
    divergences = tuple(_divergence(each, ids) for each in whole.parts("divergence", known))
    connections = None
    if "utility" in content:
        connections = _connections(whole.part("utility", {"name", "phone", "billing", "connections", "unknown_size"}))
    # What no rule computes with is checked, and read in the text itself.
    name, _, _ = header.take("name", str), header.take("title", str), header.take("read", date)
    return Pack(name, sha, tables, holidays, connections, divergences)


class _Part:
    """One table of a file under check: its path, its content, and no key but those that are known."""

    def __init__(self, file: str, path: str, content: object, known: set[str]) -> None:
        if type(content) is not dict:
            raise PackError(file, path, f"is {content!r}, not a table")
        self.file, self.path, self.content = file, path, content
        for key in content:
            if key not in known:
                from difflib import get_close_matches

                near = sorted(known) if len(known) <= 20 else get_close_matches(key, known)
                self.fail(key, f"is not known here; known are {', '.join(near) or f'{len(known)} names unlike it'}")

    def fail(self, key: str, reason: str) -> None:
        raise PackError(self.file, self.at(key), reason)

    def at(self, key: str) -> str:
        return ".".join(filter(None, (self.path, key)))

    def take(self, key: str, kind: type[T]) -> T:
        found = self.may(key, kind)
        if found is None:
            raise PackError(self.file, self.at(key), f"is missing; give {_WORDS[kind]}")
        return found

    def may(self, key: str, kind: type[T]) -> T | None:
        value = self.content.get(key)
        if value is None:
            return None
        # The very type: in Python a truth value is a number and a moment is a date.
        if type(value) is not kind:
            raise PackError(self.file, self.at(key), f"is {value!r}, not {_WORDS[kind]}")
        if isinstance(value, str) and not value:
            self.fail(key, "is empty")
        return value

    def part(self, key: str, known: set[str]) -> "_Part":
        return _Part(self.file, self.at(key), self.take(key, dict), known)

    def parts(self, key: str, known: set[str]) -> list["_Part"]:
        listed: list[object] = self.may(key, list) or []
        return [_Part(self.file, f"{self.at(key)}[{n}]", each, known) for n, each in enumerate(listed)]

    def list_of(self, key: str, kind: type[T]) -> tuple[T, ...]:
        listed: list[T] = self.take(key, list)
        for each in listed:
            if type(each) is not kind:
                self.fail(key, f"holds {each!r}, not {_WORDS[kind]}")
        if not listed or len(set(listed)) < len(listed):
            self.fail(key, "is empty or names something twice")
        return tuple(listed)

    def number(self, key: str, most: int = _MOST_COUNTED, least: int = 0) -> int:
        found = self.take(key, int)
        if not least <= found <= most:
            self.fail(key, f"is {found}, not between {least} and {most}")
        return found


def _table(function: str, part: _Part) -> Table:
    takes = FUNCTIONS[function]
    about = {"since", "until", "absent", "assumed", "connections_over", "source", "read"}
    versions = [_version(each, takes) for each in part.parts("versions", about | {*takes.required, *takes.optional})]
    if not versions:
        part.fail("versions", "is missing or empty; a rule without a version is never in force")
    for n, (earlier, later) in enumerate(pairwise(versions), 1):
        if later.since <= earlier.since:
            part.fail(f"versions[{n}].since", f"{later.since} is not after {earlier.since}; sort the versions by day")
        if earlier.until is not None and earlier.until >= later.since:
            part.fail(f"versions[{n}].since", f"{later.since} overlaps the version before it, until {earlier.until}")
    return Table(function, part.take("id", str), part.take("cite", str), takes.layer, tuple(versions))


def _version(part: _Part, takes: Values) -> Version:
    since, until = part.take("since", date), part.may("until", date)
    if until is not None and until < since:
        part.fail("until", f"{until} is before since, {since}")
    absent = bool(part.may("absent", bool))
    values: dict[str, Any] = {}
    for key, kind in (takes.required | takes.optional).items():
        if absent and key in part.content:
            part.fail(key, "has a value although the rule was absent; leave one of them out")
        if not absent and (key in takes.required or key in part.content):
            most = MOST if key in AMOUNTS else _MOST_COUNTED
            values[key] = part.number(key, most) if kind is int else part.take(key, kind)
    if "weekdays" in values:
        try:
            weekdays(values["weekdays"])
        except ValueError as problem:
            part.fail("weekdays", str(problem))
        if values["opens"] >= values["closes"]:
            part.fail("closes", f"{values['closes']} is not after opens, {values['opens']}")
    over = part.number("connections_over", MOST) if "connections_over" in part.content else None
    source, assumed, _ = part.take("source", str), bool(part.may("assumed", bool)), part.may("read", date)
    return Version(since, until, values, source, absent, assumed, over)


_ABOUT_A_HOLIDAY = ("id", "name", "source", "since", "until", "cite", "known", "read", "hours")
_MOVES = ("sunday_to_monday", "saturday_to_friday")
_RULE_OF_A_HOLIDAY = ("month", "day", "weekday", "nth", "easter", "dates", *_MOVES)
_NUMBERS = {"month": (1, 12), "day": (1, 31), "nth": (-1, 4), "easter": (-70, 70)}
_RULES = ({"month", "day"}, {"month", "weekday", "nth"}, {"easter"}, {"dates"})


def _holiday(part: _Part) -> Holiday:
    rule: dict[str, Any] = {}
    given = {key for key in _RULE_OF_A_HOLIDAY if key in part.content and key not in _MOVES}
    if given not in _RULES:
        part.fail("", "needs month and day, or month, weekday and nth, or easter, or dates, and nothing besides")
    if "dates" in given:
        rule["dates"] = part.list_of("dates", date)
        if len({day.year for day in rule["dates"]}) < len(rule["dates"]):
            part.fail("dates", "has two days in one year")
    if "weekday" in given:
        named = part.take("weekday", str)
        if named not in WEEKDAYS:
            part.fail("weekday", f'is "{named}", not one of mon to sun')
        rule["weekday"] = WEEKDAYS.index(named)
    for key, (least, most) in _NUMBERS.items():
        if key in given:
            rule[key] = part.number(key, most, least)
    if "day" in given and rule["day"] > (date(2001, rule["month"] % 12 + 1, 1) - date.resolution).day:
        part.fail("day", f"{rule['day']} is not in every year's month {rule['month']}")
    if rule.get("nth") == 0:
        part.fail("nth", "is 0; give 1 to 4, or -1 for the last")
    if "hours" in part.content:
        hours = part.part("hours", {"from", "to"})
        rule["hours"] = (hours.take("from", time), hours.take("to", time))
        if rule["hours"][0] >= rule["hours"][1]:
            hours.fail("to", "is not after from")
    rule |= {key: bool(part.may(key, bool)) for key in _MOVES}
    source = part.take("source", str)
    if source not in ("gov-6700", "federal"):
        part.fail("source", f'is "{source}", not "gov-6700" or "federal"')
    id_, name, _, _ = (part.take(key, str) for key in ("id", "name", "cite", "known"))
    since, until, _ = part.take("since", date), part.may("until", date), part.may("read", date)
    return Holiday(id_, name, source, since, until, **rule)


def _connections(part: _Part) -> dict[str, int | None]:
    sized = part.may("connections", dict) or {}
    section = _Part(part.file, part.at("connections"), sized, set(sized))
    connections: dict[str, int | None] = {name: section.number(name, MOST) for name in sized}
    if "unknown_size" in part.content:
        connections |= {name: None for name in part.list_of("unknown_size", str) if name not in sized}
    _ = part.take("name", str), part.may("phone", str), part.list_of("billing", str)
    return connections


def _divergence(part: _Part, ids: Mapping[str, str]) -> Divergence:
    rules, languages, effect = part.list_of("rules", str), part.list_of("languages", str), part.take("effect", str)
    for key, given, known in (("languages", languages, get_args(Language)), ("effect", (effect,), get_args(Effect))):
        if strange := sorted(set(given) - set(known)):
            part.fail(key, f'"{strange[0]}" is none of {", ".join(known)}')
    if strange := sorted(set(rules) - set(ids)):
        part.fail("rules", f"{strange[0]} is the id of no rule in this pack")
    return Divergence(
        part.take("id", str),
        rules,
        cast("tuple[Language, ...]", languages),
        cast("Effect", effect),
        part.take("text", str),
    )
