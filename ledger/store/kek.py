"""The key-encryption key: from the environment, or from a file that only its owner can read."""

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ledger.store.log import StoreError

VARIABLE = "WATER_LEDGER_KEK"
SIZE = 32


def kek_beside(path: str) -> Callable[[bool], bytes]:
    """How to get the key-encryption key of a ledger in a file: `path` is used where the environment holds none."""
    return lambda create: _from_environment() or _from_file(Path(path), create)


def kek_of_user(origin: str) -> Callable[[bool], bytes]:
    """How to get the key-encryption key of a ledger on a server: a file in the user's configuration otherwise."""

    def get(create: bool) -> bytes:
        return _from_environment() or _from_file(user_file(origin, "kek"), create, own_folder=True)

    return get


def user_file(origin: str, kind: str) -> Path:
    """Where a user keeps a secret of the log named `origin`, apart from the server."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(home) / "water-ledger" / f"{sha256(origin.encode()).hexdigest()[:16]}.{kind}"


def _from_environment() -> bytes | None:
    text = os.environ.get(VARIABLE)
    return _decoded(text, VARIABLE) if text else None


def _from_file(path: Path, create: bool, *, own_folder: bool = False) -> bytes:
    try:
        if create and own_folder:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if create and not path.exists():
            # Of creators that start together one wins, and all read its key.
            with suppress(FileExistsError):
                write_once(path, base64.b64encode(secrets.token_bytes(SIZE)) + b"\n")
        if path.stat().st_mode & 0o077:
            raise StoreError(f"{path} holds the key of personal data and others may read it (chmod 600 {path})")
        return _decoded(path.read_text("ascii", errors="replace"), str(path))
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not create:
            raise StoreError(
                f"the key of personal data is not at {path} (put the file back, or give the key in {VARIABLE})"
            ) from None
        raise StoreError(
            f"the key of personal data at {path} cannot be read or written (check its folder, or set {VARIABLE})"
        ) from None


def write_once(path: Path, secret: bytes) -> None:
    """Write a secret to a new file that only its owner can read; raises OSError, FileExistsError where there is one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        # A link is made whole or not at all, and never over a file that is there.
        os.link(draft, path)
        _sync(path.parent)
    finally:
        draft.unlink()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _decoded(text: str, where: str) -> bytes:
    text = text.strip()
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != SIZE or base64.b64encode(key).decode() != text:
        raise StoreError(f"{where} holds no key: 32 random bytes in base64 (make one with 'openssl rand -base64 32')")
    return key
