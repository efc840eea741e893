"""What happened in order, what was owed after each step, and the events themselves."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ledger import events as e
from ledger.money import money
from ledger.movements import Book, Movement
from ledger.policy.arrangements import add_months
from ledger.policy.case import said
from ledger.showing import fields, plain
from ledger.store.codec import personal_fields
from projections.dossier.case import CaseFile, learned_on
from projections.dossier.chronicle import tells, told
from projections.dossier.document import (
    AnyBlock,
    Cell,
    EventCard,
    EventField,
    Paragraph,
    Row,
    Section,
    Table,
    counted,
    dated,
    timed,
)

MONTHS = 24
"""How far back the timeline goes before the bill in question."""

_TURNS = (
    e.PetitionFiled, e.PetitionAnswered, e.AppealFiled, e.AppealClosed, e.ServiceDisconnected, e.ServiceReconnected,
    e.ShutoffFoundWrongful, e.NoticeServed, e.ShutoffAuthorized,
)  # fmt: skip


def timeline(case: CaseFile) -> Section:
    """Bills, payments with both their days, notices, contacts, petitions, appeals, deposits, the water off and on."""
    start = add_months((case.bill.mailed_on if case.bill else case.at.date()), -MONTHS)
    shown = [event for event in case.known if tells(event) and event.day >= start]
    before = sum(tells(event) for event in case.known) - len(shown)
    rows = [_moment(case, event) for event in shown]
    head = ["It happened", "The utility knew", "What happened"]
    caption = f"What happened since {dated(start)}, in the order in which it happened"
    blocks: list[AnyBlock] = [Paragraph(cell=Cell(_BOTH))]
    blocks.append(Table(caption=caption, head=head, rows=rows, widths=(3, 3, 8)))
    if before:
        stand = "stands" if before == 1 else "stand"
        text = f"{counted(before, 'earlier event')} of these kinds {stand} in the appendix."
        blocks.append(Paragraph(cell=Cell(text)))
    return Section("timeline", "What happened", blocks)


_BOTH = (
    "A payment counts from when it was made; the second column says when it was posted, and of every other fact when"
    " the utility knew it. What came to be known on a later day is marked."
)


def _moment(case: CaseFile, event: e.Event) -> Row:
    lag = (learned_on(event) - event.day).days
    own = case.shutoff is not None and event.version == case.shutoff.made.version
    after = not own and any(event.version == late.version for late in case.late)
    notes = (f"{counted(lag, 'day')} later" if lag > 0 else "", "after the moment judged" if after else "")
    known = Cell(timed(event.known_from), sub=", ".join(filter(None, notes)), mark="late" if any(notes) else "")
    of_the_bill = case.bill is not None and getattr(event, "bill", None) == case.bill.id
    mark = "changed" if after else "key" if of_the_bill or isinstance(event, _TURNS) else ""
    beside = "; ".join(filter(None, (event.note, f"source {event.source}" if event.source else "")))
    return Row([Cell(timed(event.effective)), known, Cell(told(event), (event.version,), beside)], mark)  # type: ignore[arg-type]


def statement(case: CaseFile) -> Section:
    """The running statement, and the deposits held here and at the Commission where there are any."""
    blocks: list[AnyBlock] = []
    names: tuple[tuple[Book, str, str], ...] = (
        ("balance", "What was owed after each step, in dollars", "Owed"),
        ("deposit", "Credit deposit held by the utility, in dollars", "Held"),
        ("commission_deposit", "Deposit held by the Commission, in dollars; in no balance of the utility", "Held"),
    )
    for book, caption, label in names:
        steps = [step for step in case.moved if step.book == book]
        if steps:
            blocks.append(_running(steps, caption, label))
    if not blocks:
        blocks.append(Paragraph(cell=Cell("Nothing was ever owed or paid.")))
    blocks.append(Paragraph(cell=Cell("All lines of the first table are in statement.csv.", mark="quiet")))
    return Section("statement", "The running statement", blocks)


def _running(steps: Sequence[Movement], caption: str, label: str) -> Table:
    total, rows = 0, []
    for step in steps:
        total += step.amount
        rows.append(
            Row(
                [
                    Cell(said(step.on)),
                    Cell(said(learned_on(step.event))),
                    Cell(f"{step.kind.replace('_', ' ')} {step.reference or ''}".strip(), (step.event.version,)),
                    Cell(money(step.amount)),
                    Cell(money(total)),
                ]
            )
        )
    head = ["Counts from", "Known", "What", "Amount", label]
    return Table(caption=caption, head=head, rows=rows, numbers=(3, 4), widths=(3, 3, 5, 2, 2))


def cards(case: CaseFile, states: Sequence[bytes]) -> list[EventCard]:
    """Every event as recorded, with the bytes that were stored."""
    return [
        _card(event, state.decode(), event.known_from > case.known_at)
        for event, state in zip(case.events, states, strict=True)
    ]


def _card(event: e.Event, stored: str, later: bool) -> EventCard:
    return EventCard(
        version=event.version,
        type=event.type,
        effective=plain(event.effective),
        recorded_at=plain(event.recorded_at),
        learned_at=plain(event.learned_at) if event.learned_at else "",
        actor=event.actor or "",
        source=event.source or "",
        flags=", ".join(event.flags),
        note=event.note or "",
        fields=list(_event_fields(event, json.loads(stored))),
        stored=stored,
        later=later,
    )


def _event_fields(event: e.Event, stored: dict[str, Any]) -> Iterator[EventField]:
    personal = {name for name, _ in personal_fields(type(event))}
    for name, show in fields(type(event)):
        value, shown = getattr(event, name), show(getattr(event, name))
        if value in (None, ()) or name == "verdicts":
            continue
        if name in personal:
            form = "personal"
        elif isinstance(shown, list | dict):
            form, shown = "nested", _nested(shown)
        elif isinstance(value, int) and isinstance(shown, str):
            form = "money" if show(100) == "1.00" else "quantity"
        else:
            form = "text"
            shown = {True: "yes", False: "no"}.get(shown, str(shown)) if isinstance(shown, bool) else str(shown)
        yield EventField(name, shown, form, name in stored)  # type: ignore[arg-type]


def _nested(shown: Any) -> str:
    if isinstance(shown, dict):
        return ", ".join(f"{name} {_nested(each)}" for name, each in shown.items() if each not in (None, [], ""))
    if isinstance(shown, list):
        return "; ".join(map(_nested, shown))
    return str(shown)
