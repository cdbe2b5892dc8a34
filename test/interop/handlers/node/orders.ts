/** What the clients deploy: a durable function and a plain one. */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

/** Set when the package is made, so that two packages differ. */
declare const GREETING: string

interface Order {
  readonly name: string
  /** Waits for somebody's word. */
  readonly approval?: boolean
  readonly padding?: string
}

export const handler = withDurableExecution<Order, unknown>(async ({ name, approval, padding = '' }, context) => {
  const greeting = await context.step('greet', async () => `${GREETING} ${name}`)
  if (approval !== true) return { greeting, stage: process.env['STAGE'], bytes: padding.length }
  return await context.waitForCallback('approval', async () => undefined)
})

export async function plain({ name }: Order): Promise<string> {
  console.log('greeting', name)
  if (name === '') throw new RangeError('nobody is there')
  return `${GREETING} ${name}`
}
