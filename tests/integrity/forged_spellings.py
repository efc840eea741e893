"""Changes that a lenient reader would let pass: other spellings, and places just out of bounds."""

import base64
from collections.abc import Callable

from tests.integrity.bundle_drafts import BAD, Draft, bad, written
from tests.integrity.made_log import SigningKey

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

NUMBERS = [
    *("{}.0", "{}e0", "0{}", "+{}", "-{}", '"{}"', "[{}]", "{}" + "0" * 30, "{}" + "0" * 400, "0x{}", "{}n", "1_{}"),
    *("true", "false", "null", "NaN", "Infinity", "1e999", "-0", "-1", "18446744073709551616", "9007199254740993", "٣"),
]


def _number(name: str, form: str) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        bundle = draft.log.bundle([draft.log.names[0]], since=draft.old)
        raw = written(bundle).decode()
        begin = raw.index(f'"{name}":') + len(name) + 3
        end = next(end for end in range(begin, len(raw)) if not raw[end].isdigit())
        draft.raw = (raw[:begin] + form.format(raw[begin:end]) + raw[end:]).encode()

    return change


for _name in ("index", "version", "sealed_at"):
    for _form in NUMBERS:
        BAD[f"{_name} spelled {_form[:20]}"] = _number(_name, _form)


NOTES: dict[str, Callable[[str, str, str], str]] = {
    "an extension line": lambda origin, size, root: f"{origin}\n{size}\n{root}\nextension\n",
    "a size after a nought": lambda origin, size, root: f"{origin}\n0{size}\n{root}\n",
    "a size with a sign": lambda origin, size, root: f"{origin}\n+{size}\n{root}\n",
    "a size with a blank": lambda origin, size, root: f"{origin}\n{size} \n{root}\n",
    "a size in other digits": lambda origin, size, root: f"{origin}\n{size.replace('1', '١')}٣\n{root}\n",
    "no leaves": lambda origin, size, root: f"{origin}\n0\n{root}\n",
    "too many leaves": lambda origin, size, root: f"{origin}\n9007199254740992\n{root}\n",
    "no origin": lambda origin, size, root: f"\n{size}\n{root}\n",
    "a tab in it": lambda origin, size, root: f"{origin}\t\n{size}\n{root}\n",
    "a carriage return": lambda origin, size, root: f"{origin}\r\n{size}\r\n{root}\r\n",
    "a root with spare bits": lambda origin, size, root: f"{origin}\n{size}\n{respelled(root)}\n",
    "a root cut short": lambda origin, size, root: f"{origin}\n{size}\n{root[:-4]}\n",
    "a blank line": lambda origin, size, root: f"{origin}\n{size}\n\n{root}\n",
}
"""Texts that a utility should never sign, and signs here."""


def _signed(text: Callable[[str, str, str], str]) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        origin, size, root, *_ = draft.bundle["note"].split("\n")
        body = text(origin, size, root)
        draft.bundle["note"] = f"{body}\n{draft.log.key.line(body)}"

    return change


for _title, _text in NOTES.items():
    BAD[f"a note with {_title}"] = _signed(_text)


LINES: dict[str, Callable[[str], str]] = {
    "without its end": lambda line: line.removesuffix("\n"),
    "with a hyphen": lambda line: line.replace("—", "-"),
    "with a blank behind it": lambda line: line.replace("\n", " \n"),
    "with two blanks": lambda line: line.replace(" ", "  ", 1),
    "and an empty line": lambda line: line + "\n",
    "and a line of nothing": lambda line: line + "— \n",
    "and a signature too short": lambda line: line + "— other.example/x AAAAAA==\n",
    "and a name with a plus sign": lambda line: line + "— other+x AAAAAAAA\n",
    "and a name with a blank in it": lambda line: line + "— other\u00a0x AAAAAAAA\n",
    "with spare bits": lambda line: f"{line.rpartition(' ')[0]} {respelled(line.rpartition(' ')[2].strip())}\n",
    "under another name": lambda line: line.replace("sample.example", "simple.example"),
    "sixty-five times": lambda line: line * 65,
}


def _line(way: Callable[[str], str]) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        text, gap, line = draft.bundle["note"].partition("\n\n")
        draft.bundle["note"] = text + gap + way(line)

    return change


for _title, _way in LINES.items():
    BAD[f"a signature line {_title}"] = _line(_way)


def respelled(text: str) -> str:
    """Base64 that ends in padding, with other bits where no reader looks: it decodes to the same bytes."""
    body = text.rstrip("=")
    other = body[:-1] + _DIGITS[_DIGITS.index(body[-1]) + 1] + text[len(body) :]
    assert body != text
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


@bad
def key_with_spare_bits(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=draft.old)
    keys = draft.bundle["accounts"][0]["keys"]
    keys.update({id: respelled(key) for id, key in keys.items()})


@bad
def nodes_with_spare_bits(draft: Draft) -> None:
    for names in (draft.log.names[:1], draft.log.names[:2], draft.log.names[:3], draft.log.names[1:2]):
        draft.bundle = draft.log.bundle(names, since=draft.old)
        if draft.bundle["nodes"].endswith("="):
            draft.bundle["nodes"] = respelled(draft.bundle["nodes"])
            return
    draft.bundle["nodes"] += "="


@bad
def index_beyond_the_tree(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[-1]], since=draft.old)
    draft.bundle["accounts"][0]["index"] += draft.chance.choice([1, 8, 1000, 2**40])


@bad
def position_of_the_version_before(draft: Draft) -> None:
    events = draft.account["events"]
    events[1]["position"] = draft.chance.choice([0, events[0]["position"]])
    draft.names = draft.account["account"], 2


@bad
def leaf_of_no_event_before_the_version_before(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[-1]], since=draft.old)
    events = draft.bundle["accounts"][0]["events"]
    events[1]["leaf"] = events[0]["leaf"] - 1 if events[0]["leaf"] else 0
    draft.names = draft.log.names[-1], 2


@bad
def old_size_altered(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    draft.bundle["consistency"]["old_size"] += draft.chance.choice([-1, 1])
    draft.since = draft.log.seals[1].note


@bad
def since_the_same_tree_under_another_name(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    _, size, root, *_ = draft.log.seals[1].note.split("\n")
    text = f"other.example/ledger\n{size}\n{root}\n"
    draft.since = f"{text}\n{draft.log.key.line(text)}"


@bad
def since_signed_by_the_key_and_by_a_forger_of_it(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    text = draft.log.seals[1].note.partition("\n\n")[0] + "\n"
    forged = draft.log.key.line(text + "x")
    draft.since = f"{text}\n{draft.log.key.line(text)}{forged}{SigningKey('w.example', 3).line(text)}"


@bad
def leaf_of_the_seal(draft: Draft) -> None:
    event = draft.account["events"][-1]
    event["leaf"] = draft.log.seals[-1].leaf
    draft.names = draft.account["account"], event["version"]
