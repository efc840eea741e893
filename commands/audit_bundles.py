"""`audit export`, `check-bundle`, `diff` and `sample`: what leaves the building and proves itself there."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.audit import Store, VKey, fail, note_text, store_at
from commands.cli import BROKEN, REFUSED
from commands.fields import identifier
from commands.outputs import whole
from commands.progress import reached
from commands.questions import write

if TYPE_CHECKING:
    from ledger.integrity.bundle import SealedLog
    from ledger.integrity.check import Finding
    from ledger.integrity.notes import Key

Note = click.Path(exists=True, dir_okay=False, allow_dash=True)
"""A note's file on the command line; - reads standard input."""

NO_PYARROW = "--parquet needs PyArrow, which is not installed: pip install 'water-ledger[bulk]'"


class AccountName(click.ParamType[str]):
    """An account, or the stream of the whole utility."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from ledger.events import UTILITY

        try:
            return UTILITY if value == UTILITY else identifier(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@contextmanager
def sealed_at(url: str) -> "Iterator[tuple[Store, SealedLog]]":
    """The ledger at `url` and its sealed part; what is not sealed ends in exit code 1."""
    from ledger.integrity.bundle import NotSealed, SealedLog

    with store_at(url, read_only=True) as store:
        try:
            yield store, SealedLog(store.log, store.rows)
        except NotSealed as error:
            fail(str(error), REFUSED)


@click.command()
@click.option("--account", "accounts", type=AccountName(), multiple=True, help="May be repeated.  [default: the log]")
@click.option("--redact", is_flag=True, help="Leave out the keys to personal data; what is proved stays.")
@click.option("--dated", is_flag=True, help="Add the seals around each event, which prove when it was recorded.")
@click.option("--since", type=Note, metavar="NOTE", help="Show that the log begins with what this older note signed.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help="The file to write.")
@click.option(
    "--parquet", "folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="An empty folder."
)
@click.option("--parts", type=click.IntRange(1, 1000), metavar="N", help="So many Parquet files.  [default: 16]")
@click.pass_obj
def export(
    url: str,
    accounts: tuple[str, ...],
    redact: bool,
    dated: bool,
    since: str | None,
    output: str | None,
    folder: Path | None,
    parts: int | None,
) -> None:
    """Write accounts as a bundle that proves itself; or the whole log, as JSON Lines with every seal, or as Parquet.

    A bundle holds every event of its accounts up to the last seal, and the proof that it is all of them; of an account
    that is not in the log, the proof that it is not. Unless --redact is given it also holds the keys that open the
    accounts' personal data: only its owner may read the file. The whole log never holds keys.

    The Parquet files hold all that is recorded, sealed or not, an account's events in one file; 'replay' folds them, on
    many machines where there are.

    \b
    Examples:
      water-ledger audit export --account 7001 --dated -o 7001.bundle.json
      water-ledger audit export --parquet export-2026 --parts 64
    """
    if folder is not None:
        if accounts or redact or dated or since or output:
            raise click.UsageError("--parquet writes the whole log into a folder: only --parts goes with it")
        _export_parquet(url, folder, parts or 16)
        return
    if output is None or parts:
        raise click.UsageError("give the file to write with -o, or a folder with --parquet (and --parts)")
    if not accounts and (dated or since):
        raise click.UsageError("--dated and --since belong to a bundle: give --account (the whole log shows them)")
    with sealed_at(url) as (store, sealed):
        if accounts:
            write_bundle(store, sealed, accounts, redact=redact, dated=dated, since=since, output=output)
        else:
            _export_log(store, sealed, output)


def write_bundle(
    store: Store,
    sealed: "SealedLog",
    accounts: Iterable[str],
    *,
    output: str,
    redact: bool = False,
    dated: bool = False,
    since: str | None = None,
) -> None:
    """Write the bundle of these accounts, once it was seen to verify, and say what is in it and what is not."""
    import msgspec

    from ledger.integrity.bundle import make
    from ledger.integrity.check import check
    from ledger.integrity.notes import read_vkey
    from ledger.store.open import keys_of

    keys = None if redact else keys_of(store.url, store.log, read_only=True)
    older = note_text(since) if since else None
    made = make(sealed, accounts, keys, dated=dated, since=older)
    raw = msgspec.json.encode(made.bundle)
    # What would not verify where it goes is better told here; its note may be older than the current key.
    kept = store.rows.keys()
    found = check(raw, [read_vkey(key.vkey) for key in kept]).findings
    if found:
        for each in found[:20]:
            click.echo(str(each), err=True)
        fail("nothing was written: the store does not hold what was sealed (run 'water-ledger audit verify')", BROKEN)
    with whole(output, binary=True, private=not redact) as file:
        file.write(raw)
    for history in made.bundle.accounts:
        keys_said = f", {len(history.keys)} keys to personal data" if history.keys else ""
        click.echo(f"account {history.account}: {len(history.events):,} events{keys_said}", err=True)
    for absent in made.bundle.absent or ():
        click.echo(f"account {absent.account}: not in the log as of seal {sealed.last.number}", err=True)
    for account, newer in made.newer.items():
        if newer:
            _newer(newer, f"of account {account} ", sealed)


def _export_log(store: Store, sealed: "SealedLog", output: str) -> None:
    from ledger.integrity.whole_log import lines

    with whole(output, binary=True) as file:
        for line in lines(sealed):
            file.write(line + b"\n")
    click.echo(f"{sealed.last.events:,} events and {len(sealed.seals):,} seals", err=True)
    newer = sum(store.rows.heads()) - sealed.last.events
    if newer:
        _newer(newer, "", sealed)


def _export_parquet(url: str, folder: Path, parts: int) -> None:
    from ledger.integrity.columns import NoPyArrow
    from ledger.integrity.columns import write as write_columns

    with store_at(url, read_only=True) as store:
        try:
            index = write_columns(store.rows, store.log.origin, folder, parts, partial(reached, what="events"))
        except NoPyArrow:
            raise click.UsageError(NO_PYARROW) from None
    click.echo(f"{folder}: {index.events:,} events of {index.accounts:,} accounts in {parts:,} files", err=True)


def _newer(count: int, whose: str, sealed: "SealedLog") -> None:
    click.echo(
        f"{count:,} events {whose}are newer than seal {sealed.last.number} and not in the file "
        "(run 'water-ledger audit seal' first to have them in)",
        err=True,
    )


@click.command("check-bundle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--key", "keys", type=VKey(), multiple=True, required=True, help="The log's key; again where it changed.")
@click.option("--since", type=Note, metavar="NOTE", help="A note that you kept, which the log must extend.")
@click.option("--show", is_flag=True, help="Print the events, personal data opened where the bundle has the keys.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
@click.pass_context
def check_bundle(
    ctx: click.Context, file: str, keys: "tuple[Key, ...]", since: str | None, show: bool, as_json: bool
) -> None:
    """Check a bundle, or the export of a whole log, with nothing but the log's key; the exit code is 3 if it fails.

    The key has to come from somebody you trust, not with the file. scripts/check_bundle.py does the same for bundles
    and is short enough to read.

    \b
    Example:
      water-ledger audit check-bundle 7001.bundle.json --key log.vkey --since last-year.note
    """
    from ledger.integrity.notes import BadNote

    try:
        older = note_text(since) if since else None
        if _is_log(file):
            answer, findings = _checked_log(file, keys, older)
        else:
            answer, findings = _checked_bundle(file, keys, older, show)
    except BadNote as error:
        raise click.BadParameter(str(error), param_hint="--since") from None
    if as_json:
        write({"verifies": not findings, **answer, "findings": [each._asdict() for each in findings]})
    else:
        for each in findings:
            click.echo(str(each))
        if not findings:
            _tell(answer, since is not None)
        click.echo("does NOT verify" if findings else "verifies")
    ctx.exit(BROKEN if findings else 0)


def _is_log(file: str) -> bool:
    with Path(file).open("rb") as opened:
        return b'"waterledger/log/v1"' in opened.readline(1_000)


def _checked_bundle(
    file: str, keys: "tuple[Key, ...]", since: str | None, show: bool
) -> "tuple[dict[str, Any], list[Finding]]":
    from ledger.integrity.bundle_form import MOST_BYTES
    from ledger.integrity.check import check
    from ledger.integrity.opening import opened

    if Path(file).stat().st_size > MOST_BYTES:
        raise click.BadParameter(f"{file} is larger than {MOST_BYTES:,} bytes, which no bundle is", param_hint="FILE")
    found, bundle, point = check(Path(file).read_bytes(), keys, since)
    if bundle is None or point is None:
        return {}, found
    answer: dict[str, Any] = {
        "origin": point.origin,
        "size": point.size,
        "seal": bundle.seal.number,
        "sealed_at": moment(bundle.seal.sealed_at),
        "accounts": [
            {"account": each.account, "events": len(each.events), "keys": len(each.keys or {})}
            for each in bundle.accounts
        ],
        "absent": [each.account for each in bundle.absent or ()],
        "dated": bool(bundle.dated),
    }
    if show and not found:
        answer["events"] = [event for each in bundle.accounts for event in opened(point.origin, each)]
    return answer, found


def _checked_log(file: str, keys: "tuple[Key, ...]", since: str | None) -> "tuple[dict[str, Any], list[Finding]]":
    from ledger.integrity.whole_log import MOST_IN_A_LINE, check_log

    with Path(file).open("rb") as read:
        found = check_log(iter(lambda: read.readline(MOST_IN_A_LINE), b""), keys, since)
    answer = found._asdict() | {"sealed_at": moment(found.sealed_at)}
    del answer["findings"]
    return answer, found.findings


def _tell(answer: dict[str, Any], since: bool) -> None:
    """What was proved, in plain words."""
    if "seals" in answer:
        click.echo(
            f"the whole log {answer['origin']}: {answer['events']:,} events of {answer['accounts']:,} accounts under "
            f"{answer['seals']:,} seals, the last of {answer['sealed_at']}; none was altered, moved, added or left out"
        )
    else:
        click.echo(f"log {answer['origin']}, {answer['size']:,} leaves, seal {answer['seal']} of {answer['sealed_at']}")
        for each in answer["accounts"]:
            click.echo(
                f"account {each['account']}: all its {each['events']:,} events as of that seal; none was altered, "
                "moved, added or left out, and none was cut off the end"
            )
            click.echo(f"  keys to personal data: {each['keys'] or 'none'}")
        for account in answer["absent"]:
            click.echo(f"account {account}: there was none as of that seal")
        if answer["dated"]:
            click.echo("every event was recorded between the seals beside it, give or take two minutes")
        for event in answer.get("events", ()):
            write(event)
    if since:
        click.echo("the log begins with what the older note signed")


def moment(microseconds: int) -> str:
    """A moment of a seal, in UTC."""
    from ledger.integrity.seals import moment_of

    return moment_of(microseconds).isoformat(timespec="seconds")
