"""Every rule is named by a test: the rules of every pack under one of their ids, and the conventions C1 to C12."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.policy.pack import load_pack
from ledger.policy.parameters import FOLDER

TESTS = Path(__file__).parent
CONVENTIONS = [f"C{n}" for n in range(1, 13)]
OUTSIDE_THE_TEXTS = [
    *("HS-116908-A", "HS-116908-B", "HS-116910", "HS-116914", "HS-116916", "PUC-777", "PUC-777.1", "PUC-779-A"),
    *("PUC-779-C", "PUC-779.1-A", "PUC-779.1-B", "PUC-780", "GOV-6800", "ORD-2020-04"),
]
"""The rules that bind a shutoff without standing in the two published texts: statutes and orders."""

Ids = frozenset[str]


def rules_of_the_packs() -> dict[str, Ids]:
    """The ids of each rule function: one for each utility that has it, the statutes' and orders' own."""
    found: dict[str, Ids] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for function, table in load_pack(path.read_text(encoding="utf-8"), path.name).tables.items():
            found[function] = found.get(function, frozenset()) | {table.id}
    return found


def names_of_tests() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


NAMES = " ".join(names_of_tests())


def named(rule: str) -> bool:
    """Whether a test carries the id in its name: "test_puc_779_1_a_…" is about PUC-779.1-A, and not about PUC-779-A."""
    spelled = re.sub(r"[-.]", "_", rule.lower())
    longer = {re.sub(r"[-.]", "_", other.lower()) for other in OUTSIDE_THE_TEXTS} - {spelled}
    for place in re.finditer(rf"(?<=_){spelled}(?![0-9a-z])", NAMES):
        if not any(NAMES.startswith(other, place.start()) for other in longer if other.startswith(spelled)):
            return True
    return False


@pytest.mark.parametrize(
    ("function", "ids"),
    rules_of_the_packs().items(),
    ids=lambda value: "-".join(sorted(value)) if isinstance(value, frozenset) else value,
)
def test_each_rule_of_the_packs_is_named_by_a_test(function: str, ids: Ids) -> None:
    assert any(named(rule) for rule in ids), f"no test is named for {function} ({', '.join(sorted(ids))})"


@pytest.mark.parametrize("rule", CONVENTIONS + OUTSIDE_THE_TEXTS)
def test_each_convention_and_each_statute_is_named_by_a_test(rule: str) -> None:
    assert named(rule), f"no test is named for {rule}"
