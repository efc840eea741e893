"""What two rebuilds to compare are called on the command line."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import click

from commands.policy import read_pack
from commands.questions import Moment
from ledger import events as e
from ledger.policy.parameters import ALWAYS, PackError, load_pack
from ledger.refusal import Invalid
from ledger.store.codec import decode
from ledger.store.log import require_ledger
from ledger.utility import Utility
from projections.compare import File, Folding, Shown, Side
from projections.rows import World
from projections.runner import Projector
from projections.store import shown_of


def side(stack: ExitStack, url: str, name: str) -> Side:
    """The rebuild called `name`, over the ledger at `url`; what it opens is closed with `stack`.

    Raises click.BadParameter, Invalid for a pack that is none, and StoreError.
    """
    kind, _, rest = name.partition(":")
    if name in ("shown", "log"):
        projector = _opened(stack, url)
        return Shown(projector, shown_of(projector.views)) if name == "shown" else _folding(projector)
    if not rest or kind not in _KINDS:
        raise click.BadParameter(f"{name!r} is none of shown, log, {', '.join(f'{each}:…' for each in _KINDS)}")
    return _KINDS[kind](stack, url, rest)


def _opened(stack: ExitStack, url: str) -> Projector:
    projector = stack.enter_context(Projector(url, read_only=True))
    require_ledger(projector.log)
    return projector


def _utility(projector: Projector) -> list[e.Event]:
    return decode(projector.log.states(e.UTILITY))


def _folding(projector: Projector) -> Folding:
    return Folding(projector, projector.world(len(_utility(projector))))


def _known_at(stack: ExitStack, url: str, text: str) -> Folding:
    moment: datetime = Moment().convert(text, None, None)
    projector = _opened(stack, url)
    utility = _utility(projector)
    world = World(Utility(utility).rules(moment), projector.world(len(utility)).lookup)
    return Folding(projector, world, lambda event: event.known_from <= moment)


def _with_pack(stack: ExitStack, url: str, file: str) -> Folding:
    text = read_pack(file).text
    projector = _opened(stack, url)
    utility = _utility(projector)
    try:
        pack = load_pack(text, file)
        digest = sha256(text.encode()).hexdigest()
        published = e.PolicyPublished(
            version=len(utility) + 1,
            recorded_at=utility[-1].recorded_at,
            pack=pack.name,
            effective_from=ALWAYS,
            sha256=digest,
            text=text,
        )
        rules = Utility([*utility, published]).rules()
    except PackError as error:
        raise Invalid("invalid_pack", f"{error}; mend the file and compare again", "file") from None
    return Folding(projector, World(rules, projector.world(len(utility)).lookup))


def _other_ledger(stack: ExitStack, url: str, other: str) -> Folding:
    return _folding(_opened(stack, other))


def _file(stack: ExitStack, url: str, path: str) -> File:
    if not Path(path).is_file():
        raise click.BadParameter(f"there is no file {path}")
    return stack.enter_context(closing(File(path)))


_KINDS: dict[str, Callable[[ExitStack, str, str], Side]] = {
    "known-at": _known_at,
    "pack": _with_pack,
    "db": _other_ledger,
    "views": _file,
}
