"""The two utilities as the simulator knows them: shares in permille, amounts in cents, usage in hundredths of a CCF.

All of it is estimate, made to look like a utility of that kind; none of it was measured at one.
"""

from typing import NamedTuple


class Profile(NamedTuple):
    """One utility's world."""

    policy: str
    districts: tuple[tuple[int, str], ...]
    cycles: int
    digits: int
    residential: int
    landlords: int
    low_income: int
    turnover: int
    deposits: int
    estimated: int
    misreads: int
    exchanges: int
    autopay: int
    channels: tuple[tuple[int, str], ...]
    returned: int
    payers: tuple[tuple[int, str], ...]
    hardship: tuple[tuple[str, int], ...]
    use: int
    seasons: tuple[int, ...]
    service_cents: int
    ccf_cents: int
    fees: tuple[int, int, int]
    deposit_after_shutoff: int
    longest_plan: int
    petitions: int
    avoided: bool


DEL_ORO = Profile(
    policy="del-oro",
    districts=(
        (34, "Paradise Pines"), (20, "Magalia"), (12, "Lime Saddle"), (10, "California Pines"), (10, "Arbuckle"),
        (8, "Stirling Bluffs"), (4, "Pine Flat"), (2, "Pine Mountain"),
    ),
    cycles=5,
    digits=6,
    residential=950,
    landlords=120,
    low_income=180,
    turnover=90,
    deposits=40,
    estimated=30,
    misreads=3,
    exchanges=50,
    autopay=220,
    channels=(
        (300, "internet"), (90, "bank"), (230, "mail"), (60, "lockbox"), (60, "phone"), (35, "counter"), (5, "agency"),
    ),
    returned=4,
    payers=((845, "prompt"), (115, "slow"), (40, "strained")),
    hardship=(("prompt", 17), ("slow", 100), ("strained", 500)),
    use=500,
    seasons=(780, 760, 800, 900, 1100, 1350, 1600, 1650, 1400, 1050, 850, 790),
    service_cents=48_50,
    ccf_cents=6_20,
    fees=(30_00, 75_00, 20_00),
    deposit_after_shutoff=400,
    longest_plan=6,
    petitions=45,
    avoided=True,
)  # fmt: skip

CAL_WATER = Profile(
    policy="cal-water",
    districts=(
        (15, "Bakersfield"), (9, "Visalia"), (9, "Stockton"), (6, "Chico"), (6, "Salinas"), (7, "Palos Verdes"),
        (7, "Dominguez"), (5, "Bear Gulch"),
    ),
    cycles=21,
    digits=10,
    residential=900,
    landlords=150,
    low_income=200,
    turnover=120,
    deposits=20,
    estimated=10,
    misreads=1,
    exchanges=55,
    autopay=320,
    channels=(
        (300, "internet"), (120, "bank"), (110, "mail"), (40, "lockbox"), (60, "phone"), (45, "counter"), (5, "agency"),
    ),
    returned=3,
    payers=((885, "prompt"), (85, "slow"), (30, "strained")),
    hardship=(("prompt", 12), ("slow", 80), ("strained", 420)),
    use=900,
    seasons=(700, 700, 760, 900, 1100, 1300, 1500, 1550, 1350, 1050, 820, 730),
    service_cents=21_00,
    ccf_cents=4_60,
    fees=(0, 0, 0),
    deposit_after_shutoff=200,
    longest_plan=5,
    petitions=60,
    avoided=False,
)  # fmt: skip

PROFILES = {profile.policy: profile for profile in (DEL_ORO, CAL_WATER)}

LANGUAGES = ((780, "en"), (150, "es"), (20, "zh"), (10, "ko"), (15, "vi"), (25, "tl"))
DWELLINGS = ((820, "single_family"), (90, "multifamily"), (80, "mobile_home"), (10, "farmworker"))
