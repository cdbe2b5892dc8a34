/** A durable function with steps, waits and branches, which tells in its result what of it ran in one process. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

let atOnce = 0
let most = 0

async function busy<T>(value: T): Promise<T> {
  atOnce += 1
  most = Math.max(most, atOnce)
  await new Promise((resolve) => setTimeout(resolve, 20))
  atOnce -= 1
  return value
}

export const handler = withDurableExecution(async ({ n }: { n: number }, context: DurableContext) => {
  const first = await context.step('first', () => busy(n))
  context.logger.info(`execution ${n} goes on`)
  await context.wait('pause', { seconds: 1 })
  const branches = await context.parallel('branches', [
    async (branch) => branch.step('left', () => busy(first * 10)),
    async (branch) => {
      await branch.wait('branch pause', { seconds: 1 })
      return branch.step('right', () => busy(first * 100))
    },
  ])
  const failed = await context
    .step(
      'caught',
      async () => {
        if (n % 2 === 0) throw new Error(`even ${n}`)
        return 'odd'
      },
      { retryStrategy: () => ({ shouldRetry: false }) },
    )
    .catch((error: unknown) => (error as Error).message)
  const [left, right] = branches.getResults()
  return { sum: first + Number(left) + Number(right), failed, pid: process.pid, most }
})
