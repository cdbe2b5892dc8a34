/** What is refused before it becomes a request: in its turn, once, and so that nobody takes it for another's answer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RawClient, requestText } from './raw-socket.ts'
import { ARN, signal, startServer } from './stand-ins.ts'

const CHECKPOINT = `POST /2025-12-01/durable-executions/${encodeURIComponent(ARN)}/checkpoint`
const BODY = '{"CheckpointToken":"dDE="}'
const ACCEPTED = { CheckpointToken: 'dDI=', NewExecutionState: { Operations: [] } }

test('noise behind a request waits for its answer, and is refused once however long it goes on', async (t) => {
  const arrived = signal()
  const decided = signal()
  const warnings: string[] = []
  const warn = (warning: Error): void => void warnings.push(warning.name)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  const server = await startServer(t, {
    answers: {
      checkpoint: async () => {
        arrived.resolve()
        await decided.promise
        return ACCEPTED
      },
    },
  })
  const client = await RawClient.open(t, server.port)
  await client.write(requestText(server.port, CHECKPOINT, { body: BODY }))
  await arrived.promise
  for (let i = 0; i < 30; i++) {
    await client.write('\0noise\r\n\r\n')
    await new Promise(setImmediate)
  }
  assert.equal(client.unread, '')
  decided.resolve()
  const accepted = await client.response()
  assert.equal(accepted.status, 200, accepted.body)
  const refused = await client.response()
  assert.equal(refused.status, 400)
  assert.equal(refused.headers.get('x-amzn-errortype'), 'SerializationException')
  await client.closed
  assert.equal(client.unread, '')
  assert.deepEqual(warnings, [])
})

test('a body that breaks off behind a request that is being answered is refused in its turn', async (t) => {
  const arrived = signal()
  const decided = signal()
  const server = await startServer(t, {
    answers: {
      checkpoint: async () => {
        arrived.resolve()
        await decided.promise
        return ACCEPTED
      },
    },
  })
  const client = await RawClient.open(t, server.port)
  const broken = requestText(server.port, CHECKPOINT, { headers: { 'transfer-encoding': 'chunked' } })
  await client.write(`${requestText(server.port, CHECKPOINT, { body: BODY })}${broken}zz\r\n`)
  await arrived.promise
  await new Promise(setImmediate)
  assert.equal(client.unread, '')
  decided.resolve()
  assert.equal((await client.response()).status, 200)
  const refused = await client.response()
  assert.equal(refused.status, 400)
  assert.equal(JSON.parse(refused.body).message, 'The request is not valid HTTP/1.1.')
  await client.closed
  assert.equal(server.service.calls.length, 1)
  const other = await RawClient.open(t, server.port)
  await other.write(requestText(server.port, 'GET /metrics'))
  assert.match((await other.response()).body, /^perdure_admission_requests 0$/m)
  assert.deepEqual(server.logged, [])
})

test('a body that breaks off after its refusal ends the connection and nothing more is said', async (t) => {
  const server = await startServer(t, { limits: { checkpointBodyBytes: 10 } })
  const client = await RawClient.open(t, server.port)
  const chunked = requestText(server.port, CHECKPOINT, { headers: { 'transfer-encoding': 'chunked' } })
  await client.write(`${chunked}14\r\n${'x'.repeat(20)}\r\n`)
  assert.equal((await client.response()).status, 413)
  await client.write('zz\r\n')
  await client.closed
  assert.equal(client.unread, '')
})

for (const [title, head] of [
  ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: localhost:PORT\r\nhOST: localhost:PORT\r\n\r\n'],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ['no Host, HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n'],
  ['no version', 'GET /healthz\r\nHost: localhost:PORT\r\n\r\n'],
] as const) {
  test(`${title}: 400 in the modelled form, and the connection ends`, async (t) => {
    const server = await startServer(t)
    const client = await RawClient.open(t, server.port)
    await client.write(head.replaceAll('PORT', String(server.port)))
    const refused = await client.response()
    assert.equal(refused.status, 400)
    assert.equal(refused.headers.get('x-amzn-errortype'), 'SerializationException')
    assert.equal(JSON.parse(refused.body).message, 'The request is not valid HTTP/1.1.')
    await client.closed
  })
}

test('an expectation that nobody meets: 417 in the modelled form', async (t) => {
  const server = await startServer(t)
  const client = await RawClient.open(t, server.port)
  await client.write(requestText(server.port, CHECKPOINT, { headers: { expect: 'miracles' }, body: BODY }))
  const refused = await client.response()
  assert.equal(refused.status, 417)
  assert.equal(refused.headers.get('x-amzn-errortype'), 'SerializationException')
  await client.closed
  assert.deepEqual(server.service.calls, [])
})
