/** Pages of the classic lists (spec 02 §2.5): at most 50 entries, and a marker that says after which one to go on. */
import { invalidParameter, TEXT } from './errors.ts'

/** Pages hold at most so many, whatever MaxItems says. */
const PAGE = 50

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Absent on the last page. */
  readonly next: { readonly NextMarker?: string }
}

/**
 * `position` orders the entries and is unique. A marker names a position, not an entry, so it stays valid while entries
 * come and go.
 */
export function pageOf<Item>(
  all: readonly Item[],
  position: (item: Item) => string,
  { Marker, MaxItems }: { readonly Marker?: string; readonly MaxItems?: number },
): Page<Item> {
  const after = Marker === undefined || Marker === '' ? undefined : readMarker(Marker)
  const rest = all
    .map((item) => ({ item, at: position(item) }))
    .filter(({ at }) => after === undefined || at > after)
    .sort((a, b) => (a.at < b.at ? -1 : 1))
  const page = rest.slice(0, Math.min(MaxItems ?? PAGE, PAGE))
  const last = page.at(-1)
  return {
    items: page.map(({ item }) => item),
    next: last !== undefined && page.length < rest.length ? { NextMarker: writeMarker(last.at) } : {},
  }
}

/** Versions in their order: `$LATEST`, then by number. */
export const versionPosition = (version: string): string => (version === '$LATEST' ? '' : version.padStart(16))

const writeMarker = (position: string): string => Buffer.from(`after ${position}`).toString('base64url')

function readMarker(marker: string): string {
  const [, position] = /^after (.*)$/s.exec(Buffer.from(marker, 'base64url').toString()) ?? []
  if (position === undefined || writeMarker(position) !== marker) throw invalidParameter(TEXT.invalidMarker)
  return position
}
