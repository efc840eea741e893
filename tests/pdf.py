"""What a PDF says, for tests that look in it for what must not be there."""

import re
import zlib
from collections.abc import Iterator

Glyphs = dict[int, str]
"""What the glyphs of a font stand for, by number."""

_BEGINS = re.compile(rb"(?<!end)stream\r?\n")
_PAIR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_RANGE = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>")
_STRING = re.compile(rb"<<|<([0-9A-Fa-f\s]*)>|\(")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b"", b"\r\n": b""}


def words_of(pdf: bytes) -> str:
    """All that a PDF says, `squeezed`.

    What is shown is read by each of its fonts in turn: one of them is right, and the others say nothing of a word.
    """
    streams = list(_streams(pdf))
    fonts = [glyphs for stream in streams if b"begincmap" in stream and (glyphs := _glyphs(stream))]
    assert fonts, "no font says what its glyphs stand for"
    said = [each.replace(b"\0", b"").decode("latin-1") for each in (pdf, *streams)]
    for stream in streams:
        strings = list(_strings(stream)) if b"Tf" in stream else []
        said += ["".join(_read(string, font) for string in strings) for font in fonts]
    return squeezed("".join(said))


def squeezed(text: str) -> str:
    """Text in lower case without blanks and hyphens: neither kerning nor the end of a line hides a word in it."""
    return "".join(text.lower().replace("-", "").replace("\u2010", "").replace("\u00ad", "").split())


def _streams(pdf: bytes) -> Iterator[bytes]:
    inflated = 0
    for begins in _BEGINS.finditer(pdf):
        try:
            yield zlib.decompressobj().decompress(pdf[begins.end() :])
            inflated += 1
        except zlib.error:
            yield pdf[begins.end() : pdf.index(b"endstream", begins.end())]
    assert inflated == pdf.count(b"/FlateDecode"), "a stream stayed closed"


def _glyphs(cmap: bytes) -> Glyphs:
    found: Glyphs = {}
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        found |= {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in _PAIR.findall(part)}
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in ((int(each, 16) for each in row) for row in _RANGE.findall(part)):
            found |= {code: chr(text + code - first) for code in range(first, last + 1)}
    return found


def _strings(content: bytes) -> Iterator[bytes]:
    """The strings in a page's content, as the bytes they stand for."""
    at = 0
    while begins := _STRING.search(content, at):
        at = begins.end()
        if begins[0] == b"(":
            depth = 1
            while depth:
                byte = content[at : at + 1]
                assert byte, "a string without an end"
                at += 2 if byte == b"\\" else 1
                depth += (byte == b"(") - (byte == b")")
            yield _ESCAPE.sub(_unescaped, content[begins.end() : at - 1])
        elif begins[1] is not None:
            yield bytes.fromhex(begins[1].decode())


def _unescaped(escape: re.Match[bytes]) -> bytes:
    what = escape[1]
    return bytes([int(what, 8)]) if what[:1].isdigit() else _PLAIN.get(what, what)


def _read(string: bytes, font: Glyphs) -> str:
    return "".join(font.get(int.from_bytes(string[at : at + 2]), "") for at in range(0, len(string), 2))
