/**
 * Puts an image into a folder and opens it as the product does: `openStore` is what the writer's thread does with it
 * (without the thread, which would take most of the time), checks at the start included.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { openWriterConnection } from '../../src/journal/sqlite/connection.ts'
import { migrate } from '../../src/journal/sqlite/migrate.ts'
import { checkDatabase, checkLog } from '../../src/journal/sqlite/start-checks.ts'
import { DEFAULT_WAL_BYTES } from '../../src/journal/sqlite/wal-policy.ts'
import { Writer } from '../../src/journal/sqlite/writer.ts'
import type { Image } from './disk.ts'

/** The files that the store is made of, in the data folder. */
export const isOfStore = (path: string): boolean => /(?:^|\/)journal\.db/.test(path)

export function putImage(image: Image, folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [path, bytes] of image) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
}

/** Opens the store of a data folder, lets `look` see it and closes it. Throws what the product would refuse with. */
export function openStore<Seen>(dataFolder: string, look: (db: DatabaseSync) => Seen): Seen {
  mkdirSync(dataFolder, { recursive: true })
  const path = join(dataFolder, 'journal.db')
  checkLog(path)
  const db = openWriterConnection({ path, maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES })
  try {
    migrate(db)
    checkDatabase(db, path)
    new Writer(db)
    return look(db)
  } finally {
    db.close()
  }
}

/** Says of two databases whether they hold the same, whatever their pages look like. */
export function fingerprint(db: DatabaseSync): string {
  const hash = createHash('sha1')
  for (const { name } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()) {
    const rows = db.prepare(`SELECT rowid, * FROM "${name}" ORDER BY rowid`)
    rows.setReturnArrays(true)
    hash.update(JSON.stringify([name, rows.all()]))
  }
  return hash.digest('hex')
}

/** The same for two images that hold the same bytes. */
export function digest(image: Image): string {
  const hash = createHash('sha1')
  for (const path of [...image.keys()].sort()) {
    const bytes = image.get(path)
    if (bytes !== undefined) hash.update(`${path} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}
