"""What was served in which language, and where that language's policy says other than the English, which governs."""

from collections.abc import Iterator
from typing import Literal

from ledger import events as e
from ledger.policy.languages import languages_served
from ledger.policy.pack import Divergence
from projections.dossier.case import CaseFile
from projections.dossier.chronicle import LANGUAGES, NOTICES, SERVED
from projections.dossier.document import AnyBlock, Cell, Flag, Paragraph, Row, Section, Table, dated, dollars, timed

_EFFECTS: dict[str, str] = {
    "promised_more": "This version promised the reader more. The English governs; a person may lawfully honour it.",
    "promised_less": "This version promised the reader less. The English governs.",
    "trivial": "It changes no outcome here.",
}

_ALWAYS = ("due_on_presentation", "days_until_past_due")
"""Rules that shape every bill without a verdict of their own."""


def languages(case: CaseFile) -> Section:
    """Notices and answers with their languages, and the divergences of the translations."""
    return Section("languages", "What was served, and in which language", list(_blocks(case)))


def served_in(case: CaseFile) -> list[e.Language]:
    """The languages other than English that this customer was served in or is kept under, in the order of the list."""
    found = set(languages_served(case.account)) | {a.language for a in case.account.answers.values()}
    return [language for language in LANGUAGES if language in found and language != "en"]


def _blocks(case: CaseFile) -> Iterator[AnyBlock]:
    rows = list(_rows(case))
    if rows:
        head = ["Served", "What", "How", "Language", "Policy text", "Amount", "Act by"]
        caption = "Notices and answers, with the language each was in and the policy in force that day"
        yield Table(caption=caption, head=head, rows=rows, numbers=(5,), widths=(3, 4, 2, 2, 3, 2, 3))
    else:
        yield Paragraph(cell=Cell("No notice was served and no petition answered."))
    yield Paragraph(cell=Cell(f"The account's own language is {LANGUAGES[case.account.language]}. {_ENGLISH}"))
    foreign = served_in(case)
    if not foreign:
        yield Paragraph(cell=Cell("Nothing was served in another language, so no translation bears on this case."))
        return
    touched = _rules_used(case)
    apart = []
    for divergence in case.now.parameters.divergences:
        spoken = [LANGUAGES[language] for language in foreign if language in divergence.languages]
        if spoken and touched.intersection(divergence.rules):
            yield _flag(divergence, spoken)
        elif spoken:
            apart.append(divergence.id)
    if apart:
        yield Paragraph(
            cell=Cell(f"Divergences of rules that do not bear on this case: {', '.join(apart)}.", mark="quiet")
        )


_ENGLISH = "The filed tariff is English, and everything here is computed from it."


def _rows(case: CaseFile) -> Iterator[Row]:
    returned = case.account.notices_returned
    for event in case.known:
        if isinstance(event, e.NoticeServed):
            back = f"came back by mail on {dated(returned[event.notice])}" if event.notice in returned else ""
            kind = NOTICES[event.kind]
            yield Row(
                [
                    Cell(dated(event.on)),
                    Cell(f"{kind[0].upper()}{kind[1:]} {event.notice}", (event.version,), back),
                    Cell(SERVED[event.method]),
                    Cell(LANGUAGES[event.language]),
                    Cell(event.policy_text or "not recorded"),
                    Cell(dollars(event.amount) if event.amount is not None else "–"),
                    Cell(dated(event.act_by) if event.act_by else "–"),
                ],
                "key" if event.language != "en" else "",
            )
        elif isinstance(event, e.PetitionAnswered):
            language = LANGUAGES[event.language] if event.language else "not recorded"
            what = Cell(f"Answer to petition {event.dispute}", (event.version,))
            credit = dollars(event.credit) if event.credit else "–"
            how, none = Cell("in writing"), Cell("–")
            yield Row([Cell(timed(event.on)), what, how, Cell(language), none, Cell(credit), none])


def _rules_used(case: CaseFile) -> set[str]:
    """The rules that had something to say in this case, by id."""
    found = {case.now.rule_id(function) for function in _ALWAYS}
    for explanation in filter(None, (case.said_then, case.said_now)):
        found |= {rule.rule for rule in explanation.rules if rule.verdict != "not_applicable"}
    account = case.account
    bearing = {
        "petition_right": bool(account.disputes),
        "appeal_channels": bool(account.answers),
        "arrangement_request": bool(account.arrangements) or bool(account.notices),
        "reestablishment_deposit": bool(case.shutoff),
        "after_hours_reconnection_fee": bool(case.shutoff),
        "residential_service": account.residential,
    }
    return found | {case.now.rule_id(function) for function, bears in bearing.items() if bears}


def _flag(divergence: Divergence, spoken: list[str]) -> Flag:
    tone: Literal["plain", "warning"] = "warning" if divergence.effect == "promised_more" else "plain"
    title = f"{divergence.id}, {', '.join(divergence.rules)}, {' and '.join(spoken)}"
    text = f"{divergence.text[0].upper()}{divergence.text[1:]}."
    return Flag(title=title, cells=[Cell(text), Cell(_EFFECTS[divergence.effect])], tone=tone)
