/** All migrations in order. A released one is never edited: a change of the schema is a new file and a new line here. */
import { sql as journal } from './0001-journal.ts'

export const migrations: readonly { readonly number: number; readonly sql: string }[] = [{ number: 1, sql: journal }]
