"""`audit key`: the key that signs the log's notes, and the keys of those who witness them."""

from contextlib import suppress
from pathlib import Path

import click

from commands.audit import KEY_OPTION, Store, fail, in_words, key_file, store_at
from commands.cli import REFUSED
from ledger.integrity.notes import COSIGNATURE, BadNote, key_named
from ledger.integrity.signing import FileSigner, WrongKey, current_key, introduce, make_key_file
from ledger.store.seal_rows import NotSealing


@click.command()
@KEY_OPTION
@click.option("--witness", metavar="NAME", help="A witness's own key, such as auditor.example/w; it needs --key.")
@click.pass_obj
def create(url: str, key_path: str | None, witness: str | None) -> None:
    """Create the key that signs, prepare the ledger for seals, and print the verifier key.

    The file can be read by its owner only. Keep a copy apart: without it no further note can be signed under this key.
    Give the verifier key to whoever is to check the notes, by another way than the notes.

    \b
    Example:
      water-ledger audit key create
    """
    if witness:
        if not key_path:
            raise click.UsageError("a witness names the file of her own key with --key")
        try:
            key_named(witness, b"")
        except BadNote as error:
            raise click.BadParameter(str(error), param_hint="--witness") from None
        with in_words():
            click.echo(make_key_file(Path(key_path), witness, COSIGNATURE).key.vkey)
        return
    with store_at(url) as store:
        store.rows.create()
        if store.rows.keys():
            fail("this log has a key already ('audit key show' prints it, 'audit key rotate' follows it)", REFUSED)
        path = key_file(store, key_path)
        signer = _made(path, store.log.origin)
        introduce(store.rows, store.log.origin, signer, None)
    click.echo(f"the key is in {path}", err=True)
    click.echo(signer.key.vkey)


@click.command()
@KEY_OPTION
@click.option("--lost", is_flag=True, help="The current key is lost: nobody hands over, and every audit will say so.")
@click.pass_obj
def rotate(url: str, key_path: str | None, lost: bool) -> None:
    """Let a new key follow the current one, which names it and signs that; print the new verifier key.

    The old key's file is kept under its id; destroy it once no seal waits for its signature.

    \b
    Example:
      water-ledger audit key rotate
    """
    with store_at(url) as store:
        current = current_key(store.rows)
        path = key_file(store, key_path)
        coming = path.with_name(f"{path.name}.next")
        new = _made(coming, store.log.origin)
        if new.key != current:
            introduce(store.rows, store.log.origin, new, None if lost else _current(path, store))
        _replace(path, coming)
    click.echo(f"the new key is in {path}", err=True)
    click.echo(new.key.vkey)


@click.command()
@click.option("--all", "whole", is_flag=True, help="Every key there was, with the note that handed over to it.")
@click.pass_obj
def show(url: str, whole: bool) -> None:
    """Print the verifier key that checks today's notes.

    \b
    Example:
      water-ledger audit key show > log.vkey
    """
    with store_at(url, read_only=True) as store:
        keys = store.rows.keys() if store.rows.exists() else []
        if not keys:
            raise NotSealing(store.rows.place)
    if not whole:
        click.echo(keys[-1].vkey)
    for each in keys if whole else ():
        click.echo(f"key {each.number}, from seal {each.since} on: {each.vkey}\n\n{each.handover}")


def _made(path: Path, name: str) -> FileSigner:
    """The key in a file, made now unless one who was interrupted left it there."""
    if path.exists():
        signer = FileSigner(path)
        if signer.key.name != name:
            raise WrongKey(f"{path} holds a key of {signer.key.name}, and this log is {name} (name another file)")
        return signer
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return make_key_file(path, name)


def _current(path: Path, store: Store) -> FileSigner:
    signer = FileSigner(path)
    current = current_key(store.rows)
    if signer.key != current:
        raise WrongKey(f"{path} does not hold the log's current key, {current.id.hex()} (name its file, or say --lost)")
    return signer


def _replace(path: Path, coming: Path) -> None:
    with suppress(FileNotFoundError, WrongKey):
        path.rename(path.with_name(f"{path.name}.{FileSigner(path).key.id.hex()}"))
    coming.rename(path)


key = click.Group("key", commands=[create, rotate, show], help="The key that signs the log's notes.")
