"""`init` and `post` as whole programs: what they say when they are stopped, unheard, or called with the wrong words."""

import fcntl
import json
import os
import pty
import resource
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from select import select
from threading import Timer
from typing import IO, Any

import pytest

import commands.post
from ledger.store.open import open_log
from tests.transcripts import MORNING, run

ROOT = Path(__file__).parents[2]


def called(folder: Path, *arguments: str, feed: str = "") -> tuple[str, int]:
    return run(list(arguments), feed.encode(), folder, MORNING)


def opening(account: str) -> str:
    about = {"opened_on": "2024-01-02", "name": "Sample", "service_address": "1 Example Lane"}
    return json.dumps({"command": "account open", "account": account, **about}) + "\n"


def test_a_rehearsal_makes_no_ledger(tmp_path: Path) -> None:
    for arguments in (["post", "--dry-run", "-"], ["post", "--dry-run", "--atomic", "-"]):
        said, code = called(tmp_path, *arguments, feed=opening("7001") * 2)
        assert [json.loads(line)["status"] for line in said.splitlines()] == ["recorded", "duplicate"]
        assert code == 0
    closing = ["office", "close", "--on", "2024-06-04", "--reason", "storm", "--dry-run"]
    said, code = called(tmp_path, *closing)
    assert said.startswith("would be recorded: OfficeClosed")
    assert code == 0
    assert list(tmp_path.iterdir()) == []
    called(tmp_path, "post", "-", feed=opening("7001"))
    assert '"duplicate"' in called(tmp_path, "post", "--dry-run", "-", feed=opening("7001"))[0]


def test_all_or_none_names_the_line(tmp_path: Path) -> None:
    feed = f"\n{opening('7001')}\n{opening('7001')}\nnot a command\n"
    said, code = called(tmp_path, "post", "--atomic", "-", feed=feed)
    answers = [json.loads(line) for line in said.splitlines()]
    assert [(a["line"], a["error"]["code"]) for a in answers] == [(2, "not_all"), (4, "not_all"), (6, "invalid_json")]
    assert "because line 6 of this feed was not" in answers[0]["error"]["message"]
    assert code == 1


STOPPED = [
    ([], "what was answered is recorded: post the same feed again", 1001),
    (["--atomic"], "the feed was recorded as a whole or not at all", 0),
    (["--dry-run"], "nothing was recorded", 0),
]


@pytest.mark.parametrize(("options", "truth", "recorded"), STOPPED)
def test_stopped_by_hand_it_says_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], truth: str, recorded: int
) -> None:
    arriving = commands.post.arriving

    def interrupted(feed: Any) -> Iterator[Any]:
        yield from arriving(feed)
        raise KeyboardInterrupt

    monkeypatch.setattr(commands.post, "arriving", interrupted)
    called(tmp_path, "init")
    feed = "".join(opening(f"A{number}") for number in range(1000))
    said, code = called(tmp_path, "post", *options, "--quiet", "-", feed=feed)
    assert truth in said
    assert said.startswith("stopped after ")
    assert code == 1
    log = open_log(f"sqlite:///{tmp_path / 'water-ledger.db'}")
    assert len(list(log.accounts())) == max(recorded, 1)
    log.close()


def program(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "commands.cli", "--db", f"sqlite:///{folder / 'ledger.db'}", *arguments]


def test_a_program_may_wait_for_each_answer(tmp_path: Path) -> None:
    subprocess.run(program(tmp_path, "init"), cwd=ROOT, capture_output=True, check=True)
    posting = program(tmp_path, "post", "-")
    with subprocess.Popen(posting, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as post:
        assert post.stdin is not None
        assert post.stdout is not None
        statuses = []
        for line in (opening("7001"), opening("7001"), "\n" + opening("7002") + "\n", "no command\n"):
            post.stdin.write(line.encode())
            post.stdin.flush()
            assert select([post.stdout], [], [], 60)[0], "the answer comes before the next line is written"
            statuses.append(json.loads(post.stdout.readline())["status"])
        half = opening("7003").encode()
        for some in (half[:20], half[20:] + half[:30], half[30:]):
            post.stdin.write(some)
            post.stdin.flush()
        statuses += [json.loads(post.stdout.readline())["status"] for _ in range(2)]
        post.stdin.close()
    assert statuses == ["recorded", "duplicate", "recorded", "invalid", "recorded", "duplicate"]
    assert post.returncode == 1


def test_a_feed_whose_reading_does_not_wait_is_read_to_its_end() -> None:
    """Given a pipe that answers with nothing where nothing is there yet; that is a pause like any other."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    with os.fdopen(out, "rb") as feed, os.fdopen(into, "wb", buffering=0) as writer:
        items = commands.post.arriving(feed)
        writer.write(opening("7001").encode())
        assert [each and each.line for each in (next(items), next(items))] == [1, None]
        later = Timer(0.2, lambda: (writer.write(opening("7002").encode()), writer.close()))
        later.start()
        assert [each.line for each in items if each] == [2]
        later.join()


def unread(pipe: IO[bytes]) -> int:
    """How many bytes written to a pipe nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("option", ["--atomic", "--dry-run"])
def test_who_posts_all_or_none_keeps_nobody_waiting_while_the_feed_pauses(tmp_path: Path, option: str) -> None:
    subprocess.run(program(tmp_path, "init"), cwd=ROOT, capture_output=True, check=True)
    posting = program(tmp_path, "post", option, "-")
    with subprocess.Popen(posting, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as slow:
        assert slow.stdin is not None
        assert slow.stdout is not None
        slow.stdin.write(opening("7001").encode())
        slow.stdin.flush()
        while unread(slow.stdin):
            assert slow.poll() is None
        time.sleep(0.5)
        other = subprocess.run(
            program(tmp_path, "post", "-"), cwd=ROOT, capture_output=True, input=opening("7002").encode(), check=False
        )
        slow.stdin.close()
        assert json.loads(slow.stdout.read())["status"] == "recorded"
    assert (other.returncode, slow.returncode) == (0, 0)


@pytest.mark.parametrize("option", ["--atomic", "--dry-run"])
def test_a_feed_whose_reading_does_not_wait_is_taken_whole(tmp_path: Path, option: str) -> None:
    """Given a pipe that answers with nothing where nothing is there yet, which some programs leave behind."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    with subprocess.Popen(program(tmp_path, "post", option, "-"), cwd=ROOT, stdin=out, stdout=subprocess.PIPE) as post:
        os.close(out)
        with os.fdopen(into, "wb", buffering=0) as writer:
            writer.write(opening("7001").encode())
            time.sleep(1)
            writer.write(opening("7002").encode())
        assert post.stdout is not None
        assert [json.loads(line)["status"] for line in post.stdout] == ["recorded", "recorded"]
    assert post.returncode == 0


@pytest.mark.parametrize("option", ["--atomic", "--dry-run"])
def test_a_feed_that_finds_no_room_until_its_end_is_told_where(tmp_path: Path, option: str) -> None:
    """Given a process whose files may not grow beyond a megabyte, and a feed of two."""
    subprocess.run(program(tmp_path, "init"), cwd=ROOT, capture_output=True, check=True)
    (tmp_path / "temporary").mkdir()
    post = subprocess.run(
        program(tmp_path, "post", option, "-"),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
        input=opening("7001").encode() + b" " * (2 << 20),
        capture_output=True,
        check=False,
    )
    assert (post.stdout, post.returncode) == (b"", 1)
    assert post.stderr.decode() == (
        f"Error: {tmp_path / 'temporary'}: the feed cannot be laid down here until its end has come (File too large); "
        "nothing was recorded (make room, name another folder with TMPDIR, or post a file instead of a pipe)\n"
    )


def test_what_a_service_manager_stops_says_the_truth_too(tmp_path: Path) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(program(tmp_path, "post", "-"), cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as post:
        assert post.stdin is not None
        assert post.stdout is not None
        assert post.stderr is not None
        post.stdin.write(opening("7001").encode())
        post.stdin.flush()
        assert json.loads(post.stdout.readline())["status"] == "recorded"
        post.terminate()
        said = post.stderr.read().decode()
    assert said.startswith("stopped after 1 answer; what was answered is recorded")
    assert post.returncode == 1


def told_when_nobody_reads(posting: list[str]) -> str:
    """What a program says whose reader leaves after the first answer."""
    with subprocess.Popen(posting, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as post:
        assert post.stdout is not None
        assert post.stderr is not None
        assert json.loads(post.stdout.readline())["status"] == "recorded"
        post.stdout.close()
        said = post.stderr.read()
    assert post.returncode == 1
    assert said.startswith("nobody reads the answers any more: stopped after ")
    return said


def test_a_reader_that_leaves_is_told_where_it_stopped(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(opening(f"A{number}") for number in range(2500)))
    posting = program(tmp_path, "post", str(feed))
    said = told_when_nobody_reads(posting)
    assert said.count("\n") == 1
    again = subprocess.run(posting, cwd=ROOT, capture_output=True, text=True, check=True)
    statuses = [json.loads(line)["status"] for line in again.stdout.splitlines()]
    assert statuses == sorted(statuses), "duplicates first, then the rest"
    assert len(statuses) == 2500


def test_a_rehearsal_whose_reader_leaves_ends_in_one_sentence_too(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text("".join(opening(f"A{number}") for number in range(2500)))
    subprocess.run(program(tmp_path, "init"), cwd=ROOT, capture_output=True, check=True)
    rehearsing = program(tmp_path, "post", "--dry-run", str(feed))
    said = told_when_nobody_reads(rehearsing)
    assert said.endswith("nothing was recorded\n")
    assert said.count("\n") == 1


def test_the_count_on_a_terminal_spoils_no_answer(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text("not a command\n" * 1200)
    ours, theirs = pty.openpty()
    with subprocess.Popen(program(tmp_path, "post", str(feed)), cwd=ROOT, stdout=theirs, stderr=theirs):
        os.close(theirs)
        said = b"".join(iter(lambda: _read(ours), b"")).decode()
    os.close(ours)
    *answers, count = [_on_screen(line) for line in said.split("\r\n")[:-1]]
    assert [json.loads(answer)["line"] for answer in answers] == list(range(1, 1201))
    assert "500 commands" in said
    assert count == "1,200 commands, 100 % of the feed read"


def _read(terminal: int) -> bytes:
    """What stands there; nothing once the program at its other end is gone."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def _on_screen(line: str) -> str:
    shown = ""
    for text in line.split("\r"):
        shown = text + shown[len(text) :]
    return shown


def test_answers_that_cannot_be_written(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text(opening("7001"))
    with Path("/dev/full").open("w") as full:
        post = subprocess.run(
            program(tmp_path, "post", str(feed)), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert post.returncode == 1
    assert post.stderr.startswith("the answers cannot be written (No space left on device): stopped")
    assert post.stderr.count("\n") == 1


@pytest.mark.parametrize("origin", ["", " ", "a b", "a+b", "a\tb", "é", "x" * 201])
def test_an_origin_is_plain(tmp_path: Path, origin: str) -> None:
    said, code = called(tmp_path, "init", "--origin", origin)
    assert code == 2
    assert "without blanks and '+'" in said
    assert list(tmp_path.iterdir()) == []


def test_init_says_what_is_there(tmp_path: Path) -> None:
    said, code = called(tmp_path, "init", "--policy", "nosuch")
    assert code == 2
    assert "'cal-water', 'del-oro'" in said
    longest = "x" * 200
    assert called(tmp_path, "init", "--origin", longest) == ("created a ledger with policy del-oro\n", 0)
    same = ["init", "--policy", "del-oro", "--origin", longest]
    for arguments in (["init"], same):
        assert called(tmp_path, *arguments) == ("there is a ledger already; nothing was changed\n", 0)
    said, code = called(tmp_path, "init", "--policy", "cal-water")
    assert code == 1
    assert "its policy is del-oro, not cal-water" in said
    said, code = called(tmp_path, "init", "--origin", "other.example/ledger")
    assert code == 1
    assert f"its origin is {longest}, not other.example/ledger" in said
