"""Policies: a pack is read at the door, checked, and kept with its text."""

from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.events import PolicyPublished
from ledger.policy.parameters import FOLDER
from tests.commands.world import NOW, World, command

ORDERS = (FOLDER / "orders.toml").read_text(encoding="utf-8")


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    file = tmp_path / "orders-2025.toml"
    file.write_text(ORDERS, encoding="utf-8")
    return file


def test_a_pack_is_published_with_its_text(pack: Path) -> None:
    published = World().then("policy publish", file=str(pack), effective_from="2025-01-01")
    digest = sha256(ORDERS.encode()).hexdigest()
    assert published == [PolicyPublished(pack="orders", effective_from=date(2025, 1, 1), sha256=digest, text=ORDERS)]


def test_a_pack_governs_from_today_unless_told_otherwise(pack: Path) -> None:
    (published,) = World().then("policy publish", file=str(pack))
    assert published.effective_from == NOW.date()


def test_a_relative_path_starts_from_the_working_directory(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pack.parent)
    (published,) = World().then("policy publish", file=pack.name)
    assert published.text == ORDERS


def test_the_same_file_with_another_text_is_another_command(pack: Path) -> None:
    first, again = (command("policy publish", file=str(pack)) for _ in range(2))
    pack.write_text(ORDERS + "# mended\n", encoding="utf-8")
    mended = command("policy publish", file=str(pack))
    assert first.content() == again.content() != mended.content()


def test_where_the_file_lay_is_no_part_of_the_command(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = pack.with_name("copy.toml")
    copy.write_text(ORDERS, encoding="utf-8")
    monkeypatch.chdir(pack.parent)
    files = (str(pack), pack.name, f"./{pack.name}", str(copy))
    assert len({command("policy publish", file=file).content() for file in files}) == 1
    assert (
        len({command("policy publish", file=pack.name, effective_from=f"2025-01-0{n}").content() for n in (1, 2)}) == 2
    )


def test_what_was_read_at_the_door_is_what_is_published(pack: Path) -> None:
    read_once = command("policy publish", file=str(pack))
    pack.unlink()
    (published,) = World()._decide(read_once)
    assert published.text == ORDERS


@pytest.mark.parametrize(
    ("found", "mended", "said"),
    [
        ("since", "sinse", "moratorium.versions[0].sinse"),
        ('id = "ORD-2020-04"', "", "moratorium.id: is missing"),
        ("residential_only = true", "residential_only = 1.5", "moratorium.versions[1].residential_only"),
        ("[pack]", "[pack", "is not TOML"),
        ("[pack]", f"a = {'[' * 5000}{']' * 5000}", "is not TOML: it is nested too deep"),
    ],
)
def test_a_wrong_pack_is_invalid_and_names_file_key_and_reason(pack: Path, found: str, mended: str, said: str) -> None:
    assert found in ORDERS
    pack.write_text(ORDERS.replace(found, mended), encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(pack))
    assert refusal.code == "invalid_pack"
    assert refusal.message.startswith(f"{pack}: ")
    assert said in refusal.message
    assert refusal.message.endswith("mend the file and publish it again")


def test_a_rule_that_stands_in_another_pack_is_refused(pack: Path) -> None:
    pack.write_text(ORDERS.replace('name = "orders"', 'name = "decrees"'), encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(pack))
    assert refusal.code == "pack_not_usable"
    assert "stands in orders already; publish all of orders anew, under that name" in refusal.message


def test_a_pack_that_leaves_out_rules_is_refused_because_what_nobody_says_forbids_nothing(tmp_path: Path) -> None:
    whole = (FOLDER / "california.toml").read_text(encoding="utf-8")
    first = whole.index("[sb998_delinquency]")
    part = tmp_path / "part.toml"
    part.write_text(whole[:first] + whole[whole.index("[sb998_appeal]") :], encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(part))
    assert refusal.code == "pack_not_usable"
    assert "leaves out HS-116908-A, which the california it replaces has; publish it whole" in refusal.message
    part.write_text(whole[:first] + whole[whole.index("[sb998_health]") :], encoding="utf-8")
    assert "leaves out HS-116908-A and 1 more" in World().refusal("policy publish", file=str(part)).message
    part.write_text(whole, encoding="utf-8")
    assert World().then("policy publish", file=str(part))


def test_a_pack_that_leaves_out_a_holiday_or_the_utility_is_refused(tmp_path: Path) -> None:
    holidays = (FOLDER / "holidays.toml").read_text(encoding="utf-8")
    part = tmp_path / "part.toml"
    part.write_text(holidays[: holidays.rindex("[[holiday]]")], encoding="utf-8")
    assert "which the holidays it replaces has" in World().refusal("policy publish", file=str(part)).message
    company = (FOLDER / "del-oro.toml").read_text(encoding="utf-8")
    first = company.index("[utility]")
    part.write_text(company[:first] + company[company.index("[office_closure]") :], encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(part))
    assert refusal.code == "pack_not_usable"
    assert "leaves out [utility], which the del-oro it replaces has; publish it whole" in refusal.message


def test_a_pack_whose_offices_never_open_is_refused_as_such_hours_are(tmp_path: Path) -> None:
    company = (FOLDER / "del-oro.toml").read_text(encoding="utf-8")
    part = tmp_path / "part.toml"
    part.write_text(company.replace('weekdays = "mon-fri"', 'weekdays = "sat"'), encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(part))
    assert refusal.code == "pack_not_usable"
    assert "sat leaves no business day in any week" in refusal.message


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("\u202e", "turns its order around when it is read (U+202E"),
        ("\\u202e", "turns its order around when it is read (U+202E"),
        ("\\u001b[31m", "has control characters in a text"),
    ],
)
def test_a_pack_is_read_as_it_is_kept(pack: Path, hidden: str, said: str) -> None:
    pack.write_text(ORDERS.replace('title = "', f'title = "{hidden}'), encoding="utf-8")
    refusal = World().refusal("policy publish", file=str(pack))
    assert refusal.code == "invalid_pack"
    assert said in refusal.message


def test_a_file_that_cannot_be_read_is_invalid(tmp_path: Path) -> None:
    large, latin = tmp_path / "large.toml", tmp_path / "latin.toml"
    large.write_text("#" * (2**20 + 1), encoding="utf-8")
    latin.write_bytes(b"# caf\xe9\n")
    said = {
        str(tmp_path / "none.toml"): "there is no file",
        str(tmp_path): "is not a file",
        str(large): "larger than 1,048,576 bytes",
        str(latin): "cannot be read: it is not UTF-8 text",
        " ": "the text is empty",
    }
    for file, why in said.items():
        refusal = World().refusal("policy publish", file=file)
        assert refusal.code == "invalid_value"
        assert why in refusal.message


def test_a_policy_belongs_to_no_account(pack: Path) -> None:
    assert World().refusal("policy publish", account="7001", file=str(pack)).code == "unknown_field"
