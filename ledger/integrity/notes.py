"""Signed notes, verifier keys and checkpoints, as C2SP specifies them (signed-note, tlog-checkpoint, tlog-cosignature).

Everything is read strictly: one spelling for each number and each base64 text, nothing before or behind.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol

SIGNATURE, COSIGNATURE = 0x01, 0x04
"""Types of a key: the log's own, and a witness's, which signs the time with the checkpoint."""

MOST_SIGNATURES = 64
MOST_BYTES = 100_000
MOST_LEAVES = 2**63 - 1

_NAME = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]{1,250}")
_NO_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class BadNote(Exception):
    """A note, a verifier key or a signature is not what it should be; the message says what and how."""


class Signer(Protocol):
    """Whatever holds a private Ed25519 key: a file, or a device that never gives it away."""

    @property
    def key(self) -> "Key":
        """The public half."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature (RFC 8032) over `message`."""


class Key(NamedTuple):
    """A verifier key: whose it is, and the 32 bytes of an Ed25519 public key; `kind` is what its signatures mean."""

    name: str
    public: bytes
    kind: int = SIGNATURE

    @property
    def id(self) -> bytes:
        """The four bytes by which signature lines name the key."""
        return sha256(b"%b\n%c%b" % (self.name.encode(), self.kind, self.public)).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as C2SP writes it."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"


class Signature(NamedTuple):
    """A signature line; what `value` holds depends on the key."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, without its end."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}"


class Note(NamedTuple):
    """A text with signatures; the text ends with a newline and is what was signed."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return "".join([self.text, "\n", *(f"{signature.line}\n" for signature in self.signatures)])


class Checkpoint(NamedTuple):
    """How large a log's tree was, and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text of the note that a log signs."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_named(name: str, public: bytes, kind: int = SIGNATURE) -> Key:
    """The key of that name; raises BadNote for a name that signature lines cannot hold."""
    if not _NAME.fullmatch(name):
        raise BadNote(f"{name[:40]!r} cannot name a key: no blanks, no plus sign, 250 characters at most")
    return Key(name, public, kind)


def read_vkey(text: str) -> Key:
    """The key that a C2SP verifier key spells; raises BadNote."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    if not _NAME.fullmatch(name) or not _KEY_ID.fullmatch(key_id):
        raise BadNote("a verifier key is NAME+8 HEX DIGITS+BASE64, as 'water-ledger audit key show' prints it")
    stated = from_base64(encoded, "the verifier key")
    if len(stated) != 33 or stated[0] not in (SIGNATURE, COSIGNATURE):
        raise BadNote(f"the verifier key of {name} is not an Ed25519 key (type 01 or 04 and 32 bytes)")
    key = Key(name, stated[1:], stated[0])
    if key.id.hex() != key_id:
        raise BadNote(f"the verifier key of {name} states the id {key_id}, and its bytes give {key.id.hex()}")
    return key


def read_note(text: str) -> Note:
    """A note from its text; raises BadNote. Nothing is verified yet."""
    if len(text) > MOST_BYTES:
        raise BadNote(f"a note of {len(text):,} characters is too long; the most is {MOST_BYTES:,}")
    if _NO_TEXT.search(text):
        raise BadNote("the note has a character in it that no text has")
    body, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or not body:
        raise BadNote("a note is a text, an empty line, and signature lines that each end with a newline")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote(f"the note has {len(lines)} signatures; the most is {MOST_SIGNATURES}")
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that the text of a note states; raises BadNote. Extension lines are refused."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise BadNote("a checkpoint is three lines: the origin, the size, the root")
    if not _NUMBER.fullmatch(lines[1]) or int(lines[1]) > MOST_LEAVES:
        raise BadNote(f"the size of a checkpoint is a plain number, not {lines[1][:30]!r}")
    root = from_base64(lines[2], "the root of the checkpoint")
    if len(root) != 32:
        raise BadNote(f"the root of a checkpoint has 32 bytes, not {len(root)}")
    return Checkpoint(lines[0], int(lines[1]), root)


def signed(text: str, signer: Signer) -> Signature:
    """The signature of the log's own key over the text of a note."""
    assert signer.key.kind == SIGNATURE, "a witness's key signs a time with the checkpoint"
    return Signature(signer.key.name, signer.key.id, signer.sign(text.encode()))


def cosigned(text: str, signer: Signer, seconds: int) -> Signature:
    """A witness's signature over a checkpoint, made `seconds` after 1970 began."""
    assert signer.key.kind == COSIGNATURE, "the log's own key signs the text as it stands"
    value = signer.sign(_with_time(text, seconds))
    return Signature(signer.key.name, signer.key.id, seconds.to_bytes(8, "big") + value)


def verified(note: Note, keys: Iterable[Key]) -> list[tuple[Key, int | None]]:
    """The keys that signed the note, each with the second at which a witness did; other keys' lines are ignored.

    Raises BadNote where a signature by one of these keys is wrong.
    """
    known = {(key.name, key.id): key for key in keys}
    found = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        message, value, seconds = note.text.encode(), signature.value, None
        if key.kind == COSIGNATURE:
            seconds = int.from_bytes(value[:8], "big")
            message, value = _with_time(note.text, seconds), value[8:]
        if not _is_signed(key.public, message, value):
            raise BadNote(f"the signature of {key.name} ({key.id.hex()}) is not over this text")
        found[key] = seconds
    return list(found.items())


def from_base64(text: str, what: str) -> bytes:
    """The bytes of a base64 text in its one spelling; raises BadNote."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadNote(f"{what} is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise BadNote(f"{what} is base64 in an unusual spelling")
    return value


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or not _NAME.fullmatch(name):
        raise BadNote("a signature line is a dash (—), a name, and base64, with one blank between them")
    value = from_base64(encoded, f"the signature of {name}")
    if len(value) < 5:
        raise BadNote(f"the signature of {name} is too short")
    return Signature(name, value[:4], value[4:])


def _with_time(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _is_signed(public: bytes, message: bytes, value: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True
