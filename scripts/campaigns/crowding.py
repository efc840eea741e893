"""Campaigns 9 to 12: many at once, the same thing again and in another order, slow among fast, clocks that jump."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from random import Random
from time import sleep

from commands import answers
from ledger.application import Ledger
from ledger.calendar import PACIFIC
from ledger.posting import Outcome
from ledger.store.codec import decode
from ledger.store.log import Entry, Row, shard_of
from ledger.store.open import open_log
from scripts.campaigns.acting import Record, Writer, clock, command, made, records
from scripts.campaigns.looking import check_acknowledged, check_balances, check_posted_again, check_whole
from scripts.campaigns.run import Round

WRITERS, MORE_WRITERS = 8, 32


def eight_writers(round: Round) -> None:
    """Eight processes write to one account at once, in later rounds 32: nothing lost, nothing twice (P2)."""
    chance = round.chance
    url = made(round.fresh())
    count = WRITERS if round.number == 1 else MORE_WRITERS
    (opening, *rest) = records(chance, accounts=1, each=count * 12)
    with Ledger(url, clock) as ledger:
        ledger.post(command(opening))
    shares = [rest[number::count] for number in range(count)]
    # Two processes are handed each share's first records, as when a sender does not trust the answer.
    shares = [[*share, *shares[number - 1][:3]] for number, share in enumerate(shares)]
    writers = [Writer(url, share, at_once=chance.choice([1, 1, 4]), patience=1000) for share in shares]
    for writer in writers:
        writer.join()
    check_whole(url)
    for writer, share in zip(writers, shares, strict=True):
        assert len(writer.acknowledged) == len(share)
        check_acknowledged(url, share, writer.acknowledged)
    check_posted_again(url, [opening, *rest], range(len(rest) + 1))
    round.counts["commands"] += sum(map(len, shares))


def delivered_anyhow(round: Round) -> None:
    """The same records in another order, some of them several times: the same accounts and answers (P3, P5)."""
    chance = round.chance
    written = records(chance, accounts=4, each=25)
    urls = made(round.fresh()), made(round.fresh())
    orders = [written, _shuffled(chance, written)]
    found = []
    for url, order in zip(urls, orders, strict=True):
        with Ledger(url, clock) as ledger:
            _delivered(ledger, order)
            check_balances(ledger, written)
            found.append({account: _facts(ledger, account) for account in {record["account"] for record in written}})
        check_whole(url)
    assert found[0] == found[1], "the accounts differ"
    round.counts["deliveries"] += len(orders[1])


def _shuffled(chance: Random, written: list[Record]) -> list[Record]:
    again = [*written, *chance.choices(written, k=len(written) // 2)]
    chance.shuffle(again)
    return again


def _delivered(ledger: Ledger, order: list[Record]) -> None:
    """Post until all is in: what comes before its account was opened is refused, and sent again."""
    waiting = order
    while waiting:
        outcomes: list[Outcome] = list(ledger.post_all(map(command, waiting), size=7))
        refused = [record for record, outcome in zip(waiting, outcomes, strict=True) if outcome.error]
        assert len(refused) < len(waiting), f"nothing goes in any more: {outcomes[0]}"
        assert all(o.error is None or o.error.code == "unknown_account" for o in outcomes), outcomes
        waiting = refused


DAYS = (date(2024, 1, 20), date(2024, 3, 20))
"""When the accounts are asked about: while things happen, and after."""


def _facts(ledger: Ledger, account: str) -> list[object]:
    """What each event says, whatever its version, and what is answered; personal data, sealed anew, is left out."""
    history, rules = ledger.books.history(account), ledger.books.utility().rules()
    events = sorted((e.type, str(e.effective), e.command or "", getattr(e, "amount", 0)) for e in history.events)
    asked = [[ask(history, *rules, day) for ask in (answers.balance, answers.status)] for day in DAYS]
    lines = answers.statement(history, *rules, DAYS[-1])["lines"]
    stated = [(line["on"], line["reference"], line["amount"], line["balance"]) for line in lines]
    return [*events, *map(str, asked), *stated]


def slow_among_fast(round: Round) -> None:
    """Slow transactions among fast ones: a follower passes over nothing that becomes visible later (P4)."""
    chance = round.chance
    url = made(round.fresh())
    stop, seen, rows, wrong = threading.Event(), dict[int, int](), list[Row](), list[str]()

    def follow() -> None:
        with closing(open_log(url, read_only=True)) as log:
            while True:
                last = stop.is_set()
                some = log.follow(seen, 5)
                for row in some:
                    if row.position != seen.get(row.shard, 0) + 1:
                        wrong.append(f"position {row.position} of shard {row.shard} follows {seen.get(row.shard, 0)}")
                    seen[row.shard] = row.position
                rows.extend(some)
                if last and not some:
                    return

    follower = threading.Thread(target=follow)
    follower.start()
    wanted = 0
    with ExitStack() as stack:
        stack.callback(follower.join, 60)
        stack.callback(stop.set)
        slow, fast = (stack.enter_context(closing(open_log(url))) for _ in range(2))
        for turn in range(6):
            names = [f"S{turn}-{n}" for n in range(2)]
            others = (f"F{turn}-{n}" for n in range(9999))
            free = _elsewhere(others, {shard_of(name, slow.shards) for name in names}, slow.shards)
            # A third writes where the slow one is at work, and has to wait for it.
            same = (each for each in (f"T{turn}-{n}" for n in range(9999)) if _same_shard(each, names[0], slow.shards))
            third = threading.Thread(target=_push_in, args=(url, next(same)))
            with slow.writing(names) as batch:
                third.start()
                sleep(chance.random() * 0.05)
                batch.append([_entry(name) for name in names])
                quick = chance.randint(1, 8) if slow.shards > 1 else 0
                for _ in range(quick):
                    fast.append([_entry(next(free))])
            third.join()
            wanted += len(names) + quick + 1
    assert not wrong, wrong[0]
    got = len([row for row in rows if not row.account.startswith("@")])
    assert got == wanted, f"a follower saw {got} of {wanted} events"
    assert len({(row.shard, row.position) for row in rows}) == len(rows)
    round.counts["events"] += wanted


def _push_in(url: str, account: str) -> None:
    with closing(open_log(url)) as log:
        log.append([_entry(account)])


def _same_shard(account: str, other: str, shards: int) -> bool:
    return shard_of(account, shards) == shard_of(other, shards)


def _elsewhere(names: Iterator[str], taken: set[int], shards: int) -> Iterator[str]:
    return (name for name in names if shard_of(name, shards) not in taken)


def _entry(account: str) -> Entry:
    return Entry(account, 1, "OfficeClosed", b'{"type":"OfficeClosed","on":"2026-01-05","reason":"a test"}')


JUMPS = (
    datetime(2026, 3, 8, 1, 59, 59, 999_000, tzinfo=PACIFIC),  # an hour is left out
    datetime(2026, 11, 1, 1, 30, tzinfo=PACIFIC),  # an hour comes twice
    datetime(2026, 11, 1, 1, 30, tzinfo=PACIFIC, fold=1),
    datetime(2028, 2, 28, 23, 59, 59, tzinfo=PACIFIC),  # a leap day comes
    datetime(2028, 2, 29, 12, 0, tzinfo=PACIFIC),
    datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=PACIFIC),
)


def jumping_clock(round: Round) -> None:
    """The clock goes back, jumps and repeats an hour; `recorded_at` never decreases within an account."""
    chance = round.chance
    written = records(chance, accounts=3, each=12)
    now = [chance.choice(JUMPS)]

    def jumping() -> datetime:
        step = timedelta(seconds=chance.choice([0, 0, 1, 30, 3600, -1, -3600, -90_000]))
        now[0] = chance.choice(JUMPS) if chance.random() < 0.1 else now[0] + step
        return now[0]

    url = made(round.fresh())
    number = 0
    while number < len(written):
        # Another program goes on each time, so that nothing is remembered but what is stored.
        with Ledger(url, jumping) as ledger:
            count = chance.randint(4, 16)
            for outcome in ledger.post_all(map(command, written[number : number + count]), size=chance.randint(1, 3)):
                assert outcome.status == "recorded", outcome
            number += count
    with closing(open_log(url, read_only=True)) as log:
        for account in log.accounts():
            moments = [event.recorded_at for event in decode(log.states(account))]
            assert moments == sorted(moments), f"account {account}: {moments}"
    check_whole(url)
    round.counts["commands"] += len(written)
