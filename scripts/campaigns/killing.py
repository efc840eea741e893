"""Campaigns 1, 2, 4 and 8: writers and servers killed while they write."""

import sys
from collections.abc import Callable
from subprocess import PIPE, Popen
from time import sleep
from typing import Any

import orjson

from scripts.campaigns.acting import Writer, made, records
from scripts.campaigns.looking import check_acknowledged, check_all_posted, check_posted_again, check_whole
from scripts.campaigns.run import Round
from tests.postgres_server import SAFE, Cluster


def killed_writer(round: Round) -> None:
    """A writer is killed at any moment; what it acknowledged is there, and the rest goes in afterwards, once."""
    chance = round.chance
    written = records(chance, accounts=chance.randint(1, 4), each=chance.randint(10, 40))
    url = made(round.fresh())
    writer = Writer(url, written, at_once=chance.choice([1, 1, 1, 7, 30]))
    writer.wait_for(chance.randrange(len(written)))
    writer.kill(after=chance.random() * 0.004)
    _look(round, url, written, writer.acknowledged)


def killed_server(round: Round) -> None:
    """The PostgreSQL server is killed under load; what was acknowledged is there when it is back."""
    _server_away(round, Cluster.kill)


def restarted_server(round: Round) -> None:
    """The PostgreSQL server is restarted under load; writers wait and go on."""
    _server_away(round, Cluster.stop)


def _server_away(round: Round, away: Callable[[Cluster], None]) -> None:
    chance = round.chance
    with Cluster(round.folder / "server", SAFE | {"log_min_messages": "panic"}) as cluster:
        url = made(cluster.url)
        shares = [
            [
                record | {"account": f"{writer}-{record['account']}", "id": f"{writer}-{record['id']}"}
                for record in share
            ]
            for writer, share in enumerate(records(chance, 2, 40) for _ in range(3))
        ]
        writers = [Writer(url, share, at_once=chance.choice([1, 1, 5]), patience=1000) for share in shares]
        for _ in range(2):
            sleep(chance.random() * 0.3)
            away(cluster)
            sleep(chance.random() * 0.1)
            cluster.start()
            round.counts["servers away"] += 1
        for writer in writers:
            writer.join()
        everything = check_all_posted(url, writers, shares)
        round.counts["acknowledged"] += len(everything)


def _look(round: Round, url: str, written: list[dict[str, object]], acknowledged: list[int]) -> None:
    check_whole(url)
    check_acknowledged(url, written, acknowledged)
    check_posted_again(url, written, acknowledged)
    round.counts["acknowledged"] += len(acknowledged)
    round.counts["killed"] += 1


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
