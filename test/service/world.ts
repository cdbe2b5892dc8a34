/**
 * A service in a world that tests hold in their hands: a clock that stands still, functions that are scripts, a store
 * that can be told to fail, and a way to die as `kill -9` does.
 */
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import type { Store } from '../../src/journal/store.ts'
import { DEFAULT_PLACE, type ExecutionArn, parseExecutionArn } from '../../src/protocol/arn.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts'
import { Activity } from '../../src/service/activity.ts'
import type { Started, StartRequest } from '../../src/service/api.ts'
import { createManualClock, type ManualClock, settle, uuidOf } from '../../src/service/clock-adapters.ts'
import { createDurableService, type RunningService } from '../../src/service/durable-service.ts'
import type { LogLevel } from '../../src/service/log.ts'
import type { Entropy, Webhooks } from '../../src/service/ports.ts'
import { FaultyStore } from './faulty-store.ts'
import { ScriptedFunctions } from './scripted-functions.ts'

export const START_MS = Date.UTC(2030, 0, 1)

/** Counts instead of drawing: every id of a test differs from every other and is the same in every run. */
export class CountingEntropy implements Entropy {
  #drawn = 0

  hex(bytes: number): string {
    this.#drawn += 1
    return this.#drawn
      .toString(16)
      .padStart(bytes * 2, '0')
      .slice(-bytes * 2)
  }

  uuid(): string {
    return uuidOf(this.hex(16))
  }
}

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly error: unknown
}

export interface WorldOptions {
  readonly store?: Store
  readonly functions?: ScriptedFunctions
  readonly limits?: Partial<Limits>
  readonly cacheBytes?: number
  readonly nowMs?: number
  readonly entropy?: Entropy
  readonly allowUnqualified?: boolean
  readonly webhooks?: Webhooks
  readonly destinations?: Readonly<Record<string, string>>
  readonly events?: readonly string[]
}

export class World {
  readonly service: RunningService
  readonly store: FaultyStore
  /** What outlives a crash. */
  readonly disk: Store
  readonly functions: ScriptedFunctions
  readonly clock: ManualClock
  readonly entropy: Entropy
  readonly activity: Activity
  readonly log: LogLine[]
  readonly #options: WorldOptions

  private constructor(parts: {
    service: RunningService
    store: FaultyStore
    disk: Store
    functions: ScriptedFunctions
    clock: ManualClock
    entropy: Entropy
    activity: Activity
    log: LogLine[]
    options: WorldOptions
  }) {
    this.service = parts.service
    this.store = parts.store
    this.disk = parts.disk
    this.functions = parts.functions
    this.clock = parts.clock
    this.entropy = parts.entropy
    this.activity = parts.activity
    this.log = parts.log
    this.#options = parts.options
  }

  static async open(options: WorldOptions = {}): Promise<World> {
    const disk = options.store ?? new MemoryStore()
    const store = new FaultyStore(disk)
    const functions = options.functions ?? new ScriptedFunctions()
    const entropy = options.entropy ?? new CountingEntropy()
    const activity = new Activity()
    const clock = createManualClock({ startMs: options.nowMs ?? START_MS, settle: () => settle(activity) })
    const log: LogLine[] = []
    const service = await createDurableService({
      store,
      functions,
      clock,
      timers: clock.timers,
      entropy,
      place: DEFAULT_PLACE,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      log: (level, message, error) => log.push({ level, message, error }),
      activity,
      wall: { clock, timers: clock.timers },
      ...(options.cacheBytes === undefined ? {} : { cacheBytes: options.cacheBytes }),
      ...(options.allowUnqualified === undefined ? {} : { allowUnqualified: options.allowUnqualified }),
      ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
      ...(options.destinations === undefined ? {} : { destinations: options.destinations }),
      ...(options.events === undefined ? {} : { events: options.events }),
    })
    functions.attach(service)
    return new World({ service, store, disk, functions, clock, entropy, activity, log, options })
  }

  /** The process is killed: nothing of it reaches the disk any more. A new one opens the same disk. */
  async crash(options: Partial<WorldOptions> = {}): Promise<World> {
    this.store.cut()
    this.functions.lose()
    const functions = options.functions ?? this.functions.reborn()
    const nowMs = this.clock.now()
    return World.open({ ...this.#options, nowMs, entropy: this.entropy, ...options, store: this.disk, functions })
  }

  settle(): Promise<void> {
    return settle(this.activity)
  }

  /** Starts an execution of a declared function's `$LATEST`. */
  start(functionName: string, options: Partial<Omit<StartRequest, 'target'>> & { version?: string } = {}) {
    const { version = '$LATEST', name, input = '{}', mode = 'async', ...rest } = options
    return this.service.start({
      target: this.functions.durableTarget(functionName, version),
      name,
      input,
      mode,
      ...rest,
    })
  }

  arn(started: Started | string): ExecutionArn {
    const arn = parseExecutionArn(typeof started === 'string' ? started : started.arn)
    if (arn === undefined) throw new Error('not the ARN of an execution')
    return arn
  }

  describe(started: Started | string) {
    return this.service.describe({ arn: this.arn(started), includeData: true })
  }

  history(started: Started | string) {
    return this.service.history({ arn: this.arn(started), includeData: true, reverse: false, maxItems: 1000 })
  }

  /** Types of all events so far, in order. */
  async events(started: Started | string): Promise<string[]> {
    return (await this.history(started)).Events.map(({ EventType }) => EventType)
  }

  end(started: Started) {
    return this.service.waitForEnd(started.executionId, new AbortController().signal)
  }
}
