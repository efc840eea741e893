"""What a run found, as JSON, as a table on a terminal, and as a page."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

import msgspec

from scripts.benchmarks.measuring import Result

SIGNS = {">=": "at least", "<=": "at most"}


def machine() -> dict[str, str]:
    """What the figures were measured with."""
    return {
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "eventsourcing": version("eventsourcing"),
    }


def as_json(results: Sequence[Result]) -> bytes:
    """Everything, as one JSON object."""
    return msgspec.json.format(msgspec.json.encode({"machine": machine(), "results": results}))


def as_table(results: Sequence[Result]) -> None:
    """Print a table for a person."""
    from rich.console import Console
    from rich.table import Table

    for result in results:
        table = Table(title=f"{result.benchmark}, {result.store}: {result.what}", title_justify="left")
        for heading in ("", result.unit, "target"):
            table.add_column(heading, justify="right" if heading == result.unit else "left")
        for name, value in (result.figures | result.ratios).items():
            table.add_row(name, _shown(value), _target(result, name))
        Console(file=sys.stdout).print(table)


def as_page(results: Sequence[Result], on: date) -> str:
    """The page of figures in the documentation."""
    about = machine()
    about_the_run = (
        "Written by `scripts/bench all --write docs/performance.md`; no figure here was typed by hand. "
        f"Measured on {on:%d %B %Y} with {about['cores']} cores ({about['system']}), Python {about['python']}, "
        f"beside the eventsourcing library {about['eventsourcing']} as it comes (*stock*) and beside the floor: bare "
        "durable commits (*commit*), bare rows in transactions of 1,000 (*rows*), the database driver loaded "
        "and connected (*driver*), two libraries loaded that the program cannot do without (*libraries*), events read "
        "and decoded by one process (*decode*), an interpreter that does nothing (*python*). Contenders take turns in "
        "one run, and a ratio is the median over the pairs of a round: trust ratios, the absolute figures are those of "
        "one machine."
    )
    parts = ["# Performance", about_the_run]
    for result in results:
        parts.append(f"## {result.benchmark}, {_STORES[result.store]}\n\n{result.what[0].upper()}{result.what[1:]}.")
        rows = [f"| | {result.unit} | target |", "|---|--:|---|"]
        for name, value in (result.figures | result.ratios).items():
            rows.append(f"| {name} | {_shown(value)} | {_target(result, name)} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


_STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _target(result: Result, name: str) -> str:
    if name not in result.targets:
        return ""
    sign, wanted = result.targets[name].split()
    return f"{SIGNS[sign]} {float(wanted):,g}: {'met' if result.met(name) else 'missed'}"
