import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type ClientOptions, PerdureClient } from '../../src/client/client.ts'
import {
  ForeignServerError,
  RefusedError,
  ResourceNotFoundException,
  UnreachableError,
} from '../../src/client/errors.ts'
import { HistoryFollower } from '../../src/client/history-follower.ts'
import { LogFollower } from '../../src/client/log-follower.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A client of a server that answers as told. */
async function clientOf(
  context: TestContext,
  answer: Answer,
  options: ClientOptions = { retry: { maxAttempts: 1 } },
): Promise<PerdureClient> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    answer(request, response, Buffer.concat(chunks).toString())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new PerdureClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
  context.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST/durable-execution/o-1/0123'

const described = {
  DurableExecutionArn: arn,
  DurableExecutionName: 'o-1',
  FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST',
  Status: 'RUNNING',
  StartTimestamp: 1735689600.123,
}
const get = (client: PerdureClient) => client.getDurableExecution({ durableExecutionArn: arn })

test('an ARN travels as one percent-encoded segment, and seconds become milliseconds', async (context) => {
  let url: string | undefined
  const client = await clientOf(context, (request, response) => {
    url = request.url
    response.end(JSON.stringify(described))
  })
  const execution = await client.getDurableExecution({ durableExecutionArn: arn, includeExecutionData: true })
  assert.equal(url, `/2025-12-01/durable-executions/${encodeURIComponent(arn)}?IncludeExecutionData=true`)
  assert.equal(execution.startTimestamp, 1_735_689_600_123)
})

test('an invocation sends its payload untouched and reads the headers of the answer', async (context) => {
  const seen: { headers?: IncomingMessage['headers']; url?: string | undefined; body?: string } = {}
  const client = await clientOf(context, (request, response, body) => {
    Object.assign(seen, { headers: request.headers, url: request.url, body })
    response.writeHead(200, { 'x-amz-durable-execution-arn': arn, 'x-amz-function-error': 'Unhandled' })
    response.end('{"errorType":"E"}')
  })
  const answer = await client.invoke({
    functionName: 'order',
    qualifier: '$LATEST',
    payload: '{ "n": 1 }',
    durableExecutionName: 'o-1',
  })
  assert.equal(seen.url, '/2015-03-31/functions/order/invocations?Qualifier=%24LATEST')
  assert.equal(seen.headers?.['x-amz-durable-execution-name'], 'o-1')
  assert.equal(seen.headers?.['x-amz-invocation-type'], undefined, 'RequestResponse is the default')
  assert.equal(seen.body, '{ "n": 1 }')
  assert.deepEqual(answer, {
    statusCode: 200,
    durableExecutionArn: arn,
    functionError: 'Unhandled',
    payload: '{"errorType":"E"}',
  })
})

test('a list sends each status as its own parameter', async (context) => {
  let url = ''
  const client = await clientOf(context, (request, response) => {
    url = request.url ?? ''
    response.end('{"DurableExecutions":[]}')
  })
  await client.listDurableExecutionsByFunction({ functionName: 'order', statuses: ['RUNNING', 'FAILED'], maxItems: 5 })
  assert.deepEqual(new URL(url, 'http://localhost').searchParams.getAll('Statuses'), ['RUNNING', 'FAILED'])
})

test('an error of the API keeps its code and text, whichever way its message is spelt', async (context) => {
  const client = await clientOf(context, (_request, response) => {
    response.writeHead(404, { 'x-amzn-errortype': 'ResourceNotFoundException:http://internal' })
    response.end('{"Type":"User","Message":"Durable Execution does not exist"}')
  })
  await assert.rejects(get(client), (error) => {
    assert.ok(error instanceof RefusedError && error instanceof ResourceNotFoundException)
    assert.equal(error.consequence, 'terminal')
    assert.equal(error.code, 'ResourceNotFoundException')
    assert.equal(error.message, 'Durable Execution does not exist')
    assert.equal(error.httpStatus, 404)
    return true
  })
})

test('an answer in another language is not taken for the API', async (context) => {
  const client = await clientOf(context, (request, response) => {
    if (request.url?.startsWith('/2015')) response.writeHead(404)
    response.end('<html>hello</html>')
  })
  await assert.rejects(get(client), ForeignServerError)
  await assert.rejects(client.invoke({ functionName: 'order' }), ForeignServerError)
})

test('nobody there is told apart from a refusal', async (context) => {
  const client = await clientOf(context, (_request, response) => response.destroy())
  await assert.rejects(get(client), (error) => {
    assert.ok(error instanceof UnreachableError)
    assert.equal(error.reason, 'ECONNRESET')
    return true
  })
})

test('a request that crosses with the end of its kept connection is sent on a new one', async (context) => {
  let calls = 0
  const client = await clientOf(context, (request, response) => {
    calls += 1
    // Every second request of a connection finds it closing.
    if (calls % 2 === 0) request.socket.destroy()
    else response.end('{"Functions":[]}')
  })
  await client.listFunctions()
  await client.listFunctions()
  assert.equal(calls, 3)
})

test('an abort ends a call with the reason of its signal', async (context) => {
  const client = await clientOf(context, () => {})
  const reason = new Error('enough')
  await assert.rejects(client.invoke({ functionName: 'order' }, { signal: AbortSignal.abort(reason) }), reason)
})

test('a follower hands every event back once, over pages and polls', async (context) => {
  const events: { EventId: number; EventType: string; EventTimestamp: number }[] = []
  const grow = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      events.push({ EventId: events.length + 1, EventType: 'StepStarted', EventTimestamp: 1 })
    }
  }
  const pageSize = 3
  const client = await clientOf(context, (request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('Marker') ?? 0)
    const page = events.slice(from, from + pageSize)
    const more = events.length > from + pageSize
    response.end(JSON.stringify({ Events: page, ...(more && { NextMarker: String(from + pageSize) }) }))
  })
  const follower = new HistoryFollower(client, arn)
  const poll = async () => (await follower.poll()).map((event) => event.eventId)
  assert.deepEqual(await poll(), [])
  grow(2)
  assert.deepEqual(await poll(), [1, 2])
  grow(6)
  assert.deepEqual(await poll(), [3, 4, 5, 6, 7, 8])
  assert.deepEqual(await poll(), [])
  grow(1)
  assert.deepEqual(await poll(), [9])
})

test('a log follower goes on where the last answer ended, page after page', async (context) => {
  const records: { position: number; line: string }[] = []
  const asked: URLSearchParams[] = []
  const client = await clientOf(context, (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    asked.push(searchParams)
    const after = Number(searchParams.get('position') ?? -1)
    const beyond = records.filter(({ position }) => position > after)
    const page = beyond.slice(0, 2)
    const position = page.at(-1)?.position ?? after
    response.end(JSON.stringify({ records: page, position, complete: page.length === beyond.length }))
  })
  const follower = new LogFollower(client, { functionName: 'order', grep: 'a b+c', limit: 2 })
  const poll = async () => (await follower.poll()).map((record) => record.line)
  records.push({ position: 5, line: 'a' }, { position: 6, line: 'b' })
  assert.deepEqual(await poll(), ['a', 'b'])
  records.push({ position: 7, line: 'c' }, { position: 8, line: 'd' }, { position: 9, line: 'e' })
  assert.deepEqual(await poll(), ['c', 'd', 'e'])
  assert.deepEqual(await poll(), [])
  records.push({ position: 10, line: 'f' })
  assert.deepEqual(await poll(), ['f'])
  assert.ok(asked.every((parameters) => parameters.get('grep') === 'a b+c'))
})
