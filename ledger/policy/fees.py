"""The fees that the policy fixes (DO-40, DO-41, DO-45, H&S 116914)."""

import re

from ledger.account import Account, Shutoff
from ledger.events import FeeCharged, FeeKind, ReconnectionRequested, RuleVersion
from ledger.policy.case import Case
from ledger.policy.parameters import Parameters
from ledger.refusal import Refused

FUNCTIONS: dict[FeeKind, str] = {
    "late": "fee_late",
    "returned_payment": "fee_returned_payment",
    "field_collection": "field_collection_fee",
    "reconnection": "reconnection_fee",
    "after_hours_reconnection": "after_hours_reconnection_fee",
}
"""The rule that sets the amount of each kind of fee; the other kinds have none."""

_RECONNECTION: tuple[FeeKind, ...] = ("reconnection", "after_hours_reconnection")
_NAMED = re.compile(r"RC-(\d+)(-R)*")


def fee_amount(kind: FeeKind, parameters: Parameters) -> tuple[int, RuleVersion]:
    """The cents that the policy sets for a fee, and the rule that does; raises Refused where it sets none."""
    function = FUNCTIONS.get(kind, "")
    amount = parameters.find(function, "amount") if function else None
    if amount is None:
        raise Refused("no_fee_amount", f"the policy sets no amount for fees of the kind {kind}; give one")
    return amount, parameters.rule(function).version


def reconnection_fee(
    case: Case, shutoff: Shutoff, request: ReconnectionRequested | None
) -> tuple[FeeKind, int, RuleVersion] | None:
    """What reconnecting at `case.at` costs: the kind of fee, its cents, and the rule that set them.

    None for a shutoff that was wrongful or not for nonpayment, and where the policy has no fee. A low-income household
    pays no more than the statute's cap.
    """
    if shutoff.made.reason != "nonpayment" or case.account.wrongful(shutoff):
        return None
    late = after_hours(case, request)
    kind: FeeKind = "after_hours_reconnection" if late else "reconnection"
    function = FUNCTIONS[kind]
    amount = case.parameters.find(function, "amount")
    if amount is None:
        return None
    cap = case.parameters.find("sb998_fee_caps", "after_hours" if late else "regular")
    if case.account.low_income and case.account.residential and cap is not None and cap < amount:
        return kind, cap, case.parameters.rule("sb998_fee_caps").version
    return kind, amount, case.parameters.rule(function).version


def after_hours(case: Case, request: ReconnectionRequested | None) -> bool:
    """Whether reconnecting at `case.at` is after hours: asked for so, and done outside office hours (DO-41)."""
    return request is not None and request.after_hours and not case.calendar.office_open(case.at)


def reconnection_fee_name(shutoff: Shutoff, account: Account) -> str:
    """The name of the fee for undoing a shutoff, beside any fee that a person named so."""
    name = f"RC-{shutoff.made.version}"
    while name in account.fees and account.fees[name].charged.kind not in _RECONNECTION:
        name += "-R"
    return name


def shutoff_undone(fee: FeeCharged) -> int | None:
    """The version of the shutoff that a fee was charged for undoing; None for any other fee."""
    named = _NAMED.fullmatch(fee.fee) if fee.kind in _RECONNECTION else None
    return int(named[1]) if named else None
