/** LoggingConfig: what the log of a function has with each format and level. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { LoggingConfig } from '../../src/functions/declaration.ts'
import { keepsPrinted, loggingOf } from '../../src/functions/logging.ts'
import { jsonObject } from '../../src/protocol/logs/log-line.ts'
import { logged } from './logged.ts'
import { invoke, responseOf, serveOne } from './project.ts'

const handler = `
  console.log('loading')
  export const handler = async ({ fail }) => {
    console.trace('traced')
    console.debug('in detail')
    console.log({ order: 7, nested: { a: [1] } })
    console.info('%s of %d', 'one', 2)
    console.warn('late', new TypeError('too late'))
    console.error(new RangeError('too far'))
    const circle = {}
    circle.self = circle
    console.log(circle)
    process.stdout.write(JSON.stringify({ timestamp: new Date().toISOString(), level: 'debug', message: 'own' }) + '\\n')
    process.stdout.write('plain text\\n')
    if (fail === 'throws') throw new Error('no stock')
    if (fail === 'exits') process.exit(3)
    return process.env.AWS_LAMBDA_LOG_FORMAT + ' ' + process.env.AWS_LAMBDA_LOG_LEVEL + ' ' + process.env.AWS_LAMBDA_LOG_GROUP_NAME
  }`

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => Object(value)

async function run(t: TestContext, logging: LoggingConfig | undefined, event: object = {}) {
  const functions = await serveOne(t, 'a.mjs', handler, { ...(logging !== undefined && { logging }) })
  const result = await invoke(functions, event, { requestId: 'r-1', executionArn: 'arn-1' })
  const records = await logged(functions.logs)
  return {
    result,
    records,
    lines: records.map(({ line }) => line),
    objects: records.map(({ line }) => jsonObject(line)),
  }
}

test('JSON: console and platform write objects, with the level, the time and the request', async (t) => {
  const { records, objects, result } = await run(t, {
    LogFormat: 'JSON',
    ApplicationLogLevel: 'TRACE',
    SystemLogLevel: 'DEBUG',
  })
  const told = objects.map((fields) => [fields?.['type'] ?? fields?.['level'], fields?.['message']])
  assert.deepEqual(told.slice(0, 8), [
    ['INFO', 'loading'],
    ['platform.start', undefined],
    ['TRACE', 'traced'],
    ['DEBUG', 'in detail'],
    ['INFO', { order: 7, nested: { a: [1] } }],
    ['INFO', 'one of 2'],
    ['WARN', told[6]?.[1]],
    ['ERROR', told[7]?.[1]],
  ])
  const [, start, , , , , late, far] = objects
  assert.deepEqual(start?.['record'], { requestId: 'r-1', version: '$LATEST' })
  assert.match(String(late?.['message']), /^late TypeError: too late\n/)
  assert.deepEqual([late?.['errorType'], late?.['errorMessage']], ['TypeError', 'too late'])
  const { errorType, errorMessage, stackTrace } = membersOf(far?.['message'])
  assert.deepEqual([errorType, errorMessage, Array.isArray(stackTrace)], ['RangeError', 'too far', true])
  assert.match(String(objects[8]?.['message']), /<ref \*1>/)
  assert.equal(objects[9]?.['message'], 'own')
  assert.equal(records[10]?.line, 'plain text')
  const [done, report] = objects.slice(-2)
  assert.equal(done?.['type'], 'platform.runtimeDone')
  assert.equal(report?.['type'], 'platform.report')
  const { metrics, status } = membersOf(report?.['record'])
  assert.equal(status, 'success')
  const figures = membersOf(metrics)
  assert.equal(figures['memorySizeMB'], 512)
  for (const name of ['durationMs', 'billedDurationMs', 'maxMemoryUsedMB', 'initDurationMs'])
    assert.ok(figures[name] !== undefined, name)
  for (const fields of objects.slice(2, 8)) {
    assert.equal(fields?.['requestId'], 'r-1')
    assert.match(String(fields?.['timestamp']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  }
  assert.ok(records.slice(1).every(({ executionArn, requestId }) => executionArn === 'arn-1' && requestId === 'r-1'))
  assert.ok(records.every(({ logStream }) => /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/.test(logStream ?? '')))
  assert.equal(new Set(records.map(({ logStream }) => logStream)).size, 1)
  assert.match(result.logTail, /"platform\.report"/)
})

test('JSON by default keeps INFO and above, of the function and of the platform', async (t) => {
  const { objects, lines, result } = await run(t, { LogFormat: 'JSON' })
  const told = objects.map((fields) => fields?.['type'] ?? fields?.['level'] ?? 'text')
  assert.deepEqual(told, ['INFO', 'platform.start', 'INFO', 'INFO', 'WARN', 'ERROR', 'INFO', 'text', 'platform.report'])
  assert.ok(
    !lines.some((line) => line.includes('"own"')),
    'a line that the function wrote itself is chosen by its level too',
  )
  assert.equal(responseOf(result), 'JSON INFO /aws/lambda/f')
})

test('JSON: higher levels leave out the rest', async (t) => {
  const { objects } = await run(t, { LogFormat: 'JSON', ApplicationLogLevel: 'ERROR', SystemLogLevel: 'WARN' })
  assert.deepEqual(
    objects.map((fields) => fields?.['level']),
    ['ERROR'],
  )
})

test('JSON: failures are objects too, and count as warnings at least', async (t) => {
  const levels = { LogFormat: 'JSON', ApplicationLogLevel: 'FATAL', SystemLogLevel: 'WARN' } as const
  const thrown = await run(t, { ...levels, ApplicationLogLevel: 'ERROR' }, { fail: 'throws' })
  const errors = thrown.objects.flatMap((fields) => (fields?.['level'] === 'ERROR' ? [fields['message']] : []))
  assert.equal(membersOf(errors.at(-1))['errorMessage'], 'no stock')
  const reports = thrown.objects.flatMap((fields) =>
    fields?.['type'] === undefined ? [] : [[fields['type'], fields['record']]],
  )
  assert.deepEqual(
    reports.map(([type, record]) => [type, membersOf(record)['status'], membersOf(record)['errorType']]),
    [
      ['platform.runtimeDone', 'error', 'Error'],
      ['platform.report', 'error', 'Error'],
    ],
  )
  const exited = await run(t, levels, { fail: 'exits' })
  const [notice, done] = exited.objects
  assert.equal(notice?.['level'], 'ERROR')
  assert.match(String(notice?.['message']), /Runtime exited with error: exit status 3/)
  assert.equal(membersOf(done?.['record'])['status'], 'failure')
})

test('Text is what it was, whatever the group is named', async (t) => {
  const { records, lines, result } = await run(t, { LogGroup: '/shop/orders' })
  assert.deepEqual(lines.slice(0, 2), ['loading', 'START RequestId: r-1 Version: $LATEST'])
  assert.ok(lines.includes('in detail'))
  assert.ok(records.every(({ group }) => group === '/shop/orders'))
  assert.equal(responseOf(result), 'Text undefined /shop/orders')
})

test('what tells no time counts as INFO at least, and what this server cut is told always', () => {
  const at = (applicationLevel: string) => loggingOf('f', { format: 'JSON', applicationLevel })
  const time = '"timestamp":"2026-01-01T12:00:00.5+01:00"'
  const table: readonly (readonly [string, string, boolean])[] = [
    ['INFO', `{"level":"debug",${time}}`, false],
    ['INFO', '{"level":"debug"}', true],
    ['INFO', '{"level":"debug","timestamp":"noon"}', true],
    ['WARN', '{"level":"debug"}', false],
    ['WARN', '{"level":"error"}', true],
    ['WARN', 'text', false],
    ['WARN', '[ERROR]\t2026-01-01T12:00:00Z\tr\ttext', true],
    ['FATAL', '[perdure] 3 lines were dropped', true],
    ['DEBUG', `{"level":"debug",${time}}`, true],
  ]
  for (const [level, line, kept] of table) assert.equal(keepsPrinted(at(level), line), kept, `${level} ${line}`)
  assert.equal(keepsPrinted(loggingOf('f', { applicationLevel: 'FATAL' }), 'text'), true)
})
