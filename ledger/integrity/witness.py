"""A witness: somebody outside who signs that today's log extends the one she saw last."""

from datetime import datetime

from ledger.integrity import tree
from ledger.integrity.notes import (
    COSIGNATURE,
    SIGNATURE,
    BadNote,
    Checkpoint,
    Key,
    Note,
    Signer,
    cosigned,
    read_checkpoint,
    verified,
)
from ledger.integrity.seals import microseconds
from ledger.integrity.signing import WrongKey, trusted_from
from ledger.integrity.tiles import StoredTree
from ledger.store.seal_rows import SealRows


def cosign(rows: SealRows, log_key: Key, note: Note, last: Note | None, signer: Signer, now: datetime) -> Note:
    """The note with a cosignature, if the log's key signed it and it extends the last one; raises BadNote, WrongKey.

    The handovers from `log_key` on and the proof are taken from the store, and believed only as far as they prove
    themselves.
    """
    if signer.key.kind != COSIGNATURE:
        raise WrongKey("this key is not a witness's (make one with 'water-ledger audit key create --witness NAME')")
    new = checked(rows, log_key, note)
    if last is not None:
        extends(rows, checked(rows, log_key, last), new)
        if not verified(last, [signer.key]):
            raise BadNote("the last note does not carry your own cosignature (take the one that you kept)")
    others = tuple(each for each in note.signatures if (each.name, each.key_id) != (signer.key.name, signer.key.id))
    return Note(note.text, (*others, cosigned(note.text, signer, microseconds(now) // 1_000_000)))


def checked(rows: SealRows, log_key: Key, note: Note) -> Checkpoint:
    """The checkpoint of a note that the log's key signed, or a key that follows it; raises BadNote."""
    point = read_checkpoint(note.text)
    if log_key.kind != SIGNATURE or log_key.name != point.origin:
        raise BadNote(f"the note is of the log {point.origin}, and the key given is that of {log_key.name}")
    kept = rows.keys() if rows.exists() else []
    if not verified(note, trusted_from(point.origin, kept, log_key)):
        raise BadNote(
            f"the note of size {point.size} is not signed by {log_key.name} ({log_key.id.hex()}), nor by a key that it "
            "handed over to"
        )
    return point


def extends(rows: SealRows, old: Checkpoint, new: Checkpoint) -> None:
    """Raise BadNote unless the store proves that the log of one note begins with that of the other."""
    if new.size < old.size:
        raise BadNote(f"the note of size {new.size} is older than the last one, of size {old.size}")
    try:
        proof = tree.consistency(old.size, new.size, StoredTree(rows).get)
    except KeyError:
        raise BadNote(f"the store does not hold the log of size {new.size} that the note states") from None
    if not tree.verify_consistency(old.size, new.size, old.root, new.root, proof):
        raise BadNote(f"the log of size {new.size} does not extend the one of size {old.size}: it was rewritten")
