/**
 * The functions that were created through the API, and their code.
 *
 * A record is a text that is replaced as a whole. Code is named by its hash and lies in pieces, each written by a small
 * transaction of its own, so that an upload of megabytes holds up no commit. A row of `code` is there before the first
 * piece and after the last one, and says by `whole` whether the pieces between are all there.
 */
export const sql = `
  CREATE TABLE functions (
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX functions_by_name ON functions (name);

  CREATE TABLE code (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    whole INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX code_by_hash ON code (sha256);

  CREATE TABLE code_pieces (
    code INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    crc INTEGER NOT NULL,
    UNIQUE (code, number)
  );
`
