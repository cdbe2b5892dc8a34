/**
 * A batch as it crosses to the writer's thread. Copying an object costs far more than copying the numbers and texts in
 * it: a plain entry takes 0.2 µs to send and 0.3 µs to receive when laid flat, 1.1 and 1.6 as objects. So what every
 * checkpoint appends (entries of an existing execution, and nothing else) is laid flat; the rest stays as it is.
 *
 *     numbers of a plain item: key, firstSeq, count, then firstEventId of each entry; its texts lie in `texts`
 *     numbers of another item: OTHER; the item lies in `others`
 *
 * A result is the key, or the negative number of a reason.
 */
import type { AppendBatch, AppendItem, AppendResult, ExecutionKey, OutboxRow } from '../store.ts'

export interface FlatBatch {
  readonly numbers: readonly number[]
  readonly texts: readonly string[]
  readonly others: readonly AppendItem[]
  readonly settled: readonly string[]
  readonly posted: readonly OutboxRow[]
}

/** No key: keys are positive. */
const OTHER = 0

export function flatten(batch: AppendBatch): FlatBatch {
  const numbers: number[] = []
  const texts: string[] = []
  const others: AppendItem[] = []
  for (const item of batch.items) {
    if ('create' in item.target || item.index !== undefined || item.outbox.length > 0) {
      numbers.push(OTHER)
      others.push(item)
      continue
    }
    numbers.push(Number(item.target.key), item.firstSeq, item.entries.length)
    for (const entry of item.entries) {
      numbers.push(entry.firstEventId)
      texts.push(entry.text)
    }
  }
  return { numbers, texts, others, settled: batch.settled, posted: batch.posted ?? [] }
}

/** The items of a batch, in order. */
export function itemsOf({ numbers, texts, others }: FlatBatch): AppendItem[] {
  const items: AppendItem[] = []
  let number = 0
  let text = 0
  let other = 0
  while (number < numbers.length) {
    const key = at(numbers, number++)
    if (key === OTHER) {
      items.push(at(others, other++))
      continue
    }
    const firstSeq = at(numbers, number++)
    const entries: { firstEventId: number; text: string }[] = []
    for (let left = at(numbers, number++); left > 0; left -= 1) {
      entries.push({ firstEventId: at(numbers, number++), text: at(texts, text++) })
    }
    items.push({ target: { key: key as ExecutionKey }, firstSeq, entries, index: undefined, outbox: [] })
  }
  return items
}

const REASONS = ['conflict', 'nameTaken', 'exists'] as const

export function flatResult(result: AppendResult): number {
  return result.ok ? Number(result.key) : -1 - REASONS.indexOf(result.reason)
}

export function resultOf(flat: number): AppendResult {
  const reason = REASONS[-1 - flat]
  return reason === undefined ? { ok: true, key: flat as ExecutionKey } : { ok: false, reason }
}

function at<Value>(values: readonly Value[], index: number): Value {
  const value = values[index]
  if (value === undefined) throw new RangeError('A flat batch ends in the middle of an item.')
  return value
}
