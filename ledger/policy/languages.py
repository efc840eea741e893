"""The languages a customer was served in, and what a translation promised there that the English policy does not.

English governs and every rule is computed from it. Where the version that was served promised more, a decision carries
the divergence, so that a person may honour it (domain: translations T1 to T20).
"""

from collections.abc import Iterable

from ledger.account import Account
from ledger.events import Language
from ledger.policy.case import Case


def languages_served(account: Account) -> frozenset[Language]:
    """The account's own language, and those of the notices served on it."""
    return frozenset((account.language, *(notice.language for notice in account.notices)))


def promised_more(case: Case, functions: Iterable[str]) -> tuple[str, ...]:
    """The ids of the divergences that touch one of these rules in a language served and promised the reader more."""
    served, bearing = languages_served(case.account), frozenset(map(case.rule_id, functions))
    return tuple(
        divergence.id
        for divergence in case.parameters.divergences
        if divergence.effect == "promised_more"
        and served.intersection(divergence.languages)
        and bearing.intersection(divergence.rules)
    )
