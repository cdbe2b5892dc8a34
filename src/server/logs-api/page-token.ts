/**
 * The tokens of pages. Opaque to clients; those of events name a direction and a position in the log, so that a page
 * goes on where the last one ended, whatever was written or removed meanwhile.
 */
import { invalidLogParameter } from '../../protocol/logs/log-errors.ts'

export interface EventsToken {
  readonly direction: 'forward' | 'backward'
  readonly position: number
}

export const eventsToken = ({ direction, position }: EventsToken): string =>
  `${direction === 'forward' ? 'f' : 'b'}/${String(position).padStart(56, '0')}`

export function readEventsToken(text: string): EventsToken {
  const [, direction, digits] = /^([fb])\/(\d{40}\d{16})$/.exec(text) ?? []
  const position = Number(digits)
  if (direction === undefined || !Number.isSafeInteger(position)) throw invalidToken()
  return { direction: direction === 'f' ? 'forward' : 'backward', position }
}

/** A page of a list that is sorted by a key: the token is the key that the last page ended with. */
export function pageAfter<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  { nextToken, limit }: { readonly nextToken?: string; readonly limit: number },
): { readonly items: readonly Item[]; readonly next: { readonly nextToken?: string } } {
  const begin = nextToken === undefined ? 0 : items.findIndex((item) => keyOf(item) === keyIn(nextToken)) + 1
  if (nextToken !== undefined && begin === 0) throw invalidToken()
  const page = items.slice(begin, begin + limit)
  const last = page.at(-1)
  const more = begin + page.length < items.length && last !== undefined
  return { items: page, next: more ? { nextToken: Buffer.from(keyOf(last)).toString('base64url') } : {} }
}

const keyIn = (token: string): string => Buffer.from(token, 'base64url').toString()

const invalidToken = () => invalidLogParameter('The specified nextToken is invalid.')
