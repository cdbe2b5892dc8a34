/** What handlers in every language do, and what the service must tell of it: one table for all of them. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Found, given, reason } from './kept.ts'
import type { Language } from './languages.ts'
import { type Outcome, Served } from './served.ts'
import { assertWellFormed, invocations, work } from './told.ts'

interface Scenario {
  /** As the handlers call it. */
  readonly name: string
  readonly input?: Readonly<Record<string, unknown>>
  /** Of the execution; or what its error says. */
  readonly result: unknown
  readonly error?: RegExp
  /** Between the start of the execution and its end. */
  readonly work: readonly string[]
  /** Branches are at work at the same time: what happened counts, not in which order. */
  readonly inAnyOrder?: true
  /** How many invocations it takes; the errors of those that fail. */
  readonly invocations: readonly (string | undefined)[] | number
  /** What the steps wrote down, each run of them. */
  readonly ledger?: readonly string[]
  /** With this the callback is completed once the function sleeps. */
  readonly answer?: string
}

/** The most that a step may return: in JSON, its quotes included. */
const STEP_BYTES = 262_144 - 2
/** With the rest of the event, and of the result, a little less than 6 MB. */
const PADDING = 'p'.repeat(6_290_000)

const PARTS = 40
const PART_BYTES = 200_000

const scenarios: readonly Scenario[] = [
  {
    name: 'retry',
    result: { attempt: 2 },
    work: ['StepStarted flaky', 'StepFailed flaky #1 +1s', 'StepStarted flaky', 'StepSucceeded flaky #2'],
    invocations: 2,
  },
  {
    name: 'failure',
    result: undefined,
    error: /out of stock$/,
    work: ['StepStarted order', 'StepFailed order #1'],
    invocations: 1,
  },
  { name: 'wait', result: 'waited', work: ['WaitStarted pause 1s', 'WaitSucceeded pause'], invocations: 2 },
  {
    name: 'callback',
    answer: '{"by":"Grace","när":"genast"}',
    result: { by: 'Grace', när: 'genast' },
    work: [
      'ContextStarted approval',
      'CallbackStarted approval/Callback',
      'StepStarted approval/Step',
      'StepSucceeded approval/Step #1',
      'CallbackSucceeded approval/Callback',
      'ContextSucceeded approval',
    ],
    invocations: 2,
    ledger: ['asked'],
  },
  {
    name: 'child',
    result: 'found',
    work: [
      'ContextStarted room',
      'StepStarted room/look',
      'StepSucceeded room/look #1',
      'WaitStarted room/rest 1s',
      'WaitSucceeded room/rest',
      'ContextSucceeded room',
    ],
    invocations: 2,
  },
  {
    name: 'map',
    input: { numbers: [1, 2, 3] },
    result: [2, 4, 6],
    work: [
      'ContextStarted numbers',
      ...[1, 2, 3].flatMap(() => [
        'ContextStarted numbers/MapIteration',
        'StepStarted numbers/MapIteration/double',
        'StepSucceeded numbers/MapIteration/double #1',
        'ContextSucceeded numbers/MapIteration',
      ]),
      'ContextSucceeded numbers',
    ],
    inAnyOrder: true,
    invocations: 1,
  },
  {
    name: 'parallel',
    result: ['hare', 'tortoise'],
    work: [
      'ContextStarted both',
      'ContextStarted both/quick',
      'StepStarted both/quick/run',
      'StepSucceeded both/quick/run #1',
      'ContextSucceeded both/quick',
      'ContextStarted both/slow',
      'WaitStarted both/slow/nap 1s',
      'WaitSucceeded both/slow/nap',
      'StepStarted both/slow/walk',
      'StepSucceeded both/slow/walk #1',
      'ContextSucceeded both/slow',
      'ContextSucceeded both',
    ],
    inAnyOrder: true,
    invocations: 2,
  },
  {
    name: 'condition',
    result: 3,
    work: [
      'StepStarted third time',
      'StepSucceeded third time #1 +1s',
      'StepStarted third time',
      'StepSucceeded third time #2 +1s',
      'StepStarted third time',
      'StepSucceeded third time #3',
    ],
    invocations: 3,
  },
  {
    name: 'large',
    input: { stepBytes: STEP_BYTES, padding: PADDING },
    result: { made: STEP_BYTES, padding: PADDING },
    work: ['StepStarted large', 'StepSucceeded large #1', 'WaitStarted pause 1s', 'WaitSucceeded pause'],
    invocations: 2,
  },
  {
    // More than the event of an invocation holds: the SDK reads the rest of it page by page.
    name: 'many',
    input: { steps: PARTS, stepBytes: PART_BYTES },
    result: PARTS * PART_BYTES,
    work: [
      ...Array.from({ length: PARTS }, (_, index) => [
        `StepStarted part ${index}`,
        `StepSucceeded part ${index} #1`,
      ]).flat(),
      'WaitStarted pause 1s',
      'WaitSucceeded pause',
    ],
    invocations: 2,
  },
  {
    name: 'crash',
    result: 'survived',
    work: ['before', 'fatal', 'after'].flatMap((step) => [`StepStarted ${step}`, `StepSucceeded ${step} #1`]),
    invocations: ['Runtime.ExitError', undefined],
    ledger: ['before', 'fatal', 'fatal', 'after'],
  },
  {
    // At most once for each attempt: the one that the process took with it has failed.
    name: 'interrupted',
    result: 'tried again',
    work: ['StepStarted once', 'StepFailed once #1 +1s', 'StepStarted once', 'StepSucceeded once #2'],
    invocations: ['Runtime.ExitError', undefined, undefined],
    ledger: ['fatal', 'fatal'],
  },
]

/** A function of the language is deployed to a server, and goes through all of them. */
export function runScenarios(title: string, found: Found<Language>): void {
  test(`${title}: every operation`, { skip: reason(found) }, async (t) => {
    const language = given(found)
    const served = await Served.start(t, language.runtimes)
    await served.deploy(language)
    for (const scenario of scenarios) {
      await t.test(scenario.name, () => runScenario(served, language, scenario))
    }
  })
}

async function runScenario(served: Served, language: Language, scenario: Scenario): Promise<void> {
  const ledger = join(served.place, `${scenario.name}.ledger`)
  const input = { scenario: scenario.name, ledger, ...scenario.input }
  const outcome =
    scenario.answer === undefined
      ? await served.run(language.name, input)
      : await answered(served, await served.start(language.name, input), scenario.answer)

  assert.equal(outcome.status, scenario.error === undefined ? 'SUCCEEDED' : 'FAILED', JSON.stringify(outcome.error))
  assert.deepEqual(outcome.result, scenario.result)
  if (scenario.error !== undefined) assert.match(outcome.error?.ErrorMessage ?? '', scenario.error)

  const history = await served.history(outcome.arn)
  assertWellFormed(history)
  const inOrder = (lines: readonly string[]) => (scenario.inAnyOrder ? lines.toSorted() : lines)
  const end = scenario.error === undefined ? 'ExecutionSucceeded' : 'ExecutionFailed'
  assert.deepEqual(inOrder(work(history)), inOrder(['ExecutionStarted', ...scenario.work, end]))
  const ends = invocations(history)
  if (typeof scenario.invocations === 'number') assert.equal(ends.length, scenario.invocations)
  else assert.deepEqual(ends, scenario.invocations)

  const written = existsSync(ledger) ? readFileSync(ledger, 'utf8').trimEnd().split('\n') : []
  assert.deepEqual(written, scenario.ledger ?? [])
}

async function answered(served: Served, arn: string, answer: string): Promise<Outcome> {
  await served.succeed(await served.callbackOf(arn), answer)
  return await served.ended(arn)
}
