import type { DurableContext } from '@aws/durable-execution-sdk-js'
import { ledgerOf } from './ledger.ts'

/** A step that the ledger can vouch for: tried three times, a second apart, and noted when it runs and when it has finished. */
export async function recordedStep<T>(
  context: DurableContext,
  name: string,
  code: (attempt: number) => Promise<T>,
): Promise<T> {
  const ledger = ledgerOf(context.executionContext.durableExecutionArn)
  const result = await context.step(
    name,
    async (step) => {
      ledger.ran(name)
      return await code(step.attempt)
    },
    { retryStrategy: (_error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) },
  )
  ledger.finished(name)
  return result
}
