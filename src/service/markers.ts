/**
 * Markers of pages are positions, so that they stay valid and mean the same while a list grows (spec 11 §11.4). They
 * are opaque to clients; ours are readable all the same.
 */
import { invalidMarker } from './failures.ts'

/** 0 and absent mean 100, and no page has more than 1,000 (spec 01 §1.0). */
export const pageSize = (maxItems: number | undefined): number =>
  maxItems === undefined || maxItems === 0 ? 100 : Math.min(maxItems, 1_000)

/** A marker that is one whole number: an EventId or an ordinal. */
export function parsePosition(marker: string | undefined): number | undefined {
  if (marker === undefined || marker === '') return undefined
  if (!/^\d{1,15}$/.test(marker)) throw invalidMarker()
  return Number(marker)
}

export interface ListPosition {
  readonly startedAt: number
  readonly executionId: string
}

export const formatListMarker = ({ startedAt, executionId }: ListPosition): string => `${startedAt}.${executionId}`

export function parseListMarker(marker: string | undefined): ListPosition | undefined {
  if (marker === undefined || marker === '') return undefined
  const match = /^(\d{1,15})\.([a-zA-Z0-9_-]{1,64})$/.exec(marker)
  const [, startedAt, executionId] = match ?? []
  if (startedAt === undefined || executionId === undefined) throw invalidMarker()
  return { startedAt: Number(startedAt), executionId }
}
