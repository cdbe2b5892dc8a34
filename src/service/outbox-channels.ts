/**
 * Whom a row of the outbox waits for, as its id says. Rows of one channel lie beside each other in the store, and no
 * channel takes room from another: what nobody can deliver now (to a webhook that is down, a function that is not
 * there) holds up nothing else (invariant I7).
 *
 *     <execution id>/…                         what only touches executions
 *     plain:<function>/<execution id>/…        a chained invoke of a plain function
 *     run:<function>/<time>/<request id>/…     an asynchronous invocation
 *     send:<hash of the destination>/<time>/…  a delivery to a destination
 *
 * Execution ids are hexadecimal, so everything before `g` is of the first kind. Times have leading zeros: the store
 * gives the oldest row first.
 */
import { hash } from 'node:crypto'

export const EXECUTIONS = ''
const BEYOND_EXECUTIONS = 'g'

/** Deliveries under way at a time, of those that only touch the store; functions have their own queues. */
const QUICK_AT_A_TIME = 64
/** Requests to one destination at a time. */
const SENT_AT_A_TIME = 4

export const plainChannel = (functionName: string): string => `plain:${functionName}`
export const runChannel = (functionName: string): string => `run:${functionName}`
/** Hashed, for a destination may hold secrets and characters that ids must not have. */
export const sendChannel = (destination: string): string => `send:${hash('sha256', destination).slice(0, 32)}`

export const isSendChannel = (channel: string): boolean => channel.startsWith('send:')

/** A part of an id that sorts by time. */
export const inOrderOf = (atMs: number): string => String(atMs).padStart(15, '0')

export const channelOf = (rowId: string): string =>
  rowId < BEYOND_EXECUTIONS ? EXECUTIONS : rowId.slice(0, rowId.indexOf('/'))

/** The store is asked for what comes after an id: where a channel begins, and where the next one may. */
export const beforeChannel = (channel: string): string => (channel === EXECUTIONS ? '' : `${channel}/`)
export const beyondChannel = (channel: string): string => (channel === EXECUTIONS ? BEYOND_EXECUTIONS : `${channel}0`)

/** How many rows of a channel may be under way. */
export function atATimeOf(channel: string): number {
  if (channel === EXECUTIONS) return QUICK_AT_A_TIME
  return isSendChannel(channel) ? SENT_AT_A_TIME : Number.POSITIVE_INFINITY
}
