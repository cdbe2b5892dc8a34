/** A store that does what the one behind it does, but for what a test told it. */
import type { AppendBatch, AppendResult, Store } from '../../src/journal/store.ts'

export type AppendFault =
  /** Nothing was written. */
  | 'beforeCommit'
  /** Everything was written, and nobody was told. */
  | 'afterCommit'
  /** The process dies before, or after, everything was written. */
  | 'dieBeforeCommit'
  | 'dieAfterCommit'

const never = new Promise<never>(() => {})

export class FaultyStore implements Store {
  readonly #behind: Store
  #faults: AppendFault[] = []
  #readFaults = 0
  #cut = false
  #gate: Promise<void> | undefined
  #purgeGate: Promise<void> | undefined
  /** Every batch that reached the store, in order. */
  readonly batches: AppendBatch[] = []
  /** Called before a batch is written: where another writer can be first. */
  beforeAppend: ((batch: AppendBatch) => Promise<void>) | undefined
  snapshots = 0
  /** Items that another writer was faster than. */
  conflicts = 0

  constructor(behind: Store) {
    this.#behind = behind
  }

  /** The next appends fail, one after another. */
  failAppends(...faults: readonly AppendFault[]): void {
    this.#faults.push(...faults)
  }

  /** The next `count` reads fail. */
  failReads(count: number): void {
    this.#readFaults += count
  }

  /** Nothing is answered any more, and nothing reaches the store behind. */
  cut(): void {
    this.#cut = true
  }

  /** Appends wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    return () => {
      this.#gate = undefined
      resolve()
    }
  }

  /** Purges wait until the returned function is called. */
  holdPurges(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#purgeGate = promise
    return () => {
      this.#purgeGate = undefined
      resolve()
    }
  }

  async append(batch: AppendBatch): Promise<readonly AppendResult[]> {
    this.batches.push(batch)
    await this.#gate
    await this.beforeAppend?.(batch)
    const fault = this.#faults.shift()
    if (fault === 'dieBeforeCommit') this.cut()
    if (this.#cut) return never
    if (fault === 'beforeCommit') throw new Error('the disk is gone')
    const results = await this.#behind.append(batch)
    if (fault === 'dieAfterCommit') this.cut()
    if (this.#cut) return never
    this.conflicts += results.filter((result) => !result.ok && result.reason === 'conflict').length
    if (fault === 'afterCommit') throw new Error('the connection is gone')
    return results
  }

  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#cut) return never
    if (this.#readFaults > 0) {
      this.#readFaults -= 1
      throw new Error('the disk cannot be read')
    }
    const result = await read()
    return this.#cut ? never : result
  }

  findById: Store['findById'] = (id) => this.#read(() => this.#behind.findById(id))
  findByName: Store['findByName'] = (query) => this.#read(() => this.#behind.findByName(query))
  findBySdkInvocation: Store['findBySdkInvocation'] = (query) =>
    this.#read(() => this.#behind.findBySdkInvocation(query))
  readJournal: Store['readJournal'] = (query) => this.#read(() => this.#behind.readJournal(query))
  readEntry: Store['readEntry'] = (query) => this.#read(() => this.#behind.readEntry(query))
  readHistory: Store['readHistory'] = (query) => this.#read(() => this.#behind.readHistory(query))
  list: Store['list'] = (query) => this.#read(() => this.#behind.list(query))
  listOpen: Store['listOpen'] = (query) => this.#read(() => this.#behind.listOpen(query))
  listOutbox: Store['listOutbox'] = (query) => this.#read(() => this.#behind.listOutbox(query))
  listExpired: Store['listExpired'] = (query) => this.#read(() => this.#behind.listExpired(query))
  readSnapshot: Store['readSnapshot'] = (query) => this.#read(() => this.#behind.readSnapshot(query))
  purge: Store['purge'] = async (query) => {
    await this.#purgeGate
    return this.#cut ? never : this.#behind.purge(query)
  }
  close: Store['close'] = () => this.#behind.close()
  writeSnapshot: Store['writeSnapshot'] = (query) => {
    this.snapshots += 1
    return this.#cut ? never : this.#behind.writeSnapshot(query)
  }
}
