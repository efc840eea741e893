"""What every rule said of the shutoff, by what was known then and by what is known now, side by side."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from ledger.policy.case import SHUTOFF, said
from ledger.policy.explain import LAYERS, Explanation, RuleVerdict
from projections.dossier.case import CaseFile
from projections.dossier.document import AnyBlock, Cell, Heading, Mark, Paragraph, Row, Section, Table, counted, timed
from projections.dossier.lead import LAYER_NAMES, moment_judged

WORDS = {
    "permits": "permits",
    "blocks": "BLOCKS",
    "avoids": "AVOIDS",
    "not_applicable": "does not apply",
    "unknown": "UNKNOWN",
}


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_IDS = re.compile(r" \([^()]*(?:\([^()]*\)[^()]*)*\)\.?$")


def rules(case: CaseFile) -> Section:
    """Every rule in every layer, with the differences marked."""
    blocks: list[AnyBlock] = [Paragraph(cell=Cell(f"Asked of {moment_judged(case)}. {_HOW}"))]
    if case.said_then is None:
        blocks.append(
            Paragraph(cell=Cell("The account was not in the ledger at that moment, so nothing was known of it."))
        )
    if case.said_then is not None and not _one_knowing(case):
        pairs = [(then, now) for then, now in _pairs(case.said_then, case.said_now) if then and _differ(then, now)]
        turned = [now.rule for then, now in pairs if then.verdict != now.verdict]
        rest = [now.rule for then, now in pairs if then.verdict == now.verdict]
        text = f"{', '.join(turned)}." if turned else "No rule answers otherwise by what is known now."
        if rest:
            text += f" For other reasons the same answer: {', '.join(rest)}."
        word = f"{counted(len(turned), 'rule')} would answer otherwise by what is known now:" if turned else ""
        blocks.append(Paragraph(cell=Cell(text, mark="changed" if turned else "", word=word)))
    for layer in LAYERS:
        both = [(then, now) for then, now in _pairs(case.said_then, case.said_now) if now.layer == layer]
        rows = [_alone(now) if _one_knowing(case) else _row(then, now) for then, now in both]
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
    caption, now = f"Rules of the {LAYER_NAMES[layer]}", timed(case.known_at)
    if _one_knowing(case):
        return Table(caption=caption, head=["Rule", f"As known, {now}"], rows=rows, widths=(5, 12))
    head = ["Rule", f"As known then, {timed(case.at)}", f"As known now, {now}"]
    return Table(caption=caption, head=head, rows=rows, widths=(5, 6, 6))


def _one_knowing(case: CaseFile) -> bool:
    """Whether then and now are one: the moment judged is not before the one up to which the file tells."""
    return case.at >= case.known_at


def _alone(now: RuleVerdict) -> Row:
    return Row([_name(now), _verdict(now)], _weight(now))


def _row(then: RuleVerdict | None, now: RuleVerdict) -> Row:
    name = _name(now)
    if then is None:
        return Row([name, Cell("–"), _verdict(now)])
    if not _differ(then, now):
        both = _verdict(now)
        return Row([name, replace(both, word=f"Then and now: {both.word}", span=2)], _weight(now))
    changed = then.verdict != now.verdict
    return Row([name, _verdict(then), _verdict(now)], "changed" if changed else "")


def _name(rule: RuleVerdict) -> Cell:
    return Cell(_what(rule), sub=_about(rule), word=rule.rule)


def _about(rule: RuleVerdict) -> str:
    since = f"; in force since {said(rule.since)}" if rule.since else ""
    return f"{rule.cite}{since}"


def _what(rule: RuleVerdict) -> str:
    """What the rule says, in its function's own first line, without the ids it closes with."""
    first = (SHUTOFF[rule.function].judge.__doc__ or "").strip().splitlines()[0]
    return f"{_IDS.sub('', first).rstrip('.')}."


def _verdict(rule: RuleVerdict) -> Cell:
    mark: Mark = "against" if rule.forbids else "" if rule.verdict == "permits" else "quiet"
    return Cell(f"{rule.because}.", rule.events, _facts(rule.facts), mark, f"{WORDS[rule.verdict]}:")


def _facts(facts: dict[str, Any]) -> str:
    return "; ".join(f"{name.replace('_', ' ')}: {_said(value)}" for name, value in facts.items())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    if isinstance(value, date) and not isinstance(value, datetime):
        return said(value)
    if isinstance(value, str) and _MOMENT.match(value):
        return timed(datetime.fromisoformat(value))
    return "none" if value is None else str(value)


def _weight(rule: RuleVerdict) -> Any:
    return "quiet" if rule.verdict == "not_applicable" else ""
