/** All migrations in order. A released one is never edited: a change of the schema is a new file and a new line here. */
import { sql as journal } from './0001-journal.ts'
import { sql as checksums } from './0002-checksums.ts'
import { sql as functions } from './0003-functions.ts'
import { sql as layers } from './0004-layers.ts'

export const migrations: readonly { readonly number: number; readonly sql: string }[] = [
  { number: 1, sql: journal },
  { number: 2, sql: checksums },
  { number: 3, sql: functions },
  { number: 4, sql: layers },
]
