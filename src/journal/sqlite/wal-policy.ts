/**
 * When pages move from the WAL to the database. Never inside a commit: the reader moves them in the background, and the
 * log begins anew once all of it has been moved and the next commit comes. Under load without a pause the writer is
 * always a little ahead, so at a bound the writer itself moves the rest, after it has answered. Hence a bounded WAL
 * (decision 28) at the price of one short stall per bound.
 *
 * A page that changes often is moved once for many changes, so moving late is less work: with 32 callers the p99 of an
 * append fell from 4.7 to 1.7 ms when the background began at 8,000 pages and not at 1,000 (`bench/store.ts`).
 */
export interface WalSize {
  readonly pages: number
  readonly movedPages: number
}

export const DEFAULT_WAL_BYTES = 67_108_864
/** SQLite's default, which every journal has. */
const PAGE_BYTES = 4_096

export function isWorthMoving(wal: WalSize, boundBytes: number): boolean {
  return (wal.pages - wal.movedPages) * PAGE_BYTES >= boundBytes / 2
}

export function isAtBound(wal: WalSize, boundBytes: number): boolean {
  return wal.pages * PAGE_BYTES >= boundBytes
}
