"""Three verifiers that share no code have one opinion of every bundle: package, stand-alone file, browser."""

import subprocess
import sys

import pytest

from tests.integrity.browser import verified_in_browser
from tests.integrity.bundle_corpus import cases
from tests.integrity.bundle_drafts import written
from tests.integrity.made_log import MadeLog
from tests.integrity.verifiers import SCRIPT, by_package, by_script

SEED = 2026


def test_three_verifiers_agree_on_every_bundle(request, tmp_path):
    corpus = list(cases(SEED, request.config.getoption("bundles")))
    answers = verified_in_browser(corpus, tmp_path)
    wrong = []
    for case, answer in zip(corpus, answers, strict=True):
        in_browser = [(each["account"], each["version"]) for each in answer["findings"]]
        opinions = {"package": by_package(case), "script": by_script(case), "browser": in_browser}
        one = opinions["package"]
        if any(each != one for each in opinions.values()) or case.holds != (not one) or answer["ok"] != (not one):
            wrong.append(f"{case.name}: {case.holds}, and {opinions}")
        elif case.names and case.names not in one:
            wrong.append(f"{case.name}: {case.names} is not named in {one}")
    assert not wrong, "\n".join(wrong[:20])


def test_the_corpus_has_every_kind_of_bundle():
    corpus = list(cases(SEED, 200))
    assert sum(case.holds for case in corpus) > 20
    assert len({case.name for case in corpus if not case.holds}) > 60


@pytest.fixture
def files(tmp_path):
    """A good bundle, its key, and an older note."""
    log = MadeLog()
    (tmp_path / "7000.bundle.json").write_bytes(written(log.bundle(["7000"], since=1, dated=True, absent=["9"])))
    (tmp_path / "old.note").write_text(log.seals[1].note, encoding="utf-8")
    return tmp_path / "7000.bundle.json", log.key.vkey, tmp_path / "old.note"


def called(*arguments: object) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_the_script_says_what_it_proved(files):
    bundle, key, note = files
    code, said, _ = called(bundle, "--key", key, "--since", note)
    assert code == 0
    assert said.endswith("verifies\n")
    parts = "sample.example/ledger", "account 7000: all its", "account 9: there was none", "beginning of this one"
    assert [part for part in parts if part not in said] == []


def test_the_script_names_what_was_altered(files):
    bundle, key, _ = files
    text = bundle.read_text(encoding="utf-8")
    bundle.write_text(text.replace('"amount\\": -10', '"amount\\": -11', 1), encoding="utf-8")
    code, said, _ = called(bundle, "--key", key)
    assert code == 3
    assert "account 7000, version 2: was altered" in said
    assert said.endswith("does NOT verify\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda call: call[:1], "--key"),
        (lambda call: [call[0], "--key", "nonsense"], "verifier key"),
        (lambda call: [f"{call[0]}.missing", *call[1:]], "No such file"),
        (lambda call: [*call, "--since", call[0]], "checkpoint"),
    ],
)
def test_a_wrong_call_of_the_script_is_no_verdict(files, change, said):
    code, out, err = called(*change([files[0], "--key", files[1]]))
    assert (code, out) == (2, "")
    assert said in err


def test_the_script_says_when_it_cannot_check_a_signature(files, tmp_path):
    (tmp_path / "cryptography.py").write_text("raise ImportError", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, SCRIPT, files[0], "--key", files[1]],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "needs the package cryptography" in done.stderr


def test_the_script_is_short_and_stands_alone():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    assert not [word for word in ("ledger.", "commands", "projections", "msgspec") if f"import {word}" in text]
    assert "from ledger" not in text
