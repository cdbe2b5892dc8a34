/**
 * A checksum for every row that somebody relies on (`checksum.ts`), and how far row numbers of `journal` have got.
 *
 * The rows that are there keep NULL, which says that nobody knows: a sum made now would vouch for whatever they have
 * become, and reading a journal of gigabytes would keep the server from starting. A row that is written anew gets one.
 *
 * `high_water` has a row only when a purge removed entries: the greatest row number that `journal` had until then. With
 * it, row numbers are never used twice, and an older database can be told from a newer one (`commit-mark.ts`).
 */
export const sql = `
  ALTER TABLE executions ADD COLUMN start_crc INTEGER;
  ALTER TABLE executions ADD COLUMN index_crc INTEGER;
  ALTER TABLE journal ADD COLUMN crc INTEGER;
  ALTER TABLE outbox ADD COLUMN crc INTEGER;
  ALTER TABLE snapshots ADD COLUMN crc INTEGER;

  CREATE TABLE high_water (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    entry_row INTEGER NOT NULL
  );
`
