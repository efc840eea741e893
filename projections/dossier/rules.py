"""What every rule said of the shutoff, by what was known then and by what is known now, side by side."""

from collections.abc import Iterator
from typing import Any

from ledger.policy.case import SHUTOFF
from ledger.policy.explain import LAYERS, Explanation, RuleVerdict
from projections.dossier.case import CaseFile
from projections.dossier.document import AnyBlock, Cell, Heading, Paragraph, Row, Section, Table, counted, timed
from projections.dossier.lead import LAYER_NAMES, moment_judged

WORDS = {
    "permits": "permits",
    "blocks": "BLOCKS",
    "avoids": "AVOIDS",
    "not_applicable": "does not apply",
    "unknown": "UNKNOWN",
}


def rules(case: CaseFile) -> Section:
    """Every rule in every layer, with the differences marked."""
    blocks: list[AnyBlock] = [Paragraph(cell=Cell(f"Asked of {moment_judged(case)}. {_HOW}"))]
    if case.said_then is None:
        blocks.append(
            Paragraph(cell=Cell("The account was not in the ledger at that moment, so nothing was known of it."))
        )
    differing = [now.rule for then, now in _pairs(case.said_then, case.said_now) if then and _differ(then, now)]
    if case.said_then is not None:
        many = counted(len(differing), "rule")
        text = f"{many} would answer otherwise today: {', '.join(differing)}." if differing else "Both answer alike."
        blocks.append(Paragraph(cell=Cell(text, mark="changed" if differing else "")))
    for layer in LAYERS:
        rows = [_row(then, now) for then, now in _pairs(case.said_then, case.said_now) if now.layer == layer]
        if rows:
            blocks += [Heading(text=LAYER_NAMES[layer].capitalize()), _table(case, layer, rows)]
    return Section("rules", "What every rule said", blocks)


_HOW = (
    "A rule that forbids turning the water off BLOCKS; one that the utility keeps to unless it gives a reason AVOIDS;"
    " one that was tested and does not stand in the way permits. UNKNOWN counts as forbidden."
)


def _pairs(then: Explanation | None, now: Explanation) -> Iterator[tuple[RuleVerdict | None, RuleVerdict]]:
    before = {rule.function: rule for rule in then.rules} if then else {}
    for rule in now.rules:
        yield before.pop(rule.function, None), rule
    for rule in before.values():
        yield rule, rule


def _differ(then: RuleVerdict, now: RuleVerdict) -> bool:
    return (then.verdict, then.because, then.since, then.pack) != (now.verdict, now.because, now.since, now.pack)


def _table(case: CaseFile, layer: str, rows: list[Row]) -> Table:
    head = ["Rule", f"As known then, {timed(min(case.at, case.known_at))}", f"As known now, {timed(case.known_at)}"]
    return Table(caption=f"Rules of the {LAYER_NAMES[layer]}", head=head, rows=rows, widths=(4, 5, 5))


def _row(then: RuleVerdict | None, now: RuleVerdict) -> Row:
    name = Cell(now.rule, sub=_about(now))
    if then is None:
        return Row([name, Cell("–"), _verdict(now)])
    if not _differ(then, now):
        said = _verdict(now)
        return Row([name, Cell(f"Then and now: {said.text}", said.events, said.sub, said.mark, 2)], _weight(now))
    changed = then.verdict != now.verdict
    return Row([name, _verdict(then), _verdict(now)], "changed" if changed else "")


def _about(rule: RuleVerdict) -> str:
    judge = SHUTOFF[rule.function].judge
    what = (judge.__doc__ or "").strip().splitlines()[0]
    since = f"; version of {rule.since}" if rule.since else ""
    return f"{what} {rule.cite}{since}."


def _verdict(rule: RuleVerdict) -> Cell:
    text = f"{WORDS[rule.verdict]}: {rule.because}."
    return Cell(text, rule.events, _facts(rule.facts), "against" if rule.forbids else "")


def _facts(facts: dict[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {_said(value)}" for name, value in facts.items())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return "none" if value is None else str(value)


def _weight(rule: RuleVerdict) -> Any:
    return "quiet" if rule.verdict == "not_applicable" else ""
