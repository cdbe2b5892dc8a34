/**
 * Compares the rows of the specification's tables (`test/tables/rows.ts`) with the tests that carry their ids: lists
 * rows without a test and ids without a row, and fails when there is any. The tests only name themselves; none runs.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = join(import.meta.dirname, '..', 'test', 'tables')

process.env['PERDURE_LIST_ROWS'] = '1'
const { ROWS } = await import('../test/tables/rows.ts')
const { definedRows } = await import('../test/tables/harness.ts')
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith('.test.ts')) await import(pathToFileURL(join(folder, file)).href)
}

const tests = new Map<string, number>()
for (const id of definedRows) tests.set(id, (tests.get(id) ?? 0) + 1)
const rows = new Set<string>(ROWS.map(({ id }) => id))
const untested = ROWS.filter(({ id }) => !tests.has(id))
const unknown = [...tests.keys()].filter((id) => !rows.has(id))

for (const { id, section, name } of untested) console.log(`no test: ${id} (${section}) ${name}`)
for (const id of unknown) console.log(`no row: ${id}`)
for (const section of new Set(ROWS.map((row) => row.section))) {
  const here = ROWS.filter((row) => row.section === section)
  const count = here.reduce((sum, { id }) => sum + (tests.get(id) ?? 0), 0)
  console.log(`${section}: ${here.length} rows, ${count} tests`)
}
console.log(
  `${ROWS.length} rows, ${definedRows.length} tests, ${untested.length} rows without a test, ${unknown.length} ids without a row`,
)
if (untested.length + unknown.length > 0) process.exitCode = 1
