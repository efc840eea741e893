"""Changes to histories, proofs and seals, each of which a verifier has to find."""

import base64
import copy
import json
import random

from tests.integrity.bundle_drafts import Draft, bad
from tests.integrity.made_log import Json, digest, lp, u64


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
def dated_without_a_seal_that_the_root_does_not_miss(draft: Draft) -> None:
    given = draft.chance.choice([slice(0), slice(1, None), slice(None, -1)])
    draft.bundle = draft.log.bundle([draft.log.names[0]], dated=True, given=given, since=draft.old)


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
