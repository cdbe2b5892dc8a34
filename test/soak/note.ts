/**
 * How function code writes into the outside ledger: append-only files that no server touches, one line per effect, in
 * segments of time so that a long run can forget what was read long ago.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

export const SEGMENT_MS = 300_000

export const segmentFile = (folder: string, segment: number): string => join(folder, `ledger-${segment}`)

export const segmentAt = (nowMs: number): number => Math.floor(nowMs / SEGMENT_MS)

/** One line: what happened, in which execution, to what of it, when. No word may hold a space. */
export function note(kind: NoteKind, execution: string, what = '-', more: string | number = '-'): void {
  const nowMs = Date.now()
  const file = segmentFile(process.env['LEDGER'] ?? '', segmentAt(nowMs))
  appendFileSync(file, `${kind} ${execution} ${what} ${nowMs} ${more}\n`)
}

export type NoteKind =
  /** A step's code runs. */
  | 'ran'
  /** A step's code throws, on purpose. */
  | 'threw'
  /** The line after the step's `await`: it is finished. */
  | 'done'
  /** The line before a wait, and the line after it. `more`: its seconds. */
  | 'begin'
  | 'woke'
  /** A callback waits for its answer. `more`: its id. */
  | 'callback'
  /** A raw checkpoint was acknowledged. `more`: milliseconds that it took. */
  | 'acknowledged'
  /** What the server said to a checkpoint with a consumed token, and to a repeated one. `more`: its answer. */
  | 'stale'
  | 'repeated'
  /** A checkpoint whose first answer was not waited for. */
  | 'lost'
  /** The handler returns its result. */
  | 'end'
