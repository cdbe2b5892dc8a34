import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS } from './errors.ts'
import { type InputOf, OPERATIONS, type OperationSpec } from './operations.ts'
import type { ErrorObject, OperationUpdate } from './shapes.ts'

const rows: readonly [string, OperationSpec][] = Object.entries(OPERATIONS)

test('every row is named as its key, and no method and path come twice', () => {
  for (const [key, { name }] of rows) assert.equal(name, key)
  const bindings = rows.map(([, { method, path }]) => `${method} ${path}`)
  assert.equal(new Set(bindings).size, bindings.length)
})

test('the label of every path is a required member, and no other member is one', () => {
  for (const [key, { path, input }] of rows) {
    const labels = [...path.matchAll(/\{(\w+)\+?\}/g)].map(([, label]) => label)
    const members = Object.entries(input).filter(([, member]) => member.in === 'path')
    assert.deepEqual(
      members.map(([name]) => name),
      labels,
      key,
    )
    assert.ok(
      members.every(([, { required }]) => required === true),
      key,
    )
  }
})

test('every error that an operation lists is in the table of errors', () => {
  for (const [key, { errors }] of rows) for (const error of errors) assert.ok(error in ERRORS, `${key}: ${error}`)
})

test('[01 §1.1] unknown executions are no error of their own for checkpoint and state', () => {
  const checkpoint: readonly string[] = OPERATIONS.CheckpointDurableExecution.errors
  const state: readonly string[] = OPERATIONS.GetDurableExecutionState.errors
  assert.equal(checkpoint.includes('ResourceNotFoundException'), false)
  assert.equal(state.includes('ResourceNotFoundException'), false)
})

test('the types that follow from the table are the shapes of the wire', () => {
  const updates: InputOf<'CheckpointDurableExecution'>['Updates'] = [{ Id: 'a', Type: 'STEP', Action: 'START' }]
  const shapes: readonly OperationUpdate[] = updates
  const error: ErrorObject | undefined = {} satisfies InputOf<'StopDurableExecution'>['Error']
  assert.ok(shapes.length === 1 && error !== undefined)
})
