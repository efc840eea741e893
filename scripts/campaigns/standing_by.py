"""Campaign 21: a synchronous standby takes over under load, and nothing that was acknowledged is lost."""

from collections.abc import Iterable
from contextlib import closing
from time import sleep

from ledger.application import Ledger
from ledger.integrity.audit import Evidence
from ledger.integrity.notes import Note, read_note
from ledger.integrity.seals import seal
from ledger.integrity.signing import FileSigner, introduce, make_key_file
from ledger.store.open import seals_of
from scripts.campaigns.acting import ORIGIN, Record, Writer, apart, clock, made, records
from scripts.campaigns.looking import check_all_posted, check_verified
from scripts.campaigns.run import Round
from tests.postgres_server import SAFE, Cluster, Standby, over_both

SETTINGS = SAFE | {"log_min_messages": "panic"}
TRIES = 1000
"""How often a writer tries again."""


def standby_takes_over(round: Round) -> None:
    """The primary is killed for good, with the standby beside it or away just then; the standby is promoted (P1, P3).

    What was acknowledged is there, the note of a seal made before is extended by what is there, personal data opens,
    and writers that keep trying over one address for both servers get all of theirs in.
    """
    chance = round.chance
    waiting = {"synchronous_standby_names": "standby"}
    with (
        Cluster(round.folder / "primary", SETTINGS | waiting) as primary,
        Standby(round.folder / "standby", primary, SETTINGS) as standby,
    ):
        url = made(over_both(primary, standby))
        signer = make_key_file(round.folder / "seal.key", ORIGIN)
        with closing(seals_of(url)) as rows:
            rows.create()
            introduce(rows, ORIGIN, signer, None)
        shares = [apart(records(chance, 2, 100), str(number)) for number in range(3)]
        writers = [Writer(url, share, at_once=chance.choice([1, 1, 5]), patience=TRIES) for share in shares]
        for writer in writers:
            writer.wait_for(chance.randint(2, 20))
        before = _sealed(url, signer)
        away = chance.random() < 0.5
        if away:
            # From here on nobody may be told that anything was recorded: the standby would not have it.
            standby.kill()
            round.counts["standbys away"] += 1
        sleep(chance.random() * 0.3)
        primary.kill()
        if away:
            standby.start()
        standby.promote()
        round.counts["takeovers"] += 1
        for writer in writers:
            writer.join()
        after = _sealed(url, signer)
        check_verified(url, Evidence(signer.key, [before, after]))
        everything = check_all_posted(url, writers, shares)
        _check_names(url, everything)
        round.counts["acknowledged"] += len(everything)


def _sealed(url: str, signer: FileSigner) -> Note:
    """Seal all there is; the signed note, as it would be sent out of the building."""
    with closing(seals_of(url)) as rows:
        made = seal(rows, ORIGIN, signer, clock)
    assert made is not None
    return read_note(made.note)


def _check_names(url: str, written: Iterable[Record]) -> None:
    """Every name that was given opens: the keys came along with what they seal."""
    with Ledger(url, clock) as ledger:
        for record in written:
            if record["command"] == "account open":
                (opened, *_) = ledger.books.history(record["account"]).events
                shown = ledger.books.opened(record["account"], opened)
                assert getattr(shown, "name", None) == record["name"], f"account {record['account']}: {shown}"
