import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldedHistory } from './fold.ts'

const folder = join(import.meta.dirname, 'journals')
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.journal.jsonl'))
  .map((file) => file.slice(0, -'.journal.jsonl'.length))

for (const name of names) {
  test(`the golden journal ${name} folds to the history it was recorded with, byte for byte`, () => {
    const journal = readFileSync(join(folder, `${name}.journal.jsonl`), 'utf8')
      .trimEnd()
      .split('\n')
    assert.equal(foldedHistory(journal), readFileSync(join(folder, `${name}.history.json`), 'utf8'))
  })
}

test('golden journals exist for entry version 1', () => {
  assert.ok(names.filter((name) => name.startsWith('v1-')).length >= 5)
})
