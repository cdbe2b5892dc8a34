/**
 * An execution's state from the store: the newest snapshot of this fold version and the entries after it, else the
 * whole journal, in pages.
 */
import { apply, found } from '../engine/apply.ts'
import { decodeEntry } from '../engine/codec.ts'
import { type Entry, type ExecutionState, FOLD_VERSION } from '../engine/model.ts'
import { readSnapshot } from '../engine/snapshot.ts'
import type { ExecutionKey, IndexRow, Store } from '../journal/store.ts'
import { inlineBytes } from './sizes.ts'

/** A folded execution with what its lane must know of its rows. */
export interface Loaded {
  readonly key: ExecutionKey
  readonly state: ExecutionState
  /** The index row as it is in the store. */
  index: IndexRow
  /** Entries, and their bytes, that the newest snapshot does not hold. */
  tailEntries: number
  tailBytes: number
  /** About what the state takes in memory. */
  bytes: number
}

const PAGE_BYTES = 1_048_576

/** The execution as of its newest entry; undefined when there is none of that id. */
export async function loadExecution(store: Store, executionId: string): Promise<Loaded | undefined> {
  const row = await store.findById(executionId)
  if (row === undefined) return undefined
  const snapshot = await store.readSnapshot({ key: row.key })
  const usable = snapshot !== undefined && snapshot.foldVersion === FOLD_VERSION
  const fold = new Fold(usable ? readSnapshot(snapshot.text) : undefined, usable ? snapshot.text.length : 0)
  await fold.read(store, row.key, Number.POSITIVE_INFINITY)
  const { state, tailEntries, tailBytes, bytes } = fold
  if (state === undefined) return undefined
  if (state.start.executionId !== executionId) {
    throw new Error(`the journal of ${executionId} is that of ${state.start.executionId}: its row is damaged`)
  }
  return { key: row.key, state, index: row, tailEntries, tailBytes, bytes }
}

/** The state as it was after the entry at `seq`, and that entry. Folds from the beginning: for rare needs only. */
export async function loadAsOf(
  store: Store,
  key: ExecutionKey,
  seq: number,
): Promise<{ readonly state: ExecutionState; readonly entry: Entry } | undefined> {
  const fold = new Fold(undefined, 0)
  await fold.read(store, key, seq)
  const { state, last } = fold
  return state?.seq === seq && last !== undefined ? { state, entry: last } : undefined
}

class Fold {
  state: ExecutionState | undefined
  last: Entry | undefined
  tailEntries = 0
  tailBytes = 0
  bytes: number

  constructor(state: ExecutionState | undefined, bytes: number) {
    this.state = state
    this.bytes = bytes
  }

  async read(store: Store, key: ExecutionKey, upToSeq: number): Promise<void> {
    for (;;) {
      const afterSeq = this.state?.seq ?? 0
      const rows = await store.readJournal({ key, afterSeq, maxBytes: PAGE_BYTES })
      if (rows.length === 0) return
      for (const { seq, text } of rows) {
        if (seq > upToSeq) return
        if (seq !== (this.state?.seq ?? 0) + 1) throw new Error(`journal gap: entry ${seq} after ${this.state?.seq}`)
        this.#take(decodeEntry(text), text.length)
      }
    }
  }

  #take(entry: Entry, length: number): void {
    if (this.state === undefined) this.state = found(entry)
    else apply(this.state, entry)
    this.last = entry
    this.tailEntries += 1
    this.tailBytes += length
    this.bytes += inlineBytes(entry)
  }
}
