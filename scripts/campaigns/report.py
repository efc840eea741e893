"""What the campaigns came to, as lines and as the table of the manual's page on reliability."""

import os
import platform
from collections.abc import Sequence
from datetime import date

from scripts.campaigns.run import Result

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_STORES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def as_line(result: Result) -> str:
    """One campaign on one store, for a terminal."""
    seen = "".join(f", {count:,} {what}" for what, count in result.counts.items())
    held = f"held {result.rounds:,} times in {result.seconds:,.0f} s{seen}"
    return f"{result.campaign.number:>2} {_STORES[result.store]:<10} {result.campaign.fault}: {held}"


def written(page: str, results: Sequence[Result], on: date) -> str:
    """The page with the figures of this run between its two marks; raises ValueError where it has none."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page has no place for figures between {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{_table(results, on)}\n{END}{rest.partition(END)[2]}"


def _table(results: Sequence[Result], on: date) -> str:
    about = f"{on:%d %B %Y}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python "
    lines = [
        f"Every promise held in every round of the run of {about}{platform.python_version()}.",
        "",
        "| # | fault | promises | store | rounds | of | seconds | seen |",
        "|--:|---|---|---|--:|--:|--:|---|",
    ]
    for campaign, store, rounds, seconds, counts, _ in results:
        seen = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        cells = (campaign.number, campaign.fault, campaign.promises, _STORES[store], f"{rounds:,}")
        lines.append("| " + " | ".join(map(str, (*cells, f"{campaign.deep:,}", f"{seconds:,.0f}", seen))) + " |")
    return "\n".join(lines)
