"""A real browser without a window, for the verifier that dossiers carry: Debian's Chromium, on a page from a file."""

import base64
import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integrity.bundle_drafts import Case

VERIFIER = Path(__file__).parents[2] / "projections" / "dossier" / "verify.js"

_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Bundles</title>
<pre id="answer"></pre>
<script>%s</script>
<script type="application/json" id="cases">%s</script>
<script>
(async () => {
  const answers = [];
  for (const [raw, keys, since] of JSON.parse(document.getElementById("cases").textContent)) {
    answers.push(await verifyBundle(Uint8Array.from(atob(raw), (each) => each.charCodeAt(0)), keys, since));
  }
  document.getElementById("answer").textContent = JSON.stringify(answers);
})().catch((error) => { document.getElementById("answer").textContent = `failed: ${error.stack}`; });
</script>
"""

# A long budget of virtual time: the page is printed when it has nothing more to do, or when that is used up.
_FLAGS = (
    "--headless --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--disable-dev-shm-usage --virtual-time-budget=100000000 --dump-dom"
)


def chromium() -> str:
    """The browser's program; raises FileNotFoundError."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise FileNotFoundError("Chromium is missing; scripts/setup-chromium installs it")


def dom(page: Path, folder: Path, seconds: int = 240) -> str:
    """The page after its scripts have run."""
    call = [chromium(), *_FLAGS.split(), f"--user-data-dir={folder / 'profile'}", page.as_uri()]
    if os.getuid() == 0:
        call.insert(1, "--no-sandbox")
    done = subprocess.run(call, check=True, timeout=seconds, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode()


def verified_in_browser(cases: Sequence[Case], folder: Path) -> list[dict[str, Any]]:
    """What the dossier's verifier answers in a browser, case by case."""
    said = [[base64.b64encode(case.raw).decode(), case.keys, case.since] for case in cases]
    page = folder / "bundles.html"
    page.write_text(_PAGE % (VERIFIER.read_text(encoding="utf-8"), json.dumps(said)), encoding="utf-8")
    answer = re.search(r'<pre id="answer">(.*?)</pre>', dom(page, folder), re.DOTALL)
    assert answer, "the page has no place for an answer"
    text = html.unescape(answer[1])
    assert text.startswith("["), text or "the page was printed before it had an answer"
    answers: list[dict[str, Any]] = json.loads(text)
    return answers
