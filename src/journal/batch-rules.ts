/**
 * What every store refuses before it looks at its data: batches that no caller may send. Checked where the batch
 * arrives, so that a malformed one cannot take down the transaction that it would share with others.
 */

import type { AppendBatch, AppendItem } from './store.ts'
import { StoreError } from './store-error.ts'

export function checkBatch(batch: AppendBatch): void {
  for (const item of batch.items) checkItem(item)
}

function checkItem(item: AppendItem): void {
  if (!Number.isSafeInteger(item.firstSeq) || item.firstSeq < 1) {
    throw new StoreError('refused', `An append needs a positive whole firstSeq, got ${item.firstSeq}.`)
  }
  for (const entry of item.entries) {
    if (typeof entry.text !== 'string' || !Number.isSafeInteger(entry.firstEventId)) {
      throw new StoreError('refused', 'An entry needs a text and a whole firstEventId.')
    }
  }
  if ('create' in item.target) {
    if (item.index === undefined) throw new StoreError('refused', 'A new execution needs its index row.')
    if (item.entries.length === 0) throw new StoreError('refused', 'A new execution needs its first entry.')
  }
}

export function openExecutionKept(executionId: string): StoreError {
  return new StoreError('refused', `Execution ${executionId} is open: only a closed execution can be purged.`)
}

const MS_PER_DAY = 86_400_000

/** When an execution may be purged; undefined while it is open. The SQLite schema computes the same. */
export function expiresAtMs(endedAt: number | undefined, retentionDays: number): number | undefined {
  return endedAt === undefined ? undefined : endedAt + retentionDays * MS_PER_DAY
}
