/** Raw sockets: whatever arrives, the server answers in the modelled form or ends the connection, and lives. */
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { RawClient, type RawResponse, requestText } from './raw-socket.ts'
import { ARN, SUCCEEDED, signal, startServer, type TestServer } from './stand-ins.ts'

const CHECKPOINT = `POST /2025-12-01/durable-executions/${encodeURIComponent(ARN)}/checkpoint`
const BODY = '{"CheckpointToken":"dDE="}'
const checkpoint = async () => ({ CheckpointToken: 'dDI=', NewExecutionState: { Operations: [] } })

function assertError(response: RawResponse, status: number, name: string): void {
  assert.equal(response.status, status, response.body)
  assert.equal(response.headers.get('x-amzn-errortype'), name)
  assert.equal(response.headers.get('content-type'), 'application/json')
  const body = JSON.parse(response.body) as { Type: string; message?: string; Message?: string }
  assert.equal(body.Type, status < 500 ? 'User' : 'Service')
  assert.equal(typeof (body.message ?? body.Message), 'string')
}

/** The server still does its work for others. */
async function assertAlive(t: TestContext, server: TestServer): Promise<void> {
  const client = await RawClient.open(t, server.port)
  await client.write(requestText(server.port, 'GET /healthz'))
  assert.equal((await client.response()).status, 200)
  assert.deepEqual(server.logged, [])
}

describe('local safety', () => {
  const ROWS: readonly [title: string, headers: Record<string, string>, status: number][] = [
    ['a foreign Host', { host: 'evil.example:PORT' }, 403],
    ['a loopback Host with another port', { host: '127.0.0.1:1' }, 403],
    ['a Host without its port', { host: '127.0.0.1' }, 403],
    ['a name that only begins like ours', { host: 'localhost.evil.example:PORT' }, 403],
    ['a foreign Origin', { origin: 'http://evil.example' }, 403],
    ['a null Origin', { origin: 'null' }, 403],
    ['an Origin on another port', { origin: 'http://localhost:1' }, 403],
    ['an https Origin', { origin: 'https://localhost:PORT' }, 403],
    ['its own Origin', { origin: 'http://localhost:PORT' }, 200],
    ['localhost', { host: 'LOCALHOST:PORT' }, 200],
    ['IPv6 loopback', { host: '[::1]:PORT' }, 200],
  ]
  for (const [title, headers, status] of ROWS) {
    test(`[decision 26] ${title}: ${status}`, async (t) => {
      const server = await startServer(t, { answers: { checkpoint } })
      const client = await RawClient.open(t, server.port)
      const withPort = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(server.port))]),
      )
      await client.write(requestText(server.port, CHECKPOINT, { headers: withPort, body: BODY }))
      const response = await client.response()
      assert.equal(response.status, status)
      if (status === 403) {
        assertError(response, 403, 'AccessDeniedException')
        assert.deepEqual(server.service.calls, [])
      }
      // The refused body was read away: the connection goes on.
      await client.write(requestText(server.port, 'GET /healthz'))
      assert.equal((await client.response()).status, 200)
    })
  }

  test('[decision 26] the listener of a sandbox takes loopback hosts with any port, and no others', async (t) => {
    const server = await startServer(t, { hosts: { host: '127.0.0.1', anyPort: true } })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, 'GET /healthz', { headers: { host: 'localhost:9' } }))
    assert.equal((await client.response()).status, 200)
    await client.write(requestText(server.port, 'GET /healthz', { headers: { host: 'evil.example:9' } }))
    assertError(await client.response(), 403, 'AccessDeniedException')
  })

  test('a request without a Host is no HTTP/1.1', async (t) => {
    const server = await startServer(t)
    const client = await RawClient.open(t, server.port)
    await client.write('GET /healthz HTTP/1.1\r\n\r\n')
    assert.equal((await client.response()).status, 400)
    await assertAlive(t, server)
  })
})

describe('requests that are none', () => {
  const ROWS: readonly [title: string, text: string, status: number][] = [
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost localhost\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['length and chunks', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['endless headers', `GET / HTTP/1.1\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
  ]
  for (const [title, text, status] of ROWS) {
    test(`${title}: ${status} in the modelled form, and the connection ends`, async (t) => {
      const server = await startServer(t)
      const client = await RawClient.open(t, server.port)
      await client.write(Buffer.from(text, 'latin1'))
      assertError(await client.response(), status, 'SerializationException')
      await client.closed
      await assertAlive(t, server)
    })
  }

  const HIDING: readonly [title: string, headers: string][] = [
    ['two Hosts', 'Host: a\r\nContent-Length: 0\r\n'],
    ['a coding that is not known, in a header of its own', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n'],
    ['a coding that is not known, in a list', 'Transfer-Encoding: gzip, chunked\r\n'],
  ]
  for (const [title, headers] of HIDING) {
    test(`${title}: 400, and what follows on the connection is no request`, async (t) => {
      const server = await startServer(t, { answers: { checkpoint } })
      const client = await RawClient.open(t, server.port)
      const head = `POST /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${headers}\r\n`
      const end = headers.includes('chunked') ? '0\r\n\r\n' : ''
      await client.write(head + end + requestText(server.port, CHECKPOINT, { body: BODY }))
      assertError(await client.response(), 400, 'SerializationException')
      await client.closed
      assert.equal(client.unread, '')
      assert.deepEqual(server.service.calls, [])
      await assertAlive(t, server)
    })
  }

  test('[01 §1.0] unknown operations get a modelled error, never HTML', async (t) => {
    const server = await startServer(t)
    const client = await RawClient.open(t, server.port)
    for (const line of [
      'GET /',
      'GET /favicon.ico',
      'PUT /2015-03-31/functions/f/invocations',
      'POST //',
      'GET /%00',
      'TRACE /x',
    ]) {
      await client.write(requestText(server.port, line))
      const response = await client.response()
      assertError(response, 404, 'UnknownOperationException')
      assert.match(response.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/)
    }
  })
})

describe('slow and broken clients', () => {
  test('headers that do not end: 408 after the limit, and the connection ends', async (t) => {
    const server = await startServer(t, { limits: { headersTimeoutMs: 50 } })
    const client = await RawClient.open(t, server.port)
    await client.write('GET /healthz HTTP/1.1\r\nHost: loc')
    assertError(await client.response(), 408, 'RequestTimeoutException')
    await client.closed
  })

  test('a body that does not end: 408 after the limit, and the service is not called', async (t) => {
    const server = await startServer(t, {
      answers: { checkpoint },
      limits: { requestTimeoutMs: 50 },
    })
    const client = await RawClient.open(t, server.port)
    const text = requestText(server.port, CHECKPOINT, { body: BODY })
    await client.write(text.slice(0, -1))
    assertError(await client.response(), 408, 'RequestTimeoutException')
    await client.closed
    assert.deepEqual(server.service.calls, [])
  })

  test('[I1] a truncated body never reaches the service', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    for (const leave of ['end', 'vanish'] as const) {
      const client = await RawClient.open(t, server.port)
      await client.write(requestText(server.port, CHECKPOINT, { body: BODY }).slice(0, -1))
      client[leave]()
      await client.closed
    }
    await assertAlive(t, server)
    assert.deepEqual(server.service.calls, [])
  })

  test('a connection closed on one side before the answer ends; nothing hangs', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    client.end()
    await client.closed
    await assertAlive(t, server)
  })

  test('a client that goes while its checkpoint is decided is not missed', async (t) => {
    const arrived = signal()
    const decided = signal()
    const server = await startServer(t, {
      answers: {
        checkpoint: async () => {
          arrived.resolve()
          await decided.promise
          return checkpoint()
        },
      },
    })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    await arrived.promise
    client.vanish()
    await client.closed
    decided.resolve()
    await assertAlive(t, server)
  })

  test('requests sent at once are answered in order', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    const client = await RawClient.open(t, server.port)
    await client.write(
      requestText(server.port, CHECKPOINT, { body: BODY }) +
        requestText(server.port, CHECKPOINT, { body: '{' }) +
        requestText(server.port, 'GET /healthz'),
    )
    assert.equal((await client.response()).status, 200)
    assertError(await client.response(), 400, 'SerializationException')
    assert.equal((await client.response()).body, '{"status":"ok"}')
  })

  test('a large answer that nobody reads is given up', async (t) => {
    const ended = signal()
    const server = await startServer(t, {
      limits: { requestTimeoutMs: 50 },
      answers: {
        start: async () => ({ arn: ARN, executionId: 'e1', version: '3' }),
        waitForEnd: async () => {
          ended.resolve()
          return { status: 'SUCCEEDED', result: `"${'x'.repeat(50_000_000)}"` }
        },
      },
    })
    const client = await RawClient.open(t, server.port)
    client.stopReading()
    await client.write(requestText(server.port, 'POST /2015-03-31/functions/orders:3/invocations'))
    await ended.promise
    // Closing waits for every connection: only giving this one up lets it end.
    await server.close()
  })

  test('noise in a request never harms the server', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    const text = Buffer.from(requestText(server.port, CHECKPOINT, { body: BODY }))
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(8), fc.uint8Array({ maxLength: 12 }), async (at, cut, noise) => {
        const client = await RawClient.open(t, server.port)
        await client.write(Buffer.concat([text.subarray(0, at), noise, text.subarray(at + cut)]))
        // A request that is still complete is answered, any other ends with this side of the connection.
        client.end()
        await client.closed
      }),
      { numRuns: 300 },
    )
    await assertAlive(t, server)
  })

  test('more connections than allowed are closed, the others go on', async (t) => {
    const server = await startServer(t, { limits: { connections: 1 } })
    const first = await RawClient.open(t, server.port)
    await first.write(requestText(server.port, 'GET /healthz'))
    await first.response()
    const second = await RawClient.open(t, server.port)
    await second.closed
    await first.write(requestText(server.port, 'GET /healthz'))
    assert.equal((await first.response()).status, 200)
  })
})

describe('bodies', () => {
  const limits = {
    checkpointBodyBytes: 1_000,
    syncPayloadBytes: 1_000,
    asyncPayloadBytes: 10,
    callbackResultBytes: 10,
    callbackErrorBytes: 10,
  }
  const big = 'x'.repeat(1_001)
  const ROWS: readonly [
    title: string,
    line: string,
    headers: Record<string, string>,
    status: number,
    name: string,
    message: string,
  ][] = [
    [
      '[05 §5.8] checkpoint',
      CHECKPOINT,
      {},
      413,
      'RequestEntityTooLargeException',
      'Request must be smaller than 1000 bytes for the CheckpointDurableExecution operation',
    ],
    [
      '[02 §2.1] Invoke',
      'POST /2015-03-31/functions/plain/invocations',
      {},
      413,
      'RequestTooLargeException',
      'payload is too large for the RequestResponse invocation type (limit 1000 bytes)',
    ],
    [
      '[02 §2.1] asynchronous Invoke',
      'POST /2015-03-31/functions/plain/invocations',
      { 'x-amz-invocation-type': 'Event' },
      413,
      'RequestTooLargeException',
      'payload is too large for the Event invocation type (limit 10 bytes)',
    ],
    [
      '[01 §1.7] callback result',
      'POST /2025-12-01/durable-execution-callbacks/a/succeed',
      {},
      400,
      'ValidationException',
      "1 validation error detected: Value at 'result' failed to satisfy constraint: Member must have length less than or equal to 10",
    ],
    [
      '[01 §1.8] callback error',
      'POST /2025-12-01/durable-execution-callbacks/a/fail',
      {},
      400,
      'InvalidParameterValueException',
      'Error object size must be less than or equal to 10 bytes.',
    ],
    [
      '[01 §1.6] stop error',
      `POST /2025-12-01/durable-executions/${ARN}/stop`,
      {},
      400,
      'InvalidParameterValueException',
      'Error object size must be less than or equal to 10 bytes.',
    ],
  ]
  for (const [title, line, headers, status, name, message] of ROWS) {
    for (const chunked of [false, true]) {
      test(`${title} too large, ${chunked ? 'in chunks' : 'declared'}: ${status}, and the connection goes on`, async (t) => {
        const server = await startServer(t, { limits })
        const client = await RawClient.open(t, server.port)
        const text = chunked
          ? `${requestText(server.port, line, { headers: { ...headers, 'transfer-encoding': 'chunked' } })}3e9\r\n${big}\r\n0\r\n\r\n`
          : requestText(server.port, line, { headers, body: big })
        await client.write(text)
        const response = await client.response()
        assertError(response, status, name)
        assert.ok(response.body.includes(message), response.body)
        await client.write(requestText(server.port, 'GET /healthz'))
        assert.equal((await client.response()).status, 200)
        assert.deepEqual(server.service.calls, [])
      })
    }
  }

  test('one of exactly the limit passes', async (t) => {
    const server = await startServer(t, { answers: { completeCallback: async () => {} }, limits })
    const client = await RawClient.open(t, server.port)
    await client.write(
      requestText(server.port, 'POST /2025-12-01/durable-execution-callbacks/a/succeed', { body: 'y'.repeat(10) }),
    )
    assert.equal((await client.response()).body, '{}')
  })

  test('a declared length of gigabytes is refused before it is sent', async (t) => {
    const server = await startServer(t)
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, CHECKPOINT, { headers: { 'content-length': '9000000000' } }))
    assertError(await client.response(), 413, 'RequestEntityTooLargeException')
  })

  test('invalid UTF-8 is refused, not repaired', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    const client = await RawClient.open(t, server.port)
    const send = async (line: string, bytes: Buffer) => {
      const head = requestText(server.port, line, { headers: { 'content-length': String(bytes.length) } })
      await client.write(Buffer.concat([Buffer.from(head), bytes]))
      return client.response()
    }
    const broken = Buffer.from([0x22, 0xff, 0x22])
    assertError(await send(CHECKPOINT, broken), 400, 'SerializationException')
    assertError(
      await send('POST /2015-03-31/functions/plain/invocations', broken),
      400,
      'InvalidRequestContentException',
    )
    const callback = 'POST /2025-12-01/durable-execution-callbacks/a/succeed'
    assertError(await send(callback, broken), 400, 'InvalidParameterValueException')
    assert.deepEqual(server.service.calls, [])
  })

  test('[10 §10.4] Expect: 100-continue is answered before the body', async (t) => {
    const server = await startServer(t, { answers: { checkpoint } })
    const client = await RawClient.open(t, server.port)
    const text = requestText(server.port, CHECKPOINT, { headers: { expect: '100-continue' }, body: BODY })
    await client.write(text.slice(0, -BODY.length))
    assert.equal((await client.response()).status, 100)
    await client.write(BODY)
    assert.equal((await client.response()).status, 200)
  })
})

describe('defects', () => {
  test('[01 §1.0] an unexpected exception is a logged 500 with the request id, and nothing of its text', async (t) => {
    const server = await startServer(t, {
      answers: {
        checkpoint: async () => {
          throw new TypeError('secret detail')
        },
      },
    })
    const client = await RawClient.open(t, server.port)
    await client.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    const response = await client.response()
    assertError(response, 500, 'ServiceException')
    assert.ok(!response.body.includes('secret'))
    const requestId = response.headers.get('x-amzn-requestid') ?? 'none'
    assert.ok(response.body.includes(requestId))
    const [record] = server.logged
    assert.equal(record?.requestId, requestId)
    assert.equal(record?.message, 'secret detail')
    assert.equal(server.logged.length, 1)
  })

  test('an answer that cannot be a header is a 500 too', async (t) => {
    const server = await startServer(t, {
      answers: { start: async () => ({ arn: 'a\r\nb: c', executionId: 'e', version: '1' }) },
    })
    const client = await RawClient.open(t, server.port)
    await client.write(
      requestText(server.port, 'POST /2015-03-31/functions/orders:3/invocations', {
        headers: { 'x-amz-invocation-type': 'Event' },
      }),
    )
    assertError(await client.response(), 500, 'ServiceException')
    assert.equal(server.logged.length, 1)
  })
})

describe('closing', () => {
  test('waits for the answer that is being made and for no idle connection', async (t) => {
    const arrived = signal()
    const decided = signal()
    const server = await startServer(t, {
      answers: {
        checkpoint: async () => {
          arrived.resolve()
          await decided.promise
          return checkpoint()
        },
      },
    })
    const [idle, busy] = [await RawClient.open(t, server.port), await RawClient.open(t, server.port)]
    await idle.write(requestText(server.port, 'GET /healthz'))
    await idle.response()
    await busy.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    await arrived.promise
    const closed = server.close()
    await idle.closed
    decided.resolve()
    assert.equal((await busy.response()).status, 200)
    await busy.closed
    idle.end()
    busy.end()
    await closed
  })
})

describe('back-pressure', () => {
  test('[decision 18] checkpoints beyond the limit wait, Invokes get 429, and all is well afterwards', async (t) => {
    const arrived = signal()
    const decided = signal()
    let calls = 0
    const server = await startServer(t, {
      limits: { requestsInFlight: 1 },
      answers: {
        checkpoint: async () => {
          calls += 1
          arrived.resolve()
          await decided.promise
          return checkpoint()
        },
        start: async () => ({ arn: ARN, executionId: 'e1', version: '3' }),
        waitForEnd: async () => SUCCEEDED,
      },
    })
    const [first, second, third] = [
      await RawClient.open(t, server.port),
      await RawClient.open(t, server.port),
      await RawClient.open(t, server.port),
    ]
    await first.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    await arrived.promise
    await second.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    const invoke = requestText(server.port, 'POST /2015-03-31/functions/orders:3/invocations')
    await third.write(invoke)
    const refused = await third.response()
    assertError(refused, 429, 'TooManyRequestsException')
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.equal(calls, 1)
    // Health is told whatever the load.
    await third.write(requestText(server.port, 'GET /healthz'))
    assert.equal((await third.response()).status, 200)
    decided.resolve()
    assert.equal((await first.response()).status, 200)
    assert.equal((await second.response()).status, 200)
    await third.write(invoke)
    assert.equal((await third.response()).status, 200)
  })

  test('[decision 18] checkpoints that come through the door of a sandbox shed the Invokes of the other', async (t) => {
    const arrived = signal()
    const decided = signal()
    const server = await startServer(t, {
      limits: { requestsInFlight: 1 },
      answers: {
        checkpoint: async () => {
          arrived.resolve()
          await decided.promise
          return checkpoint()
        },
      },
    })
    const inside = await server.secondDoor({ host: '127.0.0.1', anyPort: true })
    const [sandbox, caller] = [await RawClient.open(t, inside.port), await RawClient.open(t, server.port)]
    await sandbox.write(requestText(server.port, CHECKPOINT, { body: BODY }))
    await arrived.promise
    await caller.write(requestText(server.port, 'POST /2015-03-31/functions/orders:3/invocations'))
    assertError(await caller.response(), 429, 'TooManyRequestsException')
    decided.resolve()
    assert.equal((await sandbox.response()).status, 200)
  })

  test('many connections with large bodies stay inside the budget and all get their answer', async (t) => {
    let inFlight = 0
    let most = 0
    const server = await startServer(t, {
      limits: { bodyBytesInFlight: 3_000_000 },
      answers: {
        checkpoint: async () => {
          inFlight += 1
          most = Math.max(most, inFlight)
          await new Promise(setImmediate)
          inFlight -= 1
          return checkpoint()
        },
      },
    })
    const body = JSON.stringify({ CheckpointToken: 'dDE=', Padding: 'x'.repeat(999_000) })
    const statuses = await Promise.all(Array.from({ length: 12 }, () => post(server, body)))
    assert.deepEqual(new Set(statuses), new Set([200]))
    assert.ok(most <= 3, `at most three megabytes at a time: ${most}`)
  })
})

function post(server: TestServer, body: string): Promise<number | undefined> {
  const [, path] = CHECKPOINT.split(' ')
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: server.port, method: 'POST', path: path ?? '' },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      },
    )
    request.on('error', reject).end(body)
  })
}
