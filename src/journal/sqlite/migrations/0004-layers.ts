/** The layers, as the functions are kept: a record is a text that is replaced as a whole, and its code lies in `code`. */
export const sql = `
  CREATE TABLE layers (
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX layers_by_name ON layers (name);
`
