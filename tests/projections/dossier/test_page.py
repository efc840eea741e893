"""The page: escaped, self-contained, accessible; and its text, read as a document."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from projections.dossier.document import Mark
from projections.dossier.page import FOLDER, page
from projections.dossier.proof import Proof
from tests.desk import MemoryLedger
from tests.projections.dossier.cases import Text, html, scenario, told

GOLDEN = Path(__file__).parents[2] / "golden" / "dossier-7001.md"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"&{{ 7 * 7 }}"


class Parsed(HTMLParser):
    """The elements of a page, with their attributes, in order."""

    VOID = frozenset(("meta", "input", "col", "br", "img", "rect", "line", "circle", "polyline"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag in tags]


@pytest.fixture(scope="module")
def parsed() -> Parsed:
    return Parsed(html(scenario("disputed-account")))


def test_the_text_of_the_page(request):
    text = html(scenario("disputed-account"))
    read = "\n\n".join(Text(text[: text.index('<section id="events"')]).lines) + "\n"
    if request.config.getoption("--rewrite"):
        GOLDEN.write_text(read, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == read


def test_what_people_wrote_is_text_and_never_markup():
    ledger = MemoryLedger()
    ledger.post("account open", opened_on="2019-01-01", name=HOSTILE, service_address=HOSTILE, district=HOSTILE)
    ledger.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00", note=HOSTILE, source=HOSTILE)
    ledger.post("adjustment post", amount="-1.00", on="2024-03-05", reason=HOSTILE, actor=HOSTILE)
    petition = {"dispute": "D-1", "bill": "B-1", "filed_at": "2024-03-06", "petitioner": HOSTILE, "channel": HOSTILE}
    ledger.post("dispute petition", **petition)
    text = html(ledger)
    found = Parsed(text)
    assert not found.all("img")
    assert not found.all("script")
    assert not [name for _, attrs in found.elements for name in attrs if name.startswith("on")]
    assert text.count("alert(1)&gt;") >= 6
    assert " 49" not in text


def test_another_utilitys_rules_make_a_page_under_their_own_ids():
    ledger = MemoryLedger("cal-water")
    ledger.post("account open", opened_on="2019-01-01", name="Sample Customer", service_address="1 Example Lane")
    ledger.post("bill issue", bill="B-1", mailed_on="2024-03-04", amount="90.00")
    ledger.post("dispute petition", dispute="D-1", bill="B-1", filed_at="2024-03-12T09:30-07:00")
    read = " ".join(Text(html(ledger)).lines)
    assert "Petition | D-1" in read
    assert "DO-" not in read


def test_nothing_is_loaded_from_anywhere(parsed):
    assert not parsed.all("link", "img", "iframe", "object", "embed", "base", "form")
    assert not [attrs for _, attrs in parsed.elements if "src" in attrs]
    links = [attrs["href"] for attrs in parsed.all("a")]
    assert all(link.startswith("#") for link in links)
    (policy,) = (attrs["content"] for attrs in parsed.all("meta") if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for name in ("page.js", "verify.js", "page.css"):
        text = (FOLDER / name).read_text(encoding="utf-8")
        assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(|@import|url\(|https?:", text), name


def test_every_link_leads_somewhere_and_every_name_is_there_once(parsed):
    names = [attrs["id"] for _, attrs in parsed.elements if "id" in attrs]
    assert len(names) == len(set(names))
    assert {attrs["href"][1:] for attrs in parsed.all("a")} <= set(names)


def test_a_reader_who_does_not_see_finds_the_way(parsed):
    assert parsed.all("html")[0]["lang"] == "en"
    assert parsed.all("title")
    assert parsed.all("a")[0] == {"class": "skip", "href": "#main"}
    assert len(parsed.all("h1")) == len(parsed.all("main")) == 1
    assert all("scope" in attrs for attrs in parsed.all("th"))
    assert len(parsed.all("caption")) == len(parsed.all("table"))
    assert all(attrs.get("role") == "img" for attrs in parsed.all("svg"))
    levels = [int(tag[1]) for tag, _ in parsed.elements if tag in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("aria-labelledby" in attrs for attrs in parsed.all("section"))


def test_colours_can_be_read():
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    inks = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", style))
    for ink in ("ink", "soft", "accent", "warn"):
        for ground in ("#ffffff", inks["faint"], inks["warm"]):
            assert contrast(inks[ink], ground) >= 4.5, (ink, ground)


def test_paper_leaves_out_only_what_paper_cannot_do():
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    (hidden,) = re.findall(r"\n  ([^{}\n]+) \{ display: none; \}", style[style.index("@media print") :])
    assert hidden.split(", ") == ["nav", ".skip", ".pasted", "#save-bundle", ".event details"]
    assert not {f".{mark}" for mark in get_args(Mark)} & set(hidden.split(", "))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_without_a_seal_the_page_says_that_nothing_is_proved():
    text = html(scenario("disputed-account"))
    assert "This file carries no proof: none of its events was sealed when it was written." in text
    assert "<script" not in text


def test_events_after_the_last_seal_are_counted():
    document = told(scenario("disputed-account"))
    assert "2 events are younger than the last seal" in page(document, Proof(b"{}", len(document.events) - 2))
    assert "1 event is younger than the last seal" in page(document, Proof(b"{}", len(document.events) - 1))
    assert "younger than the last seal" not in page(document, Proof(b"{}", len(document.events)))


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("appeal-with-commission-deposit", "7101"), ("c-99-11-017", "7124"), ("c-16-03-008", "7125"),
        ("landlord-master-metered", "7109"), ("moratorium-2021", "7123"), ("health-exception", "7104"),
        ("after-hours-reconnection", "7117"), ("deposit-absorption", "7114"), ("wrongful-shutoff", "7105"),
    ],
)  # fmt: skip
def test_every_kind_of_case_makes_a_whole_page(name, account):
    found = Parsed(html(scenario(name), account))
    assert {attrs["href"][1:] for attrs in found.all("a")} <= {attrs.get("id") for _, attrs in found.elements}
