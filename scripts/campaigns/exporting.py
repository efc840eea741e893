"""Campaign 14: exports with a bit flipped, and forged as whoever knows the format would; the verifiers agree."""

from contextlib import closing
from random import Random

import msgspec

from ledger.integrity.bundle import SealedLog, make
from ledger.integrity.check import check
from ledger.integrity.whole_log import check_log, lines
from scripts.campaigns.run import Round
from scripts.campaigns.sealing import House
from tests.integrity.bundle_corpus import cases
from tests.integrity.bundle_drafts import Case
from tests.integrity.verifiers import by_package, by_script

FORGERIES, FLIPS = 120, 200
"""How many bundles are forged in a round, and how many bits of exports are flipped."""


def forged_exports(round: Round) -> None:
    """What was forged or flipped does not verify, whoever looks at it; what was only written otherwise does (P7)."""
    for case in cases(round.chance.randrange(2**32), FORGERIES):
        _judge(case)
        round.counts["bundles"] += 1
    with closing(House(round.fresh(), round.folder)) as house:
        for number in range(4):
            house.record(f"{7001 + number % 3}", round.chance.randint(1, 6))
            if number % 2:
                house.seal()
        sealed, key = SealedLog(house.log, house.rows), house.signer.key
        since = house.rows.note(1)
        bundle = msgspec.json.encode(make(sealed, ["7001", "7002", "9"], dated=True, since=since).bundle)
        log = b"".join(line.rstrip(b"\n") + b"\n" for line in lines(sealed))
    assert check(bundle, [key], since).findings == []
    assert check_log(log.splitlines(keepends=True), [key], since).findings == []
    name = bundle.index(b'"absent":[{"account":"') + len(b'"absent":[{"account":"')
    for _ in range(FLIPS):
        flipped, what = _flipped(round.chance, bundle, name)
        _judge(Case(f"a bundle with {what}", flipped, [key.vkey], since, False))
        flipped, what = _flipped(round.chance, log)
        assert check_log(flipped.splitlines(keepends=True), [key], since).findings, f"a log with {what} verifies"
        round.counts["bits flipped"] += 2


def _judge(case: Case) -> None:
    package, script = by_package(case), by_script(case)
    assert package == script, f"{case.name}: the package says {package}, the script {script}"
    assert case.holds == (not package), f"{case.name}: {package}"
    assert not case.names or case.names in package, f"{case.name}: {case.names} is not named in {package}"


def _flipped(chance: Random, data: bytes, name: int = -1) -> tuple[bytes, str]:
    """Flip a bit, but not of the name of an account proved absent: that its neighbour is absent too may be as true."""
    at, bit = chance.choice([at for at in range(len(data)) if at != name]), chance.randrange(8)
    found = bytearray(data)
    found[at] ^= 1 << bit
    return bytes(found), f"bit {bit} of byte {at} flipped"
