/**
 * The log of the functions: files of JSON lines for each function, or memory when the server keeps nothing on disk.
 * Writers are never made to wait: lines beyond what may be queued are dropped, counted and told. Records have positions
 * (`positions.ts`), by which they are read exactly: a reading sees everything that was written before it, once.
 *
 * What is kept is bounded for each function, for all of them together, and in time; the oldest goes first.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseExecutionArn } from '../../protocol/arn.ts'
import {
  type Clock,
  type LogGroup,
  type LoggedRecord,
  type LogPage,
  type LogReading,
  type LogRecord,
  type LogSelection,
  type LogStreamSummary,
  type Logs,
  logStreamOf,
  type Timers,
} from '../../service/ports.ts'
import { AppendFiles } from './append-files.ts'
import { FileLog, type FileLogBounds } from './file-log.ts'
import type { FunctionLog } from './function-log.ts'
import { GroupCatalog } from './group-catalog.ts'
import { groupOf, isMeant, needlesOf } from './log-record.ts'
import { MemoryLog } from './memory-log.ts'
import { lowestAt, Positions } from './positions.ts'
import { findLogs } from './segments.ts'

export interface LogStore extends Logs {
  write(record: LogRecord): void
  /** Resolves when everything written so far is in the files. */
  close(): Promise<void>
}

export interface LogBounds extends FileLogBounds {
  /** Of all functions together, on disk. */
  readonly totalBytes: number
  /** How long what was written is kept at least, unless there is too much of it. */
  readonly retentionMs: number
  /** Of one function, and of all of them together, in a store in memory. */
  readonly memoryBytes: number
  readonly totalMemoryBytes: number
}

const dayMs = 86_400_000

export const DEFAULT_LOG_BOUNDS: LogBounds = {
  segmentBytes: 16_777_216,
  segmentMs: dayMs,
  functionBytes: 67_108_864,
  queueBytes: 8_388_608,
  totalBytes: 1_073_741_824,
  retentionMs: 14 * dayMs,
  memoryBytes: 8_388_608,
  totalMemoryBytes: 134_217_728,
}

export interface LogStoreOptions {
  /** Undefined: memory. */
  readonly directory: string | undefined
  readonly bounds?: Partial<LogBounds>
  readonly clock: Clock
  readonly timers: Timers
}

/** How often what is too old is looked for. */
const sweepMs = 3_600_000
/** What a total that is too large is brought down to, so that it is looked at rarely. */
const lowWater = 0.95

export function openLogStore({ directory, bounds, ...world }: LogStoreOptions): LogStore {
  const all = { ...DEFAULT_LOG_BOUNDS, ...bounds }
  return directory === undefined ? new MemoryLogStore(all, world.clock) : new FileLogStore(directory, all, world)
}

/**
 * Readings at a time. A page may have megabytes, and as much again in what is made of it: whoever asks beyond these waits,
 * so that a crowd of readers takes neither the server's memory nor its time from the functions.
 */
const MOST_READINGS = 4

abstract class ReadableLogs<Log extends FunctionLog> implements LogStore {
  protected readonly logs = new Map<string, Log>()
  #readings = 0
  /** First come, first served. */
  readonly #waiting: (() => void)[] = []
  protected abstract readonly positions: Positions
  protected abstract readonly catalog: GroupCatalog

  protected abstract open(name: string): Log
  abstract close(): Promise<void>

  write(record: LogRecord): void {
    let log = this.logs.get(record.functionName)
    if (log === undefined) {
      log = this.open(record.functionName)
      this.logs.set(record.functionName, log)
    }
    this.catalog.add(record, log.newest === undefined)
    log.append(record)
  }

  async read(selection: LogSelection, reading: LogReading): Promise<LogPage> {
    if (this.#readings < MOST_READINGS) this.#readings += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await this.#page(selection, reading)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#readings -= 1
      else next()
    }
  }

  async #page(selection: LogSelection, reading: LogReading): Promise<LogPage> {
    // What is written from here on is not part of this reading: else one function's records could be seen, and others
    // of the same moment left out for ever.
    const until = this.positions.last
    const logs = this.#searched(selection)
    await Promise.all(logs.map((log) => log.written()))
    const since = selection.sinceMs === undefined ? -1 : lowestAt(selection.sinceMs) - 1
    return reading.direction === 'forward'
      ? await readForward(logs, selection, { ...reading, after: Math.max(since, reading.after), until })
      : await readBackward(logs, selection, { ...reading, since, until })
  }

  groups(): readonly LogGroup[] {
    const groups = new Map<string, { name: string; functionNames: Set<string>; sinceMs: number; storedBytes: number }>()
    for (const log of this.logs.values()) {
      if (log.newest === undefined) continue
      for (const name of this.catalog.of(log.name)) {
        const group = groups.get(name) ?? { name, functionNames: new Set(), sinceMs: Infinity, storedBytes: 0 }
        group.functionNames.add(log.name)
        group.sinceMs = Math.min(group.sinceMs, Math.floor((log.oldest ?? 0) / 1_000))
        group.storedBytes += log.bytes
        groups.set(name, group)
      }
    }
    return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async streams({ name, functionNames }: LogGroup): Promise<readonly LogStreamSummary[]> {
    const streams = new Map<string, { name: string; firstAt: number; lastAt: number }>()
    for (const log of this.#searched({ functionNames })) {
      await log.written()
      for await (const { record } of log.forward(-1, [])) {
        if (record === undefined || groupOf(record) !== name) continue
        const { at } = record
        const stream = logStreamOf(record)
        const known = streams.get(stream)
        if (known === undefined) streams.set(stream, { name: stream, firstAt: at, lastAt: at })
        else {
          known.firstAt = Math.min(known.firstAt, at)
          known.lastAt = Math.max(known.lastAt, at)
        }
      }
    }
    return [...streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The logs that can hold what is meant. */
  #searched({ functionNames, executionArns }: LogSelection): readonly Log[] {
    const names =
      functionNames ??
      (executionArns && new Set([...executionArns].flatMap((arn) => parseExecutionArn(arn)?.functionName ?? [])))
    if (names === undefined) return [...this.logs.values()]
    return [...names].flatMap((name) => this.logs.get(name) ?? [])
  }
}

interface ForwardReading {
  readonly after: number
  /** The newest position that is part of the reading. */
  readonly until: number
  readonly limit: number
  readonly maxBytes?: number
}

async function readForward(
  logs: readonly FunctionLog[],
  selection: LogSelection,
  { after, until, limit, maxBytes = Number.POSITIVE_INFINITY }: ForwardReading,
): Promise<LogPage> {
  const needles = needlesOf(selection)
  const waiting = logs.filter(({ newest }) => newest !== undefined && newest > after)
  // Everything up to here was looked at, in every log.
  let horizon = until
  let found: LoggedRecord[] = []
  for (const log of waiting) {
    let bytesLeft = maxBytes / waiting.length
    for await (const { position, bytes, record } of log.forward(after, needles)) {
      if (position > horizon) break
      if (record !== undefined && isMeant(record, selection)) found.push(record)
      bytesLeft -= bytes
      // The one more that is beyond the limit shows that there is more.
      if (bytesLeft <= 0 || found.length > limit) {
        horizon = bytesLeft <= 0 ? position : horizon
        if (found.length <= limit) break
        found = inOrder(found).slice(0, limit + 1)
        horizon = Math.min(horizon, (found.at(-1)?.position ?? horizon) - 1)
        found.pop()
      }
    }
    found = found.filter(({ position }) => position <= horizon)
  }
  return { records: inOrder(found), position: horizon, complete: horizon >= until }
}

interface BackwardReading {
  readonly before?: number
  /** No record that is meant is here or below. */
  readonly since: number
  readonly until: number
  readonly limit: number
  readonly maxBytes?: number
}

async function readBackward(
  logs: readonly FunctionLog[],
  selection: LogSelection,
  { before = Number.POSITIVE_INFINITY, since, until, limit, maxBytes = Number.POSITIVE_INFINITY }: BackwardReading,
): Promise<LogPage> {
  const needles = needlesOf(selection)
  const newest = new Newest(limit, maxBytes)
  // The newest first: those of the others that are older than all that is wanted need not be read at all.
  for (const log of [...logs].sort((a, b) => (b.newest ?? 0) - (a.newest ?? 0))) {
    if (log.newest === undefined || log.newest <= Math.max(since, newest.floor)) continue
    for await (const { position, bytes, record } of log.backward(Math.min(before, until + 1), needles)) {
      if (position <= Math.max(since, newest.floor)) break
      if (record !== undefined && isMeant(record, selection)) newest.add(record, bytes)
    }
  }
  return { records: newest.records, position: until, complete: newest.floor < 0 }
}

/** The newest of the records that are added, within bounds. */
class Newest {
  readonly #limit: number
  readonly #maxBytes: number
  /** The newest first. */
  #kept: { readonly record: LoggedRecord; readonly bytes: number }[] = []
  #bytes = 0
  /** A record here or below is not wanted, for there are enough newer ones. */
  floor = -1

  constructor(limit: number, maxBytes: number) {
    this.#limit = limit
    this.#maxBytes = maxBytes
  }

  get records(): readonly LoggedRecord[] {
    return this.#kept.map(({ record }) => record).reverse()
  }

  add(record: LoggedRecord, bytes: number): void {
    // Most come from one log, and are older than those before them.
    let at = this.#kept.length
    while (at > 0 && (this.#kept[at - 1]?.record.position ?? 0) < record.position) at -= 1
    this.#kept.splice(at, 0, { record, bytes })
    this.#bytes += bytes
    while (this.#kept.length > this.#limit || (this.#bytes > this.#maxBytes && this.#kept.length > 1)) {
      const oldest = this.#kept.pop()
      this.#bytes -= oldest?.bytes ?? 0
      this.floor = Math.max(this.floor, oldest?.record.position ?? this.floor)
    }
  }
}

const inOrder = (records: readonly LoggedRecord[]): LoggedRecord[] =>
  [...records].sort((a, b) => a.position - b.position)

class MemoryLogStore extends ReadableLogs<MemoryLog> {
  protected readonly positions: Positions
  protected readonly catalog = new GroupCatalog(undefined, () => {})
  readonly #bounds: LogBounds
  #bytes = 0

  constructor(bounds: LogBounds, clock: Clock) {
    super()
    this.#bounds = bounds
    // Beyond those of a server that ran before: whoever follows its log goes on with this one's.
    this.positions = new Positions(lowestAt(clock.now()))
  }

  async close(): Promise<void> {}

  protected open(name: string): MemoryLog {
    return new MemoryLog(name, this.positions, this.#bounds.memoryBytes, (bytes) => this.#resized(bytes))
  }

  #resized(bytes: number): void {
    this.#bytes += bytes
    if (bytes < 0 || this.#bytes <= this.#bounds.totalMemoryBytes) return
    const logs = [...this.logs.values()]
    logs.reduce((largest, log) => (log.bytes > largest.bytes ? log : largest)).forgetQuarter()
  }
}

class FileLogStore extends ReadableLogs<FileLog> {
  protected readonly positions: Positions
  protected readonly catalog: GroupCatalog
  readonly #directory: string
  readonly #bounds: LogBounds
  readonly #world: { readonly clock: Clock; readonly timers: Timers }
  readonly #files = new AppendFiles()
  #bytes = 0
  #shrinking: Promise<void> | undefined
  #closed = false
  #cancelSweep = (): void => {}

  constructor(directory: string, bounds: LogBounds, world: { readonly clock: Clock; readonly timers: Timers }) {
    super()
    this.#directory = directory
    this.#bounds = bounds
    this.#world = world
    mkdirSync(directory, { recursive: true })
    const found = findLogs(directory)
    const lasts = found.flatMap(({ segments, earlier }) => [
      ...segments.map(({ last }) => last),
      ...earlier.map((path) => lowestAt(statSync(path).mtimeMs)),
    ])
    this.positions = new Positions(lasts.reduce((most, last) => Math.max(most, last), 0))
    this.catalog = new GroupCatalog(join(directory, 'groups.json'), warn)
    for (const log of found) {
      this.logs.set(log.name, new FileLog(log, this.#site()))
      this.#bytes += log.segments.reduce((sum, { bytes }) => sum + bytes, 0)
    }
    void this.#sweep()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep()
    await Promise.all([...this.logs.values()].map((log) => log.close()))
    await this.#shrinking
    await this.#files.closeAll()
  }

  protected open(name: string): FileLog {
    return new FileLog({ name, segments: [], earlier: [] }, this.#site())
  }

  #site() {
    const { positions } = this
    return {
      directory: this.#directory,
      bounds: this.#bounds,
      positions,
      files: this.#files,
      resized: (bytes: number) => {
        this.#bytes += bytes
        this.#fit()
      },
      failed: warn,
    }
  }

  #fit(): void {
    if (this.#bytes <= this.#bounds.totalBytes) return
    this.#shrinking ??= this.#shrink().finally(() => {
      this.#shrinking = undefined
    })
  }

  /** Removes what was written longest ago, of whichever function, until there is room again. */
  async #shrink(): Promise<void> {
    while (this.#bytes > this.#bounds.totalBytes * lowWater) {
      const ends = [...this.logs.values()].flatMap((log) => {
        const position = log.oldestSegmentEnds
        return position === undefined ? [] : [{ log, position }]
      })
      const [first] = ends
      if (first === undefined) return
      const oldest = ends.reduce((least, each) => (each.position < least.position ? each : least), first)
      await oldest.log.removeOldest(oldest.position)
      this.#forgetEmpty(oldest.log)
    }
  }

  async #sweep(): Promise<void> {
    const { clock, timers } = this.#world
    const oldest = lowestAt(clock.now() - this.#bounds.retentionMs)
    for (const log of [...this.logs.values()]) {
      if (this.#closed) return
      await log.removeUpTo(oldest)
      this.#forgetEmpty(log)
    }
    this.#fit()
    if (!this.#closed) this.#cancelSweep = timers.at(clock.now() + sweepMs, () => void this.#sweep())
  }

  #forgetEmpty(log: FileLog): void {
    if (!log.isEmpty) return
    this.logs.delete(log.name)
    this.catalog.remove(log.name)
  }
}

function warn(message: string): void {
  process.emitWarning(message)
}
