"""Every golden transcript, played again: what people read must not change unseen (rewrite with --rewrite)."""

from pathlib import Path
from typing import Any

import pytest

from ledger.refusal import Refused
from tests.transcripts import play

GOLDEN = sorted(Path(__file__).parent.glob("golden/**/*.txt"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_prints_what_it_printed(
    golden: Path, tmp_path: Path, request: pytest.FixtureRequest, refused: list[str]
) -> None:
    text = golden.read_text()
    played = play(text, tmp_path)
    if request.config.getoption("--rewrite"):
        golden.write_text(played)
    assert played == text or request.config.getoption("--rewrite")
    assert str(tmp_path) not in played
    if golden.parent.name == "refusals":
        assert golden.stem in refused


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes of all that is refused while the test runs."""
    codes: list[str] = []
    made = Refused.__init__

    def noted(self: Refused, code: str, *about: Any, **more: Any) -> None:
        codes.append(code)
        made(self, code, *about, **more)

    monkeypatch.setattr(Refused, "__init__", noted)
    return codes
