"""Style is a test: what the project promises its readers about its own code."""

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ("ledger", "projections", "commands")
DOORS = ("commands/clock.py",)
"""The files that may ask what time it is; everybody else is told."""

LINES_IN_A_FILE = 400
LINES_IN_A_TEST_FILE = 450
LINES_IN_A_FUNCTION = 50

CLOCKS = {
    "date": {"today"},
    "datetime": {"now", "today", "utcnow"},
    "time": {"ctime", "gmtime", "localtime", "time", "time_ns"},
}
# Spelled apart, so that this page does not find itself.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"]))
NEVER_RUN = re.compile("|".join([r"pytest\." + "skip", r"mark\." + "skip", "import" + "orskip", "x" + "fail"]))
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:tmp|home|root|work|Users)(?![\w-])")

Finding = tuple[int, str]


def floats(name: str, text: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield (
                node.lineno,
                f"the float {node.value!r}: money is integer cents, other numbers are integers or Fractions",
            )
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield node.lineno, "float(): money is integer cents, other numbers are integers or Fractions"


def clocks(name: str, text: str) -> Iterator[Finding]:
    if name in DOORS:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            asked = {node.attr} & CLOCKS.get(owner, set())
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            owner, asked = "time", {alias.name for alias in node.names} & CLOCKS["time"]
        else:
            continue
        for each in asked:
            yield node.lineno, f"{owner}.{each} asks the clock: time is handed in, only {', '.join(DOORS)} may ask"


def long_files(name: str, text: str) -> Iterator[Finding]:
    most = LINES_IN_A_FILE if name.startswith(HOUSE) else LINES_IN_A_TEST_FILE
    if (lines := len(text.splitlines())) > most:
        yield lines, f"{lines} lines, {most} at most: split it by what it is about"


def long_functions(name: str, text: str) -> Iterator[Finding]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LINES_IN_A_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines, {LINES_IN_A_FUNCTION} at most"


def unfinished(name: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := UNFINISHED.search(line) or NEVER_RUN.search(line):
            yield number, f"{found[0]}: finish it, or leave it out"


def machine_paths(name: str, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE_PATH.search(line):
            yield number, f"{found[0]} is a path of one machine"


def python_files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def all_python() -> list[Path]:
    """Modules, and scripts that say so in their first line."""
    programs = [path for path in all_texts() if not path.suffix and re.match(rb"#!.*python", path.read_bytes())]
    return [path for path in all_texts() if path.suffix == ".py"] + programs


@cache
def all_texts() -> list[Path]:
    """Every text of the project; not what tools leave beside it."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not _left_by_a_tool(name))
        found += [Path(folder, name) for name in sorted(names) if not _left_by_a_tool(name)]
    return [path for path in found if b"\0" not in path.read_bytes()]


def _left_by_a_tool(name: str) -> bool:
    if name.startswith("."):
        return name not in (".ci", ".gitignore")
    return name in ("__pycache__", "build", "dist") or name.endswith(".egg-info")


Check = Callable[[str, str], Iterator[Finding]]
CHECKS: list[tuple[Check, Callable[[], list[Path]]]] = [
    (floats, lambda: python_files(*HOUSE)),
    (clocks, lambda: python_files(*HOUSE)),
    (long_files, all_python),
    (long_functions, all_python),
    (unfinished, all_python),
    (machine_paths, all_texts),
]


@pytest.mark.parametrize(("check", "files"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_the_project_keeps_its_style(check, files):
    paths = files()
    assert ROOT / "ledger" / "__init__.py" in paths
    findings = []
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        findings += [f"{name}:{line}: {message}" for line, message in check(name, path.read_text(encoding="utf-8"))]
    assert not findings, "\n" + "\n".join(findings)


BAD = [
    (floats, "rate = 0.5"),
    (floats, "rate = 1e3"),
    (floats, "def rate(text):\n    return float(text)"),
    (clocks, "from datetime import date\nday = date.today()"),
    (clocks, "import datetime\nmoment = datetime.datetime.now()"),
    (clocks, "from datetime import datetime\nasked = datetime.utcnow"),
    (clocks, "import time\nmoment = time.time_ns()"),
    (clocks, "from time import time"),
    (long_files, "\n" * 401),
    (long_functions, "def long():\n" + "    pass\n" * 50),
    (long_functions, "class A:\n    async def long(self):\n" + "        pass\n" * 50),
    (unfinished, "# TO" + "DO: later"),
    (unfinished, "raise NotImplemented" + "Error"),
    (unfinished, "@pytest.mark." + "skipif(True)"),
    (unfinished, "pytest.import" + "orskip('x')"),
    (unfinished, "@pytest.mark.x" + "fail"),
    (machine_paths, "open('" + "/tm" + "p/ledger.db')"),
    (machine_paths, "url = 'sqlite:///" + "/hom" + "e/me/ledger.db'"),
]


@pytest.mark.parametrize(("check", "text"), BAD)
def test_a_check_finds_what_it_is_for(check, text):
    assert list(check("ledger/example.py", text))


GOOD = [
    (floats, "amount = 1\nlabel = '0.5'\nrefused = isinstance(amount, float)"),
    (clocks, "def f(context):\n    return context.now, context.today, time.monotonic()"),
    (long_files, "\n" * 400),
    (long_functions, "def long():\n" + "    pass\n" * 49),
    (unfinished, "todo = 'a todo list'"),
    (machine_paths, "a/work of art, the /worklist page, and/or ~/home"),
]


@pytest.mark.parametrize(("check", "text"), GOOD)
def test_a_check_finds_nothing_else(check, text):
    assert not list(check("ledger/example.py", text))


def test_a_door_may_ask_the_clock():
    assert not list(clocks(DOORS[0], "from datetime import datetime\nnow = datetime.now()"))
