/** Every statement finds its rows through an index: none scans a table or sorts. Read from SQLite's own plans. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { migrate } from '../../src/journal/sqlite/migrate.ts'
import { createReader } from '../../src/journal/sqlite/reader.ts'
import { Writer } from '../../src/journal/sqlite/writer.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** `purges` has a handful of rows and is read once, at the start. */
const allowedToScan = ['SCAN purges']

class PlanningDatabase extends DatabaseSync {
  readonly plans = new Map<string, string[]>()

  override prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    if (!sql.startsWith('PRAGMA')) {
      const plan = super.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
      this.plans.set(
        sql,
        plan.map((step) => String(step['detail'])),
      )
    }
    return super.prepare(sql)
  }
}

test('no statement scans a table or sorts rows', (t) => {
  const db = new PlanningDatabase(join(temporaryDirectory(t), 'journal.db'))
  t.after(() => db.close())
  migrate(db)
  new Writer(db)
  const reader = createReader(db)
  for (const oldestFirst of [true, false]) {
    reader.list({ functionName: 'orders', limit: 10, oldestFirst })
    reader.list({ functionName: 'orders', limit: 10, oldestFirst, statuses: ['RUNNING'], version: '1' })
  }
  assert.ok(db.plans.size > 20)
  for (const [sql, steps] of db.plans) {
    for (const step of steps) {
      const scans = /^SCAN/.test(step) && !/^SCAN (CONSTANT ROW|\d+)/.test(step) && !allowedToScan.includes(step)
      assert.ok(!scans && !step.includes('TEMP B-TREE'), `${step}\nin ${sql}`)
    }
  }
})
