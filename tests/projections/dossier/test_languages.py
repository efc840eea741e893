"""What was served in which language, and the divergences of the translations that touch a rule used."""

import pytest

from projections.dossier.document import Flag
from tests.desk import MemoryLedger
from tests.projections.dossier.cases import section, sentences, told

OPENED = {"opened_on": "2019-01-01", "name": "Sample Customer", "service_address": "1 Example Lane"}


def served(language: str) -> MemoryLedger:
    """A bill not paid, a discontinuance notice in that language, the water turned off."""
    ledger = MemoryLedger()
    ledger.post("account open", **OPENED, learned_at="2019-01-01T09:00-08:00")
    ledger.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00", learned_at="2024-03-04T17:00-08:00")
    notice = {"notice": "N-1", "kind": "discontinuance", "on": "2024-05-06", "method": "mail", "language": language}
    ledger.post("notice serve", **notice, learned_at="2024-05-06T11:00-07:00")
    off = {"at": "2024-06-10T10:20-07:00", "reason": "nonpayment"}
    ledger.post("service disconnect", **off, learned_at="2024-06-10T11:00-07:00")
    return ledger


def flags(language: str) -> list[Flag]:
    return [block for block in section(told(served(language)), "languages") if isinstance(block, Flag)]


@pytest.mark.parametrize(
    ("language", "warned", "mentioned"),
    [
        ("zh", {"T1"}, {"T7"}),
        ("ko", {"T3", "T6", "T15"}, set()),
        ("vi", set(), {"T2", "T12", "T16"}),
        ("tl", {"T11"}, {"T10", "T18", "T20"}),
    ],
)
def test_a_translation_that_promised_more_is_put_before_a_person(language, warned, mentioned):
    found = {flag.title.split(",")[0]: flag.tone for flag in flags(language)}
    assert {name for name, tone in found.items() if tone == "warning"} == warned
    assert mentioned <= {name for name, tone in found.items() if tone == "plain"}


def test_a_divergence_of_a_rule_not_used_is_only_named():
    said = " ".join(sentences(section(told(served("zh")), "languages")))
    assert "Divergences of rules that do not bear on this case: T4, T8, T19." in said


def test_in_english_nothing_diverges():
    assert not flags("en")
    said = " ".join(sentences(section(told(served("en")), "languages")))
    assert "no translation bears on this case" in said
