"""The README's first screen is a transcript, and the transcript is played (rewrite the README with --rewrite)."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(?<=<!-- transcript: (tests/golden/readme\.txt) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def test_the_readme_shows_what_the_program_prints(request: pytest.FixtureRequest) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    transcript = (ROOT / "tests/golden/readme.txt").read_text(encoding="utf-8")
    shown, blocks = BLOCK.subn(lambda _: f"```\n{transcript}```\n", text)
    if request.config.getoption("--rewrite"):
        readme.write_text(shown, encoding="utf-8")
    assert blocks == 1
    assert text == shown or request.config.getoption("--rewrite")


def test_every_file_the_readme_names_is_there() -> None:
    named = re.findall(
        r"`((?:scripts|docs|ledger|projections|commands)/[\w./-]*|[A-Z]+\.md)", (ROOT / "README.md").read_text()
    )
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []
