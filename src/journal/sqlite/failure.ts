/**
 * What an error inside a worker means for the caller (`store-error.ts`), as data that can cross a thread boundary.
 *
 * SQLite undoes a transaction that found no room, so the store may go on after that. After any other fault of the file
 * system nobody knows what the disk holds (a failed sync may have dropped pages that the next sync reports as
 * written), so the writer stops for good: a restart reads what is really there.
 */
import { type StoreConsequence, StoreError } from '../store-error.ts'
import { damaged } from './checksum.ts'

export interface Failure {
  readonly consequence: StoreConsequence
  readonly message: string
}

// Primary result codes of SQLite.
const BUSY = 5
const LOCKED = 6
const CORRUPT = 11
const FULL = 13
const TOO_BIG = 18
const CONSTRAINT = 19
const MISMATCH = 20
const NOT_A_DATABASE = 26

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreError) return { consequence: error.consequence, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  const code = sqliteCode(error)
  if (isOutOfRange(error)) return failureOf(damaged(`The database holds a number that nobody wrote: ${message}.`))
  if (code === undefined) return { consequence: 'refused', message: `The journal refused this request: ${message}` }
  switch (code & 0xff) {
    case TOO_BIG:
    case CONSTRAINT:
    case MISMATCH:
      return { consequence: 'refused', message: `The journal refused this request: ${message} (SQLite ${code})` }
    case FULL:
      return {
        consequence: 'unavailable',
        message: `The journal has no room left: ${message} (SQLite ${code}). Nothing of this was stored. Free disk space.`,
      }
    case BUSY:
    case LOCKED:
      return {
        consequence: 'unavailable',
        message: `Another program locks the journal: ${message} (SQLite ${code}). Nothing of this was stored.`,
      }
    case NOT_A_DATABASE:
      return failureOf(damaged(`The journal is damaged: ${message} (SQLite ${code}).`))
    case CORRUPT:
      return {
        consequence: 'failed',
        message:
          `The journal is damaged: ${message} (SQLite ${code}). Nothing more is written. "perdure verify" on the data ` +
          'folder tells what is damaged; restore a backup, or have "perdure repair" save what can be saved.',
      }
    default:
      return {
        consequence: 'failed',
        message:
          `The journal failed: ${message} (SQLite ${code}). Whether the last writes are on disk is unknown, so nothing ` +
          'more is written. Check the disk, then restart.',
      }
  }
}

export const storeErrorOf = (failure: Failure): StoreError => new StoreError(failure.consequence, failure.message)

/** A whole number beyond what JavaScript holds exactly: we never write one. */
const isOutOfRange = (error: unknown): boolean =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE'

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
