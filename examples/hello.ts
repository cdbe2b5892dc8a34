/** The smallest durable function: a step, a wait, a step. During the wait no process is needed. */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

interface Greeting {
  readonly name?: string
}

export const handler = withDurableExecution<Greeting, string>(async (event, context) => {
  const greeting = await context.step('greet', async () => `Hello, ${event.name ?? 'world'}`)
  await context.wait('pause', { seconds: 2 })
  return await context.step('sign', async () => `${greeting}! Still here.`)
})
