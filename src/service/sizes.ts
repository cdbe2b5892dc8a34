/** How much memory folded data takes, roughly: enough to bound a cache, cheap enough for every entry. */
import { type Entry, INLINE_TEXT_CHARS, type JournalEvent, type OperationState } from '../engine/model.ts'

/** An operation's own members, its places in maps, and its ids. */
const OPERATION_BYTES = 512
/** What a state weighs before its first operation. */
export const STATE_BYTES = 2_048

const inline = (length: number): number => (length > INLINE_TEXT_CHARS ? 0 : length)

function eventBytes({ result, input, error }: JournalEvent): number {
  const textBytes = inline(result?.length ?? 0) + inline(input?.length ?? 0)
  if (error === undefined) return OPERATION_BYTES + textBytes
  const { ErrorMessage = '', ErrorData = '', StackTrace = [] } = error
  return OPERATION_BYTES + textBytes + ErrorMessage.length + ErrorData.length + 80 * StackTrace.length
}

/** What folding the entry adds to a state, at most. */
export function inlineBytes(entry: Entry): number {
  let bytes = entry.kind === 'started' ? STATE_BYTES : 64
  for (const event of entry.events) bytes += eventBytes(event)
  return bytes
}

/** About what an operation takes as JSON in an answer. */
export function shownBytes({ result, error, name }: OperationState): number {
  const resultBytes = result === undefined ? 0 : result.length
  const errorBytes = error === undefined ? 0 : JSON.stringify(error).length
  return 300 + resultBytes + errorBytes + (name?.length ?? 0)
}
