/** Builds histories for the tests of the renderers: `history(started(), step('a'), …)` numbers the events and gives them times. */
import type { ErrorObject, EventType, HistoryEvent } from '../../src/protocol/shapes.ts'

/** An event but for its number; `after` is the time since the event before. */
export interface Sketch {
  readonly type: EventType
  readonly after?: number
  readonly id?: string
  readonly parent?: string
  readonly name?: string
  readonly subType?: string
  readonly details?: Readonly<Record<string, unknown>>
}

export const START_MS = Date.UTC(2025, 5, 1, 12, 0, 0)

export function history(...sketches: readonly Sketch[]): readonly HistoryEvent[] {
  let at = START_MS
  return sketches.map((sketch, index) => {
    at += sketch.after ?? 0
    return {
      EventId: index + 1,
      EventType: sketch.type,
      EventTimestamp: at,
      ...(sketch.id !== undefined && { Id: sketch.id }),
      ...(sketch.parent !== undefined && { ParentId: sketch.parent }),
      ...(sketch.name !== undefined && { Name: sketch.name }),
      ...(sketch.subType !== undefined && { SubType: sketch.subType }),
      [`${sketch.type}Details`]: sketch.details ?? {},
    }
  })
}

export const started = (name = 'order-1'): Sketch => ({
  type: 'ExecutionStarted',
  id: 'execution',
  name,
  details: { Input: { Payload: '{"n":1}', Truncated: false }, ExecutionTimeout: 900 },
})

export const succeeded = (result: string, after = 0): Sketch => ({
  type: 'ExecutionSucceeded',
  id: 'execution',
  after,
  details: { Result: { Payload: result, Truncated: false } },
})

export const invocationEnded = (after = 0, error?: ErrorObject): Sketch => ({
  type: 'InvocationCompleted',
  after,
  details: {
    StartTimestamp: START_MS,
    EndTimestamp: START_MS,
    RequestId: 'request-1',
    ...(error !== undefined && { Error: { Payload: error, Truncated: false } }),
  },
})

type Where = Pick<Sketch, 'after' | 'parent' | 'subType'>

export const event = (type: EventType, name: string, details: Sketch['details'] = {}, where: Where = {}): Sketch => ({
  type,
  id: name,
  name,
  details,
  ...where,
})

export const stepSucceeded = (name: string, result: string, attempt = 1, where: Where = {}): Sketch =>
  event(
    'StepSucceeded',
    name,
    { Result: { Payload: result, Truncated: false }, RetryDetails: { CurrentAttempt: attempt } },
    where,
  )

export const stepFailed = (
  name: string,
  error: ErrorObject,
  attempt: number,
  delaySeconds?: number,
  where: Where = {},
): Sketch =>
  event(
    'StepFailed',
    name,
    {
      Error: { Payload: error, Truncated: false },
      RetryDetails: {
        CurrentAttempt: attempt,
        ...(delaySeconds !== undefined && { NextAttemptDelaySeconds: delaySeconds }),
      },
    },
    where,
  )
