/** A history in words that are the same for every SDK, and what holds for each history. */
import assert from 'node:assert/strict'
import type { Event } from '@aws-sdk/client-lambda'

/**
 * `StepFailed room/look #1 +2s`: what happened, to which operation inside which others, in which attempt, and when it is
 * to be tried again; `WaitStarted pause 1s`. SDKs call items of a map, and what a wait for a callback is made of, by names
 * of their own; here they go by their subtypes.
 */
export function told(history: readonly Event[]): readonly string[] {
  const paths = new Map<string, string>()
  const subTypes = new Map<string, string>()
  return history.map((event) => {
    const { EventType = '', Id, ParentId, Name, SubType = '' } = event
    if (Id === undefined || SubType === '') return EventType
    const ofSdk = SubType === 'MapIteration' || subTypes.get(ParentId ?? '') === 'WaitForCallback'
    const parent = paths.get(ParentId ?? '')
    const path = [...(parent === undefined ? [] : [parent]), ofSdk ? SubType : (Name ?? '')].join('/')
    paths.set(Id, path)
    subTypes.set(Id, SubType)
    return [EventType, path, ...details(event)].join(' ')
  })
}

function details({ StepSucceededDetails, StepFailedDetails, WaitStartedDetails }: Event): readonly string[] {
  const retry = (StepSucceededDetails ?? StepFailedDetails)?.RetryDetails
  if (retry !== undefined) {
    const again = retry.NextAttemptDelaySeconds === undefined ? [] : [`+${retry.NextAttemptDelaySeconds}s`]
    return [`#${retry.CurrentAttempt}`, ...again]
  }
  return WaitStartedDetails === undefined ? [] : [`${WaitStartedDetails.Duration}s`]
}

/** Without the ends of invocations, whose places are a matter of the SDK. */
export function work(history: readonly Event[]): readonly string[] {
  return told(history).filter((line) => line !== 'InvocationCompleted')
}

/** The types of the errors with which invocations ended; undefined for those that ended well. */
export function invocations(history: readonly Event[]): readonly (string | undefined)[] {
  return history.flatMap(({ InvocationCompletedDetails: details }) =>
    details === undefined ? [] : [details.Error?.Payload?.ErrorType],
  )
}

const ENDS = /^(Execution|Context|Step|Wait|Callback|ChainedInvoke)(Succeeded|Failed|TimedOut|Stopped|Cancelled)$/

/** Numbers, times and nesting. */
export function assertWellFormed(history: readonly Event[]): void {
  assert.deepEqual(
    history.map(({ EventId }) => EventId),
    history.map((_, index) => index + 1),
  )
  assert.equal(history[0]?.EventType, 'ExecutionStarted')
  assert.match(history.at(-1)?.EventType ?? '', /^Execution(Succeeded|Failed)$/)
  const times = history.map(({ EventTimestamp }) => EventTimestamp?.getTime() ?? Number.NaN)
  assert.ok(
    times.every((time, index) => time >= (times[index - 1] ?? 0)),
    `times go back: ${times}`,
  )
  const open = new Set<string>()
  for (const { EventType = '', Id, ParentId, StepFailedDetails, StepSucceededDetails } of history) {
    if (EventType === 'InvocationCompleted') continue
    const which = `${EventType} ${Id}`
    assert.ok(Id !== undefined, which)
    if (EventType.endsWith('Started')) {
      assert.ok(!open.has(Id), `${which}: it has not ended`)
      assert.ok(ParentId === undefined || open.has(ParentId), `${which}: what it is in is not there`)
      open.add(Id)
      continue
    }
    assert.match(EventType, ENDS)
    assert.ok(open.delete(Id), `${which}: it has not begun`)
    // A step that is to be tried again is still there for the next attempt, which begins anew.
    const retry = (StepSucceededDetails ?? StepFailedDetails)?.RetryDetails
    assert.ok(retry === undefined || (retry.CurrentAttempt ?? 0) >= 1, which)
  }
  assert.deepEqual([...open], [], 'not all that began has ended')
  const requests = history.flatMap(({ InvocationCompletedDetails: details }) => details?.RequestId ?? [])
  assert.equal(new Set(requests).size, requests.length, 'two invocations with one request id')
}
