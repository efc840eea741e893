"""The page checks itself in a real browser, and names the event that does not agree with the proof."""

import base64
import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner

from commands.cli import cli
from tests.integrity.browser import dom
from tests.integrity.made_log import SigningKey

TWIN = '<article class="event" data-version="3"></article>'

Check = Callable[[str], tuple[str, str, list[str], list[int]]]


class Sealed:
    """A case file of a sealed account, and one event more that no seal has."""

    def __init__(self, folder: Path) -> None:
        url = f"sqlite:///{folder / 'water-ledger.db'}"
        feed = [
            {"command": "account open", "opened_on": "2019-01-01", "name": "Sample Customer", "language": "ko"}
            | {"service_address": "1 Example Lane", "phone": "530-555-0100", "note": "a <b>note</b> & more"},
            {"command": "meter install", "meter": "M-1", "on": "2023-12-01", "reading": "0.125"},
            {"command": "bill issue", "bill": "B-1", "mailed_on": "2024-03-04", "usage": "58.5"}
            | {"lines": [{"kind": "service", "amount": "54.56"}, {"kind": "usage", "amount": "413.11"}]},
            {"command": "dispute petition", "dispute": "D-1", "bill": "B-1", "filed_at": "2024-03-12"}
            | {"petitioner": "Sample Occupant", "role": "occupant", "beyond_means": True},
            {"command": "adjustment post", "amount": "-5.00", "on": "2024-03-20", "reason": "goodwill"},
            {"command": "service disconnect", "at": "2024-03-22T10:20-07:00", "reason": "nonpayment"},
        ]
        lines = "".join(json.dumps({"account": "7001", **line}) + "\n" for line in feed)

        def call(*arguments: str, fed: str | None = None) -> str:
            done = CliRunner().invoke(cli, ["--db", url, *arguments], input=fed, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.stdout

        call("post", "-", fed=lines)
        self.key = call("audit", "key", "create").strip()
        call("audit", "seal")
        late = {"payment": "P-1", "amount": "1.00", "received_at": "2024-04-01", "channel": "mail"}
        call("post", "-", fed=json.dumps({"command": "payment receive", "account": "7001", **late}) + "\n")
        call("dossier", "7001", "-o", str(folder / "case"))
        call("dossier", "7001", "--redact", "-o", str(folder / "redacted"))
        self.page = (folder / "case" / "index.html").read_text(encoding="utf-8")
        self.redacted = (folder / "redacted" / "index.html").read_text(encoding="utf-8")

    def with_key(self, key: str) -> str:
        """The page after somebody pasted a key."""
        return replaced(self.page, '<input id="key"', f'<input id="key" value="{key}"')

    def with_bundle(self, before: str, after: str) -> str:
        """The page with another proof in it: one text of the bundle replaced."""
        (held,) = re.findall(r'id="bundle">([^<]+)<', self.page)
        changed = replaced(base64.b64decode(held).decode(), before, after)
        return self.page.replace(held, base64.b64encode(changed.encode()).decode())


def replaced(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after, 1)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Sealed:
    return Sealed(tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """What the browser makes of a page: the state, the sentence, the findings, the events it marks as broken."""

    def checked(text: str) -> tuple[str, str, list[str], list[int]]:
        page = tmp_path / "index.html"
        page.write_text(text, encoding="utf-8")
        after = dom(page, tmp_path)
        (state,) = re.findall(r'id="check" data-state="(\w+)"', after)
        (said,) = re.findall(r'<p id="check-result"[^>]*>(.*?)</p>', after)
        findings = re.findall(r"<li>([^<]*)</li>", re.findall(r'<ul id="findings">(.*?)</ul>', after, re.DOTALL)[0])
        broken = [int(version) for version in re.findall(r'class="event[^"]* broken" id="event-(\d+)"', after)]
        return state, unescape(said), [unescape(finding) for finding in findings], broken

    return checked


def test_a_good_page_is_proved_by_the_key_that_the_reader_pastes(sealed: Sealed, check: Check):
    state, said, findings, broken = check(sealed.with_key(sealed.key))
    assert (state, findings, broken) == ("good", [], [])
    assert said.startswith(
        "Proved, and signed with the key given: 6 events of this account, unaltered and with none left"
    )
    assert said.endswith(" 1 event recorded after that seal is not proved.")


def test_without_a_key_all_but_the_signature_is_checked(sealed: Sealed, check: Check):
    state, said, findings, broken = check(sealed.page)
    assert (state, findings, broken) == ("open", [], [])
    assert said.startswith("Checked, but for the signature: 6 events of this account")
    assert "paste it" in said


def test_another_key_proves_nothing(sealed: Sealed, check: Check):
    state, said, findings, broken = check(sealed.with_key(SigningKey("del-oro.example/ledger", seed=9).vkey))
    finding = "The proof as a whole: the note is not signed with the key given."
    assert (state, findings, broken) == ("bad", [finding], [])
    assert said == f"NOT PROVED. {finding}"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("del-oro.example/ledger+", "the key is not an Ed25519 verifier key: name+id+base64"),
        (SigningKey("del-oro.example/ledger", seed=9).vkey[:-4] + "AAAA", "the key does not fit the id it states"),
    ],
)
def test_a_key_not_copied_whole_says_nothing_of_the_file(sealed: Sealed, check: Check, key: str, why: str):
    state, said, findings, broken = check(sealed.with_key(key))
    assert (state, findings, broken) == ("bad", [], [])
    assert said.startswith(f"NOT CHECKED: {why}")
    assert said.endswith("check again.")


def test_the_key_is_pasted_and_sent_where_the_answer_appears(sealed: Sealed, check: Check):
    box = re.findall(r'<div class="check" id="check".*?</div>', sealed.page, re.DOTALL)[0]
    assert [name for name in ("check-result", "key", "check-again") if f'id="{name}"' in box] == [
        "check-result", "key", "check-again",
    ]  # fmt: skip
    typed = (
        f"const field = document.getElementById('key'); field.value = '{sealed.key}';"
        "field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));"
    )
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", sealed.page)
    state, said, _, _ = check(replaced(page, "  await check();\n", f"  await check();\n{typed}\n"))
    assert (state, said[:6]) == ("good", "Proved")


def test_a_redacted_page_is_proved_as_well(sealed: Sealed, check: Check):
    assert "Sample Customer" not in sealed.redacted
    state, _, findings, broken = check(sealed.redacted)
    assert (state, findings, broken) == ("open", [], [])


@pytest.mark.parametrize(
    ("before", "after", "version", "what"),
    [
        ('data-form="money">467.67<', 'data-form="money">167.67<', 3, "“167.67” on this page as its amount"),
        ('data-form="quantity">58.5<', 'data-form="quantity">5.85<', 3, "“5.85” on this page as its usage"),
        ('data-form="personal">Sample Customer<', 'data-form="personal">Sample Customre<', 1, "as its name"),
        ('data-form="text">yes<', 'data-form="text">no<', 4, "“no” on this page as its beyond means"),
        (">2024-03-12</dd>", ">2024-03-11</dd>", 4, "“2024-03-11” on this page as its filed at"),
        ("as stored</summary><pre>", "as stored</summary><pre> ", 1, "is not shown on this page as it was stored"),
        ('id="event-5" data-version="5"', 'id="event-5" data-version="55"', 5, "the page does not show it"),
        ("amount 54.56", "amount 45.56", 3, "as its lines, which is not what was proved"),
        ("rule DO-02, since 2020", "rule DO-02, since 2019", 3, "as its basis, which is not what was proved"),
        ('<dd data-field="amount" data-form="money">467.67<', "<dd>167.67<", 3, "“167.67” on this page as its amount"),
        ('data-form="effective">2024-03-04<', 'data-form="effective">2024-03-05<', 3, "as its effective"),
        ('<div><dt>reason</dt><dd data-field="reason" data-form="text">goodwill</dd></div>', "", 5, "has no reason on"),
        ('<article class="event" id="event-4"', f'{TWIN}<article id="event-4"', 3, "stands on this page twice"),
    ],
)  # fmt: skip
def test_an_event_changed_on_the_page_is_named(sealed: Sealed, check: Check, before, after, version, what):
    page = sealed.page.replace("As stored", "as stored")
    state, said, findings, broken = check(replaced(page, before, after))
    assert state == "bad"
    assert said.startswith(f"NOT PROVED. Event {version} ")
    assert [finding for finding in findings if what in finding]
    assert broken == [version]


def test_an_event_changed_in_the_proof_is_named(sealed: Sealed, check: Check):
    state, said, findings, broken = check(sealed.with_bundle('\\"amount\\":46767', '\\"amount\\":16767'))
    assert state == "bad"
    assert said.startswith("NOT PROVED. Event 3 was altered, moved or exchanged")
    assert "Event 3 is not shown on this page as it was stored." in findings
    assert broken == [3]


def test_what_is_younger_than_the_seal_is_marked(sealed: Sealed, tmp_path: Path):
    page = tmp_path / "index.html"
    page.write_text(sealed.page, encoding="utf-8")
    after = dom(page, tmp_path)
    assert re.findall(r'class="event unproved" id="event-(\d+)"', after) == ["7"]
    assert "1 event is younger than the last seal and is not proved" in after
