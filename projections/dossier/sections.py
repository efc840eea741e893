"""The whole case file as a document: the same for the page and the PDF."""

from collections.abc import Sequence

from projections.dossier.bill import bill
from projections.dossier.case import CaseFile
from projections.dossier.clocks import clocks
from projections.dossier.dispute import dispute
from projections.dossier.document import Document
from projections.dossier.languages import languages
from projections.dossier.lead import lead, subtitle
from projections.dossier.records import cards, statement, timeline
from projections.dossier.rules import rules

NUMBERED = (dispute, bill, clocks, timeline, statement, rules, languages)
"""The sections in their order; other sections point to them by number."""


def document(case: CaseFile, states: Sequence[bytes], *, redacted: bool = False) -> Document:
    """Everything the file says; `states` are the stored bytes of the account's events, by version."""
    return Document(
        account=case.account.id,
        title=f"Account {case.account.id}",
        subtitle=subtitle(case),
        lead=lead(case),
        sections=[section(case) for section in NUMBERED],
        events=cards(case, states),
        redacted=redacted,
    )
