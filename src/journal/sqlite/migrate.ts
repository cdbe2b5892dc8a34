/** Brings a database to the newest schema. Its version is `user_version`, set in the transaction of each migration. */
import type { DatabaseSync } from 'node:sqlite'
import { crashPoint } from '../../crash-point.ts'
import { StoreError } from '../store-error.ts'
import { migrations } from './migrations/list.ts'

export function migrate(db: DatabaseSync): void {
  const present = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  const newest = migrations.at(-1)?.number ?? 0
  if (present > newest) {
    throw new StoreError(
      'failed',
      `The journal has schema ${present}, this Perdure knows schemas up to ${newest}: it was last used by a newer ` +
        'release. Nothing was changed. Run that release, or use another data directory.',
    )
  }
  for (const migration of migrations) {
    if (migration.number <= present) continue
    crashPoint('migration-due')
    db.exec(`BEGIN IMMEDIATE; ${migration.sql}; PRAGMA user_version = ${migration.number}`)
    crashPoint('migration-written')
    db.exec('COMMIT')
    crashPoint('migration-committed')
  }
}
