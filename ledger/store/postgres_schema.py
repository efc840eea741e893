"""The tables and the guards of a ledger in PostgreSQL; run by `create`, never at every start."""

from zlib import crc32

SHARDS = 64

# Keys hold the shard so that the tables can be distributed by it. `state` is bytea: jsonb would re-serialise what was
# hashed. The head rows are rewritten by every append and keep room on their pages for it.
TABLES = """
CREATE SCHEMA IF NOT EXISTS {s};
CREATE TABLE {s}.meta (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE {s}.head (shard smallint PRIMARY KEY, head bigint NOT NULL) WITH (fillfactor = 10);
CREATE TABLE {s}.event (
    shard smallint NOT NULL,
    position bigint NOT NULL,
    account text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (shard, position),
    UNIQUE (account, version, shard)
);
CREATE TABLE {s}.command (
    shard smallint NOT NULL,
    key text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    account text COLLATE "C" NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (shard, key)
);
CREATE VIEW {s}.event_as_json AS
    SELECT shard, position, account, version, type,
           convert_from(state, 'UTF8')::json AS data, encode(hash, 'hex') AS hash
    FROM {s}.event;
CREATE FUNCTION {s}.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.event EXECUTE FUNCTION {s}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.command EXECUTE FUNCTION {s}.refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.meta EXECUTE FUNCTION {s}.refuse();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON {s}.head EXECUTE FUNCTION {s}.refuse();
"""


def creation_lock(schema: str) -> tuple[int, int]:
    """The advisory lock that creators of one schema wait for."""
    return 0x57415452, crc32(schema.encode()) - 2**31
