"""What proves a case file, and what does not, in plain words."""

from msgspec import Struct

from projections.dossier.document import Document, counted

_NONE = """
Nothing outside the utility proves this file: none of its events was sealed when it was written. What stands here is
what the ledger says of itself.
"""
_HOW = """
Each event is hashed together with the one before it. The last hash and the number of events stand in a tree over all
accounts; that tree and every event stand in one log, whose root the utility signs. So an event cannot be changed, left
out, moved or put in without a trace, nor can the end be cut off.
"""
_WHAT = """
The check covers the events at the end of this page, each as it was stored and as it is shown there. What the sections
before them say was computed from these events and the published rules; the numbers in brackets lead to the events.
"""
_WHERE = """
The proof is inside this page and beside it as bundle.json. The page checks itself in the browser. Who does not trust
the page checks bundle.json with a program of their own choice: water-ledger audit check-bundle, or
scripts/check_bundle.py, which is short enough to be read.
"""
_NOT = """
What no such file can prove: that the utility shows everybody the same log, and that what it recorded is true; nor what
it did after the last signed note that somebody outside holds. Compare the note with one received earlier or from
somebody else.
"""


class Proof(Struct, frozen=True):
    """A bundle that proves events of the account: its bytes, and the version up to which it reaches."""

    bundle: bytes
    proved: int


def sentences(document: Document, proof: Proof | None) -> list[str]:
    """The paragraphs on what proves the file."""
    if proof is None:
        return [_line(_NONE)]
    later = len(document.events) - proof.proved
    found = [_line(text) for text in (_HOW, _WHAT, _WHERE, _NOT)]
    if later:
        these = "is younger than the last seal and is" if later == 1 else "are younger than the last seal and are"
        found.append(f"{counted(later, 'event')} {these} not proved; the appendix marks what the proof does not reach.")
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
