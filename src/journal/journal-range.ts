/** Which entries of a journal a reader gets: the two range rules that every store follows. */
import type { JournalRow } from './store.ts'

/** The leading rows whose texts fit into `maxBytes` of UTF-8, and the first in any case. */
export function takeWithinBytes(rows: Iterable<JournalRow>, maxBytes: number): JournalRow[] {
  const taken: JournalRow[] = []
  let bytes = 0
  for (const row of rows) {
    bytes += Buffer.byteLength(row.text)
    if (taken.length > 0 && bytes > maxBytes) break
    taken.push(row)
  }
  return taken
}

/**
 * The seq at which a history range begins: the last entry that begins at or before `fromEventId` (1 if none does).
 * `firstEventId` never falls, so this is a binary search and needs no index of its own.
 *
 *     firstEventIds 1 2 2 5, from 2 → 3 (entry 2 holds no events)
 *     firstEventIds 1 2 2 5, from 4 → 3
 *     firstEventIds 1 2 2 5, from 9 → 4
 */
export function seqHoldingEvent(
  newestSeq: number,
  fromEventId: number,
  firstEventIdOf: (seq: number) => number,
): number {
  let low = 1
  let high = newestSeq
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (firstEventIdOf(middle) <= fromEventId) low = middle
    else high = middle - 1
  }
  return low
}
