"""Policies: packs of rules, published from a day on."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Annotated, ClassVar, Self

from msgspec import Meta, Struct
from msgspec.structs import force_setattr, replace

from commands.base import UtilityCommand
from commands.fields import Text, in_order
from ledger.account import Account
from ledger.calendar import weekdays
from ledger.context import Context
from ledger.events import Event, PolicyPublished
from ledger.policy.pack import Pack
from ledger.policy.parameters import PackError, load_pack
from ledger.refusal import Invalid, Refused

LARGEST = 2**20
"""How many bytes a pack may have."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""What no pack has: lines may break in it, and a tab is a blank."""


class PackFile(Struct, frozen=True):
    """A pack as the door found it: the path it was given, and the text that stood there then."""

    path: str
    text: str


class PublishPolicy(UtilityCommand, frozen=True, kw_only=True, tag="policy publish"):
    """Publish a policy pack, whole; it takes the place of the pack of that name from a day on.

    The text of the file is kept, so that every later answer can be traced to it.
    """

    made: ClassVar[Mapping[str, type]] = {"file": PackFile}
    example = "--file del-oro-2025.toml --effective-from 2025-01-01"

    file: Annotated[Text | PackFile, Meta(description="The pack: a TOML file of at most 1 MiB.")]
    effective_from: Annotated[date | None, Meta(description="The first day it governs; today if not given.")] = None

    def check(self) -> None:
        if isinstance(self.file, str):
            # The file is read here, at the door, and only here: its text is part of what is decided on.
            force_setattr(self, "file", read_pack(self.file))
        pack = self._pack
        if type(pack.path) is not str or type(pack.text) is not str:
            raise Invalid("invalid_value", "file: the path and the text of a pack are plain str", "file")
        if len(pack.text.encode(errors="replace")) > LARGEST:
            raise _too_large(pack.path)
        try:
            load_pack(pack.text, pack.path)
            for each in (pack.text, *_texts(tomllib.loads(pack.text))):
                in_order(each)
                if _CONTROL.search(each):
                    raise PackError(pack.path, "", "has control characters in a text; take them out")
        except ValueError as error:
            where = "" if isinstance(error, PackError) else f"{pack.path}: "
            raise Invalid("invalid_pack", f"{where}{error}; mend the file and publish it again", "file") from None

    def normal(self) -> Self:
        # Where the file lay is no part of what was published.
        return replace(self, file=PackFile("", self._pack.text))

    def decide(self, account: Account, context: Context) -> Sequence[Event]:
        file = self._pack
        effective_from = self.effective_from or context.today
        try:
            pack = load_pack(file.text, file.path)
            _refuse_no_open_day(pack)
            context.policies.with_published(pack, effective_from)
        except PackError as error:
            raise Refused("pack_not_usable", str(error)) from None
        digest = sha256(file.text.encode()).hexdigest()
        return [PolicyPublished(pack=pack.name, effective_from=effective_from, sha256=digest, text=file.text)]

    @property
    def _pack(self) -> PackFile:
        assert isinstance(self.file, PackFile), "the door reads the file, or hands over a PackFile"
        return self.file


def _refuse_no_open_day(pack: Pack) -> None:
    """Raises PackError where the pack's own hours leave no business day: then no day would ever come."""
    table = pack.tables.get("office_open")
    for version in table.versions if table else ():
        kept = version.values.get("weekdays")
        if kept is not None and not weekdays(kept) & weekdays("mon-fri"):
            reason = f"weekdays: {kept} leaves no business day in any week; name one of mon to fri"
            raise PackError(pack.name, "office_open", reason)


def _texts(content: object) -> Iterator[str]:
    """Every text in a pack, as it will be read: an escape hides what the file itself does not show."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        yield from _texts([*content, *content.values()])
    elif isinstance(content, list):
        yield from chain.from_iterable(map(_texts, content))


def _too_large(path: str) -> Invalid:
    return Invalid("invalid_value", f"file: {path} is larger than {LARGEST:,} bytes, the most there may be", "file")


def read_pack(path: str) -> PackFile:
    """The UTF-8 file at `path`, of at most LARGEST bytes, from the working directory on; raises Invalid, saying why."""
    file = Path(path)
    try:
        if file.exists() and not file.is_file():
            raise Invalid("invalid_value", f"file: {path} is not a file", "file")
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise _too_large(path)
        return PackFile(path, content.decode())
    except FileNotFoundError:
        raise Invalid("invalid_value", f"file: there is no file {path}", "file") from None
    except (UnicodeDecodeError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Invalid("invalid_value", f"file: {path} cannot be read: {why}", "file") from None
