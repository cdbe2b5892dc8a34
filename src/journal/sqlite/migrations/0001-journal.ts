/**
 * Journals, the registry of names and what is derived from them.
 *
 * `journal` is a rowid table with a unique index on integers (decision 4): appends go to the end of the table and the
 * index stays small. `executions.key` is never used twice (AUTOINCREMENT), so a stale key cannot mean a newer
 * execution. `purges` holds the keys of executions that are gone but whose journal is still being removed.
 */
export const sql = `
  CREATE TABLE executions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    execution_id TEXT NOT NULL,
    arn TEXT NOT NULL,
    name TEXT NOT NULL,
    function_name TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    input_hash TEXT NOT NULL,
    retention_days INTEGER NOT NULL,
    sdk_invocation_id TEXT,
    status TEXT NOT NULL,
    ended_at INTEGER,
    wake_kind TEXT,
    wake_due_ms INTEGER,
    expires_at INTEGER AS (ended_at + retention_days * 86400000) VIRTUAL
  );
  CREATE UNIQUE INDEX executions_by_id ON executions (execution_id);
  CREATE UNIQUE INDEX executions_by_name ON executions (function_name, name);
  CREATE INDEX executions_by_status ON executions (function_name, status, started_at, execution_id);
  CREATE INDEX executions_by_sdk_invocation ON executions (function_name, sdk_invocation_id, started_at, execution_id)
    WHERE sdk_invocation_id IS NOT NULL;
  CREATE INDEX executions_open ON executions (execution_id) WHERE ended_at IS NULL;
  CREATE INDEX executions_expiring ON executions (expires_at, execution_id) WHERE ended_at IS NOT NULL;

  CREATE TABLE journal (
    execution INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    first_event_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (execution, seq)
  );

  CREATE TABLE outbox (
    id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    text TEXT NOT NULL
  );
  CREATE UNIQUE INDEX outbox_by_id ON outbox (id);

  CREATE TABLE snapshots (
    execution INTEGER PRIMARY KEY,
    fold_version INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    text TEXT NOT NULL
  );

  CREATE TABLE purges (
    execution INTEGER PRIMARY KEY
  );
`
