"""Bundles that hold and bundles that do not, with what a verifier has to say of each."""

import base64
import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.integrity.made_log import HOUR, LIE, START, Json, MadeLog, SigningKey, digest, lp, moment, u64

Named = tuple[str | None, int | None]


class Case(NamedTuple):
    """A bundle, what it is checked with, whether it holds, and whom a finding has to name where that is plain."""

    name: str
    raw: bytes
    keys: list[str]
    since: str | None
    holds: bool
    names: Named | None = None


class Draft:
    """A good bundle of a made log, which a change makes into a case."""

    def __init__(self, log: MadeLog, chance: random.Random) -> None:
        self.log, self.chance = log, chance
        self.dated = chance.random() < 0.4
        self.old = chance.choice([None, 0, 1, 2])
        accounts = chance.sample(log.names, chance.choice([1, 1, 2, 4]))
        absent = chance.sample(["1", "7001", "7010", "9", "zz", "@utility"], chance.choice([0, 0, 1, 3]))
        keys = chance.random() < 0.7
        self.bundle = log.bundle(accounts, keys=keys, dated=self.dated, since=self.old, absent=absent)
        self.keys = [log.key.vkey]
        self.since = log.seals[self.old].note if self.old is not None else None
        self.raw: bytes | None = None
        self.names: Named | None = None

    @property
    def account(self) -> Json:
        """An account with a history of three events or more."""
        return max(self.bundle["accounts"], key=lambda each: len(each["events"]))

    def some_event(self, but_last: bool = False) -> Json:
        return self.chance.choice(self.account["events"][: -1 if but_last else None])

    def case(self, name: str, holds: bool) -> Case:
        raw = self.raw if self.raw is not None else written(self.bundle)
        return Case(name, raw, self.keys, self.since, holds, self.names)


def written(bundle: Any, **how: Any) -> bytes:
    return json.dumps(bundle, **({"ensure_ascii": False, "separators": (",", ":")} | how)).encode()


Change = Callable[[Draft], None]
GOOD: dict[str, Change] = {}
BAD: dict[str, Change] = {}


def good(change: Change) -> Change:
    GOOD[change.__name__] = change
    return change


def bad(change: Change) -> Change:
    BAD[change.__name__] = change
    return change


def cases(seed: int, count: int) -> Iterator[Case]:
    """So many cases: every change in turn, each on another draft; then pairs of changes."""
    chance = random.Random(seed)
    logs = [MadeLog(seed=each, accounts=chance.choice([6, 9, 16]), seals=4) for each in range(8)]
    yield from lies()
    turn = [*GOOD, *BAD]
    for number in range(count):
        name = turn[number % len(turn)]
        draft = Draft(chance.choice(logs), chance)
        (GOOD | BAD)[name](draft)
        if number >= 2 * len(turn) and draft.raw is None and name in BAD and chance.random() < 0.3:
            other = chance.choice([each for each in BAD if each != name])
            try:
                BAD[other](draft)
            except (IndexError, KeyError, TypeError, ValueError, StopIteration):
                continue  # the first change took away what the second needs
            draft.names = None
            yield draft.case(f"{name} and {other}", False)
        else:
            yield draft.case(name, name in GOOD)


def lies() -> Iterator[Case]:
    """What a dishonest utility signs: every hash is right, and an event is not what it says it is."""

    def said(**other: Any) -> Callable[[Json], str]:
        return lambda event: json.dumps(event | other)

    yes = {"as it is": said(), "in another order": lambda event: json.dumps(dict(reversed(event.items())), indent=1)}
    no = {
        "another type": said(type="BillIssued"),
        "another version": said(version=LIE + 1),
        "true for one": said(version=True),
        "a text for a version": said(version=str(LIE)),
        "a fraction": lambda event: json.dumps(event).replace(f'"version": {LIE}', f'"version": {LIE}.0'),
        "no version": lambda event: json.dumps({k: v for k, v in event.items() if k != "version"}),
        "a key twice": lambda event: json.dumps(event).replace("{", '{"amount": 1, "amount": 2, ', 1),
        "no object": lambda event: json.dumps([event]),
        "no JSON": lambda event: json.dumps(event) + "}",
        "nothing": lambda event: "",
        "a huge number": lambda event: json.dumps(event | {"amount": 2**63}),
    }
    for title, lie in (yes | no).items():
        log = MadeLog(seed=5, lies={"7003": lie})
        raw = written(log.bundle(["7000", "7003"]))
        yield Case(f"lie: {title}", raw, [log.key.vkey], None, title in yes, None if title in yes else ("7003", LIE))
    times = {
        moment(START - 24 * HOUR): False,
        moment(START + 1000 * 24 * HOUR): False,
        "2024-02-30T10:00:00Z": False,
        "2024-01-10": False,
        "2024-01-10T24:00:00Z": False,
        "2024-01-10T10:00:60Z": False,
        "2024-01-10T10:00:00": False,
        "0000-01-10T10:00:00Z": False,
        "٢٠٢٤-01-10T10:00:00Z": False,
        "": False,
    }
    for at, holds in times.items():
        log = MadeLog(seed=5, lies={"7003": said(recorded_at=at)})
        raw = written(log.bundle(["7000", "7003"], dated=True))
        yield Case(f"recorded at {at!r}", raw, [log.key.vkey], None, holds, ("7003", LIE))
        yield Case(f"recorded at {at!r}, undated", written(log.bundle(["7003"])), [log.key.vkey], None, True)


# --- bundles that hold ------------------------------------------------------------------------------------------------


@good
def as_made(draft: Draft) -> None:
    pass


@good
def spaced_out(draft: Draft) -> None:
    draft.raw = written(draft.bundle, indent=1, separators=(" ,\t", " :\r\n "))


@good
def escaped(draft: Draft) -> None:
    draft.raw = written(draft.bundle, ensure_ascii=True)


@good
def in_another_order(draft: Draft) -> None:
    draft.raw = written(draft.bundle, sort_keys=True)


@good
def without_keys(draft: Draft) -> None:
    for account in draft.bundle["accounts"]:
        account.pop("keys", None)


@good
def with_another_signer(draft: Draft) -> None:
    text = draft.bundle["note"].partition("\n\n")[0] + "\n"
    draft.bundle["note"] += SigningKey("witness.example/w", 9).line(text)


@good
def signed_twice(draft: Draft) -> None:
    draft.bundle["note"] += draft.bundle["note"].partition("\n\n")[2]


@good
def with_two_keys(draft: Draft) -> None:
    draft.keys.insert(0, SigningKey(draft.log.origin, 8).vkey)


@good
def of_an_older_seal(draft: Draft) -> None:
    draft.since = draft.log.seals[0].note
    draft.bundle = draft.log.bundle([draft.log.names[0]], seal=1, since=0, dated=draft.dated)


@good
def only_absent(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([], absent=["1", "zz"], since=draft.old)


@good
def of_every_account(draft: Draft) -> None:
    draft.bundle = draft.log.bundle(draft.log.names, since=draft.old, dated=draft.dated)


# --- histories that were changed --------------------------------------------------------------------------------------


def name_it(draft: Draft, event: Json) -> None:
    draft.names = draft.account["account"], event["version"]


@bad
def amount_altered(draft: Draft) -> None:
    event = draft.some_event()
    name_it(draft, event)
    event["stored"] = event["stored"].replace('"amount": -', '"amount": -1')


@bad
def blank_added(draft: Draft) -> None:
    event = draft.some_event()
    name_it(draft, event)
    event["stored"] += " "


@bad
def type_altered(draft: Draft) -> None:
    event = draft.some_event()
    name_it(draft, event)
    event["type"] = "PaymentReturned"


@bad
def event_dropped(draft: Draft) -> None:
    event = draft.some_event(but_last=True)
    name_it(draft, event)
    draft.account["events"].remove(event)


@bad
def event_dropped_and_renumbered(draft: Draft) -> None:
    event = draft.some_event(but_last=True)
    name_it(draft, event)
    draft.account["events"].remove(event)
    for version, each in enumerate(draft.account["events"], 1):
        each["version"] = version


@bad
def tail_cut(draft: Draft) -> None:
    account = draft.account
    del account["events"][draft.chance.randrange(1, len(account["events"])) :]
    draft.names = account["account"], len(account["events"])


@bad
def events_swapped(draft: Draft) -> None:
    events = draft.account["events"]
    first = draft.chance.randrange(len(events) - 1)
    draft.names = draft.account["account"], first + 1
    events[first], events[first + 1] = events[first + 1], events[first]


@bad
def contents_swapped(draft: Draft) -> None:
    events = draft.account["events"]
    a, b = draft.chance.sample(range(len(events)), 2)
    draft.names = draft.account["account"], min(a, b) + 1
    events[a]["stored"], events[b]["stored"] = events[b]["stored"], events[a]["stored"]


@bad
def event_twice(draft: Draft) -> None:
    events = draft.account["events"]
    events.append(copy.deepcopy(events[-1]))


@bad
def event_added(draft: Draft) -> None:
    account = draft.account
    last = account["events"][-1]
    added = last | {"version": last["version"] + 1, "position": last["position"] + 1, "leaf": last["leaf"] + 1}
    account["events"].append(added)
    rechain(draft, account, len(account["events"]) - 1)


@bad
def altered_and_hashed_anew(draft: Draft) -> None:
    account = draft.account
    at = draft.chance.randrange(len(account["events"]))
    account["events"][at]["stored"] = account["events"][at]["stored"].replace('"amount": -', '"amount": -1')
    rechain(draft, account, at)
    draft.names = account["account"], len(account["events"])


@bad
def back_dated(draft: Draft) -> None:
    event = draft.some_event()
    name_it(draft, event)
    event["stored"] = event["stored"].replace('"recorded_at": "2024-01', '"recorded_at": "2023-01')


@bad
def back_dated_and_hashed_anew(draft: Draft) -> None:
    account = draft.account
    for event in account["events"]:
        event["stored"] = event["stored"].replace('"recorded_at": "2024-01', '"recorded_at": "2023-01')
    rechain(draft, account, 0)


def rechain(draft: Draft, account: Json, first: int) -> None:
    """Hash the events from `first` on anew, as a forger would."""
    name = account["account"]
    hash = digest(b"waterledger/account/v1\n", lp(draft.log.origin), lp(name))
    if first:
        hash = bytes.fromhex(account["events"][first - 1]["hash"])
    for event in account["events"][first:]:
        event["stored"] = json.dumps(json.loads(event["stored"]) | {"version": event["version"]}, ensure_ascii=False)
        rest = lp(name), lp(event["type"]), lp(event["stored"])
        hash = digest(b"waterledger/event/v1\n", hash, u64(event["version"]), *rest)
        event["hash"] = hash.hex()


@bad
def hash_altered(draft: Draft) -> None:
    event = draft.some_event()
    name_it(draft, event)
    event["hash"] = digest(event["hash"].encode()).hex()


@bad
def place_altered(draft: Draft) -> None:
    event = draft.some_event()
    field = draft.chance.choice(["leaf", "position", "shard", "version"])
    event[field] += draft.chance.choice([1, 2, 1000]) if event[field] < 2 else draft.chance.choice([-1, 1, 7])


@bad
def account_renamed(draft: Draft) -> None:
    draft.bundle["accounts"][-1]["account"] += "0"


@bad
def history_of_another(draft: Draft) -> None:
    there = {each["account"] for each in draft.bundle["accounts"]}
    other = draft.log.bundle([draft.chance.choice([name for name in draft.log.names if name not in there])])
    draft.account["events"] = other["accounts"][0]["events"]


@bad
def accounts_out_of_order(draft: Draft) -> None:
    draft.bundle["accounts"] = [*draft.bundle["accounts"], copy.deepcopy(draft.bundle["accounts"][0])]


@bad
def index_altered(draft: Draft) -> None:
    draft.account["index"] = draft.chance.choice([draft.account["index"] + 1, draft.log.names.index("7000") + 3, 10**6])
    if draft.account["index"] == draft.log.names.index(draft.account["account"]):
        draft.account["index"] += 1


# --- proofs and seals that were forged --------------------------------------------------------------------------------


def mangle(proof: list[str], chance: random.Random) -> None:
    way = chance.randrange(4) if proof else 0
    if way == 0:
        proof.insert(chance.randint(0, len(proof)), digest(b"forged").hex())
    elif way == 1:
        proof.pop(chance.randrange(len(proof)))
    elif way == 2:
        proof[chance.randrange(len(proof))] = digest(b"forged").hex()
    else:
        proof += proof


@bad
def head_proof_forged(draft: Draft) -> None:
    mangle(draft.account["proof"], draft.chance)
    draft.names = draft.account["account"], len(draft.account["events"])


@bad
def nodes_forged(draft: Draft) -> None:
    blob = base64.b64decode(draft.bundle["nodes"])
    nodes = [blob[at : at + 32].hex() for at in range(0, len(blob), 32)]
    mangle(nodes, draft.chance)
    draft.bundle["nodes"] = base64.b64encode(bytes.fromhex("".join(nodes))).decode()


@bad
def nodes_cut(draft: Draft) -> None:
    blob = base64.b64decode(draft.bundle["nodes"])
    draft.bundle["nodes"] = base64.b64encode(blob[:-1] if blob else b"x").decode()


@bad
def seal_altered(draft: Draft) -> None:
    field = draft.chance.choice([*draft.bundle["seal"]])
    seal = draft.bundle["seal"] = dict(draft.bundle["seal"])
    seal[field] = seal[field] + 1 if isinstance(seal[field], int) else digest(b"x").hex()


@bad
def older_seal(draft: Draft) -> None:
    draft.bundle["seal"] = draft.log.seals[1].said


@bad
def older_note(draft: Draft) -> None:
    draft.bundle["note"] = draft.log.seals[draft.chance.randrange(3)].note


@bad
def key_of_another_id(draft: Draft) -> None:
    draft.account["keys"] = {"0" * 32: base64.b64encode(b"k" * 32).decode()}
    draft.names = draft.account["account"], None


@bad
def dated_seal_altered(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], dated=True, since=draft.old)
    seal = draft.chance.choice(draft.bundle["dated"]["seals"])
    field = draft.chance.choice([*seal])
    seal[field] = seal[field] + 1 if isinstance(seal[field], int) else digest(b"x").hex()


@bad
def dated_seal_left_out(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], dated=True, since=draft.old)
    draft.bundle["dated"]["seals"].pop()


@bad
def dated_seal_twice(draft: Draft) -> None:
    draft.bundle = draft.log.bundle([draft.log.names[0]], dated=True, since=draft.old)
    draft.bundle["dated"]["seals"] *= 2


@bad
def absent_though_it_is_there(draft: Draft) -> None:
    name = draft.chance.choice(draft.log.names)
    draft.bundle["absent"] = draft.log.bundle([], absent=[name])["absent"]
    draft.names = name, None


@bad
def absent_between_no_neighbours(draft: Draft) -> None:
    claim = draft.log.bundle([], absent=["7001"])["absent"][0]
    side = draft.chance.choice(["left", "right"])
    far = draft.log.bundle([], absent=["zz" if side == "right" else "1"])["absent"][0]
    claim[side] = draft.chance.choice([None, far["left" if side == "right" else "right"]])
    if claim[side] and claim[side]["account"] in ("7000", "7003"):
        claim[side] = None
    draft.bundle["absent"] = [claim]
    draft.names = "7001", None


@bad
def neighbour_forged(draft: Draft) -> None:
    draft.bundle["absent"] = draft.log.bundle([], absent=["7001"])["absent"]
    right = draft.bundle["absent"][0]["right"]
    field = draft.chance.choice(["account", "version", "hash", "index", "proof"])
    if field == "proof":
        mangle(right["proof"], draft.chance)
    else:
        right[field] = {"account": "7002", "version": right["version"] + 1, "hash": "0" * 64, "index": 2}[field]
    draft.names = "7001", None


# --- notes and keys ---------------------------------------------------------------------------------------------------


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
    fork = MadeLog(seed=77, accounts=len(draft.log.names))
    draft.bundle = draft.log.bundle([draft.log.names[0]], since=1)
    old = draft.log.seals[1].leaf + 1
    text = f"{draft.log.origin}\n{old}\n{base64.b64encode(fork.tree.root(0, old)).decode()}\n"
    draft.since = f"{text}\n{draft.log.key.line(text)}"


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


# --- files that say one thing to one reader and another to the next ---------------------------------------------------


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
def number_spelled_otherwise(draft: Draft) -> None:
    raw = written(draft.bundle).decode()
    name = draft.chance.choice(["version", "leaf", "position", "sealed_at", "accounts", "index", "number"])
    at = next(at for at in range(raw.index(f'"{name}":'), len(raw)) if raw[at - 1] == ":" and raw[at].isdigit())
    end = next(end for end in range(at, len(raw)) if not raw[end].isdigit())
    number = raw[at:end]
    forms = [
        "{}.0",
        "{}e0",
        "0{}",
        "+{}",
        "-{}",
        '"{}"',
        "[{}]",
        "{}" + "0" * 30,
        "{}" + "0" * 400,
        "0x{}",
        "{}n",
        "1_{}",
    ]
    others = ["true", "null", "NaN", "Infinity", "1e999", "-0", "18446744073709551616", "9007199254740993", "٣", ""]
    draft.raw = (
        raw[:at] + draft.chance.choice([*(form.format(number) for form in forms), *others]) + raw[end:]
    ).encode()


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
