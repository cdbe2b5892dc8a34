/** The functions that work while others attack, and the one that only an attacker would start. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

export const honest = withDurableExecution(async ({ n }: { n: number }, context: DurableContext) => {
  const doubled = await context.step('double', async () => n * 2)
  await context.wait('pause', { seconds: 1 })
  return context.step('add-one', async () => doubled + 1)
})

export const canary = async (): Promise<string> => 'it sang'
