/** What is sent again, when, and under which identity. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { PerdureClient } from '../../src/client/client.ts'
import {
  ForeignServerError,
  InvalidRequestError,
  REFUSALS,
  RefusedError,
  refusedError,
  ServiceException,
  TooManyRequestsException,
  UnreachableError,
} from '../../src/client/errors.ts'
import { CLIENT_OPERATIONS } from '../../src/client/operations.ts'
import { CheckpointDurableExecutionRequest } from '../../src/client/requests.ts'
import { DEFAULT_RETRY, parseRetryAfter, retryDelayMs, retryPolicy } from '../../src/client/retry.ts'
import { ERRORS } from '../../src/protocol/errors.ts'
import { OPERATIONS } from '../../src/protocol/operations.ts'
import { refuse, standIn } from './stand-in.ts'

const durableExecutionArn = 'arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST/durable-execution/o-1/0123'
const fast = { retry: { baseDelayMs: 1 } }
const checkpointed = '{"CheckpointToken":"eA==","NewExecutionState":{}}'

const refusal = (httpStatus: number, code = 'ServiceException', retryAfterMs?: number) =>
  refusedError({ code, message: 'no', httpStatus, requestId: undefined, reason: undefined, retryAfterMs })

describe('the policy', () => {
  test('delays lie between nothing and a bound that doubles up to a cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 19 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, drawn) => {
        const policy = { ...DEFAULT_RETRY, maxAttempts: 20 }
        const delay = retryDelayMs(policy, attempt, refusal(500), () => drawn)
        assert.ok(delay !== undefined && delay >= 0 && delay <= Math.min(20_000, 100 * 2 ** (attempt - 1)))
      }),
    )
  })

  test('only what may pass is tried again, and only so often', () => {
    const draw = () => 0.5
    const again = (error: unknown, attempt = 1) => retryDelayMs(DEFAULT_RETRY, attempt, error, draw) !== undefined
    assert.equal(again(refusal(500)), true)
    assert.equal(again(refusal(429, 'TooManyRequestsException')), true)
    assert.equal(again(new UnreachableError('http://x', 'ECONNRESET')), true)
    assert.equal(again(refusal(500), 3), false)
    assert.equal(again(refusal(400, 'ValidationException')), false)
    assert.equal(again(refusal(502, 'KMSDisabledException')), false)
    assert.equal(again(new ForeignServerError('http://x', 'HTML')), false)
    assert.equal(again(new InvalidRequestError('Invoke', 'bad')), false)
    assert.equal(again(new Error('aborted')), false)
  })

  test('a server that names a time is heeded, within reason', () => {
    const delay = (ms: number) => retryDelayMs(DEFAULT_RETRY, 1, refusal(429, 'TooManyRequestsException', ms), () => 0)
    assert.equal(delay(2_000), 2_000)
    assert.equal(delay(60_001), undefined)
  })

  test('what is not given keeps its default', () => {
    assert.deepEqual(retryPolicy(), DEFAULT_RETRY)
    assert.deepEqual(retryPolicy({ maxAttempts: undefined, baseDelayMs: 0 }), { ...DEFAULT_RETRY, baseDelayMs: 0 })
  })

  test('Retry-After is seconds or a date', () => {
    assert.equal(parseRetryAfter('2', 0), 2_000)
    assert.equal(parseRetryAfter('0.5', 0), 500)
    assert.equal(parseRetryAfter('Wed, 01 Jan 2025 00:00:05 GMT', Date.UTC(2025, 0, 1)), 5_000)
    assert.equal(parseRetryAfter('Wed, 01 Jan 2020 00:00:00 GMT', Date.UTC(2025, 0, 1)), 0)
    assert.equal(parseRetryAfter('soon', 0), undefined)
    assert.equal(parseRetryAfter(undefined, 0), undefined)
  })
})

test('every error that an operation of the client has comes as a class of its name, with a consequence', () => {
  const names = new Set(CLIENT_OPERATIONS.flatMap((operation) => [...OPERATIONS[operation].errors]))
  for (const name of names) {
    const { httpStatus } = ERRORS[name]
    const error = refusal(httpStatus, name)
    assert.equal(error.constructor.name, name)
    assert.equal(error.constructor, REFUSALS[name])
    assert.ok(error instanceof RefusedError)
    assert.equal(error.consequence, [408, 429].includes(httpStatus) || httpStatus >= 500 ? 'retryable' : 'terminal')
  }
  for (const unknown of ['TeapotException', 'EC2ThrottledException', 'constructor']) {
    assert.equal(refusal(418, unknown).constructor, RefusedError)
  }
})

describe('a call', () => {
  test('keeps its identity and its client token over all its attempts, on one connection', async (context) => {
    const server = await standIn(context, (response, _asked, count) =>
      count < 3 ? refuse(response, 500, 'ServiceException') : response.end(checkpointed),
    )
    using client = new PerdureClient(server.endpoint, fast)
    const answer = await client.checkpointDurableExecution({ durableExecutionArn, checkpointToken: 'dDE=' })
    assert.deepEqual(answer, { checkpointToken: 'eA==', newExecutionState: {} })
    assert.equal(server.asked.length, 3)
    assert.equal(new Set(server.asked.map(({ body }) => body)).size, 1)
    assert.match(server.asked[0]?.body ?? '', /"ClientToken":"[0-9a-f-]{36}"/)
    assert.equal(new Set(server.asked.map(({ headers }) => headers['amz-sdk-invocation-id'])).size, 1)
    assert.deepEqual(
      server.asked.map(({ headers }) => headers['amz-sdk-request']),
      ['attempt=1; max=3', 'attempt=2; max=3', 'attempt=3; max=3'],
    )
    assert.equal(server.connections(), 1)

    await client.send(
      new CheckpointDurableExecutionRequest({ durableExecutionArn, checkpointToken: 'dDE=', clientToken: 'mine' }),
    )
    assert.match(server.asked[3]?.body ?? '', /"ClientToken":"mine"/)
    assert.notEqual(
      server.asked[3]?.headers['amz-sdk-invocation-id'],
      server.asked[0]?.headers['amz-sdk-invocation-id'],
    )
    await client.send(new CheckpointDurableExecutionRequest({ durableExecutionArn, checkpointToken: 'dDE=' }))
    assert.match(server.asked[4]?.body ?? '', /"ClientToken":"[0-9a-f-]{36}"/)
    assert.equal(server.connections(), 1)
  })

  test('is sent again after a connection that broke', async (context) => {
    const server = await standIn(context, (response, _asked, count) =>
      count === 1 ? response.destroy() : response.end('{"StopTimestamp":1}'),
    )
    using client = new PerdureClient(server.endpoint, fast)
    assert.deepEqual(await client.stopDurableExecution({ durableExecutionArn }), { stopTimestamp: 1000 })
    assert.equal(server.asked.length, 2)
  })

  test('fails with the last error when its attempts are used up', async (context) => {
    const server = await standIn(context, (response) => refuse(response, 500, 'ServiceException'))
    using client = new PerdureClient(server.endpoint, { retry: { baseDelayMs: 1, maxAttempts: 2 } })
    await assert.rejects(client.listFunctions(), ServiceException)
    assert.equal(server.asked.length, 2)
  })

  test('waits as long as a throttling server asks, and tells its reason', async (context) => {
    const server = await standIn(context, (response, _asked, count) =>
      count === 1
        ? refuse(response, 429, 'TooManyRequestsException', { message: 'Rate Exceeded.' }, { 'retry-after': '0.2' })
        : refuse(response, 429, 'TooManyRequestsException', {
            message: 'Rate Exceeded.',
            Reason: 'CallerRateLimitExceeded',
          }),
    )
    using client = new PerdureClient(server.endpoint, { retry: { baseDelayMs: 0, maxAttempts: 2 } })
    const begun = performance.now()
    await assert.rejects(client.listFunctions(), (error) => {
      assert.ok(error instanceof TooManyRequestsException)
      assert.equal(error.reason, 'CallerRateLimitExceeded')
      assert.equal(error.requestId, 'request-1')
      return true
    })
    assert.ok(performance.now() - begun >= 199)
  })

  test('is not sent again when the request is to blame', async (context) => {
    const server = await standIn(context, (response) => refuse(response, 400, 'InvalidParameterValueException'))
    using client = new PerdureClient(server.endpoint, fast)
    await assert.rejects(client.listFunctions(), { name: 'InvalidParameterValueException', consequence: 'terminal' })
    assert.equal(server.asked.length, 1)
  })

  test('that breaks a constraint is not sent at all', async (context) => {
    const server = await standIn(context, (response) => response.end('{}'))
    using client = new PerdureClient(server.endpoint, fast)
    await assert.rejects(client.getFunction({ functionName: 'a b' }), InvalidRequestError)
    assert.equal(server.asked.length, 0)
  })

  test('ends when its time is up', async (context) => {
    const server = await standIn(context, () => {})
    using client = new PerdureClient(server.endpoint, { timeoutMs: 30, retry: { maxAttempts: 1 } })
    await assert.rejects(client.listFunctions(), { name: 'UnreachableError', reason: 'ETIMEDOUT' })
    await assert.rejects(client.invoke({ functionName: 'f' }, { timeoutMs: 20 }), { reason: 'ETIMEDOUT' })
  })

  test('ends with the reason of its signal, on its way and between attempts', async (context) => {
    const reason = new Error('enough')
    const silent = await standIn(context, () => abort.abort(reason))
    const abort = new AbortController()
    using waiting = new PerdureClient(silent.endpoint)
    await assert.rejects(waiting.listFunctions({}, { signal: abort.signal }), reason)

    const between = new AbortController()
    const failing = await standIn(context, (response) => {
      refuse(response, 500, 'ServiceException', {}, { 'retry-after': '50' })
      response.once('finish', () => setImmediate(() => between.abort(reason)))
    })
    using retrying = new PerdureClient(failing.endpoint)
    await assert.rejects(retrying.listFunctions({}, { signal: between.signal }), reason)
    assert.equal(failing.asked.length, 1)
  })

  test('of a server that starts or drains behind a proxy is tried again', async (context) => {
    const server = await standIn(context, (response, _asked, count) => {
      if (count === 1) response.writeHead(503).end('<html>back soon</html>')
      else response.end('{"Functions":[]}')
    })
    using client = new PerdureClient(server.endpoint, fast)
    assert.deepEqual(await client.listFunctions(), { functions: [] })
  })
})

test('all pages are one sequence, read no further than it is used', async (context) => {
  const server = await standIn(context, (response, { url }) => {
    const marker = Number(new URL(url, 'http://x').searchParams.get('Marker') ?? 0)
    const functions = [marker, marker + 1].map((n) => ({ FunctionName: `f${n}`, FunctionArn: 'a', Version: '1' }))
    response.end(JSON.stringify({ Functions: functions, NextMarker: marker < 4 ? String(marker + 2) : null }))
  })
  using client = new PerdureClient(server.endpoint)
  const names: string[] = []
  for await (const { functionName } of client.functions()) names.push(functionName)
  assert.deepEqual(names, ['f0', 'f1', 'f2', 'f3', 'f4', 'f5'])
  assert.equal(server.asked.length, 3)
  for await (const { functionName } of client.functions()) if (functionName === 'f1') break
  assert.equal(server.asked.length, 4)
})
