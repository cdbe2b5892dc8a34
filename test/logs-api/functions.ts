/** What the tests of the log calls run. */
import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js'

/** Logs by the SDK's logger in and between its operations, and by the console. */
export const order = withDurableExecution(async ({ name }: { readonly name: string }, context: DurableContext) => {
  context.logger.info('took the order', { name })
  await context.step('reserve', async (step) => {
    step.logger.warn('few are left')
    return 1
  })
  await context.wait('a moment', { seconds: 1 })
  const stock = await context.invoke('ask', 'stock:$LATEST', { name })
  context.logger.error('shipped', new RangeError('too far'))
  console.log('by the console')
  return stock
})

export const stock = withDurableExecution(async ({ name }: { readonly name: string }, context: DurableContext) => {
  context.logger.info('looked', { name })
  return 7
})

export const chatty = async ({ lines }: { readonly lines: number }): Promise<void> => {
  for (let n = 0; n < lines; n += 1) {
    process.stdout.write(`${JSON.stringify({ level: n % 10 === 0 ? 'warn' : 'info', n })}\n`)
  }
}
