import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GetDurableExecutionCommandOutput } from '@aws-sdk/client-lambda'
import type { ObservedEvent } from './matcher.ts'
import { explanation, junit, row } from './report.ts'
import { parseRequirement } from './requirement.ts'
import { type Pace, runRequirement, type Service } from './runner.ts'

const impatient: Pace = { secondMs: 1000, pollMs: 1, patienceMs: 20, logPollMs: 1, logPatienceMs: 20 }

const greeting = parseRequirement(
  '1-1',
  'step',
  `
description: a greeting
Input: World
ExpectedResult: { ExecutionStatus: SUCCEEDED, Result: 'Hello, World!' }
ExpectedExecutionHistory:
  - { EventType: InvocationCompleted, EventId: 2, InvocationCompletedDetails: {} }
`,
)

const callback = parseRequirement(
  '4-1',
  'callback',
  `
description: a callback
AsyncInvoke: true
Variables: { NAME: '\${GEN_STR:6}' }
Input: \${NAME}
ExpectedResult: { ExecutionStatus: SUCCEEDED }
CallbackActions: [{ CallbackName: '\${NAME}', Operation: success, Payload: '\${NAME}' }]
ExpectedExecutionHistory:
  - { EventType: CallbackStarted, EventId: 2, Name: '\${NAME}', CallbackStartedDetails: { CallbackId: '*' } }
  - { EventType: InvocationCompleted, EventId: 3 }
  - { EventType: CallbackSucceeded, EventId: 4, CallbackSucceededDetails: { Result: { Payload: '"\${NAME}"' } } }
  - { EventType: InvocationCompleted, EventId: 5 }
`,
)

const waiting = parseRequirement(
  '2-4',
  'wait',
  `
description: a wait
AsyncInvoke: true
Input:
ExpectedExecutionHistory:
  - { EventType: WaitStarted, EventId: 2 }
`,
)

const events = (...types: readonly string[]): readonly ObservedEvent[] =>
  types.map((EventType, index) => ({ EventId: index + 1, EventType, [`${EventType}Details`]: {} }))

const greeted = events('ExecutionStarted', 'InvocationCompleted', 'ExecutionSucceeded')

/** A service that answers as told, and what it was asked. */
function serviceWith(answers: { history: (invoked: Invoked) => readonly ObservedEvent[]; result?: string }) {
  const invoked: Invoked = { calls: [], payload: '' }
  const service: Service = {
    invoke: async (name, async, payload) => {
      invoked.calls.push(`invoke ${name} ${async ? 'Event' : 'RequestResponse'}`)
      invoked.payload = payload
      return 'arn:1'
    },
    history: async () => answers.history(invoked),
    describe: async () =>
      ({ Status: 'SUCCEEDED', Result: answers.result, $metadata: {} }) as GetDurableExecutionCommandOutput,
    completeCallback: async (id, operation, payload) =>
      void invoked.calls.push(`${operation} ${id} ${String(payload)}`),
    stop: async (arn) => void invoked.calls.push(`stop ${arn}`),
    logLines: async () => [],
  }
  return { service, invoked }
}

interface Invoked {
  calls: string[]
  payload: string
}

test('a synchronous requirement is met by its history, status and result', async () => {
  const { service, invoked } = serviceWith({ history: () => greeted, result: '"Hello, World!"' })
  const outcome = await runRequirement(service, greeting, impatient)
  assert.deepEqual(outcome.problems, [])
  assert.deepEqual(invoked.calls, ['invoke conformance-1-1 RequestResponse'])
  assert.equal(invoked.payload, '"World"')
})

test('a wrong result, a wrong status, an early answer and an error are each a problem', async () => {
  const problemsWith = async (history: readonly ObservedEvent[], result?: string) => {
    const { service } = serviceWith({ history: () => history, ...(result === undefined ? {} : { result }) })
    return (await runRequirement(service, greeting, impatient)).problems
  }
  assert.deepEqual(await problemsWith(greeted, '"Hello"'), ['the result is "Hello", expected "Hello, World!"'])
  assert.deepEqual(await problemsWith(greeted), ['the result is null, expected "Hello, World!"'])
  assert.match((await problemsWith(greeted.slice(0, 2), '"Hello, World!"')).join(), /not closed, expected SUCCEEDED/)
  const failed = events('ExecutionStarted', 'InvocationCompleted', 'ExecutionFailed')
  assert.match((await problemsWith(failed, '"Hello, World!"')).join(), /is FAILED, expected SUCCEEDED/)
  const { service } = serviceWith({ history: () => greeted })
  const refused = { ...service, invoke: () => Promise.reject(new Error('no such function')) }
  assert.deepEqual((await runRequirement(refused, greeting, impatient)).problems, ['Error: no such function'])
})

test('an asynchronous requirement is followed to its end, and its callback completed', async () => {
  const { service, invoked } = serviceWith({
    history: ({ calls, payload }) => {
      const name: unknown = JSON.parse(payload)
      const pending: readonly ObservedEvent[] = [
        { EventId: 1, EventType: 'ExecutionStarted' },
        { EventId: 2, EventType: 'CallbackStarted', Name: name, CallbackStartedDetails: { CallbackId: 'c1' } },
        { EventId: 3, EventType: 'InvocationCompleted' },
      ]
      if (!calls.includes(`success c1 ${String(name)}`)) return pending
      const details = { Result: { Payload: JSON.stringify(name) } }
      return [
        ...pending,
        { EventId: 4, EventType: 'CallbackSucceeded', CallbackSucceededDetails: details },
        { EventId: 5, EventType: 'InvocationCompleted' },
        { EventId: 6, EventType: 'ExecutionSucceeded' },
      ]
    },
  })
  assert.deepEqual((await runRequirement(service, callback, impatient)).problems, [])
  assert.equal(invoked.calls[0], 'invoke conformance-4-1 Event')
})

test('an execution that goes on without new events is given up and stopped', async () => {
  const { service, invoked } = serviceWith({ history: () => events('ExecutionStarted') })
  const { problems } = await runRequirement(service, callback, impatient)
  assert.ok(problems.includes('no new event for 0.02 s'))
  assert.equal(invoked.calls.at(-1), 'stop arn:1')
})

test('a requirement without a status ends when its events are there; the execution is stopped', async () => {
  const { service, invoked } = serviceWith({ history: () => events('ExecutionStarted', 'WaitStarted') })
  assert.deepEqual((await runRequirement(service, waiting, impatient)).problems, [])
  assert.deepEqual(invoked.calls, ['invoke conformance-2-4 Event', 'stop arn:1'])
})

test('a report tells passed from failed, and why', async () => {
  const good = await runRequirement(
    serviceWith({ history: () => greeted, result: '"Hello, World!"' }).service,
    greeting,
  )
  const bad = await runRequirement(serviceWith({ history: () => greeted, result: '"<&>"' }).service, greeting)
  const verdict = { requirement: greeting, store: 'memory', outcomes: [good, bad] }
  assert.match(row(verdict), /^1-1 {3}a greeting .* 1\/2 passed/)
  assert.match(explanation(verdict), /- the result is "<&>", expected "Hello, World!"/)
  const xml = junit([verdict, { ...verdict, outcomes: [good] }], ['9-9'])
  assert.match(xml, /tests="3" failures="1" skipped="1"/)
  assert.match(xml, /&quot;&lt;&amp;&gt;&quot;/)
})
