/** Builds histories for the tests of the renderers: `history(started(), step('a'), …)` numbers the events and gives them times. */
import type { ErrorObject, EventType, HistoryEvent } from '../../src/client/responses.ts'

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
      eventId: index + 1,
      eventType: sketch.type,
      eventTimestamp: at,
      ...(sketch.id !== undefined && { id: sketch.id }),
      ...(sketch.parent !== undefined && { parentId: sketch.parent }),
      ...(sketch.name !== undefined && { name: sketch.name }),
      ...(sketch.subType !== undefined && { subType: sketch.subType }),
      [`${sketch.type.charAt(0).toLowerCase()}${sketch.type.slice(1)}Details`]: sketch.details ?? {},
    }
  })
}

export const started = (name = 'order-1'): Sketch => ({
  type: 'ExecutionStarted',
  id: 'execution',
  name,
  details: { input: { payload: '{"n":1}', truncated: false }, executionTimeout: 900 },
})

export const succeeded = (result: string, after = 0): Sketch => ({
  type: 'ExecutionSucceeded',
  id: 'execution',
  after,
  details: { result: { payload: result, truncated: false } },
})

export const invocationEnded = (after = 0, error?: ErrorObject): Sketch => ({
  type: 'InvocationCompleted',
  after,
  details: {
    startTimestamp: START_MS,
    endTimestamp: START_MS,
    requestId: 'request-1',
    ...(error !== undefined && { error: { payload: error, truncated: false } }),
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
    { result: { payload: result, truncated: false }, retryDetails: { currentAttempt: attempt } },
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
      error: { payload: error, truncated: false },
      retryDetails: {
        currentAttempt: attempt,
        ...(delaySeconds !== undefined && { nextAttemptDelaySeconds: delaySeconds }),
      },
    },
    where,
  )
