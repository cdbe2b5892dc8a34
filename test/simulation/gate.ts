/**
 * The gate between one server and the world. Every call over a port (to the store, the clock, the timers, chance, the
 * functions, the next turn) and every call back passes it, and so does every request and answer. The process may end at
 * any of them: when a scenario says so, or by chance. What the code of a dead server still does before its next
 * `await` reaches nobody: its ports are inert from then on.
 */
import type { Clock, Entropy, Functions, Slot, Timers, Webhooks } from '../../src/service/ports.ts'
import type { Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { Counts } from './promises.ts'

export const PORTS = ['store', 'clock', 'timers', 'entropy', 'functions', 'turn', 'transport'] as const
export type Port = (typeof PORTS)[number]

const CRASH_AT = {
  store: 'crashAtStore',
  clock: 'crashAtClock',
  timers: 'crashAtTimers',
  entropy: 'crashAtEntropy',
  functions: 'crashAtFunctions',
  turn: 'crashAtTurn',
  transport: 'crashAtTransport',
} as const

/** The port calls of all servers of one world, counted from 1. */
export class PortCalls {
  readonly crashesAt: Counts<Port> = { store: 0, clock: 0, timers: 0, entropy: 0, functions: 0, turn: 0, transport: 0 }
  readonly #planned: ReadonlySet<number>
  #count = 0

  /** The server that makes one of these calls crashes there. */
  constructor(planned: readonly number[]) {
    this.#planned = new Set(planned)
  }

  get count(): number {
    return this.#count
  }

  /** Whether the plan says that the process ends at this call. */
  next(): boolean {
    this.#count += 1
    return this.#planned.has(this.#count)
  }
}

export class Gate {
  readonly #life: Life
  readonly #faults: Faults
  readonly #calls: PortCalls
  readonly #crash: (why: string) => void

  constructor(deps: { life: Life; faults: Faults; calls: PortCalls; crash: (why: string) => void }) {
    this.#life = deps.life
    this.#faults = deps.faults
    this.#calls = deps.calls
    this.#crash = deps.crash
  }

  /** A call over a port; says whether the process has survived it. */
  pass(port: Port): boolean {
    if (!this.#life.alive) return false
    if (this.#calls.next() || this.#faults.strikes(CRASH_AT[port])) {
      this.#calls.crashesAt[port]++
      this.#crash(`at a call of port ${port}`)
    }
    return this.#life.alive
  }

  /** A call that may come only while the process lives. */
  back<Args extends unknown[]>(port: Port, call: (...args: Args) => void): (...args: Args) => void {
    return (...args) => {
      if (this.pass(port)) call(...args)
    }
  }

  clock(clock: Clock): Clock {
    return {
      now: () => {
        this.pass('clock')
        return clock.now()
      },
    }
  }

  timers(timers: Timers): Timers {
    return {
      at: (dueMs, call) => {
        this.pass('timers')
        return timers.at(dueMs, this.back('timers', call))
      },
    }
  }

  entropy(entropy: Entropy): Entropy {
    return {
      hex: (bytes) => {
        this.pass('entropy')
        return entropy.hex(bytes)
      },
      uuid: () => {
        this.pass('entropy')
        return entropy.uuid()
      },
    }
  }

  nextTurn(nextTurn: (call: () => void) => void): (call: () => void) => void {
    return (call) => {
      this.pass('turn')
      nextTurn(this.back('turn', call))
    }
  }

  functions(functions: Functions): Functions {
    return {
      resolve: (name, qualifier) => {
        this.pass('functions')
        return functions.resolve(name, qualifier)
      },
      list: () => {
        this.pass('functions')
        return functions.list()
      },
      onChange: (call) => functions.onChange(this.back('functions', call)),
      asynchronous: (invoked) => {
        this.pass('functions')
        return functions.asynchronous?.(invoked) ?? {}
      },
      reserve: async (version, tenantId, signal) => {
        this.pass('functions')
        const slot = await functions.reserve(version, tenantId, signal)
        return (await this.#survived('functions')) && this.#slot(slot)
      },
    }
  }

  webhooks(webhooks: Webhooks): Webhooks {
    return {
      post: async (request, signal) => {
        await this.#survived('transport')
        const answer = await webhooks.post(request, signal)
        await this.#survived('transport')
        return answer
      },
    }
  }

  #slot(slot: Slot): Slot {
    return {
      release: () => {
        if (this.pass('functions')) slot.release()
      },
      run: async (request) => {
        await this.#survived('functions')
        const result = await slot.run(request)
        await this.#survived('functions')
        return result
      },
    }
  }

  /** For ever, when the process ends here. */
  #survived(port: Port): Promise<true> {
    return this.pass(port) ? Promise.resolve(true) : new Promise(() => {})
  }
}
