"""Data keys of personal data: sealing, opening, erasing; and the keyed digests."""

import base64
import binascii
import hmac
import secrets
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from threading import RLock
from typing import TYPE_CHECKING

from ledger.store.key_rows import KeyRow, KeyRows, Owner
from ledger.store.log import StoreError, lp

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ERASED = "[erased]"
"""What is read of a personal field whose key is gone."""

KINDS = ("contact", "medical")

SEALED = "sealed:1:"
"""How a personal field that is stored begins."""

_NONCE = 12
_KEPT = 10_000
_HMAC_KEY = "hmac"


class Tampered(StoreError):
    """A sealed field does not verify: altered, or moved from another account or field."""


class Keys:
    """The data keys of one ledger, one for each account and class, made when first needed.

    `kek` returns the key-encryption key, making one if its argument says so. `commitment` is what the ledger says of
    its keys: those of another ledger are refused, for they would know no command and open no personal data. New data
    keys are written by `flush`, which has to come before the commit of the events sealed with them: a key without
    events is harmless, an event without its key is not. Keys are deleted by it too, before the commit of the event that
    says so: who dies in between has erased, and says it when it is run again.
    """

    def __init__(self, rows: KeyRows, origin: str, kek: Callable[[bool], bytes], commitment: str | None = None) -> None:
        self._rows = rows
        self._commitment = commitment
        self._origin = origin.encode()
        self._kek = kek
        self._lock = RLock()
        self._kek_bytes: bytes | None = None
        self._hmac_key: bytes | None = None
        self._digests: hmac.HMAC | None = None
        self._opened: OrderedDict[bytes, tuple[Owner, bytes]] = OrderedDict()
        self._sealing: dict[Owner, bytes] = {}
        self._new: list[KeyRow] = []
        self._retired: set[bytes] = set()

    def create(self) -> None:
        """Create the key store and the key-encryption key, once; what is there already stays.

        Raises StoreError where the keys there are another ledger's.
        """
        with self._lock:
            if self._rows.secret(_HMAC_KEY) is None:
                self._kek_bytes = self._kek(True)
                wrapped = self._wrap(secrets.token_bytes(32), b"hmac")
                self._rows.create({_HMAC_KEY: wrapped})
            try:
                self._hmac()
            except Tampered:
                raise StoreError(
                    f"{self._rows.place} holds the keys of another ledger (move them away, or give the origin and the "
                    "key-encryption key they were made with)"
                ) from None

    @property
    def commitment(self) -> str:
        """Says which keys these are and nothing of what they are; written down in the ledger they belong to."""
        return _commitment_of(self._hmac())

    def seal(self, account: str, kind: str, field: str, text: str) -> str:
        """`text` as stored, under the account's data key for that class; call `flush` before events are committed."""
        assert kind in KINDS, kind
        with self._lock:
            key = self._sealing_key((account, kind))
        key_id = key_id_of(key)
        nonce = secrets.token_bytes(_NONCE)
        sealed = _aead(key).encrypt(nonce, text.encode(), self._field_data(account, field, key_id))
        return f"{SEALED}{key_id.hex()}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, account: str, kind: str, field: str, sealed: str) -> str:
        """The text that was sealed, or "[erased]" where its key is gone; raises Tampered."""
        key_id, body = _parts(sealed, account, field)
        with self._lock:
            self._hmac()
            found = self._opening_key(key_id)
        if found is None:
            return ERASED
        owner, key = found
        if owner != (account, kind):
            raise Tampered(f"account {account}: {field} was sealed for another account or class")
        text = _opened(key, body, self._field_data(account, field, key_id))
        if text is None:
            raise Tampered(f"account {account}: {field} was altered after it was sealed")
        return text.decode()

    def data_key(self, account: str, key_id: bytes) -> bytes | None:
        """A data key of the account, for whoever may read its personal data elsewhere; None where it was erased."""
        with self._lock:
            self._hmac()
            owner, key = self._opening_key(key_id) or (("", ""), None)
        return key if owner[0] == account else None

    def prepare(self, owners: Iterable[Owner]) -> None:
        """Have the sealing keys of many (account, class) pairs at hand, in one reading; those that lack are made."""
        with self._lock:
            self._hmac()
            wanted = [owner for owner in dict.fromkeys(owners) if owner not in self._sealing]
            for row in self._rows.of(wanted):
                if row.key_id not in self._retired:
                    self._sealing.setdefault((row.account, row.kind), self._unwrapped(row))
            for owner in wanted:
                if owner not in self._sealing:
                    self._sealing[owner] = self._made(owner)

    def retire(self, account: str, kind: str) -> list[bytes]:
        """The ids of the keys of a class, for `flush` to delete; what is sealed from here on gets a new key."""
        assert kind in KINDS, kind
        with self._lock:
            self._hmac()
            owner = (account, kind)
            self._sealing.pop(owner, None)
            found = [*self._rows.of([owner]), *(row for row in self._new if (row.account, row.kind) == owner)]
            ids = [row.key_id for row in found]
            self._retired.update(ids)
            return ids

    def flush(self, erasing: Collection[bytes] = ()) -> None:
        """Write the data keys made since the last time, durably, and delete those in `erasing` for good."""
        with self._lock:
            if new := [row for row in self._new if row.key_id not in erasing]:
                self._rows.add(new)
            for key_id in erasing:
                self._opened.pop(key_id, None)
            if erasing:
                self._rows.erase(erasing)
            self._new = []
            self._sealing = {}
            self._retired = set()

    def erase(self, account: str, kind: str | None = None) -> int:
        """Delete the account's data keys, of one class or of all, and return how many: what they sealed is gone."""
        ids = [key_id for each in KINDS if kind in (None, each) for key_id in self.retire(account, each)]
        self.flush(ids)
        self.tidy()
        return len(ids)

    def tidy(self) -> None:
        """After keys were deleted, and what says so was committed: clear their bytes, as far as the store can."""
        with self._lock:
            self._rows.tidy()

    def digest(self, content: bytes) -> bytes:
        """The keyed digest of a command's content (HMAC-SHA256); useless to whoever holds the ledger alone."""
        if self._digests is None:
            self._digests = hmac.new(self._hmac(), b"waterledger/command/v1\n", "sha256")
        digest = self._digests.copy()
        digest.update(content)
        return digest.digest()

    def lookup(self, text: str) -> bytes:
        """The keyed digest under which an e-mail address is looked up, whatever its letters' case."""
        plain = unicodedata.normalize("NFKC", text.strip()).casefold()
        return hmac.digest(self._hmac(), b"waterledger/lookup/v1\n" + plain.encode(), "sha256")

    def close(self) -> None:
        """Forget every key and let go of the store."""
        with self._lock:
            self._kek_bytes = self._hmac_key = self._digests = None
            self._opened.clear()
            self._sealing.clear()
            self._rows.close()

    def _sealing_key(self, owner: Owner) -> bytes:
        if owner not in self._sealing:
            self.prepare([owner])
        return self._sealing[owner]

    def _made(self, owner: Owner) -> bytes:
        key = secrets.token_bytes(32)
        key_id = key_id_of(key)
        self._new.append(KeyRow(key_id, *owner, self._wrap(key, b"data", owner, key_id)))
        self._keep(key_id, owner, key)
        return key

    def _opening_key(self, key_id: bytes) -> tuple[Owner, bytes] | None:
        if key_id in self._opened:
            self._opened.move_to_end(key_id)
            return self._opened[key_id]
        row = self._rows.by_id(key_id)
        if row is None:
            return None
        return (row.account, row.kind), self._unwrapped(row)

    def _unwrapped(self, row: KeyRow) -> bytes:
        owner = (row.account, row.kind)
        key = self._unwrap(row.wrapped, b"data", owner, row.key_id)
        if key_id_of(key) != row.key_id:
            raise Tampered(f"{self._rows.place}: a data key of account {row.account} is not the one its id names")
        self._keep(row.key_id, owner, key)
        return key

    def _keep(self, key_id: bytes, owner: Owner, key: bytes) -> None:
        self._opened[key_id] = owner, key
        if len(self._opened) > _KEPT:
            self._opened.popitem(last=False)

    def _hmac(self) -> bytes:
        """The key of the digests; asked before any other key is used, because it tells whose keys these are."""
        with self._lock:
            if self._hmac_key is None:
                wrapped = self._rows.secret(_HMAC_KEY)
                if wrapped is None:
                    raise StoreError(f"there is no key store at {self._rows.place} (put it back beside its ledger)")
                key = self._unwrap(wrapped, b"hmac")
                if self._commitment not in (None, _commitment_of(key)):
                    raise StoreError(
                        f"{self._rows.place} holds the keys of another ledger (put back those made with this one)"
                    )
                self._hmac_key = key
            return self._hmac_key

    def _wrap(self, key: bytes, use: bytes, owner: Owner = ("", ""), key_id: bytes = b"") -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + _aead(self._kek_now()).encrypt(nonce, key, self._wrap_data(use, owner, key_id))

    def _unwrap(self, wrapped: bytes, use: bytes, owner: Owner = ("", ""), key_id: bytes = b"") -> bytes:
        key = _opened(self._kek_now(), wrapped, self._wrap_data(use, owner, key_id))
        if key is None:
            self._kek_bytes = None
            raise Tampered(
                f"{self._rows.place} does not open with this key-encryption key (give the one it was made with, in "
                "WATER_LEDGER_KEK or in its file), or it was altered"
            )
        return key

    def _kek_now(self) -> bytes:
        if self._kek_bytes is None:
            self._kek_bytes = self._kek(False)
        return self._kek_bytes

    def _wrap_data(self, use: bytes, owner: Owner, key_id: bytes) -> bytes:
        parts = (self._origin, use, owner[0].encode(), owner[1].encode(), key_id)
        return b"waterledger/wrap/v1\n" + b"".join(map(lp, parts))

    def _field_data(self, account: str, field: str, key_id: bytes) -> bytes:
        return _field_data(self._origin, account, field, key_id)


def key_id_of(key: bytes) -> bytes:
    """The id of a data key, which commits to it."""
    return sha256(b"waterledger/dek-commit/v1\n" + key).digest()[:16]


def opened_with(keys: Mapping[bytes, bytes], origin: str, account: str, field: str, sealed: str) -> str:
    """The text that was sealed, opened with data keys by their ids; "[erased]" where its key is not among them.

    Raises Tampered.
    """
    key_id, body = _parts(sealed, account, field)
    if key_id not in keys:
        return ERASED
    text = _opened(keys[key_id], body, _field_data(origin.encode(), account, field, key_id))
    if text is None:
        raise Tampered(f"account {account}: {field} was altered after it was sealed")
    return text.decode()


def _field_data(origin: bytes, account: str, field: str, key_id: bytes) -> bytes:
    return b"waterledger/pii/v1\n" + b"".join(map(lp, (origin, account.encode(), field.encode(), key_id)))


def _commitment_of(digest_key: bytes) -> str:
    return sha256(b"waterledger/digest-commit/v1\n" + digest_key).digest()[:16].hex()


def _parts(sealed: str, account: str, field: str) -> tuple[bytes, bytes]:
    key_id, colon, body = sealed.removeprefix(SEALED).partition(":")
    try:
        parts = bytes.fromhex(key_id), base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        parts = b"", b""
    again = f"{SEALED}{parts[0].hex()}:{base64.b64encode(parts[1]).decode()}"
    if not colon or len(parts[0]) != 16 or len(parts[1]) <= _NONCE or again != sealed:
        raise Tampered(f"account {account}: {field} is not a sealed field")
    return parts


def _aead(key: bytes) -> "AESGCM":
    # Loading the library takes longer than most questions; those that show no personal field do without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _opened(key: bytes, body: bytes, data: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        return _aead(key).decrypt(body[:_NONCE], body[_NONCE:], data)
    except (InvalidTag, ValueError):
        return None
