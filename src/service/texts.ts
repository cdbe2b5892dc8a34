/**
 * Long texts (decision 7) where somebody wants to see them. They come from the entries that the
 * lane has in hand, else from the journal. Showing is synchronous whenever nothing must be read.
 */
import { decodeEntry } from '../engine/codec.ts'
import type { Entry, OperationState, StoredText, TextRef } from '../engine/model.ts'
import { type ReadText, showOperation, textOfEntry, textRefs } from '../engine/view.ts'
import type { ExecutionKey, Store } from '../journal/store.ts'
import type { Operation } from '../protocol/shapes.ts'
import { executionNotFound } from './failures.ts'

/** A view that needs the journal: made after the commit, when the entries it refers to can be read. */
export class Later<T> {
  readonly get: () => Promise<T>

  constructor(get: () => Promise<T>) {
    this.get = get
  }
}

/** A view that is there already, or the promise of one that must read the journal first. */
export function settled<T>(view: T | Later<T>): T | Promise<T> {
  return view instanceof Later ? view.get() : view
}

/** Entries at hand, by seq: those of the append item that is being made. */
export type EntriesAtHand = (seq: number) => Entry | undefined

/** Up to so many entries are read one by one. */
const SINGLE_READS = 16
/** What one page of a pass over the journal holds. */
const PASS_BYTES = 4_194_304
const noText: ReadText = ({ seq }) => {
  throw new Error(`the text of journal entry ${seq} was not fetched`)
}

export class Texts {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** The operations as clients see them; `Later` when long texts have to be read first. */
  show(
    operations: readonly OperationState[],
    key: ExecutionKey,
    atHand?: EntriesAtHand,
  ): Operation[] | Later<Operation[]> {
    const refs = textRefs(operations)
    if (refs.length === 0) return operations.map((operation) => showOperation(operation, noText))
    const missing = atHand === undefined ? refs : refs.filter(({ seq }) => atHand(seq) === undefined)
    if (missing.length === 0) return operations.map((operation) => showOperation(operation, fromHand(atHand)))
    return new Later(async () => {
      const read = await this.fetch(refs, key)
      return operations.map((operation) => showOperation(operation, read))
    })
  }

  async text(stored: StoredText, key: ExecutionKey): Promise<string> {
    if (typeof stored === 'string') return stored
    return (await this.fetch([stored], key))(stored)
  }

  /** Reads every text that is referred to: a few entries one by one, many in passing over the journal. */
  async fetch(refs: readonly TextRef[], key: ExecutionKey): Promise<ReadText> {
    const wanted = new Set(refs.map(({ seq }) => seq))
    const entries = wanted.size <= SINGLE_READS ? await this.#single(wanted, key) : await this.#pass(wanted, key)
    return fromHand((seq) => entries.get(seq))
  }

  async #single(wanted: ReadonlySet<number>, key: ExecutionKey): Promise<ReadonlyMap<number, Entry>> {
    return new Map(await Promise.all([...wanted].map((seq) => this.#entry(seq, key))))
  }

  async #pass(wanted: ReadonlySet<number>, key: ExecutionKey): Promise<ReadonlyMap<number, Entry>> {
    const entries = new Map<number, Entry>()
    const last = Math.max(...wanted)
    for (let afterSeq = Math.min(...wanted) - 1; afterSeq < last; ) {
      const rows = await this.#store.readJournal({ key, afterSeq, maxBytes: PASS_BYTES })
      for (const { seq, text } of rows) if (wanted.has(seq)) entries.set(seq, decodeEntry(text))
      const newest = rows.at(-1)
      if (newest === undefined) throw executionNotFound()
      afterSeq = newest.seq
    }
    return entries
  }

  async #entry(seq: number, key: ExecutionKey): Promise<readonly [number, Entry]> {
    const row = await this.#store.readEntry({ key, seq })
    // An entry goes with its execution only, which was deleted while it was being looked at.
    if (row === undefined) throw executionNotFound()
    return [seq, decodeEntry(row.text)]
  }
}

const fromHand =
  (atHand: EntriesAtHand | undefined): ReadText =>
  (ref) => {
    const entry = atHand?.(ref.seq)
    return entry === undefined ? noText(ref) : textOfEntry(entry, ref.index)
  }
