"""The fees that the policy fixes (DO-40, DO-41, DO-45, H&S 116914)."""

from ledger.account import Shutoff
from ledger.events import FeeKind, ReconnectionRequested, RuleVersion
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

    None for a shutoff that was wrongful or not for nonpayment, and where the policy has no fee. After hours needs both:
    asked for and done outside office hours (DO-41). A low-income household pays no more than the statute's cap.
    """
    if shutoff.made.reason != "nonpayment" or case.account.wrongful(shutoff):
        return None
    late = request is not None and request.after_hours and not case.calendar.office_open(case.at)
    kind: FeeKind = "after_hours_reconnection" if late else "reconnection"
    function = FUNCTIONS[kind]
    amount = case.parameters.find(function, "amount")
    if amount is None:
        return None
    cap = case.parameters.find("sb998_fee_caps", "after_hours" if late else "regular")
    if case.account.low_income and case.account.residential and cap is not None and cap < amount:
        return kind, cap, case.parameters.rule("sb998_fee_caps").version
    return kind, amount, case.parameters.rule(function).version
