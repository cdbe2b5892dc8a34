/** What Perdure answers beside the compatible API, and the small rules of the read operations. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ARN, RecordingLogs, STARTED_MS, startServer } from './stand-ins.ts'

async function get(url: string) {
  const response = await fetch(url)
  return {
    status: response.status,
    error: response.headers.get('x-amzn-errortype'),
    body: (await response.json()) as Record<string, unknown>,
  }
}

const post = (url: string, body: string) => fetch(url, { method: 'POST', body })

describe('health', () => {
  test('the process answers; it is ready when recovery is done', async (t) => {
    const server = await startServer(t)
    assert.equal((await get(`${server.endpoint}/healthz`)).status, 200)
    server.service.ready = false
    assert.deepEqual((await get(`${server.endpoint}/readyz`)).body, { status: 'recovering' })
    assert.equal((await get(`${server.endpoint}/readyz`)).status, 503)
    server.service.storeFailed = true
    assert.deepEqual((await get(`${server.endpoint}/readyz`)).body, { status: 'store failed' })
    server.service.ready = true
    assert.equal((await get(`${server.endpoint}/readyz`)).status, 200)
  })

  test('the version is that of the package', async (t) => {
    const { body } = await get(`${(await startServer(t)).endpoint}/perdure/v1/version`)
    assert.equal(body['name'], 'perdure')
    assert.match(String(body['version']), /^\d+\.\d+\.\d+/)
  })
})

describe('logs', () => {
  const record = {
    position: 7,
    at: STARTED_MS,
    functionName: 'f',
    version: '$LATEST',
    stream: 'stdout',
    line: '{"level":"warning","message":"hello"}',
  } as const

  test('are asked for by execution, function, request and time', async (t) => {
    const logs = new RecordingLogs([record])
    const { endpoint } = await startServer(t, { logs })
    const query = `execution=${encodeURIComponent(ARN)}&function=f&request=r&after=${STARTED_MS}&limit=5`
    const { body } = await get(`${endpoint}/perdure/v1/logs?${query}`)
    const shown = { ...record, level: 'WARN', fields: { level: 'warning', message: 'hello' } }
    assert.deepEqual(body, { records: [shown], position: 7, complete: true })
    const selection = {
      executionArns: new Set([ARN]),
      functionNames: new Set(['f']),
      requestId: 'r',
      sinceMs: STARTED_MS + 1,
    }
    assert.deepEqual(logs.readings, [{ selection, reading: { direction: 'backward', limit: 5, maxBytes: 8_388_608 } }])
    await get(`${endpoint}/perdure/v1/logs?position=9`)
    const reading = { direction: 'forward', after: 9, limit: 1_000, maxBytes: 8_388_608 }
    assert.deepEqual(logs.readings[1], { selection: {}, reading })
  })

  test('are chosen by level, text and filter pattern', async (t) => {
    const { endpoint } = await startServer(t, { logs: new RecordingLogs([record]) })
    const found = async (query: string): Promise<number> => {
      const { body } = await get(`${endpoint}/perdure/v1/logs?${query}`)
      return (body['records'] as readonly unknown[]).length
    }
    assert.equal(await found('level=warn'), 1)
    assert.equal(await found('level=ERROR'), 0)
    assert.equal(await found('grep=hello'), 1)
    assert.equal(await found('grep=hello%20you'), 0)
    const filter = (pattern: string) => `filter=${encodeURIComponent(pattern)}`
    assert.equal(await found(filter('{ $.message = "hel*" }')), 1)
    assert.equal(await found(`level=info&${filter('{ $.message = "bye" }')}`), 0)
  })

  for (const query of [
    'limit=0',
    'limit=many',
    'limit=10001',
    'after=noon',
    'level=loud',
    'filter=%7B',
    'position=-1',
  ]) {
    test(`'${query}' is refused`, async (t) => {
      const { status, error } = await get(`${(await startServer(t)).endpoint}/perdure/v1/logs?${query}`)
      assert.deepEqual([status, error], [400, 'InvalidParameterValueException'])
    })
  }
})

describe('the clock', () => {
  test('[decision 24] is told and moved when it is a manual one', async (t) => {
    let now = 1_000
    const clockControl = {
      now: () => now,
      advance: async (ms: number) => {
        now += ms
      },
    }
    const { endpoint } = await startServer(t, { clockControl })
    assert.deepEqual((await get(`${endpoint}/perdure/v1/clock`)).body, { now: 1_000 })
    const moved = await post(`${endpoint}/perdure/v1/clock/advance`, '{"ms":500}')
    assert.deepEqual(await moved.json(), { now: 1_500 })
    for (const body of ['', '{}', '[]', '{"ms":-1}', '{"ms":"1"}', '{"ms":0.5}']) {
      const refused = await post(`${endpoint}/perdure/v1/clock/advance`, body)
      assert.deepEqual(
        [refused.status, refused.headers.get('x-amzn-errortype')],
        [400, 'InvalidParameterValueException'],
        body,
      )
    }
    assert.equal(now, 1_500)
  })

  test('[decision 24] cannot be moved when it is the system’s', async (t) => {
    const { endpoint } = await startServer(t)
    const told = await get(`${endpoint}/perdure/v1/clock`)
    assert.deepEqual([told.status, told.error], [400, 'InvalidParameterValueException'])
    assert.match(String(told.body['message']), /system clock/)
    assert.equal((await post(`${endpoint}/perdure/v1/clock/advance`, '{"ms":1}')).status, 400)
  })
})

test('noop reads its body and answers about as much as a checkpoint of two updates', async (t) => {
  const { endpoint } = await startServer(t)
  const answer = await post(`${endpoint}/perdure/v1/noop`, '{"Updates":[]}')
  const size = (await answer.text()).length
  assert.equal(answer.status, 200)
  assert.ok(size > 400 && size < 700, String(size))
  assert.equal((await post(`${endpoint}/perdure/v1/noop`, '{')).status, 400)
})

describe('executions of another place', () => {
  const here = '/2025-12-01/durable-executions/'
  const ROWS: readonly [title: string, arn: string, message: string][] = [
    ['region', ARN.replace('us-east-1', 'eu-west-1'), 'Function not found'],
    ['account', ARN.replace('123456789012', '999999999999'), 'Durable Execution does not exist'],
    ['partition', ARN.replace('arn:aws:', 'arn:aws-cn:'), 'Durable Execution does not exist'],
  ]
  for (const [title, arn, message] of ROWS) {
    test(`[01 §1.3] another ${title}: 404`, async (t) => {
      const { endpoint, service } = await startServer(t)
      for (const rest of ['', '/history']) {
        const { status, error, body } = await get(`${endpoint}${here}${arn}${rest}`)
        assert.deepEqual(
          [status, error, body['Message'], body['Type']],
          [404, 'ResourceNotFoundException', message, 'User'],
        )
      }
      assert.equal((await post(`${endpoint}${here}${arn}/stop`, '')).status, 404)
      assert.deepEqual(service.calls, [])
    })
  }

  test('[01 §1.1] a checkpoint of another place is for the service to answer as a bad token', async (t) => {
    const server = await startServer(t, {
      answers: { checkpoint: async () => ({ NewExecutionState: { Operations: [] } }) },
    })
    const arn = ARN.replace('123456789012', '999999999999')
    const answer = await post(`${server.endpoint}${here}${arn}/checkpoint`, '{"CheckpointToken":"dDE="}')
    assert.equal(await answer.text(), '{"NewExecutionState":{"Operations":[]}}')
    assert.equal((server.service.lastRequest['arn'] as { account: string }).account, '999999999999')
  })
})

test('[01 §1.0] a raw ARN and an encoded one are the same execution; every answer has a request id', async (t) => {
  const { endpoint, service } = await startServer(t, { answers: { stop: async () => ({ StopTimestamp: STARTED_MS }) } })
  for (const arn of [ARN, encodeURIComponent(ARN)]) {
    const answer = await post(`${endpoint}/2025-12-01/durable-executions/${arn}/stop`, '{}')
    assert.equal(await answer.text(), '{"StopTimestamp":1764547200.123}')
    assert.match(answer.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/)
    assert.equal((service.lastRequest['arn'] as { text: string }).text, ARN)
  }
})

describe('lists of functions', () => {
  test('[02 §2.5] a marker is a position; a bad one is refused', async (t) => {
    const { endpoint } = await startServer(t)
    const url = `${endpoint}/2015-03-31/functions`
    const gone = Buffer.from('after paper ').toString('base64url')
    const { body } = await get(`${url}?Marker=${gone}`)
    assert.deepEqual(
      (body['Functions'] as { FunctionName: string }[]).map(({ FunctionName }) => FunctionName),
      ['plain', 'slow'],
    )
    const refused = await get(`${url}?Marker=???`)
    assert.deepEqual([refused.status, refused.body['message']], [400, 'Invalid Marker'])
  })
})
