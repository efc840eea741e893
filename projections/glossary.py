"""What each column means, once: a name means the same wherever it stands. docs/tables.md is made from this."""

from collections.abc import Iterator

from projections.catalogue import PROJECTIONS
from projections.rows import Projection

MEANING = {
    "account": "The account.",
    "act_by": "The day that the notice names for the customer to act.",
    "agreed_on": "When the arrangement was agreed.",
    "amount": "Cents; of a movement of the balance, over zero where the customer owes more.",
    "answered_on": "When the utility answered.",
    "appeal": "The appeal's id.",
    "approved_by": "Who approved the override.",
    "arrangement": "The arrangement's id.",
    "authorized_at": "When the shutoff was authorized, that day.",
    "average_daily": "Use of a day, in `unit`, over the days covered, with six decimals; empty where none is.",
    "balance": "Cents that the customer owes; below zero, a credit.",
    "basis": "`ordinary` or `health`.",
    "beyond_means": "Whether the petition says that the bill is beyond the customer's means (DO-24).",
    "bill": "The bill's id; of an account or a shutoff, its oldest unpaid bill.",
    "bill_amount": "Cents of the disputed bill, as corrected.",
    "billing": "`monthly` or `bimonthly`.",
    "billing_email": "The keyed digest (HMAC) of the address; empty where the address was erased.",
    "bills": "The bills that the notice covers, with blanks between.",
    "book": "`balance`, `deposit` (the credit deposit held here) or `commission_deposit` (held by the Commission).",
    "breached_on": "When the utility found that the arrangement was not kept.",
    "cancelled_on": "When it was cancelled.",
    "channel": "How it came.",
    "charge": "`bill`, `fee` or `adjustment`.",
    "closed_on": "When it was closed.",
    "commission_deposit": "Cents that the Commission holds; never part of the balance.",
    "contact_at": "The latest of those attempts.",
    "contact_method": "`phone`, `visit`, `text` or `email`.",
    "contact_outcome": "`reached`, `message` or `failed`.",
    "contacts": "How many attempts there were to speak with an adult since that bill was mailed.",
    "covered_days": "How many days of the month lie in a period between two reads.",
    "credit": "Cents: of an account, what found nothing to pay yet; of an answer, what was taken off the bill.",
    "days": "How many days the month has.",
    "declined_on": "When the request was declined.",
    "deposit": "Cents of credit deposits held, with interest; of a movement, the deposit's id.",
    "deposited": "Cents ever deposited with the Commission.",
    "disbursed": "Cents that the Commission paid out.",
    "dispute": "The petition's id.",
    "disputed": "Cents of petitions not answered and appeals not closed.",
    "disputed_amount": "Cents that the petition disputes.",
    "district": "The district of the utility.",
    "due_on": "The day named in the arrangement.",
    "dwelling": "What kind of home it is.",
    "earliest": "The first day from the latest event on that every layer allows a shutoff, if nothing more happens.",
    "enrolled_on": "When automatic payment began.",
    "estimated": "Whether an estimated read is in it.",
    "exact": "`average_daily` as a reduced fraction.",
    "filed_at": "When the petition was filed.",
    "filed_on": "When the appeal was filed.",
    "flags": "Ids of the rules a shutoff broke; of a month, `negative`, `overlap`, `restated`, `rollover`, `same_day`.",
    "forum": "To whom at the Commission.",
    "given_on": "When the address was given.",
    "grace_until": "The last day before it is past due, moved off closed days (C2).",
    "ground": "`accuracy` or `other`.",
    "held": "Cents of credit deposits held after the movement.",
    "inability_shown": "Whether inability to pay was shown to the utility, and neither rejected nor withdrawn (DO-17).",
    "kind": "Which kind of the thing it is.",
    "known_from": "The moment from which the utility knew of it.",
    "language": "The language for notices; of an answer, the language it was given in.",
    "lapsed_on": "When the appeal was no longer diligently pursued.",
    "last_day": "The last day to pay the installment or to petition, moved off closed days (C2).",
    "last_due_on": "When the last installment is due.",
    "last_event_on": "The day of the account's latest event.",
    "linked_on": "When the log-in was linked.",
    "login": "The keyed digest (HMAC) of the log-in's address; empty where the address was erased.",
    "low_income": "Whether the household is recorded as low-income.",
    "mailed_on": "The day of mailing, which is day 0; of a fee or an adjustment, its own day.",
    "method": "How: of a notice `mail`, `posted`, `hand`; of automatic payment `bank`, `card`.",
    "missed_from": "The first day on which the arrangement is missed if nothing more is paid; empty if it is paid off.",
    "month": "The month, as 2024-02.",
    "n": "Counts from 1 within what it belongs to.",
    "needed": "Cents to deposit with the Commission for the appeal (DO-26).",
    "notice": "The notice's id; of an account or a shutoff, the one that the shutoff rests on.",
    "notice_good_from": "The first day on which neither the notice's days nor the day it names stand in the way.",
    "notice_kind": "`discontinuance` or `final`.",
    "notice_method": "`mail`, `posted` or `hand`.",
    "notice_served_on": "When the notice was served.",
    "notice_stale_after": "The last day on which the notice is good.",
    "occupancy": "Who lives there.",
    "off_at": "When the water was turned off.",
    "off_since": "Since when the water is off; empty while it is on.",
    "on_at": "When the water was turned on again.",
    "on_day": "The day on which it takes effect.",
    "opened_on": "When the account was opened.",
    "outcome": "How it ended.",
    "override_reason": "Why the utility's own rule to avoid that day was set aside (DO-37, DO-38).",
    "paid_on": "The day by which all that was due by `last_day` was paid; empty where it was not.",
    "part": "Counts the parts of a charge from 1: the first amount, then each increase.",
    "past_due": "Cents past due at the shutoff, literally (DO-02).",
    "past_due_from": "The first day past due, literally (DO-02); of a whole bill, that of its oldest unpaid part.",
    "presumed": "Whether the day of receipt is presumed, not evidenced (C9).",
    "reason": "Why; of an arrangement, why it was declined, breached, cancelled or agreed again.",
    "received_on": "When the customer last is known to have had the bill; of a petition, known or presumed (C9).",
    "reference": "The id of what it is about.",
    "replaced_on": "When another took its place; empty while it is in use.",
    "reported": "Cents of payments reported and not received that counted at the latest event.",
    "reported_until": "The last day on which a reported payment counts.",
    "requested_at": "When the arrangement was asked for.",
    "returned_on": "When the post brought the notice back.",
    "role": "`customer` or `occupant`.",
    "rules": "The ids of the rules that say so, with blanks between.",
    "served_on": "When the notice was served.",
    "service_class": "`residential` or `nonresidential`.",
    "shutoff_from": "The first day that its oldest unpaid part's age allows in every layer; 9999-12-31 if none will.",
    "since": "Since when it stands.",
    "stale_after": "The last day on which the notice is good, by its age.",
    "state": "`complete`, `partial` or `open`: uncovered days only after the latest read are `open`.",
    "unit": "`CCF`, `CF`, `GAL` or `KGAL`.",
    "unlinked_on": "When the log-in was unlinked; empty while it is linked.",
    "unpaid": "Cents that are not paid.",
    "until": "The last day on which it protects; empty where only a further event ends it.",
    "version": "The number of the event in the account's history; of an account, its latest.",
    "voided_on": "When the bill was voided.",
    "wrongful_on": "When the shutoff was found wrongful.",
    "wrongful_reason": "Why the shutoff was found wrongful.",
}

_ABOUT = """# Tables

`water-ledger projections follow` keeps these tables current, `rebuild` makes them anew, `verify` compares them with the
ledger. They are views: in SQLite in the file beside the ledger (`water-ledger.views.db`), in PostgreSQL in the schema
beside the ledger's (`ledger_read`), with the same names and columns. Names stay; columns are only added.

Every row follows from one account's history and from the rules, by a pure function; nothing is entered here. All that
is recorded counts, whenever it takes effect. No column turns at midnight: where a status turns on a day, the day is
here. Money is whole cents. Days are text (2024-02-29), moments are text with their offset. No personal data is here.

A boolean is 1 or 0 in SQLite and true or false in PostgreSQL. This page is made from the code by a test.
"""


def page() -> str:
    """The page that describes every table."""
    return "\n".join([_ABOUT, *(line for projection in PROJECTIONS.values() for line in _table(projection))])


def _table(projection: Projection) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in ("account", *projection.key))
    yield f"## {projection.name}\n"
    yield " ".join((projection.row.__doc__ or "").split()) + f" One row for each {key}.\n"
    yield "| column | holds | |"
    yield "|---|---|---|"
    yield f"| account | text | {MEANING['account']} |"
    for column in projection.columns:
        optional = ", may be empty" if column.optional else ""
        yield f"| {column.name} | {column.kind}{optional} | {MEANING[column.name]} |"
    yield ""
