import type { BatchResult, CompletionReason } from '@aws/durable-execution-sdk-js'

/** What the requirements of map and parallel ask about a batch, in the words they use. */
export function countsOf(batch: BatchResult<unknown>): {
  completionReason: CompletionReason
  successCount: number
  failureCount: number
  totalCount: number
} {
  const { completionReason, successCount, failureCount, totalCount } = batch
  return { completionReason, successCount, failureCount, totalCount }
}

export function countsAndStatusOf(batch: BatchResult<unknown>): ReturnType<typeof countsOf> & { status: string } {
  return { ...countsOf(batch), status: batch.status }
}

/** A branch or item that always fails. */
export async function fails(): Promise<never> {
  throw new Error('this one fails')
}
