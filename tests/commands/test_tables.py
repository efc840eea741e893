"""The answers for a person and as CSV: plain, narrow, and safe to open."""

import csv
import io
from datetime import date

from commands import answers, answers_over_all, outputs, tables
from ledger import events as e
from tests.cases import bill_mailed, moment, payment
from tests.commands.told import AGED, READS, RULES, history


def test_cw_12_usage_as_csv():
    file = io.StringIO(newline="")
    answer = answers.usage(history(*READS, account="-1+2"), *RULES, date(2023, 2, 28))
    outputs.write_csv(tables.page("usage", answer), file)
    lines = file.getvalue().split("\r\n")
    assert lines[0] == "account,unit,month,average_daily,exact,literal,days,covered_days,state,estimated,flags"
    assert lines[-2] == "'-1+2,CCF,2023-02,0.500000,1/2,0.160714,28,9,open,false,"
    assert [len(row) for row in csv.reader(lines[:-1])] == [11] * 26


def test_cw_12_a_negative_average_stays_a_number():
    told = history(READS[0], e.ReadTaken(meter="M1", read_on=date(2023, 2, 12), reading=-31_000))
    file = io.StringIO(newline="")
    outputs.write_csv(tables.page("usage", answers.usage(told, *RULES, date(2023, 2, 28))), file)
    assert ",-1.000000,-1," in file.getvalue()


def shown(question: str, answer: object) -> str:
    file = io.StringIO()
    outputs.show(tables.page(question, answer), file)
    text = file.getvalue()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert not any(line.endswith(" ") for line in text.splitlines())
    return text


def test_tables_are_plain_and_at_most_100_columns_wide():
    told = history(*AGED, *READS, bill_mailed("2024-05-01", "1234567.89", "B" * 40), payment("2024-05-06", "5.00"))
    at = moment("2024-05-23 10:00")
    for question in ("balance", "status", "explain", "reconnection", "usage", "statement"):
        assert "7001" in shown(question, getattr(answers, question)(told, *RULES, at))
    assert "AccountOpened" in shown("history", list(answers.recorded(told, lambda event: event)))
    for question in ("aging", "trial_balance", "worklist"):
        answer = getattr(answers_over_all, question)([told], *RULES, at)
        assert "23 May 2024" in shown(question.replace("_", "-"), answer)


def test_the_table_of_an_explanation_reads_rule_layer_verdict_because():
    text = shown("explain", answers.explain(history(*AGED), *RULES, moment("2024-05-22 10:00")))
    assert "service may not be discontinued for nonpayment" in text
    line = next(line for line in text.splitlines() if line.startswith("DO-04"))
    assert line.split() == [
        "DO-04",
        "policy",
        "blocks",
        "bill",
        "B1",
        "may",
        "be",
        "paid",
        "until",
        "22",
        "May",
        "2024",
    ]


def test_money_stands_to_the_right_in_a_statement():
    told = history(bill_mailed("2024-02-01", "90.00", "B1"), payment("2024-02-09", "1000.00", payment="P1"))
    lines = shown("statement", answers.statement(told, *RULES, date(2024, 2, 29))).splitlines()
    bill, paid = (next(line.rstrip() for line in lines if line.startswith(on)) for on in ("1 Feb", "9 Feb"))
    assert len(bill) == len(paid)
    assert (bill.split()[-2:], paid.split()[-2:]) == (["90.00", "90.00"], ["-1000.00", "-910.00"])
