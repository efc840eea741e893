"""The case file as one page of HTML that needs nothing else: no network, no other file, no script to be read."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec import Struct

from projections.dossier.document import Document

FOLDER = Path(__file__).parent
SCRIPTS = ("verify.js", "page.js")

_WEEKDAYS = (
    ("S", "Sunday"), ("M", "Monday"), ("T", "Tuesday"), ("W", "Wednesday"), ("T", "Thursday"), ("F", "Friday"),
    ("S", "Saturday"),
)  # fmt: skip


class Proof(Struct, frozen=True):
    """A bundle that proves events of the account: its bytes, and the versions up to which it reaches."""

    bundle: bytes
    proved: int


def page(document: Document, proof: Proof | None) -> str:
    """The page, with the proof in it where there is one; every value is escaped."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"kind_of": lambda block: type(block).__name__, "weekdays": _WEEKDAYS}
    style = _text("page.css") + "".join(f".w{share}{{width:{share}%}}" for share in range(1, 100))
    script = "\n".join(map(_text, SCRIPTS)) if proof else ""
    rendered = environment.get_template("page.html.j2").render(
        document=document,
        style=style,
        script=script,
        policy=_policy(style, script),
        bundle=b64encode(proof.bundle).decode() if proof else "",
        proof=sentences(document, proof),
    )
    return rendered + "\n"


def sentences(document: Document, proof: Proof | None) -> list[str]:
    """What proves the file and what does not, in plain words."""
    if proof is None:
        return [
            "Nothing outside the utility proves this file: none of these events was sealed when it was written. What"
            " stands here is what the ledger says of itself."
        ]
    later = len(document.events) - proof.proved
    found = [
        "Each event is hashed together with the one before it; the last hash and the number of events stand in a tree over"
        " all accounts, and that tree and every event stand in one log, whose root the utility signs. So an event cannot be"
        " changed, left out, moved or put in without a trace, nor can the end be cut off.",
        "The proof is inside this page and beside it as bundle.json. The page checks it by itself; a check that does not"
        " trust this page is made with bundle.json and a program of your own choice (scripts/check_bundle.py is one).",
        "What this cannot prove: that the utility shows everybody the same log, and what it did before the last note that"
        " somebody outside holds. Compare the signed note with one that you received earlier or from somebody else.",
    ]
    if later:
        noun = "event is" if later == 1 else "events are"
        found.append(f"{later} {noun} younger than the last seal and not proved yet; the appendix marks them.")
    return found


def _policy(style: str, script: str) -> str:
    """What the page may do: its own style and script and nothing else, so that it cannot load or send anything."""
    scripts = _hash(script) if script else "'none'"
    return f"default-src 'none'; style-src {_hash(style)}; script-src {scripts}; base-uri 'none'; form-action 'none'"


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
