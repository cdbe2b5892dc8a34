/**
 * What clients and functions do in a cell while its server is struck. A story goes on as clients do: it repeats what
 * was not answered, notes what was, and at the end asks the promises of both. Which points a story reaches is not
 * written down anywhere: it is told once under trace.
 */
import type { CrashPoint } from '../../src/crash-point.ts'
import type { PerdureOptions } from '../../src/index.ts'
import type { Cell } from './cell.ts'

export interface Story {
  readonly name: string
  readonly options?: Partial<PerdureOptions>
  /** Points that mean more here than in the first story that reaches them. */
  readonly prefers?: readonly CrashPoint[]
  /** Executions lose so many invocations to this story itself. */
  readonly kills?: number
  tell(cell: Cell): Promise<void>
}

/** Everything that ordinary executions do, on a folder that did not exist. */
const life: Story = {
  name: 'life',
  async tell(cell) {
    await cell.begin()
    await Promise.all([approval(cell, 'a'), shipping(cell, 'b'), repeatedStart(cell), notice(cell, 'd')])
    await cell.close()
  },
}

/** A server that finds executions in every state, and hands them on to the next in the middle of their work. */
const relay: Story = {
  name: 'relay',
  kills: 1,
  prefers: [
    'recovery-begun',
    'recovery-midway',
    'recovery-armed',
    'recovery-done',
    'drain-begun',
    'drained',
    'wal-truncation-due',
    'wal-truncated',
  ],
  async tell(cell) {
    await cell.prelude()
    const starts = [cell.start('shipping', 'b'), cell.start('approval', 'a'), cell.start('busy', 'c')]
    await Promise.all(starts)
    // Now a duty is in the outbox, an invocation runs, others wait.
    await cell.noted('price', 'b')
    await cell.noted('ran', 'c')
    await cell.server.kill()

    await cell.begin()
    const { detail: callbackId } = await cell.noted('callback', 'a')
    await cell.server.stop()

    await cell.server.begin()
    await cell.rivalAnswers('a', callbackId)
    await Promise.all([cell.ends('a', /approved by/), cell.ends('b', /^110$/), cell.ends('c', /^5$/)])
    await cell.close()
  },
}

/** An execution that is long enough for a snapshot and for a removal in several steps. */
const removal: Story = {
  name: 'removal',
  options: { limits: { operationPayloadBytes: 6_000_000 } },
  async tell(cell) {
    await cell.begin()
    const arn = await cell.start('long', 'a')
    await cell.ends('a', /^7$/)
    await cell.proves('a')
    await cell.delete(arn, 'a')
    await startedAgain(cell, 'a')
    await cell.close()
  },
}

/** An execution that fills the write-ahead log until its pages are moved. */
const bulk: Story = {
  name: 'bulk',
  options: { limits: { operationPayloadBytes: 6_000_000 } },
  async tell(cell) {
    await cell.begin()
    await cell.start('bulky', 'a')
    await cell.ends('a', /^7$/)
    await cell.close()
  },
}

const DAY_MS = 86_400_000

/** Executions whose retention passes. */
const expiry: Story = {
  name: 'expiry',
  options: { clock: 'manual' },
  async tell(cell) {
    await cell.begin()
    const names = ['a', 'b', 'c']
    const before = await Promise.all(names.map((name) => cell.start('brief', name)))
    for (const name of names) {
      await cell.ends(name, /^7$/)
      await cell.proves(name)
    }
    cell.forget(names)
    for (const arn of before) {
      await cell.clients.until(async () => {
        if (await cell.isGone(arn)) return true
        // Repeated after a crash, for the clock of the next server is the system's again.
        await cell.advance(2 * DAY_MS)
        return undefined
      })
    }
    await startedAgain(cell, 'a')
    await cell.close()
  },
}

export const STORIES: readonly Story[] = [life, relay, removal, expiry, bulk]

// --------------------------------------------------------------------------------------------------- what clients do

async function approval(cell: Cell, name: string): Promise<void> {
  await cell.start('approval', name)
  const { detail: callbackId } = await cell.noted('callback', name)
  await cell.rivalAnswers(name, callbackId)
  await cell.ends(name, /approved by/)
}

/** A synchronous start: cut off, it is repeated and attaches to the execution that it had started. */
async function shipping(cell: Cell, name: string): Promise<void> {
  const { status, text, headers } = await cell.clients.call({
    method: 'POST',
    path: '/2015-03-31/functions/workflow:$LATEST/invocations',
    headers: { 'x-amz-durable-execution-name': name },
    body: JSON.stringify({ plan: 'shipping', name }),
    attemptMs: 5_000,
  })
  cell.claims.check(status === 200 && text === '110', `${name}: its caller got ${status} ${text}`)
  cell.acknowledged(name, headers.get('x-amz-durable-execution-arn') ?? '')
  await cell.ends(name, /^110$/)
}

/** A start without a name that an SDK repeats by itself: one execution, however often it was sent. */
async function repeatedStart(cell: Cell): Promise<void> {
  const call = {
    method: 'POST',
    path: '/2015-03-31/functions/workflow:$LATEST/invocations',
    headers: { 'x-amz-invocation-type': 'Event', 'amz-sdk-invocation-id': 'the-same-call' },
    body: JSON.stringify({ plan: 'brief', name: 'repeated' }),
  } as const
  const answers = [await cell.clients.call(call), await cell.clients.call(call)]
  const arns = new Set(answers.map(({ headers }) => headers.get('x-amz-durable-execution-arn') ?? ''))
  cell.claims.check(arns.size === 1, `one call started ${arns.size} executions`)
  const [arn = ''] = arns
  const own = arn.split('/').at(-2) ?? ''
  cell.acknowledged(own, arn)
  await cell.ends(own, /^7$/)
  const runs = cell.ledger().filter(({ word, execution }) => word === 'ran' && execution === 'repeated')
  cell.claims.check(runs.length >= 1, 'an acknowledged start never ran')
}

/** An Event for a plain function: once it was accepted it runs, at least once. */
async function notice(cell: Cell, name: string): Promise<void> {
  const { status, text } = await cell.clients.call({
    method: 'POST',
    path: '/2015-03-31/functions/errands/invocations',
    headers: { 'x-amz-invocation-type': 'Event' },
    body: JSON.stringify({ errand: 'notice', name }),
  })
  cell.claims.check(status === 202, `the event for ${name} got ${status} ${text}`)
  await cell.noted('notice', name)
}

/** The name of an execution that is gone is free. */
async function startedAgain(cell: Cell, name: string): Promise<void> {
  const own = `${name}-again`
  await cell.start('brief', own, name)
  await cell.ends(own, /^7$/)
}
