/** What the soak's executions run on the unmodified official SDK. Every effect goes into the outside ledger. */
import {
  createRetryStrategy,
  type DurableContext,
  JitterStrategy,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'
import { note } from './note.ts'
import { LARGE_LETTER, type StoryKind, type StoryOrder } from './orders.ts'

/** A step that throws in a third of its attempts gives up with a chance of one in ten billion. */
const FLAKY = 0.3
export const RETRY_SECONDS = 1
const patient = {
  retryStrategy: createRetryStrategy({
    maxAttempts: 20,
    initialDelay: { seconds: RETRY_SECONDS },
    backoffRate: 1,
    jitter: JitterStrategy.NONE,
  }),
}

async function tracked<T>(context: DurableContext, execution: string, step: string, work: () => T): Promise<T> {
  const result = await context.step(
    step,
    async () => {
      note('ran', execution, step)
      return work()
    },
    patient,
  )
  note('done', execution, step)
  return result
}

function flaky<T>(execution: string, step: string, result: T): T {
  if (Math.random() < FLAKY) {
    note('threw', execution, step)
    throw new Error('thrown on purpose')
  }
  return result
}

async function pause(context: DurableContext, execution: string, wait: string, seconds: number): Promise<void> {
  note('begin', execution, wait, seconds)
  await context.wait(wait, { seconds })
  note('woke', execution, wait, seconds)
}

type Story = (order: StoryOrder, context: DurableContext) => Promise<unknown>

const STORIES: Readonly<Record<StoryKind, Story>> = {
  async mixed({ name, waits, size }, context) {
    let sum = await tracked(context, name, 'first', () => flaky(name, 'first', 1))
    await pause(context, name, 'pause', waits[0] ?? 1)
    const branches = await context.parallel('branches', [
      async (branch) => tracked(branch, name, 'left', () => 10),
      async (branch) => {
        await pause(branch, name, 'branch-pause', waits[1] ?? 1)
        return tracked(branch, name, 'right', () => 20)
      },
    ])
    for (const value of branches.getResults()) sum += value
    await context.waitForCallback('approval', async (callbackId) => note('callback', name, 'approval', callbackId))
    sum += await context.invoke<{ name: string }, number>('child', 'child:$LATEST', { name })
    for (let i = 0; i < size; i++) sum += await tracked(context, name, `loop-${i}`, () => 100)
    return sum
  },
  async chain({ name, size }, context) {
    let sum = 0
    for (let i = 0; i < size; i++) sum += await tracked(context, name, `link-${i}`, () => i)
    return sum
  },
  async large({ name, waits, size }, context) {
    const text = await tracked(context, name, 'write', () => LARGE_LETTER.repeat(size * 1_000))
    await pause(context, name, 'pause', waits[0] ?? 1)
    return tracked(context, name, 'copy', () => text)
  },
  async fan({ name, size }, context) {
    const items = Array.from({ length: size }, (_, index) => index)
    const doubled = await context.map(
      'items',
      items,
      async (item, value) => tracked(item, name, `item-${value}`, () => value * 2),
      { maxConcurrency: 4 },
    )
    return doubled.getResults().reduce((sum, value) => sum + value, 0)
  },
  async sleeper({ name, waits }, context) {
    for (const [index, seconds] of waits.entries()) await pause(context, name, `pause-${index}`, seconds)
    return waits.length
  },
  async approval({ name }, context) {
    return context.waitForCallback<string>('approval', async (callbackId) =>
      note('callback', name, 'approval', callbackId),
    )
  },
}

export const story = withDurableExecution(async (order: StoryOrder, context: DurableContext) => {
  const result = await STORIES[order.kind](order, context)
  note('end', order.name)
  return result
})

/** Its effects are noted under the name of the execution that called it. */
export const child = withDurableExecution(async ({ name }: { name: string }, context: DurableContext) => {
  const value = await tracked(context, name, 'child-step', () => flaky(name, 'child-step', 1_000))
  await pause(context, name, 'child-pause', 1)
  return value
})
