"""Campaigns 1, 2, 4 and 8: writers and servers killed while they write."""

import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count as counted
from random import Random
from subprocess import PIPE, Popen
from time import monotonic, sleep
from typing import Any, LiteralString

import orjson
import psycopg
from psycopg import sql

from ledger.application import Ledger
from ledger.posting import OPENING
from ledger.store.log import EXPLICIT, shard_of
from ledger.store.postgres_schema import SHARDS
from scripts.campaigns.acting import Record, Writer, apart, clock, command, made, records
from scripts.campaigns.looking import check_acknowledged, check_all_posted, check_posted_again, check_whole
from scripts.campaigns.run import Round
from tests.postgres_server import PATIENCE, SAFE, Cluster


def killed_writer(round: Round) -> None:
    """A writer is killed at any moment; what it acknowledged is there, and the rest goes in afterwards, once."""
    chance = round.chance
    written = records(chance, accounts=chance.randint(1, 4), each=chance.randint(10, 40))
    url = made(round.fresh())
    writer = Writer(url, written, at_once=chance.choice([1, 1, 1, 7, 30]))
    writer.wait_for(chance.randrange(len(written)))
    writer.kill(after=chance.random() * 0.004)
    check_whole(url)
    check_acknowledged(url, written, writer.acknowledged)
    check_posted_again(url, written, writer.acknowledged)
    round.counts["acknowledged"] += len(writer.acknowledged)
    round.counts["killed"] += 1


def killed_server(round: Round) -> None:
    """The PostgreSQL server is killed under load; what was acknowledged is there when it is back."""
    _server_away(round, Cluster.kill)


def restarted_server(round: Round) -> None:
    """The PostgreSQL server is restarted under load; writers wait and go on."""
    _server_away(round, Cluster.stop)


def _server_away(round: Round, away: Callable[[Cluster], None]) -> None:
    """The server goes twice while writers wait for its answer: once before they commit, once when they have."""
    chance = round.chance
    with Cluster(round.folder / "server", SAFE | {"log_min_messages": "panic"}) as cluster:
        url = made(cluster.url)
        begun, everyone, shares = list[Record](), list[Writer](), list[list[Record]]()
        for when in chance.sample(("before", "after"), 2):
            for share in _in_other_shards(chance, when, 3):
                begun += [record for record in share if record["command"] == OPENING]
                shares.append([record for record in share if record["command"] != OPENING])
            with Ledger(url, clock) as ledger:
                list(ledger.post_all(map(command, begun)))
            writers = _unanswered(chance, cluster, shares[-3:], when, away)
            everyone += writers
            there = any(resent.there[0] for resent in writers[0].resent)
            assert there == (when == "after"), f"a writer was answered that lost its connection {when} a commit"
            round.counts["servers away"] += 1
            round.counts["sent again"] += sum(len(writer.resent) for writer in writers)
        everything = check_all_posted(url, everyone, shares, begun)
        round.counts["acknowledged"] += len(everything)


def _in_other_shards(chance: Random, name: str, count: int) -> list[list[Record]]:
    """So many shares of records, none of which has to wait for another."""
    found, taken = list[list[Record]](), set[int]()
    for number in counted():
        share = apart(records(chance, 2, 40), f"{name}-{number}")
        shards = {shard_of(record["account"], SHARDS) for record in share}
        if not shards & taken:
            found.append(share)
            taken |= shards
        if len(found) == count:
            return found
    raise AssertionError("unreachable")


def _unanswered(
    chance: Random, cluster: Cluster, shares: list[list[Record]], when: str, away: Callable[[Cluster], None]
) -> list[Writer]:
    """Writers for these shares; the server went when the first two waited for its answer. All have ended."""
    with closing(psycopg.connect(cluster.url)) as first, closing(psycopg.connect(cluster.url, autocommit=True)) as db:
        for share in shares[:2]:
            # Whoever writes this command waits until it is known what becomes of ours.
            id = f"{EXPLICIT}{chance.choice(share[: len(share) // 2])['id']}"
            first.execute("INSERT INTO ledger.command VALUES (%s, %s, '', '', 1, 1)", (shard_of(id, SHARDS), id))
        hasty = [True, False, chance.random() < 0.5]
        writers = [
            Writer(cluster.url, share, at_once=chance.choice([1, 1, 5]), patience=1000, hasty=each)
            for share, each in zip(shares, hasty, strict=True)
        ]
        _wait(db, "wait_event = 'transactionid'")
        if when == "after":
            # A commit that waits for a standby is on disk and has no answer.
            db.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            db.execute("SELECT pg_reload_conf()")
            first.rollback()
            # Whoever is at work waits for it: one of the two might not have come to its commit yet, and the third have.
            _wait(db, "wait_event = 'SyncRep'", "state <> 'idle' AND wait_event IS DISTINCT FROM 'SyncRep'")
        away(cluster)
    assert writers[0].wait_for_silence(), "every answer came"
    sleep(chance.random() * 0.1)
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as db:
        db.execute("ALTER SYSTEM RESET synchronous_standby_names")
        db.execute("SELECT pg_reload_conf()")
    for writer in writers:
        writer.join()
    return writers


def _wait(db: psycopg.Connection[Any], waiting: LiteralString, others: LiteralString = "false") -> None:
    """Until two are seen to wait like that, and nobody is seen like the `others`."""
    deadline = monotonic() + PATIENCE
    counts = sql.SQL("SELECT count(*) FILTER (WHERE {}) >= 2 AND count(*) FILTER (WHERE {}) = 0").format(
        sql.SQL(waiting), sql.SQL(others)
    )
    whose = sql.SQL(" FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
    while db.execute(counts + whose).fetchone() != (True,):
        assert monotonic() < deadline, f"no two writers are seen where {waiting}"
        sleep(0.005)


def killed_import(round: Round) -> None:
    """`post FILE` is killed at any moment, several times; the same file again completes it: no duplicate, no hole."""
    chance = round.chance
    written = records(chance, accounts=chance.randint(5, 40), each=60)
    feed = round.folder / "feed.jsonl"
    feed.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in written))
    url = made(round.fresh())
    told: list[dict[str, Any]] = []
    for _ in range(chance.randint(1, 3)):
        with Popen([sys.executable, "-m", "commands.cli", "--db", url, "post", str(feed)], stdout=PIPE) as post:
            assert post.stdout is not None
            some = [post.stdout.readline() for _ in range(chance.choice([0, 0, 1, 1000]))]
            sleep(chance.random() * (0.5 if some else 1.5))
            post.kill()
            some += post.stdout.readlines()
        told = [orjson.loads(line) for line in some if line.endswith(b"\n")]
        round.counts["killed"] += 1
        check_whole(url)
        check_acknowledged(url, written, (answer["line"] - 1 for answer in told))
    check_posted_again(url, written, (answer["line"] - 1 for answer in told))
    round.counts["lines"] += len(written)
