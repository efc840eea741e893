"""What the verifiers of bundles that need no browser say of a case."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from ledger.integrity.check import check
from ledger.integrity.notes import BadNote, read_vkey
from tests.integrity.bundle_drafts import Case, Named

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_bundle.py"


@cache
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_bundle", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_package(case: Case) -> list[Named]:
    try:
        found = check(case.raw, [read_vkey(key) for key in case.keys], case.since).findings
    except BadNote:
        return [(None, None)]
    return [(each.account, each.version) for each in found]


def by_script(case: Case) -> list[Named]:
    try:
        found, _ = script().verify(case.raw, case.keys, case.since)
    except ValueError:
        return [(None, None)]
    return [(account, version) for account, version, _ in found]
