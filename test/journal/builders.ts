/** Rows and batches for the tests of the journal room: each builder gives a valid value, of which a test changes what it is about. */
import type {
  AppendItem,
  AppendResult,
  ExecutionKey,
  IndexRow,
  NewExecution,
  OutboxRow,
  Store,
} from '../../src/journal/store.ts'

export const RUNNING: IndexRow = { status: 'RUNNING', endedAt: undefined, wake: { kind: 'ready' } }

export const closedAt = (endedAt: number): IndexRow => ({ status: 'SUCCEEDED', endedAt, wake: undefined })

export function newExecution(executionId: string, changes: Partial<NewExecution> = {}): NewExecution {
  return {
    executionId,
    arn: `arn:aws:lambda:us-east-1:000000000000:function:orders:1/durable-execution/${executionId}/${executionId}`,
    name: executionId,
    functionName: 'orders',
    version: '1',
    startedAt: 1_000,
    inputHash: 'a1b2',
    retentionDays: 1,
    sdkInvocationId: undefined,
    ...changes,
  }
}

export const entry = (firstEventId: number, text = `{"firstEventId":${firstEventId}}`) => ({ firstEventId, text })

export function creation(start: NewExecution, changes: Partial<AppendItem> = {}): AppendItem {
  return { target: { create: start }, firstSeq: 1, entries: [entry(1)], index: RUNNING, outbox: [], ...changes }
}

export function extension(key: ExecutionKey, firstSeq: number, changes: Partial<AppendItem> = {}): AppendItem {
  return { target: { key }, firstSeq, entries: [entry(firstSeq)], index: undefined, outbox: [], ...changes }
}

export const duty = (id: string, executionId = 'e1'): OutboxRow => ({ id, executionId, text: `{"duty":"${id}"}` })

export async function appendOne(store: Store, item: AppendItem): Promise<AppendResult> {
  const [result] = await store.append({ items: [item], settled: [] })
  if (result === undefined) throw new Error('An append of one item gave no result.')
  return result
}

/** Appends an item that must succeed. */
export async function appended(store: Store, item: AppendItem): Promise<ExecutionKey> {
  const result = await appendOne(store, item)
  if (!result.ok) throw new Error(`The append was expected to succeed: ${result.reason}.`)
  return result.key
}

export const started = (
  store: Store,
  executionId: string,
  changes: Partial<NewExecution> = {},
): Promise<ExecutionKey> => appended(store, creation(newExecution(executionId, changes)))

/** Starts an execution and ends it. */
export async function ended(
  store: Store,
  executionId: string,
  endedAt: number,
  changes: Partial<NewExecution> = {},
): Promise<ExecutionKey> {
  const key = await started(store, executionId, changes)
  await appended(store, extension(key, 2, { index: closedAt(endedAt) }))
  return key
}

/** The texts of a journal. */
export async function texts(store: Store, key: ExecutionKey): Promise<string[]> {
  const rows = await store.readJournal({ key, afterSeq: 0, maxBytes: Number.MAX_SAFE_INTEGER })
  return rows.map((row) => row.text)
}
