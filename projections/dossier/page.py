"""The case file as one page of HTML that needs nothing else: no network, no other file, no script to be read."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from projections.dossier.document import Document
from projections.dossier.proof import Proof, sentences

FOLDER = Path(__file__).parent
SCRIPTS = ("verify.js", "page.js")

_WEEKDAYS = (
    ("S", "Sunday"), ("M", "Monday"), ("T", "Tuesday"), ("W", "Wednesday"), ("T", "Thursday"), ("F", "Friday"),
    ("S", "Saturday"),
)  # fmt: skip


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


def _policy(style: str, script: str) -> str:
    """What the page may do: its own style and script and nothing else, so that it cannot load or send anything."""
    scripts = _hash(script) if script else "'none'"
    return f"default-src 'none'; style-src {_hash(style)}; script-src {scripts}; base-uri 'none'; form-action 'none'"


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
