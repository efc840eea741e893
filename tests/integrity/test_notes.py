"""Notes against the examples that C2SP publishes, and against everything that is nearly a note."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.integrity.notes import (
    COSIGNATURE,
    BadNote,
    Checkpoint,
    Key,
    Note,
    cosigned,
    key_named,
    read_checkpoint,
    read_note,
    read_vkey,
    signed,
    verified,
)

# C2SP signed-note, section "Example".
PUBLISHED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# C2SP tlog-cosignature, the example with a witness.
PUBLISHED_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


class Held:
    """A signer made of a seed."""

    def __init__(self, name: str, seed: int, kind: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = key_named(name, self._private.public_key().public_bytes_raw(), kind)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


LOG = Held("test.example/ledger", 1)
WITNESS = Held("auditor.example/w", 2, COSIGNATURE)
TEXT = Checkpoint("test.example/ledger", 7, bytes(range(32))).text


def test_the_published_example_is_verified_by_its_published_key():
    key, note = read_vkey(PUBLISHED_KEY), read_note(PUBLISHED_NOTE)
    assert verified(note, [key]) == [(key, None)]
    assert str(note) == PUBLISHED_NOTE
    assert key.vkey == PUBLISHED_KEY


def test_the_published_checkpoint_is_read_with_its_witness_and_written_as_it_was():
    note = read_note(PUBLISHED_CHECKPOINT)
    assert str(note) == PUBLISHED_CHECKPOINT
    found = read_checkpoint(note.text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == note.text
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147
    assert verified(note, [read_vkey(PUBLISHED_KEY)]) == []


def test_a_log_signs_and_a_witness_adds_her_line():
    note = Note(TEXT, (signed(TEXT, LOG), cosigned(TEXT, WITNESS, 1_700_000_000)))
    again = read_note(str(note))
    assert again == note
    assert verified(again, [LOG.key, WITNESS.key]) == [(LOG.key, None), (WITNESS.key, 1_700_000_000)]
    assert read_vkey(WITNESS.key.vkey) == WITNESS.key


def test_a_witness_signs_the_time_too():
    line = cosigned(TEXT, WITNESS, 1_700_000_000)
    moved = line._replace(value=(1_600_000_000).to_bytes(8, "big") + line.value[8:])
    with pytest.raises(BadNote, match=r"the signature of auditor\.example/w .* is not over this text"):
        verified(Note(TEXT, (moved,)), [WITNESS.key])


@pytest.mark.parametrize("bit", range(0, 512, 37))
def test_an_altered_signature_is_found(bit):
    line = signed(TEXT, LOG)
    value = bytearray(line.value)
    value[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadNote, match="is not over this text"):
        verified(Note(TEXT, (line._replace(value=bytes(value)),)), [LOG.key])


def test_an_altered_text_is_found_and_another_key_verifies_nothing():
    note = Note(TEXT.replace("\n7\n", "\n8\n"), (signed(TEXT, LOG),))
    with pytest.raises(BadNote, match="is not over this text"):
        verified(note, [LOG.key])
    assert verified(Note(TEXT, (signed(TEXT, LOG),)), [Held("test.example/ledger", 3).key]) == []


GOOD = str(Note(TEXT, (signed(TEXT, LOG),)))
LINE = GOOD.splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        TEXT,
        TEXT + "\n",
        GOOD[:-1],
        GOOD + "\n",
        GOOD + "more\n",
        GOOD.replace("\n\n", "\n"),
        GOOD.replace("— ", "- "),
        GOOD.replace("— ", "—  "),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("7\n", "7\t\n", 1),
        TEXT + "\n— test.example/ledger \n",
        TEXT + "\n— test.example/ledger AAAA\n",
        TEXT + "\n—  AAAAAAAA\n",
        TEXT + "\n— a+b AAAAAAAA\n",
        LINE[:-2] + "\n",
        GOOD[:-1] + " \n",
        GOOD.replace("test", "te\ud800t"),
        TEXT + "\n" + LINE * 65,
        "x" * 100_001 + "\n\n" + LINE,
    ],
)
def test_what_is_nearly_a_note_is_refused(text):
    with pytest.raises(BadNote):
        read_note(text)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n7\n", "\n07\n"),
        TEXT.replace("\n7\n", "\n+7\n"),
        TEXT.replace("\n7\n", "\n٧\n"),
        TEXT.replace("\n7\n", "\n-1\n"),
        TEXT.replace("\n7\n", f"\n{2**63}\n"),
        TEXT + "extension\n",
        TEXT[:-1],
        "\n" + TEXT.partition("\n")[2],
        TEXT.replace("=\n", "\n"),
        TEXT.replace("8=\n", "9=\n"),
        "o\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
    ],
)
def test_what_is_nearly_a_checkpoint_is_refused(text):
    with pytest.raises(BadNote):
        read_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PUBLISHED_KEY.replace("530d903a", "530D903A"),
        PUBLISHED_KEY.replace("530d903a", "530d903b"),
        PUBLISHED_KEY.replace("example.com", "example.org"),
        PUBLISHED_KEY[:-1],
        PUBLISHED_KEY.replace("foo", "f\ud800"),
        PUBLISHED_KEY.replace("+Ae", "+Be"),
        PUBLISHED_KEY.replace("example.com/foo", "example com"),
        Key("a", bytes(32), 2).vkey,
        Key("a", bytes(31)).vkey,
    ],
)
def test_what_is_nearly_a_verifier_key_is_refused(text):
    with pytest.raises(BadNote):
        read_vkey(text)


def test_a_name_that_no_signature_line_can_hold_is_refused():
    with pytest.raises(BadNote, match="cannot name a key"):
        key_named("two words", bytes(32))
