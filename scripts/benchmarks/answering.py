"""Answer one question as the program does, and print how many milliseconds it took once the program had started."""

import sys

import ledger.policy.explain
import ledger.policy.protections  # noqa: F401  what the answers load when they are asked
from commands import answers, clock
from commands.questions import books_at
from scripts.benchmarks.measuring import timed


def main(url: str, name: str, account: str) -> None:
    """Read the account, fold it, judge it."""
    with books_at(url) as books:
        rules = books.utility().rules(None)
        now = clock.now()
        taken = timed(lambda: getattr(answers, name)(books.history(account), *rules, now, None))
    print(f"{1000 * taken:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
