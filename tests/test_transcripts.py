"""Every golden transcript, played again: what people read must not change unseen (rewrite with --rewrite)."""

from pathlib import Path

import pytest

from tests.transcripts import play

GOLDEN = sorted(Path(__file__).parent.glob("golden/**/*.txt"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_prints_what_it_printed(golden: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = golden.read_text()
    played = play(text, tmp_path)
    if request.config.getoption("--rewrite"):
        golden.write_text(played)
    assert played == text or request.config.getoption("--rewrite")
    assert str(tmp_path) not in played
