/**
 * Pages of an execution's history (spec 01 §1.4, 11 §11.3–11.4): range reads of the journal by EventId. A marker is
 * the EventId of the last event given, whichever direction. Pages are full, and none leads to an empty one.
 */
import { decodeEntry } from '../engine/codec.ts'
import { historyEvents } from '../engine/history.ts'
import type { ExecutionStart } from '../engine/model.ts'
import type { ExecutionKey, Store } from '../journal/store.ts'
import type { HistoryEvent } from '../protocol/shapes.ts'
import type { DurableService } from './api.ts'
import { executionNotFound, invalidMarker } from './failures.ts'
import { pageSize, parsePosition } from './markers.ts'

type Request = Parameters<DurableService['history']>[0]
type Page = Awaited<ReturnType<DurableService['history']>>

/** What a page needs of the execution, as it is durably. */
export interface HistoryHead {
  readonly key: ExecutionKey
  readonly start: ExecutionStart
  readonly lastEventId: number
}

export async function readHistory(store: Store, head: HistoryHead, request: Request): Promise<Page> {
  const range = rangeOf(head.lastEventId, request)
  if (range.fromEventId > range.toEventId) return { Events: [] }
  const rows = await store.readHistory({ key: head.key, ...range })
  const events: HistoryEvent[] = []
  for (const { text } of rows) {
    for (const event of historyEvents(decodeEntry(text), head.start, request.includeData)) {
      if (event.EventId >= range.fromEventId && event.EventId <= range.toEventId) events.push(event)
    }
  }
  // Entries go with their execution only, which was deleted while it was being looked at.
  if (events.length !== range.toEventId - range.fromEventId + 1) throw executionNotFound()
  if (request.reverse) events.reverse()
  const more = request.reverse ? range.fromEventId > 1 : range.toEventId < head.lastEventId
  const last = request.reverse ? range.fromEventId : range.toEventId
  return more ? { Events: events, NextMarker: String(last) } : { Events: events }
}

function rangeOf(lastEventId: number, { marker, maxItems, reverse }: Request) {
  const position = parsePosition(marker)
  const items = pageSize(maxItems)
  if (position !== undefined && (position < 1 || position > lastEventId)) throw invalidMarker()
  if (reverse) {
    const toEventId = position === undefined ? lastEventId : position - 1
    return { fromEventId: Math.max(1, toEventId - items + 1), toEventId }
  }
  const fromEventId = (position ?? 0) + 1
  return { fromEventId, toEventId: Math.min(lastEventId, fromEventId + items - 1) }
}
