"""Keys that sign, in a file that only its owner can read or behind any other Signer, and how one follows another.

A handover is a note of its own that names the log, the first seal the new key signs, and the new key. The key before
signs it, and the new one too: whoever holds an old verifier key can follow the notes to the current one.
"""

import base64
from pathlib import Path

from ledger.integrity.notes import (
    SIGNATURE,
    BadNote,
    Key,
    Note,
    Signer,
    key_named,
    read_note,
    read_vkey,
    signed,
    verified,
)
from ledger.store.kek import write_once
from ledger.store.log import StoreError
from ledger.store.seal_rows import NotSealing, SealKey, SealRows

_TITLE = "waterledger/key/v1"


class WrongKey(StoreError):
    """A key is not there, not readable, or not the one that is needed; the message says which and what to do."""


class FileSigner:
    """An Ed25519 key in a file: one line with the verifier key, one with the 32 secret bytes in base64."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.is_file() and path.stat().st_mode & 0o077:
                raise WrongKey(f"{path} holds a key to sign with and others may read it (chmod 600 {path})")
            lines = path.read_text("ascii", errors="replace").split("\n")
        except FileNotFoundError:
            raise WrongKey(
                f"there is no key to sign with at {path} (create one, or name its file with --key)"
            ) from None
        except OSError:
            raise WrongKey(f"the key at {path} cannot be read (check its folder and its permissions)") from None
        try:
            self.key = read_vkey(lines[0])
            secret = base64.b64decode(lines[1], validate=True)
        except (BadNote, IndexError, ValueError):
            raise WrongKey(f"{path} holds no key to sign with (restore a copy, or name another with --key)") from None
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private = Ed25519PrivateKey.from_private_bytes(secret) if len(secret) == 32 else None
        if self._private is None or self._private.public_key().public_bytes_raw() != self.key.public:
            raise WrongKey(f"{path} holds a key whose halves do not belong together (restore a copy)")

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        assert self._private is not None
        return self._private.sign(message)


def make_key_file(path: Path, name: str, kind: int = SIGNATURE) -> FileSigner:
    """A new key of that name in a new file; raises WrongKey where there is a file, BadNote for the name."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    key = key_named(name, private.public_key().public_bytes_raw(), kind)
    text = f"{key.vkey}\n{base64.b64encode(private.private_bytes_raw()).decode()}\n"
    try:
        write_once(path, text.encode())
    except FileExistsError:
        raise WrongKey(f"{path} is there already, and a key is never overwritten (name another file)") from None
    except OSError as error:
        raise WrongKey(f"{path} cannot be written: {error.strerror} (check its folder)") from None
    return FileSigner(path)


def current_key(rows: SealRows) -> Key:
    """The key that signs the next seal; raises NotSealing."""
    if not rows.exists() or not (keys := rows.keys()):
        raise NotSealing(rows.place)
    return read_vkey(keys[-1].vkey)


def introduce(rows: SealRows, origin: str, new: Signer, old: Signer | None) -> SealKey:
    """Make `new` the log's key from the next seal on; `old` hands over, unless it is lost or there is none.

    Raises StoreUnavailable where somebody is sealing, Conflict where another key came first.
    """
    with rows.sealing():
        last = rows.last()
        since = last.number + (rows.note(last.number) is not None) if last else 1
        text = _handover(origin, since, new.key.vkey)
        signatures = tuple(signed(text, signer) for signer in (old, new) if signer is not None)
        key = SealKey(len(rows.keys()) + 1, since, new.key.vkey, str(Note(text, signatures)))
        rows.add_key(key)
    return key


def trusted_from(origin: str, kept: list[SealKey], key: Key) -> list[Key]:
    """A key and those that follow it by an unbroken line of handovers; what the store says besides is not believed."""
    found = [key]
    for each in kept:
        try:
            new, note = read_vkey(each.vkey), read_note(each.handover)
            if note.text == _handover(origin, each.since, each.vkey) and verified(note, found[-1:]):
                found.append(new)
        except BadNote:
            continue
    return found


def followed(origin: str, kept: list[SealKey], trusted: Key | None) -> tuple[list[tuple[int, Key]], list[str]]:
    """The log's keys with the first seal of each, and what is wrong with them.

    From the key `trusted` on, each has to be named by the one before; without it the first is believed.
    """
    keys: list[tuple[int, Key]] = []
    wrong: list[str] = []
    reached = trusted is None
    for due, each in enumerate(kept, 1):
        if each.number != due:
            wrong.append(f"key {due} is missing: the next is numbered {each.number}")
        try:
            key, note = read_vkey(each.vkey), read_note(each.handover)
            before = keys[-1][1] if keys else None
            if note.text != _handover(origin, each.since, each.vkey):
                wrong.append(f"the note that names key {each.number} says something else")
            by = [signer for signer, _ in verified(note, [key, *([before] if before else [])])]
            if key not in by:
                wrong.append(f"key {each.number} ({key.id.hex()}) did not sign the note that names it")
            if before and before not in by and reached and key != trusted:
                wrong.append(
                    f"key {each.number} ({key.id.hex()}) was not named by the key before, which was lost or replaced"
                )
        except BadNote as error:
            wrong.append(f"key {each.number}: {error}")
            continue
        reached = reached or key == trusted
        keys.append((each.since, key))
    if not reached and trusted is not None:
        wrong.append(f"none of the log's keys is the one given ({trusted.name}, {trusted.id.hex()})")
    return keys, wrong


def _handover(origin: str, since: int, vkey: str) -> str:
    return f"{_TITLE}\n{origin}\n{since}\n{vkey}\n"
