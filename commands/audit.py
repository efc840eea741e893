"""`audit`: seals over the log, and what an auditor checks with them."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from commands import clock
from commands.cli import BROKEN, REFUSED, Lazy, member
from commands.progress import reached

if TYPE_CHECKING:
    from ledger.integrity.chains import Finding
    from ledger.integrity.notes import Key, Note
    from ledger.store.log import Log
    from ledger.store.seal_rows import SealRows


class Store(NamedTuple):
    """A ledger and its seals."""

    url: str
    log: "Log"
    rows: "SealRows"


@contextmanager
def store_at(url: str, *, read_only: bool = False) -> Iterator[Store]:
    """The ledger at `url`, which has to be there; raises NotALedger."""
    from ledger.store.log import require_ledger
    from ledger.store.open import open_log, seals_of

    with (
        closing(open_log(url, read_only=read_only)) as log,
        closing(seals_of(url, read_only=read_only)) as rows,
        in_words(),
    ):
        require_ledger(log)
        yield Store(url, log, rows)


@contextmanager
def in_words() -> Iterator[None]:
    """What is wrong with a key ends in exit code 1, what is wrong with a note or the log in 3; each in a sentence."""
    from ledger.integrity.notes import BadNote
    from ledger.integrity.seals import NotIntact
    from ledger.integrity.signing import WrongKey
    from ledger.store.seal_rows import NotSealing

    try:
        yield
    except (WrongKey, NotSealing) as error:
        fail(str(error), REFUSED)
    except (BadNote, NotIntact) as error:
        fail(str(error), BROKEN)


def fail(sentence: str, code: int) -> NoReturn:
    """End with a sentence and an exit code."""
    click.echo(f"Error: {sentence}", err=True)
    click.get_current_context().exit(code)


def key_file(store: Store, given: str | None) -> Path:
    """The file of the log's key: the one given, or the one that belongs to the store."""
    from ledger.store.open import seal_key_file

    return Path(given) if given else seal_key_file(store.url, store.log.origin)


KEY_OPTION = click.option(
    "--key",
    "key_path",
    envvar="WATER_LEDGER_SEAL_KEY",
    metavar="FILE",
    help="The key's file.  [default: beside the store]",
)
"""Where the key is that signs, for those who have it."""
KEY_HELP = "The log's verifier key as you know it, or a file with it."
"""What is said of the key that checks, for those who read."""


class VKey(click.ParamType["Key"]):
    """The log's verifier key, as text or in a file."""

    name = "vkey"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Key":
        from ledger.integrity.notes import SIGNATURE, BadNote, read_vkey

        try:
            key = read_vkey(_first_line(value))
        except BadNote as error:
            self.fail(str(error), param, ctx)
        except OSError:
            self.fail(f"{value[:60]} cannot be read (check its permissions)", param, ctx)
        if key.kind != SIGNATURE:
            self.fail(f"{key.name} is a witness's key; give the log's own", param, ctx)
        return key


def _first_line(value: str) -> str:
    """The first line of the file of that name, or the text itself where there is none."""
    try:
        if not Path(value).is_file():
            return value
    except OSError:
        return value
    with Path(value).open("rb") as file:
        return file.readline(1_000).decode(errors="replace")


def note_text(path: str) -> str:
    """The text of the note in a file (- reads standard input); raises BadNote where it is no text."""
    from commands.feed import pieces
    from ledger.integrity.notes import MOST_BYTES, BadNote

    raw = b""
    with click.open_file(path, "rb") as file:
        for piece in pieces(file):
            raw += piece
            if len(raw) > MOST_BYTES:
                break
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadNote(f"{path} is not a note: it is not UTF-8 text") from None


def read_note_file(path: str) -> "Note":
    """The note in a file; raises BadNote, naming the file."""
    from ledger.integrity.notes import BadNote, read_note

    text = note_text(path)
    try:
        return read_note(text)
    except BadNote as error:
        raise BadNote(f"{path}: {error}") from None


@click.command()
@KEY_OPTION
@click.pass_obj
def seal(url: str, key_path: str | None) -> None:
    """Seal what was recorded since the last seal, and print the signed note.

    Send the note out of the building: only what somebody else holds proves that the log was not rewritten before it.
    Where nothing is new, the last note is printed again.

    \b
    Example:
      water-ledger audit seal > checkpoint.note
    """
    from ledger.integrity.seals import seal as take
    from ledger.integrity.signing import FileSigner, current_key

    with store_at(url) as store:
        current_key(store.rows)
        signer = FileSigner(key_file(store, key_path))
        made = take(store.rows, store.log.origin, signer, clock.now, partial(reached, what="events"))
    if made is None:
        click.echo("nothing to seal: nothing was recorded yet", err=True)
        return
    said = f"seal {made.number}: {made.events:,} events" if made.new else f"nothing new since seal {made.number}"
    click.echo(said, err=True)
    click.echo(made.note, nl=False)


@click.command()
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.pass_obj
def note(url: str, number: int | None) -> None:
    """Print the signed note of a seal, the last one unless a NUMBER is given.

    \b
    Example:
      water-ledger audit note 12
    """
    from ledger.store.seal_rows import NotSealing

    with store_at(url, read_only=True) as store:
        if not store.rows.exists():
            raise NotSealing(store.rows.place)
        last = store.rows.last()
        found = store.rows.note(number or (last.number if last else 0))
    if found is None:
        fail(f"there is no signed seal {number}" if number else "nothing is sealed yet (run 'audit seal')", REFUSED)
    click.echo(found, nl=False)


@click.command()
@click.argument("new", metavar="NOTE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("last", metavar="[LAST]", type=click.Path(exists=True, dir_okay=False), required=False)
@click.option("--first", is_flag=True, help="There is no last note: this is the first one that you see.")
@click.option(
    "--log-key",
    type=VKey(),
    required=True,
    metavar="VKEY",
    help=KEY_HELP,
)
@click.option(
    "--key", "key_path", required=True, metavar="FILE", help="Your own key; see 'audit key create --witness'."
)
@click.pass_obj
def witness(url: str, new: str, last: str | None, first: bool, log_key: "Key", key_path: str) -> None:
    """Check that NOTE extends the LAST one you kept, and print it with your cosignature.

    The proof is taken from the store and checked against the two notes, so that the store need not be trusted. Keep
    what is printed: it is your last note the next time.

    \b
    Example:
      water-ledger audit witness today.note last.note --log-key log.vkey --key mine.key > kept.note
    """
    from ledger.integrity.signing import FileSigner
    from ledger.integrity.witness import cosign

    if bool(last) == first:
        raise click.UsageError("give the last note that you kept, or --first where this is the first one that you see")
    with store_at(url, read_only=True) as store:
        before = read_note_file(last) if last else None
        seen = cosign(store.rows, log_key, read_note_file(new), before, FileSigner(Path(key_path)), clock.now())
    click.echo(str(seen), nl=False)


@click.command()
@click.option("--key", "vkey", type=VKey(), metavar="VKEY", help=KEY_HELP)
@click.option(
    "--note",
    "notes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A note that you kept; the log must extend it. May be repeated.",
)
@click.option("--projections", is_flag=True, help="Fold every account and compare with the tables, too.")
@click.option("--processes", type=click.IntRange(1, 64), metavar="N", help="At most so many.  [default: processors]")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def verify(
    ctx: click.Context,
    vkey: "Key | None",
    notes: tuple[str, ...],
    projections: bool,
    processes: int | None,
    as_json: bool,
) -> None:
    """Check every chain, every leaf of the log tree, every seal and every signature; what is wrong is named.

    The exit code is 3 where anything is. Without --key and --note the store is compared with what it says of itself:
    bring the key and a note from outside to know that it is the log you were shown.

    \b
    Example:
      water-ledger audit verify --key log.vkey --note last-year.note
    """
    from commands.catalogue import titles
    from ledger.integrity.audit import Evidence
    from ledger.integrity.audit import verify as check

    with store_at(ctx.obj, read_only=True):
        evidence = Evidence(vkey, [read_note_file(path) for path in notes], titles())
        found = check(ctx.obj, evidence, processes, partial(reached, what="ranges"))
    findings = [*found.findings, *(_of_tables(ctx.obj, found.findings) if projections else ())]
    if as_json:
        from commands.questions import write

        counts: dict[str, Any] = found._asdict()
        write(counts | {"findings": [each._asdict() for each in findings]})
    else:
        for each in findings:
            click.echo(f"{_where(each)}: {each.reason}")
        seals = f"{found.seals:,} seals" + (f"; {found.unsealed:,} events are not sealed yet" if found.unsealed else "")
        click.echo(f"{found.events:,} events, {found.accounts:,} accounts, {seals}; {len(findings):,} findings")
    ctx.exit(BROKEN if findings else 0)


def _where(finding: "Finding") -> str:
    if not finding.account:
        return "the log"
    return f"account {finding.account}" + (f", version {finding.version}" if finding.version else "")


def _of_tables(url: str, of_the_log: "Sequence[Finding]") -> "Iterator[Finding]":
    from commands.projections import kept_otherwise
    from ledger.integrity.chains import Finding
    from ledger.store.codec import Unreadable
    from ledger.store.log import StoreError
    from projections.runner import Projector
    from projections.verify import verify as compare

    try:
        with Projector(url, read_only=True) as projector:
            for differences in compare(projector):
                for each in differences:
                    yield Finding(each.account, 0, kept_otherwise(each))
    except (StoreError, Unreadable) as error:
        # What is wrong with the log is told, though a log like that may not be folded.
        if not of_the_log:
            raise
        yield Finding("", 0, f"the tables cannot be compared: {error}")


_MEMBERS = {
    "key": ("commands.audit_keys", "key", "The key that signs: create, rotate, show."),
    "seal": ("commands.audit", "seal", "Seal what was recorded, and print the signed note."),
    "note": ("commands.audit", "note", "Print the signed note of a seal."),
    "witness": ("commands.audit", "witness", "Check a note against your last one, and cosign it."),
    "verify": ("commands.audit", "verify", "Check the whole store."),
    "recheck": (
        "commands.recheck",
        "recheck",
        "Judge recorded decisions again, by what is known now.",
    ),
    "export": ("commands.audit_bundles", "export", "Write accounts, or the whole log, with their proof."),
    "check-bundle": ("commands.audit_bundles", "check_bundle", "Check what was exported; needs no store."),
    "diff": ("commands.audit_compare", "diff", "What was recorded between two notes."),
    "sample": ("commands.audit_compare", "sample", "Draw entries so that anybody can draw them again."),
    "archive": ("commands.audit_archive", "archive", "Write the log as sealed segments."),
    "replay": ("commands.audit_archive", "replay", "Check sealed segments, and fold every account in them."),
}
"""Name to module, command and summary; a member's module is loaded when it is asked for."""

audit = Lazy(
    {name: member(module, attribute) for name, (module, attribute, _) in _MEMBERS.items()},
    {name: summary for name, (_, _, summary) in _MEMBERS.items()},
    {"Commands": list(_MEMBERS)},
    name="audit",
    help="Seals over the log, and what an auditor checks with them; described in docs/audit.md.",
)
