"""From an address to a store: `sqlite:///file.db` or `postgresql://…`; drivers are loaded only when they are needed."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.store.log import COMMITMENT, BadAddress, Log

if TYPE_CHECKING:
    from ledger.store.keys import Keys
    from ledger.store.postgres_link import Link
    from ledger.store.seal_rows import SealRows

_WAY_OUT = "write sqlite:///water-ledger.db, sqlite:////absolute/path.db or postgresql://user@host/database"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}", re.ASCII)
# A server that fell silent is given up after half a minute, not after the two hours that systems allow.
_PATIENCE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
_WORD = re.compile(r"[a-z0-9+]{1,20}", re.ASCII)
_TIMEOUT = re.compile(r"[0-9]{1,4}", re.ASCII)


def open_log(url: str, *, read_only: bool = False) -> Log:
    """The log at an address, not yet touched; raises BadAddress."""
    scheme, rest = _split(url)
    if scheme == "sqlite":
        from ledger.store.sqlite import SQLiteLog

        path, timeout = _sqlite(rest)
        return SQLiteLog(path, read_only=read_only, timeout=timeout)
    from ledger.store.postgres import PostgresLog

    link, schema = _postgres(url, read_only)
    return PostgresLog(link, schema)


def seals_of(url: str, *, read_only: bool = False) -> "SealRows":
    """The seals of the log at an address, not yet touched; raises BadAddress."""
    scheme, rest = _split(url)
    if scheme == "sqlite":
        from ledger.store.seal_rows_sqlite import SQLiteSealRows

        path, timeout = _sqlite(rest)
        return SQLiteSealRows(path, read_only=read_only, timeout=timeout)
    from ledger.store.seal_rows_postgres import PostgresSealRows

    link, schema = _postgres(url, read_only)
    return PostgresSealRows(link, schema)


def seal_key_file(url: str, origin: str) -> Path:
    """Where the key that signs this log's notes is kept, unless somebody says otherwise."""
    scheme, rest = _split(url)
    if scheme == "sqlite":
        return Path(f"{_sqlite(rest)[0].removesuffix('.db')}.seal.key")
    from ledger.store.kek import user_file

    return user_file(origin, "seal.key")


def keys_of(url: str, log: Log, *, read_only: bool = False) -> "Keys":
    """The key store of the log at an address, which refuses the keys of any other."""
    return open_keys(url, log.origin, read_only=read_only, commitment=log.meta(COMMITMENT))


def open_keys(url: str, origin: str, *, read_only: bool = False, commitment: str | None = None) -> "Keys":
    """The key store beside an address; raises BadAddress."""
    from ledger.store.kek import kek_beside, kek_of_user
    from ledger.store.keys import Keys

    scheme, rest = _split(url)
    if scheme == "sqlite":
        from ledger.store.key_rows import SQLiteKeyRows

        path, timeout = _sqlite(rest)
        stem = path.removesuffix(".db")
        rows = SQLiteKeyRows(f"{stem}.keys.db", read_only, timeout)
        return Keys(rows, origin, kek_beside(f"{stem}.kek"), commitment)
    from ledger.store.key_rows_postgres import PostgresKeyRows

    link, schema = _postgres(url, read_only)
    return Keys(PostgresKeyRows(link, f"{schema}_keys"), origin, kek_of_user(origin), commitment)


def _split(url: str) -> tuple[str, str]:
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise BadAddress(f"the address of a store begins with sqlite:// or postgresql:// ({_WAY_OUT})")
    if scheme not in ("sqlite", "postgresql", "postgres"):
        # Only a plain word is shown again: with a slash amiss, a password may stand before the colon.
        other = f", not in {scheme!r}" if _WORD.fullmatch(scheme) else ""
        raise BadAddress(f"a store is kept in SQLite or PostgreSQL{other} ({_WAY_OUT})")
    return scheme, rest


def _sqlite(rest: str) -> tuple[str, int]:
    path, _, options = rest.partition("?")
    if not path.startswith("/"):
        raise BadAddress(f"an SQLite address has three slashes before a path, and no host ({_WAY_OUT})")
    path = path[1:]
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path)
    if not path or path.endswith("/"):
        raise BadAddress(f"the address names no file ({_WAY_OUT})")
    if ":memory:" in path:
        raise BadAddress(f"a ledger is kept in a file, not in memory ({_WAY_OUT})")
    if "\0" in path:
        raise BadAddress(f"the name of a file has no zero byte in it ({_WAY_OUT})")
    if _is_folder(path):
        from urllib.parse import quote

        inside = f"sqlite:///{quote(path)}/water-ledger.db"
        raise BadAddress(f"{path} is a folder, and a ledger is kept in a file (name one in it: {inside})")
    if _is_other(path):
        raise BadAddress(f"{path} is a pipe or a device, and a ledger is kept in a file ({_WAY_OUT})")
    timeout = 10
    for option in filter(None, options.split("&")):
        name, _, value = option.partition("=")
        if name != "timeout" or not _TIMEOUT.fullmatch(value):
            raise BadAddress(f"{name[:20]!r}: an SQLite address has one option, such as ?timeout=10 (seconds)")
        timeout = int(value)
    return path, timeout


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:
        # Where it may not be looked at, opening it says so.
        return False


def _is_other(path: str) -> bool:
    """Whether something is there that is neither a file nor a folder; opening a pipe would wait for ever."""
    try:
        return Path(path).exists() and not Path(path).is_file()
    except OSError:
        return False


def _postgres(url: str, read_only: bool) -> tuple["Link", str]:
    from urllib.parse import parse_qsl, urlencode, urlsplit

    from ledger.store.postgres_link import Link

    try:
        scheme, _, rest = url.partition("://")
        # Several servers in one address, some by number: not every version of the parser lets that pass.
        servers = re.split("[/?#]", rest, maxsplit=1)[0]
        parts = urlsplit(f"{scheme}://server{rest[len(servers) :]}")._replace(netloc=servers)
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        where = ", ".join(map(_host, servers.rpartition("@")[2].split(",")))
    except ValueError:
        raise BadAddress(f"this PostgreSQL address cannot be read ({_WAY_OUT})") from None
    schema = dict(options).get("schema", "ledger")
    if not _SCHEMA.fullmatch(schema):
        raise BadAddress("a schema is named by a-z, 0-9 and _, 41 characters at most, the first not a digit")
    query = urlencode({**_PATIENCE, **{name: value for name, value in options if name != "schema"}})
    place = f"PostgreSQL at {where}{parts.path} (schema {schema})"
    return Link(parts._replace(query=query).geturl(), place, read_only=read_only), schema


def _host(text: str) -> str:
    """One of the servers in an address, as messages call it; raises ValueError."""
    from urllib.parse import urlsplit

    parts = urlsplit(f"//{text}")
    return f"{parts.hostname or 'local'}{f':{parts.port}' if parts.port else ''}"
