/**
 * A store behind an unreliable wire, for one server. The data lives in the disk below and outlives every server. Each
 * call takes time on its way there and back, much while the disk stalls; appends may fail before they were carried out,
 * or after, and the server may crash around them. A batch whose answer is lost is torn as the store's contract permits:
 * each of its items is there or not; where a batch is one transaction, all of it or nothing.
 */
import type { AppendBatch, AppendResult, Store } from '../../src/journal/store.ts'
import { StoreError } from '../../src/journal/store-error.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { Gate } from './gate.ts'
import type { LostBatches } from './lost-batches.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Shadows } from './shadow.ts'

/** A failure that the simulation made, so that the service's log of it is no surprise. */
export class InjectedFailure extends StoreError {}

/** What is left of a batch that was torn: the contract leaves whole items only. */
export type Tear = (batch: AppendBatch) => AppendBatch

interface Surroundings {
  readonly store: Store
  readonly shadows: Shadows
  readonly agenda: Agenda
  readonly faults: Faults
  readonly random: SeededRandom
  readonly life: Life
  readonly gate: Gate
  /** A batch is one transaction. */
  readonly atomic: boolean
  readonly lost: LostBatches
  /** A defect: what is left in place of what the contract leaves. */
  readonly tear: Tear | undefined
  /** The most that a call takes one way when nothing is wrong. */
  readonly slowestMs: () => number
  /** How long the disk will not answer yet. */
  readonly stalledMs: () => number
  readonly crash: (why: string) => void
  readonly log: (line: string) => void
}

/** An append that is on its way to the store. */
interface InFlight {
  readonly batch: AppendBatch
  carriedOut: boolean
  readonly carryOut: (tear?: Tear) => void
}

const whole: Tear = (batch) => batch
const nothing: Tear = () => ({ items: [], settled: [] })

export class FaultyStore implements Store {
  readonly #world: Surroundings
  readonly #inFlight = new Set<InFlight>()

  constructor(world: Surroundings) {
    this.#world = world
  }

  /** The server is dead: what it had sent reaches the store now, or never, or torn. */
  severed(): void {
    const { atomic, lost } = this.#world
    for (const append of this.#inFlight) {
      if (atomic && !append.carriedOut) lost.add(append.batch)
      append.carryOut(this.#torn)
    }
    this.#inFlight.clear()
  }

  append(batch: AppendBatch): Promise<readonly AppendResult[]> {
    const { agenda, faults, life, crash, gate } = this.#world
    return new Promise((resolve, reject) => {
      if (!gate.pass('store')) return
      let results: Promise<readonly AppendResult[]> | undefined
      const answerLost = faults.strikes('appendFailsAfter')
      const append: InFlight = {
        batch,
        carriedOut: false,
        carryOut: (tear = whole) => {
          if (append.carriedOut) return
          append.carriedOut = true
          results = this.#carryOut(tear(batch))
        },
      }
      this.#inFlight.add(append)
      agenda.after(this.#latencyMs(), life, () => {
        if (faults.strikes('crashBeforeCommit')) {
          this.#inFlight.delete(append)
          return crash('before a commit')
        }
        if (batch.items.length > 1 && faults.strikes('crashWithinBatch')) return crash('within a commit')
        if (faults.strikes('appendFailsBefore')) {
          this.#inFlight.delete(append)
          return this.#fail(reject, 'the append was lost')
        }
        append.carryOut(answerLost ? this.#torn : whole)
        if (faults.strikes('crashAfterCommit')) return crash('after a commit')
        agenda.after(this.#latencyMs(), life, () => {
          this.#inFlight.delete(append)
          if (answerLost) this.#fail(reject, 'the answer to the append was lost')
          else if (gate.pass('store')) resolve(results ?? [])
        })
      })
    })
  }

  async #carryOut(batch: AppendBatch): Promise<readonly AppendResult[]> {
    const { store, shadows } = this.#world
    // The store takes effect at the call; the microtasks of this turn still belong to it.
    const results = await store.append(batch)
    shadows.settle(batch.settled)
    shadows.committed(batch.items, results)
    shadows.post(batch.posted ?? [])
    return results
  }

  /** What reached the disk of a batch whose answer nobody gets. */
  readonly #torn: Tear = (batch) => {
    const { random, atomic, tear, faults, log } = this.#world
    if (tear !== undefined) return tear(batch)
    if (random.chance(0.5)) return whole(batch)
    if (atomic) return nothing(batch)
    const items = batch.items.filter(() => random.chance(0.5))
    if (items.length > 0 && items.length < batch.items.length) {
      log(`a batch is torn: ${items.length} of ${batch.items.length} items are there`)
      faults.note('batchTorn')
    }
    return { ...batch, items }
  }

  findById: Store['findById'] = (executionId) => this.#read(() => this.#world.store.findById(executionId))
  findByName: Store['findByName'] = (query) => this.#read(() => this.#world.store.findByName(query))
  findBySdkInvocation: Store['findBySdkInvocation'] = (query) =>
    this.#read(() => this.#world.store.findBySdkInvocation(query))
  readJournal: Store['readJournal'] = (query) => this.#read(() => this.#world.store.readJournal(query))
  readEntry: Store['readEntry'] = (query) => this.#read(() => this.#world.store.readEntry(query))
  readHistory: Store['readHistory'] = (query) => this.#read(() => this.#world.store.readHistory(query))
  list: Store['list'] = (query) => this.#read(() => this.#world.store.list(query))
  listOpen: Store['listOpen'] = (query) => this.#read(() => this.#world.store.listOpen(query))
  listOutbox: Store['listOutbox'] = (query) => this.#read(() => this.#world.store.listOutbox(query))
  listExpired: Store['listExpired'] = (query) => this.#read(() => this.#world.store.listExpired(query))
  readSnapshot: Store['readSnapshot'] = (query) => this.#read(() => this.#world.store.readSnapshot(query))
  writeSnapshot: Store['writeSnapshot'] = (query) => this.#read(() => this.#world.store.writeSnapshot(query))
  purge: Store['purge'] = (query) =>
    this.#read(async () => {
      await this.#world.store.purge(query)
      this.#world.shadows.purged(query.key)
    })
  close: Store['close'] = () => this.#read(async () => {})

  /** Reads see the store as it is when they reach it. */
  #read<T>(read: () => Promise<T>): Promise<T> {
    const { agenda, faults, life, gate } = this.#world
    return new Promise((resolve, reject) => {
      if (!gate.pass('store')) return
      agenda.after(this.#latencyMs(), life, () => {
        if (faults.strikes('readFails')) return this.#fail(reject, 'the read was lost')
        const result = read()
        agenda.after(this.#latencyMs(), life, () => {
          if (gate.pass('store')) resolve(result)
        })
      })
    })
  }

  #fail(reject: (error: unknown) => void, message: string): void {
    const { agenda, life, log, gate } = this.#world
    log(message)
    agenda.after(this.#latencyMs(), life, () => {
      if (gate.pass('store')) reject(new InjectedFailure('failed', message))
    })
  }

  #latencyMs(): number {
    const { faults, random, stalledMs, slowestMs } = this.#world
    const slowMs = faults.strikes('appendSlow') ? random.between(50, 10_000) : random.between(0, slowestMs())
    return Math.max(slowMs, stalledMs())
  }
}
