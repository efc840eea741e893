"""Who lives where: all that is settled about a customer before the first day, as a function of seed and number."""

from typing import NamedTuple

from scripts.simulation.chance import HOMES, Chance
from scripts.simulation.profile import DWELLINGS, LANGUAGES, Profile

YEAR = 365


class Plan(NamedTuple):
    """One customer at one address: `number` is the address, `turn` counts its customers from 1."""

    number: int
    turn: int
    account: str
    opened: int
    leaves: int | None
    residential: bool
    dwelling: str
    occupancy: str
    district: str
    language: str
    low_income: bool
    landlord: int | None
    payer: str
    autopay: bool
    channel: str
    portal: bool
    paperless: bool
    cycle: int
    use: int
    meters: int
    decimals: bool
    dials: int
    deposit: bool

    @property
    def name(self) -> str:
        """A name that nobody has."""
        kind = "Customer" if self.residential else "Business"
        return f"Sample {kind} {self.number:04}" + (f"-{self.turn}" if self.turn > 1 else "")

    @property
    def address(self) -> str:
        """An address that is nowhere."""
        street = ("Lane", "Road", "Court", "Way")[self.number % 4]
        return f"{self.number % 9000 + 1} Example {street}, {self.district}"

    @property
    def login(self) -> str:
        """The address under which the customer sees the portal; a landlord sees many accounts with one."""
        if self.landlord is not None:
            return f"landlord{self.landlord:04}@example.com"
        return f"customer{self.number:04}.{self.turn}@example.com"


def account_of(profile: Profile, number: int, turn: int) -> str:
    """The account's number: which customer of the address, then the address."""
    return f"{turn}{number:0{profile.digits - 1}}"


def chance_of(seed: int, account: str, what: str) -> Chance:
    """The dice of one account for one purpose; a text seeds the same on every machine."""
    return Chance(f"{seed}/{account}/{what}")


def plan(profile: Profile, seed: int, number: int, turn: int, opens: int | None, first: int, last: int) -> Plan:
    """The customer `turn` of an address, who came on day `opens`, or before the first day where that is None."""
    account = account_of(profile, number, turn)
    place, chance = chance_of(seed, str(number), "place"), chance_of(seed, account, "plan")
    district, cycle = place.pick(profile.districts), place.below(profile.cycles)
    residential, use = place.share(profile.residential), place.spread(profile.use, HOMES)
    dwelling = place.pick(DWELLINGS) if residential else "single_family"
    rented = residential and place.share(profile.landlords)
    occupancy = place.pick(((650, "tenants_metered"), (350, "tenants_master_metered"))) if rented else "customer"
    old, cent, extra = place.share(60), place.share(150), place.share(12)
    if occupancy == "tenants_master_metered" or not residential:
        use *= 4
    stays = chance.below(1000 * YEAR // profile.turnover)
    opened = opens if opens is not None else first - 60 - chance.below(8 * YEAR)
    start = max(opened, first)
    secured = chance.share(300) if opens is not None else first - opened < YEAR and chance.share(profile.deposits * 8)
    payer = chance.pick(profile.payers)
    autopay = payer == "prompt" and chance.share(profile.autopay * 1000 // profile.payers[0][0])
    portal = autopay or chance.share(560)
    return Plan(
        number=number,
        turn=turn,
        account=account,
        opened=opened,
        leaves=start + 45 + stays if start + 45 + stays < last - 15 else None,
        residential=residential,
        dwelling=dwelling,
        occupancy=occupancy,
        district=district,
        language=chance.pick(LANGUAGES) if residential else "en",
        low_income=residential and not rented and chance.share(profile.low_income),
        landlord=number // 40 if rented else None,
        payer=payer,
        autopay=autopay,
        channel=chance.pick(profile.channels),
        portal=portal,
        paperless=portal and chance.share(420),
        cycle=cycle,
        use=0 if chance.share(8) else use,
        meters=2 if extra else 1,
        decimals=cent,
        dials=4 if old else 6,
        deposit=secured,
    )
