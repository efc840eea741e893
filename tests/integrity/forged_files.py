"""Changes to notes and keys, and files that say one thing to one reader and another to the next."""

import base64

from tests.integrity.bundle_drafts import Draft, bad, written
from tests.integrity.forged_histories import mangle
from tests.integrity.made_log import MadeLog, SigningKey, digest


@bad
def another_key(draft: Draft) -> None:
    draft.keys = [SigningKey(draft.log.origin, draft.chance.randint(2, 99)).vkey]


@bad
def key_of_another_name(draft: Draft) -> None:
    draft.keys = [SigningKey("other.example/ledger").vkey]


@bad
def key_not_copied_whole(draft: Draft) -> None:
    key = draft.log.key.vkey
    draft.keys = [draft.chance.choice([key[:-4], key[1:], key.replace("+", " "), key[:-1] + "A", "", "x"])]


@bad
def signed_by_another(draft: Draft) -> None:
    text = draft.bundle["note"].partition("\n\n")[0] + "\n"
    draft.bundle["note"] = f"{text}\n{SigningKey(draft.log.origin, 7).line(text)}"


@bad
def signature_forged(draft: Draft) -> None:
    text, _, line = draft.bundle["note"].partition("\n\n")
    dash, name, body = line.split()
    blob = bytearray(base64.b64decode(body))
    blob[draft.chance.randrange(4, len(blob))] ^= 1 << draft.chance.randrange(8)
    draft.bundle["note"] = f"{text}\n\n{dash} {name} {base64.b64encode(bytes(blob)).decode()}\n"


@bad
def note_forged(draft: Draft) -> None:
    origin, size, root, blank, line, end = draft.bundle["note"].split("\n")
    other_root = base64.b64encode(digest(b"x")).decode()
    draft.bundle["note"] = draft.chance.choice(
        [
            "\n".join(["other.example/ledger", size, root, blank, line, end]),
            "\n".join([origin, str(int(size) + 1), root, blank, line, end]),
            "\n".join([origin, f"0{size}", root, blank, line, end]),
            "\n".join([origin, "0", root, blank, line, end]),
            "\n".join([origin, size + "0" * 30, root, blank, line, end]),
            "\n".join([origin, size, other_root, blank, line, end]),
            "\n".join([origin, size, root, "extension", blank, line, end]),
            "\n".join([origin, size, root, blank, line]),
            "\n".join([origin, size, root, line, end]),
            "\n".join([origin, size, root, blank, ""]),
            "\n".join([origin, size, root, blank, line.replace("—", "-"), end]),
            "\n".join([origin, size, root, blank, line + " ", end]),
            "\n".join([origin, size, root, blank, line, "", end]),
            "\r\n".join([origin, size, root, blank, line, end]),
            "\n".join([origin, size, root[:-1], blank, line, end]),
            "\n".join([origin, size, root + "\t", blank, line, end]),
            "",
        ]
    )


@bad
def since_without_a_proof(draft: Draft) -> None:
    draft.bundle.pop("consistency", None)
    draft.since = draft.log.seals[0].note


@bad
def since_another_size(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    draft.since = draft.log.seals[draft.chance.choice([0, 2])].note


@bad
def since_a_fork(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    draft.since = note_of_a_fork(draft)


@bad
def since_a_fork_of_the_same_size(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], seal=1)
    draft.since = note_of_a_fork(draft)


def note_of_a_fork(draft: Draft) -> str:
    """What the log's own key signed of another log, as large as this one was at its second seal."""
    fork = MadeLog(seed=77, accounts=len(draft.log.names))
    size = draft.log.seals[1].leaf + 1
    text = f"{draft.log.origin}\n{size}\n{base64.b64encode(fork.tree.root(0, size)).decode()}\n"
    return f"{text}\n{draft.log.key.line(text)}"


@bad
def since_a_longer_log(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], seal=1, since=0)
    draft.since = draft.log.seals[3].note


@bad
def since_another_log(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    other = MadeLog(seed=3, origin="other.example/ledger")
    draft.since = other.seals[1].note
    draft.keys.append(other.key.vkey)


@bad
def since_a_note_not_signed(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    text = draft.log.seals[1].note.partition("\n\n")[0] + "\n"
    draft.since = f"{text}\n{SigningKey(draft.log.origin, 7).line(text)}"


@bad
def consistency_forged(draft: Draft) -> None:
    old = draft.chance.choice([0, 1, 2])
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=old)
    draft.since = draft.log.seals[old].note
    mangle(draft.bundle["consistency"]["proof"], draft.chance)


@bad
def bit_flipped(draft: Draft) -> None:
    raw = bytearray(written(draft.bundle))
    raw[draft.chance.randrange(len(raw))] ^= 1 << draft.chance.randrange(8)
    draft.raw = bytes(raw)


@bad
def byte_dropped(draft: Draft) -> None:
    raw = bytearray(written(draft.bundle))
    del raw[draft.chance.randrange(len(raw))]
    draft.raw = bytes(raw)


@bad
def file_cut(draft: Draft) -> None:
    raw = written(draft.bundle)
    draft.raw = raw[: draft.chance.randrange(len(raw))]


@bad
def something_before_or_behind(draft: Draft) -> None:
    raw = written(draft.bundle)
    ways = [
        raw + b"x",
        raw + b"{}",
        raw + raw,
        b"\xef\xbb\xbf" + raw,
        raw + b"\0",
        b"[" + raw + b"]",
        raw.decode().encode("utf-16"),
    ]
    draft.raw = draft.chance.choice([*ways, raw + "\u00a0".encode(), b"\x0c" + raw, raw + b"\xff"])


@bad
def key_twice(draft: Draft) -> None:
    raw = written(draft.bundle).decode()
    name = draft.chance.choice(["format", "note", "index", "version", "stored", "heads_root", "events"])
    at = raw.index(f'"{name}":')
    first = {"index": "0", "version": "1", "events": "[]"}.get(name, '"x"')
    spelled = draft.chance.choice([name, f"\\u{ord(name[0]):04x}{name[1:]}"])
    draft.raw = f'{raw[:at]}"{spelled}":{first},{raw[at:]}'.encode()


@bad
def base64_with_junk(draft: Draft) -> None:
    draft.bundle = draft.log.bundle(draft.log.names[:1], since=draft.old)
    text = draft.bundle["nodes"]
    ways = [
        text + "=",
        text + "\n",
        " " + text,
        text[:4] + "\r\n" + text[4:],
        text.rstrip("=") + "*",
        text + "AA==",
        text + "A",
    ]
    draft.bundle["nodes"] = draft.chance.choice([*ways, "é" + text, text.replace("A", "-"), text[:-4] + "____"])


@bad
def base64_of_a_key_with_junk(draft: Draft) -> None:
    (id, key), *_ = draft.log.bundle([draft.log.names[0]])["accounts"][0]["keys"].items()
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=draft.old)
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = key[:-2] + last[last.index(key[-2]) + 1] + "="
    draft.bundle["accounts"][0]["keys"] = {id: draft.chance.choice([other, key.rstrip("="), key + "=", key + " "])}


@bad
def hex_in_capitals(draft: Draft) -> None:
    draft.bundle["seal"] = draft.bundle["seal"] | {"heads_root": draft.bundle["seal"]["heads_root"].upper() + ""}
    draft.bundle["seal"]["shards"] = "A" + draft.bundle["seal"]["shards"][1:]


@bad
def member_unknown(draft: Draft) -> None:
    places = [draft.bundle, draft.account, draft.account["events"][0]]
    name = draft.chance.choice(["", "comment", "keys?", "*", "__proto__", "constructor", "Format", "hash "])
    draft.chance.choice(places)[name] = draft.chance.choice([None, "", 1, {}, []])


@bad
def member_missing(draft: Draft) -> None:
    place, name = draft.chance.choice(
        [
            (draft.bundle, "format"),
            (draft.bundle, "note"),
            (draft.bundle, "seal"),
            (draft.bundle, "nodes"),
            (draft.bundle, "accounts"),
            (draft.account, "proof"),
            (draft.account, "events"),
            (draft.account["events"][0], "hash"),
            (draft.account["events"][0], "stored"),
        ]
    )
    del place[name]


@bad
def member_of_another_kind(draft: Draft) -> None:
    other = draft.chance.choice([None, True, 0, -1, 1.5, "", "x", [], {}, [None], {"a": 1}, "\ud800"])
    place, name = draft.chance.choice(
        [
            *(
                (draft.bundle, name)
                for name in ("format", "note", "seal", "accounts", "dated", "absent", "consistency")
            ),
            *((draft.account, name) for name in ("account", "index", "proof", "events")),
            *((draft.account["events"][0], name) for name in ("version", "type", "shard", "position", "leaf", "hash")),
        ]
    )
    place[name] = other if (name, other) != ("absent", []) else None
    draft.raw = written(draft.bundle, ensure_ascii=True)


@bad
def nested_deep(draft: Draft) -> None:
    draft.raw = written(draft.bundle)[:-1] + b',"dated":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@bad
def empty(draft: Draft) -> None:
    draft.raw = draft.chance.choice([b"", b"{}", b"[]", b"null", b'"x"', b" ", b"1"])


@bad
def about_nothing(draft: Draft) -> None:
    draft.bundle["accounts"] = []
    draft.bundle["absent"] = []
