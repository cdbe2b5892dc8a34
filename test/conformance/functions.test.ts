import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declarationsFor, FUNCTION_OF } from './functions.ts'
import * as invoke from './handlers/invoke.ts'

test('there is a function for each of the 112 requirements, and the three that chained invoke calls', () => {
  assert.equal(FUNCTION_OF.size, 112)
  const names = declarationsFor([...FUNCTION_OF.keys()]).map((declaration) => declaration.name)
  assert.equal(new Set(names).size, 115)
  for (const target of [invoke.ECHO, invoke.TENANT_ECHO, invoke.FAILING]) assert.ok(names.includes(target), target)
})

test('every declared handler exists', async () => {
  for (const { file, exportName = 'handler' } of declarationsFor([...FUNCTION_OF.keys()])) {
    const module: Record<string, unknown> = await import(file ?? '')
    assert.equal(typeof module[exportName], 'function', `${file} exports ${exportName}`)
  }
})

test('the called functions are declared only where requirements of chained invoke are run', () => {
  assert.deepEqual(
    declarationsFor(['1-1']).map((declaration) => declaration.name),
    ['conformance-1-1'],
  )
  assert.equal(declarationsFor(['5-1']).length, 4)
})
