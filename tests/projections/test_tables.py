"""The tables as they are described, and rows that agree with what the questions answer."""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from commands import answers
from ledger.history import History
from ledger.money import money
from ledger.movements import KINDS
from ledger.policy.arrangements import progress
from ledger.policy.case import Case, said
from ledger.policy.explain import explain
from ledger.policy.protections import protections
from ledger.utility import Rules
from projections.catalogue import PROJECTIONS, unpack
from projections.glossary import MEANING, page
from projections.rows import Folded, World
from tests.cases import arrangement_agreed, bill_mailed, payment

MONTHS = 24
"""How many completed months the question shows."""

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def test_the_page_describes_the_tables(request):
    if request.config.getoption("--rewrite"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_column_is_described_and_nothing_else():
    names = {column.name for projection in PROJECTIONS.values() for column in projection.columns}
    assert MEANING.keys() == names | {"account"}
    assert list(MEANING) == sorted(MEANING)


def test_nothing_floats_and_every_row_comes_back_as_it_was(template):
    for folded in template.folded.values():
        for name, projection in PROJECTIONS.items():
            rows = list(projection.rows(folded))
            assert list(unpack(name, template.packed[folded.account.id][list(PROJECTIONS).index(name)])) == rows
            assert not any(isinstance(value, float) for row in rows for value in fields(row).values())


def test_the_key_tells_the_rows_of_an_account_apart(template):
    counted = Counter()
    for folded in template.folded.values():
        for name, projection in PROJECTIONS.items():
            keys = [tuple(getattr(row, key) for key in projection.key) for row in projection.rows(folded)]
            assert len(keys) == len(set(keys)), (folded.account.id, name)
            counted[name] += len(keys)
    assert all(counted[name] for name in PROJECTIONS), counted


def fields(row):
    return {name: getattr(row, name) for name in row.__struct_fields__}


def rows_of(name, folded):
    return list(PROJECTIONS[name].rows(folded))


def asked(folded):
    """What a question is asked with, at the account's latest event."""
    history = History(folded.account.id, sorted(folded.history, key=lambda event: event.version))
    return history, *folded.world.rules, folded.case.at


def test_balances_and_bills_are_those_of_the_questions(template):
    for folded in template.folded.values():
        answer = answers.status(*asked(folded))
        (row,) = rows_of("balances", folded)
        assert all(money(value) == answer[name] for name, value in fields(row).items())
        kept = {row.bill: row for row in rows_of("bills", folded)}
        for bill in answer["bills"]:
            row = kept[bill["bill"]]
            for name in ("mailed_on", "past_due_from", "grace_until", "shutoff_from"):
                assert str(getattr(row, name)) == bill[name]
            assert (money(row.amount), money(row.unpaid)) == (bill["amount"], bill["unpaid"])
        (account,) = rows_of("accounts", folded)
        assert (account.off_since is None) == (answer["service"] == "on")


def test_past_due_on_any_day_follows_from_what_is_unpaid(template):
    for folded in template.folded.values():
        unpaid = rows_of("unpaid", folded)
        assert sum(row.unpaid for row in unpaid) == folded.account.balance + folded.account.credit
        for day in (date(2022, 1, 1) + timedelta(days=97 * n) for n in range(14)):
            past_due = sum(row.unpaid for row in unpaid if row.past_due_from and row.past_due_from <= day)
            assert past_due == folded.account.past_due(day)


def test_delinquency_is_what_explain_says(template):
    judged = 0
    for folded in template.folded.values():
        rows = rows_of("delinquency", folded)
        assert bool(rows) == bool(rows_of("unpaid", folded))
        for row in rows:
            if row.bill:
                found = explain(Case(folded.account, folded.case.at, *folded.world.rules))
                assert row.earliest == found.earliest, folded.account.id
                judged += found.earliest is not None
            assert row.past_due_from == min(
                (part.past_due_from for part in rows_of("unpaid", folded) if part.past_due_from), default=None
            )
    assert judged


def moments_of(folded):
    """The account after each of its events in turn, where something protects it at some time."""
    a = folded.account
    if a.arrangements or a.disputes or a.appeals or a.health or a.deposits:
        events = sorted(folded.history, key=lambda event: event.version)
        for count in range(1, len(events) + 1):
            yield Folded(a.id, events[:count], folded.world)


def test_what_protects_is_what_the_rules_say_after_every_event(template):
    seen = Counter()
    for folded in template.folded.values():
        for then in moments_of(folded):
            rows = rows_of("protections", then)
            wanted = [found for found in protections(then.case) if found.kind != "order"]
            assert [(row.kind, row.rules) for row in rows] == [(found.kind, " ".join(found.rules)) for found in wanted]
            assert all(row.since is not None for row in rows)
            seen.update(row.kind for row in rows)
    assert seen.keys() == {"arrangement", "request", "petition", "appeal", "health", "deposit"}


def test_an_arrangement_protects_until_the_day_before_it_is_missed(template):
    turned = set()
    for folded in template.folded.values():
        for then in moments_of(folded):
            for row in rows_of("protections", then):
                if row.kind != "arrangement" or row.until is None or row.until < then.case.on:
                    continue
                for day, protects in ((row.until, True), (row.until + timedelta(days=1), False)):
                    at = datetime(day.year, day.month, day.day, 23, 59, tzinfo=then.case.at.tzinfo)
                    found = protections(Case(then.account, at, *then.world.rules))
                    assert ("arrangement" in {each.kind for each in found}) == protects, (then.account.id, day)
                turned.add((then.account.id, row.until))
    assert len(turned) > 5


def test_installments_are_late_where_the_rules_say_missed_and_after_every_event(template):
    seen = Counter()
    for folded in template.folded.values():
        for then in moments_of(folded):
            for row in rows_of("installments", then):
                stands = progress(then.case, then.account.arrangements[row.arrangement])
                over = row.last_day < then.case.on
                late = row.paid_on is None or row.paid_on > row.last_day
                if stands.state == "kept" and over:
                    assert row.paid_on is not None, (then.account.id, then.case.on)
                if f"due {said(row.due_on)}" in stands.missed:
                    assert late, (then.account.id, then.case.on)
                seen[stands.state, "late" if over and late else "in time"] += 1
    assert {("kept", "in time"), ("missed", "late"), ("missed", "in time"), ("complete", "in time")} <= seen.keys(), (
        seen
    )


def test_an_installment_is_paid_by_the_cash_that_was_owed_then(case):
    """Of what a later bill asks for, an installment paid before that bill was mailed knows nothing (DO-12)."""
    case.given(
        bill_mailed("2024-01-02", "100.00", "B-1"),
        arrangement_agreed("2024-04-01", ("2024-05-01", "50.00"), ("2024-06-03", "50.00")),
        payment("2024-04-05 10:00", "50.00"),
        bill_mailed("2024-04-10", "60.00", "B-2"),
        payment("2024-06-03 10:00", "50.00"),
        payment("2024-06-10 10:00", "60.00"),
    )
    now = case.at("2024-06-10 10:00")
    folded = Folded("7001", case.events, World(Rules(now.calendar, now.policies), lambda *_: None))
    assert [row.paid_on for row in rows_of("installments", folded)] == [date(2024, 4, 5), date(2024, 6, 10)]


def test_an_arrangement_whose_bills_are_paid_protects_while_it_is_kept(case):
    """Money meant for a later bill paid the arranged one: the day it fails is its end, and not a miss."""
    case.given(
        bill_mailed("2024-01-02", "100.00", "B-1"),
        arrangement_agreed("2024-04-01", ("2024-06-03", "100.00")),
        bill_mailed("2024-04-10", "60.00", "B-2"),
        payment("2024-04-20 10:00", "60.00"),
        payment("2024-05-10 10:00", "40.00"),
    )
    now = case.at("2024-05-10 10:00")
    folded = Folded("7001", case.events, World(Rules(now.calendar, now.policies), lambda *_: None))
    (row,) = rows_of("protections", folded)
    assert (row.kind, row.until) == ("arrangement", date(2024, 6, 3))
    assert case.explain("2024-06-03 10:00")["DO-11"] == "blocks"
    assert case.explain("2024-06-04 10:00")["DO-11"] != "blocks"


def test_the_first_lawful_day_is_what_explain_says_after_every_event(template):
    judged = set()
    for folded in template.folded.values():
        for then in moments_of(folded):
            for row in rows_of("delinquency", then):
                if row.bill and row.notice:
                    assert row.earliest == explain(then.case).earliest, (then.account.id, then.account.version)
                    judged.add((then.account.id, row.earliest))
    assert len(judged) > 5


def test_daily_usage_is_what_usage_answers(template):
    counted = 0
    for folded in template.folded.values():
        kept = {row.month: row for row in rows_of("daily_usage", folded)}
        # Before 1999 no rule says how many months the question shows.
        if not kept or max(kept) < "1999":
            continue
        last = date.fromisoformat(f"{max(kept)}-28")
        history, calendar, policies, _ = asked(folded)
        answer = answers.usage(history, calendar, policies, last + timedelta(days=3))
        shown = [month for month in answer["months"] if month["month"] in kept]
        assert len(shown) >= min(len(kept), MONTHS)
        for month in shown:
            row = kept[month["month"]]
            for name in ("average_daily", "exact", "days", "covered_days", "state", "estimated"):
                assert getattr(row, name) == month[name], (folded.account.id, month)
            assert row.flags == " ".join(month["flags"])
            counted += 1
    assert counted > 500


def test_all_the_water_of_all_months_is_all_that_was_metered(template):
    for folded in template.folded.values():
        rows = [row for row in rows_of("daily_usage", folded) if row.exact]
        if len({event.meter for event in folded.account.meter_events}) != 1 or not rows:
            continue
        from ledger.usage import metering

        metered = metering(folded.account)
        water = sum(Fraction(row.exact) * row.covered_days for row in rows)
        assert water == sum(metered.usage(period) for period in metered.periods)


def test_receivables_add_up_to_what_is_held(template):
    for folded in template.folded.values():
        account = folded.account
        totals = dict.fromkeys(KINDS, 0)
        for row in rows_of("receivables", folded):
            assert row.kind in KINDS[row.book]
            totals[row.book] += row.amount
        assert totals == {
            "balance": account.balance,
            "deposit": account.deposit,
            "commission_deposit": account.commission_deposit,
        }


@pytest.mark.parametrize("name", ["installments", "deposits", "shutoffs"])
def test_registers_hold_what_happened(template, name):
    for folded in template.folded.values():
        account, rows = folded.account, rows_of(name, folded)
        if name == "installments":
            assert sum(row.amount for row in rows) == sum(row.amount for row in rows_of("arrangements", folded))
        elif name == "deposits":
            assert (rows[-1].held if rows else 0) == account.deposit
        else:
            assert (bool(rows) and rows[-1].on_at is None) == bool(account.off)
