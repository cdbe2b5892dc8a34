/** The rules of Invoke (spec 02 §2.1, 07), over HTTP. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableService } from '../../src/service/api.ts'
import type { InvocationResult } from '../../src/service/ports.ts'
import { RawClient, requestText } from './raw-socket.ts'
import {
  ARN,
  DURABLE,
  FixedFunctions,
  FUNCTIONS,
  functionVersion,
  SUCCEEDED,
  signal,
  startServer,
  type TestServer,
  type TestServerOptions,
} from './stand-ins.ts'

const STARTED = { arn: ARN, executionId: 'e1', version: '3' }
const durable = { start: async () => STARTED, waitForEnd: async () => SUCCEEDED }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly error: string | null
  readonly message: string | undefined
}

async function invoke(
  server: TestServer,
  name: string,
  options: { query?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const url = `${server.endpoint}/2015-03-31/functions/${encodeURIComponent(name)}/invocations${options.query ?? ''}`
  const { headers = {}, body } = options
  const response = await fetch(url, { method: 'POST', headers, ...(body === undefined ? undefined : { body }) })
  const text = await response.text()
  const error = response.headers.get('x-amzn-errortype')
  const parsed = error === null ? {} : (JSON.parse(text) as { message?: string; Message?: string })
  return { status: response.status, headers: response.headers, text, error, message: parsed.message ?? parsed.Message }
}

const EVENT = { 'x-amz-invocation-type': 'Event' }
const DRY_RUN = { 'x-amz-invocation-type': 'DryRun' }
const functionArn = (rest: string) => `arn:aws:lambda:us-east-1:123456789012:function:${rest}`

describe('what is refused', () => {
  const tenants = new FixedFunctions({
    versions: [...FUNCTIONS, functionVersion('shared', { perTenant: true })],
    aliases: { 'orders:prod': '3' },
  })
  const ROWS: readonly [
    title: string,
    name: string,
    options: Parameters<typeof invoke>[2],
    status: number,
    error: string,
    message: string,
  ][] = [
    [
      '[02 §2.1] an unknown function',
      'gone',
      {},
      404,
      'ResourceNotFoundException',
      `Function not found: ${functionArn('gone')}`,
    ],
    [
      '[02 §2.1] an unknown alias',
      'orders:dev',
      {},
      404,
      'ResourceNotFoundException',
      `Function not found: ${functionArn('orders:dev')}`,
    ],
    [
      '[02 §2.1] an unknown version in the query',
      'orders',
      { query: '?Qualifier=9' },
      404,
      'ResourceNotFoundException',
      `Function not found: ${functionArn('orders:9')}`,
    ],
    [
      '[02 §2.1] an ARN of another region',
      'arn:aws:lambda:eu-west-1:123456789012:function:orders:3',
      {},
      404,
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ],
    [
      '[02 §2.1] an ARN of another account',
      '999999999999:function:orders:3',
      {},
      403,
      'AccessDeniedException',
      "Functions of account '999999999999' are not reachable here.",
    ],
    [
      '[02 §2.1] two different qualifiers',
      'orders:3',
      { query: '?Qualifier=prod' },
      400,
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    ],
    [
      '[07 §7.1] a durable function without a qualifier',
      'orders',
      {},
      400,
      'InvalidParameterValueException',
      'You cannot invoke a durable function using an unqualified ARN.',
    ],
    [
      '[07 §7.1] the same, dry',
      functionArn('orders'),
      { headers: DRY_RUN },
      400,
      'InvalidParameterValueException',
      'You cannot invoke a durable function using an unqualified ARN.',
    ],
    [
      '[07 §7.4] a synchronous call of a function that may take longer',
      'slow:$LATEST',
      {},
      400,
      'InvalidParameterValueException',
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    ],
    [
      '[02 §2.1] a payload that is no JSON',
      'orders:3',
      { body: '{"a":}' },
      400,
      'InvalidRequestContentException',
      'Could not parse request body into json: unexpected content at byte 5',
    ],
    [
      '[02 §2.1] a name for a plain function',
      'plain',
      { headers: { 'x-amz-durable-execution-name': 'n' } },
      400,
      'InvalidParameterValueException',
      'A durable execution name can only be given to a durable function.',
    ],
    [
      '[02 §2.1] an unknown invocation type',
      'orders:3',
      { headers: { 'x-amz-invocation-type': 'Later' } },
      400,
      'ValidationException',
      "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
    ],
    [
      '[02 §2.1] a client context that is no JSON',
      'plain',
      { headers: { 'x-amz-client-context': 'e30x' } },
      400,
      'InvalidRequestContentException',
      'Client context must be a valid Base64-encoded JSON object.',
    ],
    [
      '[07 §7.6] no tenant where there must be one',
      'shared',
      {},
      400,
      'InvalidParameterValueException',
      'The invoked function isolates its tenants: a tenant id is required.',
    ],
    [
      '[07 §7.6] a tenant where there are none',
      'plain',
      { headers: { 'x-amz-tenant-id': 't' } },
      400,
      'InvalidParameterValueException',
      'The invoked function does not isolate tenants: no tenant id can be given.',
    ],
  ]
  for (const [title, name, options, status, error, message] of ROWS) {
    test(title, async (t) => {
      const server = await startServer(t, { functions: tenants })
      const answer = await invoke(server, name, options)
      assert.deepEqual([answer.status, answer.error, answer.message], [status, error, message])
      assert.deepEqual(server.service.calls, [])
    })
  }

  test('[09 §9.2] an ARN that lacks parts violates the pattern', async (t) => {
    const answer = await invoke(await startServer(t), 'arn:aws:lambda:orders')
    assert.equal(answer.error, 'ValidationException')
    assert.match(
      answer.message ?? '',
      /^1 validation error detected: Value 'arn:aws:lambda:orders' at 'functionName' failed/,
    )
  })
})

describe('what is meant', () => {
  const ROWS: readonly [name: string, query: string][] = [
    ['orders:3', ''],
    ['orders:prod', ''],
    ['orders', '?Qualifier=3'],
    ['orders:prod', '?Qualifier=prod'],
    ['123456789012:function:orders:3', ''],
    ['arn:aws:lambda:us-east-1:123456789012:function:orders:prod', ''],
  ]
  for (const [name, query] of ROWS) {
    test(`[09 §9.2] ${name}${query} is version 3 of orders`, async (t) => {
      const server = await startServer(t, { answers: durable })
      assert.equal((await invoke(server, name, { query, headers: EVENT })).status, 202)
      assert.equal(server.service.requestOf('start')['target'], FUNCTIONS[1])
    })
  }

  test('[07 §7.1] a lenient server takes no qualifier for $LATEST', async (t) => {
    const server = await startServer(t, { answers: durable, allowUnqualified: true })
    assert.equal((await invoke(server, 'orders')).status, 200)
    assert.equal(server.service.requestOf('start')['target'], FUNCTIONS[0])
  })

  test('[07 §7.1] a dry run starts nothing', async (t) => {
    const server = await startServer(t)
    for (const name of ['orders:3', 'plain', 'slow:$LATEST']) {
      const answer = await invoke(server, name, { headers: DRY_RUN, body: '{}' })
      assert.deepEqual([answer.status, answer.text], [204, ''])
      assert.equal(answer.headers.get('x-amz-executed-version'), null)
    }
    assert.deepEqual(server.service.calls, [])
    assert.deepEqual(server.functions.runs, [])
  })
})

describe('a durable execution', () => {
  test('[07 §7.2] is started with what the headers say', async (t) => {
    const functions = new FixedFunctions({
      versions: [functionVersion('orders', { durable: DURABLE, perTenant: true })],
    })
    const server = await startServer(t, { answers: durable, functions })
    const headers = {
      ...EVENT,
      'x-amz-durable-execution-name': 'order-7',
      'x-amz-tenant-id': 'tenant a',
      'x-amzn-trace-id': 'Root=1-2-3',
      'amz-sdk-invocation-id': 'call-1',
    }
    const answer = await invoke(server, 'orders:$LATEST', { headers, body: ' {"a" : 1}\n' })
    const { target: _, ...request } = server.service.requestOf('start')
    assert.deepEqual(request, {
      name: 'order-7',
      input: ' {"a" : 1}\n',
      mode: 'async',
      tenantId: 'tenant a',
      traceHeader: 'Root=1-2-3',
      sdkInvocationId: 'call-1',
    })
    assert.deepEqual([answer.status, answer.text], [202, ''])
    assert.equal(answer.headers.get('x-amz-durable-execution-arn'), ARN)
    assert.equal(answer.headers.get('x-amz-executed-version'), null)
  })

  test('[07 §7.3] of a taken name is a conflict', async (t) => {
    const taken = new ApiError('DurableExecutionAlreadyStartedException', `Execution already started: ${ARN}`)
    const answers = {
      start: async () => {
        throw taken
      },
    }
    const answer = await invoke(await startServer(t, { answers }), 'orders:3')
    assert.deepEqual([answer.status, answer.error, answer.message], [409, taken.name, taken.message])
  })

  test('[07 §7.4] without a result answers null', async (t) => {
    const server = await startServer(t, { answers: { ...durable, waitForEnd: async () => ({ status: 'SUCCEEDED' }) } })
    const answer = await invoke(server, 'orders:3')
    assert.deepEqual([answer.status, answer.text], [200, 'null'])
    assert.equal(answer.headers.get('x-amz-executed-version'), '3')
  })

  test('[07 §7.4] answers with the end of its log when the caller asks, and there is one', async (t) => {
    const asked: (boolean | undefined)[] = []
    const waitForEnd: DurableService['waitForEnd'] = async (_id, _signal, options) => {
      asked.push(options?.withLog)
      return options?.withLog === true ? { ...SUCCEEDED, logTail: `${'x'.repeat(5_000)}end` } : SUCCEEDED
    }
    const server = await startServer(t, { answers: { ...durable, waitForEnd } })
    const tailed = await invoke(server, 'orders:3', { headers: { 'x-amz-log-type': 'Tail' } })
    const log = Buffer.from(tailed.headers.get('x-amz-log-result') ?? '', 'base64').toString()
    assert.equal(log, `${'x'.repeat(4_093)}end`)
    assert.equal((await invoke(server, 'orders:3')).headers.get('x-amz-log-result'), null)
    assert.deepEqual(asked, [true, false])
  })

  for (const status of ['FAILED', 'TIMED_OUT', 'STOPPED'] as const) {
    test(`[07 §7.4] that ends ${status} is a function error`, async (t) => {
      const waitForEnd = async () => ({ status, error: { ErrorMessage: 'why' } })
      const answer = await invoke(await startServer(t, { answers: { ...durable, waitForEnd } }), 'orders:3')
      assert.deepEqual([answer.status, answer.text], [200, '{"errorMessage":"why"}'])
      assert.equal(answer.headers.get('x-amz-function-error'), 'Unhandled')
      assert.equal(answer.headers.get('x-amz-durable-execution-arn'), ARN)
    })
  }
})

describe('a synchronous wait', () => {
  async function startWaiting(t: TestContext, options: TestServerOptions = {}) {
    const waiting = signal<AbortSignal>()
    const ended = signal<typeof SUCCEEDED>()
    const answers = {
      start: async () => STARTED,
      waitForEnd: (_id: string, abort: AbortSignal) => {
        waiting.resolve(abort)
        abort.addEventListener('abort', () => aborted.resolve())
        return ended.promise
      },
    }
    const aborted = signal()
    const server = await startServer(t, { answers, ...options })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, 'POST /2015-03-31/functions/orders:3/invocations'))
    return { server, client, waiting: waiting.promise, aborted: aborted.promise, ended }
  }

  test('[07 §7.4] ends with its client, and nothing else does', async (t) => {
    const { server, client, waiting, aborted } = await startWaiting(t)
    const abort = await waiting
    assert.equal(abort.aborted, false)
    client.vanish()
    await aborted
    assert.deepEqual(
      server.service.calls.map(({ method }) => method),
      ['start', 'waitForEnd'],
    )
    assert.deepEqual(server.logged, [])
  })

  test('[decision 19] gets a 500 that clients retry when the server shuts down', async (t) => {
    const { server, client, waiting } = await startWaiting(t)
    await waiting
    server.shutdown()
    const response = await client.response()
    assert.equal(response.status, 500)
    assert.equal(response.headers.get('x-amzn-errortype'), 'ServiceException')
    assert.equal(response.headers.get('connection'), 'close')
    assert.deepEqual(server.logged, [])
    const late = await invoke(server, 'orders:3', { headers: EVENT })
    assert.deepEqual([late.status, late.error], [500, 'ServiceException'])
    assert.equal((await fetch(`${server.endpoint}/readyz`)).status, 503)
  })

  test('[I7] holds up no other Invoke', async (t) => {
    const { server, waiting, ended, client } = await startWaiting(t, { limits: { invokesInFlight: 1 } })
    await waiting
    assert.equal((await invoke(server, 'plain', { headers: DRY_RUN })).status, 204)
    ended.resolve(SUCCEEDED)
    assert.equal((await client.response()).status, 200)
  })
})

describe('a plain function', () => {
  const running = (result: InvocationResult) => new FixedFunctions({ versions: FUNCTIONS, run: async () => result })

  test('[02 §2.1] answers with the bytes that it posted', async (t) => {
    const functions = running({ kind: 'response', body: Buffer.from('{"ä":1}'), logTail: 'log' })
    const answer = await invoke(await startServer(t, { functions }), 'plain', { body: '' })
    assert.deepEqual([answer.status, answer.text], [200, '{"ä":1}'])
    assert.equal(answer.headers.get('x-amz-executed-version'), '$LATEST')
    assert.equal(answer.headers.get('x-amz-function-error'), null)
    assert.equal(answer.headers.get('x-amz-log-result'), null)
    const [run] = functions.runs
    assert.equal(run?.request.event, '{}')
    assert.equal(run?.request.requestId, answer.headers.get('x-amzn-requestid'))
  })

  test('[02 §2.1] that failed answers 200 with its error', async (t) => {
    const body = '{"errorType":"E","errorMessage":"m","trace":[]}'
    const functions = running({ kind: 'error', error: { ErrorType: 'E' }, body, logTail: '' })
    const answer = await invoke(await startServer(t, { functions }), 'plain')
    assert.deepEqual([answer.status, answer.text], [200, body])
    assert.equal(answer.headers.get('x-amz-function-error'), 'Unhandled')
  })

  test('that the platform could not run is a 500', async (t) => {
    const functions = running({ kind: 'platform', error: { ErrorMessage: 'no process' }, logTail: '' })
    const answer = await invoke(await startServer(t, { functions }), 'plain')
    assert.deepEqual([answer.status, answer.error, answer.message], [500, 'ServiceException', 'no process'])
  })

  test('[07 §7.7] is taken asynchronously under a request id of its own', async (t) => {
    const server = await startServer(t, { answers: { enqueuePlain: async () => ({ requestId: 'r-7' }) } })
    const answer = await invoke(server, 'plain', { headers: EVENT, body: '[]' })
    assert.deepEqual([answer.status, answer.text], [202, ''])
    assert.equal(answer.headers.get('x-amzn-requestid'), 'r-7')
    assert.deepEqual(server.service.lastRequest, { target: FUNCTIONS[3], qualifier: undefined, payload: '[]' })
  })

  test('whose client goes while it waits for a process leaves the queue', async (t) => {
    const reserving = signal()
    const left = signal()
    const functions = new FixedFunctions({
      versions: FUNCTIONS,
      ready: (abort) =>
        new Promise((_, reject) => {
          abort.addEventListener('abort', () => {
            left.resolve()
            reject(abort.reason)
          })
          reserving.resolve()
        }),
    })
    const server = await startServer(t, { functions, limits: { queuedPerFunction: 1 } })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, 'POST /2015-03-31/functions/plain/invocations'))
    await reserving.promise
    const refused = await invoke(server, 'plain')
    assert.deepEqual([refused.status, refused.message], [429, 'Rate Exceeded.'])
    client.vanish()
    await left.promise
    assert.deepEqual(functions.runs, [])
    assert.deepEqual(server.logged, [])
  })

  test('that got its process just when the client had gone gives it back unused', async (t) => {
    const reserving = signal<AbortSignal>()
    const ready = signal()
    const functions = new FixedFunctions({
      versions: FUNCTIONS,
      ready: (abort) => {
        reserving.resolve(abort)
        return ready.promise
      },
    })
    const server = await startServer(t, { functions })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, 'POST /2015-03-31/functions/plain/invocations'))
    const abort = await reserving.promise
    const aborted = new Promise((resolve) => abort.addEventListener('abort', resolve))
    client.vanish()
    await aborted
    ready.resolve()
    await new Promise(setImmediate)
    assert.equal(functions.released, 1)
    assert.deepEqual(functions.runs, [])
  })
})
