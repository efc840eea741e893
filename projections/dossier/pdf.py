"""The case file as a PDF, set by typst (the extra `pdf`); the same document as the page."""

from pathlib import Path

import msgspec

from projections.dossier.document import Document
from projections.dossier.proof import Proof, sentences

TEMPLATE = Path(__file__).with_name("pdf.typ")


class NoTypst(Exception):
    """The extra that sets a PDF is not installed."""


def pdf(document: Document, proof: Proof | None) -> bytes:
    """The PDF, the same bytes for the same document; raises NoTypst where the extra is missing."""
    try:
        import typst
    except ImportError:
        raise NoTypst from None
    told = msgspec.to_builtins(document) | {"proof": sentences(document, proof)}
    # What the account says is handed over as data, so nothing in it can be taken for markup.
    handed = {"case": msgspec.json.encode(told).decode()}
    return typst.compile(TEMPLATE.read_bytes(), sys_inputs=handed)
