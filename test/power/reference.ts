/**
 * The states that a database may be in: one after each commit, in order, got by replaying the trace without any loss.
 * Whatever a loss of power leaves must hold exactly what one of these states holds: then nothing is half, nothing out
 * of order and nothing made up. And it must be a state late enough to hold every fact that was told to somebody.
 */
import { join } from 'node:path'
import { Disk } from './disk.ts'
import type { Reader } from './facts.ts'
import type { Recording } from './recording.ts'
import { fingerprint, isOfStore, openStore, putImage } from './reopening.ts'
import type { TraceRecord } from './trace.ts'

export interface Reference {
  /** The last state with this fingerprint. */
  readonly stateOf: ReadonlyMap<string, number>
  /** The first state that holds the fact. */
  readonly firstWith: ReadonlyMap<string, number>
  readonly states: number
  readonly wrong: readonly string[]
}

export function referenceOf(recording: Recording, reader: Reader, scratch: string): Reference {
  const disk = new Disk(recording.initial)
  const commits = new Commits()
  const stateOf = new Map<string, number>()
  const firstWith = new Map<string, number>()
  const wrong: string[] = []
  let states = 0
  const note = (): void => {
    putImage(disk.present(isOfStore), scratch)
    openStore(join(scratch, recording.data), (db) => {
      const reading = reader.read(db)
      wrong.push(...reading.wrong.map((words) => `after commit ${states}: ${words}`))
      for (const fact of reading.facts) if (!firstWith.has(fact)) firstWith.set(fact, states)
      stateOf.set(fingerprint(db), states)
    })
    states += 1
  }
  note()
  for (const record of recording.records) {
    disk.apply(record)
    if (commits.completedBy(record)) note()
  }
  return { stateOf, firstWith, states, wrong }
}

const FRAME_HEADER_BYTES = 24

/**
 * Recognises commits in the writes to SQLite's log: a frame is its header and then a page, and the header of a
 * transaction's last frame says how many pages the database has (https://sqlite.org/fileformat2.html, section 4.1).
 */
class Commits {
  #committing = false

  completedBy(record: TraceRecord): boolean {
    if (record.kind !== 'written' || record.errno !== 0 || !record.path.endsWith('journal.db-wal')) return false
    const completed = this.#committing && record.data.length > FRAME_HEADER_BYTES
    this.#committing = record.data.length === FRAME_HEADER_BYTES && record.data.readUInt32BE(4) !== 0
    return completed
  }
}
