/**
 * Batches that were on their way to a store whose batch is one transaction when the server died. Whatever the crash
 * left has to be all of a batch or nothing; the next server's boot looks. What only one of them can win (a name) is
 * left out: losing its compare-and-swap is no tear.
 */
import type { AppendBatch, ExecutionKey, Store } from '../../src/journal/store.ts'
import type { Shadows } from './shadow.ts'

interface LostEntry {
  readonly key: ExecutionKey
  readonly seq: number
  readonly text: string
}

export class LostBatches {
  readonly #shadows: Shadows
  #lost: LostEntry[][] = []

  constructor(shadows: Shadows) {
    this.#shadows = shadows
  }

  /** The answer to this batch has no receiver any more. Called before the store has seen it. */
  add({ items }: AppendBatch): void {
    const entries = items.flatMap(({ target, firstSeq, entries: [first] }) => {
      const wins = 'key' in target && first !== undefined && this.#shadows.nextSeq(target.key) === firstSeq
      return wins ? { key: target.key, seq: firstSeq, text: first.text } : []
    })
    if (entries.length > 1) this.#lost.push(entries)
  }

  async check(store: Store, report: (violation: string) => void): Promise<void> {
    for (const entries of this.#lost.splice(0)) {
      const rows = await Promise.all(entries.map(({ key, seq }) => store.readEntry({ key, seq })))
      const there = entries.filter(({ text }, index) => rows[index]?.text === text).length
      if (there > 0 && there < entries.length) {
        report(`a crash left half of a batch: ${there} of ${entries.length} items (I1)`)
      }
    }
  }
}
