/** A database as a whole: copied while others write to it, and put together again after damage. */
import { rmSync } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'
import { markPathOf } from './commit-mark.ts'
import { openToLook } from './connection.ts'

/** All pages in one step, which is one view: after any other a commit of the server would begin the copy anew. */
const ALL_PAGES = 2_147_483_647

/** Writes the database as of one moment, log included, to a file that must not exist; `alone` as in `openToLook`. The caller syncs it. */
export async function copyDatabase(from: string, to: string, alone: boolean): Promise<void> {
  const source = openToLook(from, alone)
  try {
    await backup(source, to, { rate: ALL_PAGES })
  } finally {
    source.close()
  }
}

/** Gives up what the mark knows of, so that a database that is older may be opened. */
export function forgetMark(path: string): void {
  rmSync(markPathOf(path), { force: true })
}

/** Takes of the log what fits, and makes the indexes anew from the tables. */
export function rebuild(path: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('REINDEX')
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}
