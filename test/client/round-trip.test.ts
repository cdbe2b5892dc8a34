/** Every request and every answer survives the wire: what one side writes the other reads as the same. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decode, encode } from '../../src/client/codec.ts'
import { memberName, wireName } from '../../src/client/member-names.ts'
import { CLIENT_OPERATIONS, type ClientOperation } from '../../src/client/operations.ts'
import * as requests from '../../src/client/requests.ts'
import { EVENT_DETAILS, RESPONSES } from '../../src/client/responses.ts'
import type { Constraint, MemberTable } from '../../src/protocol/constraints.ts'
import { OPERATIONS, type OperationSpec } from '../../src/protocol/operations.ts'
import { NO_HEADERS, parseJsonBody, readInput } from '../../src/protocol/validate.ts'
import { wireEvent, wireExecution, wireOperation } from '../../src/protocol/wire.ts'
import { decodeLabel, matchPath, parseQuery, parseTemplate, splitTarget } from '../../src/server/request-path.ts'
import { membersOf, valuesOf } from './arbitraries.ts'

interface RequestClass {
  readonly operation: ClientOperation
  new (members: never): requests.ApiRequest
  fromWire(wire: requests.WireRequest): requests.ApiRequest
}

const CLASSES = new Map(
  (Object.values(requests) as unknown as RequestClass[])
    .filter((exported) => typeof exported === 'function' && exported.operation !== undefined)
    .map((each) => [each.operation, each]),
)
const names = CLIENT_OPERATIONS

/** The members with their names as on the wire, as the server's own reader returns them. */
const onTheWire = (members: MemberTable, value: object): object =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, { constraint }]) => {
      const member = (value as Readonly<Record<string, unknown>>)[memberName(name)]
      return member === undefined ? [] : [[name, valueOnTheWire(constraint, member)]]
    }),
  )

function valueOnTheWire(constraint: Constraint, value: unknown): unknown {
  switch (constraint.kind) {
    case 'list':
      return (value as readonly unknown[]).map((each) => valueOnTheWire(constraint.of, each))
    case 'structure':
      return onTheWire(constraint.members, value as object)
    case 'map':
      return Object.assign(Object.create(null), value)
    case 'blob':
      return Buffer.from(value as Uint8Array)
    default:
      return value
  }
}

function readByServer(name: ClientOperation, wire: requests.WireRequest): unknown {
  const spec: OperationSpec = OPERATIONS[name]
  assert.equal(wire.method, spec.method)
  const { path, query } = splitTarget(wire.path)
  const labels = matchPath(parseTemplate(spec.path), path)
  assert.ok(labels !== undefined, `${wire.path} is a path of ${name}`)
  return readInput(name, {
    labels: labels.map(decodeLabel),
    query: parseQuery(query),
    headers: { ...NO_HEADERS, ...wire.headers },
    body: spec.rawBody === true ? undefined : parseJsonBody(String(wire.body ?? '')),
  })
}

const BODIES: Readonly<Record<string, string>> = { Invoke: 'payload', SendDurableExecutionCallbackSuccess: 'result' }

describe('requests', () => {
  for (const name of names) {
    const Request = CLASSES.get(name)
    assert.ok(Request !== undefined, `there is a class for ${name}`)
    const spec: OperationSpec = OPERATIONS[name]
    const body = BODIES[name]

    test(`${name}: the server reads what the client writes`, () => {
      fc.assert(
        fc.property(membersOf(spec.input), (members) => {
          const wire = new Request(members as never).toWire()
          const read = readByServer(name, wire)
          // An error that is empty travels as `{}`, which is what an absent one travels as too (spec 01 §1.0).
          const expected = 'Error' in spec.input && !('error' in members) ? { ...members, error: {} } : members
          assert.deepEqual(read, onTheWire(spec.input, expected))
        }),
      )
    })

    test(`${name}: a request made from a wire value has that wire value`, () => {
      const bytes = fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined })
      fc.assert(
        fc.property(membersOf(spec.input), bytes, (members, text) => {
          const given = body === undefined || text === undefined ? members : { ...members, [body]: text }
          const wire = new Request(given as never).toWire()
          assert.deepEqual(Request.fromWire(wire).toWire(), wire)
        }),
      )
    })
  }
})

describe('answers', () => {
  for (const [name, constraint] of Object.entries(RESPONSES)) {
    test(`${name}: decoding undoes encoding, over JSON`, () => {
      fc.assert(
        fc.property(valuesOf(constraint), (value) => {
          assert.deepEqual(decode(constraint, JSON.parse(JSON.stringify(encode(constraint, value)))), value)
        }),
        { numRuns: 60 },
      )
    })
  }

  test('the client reads operations, events and executions as the server writes them', () => {
    const operation = {
      Id: 'a',
      Type: 'STEP',
      Status: 'PENDING',
      StartTimestamp: 1_735_689_600_123,
      EndTimestamp: 1_735_689_600_125,
      StepDetails: { Attempt: 2, NextAttemptTimestamp: 1_735_689_700_001, Error: { ErrorType: 'E' } },
    } as const
    const state = { Operations: [wireOperation(operation)], NextMarker: '' }
    assert.deepEqual(decode(RESPONSES.GetDurableExecutionState, state), {
      operations: [
        {
          id: 'a',
          type: 'STEP',
          status: 'PENDING',
          startTimestamp: 1_735_689_600_123,
          endTimestamp: 1_735_689_600_125,
          stepDetails: { attempt: 2, nextAttemptTimestamp: 1_735_689_700_001, error: { errorType: 'E' } },
        },
      ],
      nextMarker: '',
    })
    const event = {
      EventId: 3,
      EventType: 'WaitStarted',
      EventTimestamp: 1_735_689_600_007,
      WaitStartedDetails: { Duration: 5, ScheduledEndTimestamp: 1_735_689_605_007 },
    } as const
    assert.deepEqual(decode(RESPONSES.GetDurableExecutionHistory, { Events: [wireEvent(event)] }), {
      events: [
        {
          eventId: 3,
          eventType: 'WaitStarted',
          eventTimestamp: 1_735_689_600_007,
          waitStartedDetails: { duration: 5, scheduledEndTimestamp: 1_735_689_605_007 },
        },
      ],
    })
    const execution = wireExecution({
      ...{ DurableExecutionArn: 'arn', DurableExecutionName: 'n', FunctionArn: 'f', Status: 'RUNNING' },
      StartTimestamp: 1,
    })
    const list = { DurableExecutions: [execution] }
    assert.deepEqual(decode(RESPONSES.ListDurableExecutionsByFunction, list), {
      durableExecutions: [
        {
          durableExecutionArn: 'arn',
          durableExecutionName: 'n',
          functionArn: 'f',
          status: 'RUNNING',
          startTimestamp: 1,
        },
      ],
    })
  })

  test('newer servers may say more: unknown members and values are no errors', () => {
    const configuration = { FunctionName: 'f', FunctionArn: 'a', Version: '1', Novelty: { Deep: [1] }, State: 'Asleep' }
    assert.deepEqual(decode(RESPONSES.GetFunctionConfiguration, configuration), {
      functionName: 'f',
      functionArn: 'a',
      version: '1',
      state: 'Asleep',
    })
  })

  test('an answer without what it must have, or of another kind, is told apart', () => {
    assert.throws(() => decode(RESPONSES.StopDurableExecution, {}), /'StopTimestamp' is not there/)
    assert.throws(() => decode(RESPONSES.StopDurableExecution, []), /the body is not a structure/)
    assert.throws(
      () => decode(RESPONSES.GetDurableExecutionHistory, { Events: [{ EventId: '1' }] }),
      /'Events\[0\]\.EventId' is not a number/,
    )
  })

  test('each of the 24 event types has its details', () => assert.equal(Object.keys(EVENT_DETAILS).length, 24))
})

test('names of members are spelt back as they came', () => {
  for (const name of ['DurableExecutionArn', 'KMSKeyArn', 'XAmznTraceId', 'Id', 'S3Bucket']) {
    assert.equal(wireName(memberName(name)), name)
  }
  assert.equal(memberName('KMSKeyArn'), 'kmsKeyArn')
})
