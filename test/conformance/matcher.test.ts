import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { matchesSoFar, matchHistory, type ObservedEvent, restoreNames, terminalStatus } from './matcher.ts'
import { drawVariables, placeholderName, placeholderPattern, substitute } from './placeholder.ts'
import { type ExpectedEvent, loadRequirements, parseRequirement } from './requirement.ts'

const REQUIREMENTS = join(import.meta.dirname, '../../../shared/conformance/requirements')

const STEP = `
description: a step
Input: \${IN}
Variables: { IN: '\${GEN_STR:4}' }
ExpectedResult: { ExecutionStatus: SUCCEEDED, Result: null }
ExpectedExecutionHistory:
  - { EventType: StepStarted, EventId: 2, Id: '\${S}', EventTimestamp: '*', StepStartedDetails: {} }
  - EventType: StepSucceeded
    EventId: 3
    Id: \${S}
    StepSucceededDetails:
      Result: { Payload: '"\${IN}"' }
      RetryDetails: { CurrentAttempt: '\${/^[12]$/}' }
  - { EventType: ExecutionSucceeded, EventId: 5 }
`

const step = parseRequirement('1-99', 'step', STEP)

const stepHistory: readonly ObservedEvent[] = [
  { EventId: 1, EventType: 'ExecutionStarted' },
  { EventId: 2, EventType: 'StepStarted', Id: 'a', EventTimestamp: 1, StepStartedDetails: {} },
  {
    EventId: 3,
    EventType: 'StepSucceeded',
    Id: 'a',
    StepSucceededDetails: { Result: { Payload: '"x"', Truncated: false }, RetryDetails: { CurrentAttempt: 1 } },
  },
  { EventId: 4, EventType: 'InvocationCompleted', InvocationCompletedDetails: {} },
  { EventId: 5, EventType: 'ExecutionSucceeded' },
]

const bound = () => new Map<string, unknown>([['IN', 'x']])
const without = (event: ObservedEvent | undefined, key: string): ObservedEvent =>
  Object.fromEntries(Object.entries(event ?? {}).filter(([name]) => name !== key))
const replaced = (index: number, event: ObservedEvent) => stepHistory.with(index, event)

describe('a requirement file', () => {
  test('is read into what is expected', () => {
    assert.equal(step.expectedStatus, 'SUCCEEDED')
    assert.deepEqual(step.expectedResult, { value: null })
    assert.equal(step.async, false)
    assert.deepEqual(
      step.history.map((event) => event.EventId),
      [2, 3, 5],
    )
  })

  test('with a key nobody checks is refused', () => {
    assert.throws(() => parseRequirement('1-99', 'step', `${STEP}\nExpectedMetrics: 1`), /unknown key ExpectedMetrics/)
  })
})

describe('placeholders', () => {
  test('variables are drawn at their length and replaced at any depth', () => {
    const bindings = drawVariables(step.variables)
    const drawn = String(bindings.get('IN'))
    assert.match(drawn, /^[a-z0-9]{4}$/)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of requirement files look like this
    assert.deepEqual(substitute({ a: ['"${IN}"', '${OTHER}', 7] }, bindings), { a: [`"${drawn}"`, '${OTHER}', 7] })
  })

  test('names and patterns are told from texts', () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: placeholders of requirement files look like this
    assert.equal(placeholderName('${ID1}'), 'ID1')
    assert.equal(placeholderName('"${ID1}"'), undefined)
    assert.equal(placeholderName('${/^a$/}'), undefined)
    assert.deepEqual(placeholderPattern('${/^([0-9]|10)$/}'), /^([0-9]|10)$/)
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above
  })
})

describe('matchHistory', () => {
  const problems = (history: readonly ObservedEvent[], bindings = bound()) =>
    matchHistory(step.history, history, bindings)

  test('accepts what is expected and binds the id', () => {
    const bindings = bound()
    assert.deepEqual(problems(stepHistory, bindings), [])
    assert.equal(bindings.get('S'), 'a')
  })

  test('accepts further keys, never a missing one, whatever its expected value', () => {
    assert.deepEqual(problems(replaced(1, { ...stepHistory[1], Name: 'n' })), [])
    for (const key of ['EventTimestamp', 'StepStartedDetails', 'Id', 'EventType']) {
      assert.notDeepEqual(problems(replaced(1, without(stepHistory[1], key))), [], key)
    }
  })

  test('holds a name to its first value', () => {
    assert.deepEqual(problems(replaced(2, { ...stepHistory[2], Id: 'b' })), [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of requirement files look like this
      'event 3.Id is "b", expected "a" (${S})',
    ])
    assert.equal(problems(stepHistory, new Map([['IN', 'y']])).length, 1)
  })

  test('compares patterns with the text of a value', () => {
    const third = { Result: { Payload: '"x"' }, RetryDetails: { CurrentAttempt: 3 } }
    assert.match(
      problems(replaced(2, { ...stepHistory[2], StepSucceededDetails: third })).join(),
      /CurrentAttempt is 3/,
    )
  })

  test('takes a skipped EventId for an InvocationCompleted', () => {
    assert.deepEqual(problems(replaced(3, { EventId: 4, EventType: 'WaitStarted' })), [
      'event 4 is WaitStarted, not InvocationCompleted',
    ])
  })

  test('lets nothing but one terminal event follow', () => {
    const shorter = step.history.slice(0, 2)
    const ending = (...types: readonly string[]) => [
      ...stepHistory.slice(0, 3),
      ...types.map((EventType, index) => ({ EventId: 4 + index, EventType })),
    ]
    assert.deepEqual(matchHistory(shorter, ending('ExecutionSucceeded'), bound()), [])
    assert.equal(matchHistory(shorter, ending('InvocationCompleted'), bound()).length, 1)
    assert.equal(matchHistory(shorter, ending('ExecutionSucceeded', 'InvocationCompleted'), bound()).length, 1)
  })

  test('sees gaps in the numbering', () => {
    assert.match(problems(replaced(4, { EventId: 6, EventType: 'ExecutionSucceeded' })).join(), /has EventId 6/)
  })
})

test('a history that goes on matches so far once all listed events are there, and binds nothing', () => {
  const bindings = bound()
  const listed = step.history.slice(0, 2)
  assert.equal(matchesSoFar(listed, stepHistory.slice(0, 2), bindings), false)
  assert.equal(matchesSoFar(listed, stepHistory.slice(0, 4), bindings), true)
  assert.equal(bindings.has('S'), false)
})

test('terminal events stand for statuses', () => {
  assert.equal(terminalStatus({ EventType: 'ExecutionFailed' }), 'FAILED')
  assert.equal(terminalStatus({ EventType: 'ExecutionTimedOut' }), 'TIMED_OUT')
  assert.equal(terminalStatus({ EventType: 'StepFailed' }), undefined)
  assert.equal(terminalStatus(undefined), undefined)
})

test('names inside WaitForCallback are restored where absent', () => {
  const names = restoreNames([
    { EventId: 1, Id: 'w', SubType: 'WaitForCallback', Name: 'approve' },
    { EventId: 2, Id: 'c', SubType: 'Callback', ParentId: 'w' },
    { EventId: 3, Id: 's', SubType: 'Step', ParentId: 'w' },
    { EventId: 4, Id: 'k', SubType: 'Step', ParentId: 'w', Name: 'kept' },
    { EventId: 5, Id: 'o', SubType: 'Step', ParentId: 'elsewhere' },
  ]).map((event) => event['Name'])
  assert.deepEqual(names, ['approve', 'approve-callback', 'approve-submitter', 'kept', undefined])
})

/**
 * Over all requirements that are present: a history made from the expected events is accepted, and every history that
 * differs from it by one mistake of a server is refused.
 */
describe('each requirement', async () => {
  const requirements = await loadRequirements(REQUIREMENTS)
  if (requirements === undefined) {
    test('is not present', { skip: `no folder ${REQUIREMENTS}` })
    return
  }
  for (const requirement of requirements) {
    test(requirement.id, () => {
      const bindings = drawVariables(requirement.variables)
      const history = synthesise(requirement.history, bindings, requirement.expectedStatus)
      const refuses = (mistake: string, changed: readonly ObservedEvent[]) => {
        const numbered = changed.map((event, index) => ({ ...event, EventId: index + 1 }))
        assert.notDeepEqual(matchHistory(requirement.history, numbered, new Map(bindings)), [], mistake)
      }
      assert.deepEqual(matchHistory(requirement.history, history, new Map(bindings)), [])

      for (const [index, event] of history.entries()) {
        const { EventId, EventType } = event
        const label = `${EventId} ${EventType}`
        // The terminal event of a history may be asserted by the status alone.
        if (index < history.length - 1 || isListed(requirement.history, event)) {
          refuses(`${label} dropped`, history.toSpliced(index, 1))
        }
        refuses(`${label} doubled`, history.toSpliced(index, 0, event))
        const next = history[index + 1]
        if (next !== undefined) refuses(`${label} swapped with the next`, history.toSpliced(index, 2, next, event))
      }
      for (const { EventId, ...expected } of requirement.history) {
        const index = EventId - 1
        for (const key of Object.keys(expected)) {
          refuses(`${EventId} without ${key}`, history.with(index, without(history[index], key)))
        }
        for (const key of ['Id', 'ParentId']) {
          if (!isBoundTwice(requirement.history, expected[key])) continue
          refuses(`${EventId} with another ${key}`, history.with(index, { ...history[index], [key]: 'another' }))
        }
      }
    })
  }
})

function isListed(expected: readonly ExpectedEvent[], event: ObservedEvent): boolean {
  return expected.some(({ EventId }) => EventId === event['EventId'])
}

/** Whether a placeholder stands at two places, so that giving one of them another value can be seen. */
function isBoundTwice(expected: readonly ExpectedEvent[], placeholder: unknown): boolean {
  return typeof placeholder === 'string' && JSON.stringify(expected).split(JSON.stringify(placeholder)).length > 2
}

/** A history as a correct server would show it: the listed events, and what stands at the numbers between and after. */
function synthesise(
  expected: readonly ExpectedEvent[],
  bindings: ReadonlyMap<string, unknown>,
  status: string | undefined,
): readonly ObservedEvent[] {
  const lastId = expected.at(-1)?.EventId ?? 0
  const history: ObservedEvent[] = [{ EventId: 1, EventType: 'ExecutionStarted' }]
  for (let id = 2; id <= lastId; id += 1) {
    const event = expected.find(({ EventId }) => EventId === id)
    history.push(event === undefined ? { EventId: id, EventType: 'InvocationCompleted' } : fill(event, bindings))
  }
  if (status !== undefined && terminalStatus(history.at(-1)) === undefined) {
    history.push({ EventId: lastId + 1, EventType: status === 'SUCCEEDED' ? 'ExecutionSucceeded' : 'ExecutionFailed' })
  }
  return history
}

/** Gives every placeholder a value: ids their own name, patterns the first of a few texts that fits. */
function fill(value: ExpectedEvent, bindings: ReadonlyMap<string, unknown>): ObservedEvent
function fill(value: unknown, bindings: ReadonlyMap<string, unknown>): unknown
function fill(value: unknown, bindings: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, bindings)]))
  }
  if (typeof value !== 'string') return value
  const pattern = placeholderPattern(value)
  if (pattern !== undefined) return ['1', 'TransientError'].find((text) => pattern.test(text))
  const name = placeholderName(value)
  if (name !== undefined && !bindings.has(name)) return name
  return substitute(value, new Map(bindings))
}
