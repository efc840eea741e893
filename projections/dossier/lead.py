"""The first lines of a case file: whose account, which question, and the answers in short."""

from collections.abc import Iterable, Iterator

from ledger import events as e
from ledger.policy.case import Case
from ledger.policy.explain import LAYERS, Explanation, RuleVerdict
from projections.dossier.case import CaseFile
from projections.dossier.chronicle import told
from projections.dossier.document import AnyBlock, Cell, Facts, Flag, Tone, counted, dated, dollars, timed

MOST_LATE = 12
"""How many facts learned late the first lines name; more were brought in from elsewhere, and would bury the rest."""

LAYER_NAMES = {"policy": "company policy", "statute": "statute", "orders": "temporary orders"}


def subtitle(case: CaseFile) -> str:
    """What the file is about, in a line."""
    if case.petition:
        return f"Dispute {case.petition.dispute} over bill {case.petition.bill}"
    return "Shutoff for nonpayment" if case.shutoff else "State of the account"


def lead(case: CaseFile) -> list[AnyBlock]:
    """Whose account it is, what came of the dispute, the verdict on the moment judged, and what the case turns on."""
    return [Facts(rows=list(_particulars(case))), *_disputed(case), _verdict(case), *_turning(case)]


def opened_as(case: CaseFile) -> dict[str, Cell]:
    """The customer's particulars as they stand: those of the opening, as corrected since."""
    found: dict[str, Cell] = {}
    for event in case.known:
        if isinstance(event, e.AccountOpened | e.AccountCorrected):
            for name in ("name", "service_address", "mailing_address", "phone", "billing_email"):
                value = getattr(event, name)
                if value is not None:
                    found[name] = Cell(value, (event.version,))
    return found


def _particulars(case: CaseFile) -> Iterator[tuple[str, Cell]]:
    account, known = case.account, opened_as(case)
    for label, name in (("Customer", "name"), ("Service address", "service_address"), ("Mail to", "mailing_address")):
        if name in known:
            yield label, known[name]
    service = f"{account.service_class}, {account.dwelling.replace('_', ' ')}, billed {account.billing}"
    if account.district:
        service += f", district {account.district}"
    yield "Service", Cell(service, (account.opened.version,) if account.opened else ())
    if account.occupancy != "customer":
        yield "Occupants", Cell(account.occupancy.replace("_", " "))
    if account.closed_on:
        closings = tuple(event.version for event in case.known if isinstance(event, e.AccountClosed))
        yield "Closed", Cell(dated(account.closed_on), closings)
    off = account.off
    water = f"off since {timed(off.made.at)}" if off else "on"
    yield "Water", Cell(water, (off.made.version,) if off else ())
    yield (
        "Balance",
        Cell(f"{dollars(account.balance)}, of which past due {dollars(account.past_due(case.known_at.date()))}"),
    )
    if account.commission_deposit:
        yield "Held by the Commission", Cell(dollars(account.commission_deposit))
    if account.deposit:
        yield "Credit deposit held", Cell(dollars(account.deposit))
    events, later = counted(len(case.known), "event"), len(case.events) - len(case.known)
    text = f"{timed(case.known_at)} Pacific time, from {events}{f'; {later} more came later' if later else ''}"
    yield "Told as known on", Cell(text)


def _disputed(case: CaseFile) -> Iterator[Flag]:
    """The dispute in a few lines: the petition, its answer, and how the last appeal stands."""
    if case.petition is None:
        return
    dispute = case.petition.dispute
    appeals = [name for name, each in case.account.appeals.items() if each.filed.dispute == dispute]
    steps: list[e.Event] = [event for event in case.known if getattr(event, "dispute", None) == dispute]
    steps += [event for event in case.known if getattr(event, "appeal", None) in appeals and event not in steps]
    cells = [Cell(f"{timed(event.effective)}: {told(event)}", (event.version,)) for event in steps]
    if dispute not in case.account.answers:
        cells.append(Cell("The petition is not answered.", mark="against"))
    yield Flag(title="What was asked, and what came of it", cells=cells)


def moment_judged(case: CaseFile) -> str:
    """The moment that the rules are asked about, and why that one."""
    if case.reason == "shutoff":
        return f"{timed(case.at)}, when the water was turned off"
    why = "the moment asked about" if case.reason == "asked" else "the moment up to which this file tells"
    return f"{timed(case.at)}, {why}"


def _verdict(case: CaseFile) -> Flag:
    cells = [Cell(f"Judged for {moment_judged(case)}.", (case.shutoff.made.version,) if case.shutoff else ())]
    then, now = case.said_then, case.said_now
    if case.at >= case.known_at:
        cells.append(_answer("By what is known", now, case.now))
    else:
        cells.append(_answer("By what was known then", then, case.then) if then and case.then else Cell(_NOT_KNOWN))
        cells.append(_answer("By what is known now", now, case.now))
    forbidden = not now.allowed or (then is not None and not then.allowed)
    tone: Tone = "warning" if case.shutoff and forbidden else "plain"
    verb = "Do" if case.reason == "now" else "Did"
    return Flag(title=f"{verb} the rules allow turning the water off for nonpayment?", cells=cells, tone=tone)


_NOT_KNOWN = "By what was known then: the account was not in the ledger yet."


def _answer(prefix: str, found: Explanation, asked: Case) -> Cell:
    balance, past_due = asked.account.balance, asked.account.past_due(asked.on)
    owed = f"owed {dollars(balance)}, of which past due {dollars(past_due)}"
    if found.allowed:
        return Cell(f"no rule of the {_layers()} stood in the way; {owed}.", word=f"{prefix}: yes,")
    against = [rule for rule in found.rules if rule.forbids]
    if not against:
        return Cell(f"{prefix}: no. No rule book holds on that day, so nothing is allowed.")
    layers = [LAYER_NAMES[layer] for layer in LAYERS if not found.layers[layer]]
    against.sort(key=lambda rule: rule.function != "ground")
    return Cell(f"by {_and(layers)}; {owed}.", _events(against), _reasons(against), "against", f"{prefix}: no,")


def _layers() -> str:
    return _and([LAYER_NAMES[layer] for layer in LAYERS])


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _reasons(against: list[RuleVerdict]) -> str:
    shown = "; ".join(f"{rule.rule}: {rule.because.removeprefix(f'{rule.rule} ')}" for rule in against[:3])
    more = len(against) - 3
    return f"{shown}{f'; and {more} more (section 6)' if more > 0 else ''}."


def _events(against: Iterable[RuleVerdict]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(version for rule in against for version in rule.events))


def _turning(case: CaseFile) -> Iterator[Flag]:
    made = case.shutoff.made.version if case.shutoff else None
    cells = [
        Cell(f"{timed(event.effective)}: {told(event)}", (event.version,), f"Learned {timed(event.known_from)}")
        for event in case.late
        if event.version != made
    ]
    if case.then is None:
        cells = []  # Nothing of the account was known then, as the verdict says; section 4 has the days.
    elif len(cells) > MOST_LATE:
        cells[MOST_LATE:] = [Cell(f"And {counted(len(cells) - MOST_LATE, 'further event')}, marked in section 4.")]
    if cells:
        title = f"What had happened by {timed(case.at)} and was learned only later"
        yield Flag(title=title, cells=cells, tone="warning")
    finding = case.account.wrongful(case.shutoff) if case.shutoff else None
    if finding:
        yield Flag(
            title="The utility's own finding",
            cells=[Cell(f"{timed(finding.on)}: {told(finding)}", (finding.version,))],
        )
