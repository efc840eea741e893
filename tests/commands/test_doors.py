"""The doors from outside: the program as a shell runs it, with streams that are closed, full or broken."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; sys.argv[0] = 'water-ledger'; from commands.cli import program; program()"
OPEN = shlex.split("account open --account 7001 --opened-on 2019-06-01 --name S --service-address E")
BILLS = "".join(
    json.dumps(
        {"command": "bill issue", "account": "7001", "bill": f"B-{n}", "mailed_on": "2024-02-01", "amount": "1.00"}
    )
    + "\n"
    for n in range(3000)
)


class Shell:
    """Runs the program in a folder that holds its ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str | bytes, shell: str = "", **rest: object) -> subprocess.CompletedProcess[bytes]:
        """What one call did; with `shell`, what stands after it on a command line, such as a redirection."""
        call: list[str | bytes] = [sys.executable, "-c", PROGRAM, *arguments]
        if shell:
            call = ["sh", "-c", f'"$@" {shell}', "sh", *call]
        env = os.environ | {"PYTHONPATH": str(ROOT), "WATER_LEDGER_DB": f"sqlite:///{self.folder}/w.db"}
        done = subprocess.run(call, cwd=self.folder, env=env, capture_output=True, timeout=60, **rest)  # type: ignore[call-overload]
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        assert b"Exception ignored" not in done.stderr, done.stderr.decode()
        found: subprocess.CompletedProcess[bytes] = done
        return found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("doors"))
    assert shell(*OPEN).returncode == 0
    assert shell("post", "-", input=BILLS.encode()).returncode == 0
    return shell


def test_an_invalid_command_is_answered_as_json(shell: Shell) -> None:
    said = shell(*shlex.split("bill issue --account 7001 --bill B-1 --mailed-on 2024-02-30 --amount 1.00 --json"))
    assert (said.returncode, said.stderr) == (1, b"")
    answer = json.loads(said.stdout)
    assert (answer["status"], answer["account"]) == ("invalid", "7001")
    assert (answer["error"]["code"], answer["error"]["field"]) == ("invalid_value", "mailed_on")


@pytest.mark.parametrize(
    ("lines", "code", "why"),
    [
        ('[{"kind": "tax", "kind": "usage", "amount": "1.00"}]', "duplicate_key", "'kind' is given twice"),
        ("[" * 100_000, "invalid_json", "nested too deep"),
        ('[{"kind": "tax", "amount": NaN}]', "invalid_json", "NaN is not a value"),
        ('[{"kind": "tax"', "invalid_json", "is not JSON from character 16 on"),
        ('[{"kind": "tax", "amount": 1e999}]', "invalid_value", "not 1e999"),
    ],
)
def test_a_list_on_the_command_line_is_read_as_strictly_as_a_feed(
    shell: Shell, lines: str, code: str, why: str
) -> None:
    issue = shlex.split("bill issue --account 7001 --bill B-L --mailed-on 2024-02-01 --lines")
    said = shell(*issue, lines, "--json")
    error = json.loads(said.stdout)["error"]
    assert (said.returncode, error["code"]) == (1, code)
    assert why in error["message"]
    assert why in shell(*issue, lines).stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([b"balance", b"\xff"], 1),
        ([b"history", b"7001\xff"], 1),
        ([b"bill", b"issue", b"--account", b"\xff", b"--bill", b"B", b"--mailed-on", b"x", b"--amount", b"1"], 1),
        ([*(w.encode() for w in OPEN[:-1]), b"\xff"], 1),
        ([*(w.encode() for w in OPEN[:-1]), b"\xff", b"--json"], 1),
        ([b"post", b"\xff"], 2),
        ([b"\xff"], 2),
        ([b"balance", b"--\xff"], 2),
        ([b"usage", b"7001", b"--csv", b"no-folder/\xff"], 1),
    ],
)
def test_arguments_that_are_no_text_are_answered(shell: Shell, arguments: list[bytes], code: int) -> None:
    said = shell(*arguments)
    assert said.returncode == code
    assert said.stderr or b'"invalid"' in said.stdout


def test_what_nobody_reads_to_the_end_is_said(shell: Shell) -> None:
    said = shell("history", "7001", "--json", shell="| head -1")
    assert len(said.stdout.splitlines()) == 1
    assert said.stderr == (
        b"Error: the rest was not printed, because nobody reads the output any more; what was recorded is recorded\n"
    )


@pytest.mark.parametrize("question", ["balance", "history"])
def test_a_full_disk_is_said(shell: Shell, question: str) -> None:
    said = shell(question, "7001", "--json", shell=">/dev/full")
    assert said.returncode == 1
    assert b"standard input or output failed (No space left on device)" in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_closed_streams_are_said_and_nothing_is_recorded(shell: Shell) -> None:
    fee = shlex.split("fee charge --account 7001 --fee F-1 --kind other --on 2024-03-01 --amount 1.00")
    said = shell(*fee, shell=">&-")
    assert (said.returncode, said.stderr.startswith(b"Error: standard output is closed")) == (2, True)
    assert json.loads(shell(*fee, "--json", shell="<&-").stdout)["status"] == "recorded"
    assert shell(*fee, "--json", shell=">&- 2>&-").returncode == 2
    said = shell("post", "-", shell="<&-")
    assert (said.returncode, said.stdout) == (1, b"")
    assert b"standard input or output failed" in said.stderr
    said = shell("balance", "7001", shell="2>&- <&-")
    assert said.returncode == 0
    assert b"3001.00" in said.stdout


INTERRUPTED = """
import sys, commands.cli
class Impatient:
    def find_spec(self, name, *rest):
        if name == "ledger.store.codec": raise KeyboardInterrupt
sys.meta_path.insert(0, Impatient())
commands.cli.main()
"""


def test_an_interrupt_while_the_program_loads_ends_in_a_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == b"stopped; what was not answered may be sent again, it takes effect once\n"


@pytest.mark.parametrize(
    ("db", "code"),
    [("mysql://x", 2), ("sqlite:///missing-folder/w.db", 4), ("postgresql://nobody@127.0.0.1:1/x", 4)],
)
def test_the_address_of_a_store_decides_the_exit_code(shell: Shell, db: str, code: int) -> None:
    said = shell("--db", db, "balance", "7001")
    assert (said.returncode, said.stdout) == (code, b"")
    assert said.stderr.startswith(b"Error: ")


def test_usage_is_written_as_csv_and_said_as_json(shell: Shell) -> None:
    usage = ("usage", "7001", "--on", "2024-06-30")
    said = shell(*usage, "--csv", "u.csv", "--json")
    assert len(json.loads(said.stdout)["months"]) == 25
    written = (shell.folder / "u.csv").read_bytes()
    assert written.count(b"\r\n") == 26
    assert b"\r\r" not in written
    assert shell(*usage, "--csv", "-").stdout == written
    # A question that fails leaves the file as it was.
    assert shell("usage", "7009", "--csv", "u.csv").returncode == 1
    assert (shell.folder / "u.csv").read_bytes() == written
    said = shell(*usage, "--csv", "no-folder/u.csv")
    assert (said.returncode, said.stderr) == (1, b"Error: no-folder/u.csv: No such file or directory\n")


def test_a_history_is_written_as_csv_and_said_as_json(shell: Shell) -> None:
    history = ("history", "7001", "--type", "BillIssued")
    said = shell(*history, "--csv", "h.csv", "--json")
    assert said.stdout == shell(*history, "--json").stdout
    assert {json.loads(line)["type"] for line in said.stdout.splitlines()} == {"BillIssued"}
    assert (shell.folder / "h.csv").read_bytes() == shell(*history, "--csv", "-", "--json").stdout


def test_a_rule_that_explain_does_not_judge_is_not_passed_over(shell: Shell) -> None:
    asked = ("explain", "7001", "--at", "2024-05-23T10:00", "--json", "--rule")
    (found,) = json.loads(shell(*asked, "DO-04").stdout)["rules"]
    assert found["rule"] == "DO-04"
    for name in ("DO-4", "DO-40"):
        wrong = shell(*asked, "DO-04", "--rule", name)
        assert (wrong.stdout, wrong.returncode) == (b"", 2)
        assert f"explain judges no rule '{name}'; it judges DO-02, DO-03, DO-04," in wrong.stderr.decode()


def test_a_rule_that_there_is_not_is_not_answered_with_none(shell: Shell) -> None:
    asked = ("rules", "--on", "2024-05-23", "--json", "--rule", "DO-04", "--rule")
    assert [rule["rule"] for rule in json.loads(shell(*asked, "PUC-780").stdout)["rules"]] == ["DO-04", "PUC-780"]
    wrong = shell(*asked, "DO-4")
    assert (wrong.stdout, wrong.returncode) == (b"", 2)
    assert "the rule book has no rule 'DO-4'; it has DO-00, DO-01," in wrong.stderr.decode()


@pytest.mark.parametrize(
    "asked",
    [
        ("rules", "--json", "--district"),
        ("accounts", "find", "--district"),
        ("register", "disputes", "--district"),
        ("audit", "sample", "--size", "1", "--seed"),
    ],
)
def test_what_is_not_utf8_is_said_to_be_no_text(shell: Shell, asked: tuple[str, ...]) -> None:
    wrong = shell(*asked, "Pine\udcff")
    assert (wrong.stdout, wrong.returncode) == (b"", 2)
    assert b"half of a character" in wrong.stderr


def test_a_noun_shows_its_own_verbs_only() -> None:
    from click.testing import CliRunner

    from commands.cli import cli

    runner = CliRunner()
    assert "issue" in runner.invoke(cli, ["bill", "--help"]).output
    shown = runner.invoke(cli, ["payment", "--help"]).output
    assert "transfer" in shown
    assert "issue" not in shown
    assert "Verbs" not in runner.invoke(cli, ["--help"]).output


@pytest.mark.parametrize("when", ["--on 2024-06-30", "--at 2024-06-30T10:00"])
def test_a_period_ends_on_one_day(shell: Shell, when: str) -> None:
    said = shell(*shlex.split(f"trial-balance --to 2024-12-31 {when}"))
    assert (said.returncode, said.stdout) == (2, b"")
    assert "--to and --on (or --at) both say on which day the period ends; give one of them" in said.stderr.decode()
    for one in ("--to 2024-06-30", when):
        assert shell(*shlex.split(f"trial-balance {one}")).returncode == 0


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("trial-balance --from 2024-02-01 --to 2024-01-01", "the period ends on 2024-01-01, before it begins"),
        ("trial-balance --from 2024-02-01 --on 2024-01-01", "the period ends on 2024-01-01, before it begins"),
        ("register disputes --from 2024-02-01 --to 2024-01-01", "the period ends on 2024-01-01, before it begins"),
        ("register entries --from 2024-02-01 --to 2024-01-01", "the period ends on 2024-01-01, before it begins"),
        ("aging --csv ''", "the file to write has no name; give one"),
        ("aging --xlsx ''", "the file to write has no name; give one"),
        ("export journal --format hledger -o ''", "the file to write has no name; give one"),
    ],
)
def test_options_that_are_wrong_whatever_the_ledger_holds_are_a_wrong_call(shell: Shell, asked: str, why: str) -> None:
    said = shell(*shlex.split(asked))
    assert (said.returncode, said.stdout) == (2, b"")
    assert why in said.stderr.decode()
