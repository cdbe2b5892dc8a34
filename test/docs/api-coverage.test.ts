/**
 * `docs/api-coverage.md` against two tables: what this server routes (`OPERATIONS`), and what there is to route: the
 * model that the official client carries with it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as officialLogsClient from '@aws-sdk/client-cloudwatch-logs'
import * as officialClient from '@aws-sdk/client-lambda'
import { LOG_OPERATIONS } from '../../src/protocol/logs/log-operations.ts'
import { OPERATIONS, type OperationSpec } from '../../src/protocol/operations.ts'
import { cloudWatchLogs } from '../../src/server/routes/cloud-watch-logs.ts'
import { ROUTES } from '../../src/server/routes/index.ts'
import { code, type Row, readPage, tableOf } from './markdown.ts'

const page = readPage('docs/api-coverage.md')
const told = tableOf(page, 'Operations')
const areas = tableOf(page, 'Operations', 1)
const STATES = new Set(['done', 'partly', 'not'])

// ------------------------------------------------------------------------------------------- the official model
// A schema is an array: its kind, its namespace, its name, its traits, and then, for a structure, the names of its
// members, for an operation its input and output.

const STRUCTURE = 3
const OPERATION = 9

type Schema = readonly [kind: number, namespace: string, name: string, traits: unknown, ...rest: unknown[]]

const exported: readonly unknown[] = Object.values(officialClient)
const schemas = exported.filter((value): value is Schema => Array.isArray(value) && typeof value[0] === 'number')
const officialOperations = schemas.filter(([kind]) => kind === OPERATION)

function membersOf(schema: Schema | undefined): readonly string[] {
  assert.ok(schema !== undefined && schema[0] === STRUCTURE, 'no structure')
  return schema[4] as string[]
}

function resolved(reference: unknown): Schema {
  return (typeof reference === 'function' ? reference() : reference) as Schema
}

// ------------------------------------------------------------------------------------------------------- the tests

test('the operations that are there are done or partly done, and no others', () => {
  assert.deepEqual(told.map(([name = '']) => name).sort(), Object.keys(OPERATIONS).sort())
  for (const [name, state] of told) assert.ok(state === 'done' || state === 'partly', name ?? '')
})

test('every operation of the official client is told, once', () => {
  const absent = areas.flatMap(([, state, names = '']) => (state === 'not' ? names.split(', ') : []))
  const all = [...told.map(([name = '']) => name), ...absent]
  assert.equal(new Set(all).size, all.length, 'told twice')
  for (const [, , name] of officialOperations) assert.ok(all.includes(name), `${name} is not told`)
})

for (const operation of Object.values(OPERATIONS) as readonly OperationSpec[]) {
  test(`${operation.name}: every member of request and answer`, () => {
    const rows = tableOf(page, operation.name)
    assertStates(rows, 2)
    const requests = namesIn(rows, 'request')
    const answers = namesIn(rows, 'answer')
    // What the server reads must be told as read.
    for (const member of Object.keys(operation.input)) assert.ok(requests.includes(member), member)
    const official = officialOperations.find(([, , name]) => name === operation.name)
    if (official === undefined) return
    assert.deepEqual([...requests].sort(), [...membersOf(resolved(official[4]))].sort())
    const output = resolved(official[5])
    // An operation may have no output at all, which is no structure.
    if (output[0] !== STRUCTURE) assert.deepEqual(answers, [])
    else if (output[2] !== 'FunctionConfiguration') assert.deepEqual([...answers].sort(), [...membersOf(output)].sort())
    for (const [member, place, state] of rows) {
      const isRead = code(member) in operation.input || operation.rawBody === true
      if (place === 'request' && state !== 'not') assert.ok(isRead, `${code(member)} is not read`)
    }
  })
}

const SHAPES = 'OperationUpdate Operation Event ErrorObject DurableConfig Execution FunctionConfiguration'.split(' ')
for (const shape of SHAPES) {
  test(`${shape}: every member`, () => {
    const rows = tableOf(page, shape)
    assertStates(rows, 1)
    const official = schemas.find(([kind, , name]) => kind === STRUCTURE && name === shape)
    assert.deepEqual(rows.map(([name]) => code(name)).sort(), [...membersOf(official)].sort())
  })
}

// ------------------------------------------------------------------------------------------------ CloudWatch Logs

const logSchemas = Object.values(officialLogsClient as Readonly<Record<string, unknown>>).filter(
  (value): value is Schema => Array.isArray(value) && typeof value[0] === 'number',
)

test('CloudWatch Logs: the operations that are there, and no others', () => {
  const rows = tableOf(page, 'CloudWatch Logs')
  assert.deepEqual(rows.map(([name]) => name).sort(), Object.keys(LOG_OPERATIONS).sort())
  assertStates(rows, 1)
})

for (const [name, input] of Object.entries(LOG_OPERATIONS)) {
  test(`CloudWatch Logs, ${name}: every member of request and answer`, () => {
    const rows = tableOf(page, name)
    assertStates(rows, 2)
    const official = logSchemas.find(([kind, , each]) => kind === OPERATION && each === name)
    assert.ok(official !== undefined, `the official client has no ${name}`)
    assert.deepEqual([...namesIn(rows, 'request')].sort(), [...membersOf(resolved(official[4]))].sort())
    const output = resolved(official[5])
    assert.deepEqual([...namesIn(rows, 'answer')].sort(), output[0] === STRUCTURE ? [...membersOf(output)].sort() : [])
    for (const [member, place, state] of rows) {
      if (place === 'request' && state !== 'not') assert.ok(code(member) in input, `${code(member)} is not read`)
    }
  })
}

test("Perdure's own requests are those that are routed", () => {
  const own = tableOf(page, "Perdure's own").flatMap(([requests = '']) =>
    [...requests.matchAll(/(GET|POST) (\/[\w/{}]+)/g)].map(([, method, path]) => `${method} ${path}`),
  )
  const routed = ROUTES.filter((route) => !(route.name in OPERATIONS) && route !== cloudWatchLogs).map(
    ({ method, path }) => `${method} ${path}`,
  )
  assert.deepEqual(own.sort(), routed.sort())
})

const namesIn = (rows: readonly Row[], place: string): readonly string[] =>
  rows.filter((row) => row[1] === place).map(([name]) => code(name))

function assertStates(rows: readonly Row[], column: number): void {
  for (const row of rows) {
    assert.ok(STATES.has(row[column] ?? ''), `"${row[column]}" is no state: ${row.join(' ')}`)
    if (row[column] === 'partly') assert.notEqual(row[column + 1], '', `${row[0]}: what is missing?`)
  }
}
