/** The tables of the reference pages say what the tables of the code say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, TEXT } from '../../src/protocol/errors.ts'
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts'
import { LOG_ERRORS } from '../../src/protocol/logs/log-errors.ts'
import { OPERATIONS, type OperationSpec } from '../../src/protocol/operations.ts'
import { code, type Page, readPage, tableOf } from './markdown.ts'

const operations: readonly OperationSpec[] = Object.values(OPERATIONS)

test('errors: every one, with status, type, spelling of the text, and the operations that answer with it', () => {
  const page = readPage('docs/errors.md')
  const answeredBy = (error: string): string => {
    const names = operations.filter(({ errors }) => errors.some((each) => each === error)).map(({ name }) => name)
    if (names.length === operations.length) return 'every operation'
    return names.length === 0 ? 'requests that are no operation' : names.join(', ')
  }
  const expected = Object.entries(ERRORS).map(([name, { httpStatus, fault, messageMember }]) => [
    name,
    String(httpStatus),
    fault,
    `\`${messageMember}\``,
    answeredBy(name),
  ])
  assert.deepEqual(tableOf(page, 'The form'), expected)
})

test('errors: what each means is told', () => {
  const told = tableOf(readPage('docs/errors.md'), 'When').map(([name]) => name)
  assert.deepEqual([...told].sort(), Object.keys(ERRORS).sort())
})

test('errors: the shared texts', () => {
  const told = tableOf(readPage('docs/errors.md'), 'Texts').map(([text]) => code(text))
  assert.deepEqual(told, Object.values(TEXT))
})

test('errors: those of the CloudWatch Logs calls, with their status', () => {
  const told = tableOf(readPage('docs/errors.md'), 'Of the CloudWatch Logs calls')
  assert.deepEqual(
    told.map(([name, status]) => [name, status]),
    Object.entries(LOG_ERRORS).map(([name, status]) => [name, String(status)]),
  )
})

test('limits: every one, once, with its default', () => {
  const page = readPage('docs/limits.md')
  const told = rowsOf(page, ['Sizes of payloads', 'Sizes of executions', 'Time', 'What one server takes on at a time'])
  assert.deepEqual(Object.fromEntries(told.map(([name, value]) => [code(name), Number(value)])), { ...DEFAULT_LIMITS })
  assert.equal(told.length, Object.keys(DEFAULT_LIMITS).length)
})

const rowsOf = (page: Page, titles: readonly string[]) => titles.flatMap((title) => tableOf(page, title))
