"""Who asked what and when: the petition, what the utility answered, the appeal, and the money at the Commission."""

from collections.abc import Iterator

from ledger import events as e
from ledger.account import Appeal
from ledger.policy.stays import deposit_needed
from projections.dossier.case import CaseFile
from projections.dossier.chronicle import FORUMS, LANGUAGES, OUTCOMES
from projections.dossier.document import (
    AnyBlock,
    Cell,
    Facts,
    Heading,
    Paragraph,
    Row,
    Section,
    Table,
    counted,
    dollars,
    timed,
)


def dispute(case: CaseFile) -> Section:
    """The dispute, step by step."""
    return Section("dispute", "Who asked what, and when", list(_blocks(case)))


def _blocks(case: CaseFile) -> Iterator[AnyBlock]:
    petition = case.petition
    if petition is None:
        yield Paragraph(cell=Cell("No bill of this account was disputed."))
        return
    opened = case.event(petition.version)
    assert isinstance(opened, e.PetitionFiled)
    yield Facts(rows=list(_petition(case, opened)))
    others = [p for p in case.account.disputes.values() if p.dispute != petition.dispute]
    if others:
        names = ", ".join(f"{p.dispute} (bill {p.bill}, {timed(p.filed_at)})" for p in others)
        yield Paragraph(cell=Cell(f"Other petitions of this account: {names}.", tuple(p.version for p in others)))
    yield Heading(text="The utility's answer")
    yield from _answered(case, petition)
    yield Heading(text="At the Commission")
    appeals = [a for a in case.account.appeals.values() if a.filed.dispute == petition.dispute]
    if not appeals:
        yield Paragraph(cell=Cell("No appeal to the Commission is recorded."))
    for appeal in appeals:
        yield _appeal(case, appeal)


def _petition(case: CaseFile, petition: e.PetitionFiled) -> Iterator[tuple[str, Cell]]:
    cite = (petition.version,)
    who = "the customer" if petition.role == "customer" else "an adult occupant of the service address"
    if petition.petitioner:
        who = f"{petition.petitioner}, {who}"
    yield "Petition", Cell(petition.dispute, cite)
    yield "Filed by", Cell(who, cite)
    yield "Filed on", Cell(timed(petition.filed_at), cite, _learned(petition))
    yield "By", Cell(petition.channel or "the way is not recorded", cite)
    ground = "the accuracy of the bill" if petition.ground == "accuracy" else "something else than the bill's accuracy"
    yield "Over", Cell(ground, cite)
    if petition.note:
        yield "Recorded as", Cell(f"“{petition.note}”", cite)
    means = "said to be beyond the customer's means" if petition.beyond_means else "not said to be beyond the means"
    bill = case.account.bills.get(petition.bill)
    if bill is None:
        yield "Disputed", Cell(f"{dollars(petition.disputed_amount)} of bill {petition.bill}; {means}", cite)
        return
    rest = max(bill.amount - petition.disputed_amount, 0)
    text = f"{dollars(petition.disputed_amount)} of bill {bill.id}, which is for {dollars(bill.amount)}; {means}"
    yield "Disputed", Cell(text, (*cite, *bill.versions))
    unpaid = case.account.unpaid(bill.id)
    yield "Not disputed", Cell(f"{dollars(rest)}; unpaid of the whole bill today {dollars(unpaid)}")


def _learned(event: e.Event) -> str:
    return f"learned {timed(event.known_from)}"


def _answered(case: CaseFile, petition: e.PetitionFiled) -> Iterator[AnyBlock]:
    answer = case.account.answers.get(petition.dispute)
    if answer is None:
        yield Paragraph(cell=Cell("The petition is not answered.", mark="against"))
        return
    cite = (answer.version,)
    rows = [
        ("Answered on", Cell(timed(answer.on), cite, _learned(answer))),
        ("After", Cell(counted((answer.on - petition.day).days, "day"), (petition.version, answer.version))),
        ("Outcome", Cell(OUTCOMES[answer.outcome], cite)),
    ]
    if answer.credit:
        rows.append(("Credit", Cell(dollars(answer.credit), cite)))
    if answer.note:
        rows.append(("Recorded as", Cell(f"“{answer.note}”", cite)))
    rows.append(("Answered by", Cell(answer.actor or "not recorded", cite)))
    rows.append(("In", Cell(LANGUAGES[answer.language] if answer.language else "a language not recorded", cite)))
    yield Facts(rows=rows)


def _appeal(case: CaseFile, appeal: Appeal) -> Table:
    filed = appeal.filed
    needed = deposit_needed(case.now, appeal)
    steps = [
        (event.effective, _step(event), event) for event in case.known if getattr(event, "appeal", None) == filed.appeal
    ]
    rows = [Row([Cell(timed(when)), Cell(text, (event.version,), event.note or "")]) for when, text, event in steps]
    caption = f"Appeal {filed.appeal}: {dollars(appeal.deposited)} of {dollars(needed)} deposited with the Commission"
    return Table(caption=caption, head=["Day", "Step"], rows=rows, widths=(3, 9))


def _step(event: e.Event) -> str:
    match event:
        case e.AppealFiled():
            return f"Filed {FORUMS[event.forum]}{f' ({event.evidence})' if event.evidence else ''}."
        case e.CommissionDepositEvidenced():
            where = f", reference {event.reference}" if event.reference else ""
            return f"{dollars(event.amount)} deposited with the Commission{where}; in no balance of the utility."
        case e.AppealLapsed():
            return f"No longer diligently pursued: {event.evidence}."
        case e.AppealClosed():
            return f"Closed: {event.outcome}."
        case e.CommissionDepositDisbursed():
            return (
                f"Paid out: {dollars(event.to_utility)} to the utility, {dollars(event.to_customer)} to the customer."
            )
    return event.type
