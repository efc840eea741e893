"""Campaign 5: sealers killed at each step, and two at once; never two texts for one size."""

from contextlib import closing, redirect_stdout
from datetime import datetime, timedelta
from hashlib import sha256
from io import StringIO
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIGKILL

from ledger.integrity.audit import verify
from ledger.integrity.notes import read_checkpoint
from ledger.integrity.seals import Sealed, seal
from ledger.integrity.signing import FileSigner, introduce, make_key_file
from ledger.store.log import CommandKey, Entry, Log
from ledger.store.open import open_log, seals_of
from ledger.store.seal_rows import SealRows
from scripts.campaigns.acting import START, started
from scripts.campaigns.run import Round
from tests.integrity.victim import BUSY, sealing

ORIGIN = "test.example/ledger"


class House:
    """A ledger, its seals, its key, and a clock that moves on by an hour whenever something is recorded or sealed."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.now = START
        self.log: Log = open_log(url)
        self.log.create(ORIGIN, START.isoformat())
        self.rows: SealRows = seals_of(url)
        self.rows.create()
        self.signer = make_key_file(folder / "log.key", ORIGIN)
        introduce(self.rows, ORIGIN, self.signer, None)

    def record(self, account: str, count: int = 1, at: datetime | None = None) -> None:
        """So many events of an account, recorded now."""
        self.now += timedelta(hours=1)
        tip = self.log.tip(account)
        first = tip.version + 1 if tip else 1
        when = (at or self.now).isoformat(timespec="microseconds")
        kinds = {version: "BillVoided" if version % 3 else "BillIssued" for version in range(first, first + count)}
        digest = sha256(f"{account} {first}".encode()).digest()
        self.log.append(
            [
                Entry(
                    account,
                    version,
                    kind,
                    b'{"type":"%b","version":%d,"recorded_at":"%b","bill":"B-%d"}'
                    % (kind.encode(), version, when.encode(), version),
                )
                for version, kind in kinds.items()
            ],
            [([CommandKey(f"house record/{digest.hex()}", digest)], account, first, first + count - 1)],
        )

    def seal(self, signer: FileSigner | None = None) -> Sealed:
        """Seal what was recorded, in this process."""
        self.now += timedelta(hours=1)
        made = seal(self.rows, ORIGIN, signer or self.signer, lambda: self.now)
        assert made is not None
        return made

    def close(self) -> None:
        """Let go of the store."""
        self.log.close()
        self.rows.close()


def killed_sealer(round: Round) -> None:
    """Sealers die at any step, one alone or two at once, while others record; the next one finishes (P6, P7)."""
    chance = round.chance
    with closing(House(round.fresh(), round.folder)) as house:
        for _ in range(4):
            house.record(f"{7001 + chance.randrange(9)}", chance.randint(1, 70))
            house.now += timedelta(hours=1)
            at, deaths = house.now, [chance.randint(1, 16), *chance.choice([[], [chance.randint(1, 16)], [0]])]
            sealers = [sealer(house, death) for death in deaths]
            for _ in range(chance.randrange(4)):
                house.record(f"{7001 + chance.randrange(9)}", chance.randint(1, 3), at=at)
            for each in sealers:
                each.join()
                assert each.exitcode in (0, -SIGKILL, BUSY), f"a sealer ended with exit code {each.exitcode}"
                round.counts["sealers"] += 1
                round.counts["killed"] += each.exitcode == -SIGKILL
                round.counts["turned away"] += each.exitcode == BUSY
            check_one_text_for_a_size(house)
        house.seal()
        check_one_text_for_a_size(house)
        found = verify(house.url, processes=1)
        assert found.findings == [], found.findings[:3]
        assert found.unsealed == 0, f"{found.unsealed} events are under no seal"


def sealer(house: House, death: int) -> BaseProcess:
    """A process that seals, and dies at that step; at none where it is 0."""
    place = house.url, str(house.folder / "log.key"), house.now.isoformat()
    return started(_quietly, *place, death)


def _quietly(url: str, key: str, now: str, death: int) -> None:
    with redirect_stdout(StringIO()):
        sealing(url, key, now, death)


def check_one_text_for_a_size(house: House) -> None:
    """Every text that was ever signed is the one that is kept for its size, and seals are numbered without a gap."""
    path = house.folder / "log.signed"
    kept = {row.size: row.body for row in house.rows.seals()}
    signed = path.read_text().split("\n\n")[:-1] if path.exists() else []
    for text in signed:
        point = read_checkpoint(f"{text}\n")
        assert kept[point.size] == point.text, f"two texts for size {point.size}"
    assert [row.number for row in house.rows.seals()] == list(range(1, len(kept) + 1))
