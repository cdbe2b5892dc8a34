/**
 * When pages move from the WAL to the database. Never inside a commit: the reader moves them in the background, and the
 * log begins anew once all of it has been moved and the next commit comes. Under load without a pause the writer is
 * always a little ahead, so at a bound the writer itself moves the rest, after it has answered. Hence a bounded WAL
 * (decision 28) at the price of one short stall per bound.
 */
export interface WalSize {
  readonly pages: number
  readonly movedPages: number
}

export const BACKGROUND_PAGES = 1_000
export const BOUND_PAGES = 16_384

export function isWorthMoving(wal: WalSize): boolean {
  return wal.pages - wal.movedPages >= BACKGROUND_PAGES
}

export function isAtBound(wal: WalSize): boolean {
  return wal.pages >= BOUND_PAGES
}
