"""The tables of a ledger."""

FORMAT = 2
"""The layout; a ledger of another one is refused, never misread. 1 had no batches: it is brought
up to 2 when it is opened."""

_BATCHES = """
CREATE TABLE batches (
    number INTEGER PRIMARY KEY, wave INTEGER NOT NULL, model TEXT NOT NULL, identity TEXT NOT NULL,
    id TEXT NOT NULL, state TEXT NOT NULL, newest TEXT NOT NULL,
    requests INTEGER NOT NULL, size INTEGER NOT NULL,
    intended_at TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT NOT NULL,
    collected_at TEXT NOT NULL,
    succeeded INTEGER NOT NULL, errored INTEGER NOT NULL, canceled INTEGER NOT NULL,
    expired INTEGER NOT NULL
);
CREATE TABLE batched (
    batch INTEGER NOT NULL, key TEXT NOT NULL, step TEXT NOT NULL, PRIMARY KEY (batch, key)
) WITHOUT ROWID;
"""

# The version is set in the same transaction: a kill in between leaves no ledger without one.
# Keys are digests, scattered over the index; the records themselves are appended.
CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE replies (
    key TEXT PRIMARY KEY, step TEXT NOT NULL, asked TEXT NOT NULL, text TEXT NOT NULL,
    stop TEXT NOT NULL, model TEXT NOT NULL, detail TEXT NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
    batched INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rows (key TEXT PRIMARY KEY, record BLOB NOT NULL);
{_BATCHES}
PRAGMA user_version = {FORMAT};
COMMIT;
"""

FROM_1 = f"""
BEGIN IMMEDIATE;
ALTER TABLE replies ADD COLUMN batched INTEGER NOT NULL DEFAULT 0;
{_BATCHES}
PRAGMA user_version = {FORMAT};
COMMIT;
"""
