import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLine } from '../../src/cli/render/log-line.ts'
import type { LoggedLine } from '../../src/client/client.ts'
import { jsonObject, levelOf } from '../../src/protocol/logs/log-line.ts'

const AT = new Date(2026, 0, 2, 12, 0, 3, 7).getTime()
const HEAD = '12:00:03.007  order  8f0f1c2d'

/** As the server gives it out. */
function record(line: string, more: Partial<LoggedLine> = {}): LoggedLine {
  const fields = jsonObject(line)
  const level = levelOf(line)
  return {
    position: 1,
    at: AT,
    functionName: 'order',
    version: '$LATEST',
    requestId: '8f0f1c2d-0000-4000-8000-000000000000',
    stream: 'stdout',
    line,
    ...(fields !== undefined && { fields }),
    ...(level !== undefined && { level }),
    ...more,
  }
}

const shown = (line: string, more: Partial<LoggedLine> = {}): string => logLine(record(line, more))

test('time, function, request, level and text have columns, and nothing is said twice', () => {
  const table: readonly (readonly [string, string])[] = [
    ['plain text', `${HEAD}         plain text`],
    ['2026-01-02T12:00:03.007Z\t8f0f\tWARN\tlate', `${HEAD}  WARN   late`],
    ['[ERROR]\t2026-01-02T12:00:03.007Z\t8f0f\tno stock', `${HEAD}  ERROR  no stock`],
    ['{"timestamp":"x","level":"INFO","requestId":"r","message":"took"}', `${HEAD}  INFO   took`],
    ['{"level":"info","message":{"a":1},"n":2,"who":"Ann"}', `${HEAD}  INFO   {"a":1}  n=2 who=Ann`],
    ['{"level":"debug","msg":"deep","at":[1]}', `${HEAD}  DEBUG  deep  at=[1]`],
    ['{"some":"object"}', `${HEAD}         {"some":"object"}`],
  ]
  for (const [line, expected] of table) assert.equal(shown(line), expected)
})

test('an error shows its name and its stack', () => {
  const stackTrace = ['TypeError: too late', '    at one (a.js:1)', '    at two (a.js:2)']
  const parts = { errorType: 'TypeError', errorMessage: 'too late', stackTrace }
  const below = '\n    at one (a.js:1)\n    at two (a.js:2)'
  const withMessage = { level: 'ERROR', message: `failed ${stackTrace.join('\n')}`, ...parts }
  assert.equal(shown(JSON.stringify(withMessage)), `${HEAD}  ERROR  failed TypeError: too late${below}`)
  assert.equal(shown(JSON.stringify({ level: 'ERROR', message: parts })), `${HEAD}  ERROR  TypeError: too late${below}`)
})

test('the platform has no level of its own, and lines of standard error without one are marked', () => {
  assert.equal(shown('START RequestId: 1', { stream: 'platform', level: 'INFO' }), `${HEAD}         START RequestId: 1`)
  const event = '{"time":"x","type":"platform.start","record":{"version":"1"}}'
  assert.equal(shown(event, { stream: 'platform', level: 'INFO' }), `${HEAD}         platform.start {"version":"1"}`)
  assert.equal(shown('oops', { stream: 'stderr' }), `${HEAD}  !      oops`)
})

test('nothing that a function prints drives the terminal', () => {
  assert.ok(!shown('\u001b[2Jgone').includes('\u001b'))
  assert.ok(!shown(JSON.stringify({ level: 'INFO', message: 'a', more: '\u001b[2J' })).includes('\u001b'))
  assert.ok(!shown(JSON.stringify({ message: 'a\n\u001b[2J' })).includes('\u001b'))
})

test('levels have colours', () => {
  const styles = (line: string): readonly string[] => {
    const used: string[] = []
    logLine(record(line), (style, text) => {
      used.push(`${style} ${text.trim()}`)
      return text
    })
    return used.slice(1)
  }
  assert.deepEqual(styles('[ERROR]\tno stock'), ['red ERROR', 'red [ERROR]\tno stock'])
  assert.deepEqual(styles('{"level":"warn","message":"late","n":1}'), ['yellow WARN', 'dim n=1'])
  assert.deepEqual(styles('{"level":"info","message":"took"}'), [])
})
