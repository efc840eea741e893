"""The roles of a ledger in PostgreSQL, and what each may do."""

from contextlib import suppress

from ledger.store.log import Conflict
from ledger.store.postgres_link import Link

_ROLES = {
    "ledger_owner": "CREATE ROLE ledger_owner NOLOGIN",
    "ledger_app": "CREATE ROLE ledger_app NOLOGIN",
    "ledger_sealer": "CREATE ROLE ledger_sealer NOLOGIN",
    "ledger_projector": "CREATE ROLE ledger_projector NOLOGIN",
    "ledger_auditor": (
        "CREATE ROLE ledger_auditor NOLOGIN; ALTER ROLE ledger_auditor SET default_transaction_read_only = on"
    ),
}

_GRANTS = """
GRANT USAGE ON SCHEMA {s} TO ledger_app, ledger_projector, ledger_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO ledger_app, ledger_projector, ledger_auditor;
GRANT INSERT ON {s}.event, {s}.command TO ledger_app;
GRANT UPDATE (head) ON {s}.head TO ledger_app;
"""

_OWNERSHIP = """
ALTER SCHEMA {s} OWNER TO ledger_owner;
ALTER TABLE {s}.meta OWNER TO ledger_owner;
ALTER TABLE {s}.head OWNER TO ledger_owner;
ALTER TABLE {s}.event OWNER TO ledger_owner;
ALTER TABLE {s}.command OWNER TO ledger_owner;
ALTER VIEW {s}.event_as_json OWNER TO ledger_owner;
ALTER FUNCTION {s}.refuse() OWNER TO ledger_owner;
"""


def create_roles(link: Link) -> str:
    """Create the roles, once; the statements that give them their rights in schema `{s}`, as far as this user may."""
    may_create = link.run("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")[0][0]
    if not may_create:
        return ""
    there = {name for (name,) in link.run("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(_ROLES),))}
    for role, statements in _ROLES.items():
        # Roles belong to the whole server, so that a creator of another ledger may be just as far.
        with suppress(Conflict):
            if role not in there:
                link.script(statements)
    return _GRANTS + _OWNERSHIP if owns_all(link) else _GRANTS


def owns_all(link: Link) -> bool:
    """Whether this user may hand over what it creates to ledger_owner."""
    return bool(link.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0][0])
