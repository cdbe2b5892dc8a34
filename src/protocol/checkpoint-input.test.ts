import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readCheckpoint } from './checkpoint-input.ts'
import { ApiError } from './errors.ts'
import { NO_HEADERS, NO_QUERY, readInput } from './validate.ts'

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders:3/durable-execution/n1/e1'
const LIMITS = { updatesPerCheckpoint: 10_000 }

/** Values that are mostly what a member wants, and sometimes what it must not be. */
const odd = fc.constantFrom<unknown>(null, 0, -0, 1.5, -1, 1e21, true, '', '?', 'ü', [], {}, [null], 'x'.repeat(300))
const mostly = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: odd })
const maybe = (good: fc.Arbitrary<unknown>) => fc.option(mostly(good), { nil: undefined, freq: 2 })
const record = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members)

const word = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/)
const error = record({
  ErrorMessage: maybe(fc.string()),
  ErrorType: maybe(fc.string()),
  ErrorData: maybe(fc.string()),
  StackTrace: maybe(fc.array(mostly(fc.string()), { maxLength: 3 })),
  Unknown: maybe(fc.jsonValue()),
})
const seconds = fc.constantFrom(0, 1, 60, 31_622_400, 31_622_401, 99_999_999, 100_000_000)
const update = record({
  Id: mostly(word),
  ParentId: maybe(word),
  Name: maybe(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 256 })),
  Type: mostly(fc.constantFrom('EXECUTION', 'CONTEXT', 'STEP', 'WAIT', 'CALLBACK', 'CHAINED_INVOKE')),
  SubType: maybe(fc.stringMatching(/^[a-zA-Z0-9_-]{1,32}$/)),
  Action: mostly(fc.constantFrom('START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL')),
  Payload: maybe(fc.string()),
  Error: maybe(error),
  ContextOptions: maybe(record({ ReplayChildren: maybe(fc.boolean()) })),
  StepOptions: maybe(record({ NextAttemptDelaySeconds: maybe(seconds) })),
  WaitOptions: maybe(record({ WaitSeconds: maybe(seconds) })),
  CallbackOptions: maybe(record({ TimeoutSeconds: maybe(seconds), HeartbeatTimeoutSeconds: maybe(seconds) })),
  ChainedInvokeOptions: maybe(record({ FunctionName: mostly(word), TenantId: maybe(word) })),
  Unknown: maybe(fc.jsonValue()),
})
const body = record({
  CheckpointToken: mostly(fc.base64String({ minLength: 4, maxLength: 64 })),
  ClientToken: maybe(fc.uuid()),
  Updates: maybe(fc.array(mostly(update), { maxLength: 3 })),
})

type Outcome = { readonly input: unknown } | { readonly error: string; readonly message: string }

function outcomeOf(read: () => unknown): Outcome {
  try {
    return { input: read() }
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error))
    return { error: error.code, message: error.message }
  }
}

/** What the interpreter of the constraint tables makes of the same body. */
function interpreted(value: unknown): Outcome {
  const raw = { labels: [ARN], query: NO_QUERY, headers: NO_HEADERS, body: value }
  return outcomeOf(() => ({ Updates: [], ...readInput('CheckpointDurableExecution', raw) }))
}

describe('the straight code for checkpoints', () => {
  test('agrees with the constraint tables on every body', () => {
    let accepted = 0
    fc.assert(
      fc.property(mostly(body), (value) => {
        // Through JSON, as a body comes: absent members are absent.
        const parsed: unknown = JSON.parse(JSON.stringify(value))
        const outcome = outcomeOf(() => readCheckpoint(ARN, parsed, LIMITS))
        assert.deepEqual(outcome, interpreted(parsed))
        if ('input' in outcome) accepted += 1
      }),
      { numRuns: 5_000 },
    )
    assert.ok(accepted > 500, `the property must meet valid bodies too: ${accepted}`)
  })

  test('any JSON becomes an input or an ApiError', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.string(), (json, arn) => {
        outcomeOf(() => readCheckpoint(arn, JSON.parse(json), LIMITS))
      }),
      { numRuns: 2_000 },
    )
  })

  test('numbers beyond JSON integers: a negative zero is zero, infinity is no integer', () => {
    const callback = (seconds: string): unknown =>
      JSON.parse(
        `{"CheckpointToken":"dDE=","Updates":[{"Id":"c","Type":"CALLBACK","Action":"START","CallbackOptions":{"TimeoutSeconds":${seconds}}}]}`,
      )
    const input = readCheckpoint(ARN, callback('-0'), LIMITS)
    assert.ok(Object.is(input.Updates[0]?.CallbackOptions?.TimeoutSeconds, 0))
    assert.deepEqual({ input }, interpreted(callback('-0')))
    assert.throws(() => readCheckpoint(ARN, callback('1e400'), LIMITS), { name: 'SerializationException' })
  })

  test('keeps texts as they came: empty, lone surrogates, control characters', () => {
    const Updates = [
      { Id: 'a', Type: 'STEP', Action: 'SUCCEED', Payload: '' },
      { Id: 'b', Type: 'STEP', Action: 'SUCCEED', Payload: '\ud800\0' },
    ]
    const input = readCheckpoint(ARN, { CheckpointToken: 'dDE=', Updates }, LIMITS)
    assert.deepEqual(input.Updates, Updates)
  })

  test('[05 §5.8] more updates than the operator allows are refused unread', () => {
    const unreadable = { CheckpointToken: 'dDE=', Updates: Array.from({ length: 3 }, () => 'no update') }
    assert.throws(() => readCheckpoint(ARN, unreadable, { updatesPerCheckpoint: 2 }), {
      name: 'ValidationException',
      message:
        "1 validation error detected: Value at 'updates' failed to satisfy constraint: Member must have length less than or equal to 2",
    })
    const Updates = Array.from({ length: 1_000 }, (_, index) => ({ Id: `s${index}`, Type: 'STEP', Action: 'START' }))
    assert.equal(readCheckpoint(ARN, { CheckpointToken: 'dDE=', Updates }, LIMITS).Updates.length, 1_000)
  })
})
