/**
 * The life of a durable function, which each client goes through by its own means, and what all of them must see:
 * created, waited for, changed, published, pointed to, invoked, approved, refused, stopped, listed, deleted.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { packageOf } from '../versions/registered.ts'

/** The name of the error's class in the client, its HTTP status where the client tells it, its text. */
export type Refusal = readonly [name: string, status: number | undefined, text: string]

export interface Life {
  readonly created: {
    readonly arn: string
    readonly version: string
    /** What was uploaded has the hash that the service tells. */
    readonly isOne: boolean
    readonly durable: unknown
  }
  readonly updated: {
    readonly timeout: number
    readonly description: string
    readonly state: string
    readonly lastUpdate: string
    readonly isTwo: boolean
  }
  readonly published: { readonly version: string; readonly alias: string; readonly versions: readonly string[] }
  readonly invoked: {
    readonly status: number
    readonly version: string
    readonly result: unknown
    readonly execution: string
  }
  /** Of an input of 5 MB. */
  readonly large: unknown
  readonly approved: {
    readonly accepted: number
    readonly status: string
    readonly result: unknown
    readonly input: unknown
    /** By the client's idea of the times that the service tells. */
    readonly seconds: number
    readonly sinceStart: number
    /** Types of events, read in pages of two. */
    readonly history: readonly string[]
  }
  readonly refused: { readonly status: string; readonly message: string }
  readonly stopped: { readonly status: string; readonly error: unknown }
  /** Names, read in pages of two, oldest first; newest first of those that did not succeed. */
  readonly listed: { readonly all: readonly string[]; readonly ended: readonly string[] }
  readonly plain: { readonly result: string; readonly log: string; readonly failed: string; readonly error: string }
  readonly refusals: Readonly<Record<keyof typeof refusals, Refusal>>
  readonly deleted: Refusal
}

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:orders'

const refusals = {
  again: ['ResourceConflictException', 409, 'Function already exist: orders'],
  unknown: [
    'ResourceNotFoundException',
    404,
    'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody',
  ],
  nameTaken: ['DurableExecutionAlreadyStartedException', 409, /^Execution already started: arn:/],
  unqualified: [
    'InvalidParameterValueException',
    400,
    'You cannot invoke a durable function using an unqualified ARN.',
  ],
  notJson: ['InvalidRequestContentException', 400, /^Could not parse request body into json: /],
  callbackOver: ['CallbackTimeoutException', 400, 'The callback is either timed out or already completed'],
  pointedTo: ['ResourceConflictException', 409, /alias/],
  changedMeanwhile: ['PreconditionFailedException', 412, /^The Revision Id provided does not match/],
} as const

/** Files of the two deployment packages that a client uploads. */
export async function packages(folder: string): Promise<readonly [one: string, two: string]> {
  const made = await Promise.all(['hello', 'welcome'].map((greeting) => packageFile(folder, greeting)))
  return made as [string, string]
}

async function packageFile(folder: string, greeting: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'handlers', 'node', 'orders.ts')],
    define: { GREETING: JSON.stringify(greeting) },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    logLevel: 'silent',
  })
  const file = join(folder, `${greeting}.zip`)
  writeFileSync(file, packageOf({ 'index.js': outputFiles[0]?.text ?? '' }))
  return file
}

export function assertLife(life: Life): void {
  const durable = { ExecutionTimeout: 600, RetentionPeriodInDays: 1 }
  assert.deepEqual(life.created, { arn: ARN, version: '$LATEST', isOne: true, durable })
  assert.deepEqual(life.updated, {
    timeout: 20,
    description: 'of orders',
    state: 'Active',
    lastUpdate: 'Successful',
    isTwo: true,
  })
  assert.deepEqual(life.published, { version: '1', alias: `${ARN}:live`, versions: ['$LATEST', '1'] })

  const { execution, ...invoked } = life.invoked
  const result = { greeting: 'welcome Ada', stage: 'test', bytes: 0 }
  assert.deepEqual(invoked, { status: 200, version: '1', result })
  assert.ok(execution.startsWith(`${ARN}:1/durable-execution/first/`), execution)
  assert.deepEqual(life.large, { ...result, bytes: 5_000_000 })

  const { seconds, sinceStart, history, ...approved } = life.approved
  assert.deepEqual(approved, {
    accepted: 202,
    status: 'SUCCEEDED',
    result: '"Grace"',
    input: { name: 'Ada', approval: true },
  })
  assert.ok(seconds > 0 && seconds < sinceStart && sinceStart < 60, `${seconds} s, begun ${sinceStart} s ago`)
  // The function may be awake or asleep when the callback comes; so much is certain.
  const certain = history.filter((type) => !/^(InvocationCompleted|Callback|Step)/.test(type))
  assert.deepEqual(certain, ['ExecutionStarted', 'ContextStarted', 'ContextSucceeded', 'ExecutionSucceeded'])
  for (const type of ['CallbackStarted', 'CallbackSucceeded']) {
    assert.equal(history.filter((each) => each === type).length, 1, `${type} in ${history}`)
  }

  assert.equal(life.refused.status, 'FAILED')
  assert.match(life.refused.message, /too dear/)
  assert.deepEqual(life.stopped, { status: 'STOPPED', error: { ErrorType: 'Operator', ErrorMessage: 'enough' } })
  assert.deepEqual(life.listed, {
    all: ['first', 'large', 'approved', 'refused', 'stopped'],
    ended: ['stopped', 'refused'],
  })

  const { log, ...plain } = life.plain
  assert.deepEqual(plain, { result: 'hello Ada', failed: 'Unhandled', error: 'nobody is there' })
  assert.match(log, /^START RequestId: .*\n(.*\t)?greeting Ada\nEND RequestId: .*\nREPORT RequestId: /)

  for (const [title, refusal] of Object.entries(refusals)) {
    assertRefusal(title, life.refusals[title as keyof typeof refusals], refusal)
  }
  assertRefusal('deleted', life.deleted, ['ResourceNotFoundException', 404, `Function not found: ${ARN}`])
}

function assertRefusal(
  title: string,
  [name, status, text]: Refusal,
  [wantedName, wantedStatus, wantedText]: readonly [string, number, string | RegExp],
): void {
  assert.equal(name, wantedName, `${title}: ${text}`)
  if (status !== undefined) assert.equal(status, wantedStatus, title)
  if (typeof wantedText === 'string') assert.equal(text, wantedText, title)
  else assert.match(text, wantedText, title)
}
