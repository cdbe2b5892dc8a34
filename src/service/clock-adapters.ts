/**
 * The world behind the ports of time and chance (decision 24): the system's clock, timers and random numbers; a clock
 * that moves only when told; and one that skips idle time. The only file of this room that may touch the globals.
 */
import { randomFillSync } from 'node:crypto'
import type { Activity } from './activity.ts'
import type { Clock, Entropy, Timers } from './ports.ts'

/** The wall clock is looked at again at least this often, so that a laptop that slept wakes its executions (decision 25). */
const RECHECK_MS = 5_000

export const systemClock: Clock = { now: () => Date.now() }

/** For durations: never goes back, whatever happens to the wall clock. */
export const systemStopwatch = (): number => performance.now()

/** Runs `call` on the next turn of the event loop: after the input that is already there, before anything sleeps. */
export const systemNextTurn = (call: () => void): void => {
  setImmediate(call)
}

export function createSystemTimers(clock: Clock): Timers {
  return {
    at(dueMs, call) {
      let handle: NodeJS.Timeout
      const look = (): void => {
        const leftMs = dueMs - clock.now()
        if (leftMs <= 0) call()
        else handle = setTimeout(look, Math.min(leftMs, RECHECK_MS))
      }
      handle = setTimeout(look, Math.min(Math.max(dueMs - clock.now(), 0), RECHECK_MS))
      return () => clearTimeout(handle)
    },
  }
}

/** Random bytes drawn from the system in blocks: one system call serves some 250 needs. */
export function createSystemEntropy(): Entropy {
  const block = Buffer.alloc(4_096)
  let used = block.length
  const hex = (bytes: number): string => {
    if (used + bytes > block.length) {
      randomFillSync(block)
      used = 0
    }
    used += bytes
    return block.toString('hex', used - bytes, used)
  }
  return { hex, uuid: () => uuidOf(hex(16)) }
}

/** A version 4 UUID of 16 random bytes (RFC 9562 §5.4). */
export function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

interface Sleeper {
  readonly dueMs: number
  readonly order: number
  readonly call: () => void
}

/** The sleeper that is due first; of equals the one that was set first. */
function earliest(sleepers: Iterable<Sleeper>): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers) {
    if (
      first === undefined ||
      sleeper.dueMs < first.dueMs ||
      (sleeper.dueMs === first.dueMs && sleeper.order < first.order)
    ) {
      first = sleeper
    }
  }
  return first
}

/** Resolves when the service has done all that it can do without time passing or a function acting. */
export async function settle(activity: Activity): Promise<void> {
  // Work that hands over to other work shows as idle for a moment: it must stay idle for a few turns.
  for (let calmTurns = 0; calmTurns < 3; ) {
    await new Promise<void>(systemNextTurn)
    if (activity.working === 0) {
      calmTurns += 1
    } else {
      calmTurns = 0
      await activity.settled()
    }
  }
}

export interface ManualClock extends Clock {
  readonly timers: Timers
  /** Moves time on, calling what comes due in order and letting the work that it causes settle in between. */
  advance(ms: number): Promise<void>
}

/** Time stands still but for `advance`. `settle` resolves when everything that the last call caused has been done. */
export function createManualClock(deps: { startMs: number; settle: () => Promise<void> }): ManualClock {
  const sleepers = new Set<Sleeper>()
  let nowMs = deps.startMs
  let order = 0
  let moves = Promise.resolve()

  const move = async (ms: number): Promise<void> => {
    const targetMs = nowMs + ms
    await deps.settle()
    for (;;) {
      const next = earliest(sleepers)
      if (next === undefined || next.dueMs > targetMs) {
        if (nowMs >= targetMs) return
        nowMs = targetMs
      } else {
        sleepers.delete(next)
        nowMs = Math.max(nowMs, next.dueMs)
        next.call()
      }
      await deps.settle()
    }
  }

  return {
    now: () => nowMs,
    timers: {
      at(dueMs, call) {
        const sleeper = { dueMs, order: order++, call }
        sleepers.add(sleeper)
        return () => sleepers.delete(sleeper)
      },
    },
    advance(ms) {
      const moved = moves.then(() => move(ms))
      moves = moved.catch(() => {})
      return moved
    },
  }
}

export interface SkippingClock extends Clock {
  readonly timers: Timers
  /**
   * Whenever nothing works and no function runs, time jumps to `nextMs()`. The service asks for it with its alarms,
   * so that only waits, retries and time-outs of operations are skipped, never the end of an execution.
   */
  follow(activity: Activity, nextMs: () => number | undefined): void
}

/** The system's time, plus every idle stretch that was skipped. */
export function createSkippingClock(): SkippingClock {
  let skippedMs = 0
  const clock: Clock = { now: () => systemClock.now() + skippedMs }
  const sleepers = new Map<Sleeper, () => void>()
  let order = 0

  const wake = (sleeper: Sleeper): void => {
    const cancel = sleepers.get(sleeper)
    if (cancel === undefined) return
    sleepers.delete(sleeper)
    cancel()
    sleeper.call()
  }
  const system = createSystemTimers(clock)
  const jump = (activity: Activity, nextMs: () => number | undefined): void => {
    const dueMs = nextMs()
    if (!activity.quiet || dueMs === undefined) return
    skippedMs += Math.max(0, dueMs - clock.now())
    for (;;) {
      const next = earliest(sleepers.keys())
      if (next === undefined || next.dueMs > clock.now()) return
      wake(next)
    }
  }
  return {
    now: clock.now,
    timers: {
      at(dueMs, call) {
        const sleeper: Sleeper = { dueMs, order: order++, call }
        sleepers.set(
          sleeper,
          system.at(dueMs, () => wake(sleeper)),
        )
        return () => {
          sleepers.get(sleeper)?.()
          sleepers.delete(sleeper)
        }
      },
    },
    follow(activity, nextMs) {
      // Two turns later: what the last answer causes (a next request of the same function) comes first.
      activity.onQuiet(() => systemNextTurn(() => systemNextTurn(() => jump(activity, nextMs))))
    },
  }
}
