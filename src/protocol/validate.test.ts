import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { blob } from './constraints.ts'
import { ApiError } from './errors.ts'
import { OPERATIONS, type OperationName } from './operations.ts'
import { NO_HEADERS, parseJsonBody, type RawInput, readInput, readJson } from './validate.ts'
import { Violations } from './violations.ts'

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders:3/durable-execution/n1/e1'

function raw(parts: Partial<Omit<RawInput, 'query'>> & { query?: Record<string, string | string[]> } = {}): RawInput {
  const query = new Map(Object.entries(parts.query ?? {}).map(([name, value]) => [name, [value].flat()]))
  return { labels: [], headers: NO_HEADERS, body: undefined, ...parts, query }
}

function refusal(name: OperationName, parts: Parameters<typeof raw>[0]): ApiError {
  try {
    readInput(name, raw(parts))
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error))
    return error
  }
  assert.fail('accepted')
}

const checkpoint = (body: unknown, label = ARN) => refusal('CheckpointDurableExecution', { labels: [label], body })
const updates = (...list: unknown[]) => checkpoint({ CheckpointToken: 'dDE=', Updates: list })
const STEP = { Id: 'a', Type: 'STEP', Action: 'START' }
const detected = (text: string) => `1 validation error detected: ${text}`

describe('constraint violations', () => {
  const rows: readonly [title: string, ApiError, message: string][] = [
    [
      '[01 §1.3] malformed ARN',
      refusal('GetDurableExecution', { labels: ['orders'] }),
      `Value 'orders' at 'durableExecutionArn' failed to satisfy constraint: Member must satisfy regular expression pattern: ${OPERATIONS.GetDurableExecution.input.DurableExecutionArn.constraint.pattern}`,
    ],
    [
      '[01 §1.0] missing required member',
      checkpoint({}),
      "Value null at 'checkpointToken' failed to satisfy constraint: Member must not be null",
    ],
    [
      '[01 §1.0] null is absent',
      checkpoint({ CheckpointToken: null }),
      "Value null at 'checkpointToken' failed to satisfy constraint: Member must not be null",
    ],
    [
      '[05 §5.3] token outside its alphabet',
      checkpoint({ CheckpointToken: 'no spaces' }),
      "Value 'no spaces' at 'checkpointToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [A-Za-z0-9+/]+={0,2}",
    ],
    [
      '[05 §5.3] token too long',
      checkpoint({ CheckpointToken: 'a'.repeat(2049) }),
      `Value '${'a'.repeat(1024)}…' at 'checkpointToken' failed to satisfy constraint: Member must have length less than or equal to 2048`,
    ],
    [
      '[01 §1.1] client token too long',
      checkpoint({ CheckpointToken: 'dDE=', ClientToken: 'x'.repeat(65) }),
      `Value '${'x'.repeat(65)}' at 'clientToken' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    [
      '[04 §4.1] wait of 0 seconds',
      updates({ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 0 } }),
      "Value '0' at 'updates.1.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      '[04 §4.1] retry delay of 0 seconds, in the second update',
      updates(STEP, { ...STEP, Action: 'RETRY', StepOptions: { NextAttemptDelaySeconds: 0 } }),
      "Value '0' at 'updates.2.member.stepOptions.nextAttemptDelaySeconds' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      '[03 §3.3] wait beyond 366 days',
      updates({ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 31_622_401 } }),
      "Value '31622401' at 'updates.1.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value less than or equal to 31622400",
    ],
    [
      '[04 §4.1] unknown action',
      updates({ ...STEP, Action: 'BEGIN' }),
      "Value 'BEGIN' at 'updates.1.member.action' failed to satisfy constraint: Member must satisfy enum value set: [START, SUCCEED, FAIL, RETRY, CANCEL]",
    ],
    [
      '[04 §4.5] unknown type',
      updates({ ...STEP, Type: 'INVOKE' }),
      "Value 'INVOKE' at 'updates.1.member.type' failed to satisfy constraint: Member must satisfy enum value set: [EXECUTION, CONTEXT, STEP, WAIT, CALLBACK, CHAINED_INVOKE]",
    ],
    [
      '[04 §4.1] name of 257 characters',
      updates({ ...STEP, Name: 'n'.repeat(257) }),
      `Value '${'n'.repeat(257)}' at 'updates.1.member.name' failed to satisfy constraint: Member must have length less than or equal to 256`,
    ],
    [
      '[01 §1.0] a payload is not repeated',
      updates({ ...STEP, Payload: 'p'.repeat(6_291_457) }),
      "Value at 'updates.1.member.payload' failed to satisfy constraint: Member must have length less than or equal to 6291456",
    ],
    [
      '[03 §3.3] chained invoke without a function name',
      updates({ Id: 'c', Type: 'CHAINED_INVOKE', Action: 'START', ChainedInvokeOptions: {} }),
      "Value null at 'updates.1.member.chainedInvokeOptions.functionName' failed to satisfy constraint: Member must not be null",
    ],
    [
      '[01 §1.0] an element of a list that is null',
      updates(null),
      "Value null at 'updates.1.member' failed to satisfy constraint: Member must not be null",
    ],
    [
      '[01 §1.5] unknown status, counted from 1',
      refusal('ListDurableExecutionsByFunction', { labels: ['f'], query: { Statuses: ['RUNNING', 'GONE'] } }),
      "Value 'GONE' at 'statuses.2.member' failed to satisfy constraint: Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, STOPPED, PAUSED, PAUSING, DELETING]",
    ],
    [
      '[01 §1.5] page size beyond 1000',
      refusal('ListDurableExecutionsByFunction', { labels: ['f'], query: { MaxItems: '1001' } }),
      "Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000",
    ],
    [
      '[02 §2.1] bad execution name',
      refusal('Invoke', { labels: ['f'], headers: { 'x-amz-durable-execution-name': 'a b' } }),
      "Value 'a b' at 'durableExecutionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+",
    ],
    [
      '[02 §2.1] bad function name',
      refusal('Invoke', { labels: ['f n'] }),
      `Value 'f n' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${OPERATIONS.Invoke.input.FunctionName.constraint.pattern}`,
    ],
  ]
  for (const [title, error, message] of rows) {
    test(title, () => {
      assert.equal(error.code, 'ValidationException')
      assert.equal(error.message, detected(message))
    })
  }

  test('[01 §1.0] several violations are told together, in the order of the members', () => {
    const error = updates({ Id: '', Type: 'STEP' })
    assert.equal(
      error.message,
      "3 validation errors detected: Value '' at 'updates.1.member.id' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
        "Value '' at 'updates.1.member.id' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+; " +
        "Value null at 'updates.1.member.action' failed to satisfy constraint: Member must not be null",
    )
  })

  test('ten thousand violations are counted, twenty are spelled out', () => {
    const error = updates(...Array.from({ length: 10_000 }, () => ({ ...STEP, Id: '?' })))
    assert.match(error.message, /^10000 validation errors detected: .*; and 9980 more$/)
    assert.ok(error.message.length < 10_000)
  })
})

describe('wrong JSON types', () => {
  const rows: readonly [string, ApiError, RegExp][] = [
    ['a body that is a list', checkpoint([]), /^The request body must be a structure, not a list\.$/],
    ['a body that is a string', checkpoint('x'), /^The request body must be a structure, not a string\.$/],
    [
      'a token that is a number',
      checkpoint({ CheckpointToken: 7 }),
      /'checkpointToken' must be a string, not an integer/,
    ],
    ['updates that are a structure', checkpoint({ CheckpointToken: 'a', Updates: {} }), /'updates' must be a list/],
    ['an update that is a list', updates([]), /'updates.1.member' must be a structure, not a list/],
    [
      'seconds with a fraction',
      updates({ ...STEP, WaitOptions: { WaitSeconds: 1.5 } }),
      /'updates.1.member.waitOptions.waitSeconds' must be an integer, not a fractional number/,
    ],
    [
      'a stack trace of numbers',
      updates({ ...STEP, Error: { StackTrace: [1] } }),
      /'updates.1.member.error.stackTrace.1.member'/,
    ],
    ['a page size in words', refusal('ListFunctions', { query: { MaxItems: 'ten' } }), /'maxItems' must be an integer/],
    [
      'a flag in words',
      refusal('GetDurableExecution', { labels: [ARN], query: { IncludeExecutionData: 'yes' } }),
      /must be a boolean/,
    ],
    [
      'a date in words',
      refusal('ListDurableExecutionsByFunction', { labels: ['f'], query: { StartedAfter: 'today' } }),
      /'startedAfter' must be a timestamp/,
    ],
    [
      'an error that is a string',
      refusal('StopDurableExecution', { labels: [ARN], body: 'x' }),
      /^The request body must be a structure/,
    ],
  ]
  for (const [title, error, message] of rows) {
    test(`[01 §1.0] ${title}`, () => {
      assert.equal(error.code, 'SerializationException')
      assert.match(error.message, message)
    })
  }

  test('[01 §1.8] malformed JSON', () => {
    assert.throws(() => parseJsonBody('{"a":'), { name: 'SerializationException' })
    assert.equal(parseJsonBody(''), undefined)
  })
})

describe('what passes', () => {
  test('[01 §1.0] unknown members are ignored, null members are absent', () => {
    const body = { ErrorMessage: 'm', ErrorType: null, Extra: { deep: [] }, __proto__: { polluted: true } }
    assert.deepEqual(readInput('StopDurableExecution', raw({ labels: [ARN], body })), {
      DurableExecutionArn: ARN,
      Error: { ErrorMessage: 'm' },
    })
  })

  test('[01 §1.6] an absent body is no error, an empty structure an empty one', () => {
    assert.equal('Error' in readInput('StopDurableExecution', raw({ labels: [ARN] })), false)
    assert.deepEqual(readInput('StopDurableExecution', raw({ labels: [ARN], body: {} })).Error, {})
  })

  test('[01 §1.5] query texts become numbers, booleans and times', () => {
    const query = { MaxItems: '0', ReverseOrder: 'true', StartedAfter: '2025-01-01T00:00:00.500Z', Statuses: 'RUNNING' }
    assert.deepEqual(readInput('ListDurableExecutionsByFunction', raw({ labels: ['f:prod'], query })), {
      FunctionName: 'f:prod',
      Statuses: ['RUNNING'],
      StartedAfter: 1_735_689_600_500,
      ReverseOrder: true,
      MaxItems: 0,
    })
  })

  test('nothing is taken from the prototype of the body', () => {
    const body: unknown = JSON.parse('{"__proto__":{"CheckpointToken":"dDE="}}')
    assert.equal(checkpoint(body).code, 'ValidationException')
  })
})

describe('whatever comes', () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom(ARN, 'f', '', '0', 'true', '2025-01-01T00:00:00Z', '-1', 'RUNNING'),
  )
  const names = Object.keys(OPERATIONS) as OperationName[]

  test('any request becomes a typed input or an ApiError', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        text,
        fc.jsonValue({ maxDepth: 6 }),
        fc.array(text),
        (name, label, body, texts) => {
          const members = Object.entries(OPERATIONS[name].input)
          const query = Object.fromEntries(members.map(([member], index) => [member, texts.slice(index, index + 3)]))
          const headers = { 'x-amz-invocation-type': texts[0], 'x-amz-log-type': texts[1], 'x-amz-tenant-id': texts[2] }
          try {
            readInput(name, raw({ labels: [label], body, query, headers }))
          } catch (error) {
            assert.ok(error instanceof ApiError, String(error))
            assert.ok(error.code === 'ValidationException' || error.code === 'SerializationException')
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('a body nested a million deep is ignored or refused', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`)
    assert.equal(checkpoint(deep).code, 'SerializationException')
    assert.equal(updates({ ...STEP, Id: deep }).code, 'SerializationException')
    const ignored = readInput('StopDurableExecution', raw({ labels: [ARN], body: { Extra: deep } }))
    assert.deepEqual(ignored.Error, {})
  })
})

test('bytes are base64, and nothing that is nearly base64', () => {
  const read = (value: unknown) => readJson(blob(10), value, 'zip', new Violations())
  for (const text of ['', 'YQ==', 'YQ', 'YWI=', 'YWJj', '+/+/', '//==', 'AAAAAAAAAAAAAA==']) {
    assert.deepEqual(read(text), Buffer.from(text, 'base64'), text)
  }
  for (const text of [
    'A',
    'YWJj ',
    '===',
    'Y===',
    'YQ=a',
    'Y Q=',
    ' YQ==',
    'YQ==\n',
    '-_-_',
    'é',
    'YWJj!',
    'a=b=',
    1,
    [80, 75],
  ]) {
    assert.throws(() => read(text), { name: 'SerializationException' }, String(text))
  }
})
