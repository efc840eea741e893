"""`audit export`, `check-bundle`, `diff` and `sample`, called as a user calls them."""

import json
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.transcripts import MORNING, run

NAME, MAIL, PHONE = "Canary Sampleton", "canary@example.com", "530-555-0199"


class Office:
    """A utility at its command line; `day` moves the clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.day = 0

    def call(self, *arguments: str, fed: str = "") -> tuple[str, int]:
        return run(["audit", *arguments], fed.encode(), self.folder, MORNING + timedelta(days=self.day))

    def said(self, *arguments: str) -> str:
        said, code = self.call(*arguments)
        assert code == 0, said
        return said

    def post(self, *records: dict[str, Any]) -> None:
        feed = "".join(json.dumps(record) + "\n" for record in records)
        said, code = run(["post", "-"], feed.encode(), self.folder, MORNING + timedelta(days=self.day))
        assert code == 0, said

    def open(self, account: str) -> None:
        about = {"opened_on": "2024-01-02", "name": NAME, "service_address": "1 Example Lane"}
        self.post({"command": "account open", "account": account, "billing_email": MAIL, "phone": PHONE, **about})

    def bill(self, account: str, bill: str) -> None:
        about = {"mailed_on": "2024-02-01", "amount": "85.00"}
        self.post({"command": "bill issue", "account": account, "bill": bill, **about})

    def seal(self, name: str) -> None:
        self.day += 1
        self.said("seal")
        (self.folder / name).write_text(self.said("note"), encoding="utf-8")

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Three accounts under two seals, and a bill that is not sealed yet."""
    made = Office(tmp_path_factory.mktemp("office"))
    made.open("7001")
    made.said("key", "create")
    made.open("7002")
    made.bill("7001", "B-1")
    made.seal("first.note")
    made.bill("7001", "B-2")
    made.open("7003")
    made.seal("second.note")
    made.bill("7001", "B-3")
    (made.folder / "log.vkey").write_text(made.said("key", "show").split()[0] + "\n", encoding="utf-8")
    return made


def exported(office: Office, *options: str, name: str = "x.json") -> tuple[str, str]:
    said = office.said("export", *options, "-o", office.path(name))
    return said, (office.folder / name).read_text(encoding="utf-8")


def checked(office: Office, *options: str, name: str = "x.json") -> tuple[str, int]:
    return office.call("check-bundle", office.path(name), "--key", office.path("log.vkey"), *options)


def test_one_account_leaves_with_its_proof(office: Office) -> None:
    said, _ = exported(office, "--account", "7001", "--dated", "--since", office.path("first.note"))
    assert "account 7001: 3 events, 1 keys to personal data" in said
    assert "1 events of account 7001 are newer than seal 2 and not in the file (run 'water-ledger audit seal'" in said
    said, code = checked(office, "--since", office.path("first.note"))
    assert code == 0
    assert "account 7001: all its 3 events as of that seal" in said
    assert "the log begins with what the older note signed" in said
    assert said.endswith("verifies\n")


def test_the_check_needs_no_store(office: Office, tmp_path: Path) -> None:
    exported(office, "--account", "7001")
    (tmp_path / "x.json").write_bytes((office.folder / "x.json").read_bytes())
    elsewhere = Office(tmp_path)
    key = (office.folder / "log.vkey").read_text(encoding="utf-8").strip()
    said = elsewhere.said("check-bundle", elsewhere.path("x.json"), "--key", key)
    assert said.endswith("verifies\n")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_several_accounts_and_one_that_is_not_there(office: Office) -> None:
    exported(office, "--account", "7003", "--account", "7001", "--account", "9999")
    said, code = checked(office, "--json")
    answer = json.loads(said)
    assert code == 0
    assert [(each["account"], each["events"]) for each in answer["accounts"]] == [("7001", 3), ("7003", 1)]
    assert (answer["absent"], answer["verifies"], answer["findings"]) == (["9999"], True, [])


def test_an_altered_bundle_ends_with_three(office: Office) -> None:
    _, text = exported(office, "--account", "7001")
    (office.folder / "x.json").write_text(text.replace('\\"amount\\":8500', '\\"amount\\":85', 1), encoding="utf-8")
    said, code = checked(office)
    assert code == 3
    assert "account 7001 version 2 was altered" in said
    assert said.endswith("does NOT verify\n")
    answer, code = checked(office, "--json")
    assert (code, json.loads(answer)["verifies"]) == (3, False)


def test_personal_data_opens_with_the_keys_in_the_bundle(office: Office) -> None:
    _, text = exported(office, "--account", "7001")
    assert NAME not in text
    assert stat.S_IMODE((office.folder / "x.json").stat().st_mode) == 0o600
    said, _ = checked(office, "--show")
    assert all(word in said for word in (NAME, MAIL, PHONE))


def test_a_redacted_bundle_holds_and_does_not_open(office: Office) -> None:
    exported(office, "--account", "7001", "--redact")
    said, code = checked(office, "--show")
    assert code == 0
    assert said.count("[sealed]") == 4
    assert not [word for word in (NAME, MAIL, PHONE, "Example Lane") if word in said]


def test_erased_data_is_not_there_and_the_rest_holds(tmp_path: Path) -> None:
    from ledger.store.open import keys_of, open_log

    office = Office(tmp_path)
    office.open("7001")
    office.said("key", "create")
    office.seal("first.note")
    (tmp_path / "log.vkey").write_text(office.said("key", "show").split()[0], encoding="utf-8")
    url = f"sqlite:///{tmp_path / 'water-ledger.db'}"
    log = open_log(url)
    keys_of(url, log).erase("7001")
    log.close()
    _, text = exported(office, "--account", "7001")
    assert json.loads(text)["accounts"][0]["keys"] == {}
    said, code = checked(office, "--show")
    assert code == 0
    assert NAME not in said


def test_a_key_that_was_changed_since_the_last_seal_does_not_stand_in_the_way(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.open("7001")
    office.said("key", "create")
    old = office.said("key", "show").split()[0]
    office.seal("first.note")
    office.said("key", "rotate")
    new = office.said("key", "show").split()[0]
    assert new != old
    exported(office, "--account", "7001")
    assert office.said("check-bundle", office.path("x.json"), "--key", old).endswith("verifies\n")
    assert office.call("check-bundle", office.path("x.json"), "--key", new)[1] == 3
    office.bill("7001", "B-1")
    office.seal("second.note")
    exported(office, "--account", "7001", "--since", office.path("first.note"))
    both = ["--key", old, "--key", new, "--since", office.path("first.note")]
    assert office.said("check-bundle", office.path("x.json"), *both).endswith("verifies\n")


def test_a_key_in_the_wrong_hands_or_shape_is_refused(office: Office) -> None:
    exported(office, "--account", "7001")
    said, code = office.call("check-bundle", office.path("x.json"), "--key", "nonsense")
    assert code == 2
    assert "a verifier key is NAME+8 HEX DIGITS+BASE64" in said
    key = (office.folder / "log.vkey").read_text(encoding="utf-8").strip()
    other = "other.example/x+" + key.partition("+")[2]
    assert office.call("check-bundle", office.path("x.json"), "--key", other)[1] == 2
    said, code = checked(office, "--since", office.path("x.json"))
    assert code == 2
    assert "--since" in said


def test_the_whole_log_leaves_and_is_checked(office: Office) -> None:
    said, text = exported(office, name="log.jsonl")
    assert "and 2 seals" in said
    assert "1 events are newer than seal 2" in said
    assert NAME not in text
    said, code = checked(office, "--since", office.path("first.note"), name="log.jsonl")
    assert code == 0
    assert "under 2 seals" in said
    (office.folder / "log.jsonl").write_text(text.replace("B-2", "B-4"), encoding="utf-8")
    said, code = checked(office, name="log.jsonl")
    assert code == 3
    assert "account 7001 version 3 was altered" in said
    (office.folder / "log.jsonl").write_text("".join(text.splitlines(keepends=True)[:-2]), encoding="utf-8")
    said, code = checked(office, name="log.jsonl")
    assert "it was cut" in said
    assert code == 3


def test_what_was_added_between_two_audits(office: Office) -> None:
    said = office.said("diff", office.path("first.note"), office.path("second.note"))
    assert "added: 2 events of 2 accounts, 1 of them new" in said
    assert "account 7003: 1 AccountOpened" in said
    answer = json.loads(office.said("diff", office.path("first.note"), office.path("second.note"), "--json"))
    assert answer["types"] == {"AccountOpened": 1, "BillIssued": 1}
    assert [seal["number"] for seal in answer["seals"]] == [2]


def test_a_forged_note_is_no_end_of_a_difference(office: Office) -> None:
    text = (office.folder / "first.note").read_text(encoding="utf-8")
    (office.folder / "forged.note").write_text(text.replace("\n", "\n1", 1), encoding="utf-8")
    assert office.call("diff", office.path("forged.note"), office.path("second.note"))[1] == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("diff", "blob", "second.note"),
        ("export", "--account", "7001", "--since", "blob", "-o", "z.json"),
        ("verify", "--note", "blob"),
    ],
)
def test_a_note_that_is_no_text_is_named_and_ends_with_three(office: Office, arguments: tuple[str, ...]) -> None:
    (office.folder / "blob").write_bytes(b"\xff\xfe")
    files = {"blob", "second.note", "z.json"}
    said, code = office.call(*(office.path(each) if each in files else each for each in arguments))
    assert (code, said) == (3, f"Error: {office.path('blob')} is not a note: it is not UTF-8 text\n")
    assert not (office.folder / "z.json").exists()


def test_which_of_several_notes_is_none_is_said(office: Office) -> None:
    (office.folder / "torn.note").write_text("torn", encoding="utf-8")
    said, code = office.call("verify", "--note", office.path("first.note"), "--note", office.path("torn.note"))
    assert (code, said.startswith(f"Error: {office.path('torn.note')}: a note is")) == (3, True)


def test_a_sample_is_the_same_for_everybody_and_proves_itself(office: Office) -> None:
    drawn = office.said("sample", "--seed", "17 dice", "--size", "3", "--type", "BillIssued", "--type", "AccountOpened")
    again = office.said("sample", "--seed", "17 dice", "--size", "3", "--type", "AccountOpened", "--type", "BillIssued")
    assert drawn == again
    assert sum(line.startswith("leaf") for line in drawn.splitlines()) == 3
    office.said("sample", "--seed", "17 dice", "--size", "2", "--type", "BillIssued", "-o", office.path("s.json"))
    assert checked(office, name="s.json")[1] == 0


def test_a_sample_tells_every_leaf_that_it_passed_over(office: Office) -> None:
    arguments = ["--seed", "x", "--size", "1", "--from", "2024-02-01", "--to", "2024-02-01", "--json"]
    answer = json.loads(office.said("sample", *arguments))
    *passed, last = answer["draws"]
    assert (last["type"], last["effective"], last["taken"]) == ("BillIssued", "2024-02-01", True)
    assert not any(each["taken"] for each in passed)


def test_a_sample_larger_than_what_there_is_falls_short(office: Office) -> None:
    said, code = office.call("sample", "--seed", "x", "--size", "9", "--type", "BillIssued")
    assert code == 1
    assert "only 2 such entries" in said
    said, code = office.call("sample", "--seed", "x", "--size", "9", "--type", "BillIsued")
    assert code == 2
    assert "no event 'BillIsued'" in said


def test_what_does_not_go_together_is_said(office: Office) -> None:
    said, code = office.call("export", "--dated", "-o", office.path("y.json"))
    assert (code, "give --account" in said) == (2, True)
    said, code = office.call("export", "--account", "a b", "-o", office.path("y.json"))
    assert code == 2
    said, code = office.call("export", "--account", "7001", "-o", office.path("none/y.json"))
    assert (code, "No such file" in said) == (1, True)
    said, code = office.call("sample", "--seed", "x", "--size", "1", "-o", "-")
    assert (code, "name a file for the bundle" in said) == (2, True)
    assert not (office.folder / "y.json").exists()


def test_what_is_no_file_is_written_and_not_replaced(office: Office) -> None:
    pipe = office.folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    _, code = office.call("export", "--account", "7001", "--redact", "-o", str(pipe))
    assert (code, pipe.is_fifo()) == (0, True)
    assert os.read(reader, 100).startswith(b'{"format":"waterledger/bundle/v1"')
    os.close(reader)


def test_a_bundle_with_keys_is_its_owner_s_whatever_an_interrupted_run_left(office: Office) -> None:
    (office.folder / "x.json.part").write_text("left behind")
    (office.folder / "x.json.part").chmod(0o644)
    exported(office, "--account", "7001")
    assert (office.folder / "x.json").stat().st_mode & 0o777 == 0o600


def test_without_seals_there_is_nothing_to_export(tmp_path: Path) -> None:
    office = Office(tmp_path)
    said, code = office.call("export", "--account", "7001", "-o", office.path("x.json"))
    assert (code, "there is no ledger here yet" in said) == (4, True)
    office.open("7001")
    said, code = office.call("export", "--account", "7001", "-o", office.path("x.json"))
    assert (code, "audit key create" in said) == (1, True)
    office.said("key", "create")
    said, code = office.call("export", "-o", office.path("x.json"))
    assert (code, "nothing is sealed yet" in said) == (1, True)


def test_a_store_that_was_tampered_with_exports_nothing(tmp_path: Path) -> None:
    import sqlite3

    office = Office(tmp_path)
    office.open("7001")
    office.bill("7001", "B-1")
    office.said("key", "create")
    office.seal("first.note")
    with sqlite3.connect(tmp_path / "water-ledger.db") as db:
        db.execute("DROP TRIGGER event_update_refused")
        altered = "CAST(replace(CAST(state AS TEXT), '8500', '9500') AS BLOB)"
        db.execute(f"UPDATE event SET state = {altered} WHERE account = '7001' AND version = 2")
    db.close()
    said, code = office.call("export", "--account", "7001", "-o", office.path("x.json"))
    assert code == 3
    assert "account 7001 version 2 was altered" in said
    assert not (tmp_path / "x.json").exists()
