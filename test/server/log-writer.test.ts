/** The server's own log: one record per line, complete for programs, readable for people, and silent about secrets. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLogWriter, type LogFormat } from '../../src/server/log-writer.ts'
import type { LogLevel } from '../../src/service/log.ts'
import { RawClient, requestText } from './raw-socket.ts'
import { ARN, startServer } from './stand-ins.ts'

function writer(format: LogFormat, level: LogLevel = 'info') {
  const lines: string[] = []
  const counted: LogLevel[] = []
  const { log, writes } = createLogWriter({
    format,
    level,
    now: () => Date.UTC(2026, 0, 12, 9, 30),
    write: (line) => lines.push(line),
    counted: (each) => counted.push(each),
  })
  return { log, writes, lines, counted }
}

describe('records', () => {
  test('as JSON: one line, with everything that is known and nothing else', () => {
    const { log, lines } = writer('json')
    log('warn', 'two\nlines', new TypeError('no'), { requestId: 'r1', executionId: 'e1', functionName: 'orders' })
    log('info', 'plain')
    assert.deepEqual(
      lines.map((line) => line.indexOf('\n') === line.length - 1),
      [true, true],
    )
    const [first = '', second = ''] = lines
    const { error, ...record } = JSON.parse(first) as Record<string, unknown>
    assert.deepEqual(record, {
      time: '2026-01-12T09:30:00.000Z',
      level: 'warn',
      message: 'two\nlines',
      requestId: 'r1',
      executionId: 'e1',
      function: 'orders',
    })
    const { name, message, stack } = error as Record<string, string>
    assert.equal(name, 'TypeError')
    assert.equal(message, 'no')
    assert.match(stack ?? '', /log-writer\.test/)
    assert.deepEqual(JSON.parse(second), { time: '2026-01-12T09:30:00.000Z', level: 'info', message: 'plain' })
  })

  test('an error that is none, and one with a cause', () => {
    const { log, lines } = writer('json')
    log('error', 'a', 'text')
    log('error', 'b', new Error('outer', { cause: new Error('inner') }))
    assert.deepEqual(JSON.parse(lines[0] ?? '').error, { name: 'Error', message: 'text' })
    assert.equal(JSON.parse(lines[1] ?? '').error.cause, 'Error: inner')
  })

  test('as text: level, message, what it is about, and the stack', () => {
    const { log, lines } = writer('text')
    log('error', 'Bad', new Error('no'), { requestId: 'r1', method: 'GET', path: '/x' })
    assert.match(lines[0] ?? '', /^perdure error: Bad \(request r1, GET \/x\): Error: no\n {4}at /)
    log('info', 'Good')
    assert.equal(lines[1], 'perdure info: Good\n')
  })

  test('below the level nothing is written, but all is counted', () => {
    const { log, writes, lines, counted } = writer('json', 'warn')
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log(level, level)
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { level: string }).level),
      ['warn', 'error'],
    )
    assert.deepEqual(counted, ['debug', 'info', 'warn', 'error'])
    assert.equal(writes('debug'), false)
    assert.equal(writes('error'), true)
  })
})

describe('defects of requests', () => {
  test('tell the request and its execution; neither query nor callback id nor payload', async (t) => {
    const broken = async (): Promise<never> => {
      throw new Error('defect')
    }
    const server = await startServer(t, { answers: { completeCallback: broken, state: broken } })
    const client = await RawClient.open(t, server.port)
    const secret = 'deadbeef'.repeat(4)
    await client.write(
      requestText(server.port, `POST /2025-12-01/durable-execution-callbacks/${secret}/succeed`, { body: '"payload"' }),
    )
    assert.equal((await client.response()).status, 500)
    const state = `GET /2025-12-01/durable-executions/${encodeURIComponent(ARN)}/state?CheckpointToken=c2VjcmV0`
    await client.write(requestText(server.port, state))
    assert.equal((await client.response()).status, 500)
    const [callback, read] = server.logged
    assert.equal(callback?.path, '/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed')
    assert.equal(read?.executionArn, ARN)
    const told = JSON.stringify(server.logged)
    for (const hidden of [secret, 'payload', 'c2VjcmV0']) assert.ok(!told.includes(hidden), hidden)
  })
})
