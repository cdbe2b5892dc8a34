/** What the steps benchmark runs: the official SDK as users have it, with its own client. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

const steps = (count: number) =>
  withDurableExecution(async (_event: unknown, context: DurableContext) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += await context.step(`step-${i}`, async () => i)
    return sum
  })

export const three = steps(3)
export const ten = steps(10)
