/**
 * The mixed workload of the kill test. Each step appends to the ledger, a file that no server touches, when its code
 * runs; the workflow appends when the line after its `await` was reached: then the step is finished, and must never
 * run again.
 */
import { appendFileSync } from 'node:fs'
import {
  createRetryStrategy,
  type DurableContext,
  JitterStrategy,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'

const note = (...words: readonly string[]): void => {
  appendFileSync(process.env['LEDGER'] ?? '', `${words.join(' ')}\n`)
}

const quickRetry = {
  retryStrategy: createRetryStrategy({
    maxAttempts: 3,
    initialDelay: { seconds: 1 },
    backoffRate: 1,
    jitter: JitterStrategy.NONE,
  }),
}

async function tracked<T>(context: DurableContext, name: string, execution: string, work: () => T): Promise<T> {
  const result = await context.step(
    name,
    async () => {
      note('ran', execution, name)
      return work()
    },
    quickRetry,
  )
  note('done', execution, name)
  return result
}

export const mixed = withDurableExecution(async (event: { name: string }, context: DurableContext) => {
  const { name } = event
  let sum = await tracked(context, 'first', name, () => 1)
  await context.wait('pause', { seconds: 1 })
  const branches = await context.parallel('branches', [
    async (branch) => tracked(branch, 'left', name, () => 10),
    async (branch) => {
      await branch.wait('branch-pause', { seconds: 2 })
      return tracked(branch, 'right', name, () => 20)
    },
  ])
  for (const value of branches.getResults()) sum += value
  const answer = await context.waitForCallback('approval', async (callbackId) => {
    note('callback', name, callbackId)
  })
  await tracked(context, 'after-approval', name, () => answer)
  sum += await context.invoke<{ name: string }, number>('child', 'child:$LATEST', { name: `${name}-child` })
  for (let i = 0; i < 3; i++) {
    sum += await tracked(context, `loop-${i}`, name, () => 100)
    await context.wait(`loop-pause-${i}`, { seconds: 1 })
  }
  return sum
})

export const child = withDurableExecution(async (event: { name: string }, context: DurableContext) => {
  const value = await tracked(context, 'child-step', event.name, () => 1000)
  await context.wait('child-pause', { seconds: 1 })
  return value
})

/** What every mixed execution returns. */
export const MIXED_RESULT = 1 + 10 + 20 + 1000 + 300
