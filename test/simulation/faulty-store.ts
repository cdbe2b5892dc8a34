/**
 * A store behind an unreliable wire, for one server. The data lives in the store below and outlives every server.
 * Each call takes time on its way there and back; appends may fail before they were carried out, or after (and then
 * for some of their items only: the contract promises no more), and the server may crash around them.
 */
import type { AppendBatch, AppendResult, Store } from '../../src/journal/store.ts'
import { StoreError } from '../../src/journal/store-error.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Shadows } from './shadow.ts'

/** A failure that the simulation made, so that the service's log of it is no surprise. */
export class InjectedFailure extends StoreError {}

interface Surroundings {
  readonly store: Store
  readonly shadows: Shadows
  readonly agenda: Agenda
  readonly faults: Faults
  readonly random: SeededRandom
  readonly life: Life
  readonly crash: (why: string) => void
  readonly log: (line: string) => void
}

/** An append that is on its way to the store. */
interface InFlight {
  carriedOut: boolean
  readonly carryOut: () => void
}

export class FaultyStore implements Store {
  readonly #world: Surroundings
  readonly #inFlight = new Set<InFlight>()

  constructor(world: Surroundings) {
    this.#world = world
  }

  /** The server is dead: what it had sent reaches the store now, or never. */
  severed(): void {
    for (const append of this.#inFlight) if (this.#world.random.chance(0.5)) append.carryOut()
    this.#inFlight.clear()
  }

  append(batch: AppendBatch): Promise<readonly AppendResult[]> {
    const { agenda, faults, life, crash } = this.#world
    return new Promise((resolve, reject) => {
      let results: Promise<readonly AppendResult[]> | undefined
      const partly = faults.strikes('appendFailsAfter')
      const append: InFlight = {
        carriedOut: false,
        carryOut: () => {
          if (append.carriedOut) return
          append.carriedOut = true
          results = this.#carryOut(partly ? this.#someOf(batch) : batch)
        },
      }
      this.#inFlight.add(append)
      agenda.after(this.#latencyMs(), life, () => {
        if (faults.strikes('crashBeforeCommit')) {
          this.#inFlight.delete(append)
          return crash('before a commit')
        }
        if (faults.strikes('appendFailsBefore')) {
          this.#inFlight.delete(append)
          return this.#fail(reject, 'the append was lost')
        }
        append.carryOut()
        if (faults.strikes('crashAfterCommit')) return crash('after a commit')
        agenda.after(this.#latencyMs(), life, () => {
          this.#inFlight.delete(append)
          if (partly) this.#fail(reject, 'the answer to the append was lost')
          else resolve(results ?? [])
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

  #someOf(batch: AppendBatch): AppendBatch {
    const { random } = this.#world
    if (random.chance(0.5)) return batch
    return { ...batch, items: batch.items.filter(() => random.chance(0.5)) }
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
  purge: Store['purge'] = (query) => this.#read(() => this.#world.store.purge(query))
  close: Store['close'] = () => this.#read(async () => {})

  /** Reads see the store as it is when they reach it. */
  #read<T>(read: () => Promise<T>): Promise<T> {
    const { agenda, faults, life } = this.#world
    return new Promise((resolve, reject) => {
      agenda.after(this.#latencyMs(), life, () => {
        if (faults.strikes('readFails')) return this.#fail(reject, 'the read was lost')
        const result = read()
        agenda.after(this.#latencyMs(), life, () => resolve(result))
      })
    })
  }

  #fail(reject: (error: unknown) => void, message: string): void {
    const { agenda, life, log } = this.#world
    log(message)
    agenda.after(this.#latencyMs(), life, () => reject(new InjectedFailure('failed', message)))
  }

  #latencyMs(): number {
    const { faults, random } = this.#world
    return faults.strikes('appendSlow') ? random.between(50, 10_000) : random.between(0, 2)
  }
}
