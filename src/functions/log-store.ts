/**
 * The log of the functions: one file of JSON lines per function, rotated when it is full, or memory when the server
 * keeps nothing on disk. Writers are never made to wait: lines beyond what may be queued are dropped, counted and told.
 * Records of one function keep their order; a query sees everything that was written before it.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseExecutionArn } from '../protocol/arn.ts'
import type { LogRecord, Logs } from '../service/ports.ts'
import { linesBackward } from './lines-backward.ts'

export type LogQuery = Parameters<Logs['query']>[0]

export interface LogStore extends Logs {
  write(record: LogRecord): void
  /** Resolves when everything written so far is in the files. */
  close(): Promise<void>
}

export interface LogBounds {
  /** Of one file, before it is rotated. */
  readonly fileBytes: number
  /** Of one function, the current one included. */
  readonly files: number
  /** Queued for one function's file; of one function in a store in memory. */
  readonly memoryBytes: number
}

export const DEFAULT_LOG_BOUNDS: LogBounds = { fileBytes: 16_777_216, files: 4, memoryBytes: 8_388_608 }

export function openLogStore(directory: string | undefined, bounds: LogBounds = DEFAULT_LOG_BOUNDS): LogStore {
  return directory === undefined ? memoryLogStore(bounds) : new FileLogStore(directory, bounds)
}

function matches(record: LogRecord, query: LogQuery): boolean {
  return (
    (query.executionArn === undefined || record.executionArn === query.executionArn) &&
    (query.functionName === undefined || record.functionName === query.functionName) &&
    (query.requestId === undefined || record.requestId === query.requestId) &&
    (query.afterMs === undefined || record.at > query.afterMs)
  )
}

/** The function whose log can hold matches; undefined when any can. */
function functionOf({ executionArn, functionName }: LogQuery): string | undefined {
  return functionName ?? (executionArn === undefined ? undefined : parseExecutionArn(executionArn)?.functionName)
}

/** Merges the logs of several functions, each newest first, into the newest `limit`, oldest first. */
function newest(logs: readonly (readonly LogRecord[])[], limit: number): readonly LogRecord[] {
  const merged = logs.length === 1 ? [...(logs[0] ?? [])] : logs.flat().sort((a, b) => b.at - a.at)
  return merged.slice(0, limit).reverse()
}

function memoryLogStore({ memoryBytes }: LogBounds): LogStore {
  const logs = new Map<string, { readonly records: LogRecord[]; bytes: number }>()
  const size = (record: LogRecord): number => record.line.length + 200
  return {
    write: (record) => {
      let log = logs.get(record.functionName)
      if (log === undefined) {
        log = { records: [], bytes: 0 }
        logs.set(record.functionName, log)
      }
      log.records.push(record)
      log.bytes += size(record)
      if (log.bytes <= memoryBytes) return
      // A quarter goes at once, so that the array is moved rarely.
      let dropped = 0
      for (const oldest of log.records) {
        if (log.bytes <= memoryBytes * 0.75) break
        log.bytes -= size(oldest)
        dropped += 1
      }
      log.records.splice(0, dropped)
    },
    query: async (query) => {
      const name = functionOf(query)
      const searched = name === undefined ? [...logs.values()] : [logs.get(name) ?? { records: [] }]
      const found = searched.map(({ records }) => {
        const log: LogRecord[] = []
        for (let index = records.length - 1; index >= 0 && log.length < query.limit; index -= 1) {
          const record = records[index]
          if (record !== undefined && matches(record, query)) log.push(record)
        }
        return log
      })
      return newest(found, query.limit)
    },
    close: async () => {},
  }
}

class FileLogStore implements LogStore {
  readonly #directory: string
  readonly #bounds: LogBounds
  readonly #logs = new Map<string, FunctionLog>()

  constructor(directory: string, bounds: LogBounds) {
    this.#directory = directory
    this.#bounds = bounds
    mkdirSync(directory, { recursive: true })
    for (const file of readdirSync(directory)) {
      const [name] = file.split('.')
      if (name !== undefined && file.endsWith('.ndjson')) this.#logOf(name)
    }
  }

  write(record: LogRecord): void {
    this.#logOf(record.functionName).append(record)
  }

  async query(query: LogQuery): Promise<readonly LogRecord[]> {
    const name = functionOf(query)
    const searched =
      name === undefined ? [...this.#logs.values()] : [this.#logs.get(name)].filter((log) => log !== undefined)
    return newest(await Promise.all(searched.map((log) => log.newest(query))), query.limit)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.close()))
  }

  #logOf(name: string): FunctionLog {
    let log = this.#logs.get(name)
    if (log === undefined) {
      log = new FunctionLog(this.#directory, name, this.#bounds)
      this.#logs.set(name, log)
    }
    return log
  }
}

/**
 * The files of one function: `name.ndjson` is written, `name.1.ndjson` was full last, and so on. One job at a time
 * touches them; what is appended meanwhile goes with the next one.
 */
class FunctionLog {
  readonly #directory: string
  readonly #name: string
  readonly #bounds: LogBounds
  #queue: string[] = []
  #queuedBytes = 0
  #droppedRecords = 0
  #job: Promise<void> | undefined
  #file: FileHandle | undefined
  #fileBytes = 0
  #failed = false

  constructor(directory: string, name: string, bounds: LogBounds) {
    this.#directory = directory
    this.#name = name
    this.#bounds = bounds
  }

  append(record: LogRecord): void {
    if (this.#queuedBytes > this.#bounds.memoryBytes) {
      this.#droppedRecords += 1
      return
    }
    if (this.#droppedRecords > 0) {
      const line = `[perdure] ${this.#droppedRecords} lines were dropped: the log could not be written fast enough`
      this.#droppedRecords = 0
      this.append({ ...record, stream: 'platform', line })
    }
    const text = `${JSON.stringify(record)}\n`
    this.#queue.push(text)
    this.#queuedBytes += text.length
    this.#job ??= this.#writeQueue()
  }

  async newest(query: LogQuery): Promise<readonly LogRecord[]> {
    await this.#written()
    const found: LogRecord[] = []
    const needles = [query.executionArn, query.requestId].filter((text) => text !== undefined)
    // All are opened before the first is read: a rotation meanwhile renames them, the handles stay.
    const files = (await Promise.all(this.#paths().map(openIfPresent))).filter((file) => file !== undefined)
    try {
      for (const file of files) {
        for await (const line of linesBackward(file, needles)) {
          const record = JSON.parse(line) as LogRecord
          if (matches(record, query)) found.push(record)
          if (found.length >= query.limit) return found
        }
      }
    } finally {
      await Promise.all(files.map((file) => file.close()))
    }
    return found
  }

  async close(): Promise<void> {
    await this.#written()
    await this.#file?.close()
    this.#file = undefined
  }

  async #written(): Promise<void> {
    while (this.#job !== undefined) await this.#job
  }

  async #writeQueue(): Promise<void> {
    // Lines of the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const batch = Buffer.from(this.#queue.join(''))
      this.#queue = []
      this.#queuedBytes = 0
      try {
        await this.#write(batch)
      } catch (error) {
        this.#fail(error)
      }
    }
    this.#job = undefined
  }

  async #write(batch: Buffer): Promise<void> {
    const { fileBytes } = this.#bounds
    if (this.#file !== undefined && this.#fileBytes > 0 && this.#fileBytes + batch.byteLength > fileBytes) {
      await this.#rotate()
    }
    if (this.#file === undefined) {
      this.#file = await open(this.#path(0), 'a')
      this.#fileBytes = (await this.#file.stat()).size
    }
    await this.#file.appendFile(batch)
    this.#fileBytes += batch.byteLength
  }

  async #rotate(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    await rm(this.#path(this.#bounds.files - 1), { force: true })
    for (let number = this.#bounds.files - 2; number >= 0; number -= 1) {
      try {
        await rename(this.#path(number), this.#path(number + 1))
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
  }

  /** A log that cannot be written (a full disk) must not end the server; it is told once. */
  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    process.emitWarning(`The log of function "${this.#name}" cannot be written: ${String(error)}. Its lines are lost.`)
  }

  #path(number: number): string {
    return join(this.#directory, number === 0 ? `${this.#name}.ndjson` : `${this.#name}.${number}.ndjson`)
  }

  #paths(): readonly string[] {
    return Array.from({ length: this.#bounds.files }, (_, number) => this.#path(number))
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
