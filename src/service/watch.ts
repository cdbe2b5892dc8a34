/**
 * Keeps an eye on open executions: arms what their index rows ask for, and when an alarm rings has the engine look at
 * what is due. It also catches up with an execution whose journal may have moved without this process seeing it.
 */
import { crashPoint } from '../crash-point.ts'
import { deadlineOf } from '../engine/checkpoint.ts'
import { indexOf, resume } from '../engine/effects.ts'
import type { ExecutionState } from '../engine/model.ts'
import type { ExecutionRow, IndexRow } from '../journal/store.ts'
import type { Activity } from './activity.ts'
import { Alarms } from './alarms.ts'
import type { Dispatcher } from './dispatcher.ts'
import { executionNotFound, isTemporary } from './failures.ts'
import { Fifo } from './fifo.ts'
import type { Lanes } from './lanes.ts'
import type { ServiceLog } from './log.ts'
import type { Clock, Metrics, Timers } from './ports.ts'

/** Executions looked at at a time: each may have to be read from the store first. */
const LOOKS_AT_A_TIME = 64
/** When a look failed, or found nothing where something should have been due. */
const LOOK_AGAIN_MS = 1_000

/** What a look found, taken down right after its entry. */
interface Sight {
  readonly functionName: string
  readonly version: string
  readonly open: boolean
  readonly dispatch: boolean
  readonly dueMs: number
  readonly deadlineMs: number
}

export class Watch {
  readonly alarms: Alarms
  readonly #lanes: () => Lanes
  readonly #dispatcher: () => Dispatcher
  readonly #clock: Clock
  readonly #activity: Activity
  readonly #log: ServiceLog
  readonly #closed: (executionId: string) => void
  readonly #rung = new Fifo<{ readonly id: string }>()
  #looking = 0
  #stopped = false

  constructor(deps: {
    lanes: () => Lanes
    dispatcher: () => Dispatcher
    clock: Clock
    timers: Timers
    activity: Activity
    log: ServiceLog
    /** Told when a look finds that the execution has ended. */
    closed: (executionId: string) => void
    metrics: Metrics
  }) {
    this.#lanes = deps.lanes
    this.#dispatcher = deps.dispatcher
    this.#clock = deps.clock
    this.#activity = deps.activity
    this.#log = deps.log
    this.#closed = deps.closed
    const lateness = deps.metrics.histogram('perdure_alarm_lateness_seconds')
    const ring = (executionId: string, lateMs: number): void => {
      lateness.observe(lateMs / 1_000)
      this.look(executionId)
    }
    this.alarms = new Alarms({ clock: deps.clock, timers: deps.timers, ring })
    deps.metrics.read('perdure_alarms_armed', () => this.alarms.size)
    deps.metrics.read('perdure_alarm_overdue_seconds', () => this.alarms.overdueMs / 1_000)
    deps.metrics.read('perdure_looks_waiting', () => this.#rung.size)
  }

  /** The row that is now in the store. */
  indexed(state: ExecutionState, { wake }: IndexRow): void {
    const { executionId, functionName, version } = state.start
    if (wake === undefined) {
      this.alarms.clear(executionId)
      return
    }
    const deadlineMs = deadlineOf(state)
    // Whoever waits for its function, or runs, is left alone until the execution's own time is over.
    this.#arm(executionId, wake.kind === 'suspended' ? wake.dueMs : deadlineMs, deadlineMs)
    if (wake.kind === 'ready') this.#dispatcher().offer({ executionId, functionName, version })
  }

  /** What recovery does with each open execution: from its row alone, without reading the journal. */
  recover({ executionId, functionName, version, wake }: ExecutionRow): void {
    if (wake === undefined) return
    if (wake.kind === 'ready') {
      this.look(executionId)
      return
    }
    this.alarms.set(executionId, wake.dueMs, wake.kind === 'running')
    // The process that ran it is gone with the server before this one: the next invocation supersedes it.
    if (wake.kind === 'running') this.#dispatcher().offer({ executionId, functionName, version })
  }

  /** Has the engine evaluate what is due, soon: a bounded number of executions at a time. */
  look(executionId: string): void {
    if (this.#stopped) return
    this.#rung.push({ id: executionId })
    this.#next()
  }

  #next(): void {
    while (this.#looking < LOOKS_AT_A_TIME) {
      const rung = this.#rung.take()
      if (rung === undefined) return
      this.#looking += 1
      this.#activity.begin()
      this.#lookAt(rung.id).finally(() => {
        this.#looking -= 1
        this.#next()
        this.#activity.end()
      })
    }
  }

  stop(): void {
    this.#stopped = true
    this.#rung.clear()
    this.alarms.stop()
  }

  async #lookAt(executionId: string): Promise<void> {
    try {
      const sight = await this.#lanes()
        .of(executionId)
        .submit({
          command: { kind: 'wake' },
          absent: executionNotFound,
          look: ({ state }) => {
            const sight = this.#sightOf(state)
            // At once: what the same round appends after it, and arms when that is durable, is newer.
            if (sight.open) this.#rearm(executionId, sight)
            return sight
          },
        })
      crashPoint('timer-fired')
      this.#follow(executionId, sight)
    } catch (error) {
      if (isTemporary(error)) {
        this.alarms.set(executionId, this.#clock.now() + LOOK_AGAIN_MS, false)
        return
      }
      this.alarms.clear(executionId)
      this.#log('warn', `Execution ${executionId} has an alarm and no journal`, error, { executionId })
    }
  }

  #sightOf(state: ExecutionState): Sight {
    const { functionName, version } = state.start
    const { wake } = indexOf(state)
    const deadlineMs = deadlineOf(state)
    return {
      functionName,
      version,
      open: wake !== undefined,
      // One that is recorded as running is only superseded when nobody here runs it, which `recover` decides.
      dispatch: state.invocation === undefined && resume(state, this.#clock.now()).length > 0,
      dueMs: wake?.kind === 'suspended' ? wake.dueMs : deadlineMs,
      deadlineMs,
    }
  }

  #follow(executionId: string, { functionName, version, open, dispatch }: Sight): void {
    if (!open) {
      this.alarms.clear(executionId)
      this.#closed(executionId)
    } else if (dispatch) {
      this.#dispatcher().offer({ executionId, functionName, version })
    }
  }

  /** Arms what the execution waits for when nothing of it is due now. */
  #rearm(executionId: string, { functionName, dispatch, dueMs, deadlineMs }: Sight): void {
    if (dispatch) {
      this.#arm(executionId, deadlineMs, deadlineMs)
      return
    }
    const now = this.#clock.now()
    if (dueMs <= now) {
      const message = `Nothing was due for execution ${executionId}, though its alarm says so`
      this.#log('warn', message, undefined, { executionId, functionName })
    }
    this.#arm(executionId, dueMs <= now ? now + LOOK_AGAIN_MS : dueMs, deadlineMs)
  }

  #arm(executionId: string, dueMs: number, deadlineMs: number): void {
    this.alarms.set(executionId, dueMs, dueMs >= deadlineMs)
  }
}
