/**
 * A function's log in files (`segments.ts`). One job at a time touches them; what is appended meanwhile goes with the
 * next one. Readers need no turn: a segment grows at its end, or is removed as a whole.
 */
import { rm } from 'node:fs/promises'
import type { LogRecord } from '../../service/ports.ts'
import type { AppendFiles } from './append-files.ts'
import { convertEarlier } from './earlier-files.ts'
import type { FunctionLog, Looked } from './function-log.ts'
import { linesBackward } from './lines-backward.ts'
import { linesForward } from './lines-forward.ts'
import { lineOf, positionIn, recordIn } from './log-record.ts'
import { lowestAt, type Positions } from './positions.ts'
import { type FoundLog, isMissing, offsetNear, openSegment, type Segment, segmentPath } from './segments.ts'

export interface FileLogBounds {
  /** Of one segment, before the next one is begun. */
  readonly segmentBytes: number
  /** How long one segment is written, so that what is old can be removed. */
  readonly segmentMs: number
  /** Of all segments of the function. */
  readonly functionBytes: number
  /** Queued, to be written. */
  readonly queueBytes: number
}

export interface FileLogSite {
  readonly directory: string
  readonly bounds: FileLogBounds
  readonly positions: Positions
  readonly files: AppendFiles
  /** The files of the log have grown by so many bytes, or become smaller. */
  readonly resized: (bytes: number) => void
  /** Lines could not be written. Told once for each function. */
  readonly failed: (message: string) => void
}

const newline = Buffer.from('\n')

export class FileLog implements FunctionLog {
  readonly name: string
  readonly #site: FileLogSite
  /** The oldest first; the last one is written. */
  readonly #segments: Segment[]
  /** Files of earlier versions that are still to be converted. */
  #earlier: readonly string[]
  #queue: { readonly text: string; readonly position: number }[] = []
  #queuedBytes = 0
  #droppedRecords = 0
  /** The end of the last job. */
  #jobs: Promise<void> = Promise.resolve()
  #failed = false

  constructor({ name, segments, earlier }: FoundLog, site: FileLogSite) {
    this.name = name
    this.#site = site
    this.#segments = segments
    this.#earlier = earlier
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get newest(): number | undefined {
    if (this.#earlier.length > 0) return Number.POSITIVE_INFINITY
    return this.#queue.at(-1)?.position ?? this.#segments.at(-1)?.last
  }

  get oldest(): number | undefined {
    return this.#segments[0]?.first ?? this.#queue[0]?.position
  }

  /** The last position of the segment that would be removed next. */
  get oldestSegmentEnds(): number | undefined {
    return this.#segments[0]?.last
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#queue.length === 0 && this.#earlier.length === 0
  }

  append(record: LogRecord): void {
    if (this.#queuedBytes > this.#site.bounds.queueBytes) {
      this.#droppedRecords += 1
      return
    }
    if (this.#droppedRecords > 0) {
      const line = `[perdure] ${this.#droppedRecords} lines were dropped: the log could not be written fast enough`
      this.#droppedRecords = 0
      this.append({ ...record, stream: 'platform', line })
    }
    const position = this.#site.positions.next(record.at)
    const text = lineOf(record, position)
    if (this.#queue.length === 0) this.#enqueue(() => this.#writeQueue())
    this.#queue.push({ text, position })
    this.#queuedBytes += text.length
  }

  async written(): Promise<void> {
    if (this.#earlier.length > 0) this.#enqueue(() => this.#convertEarlier())
    await this.#jobs
  }

  async *forward(after: number, needles: readonly string[]): AsyncGenerator<Looked> {
    for (const segment of [...this.#segments]) {
      if (segment.last <= after) continue
      const file = await openSegment(segment)
      if (file === undefined) continue
      try {
        for await (const line of linesForward(file, await offsetNear(file, after))) {
          const looked = look(line, needles)
          if (looked !== undefined && looked.position > after) yield looked
        }
      } finally {
        await file.close()
      }
    }
  }

  async *backward(before: number, needles: readonly string[]): AsyncGenerator<Looked> {
    for (const segment of this.#segments.toReversed()) {
      if (segment.first >= before) continue
      const file = await openSegment(segment)
      if (file === undefined) continue
      try {
        for await (const line of linesBackward(file)) {
          const looked = look(line, needles)
          if (looked !== undefined && looked.position < before) yield looked
        }
      } finally {
        await file.close()
      }
    }
  }

  /** Removes the oldest segment, unless a newer record than `position` was written to it. */
  async removeOldest(position: number): Promise<void> {
    await this.#do(async () => {
      const [oldest] = this.#segments
      if (oldest !== undefined && oldest.last <= position) await this.#remove(oldest)
    })
  }

  /** Removes the segments without a record beyond the position. */
  async removeUpTo(position: number): Promise<void> {
    await this.#do(async () => {
      for (const segment of [...this.#segments]) if (segment.last <= position) await this.#remove(segment)
    })
  }

  async close(): Promise<void> {
    await this.#jobs
  }

  #do(job: () => Promise<void>): Promise<void> {
    this.#enqueue(job)
    return this.#jobs
  }

  #enqueue(job: () => Promise<void>): void {
    this.#jobs = this.#jobs.then(job).catch((error: unknown) => this.#fail(error))
  }

  async #writeQueue(): Promise<void> {
    // Lines of the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#convertEarlier()
    const queued = this.#queue
    const [first, last] = [queued[0], queued.at(-1)]
    this.#queue = []
    this.#queuedBytes = 0
    if (first === undefined || last === undefined) return
    const batch = Buffer.from(queued.map(({ text }) => text).join(''))
    const segment = await this.#segmentFor(first.position, batch.byteLength)
    const bytes = segment.torn ? Buffer.concat([newline, batch]) : batch
    // Until it is known that all of it was written, part of it may be.
    segment.torn = true
    await this.#site.files.append(segment.path, bytes)
    segment.torn = false
    segment.bytes += bytes.byteLength
    segment.last = last.position
    await this.#removeSurplus()
    this.#site.resized(bytes.byteLength)
  }

  /** The newest one, or the next one when that is full or old. */
  async #segmentFor(position: number, bytes: number): Promise<Segment> {
    const { directory, bounds, files } = this.#site
    const newest = this.#segments.at(-1)
    if (newest !== undefined) {
      const isFull = newest.bytes > 0 && newest.bytes + bytes > bounds.segmentBytes
      const isOld = position - newest.first > lowestAt(bounds.segmentMs)
      if (!isFull && !isOld) return newest
      await files.close(newest.path)
    }
    const path = segmentPath(directory, this.name, position)
    const next: Segment = { path, first: position, last: position, bytes: 0, torn: false }
    this.#segments.push(next)
    return next
  }

  async #removeSurplus(): Promise<void> {
    for (let [oldest] = this.#segments; oldest !== undefined; [oldest] = this.#segments) {
      if (this.#segments.length === 1 || this.bytes <= this.#site.bounds.functionBytes) return
      await this.#remove(oldest)
    }
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments.splice(this.#segments.indexOf(segment), 1)
    this.#site.resized(-segment.bytes)
    await this.#site.files.close(segment.path)
    await rm(segment.path, { force: true })
  }

  async #convertEarlier(): Promise<void> {
    for (let [path] = this.#earlier; path !== undefined; [path] = this.#earlier) {
      const after = this.#segments.at(-1)?.last ?? -1
      try {
        const segment = await convertEarlier(path, { directory: this.#site.directory, name: this.name, after })
        if (segment !== undefined) {
          this.#site.positions.reached(segment.last)
          this.#segments.push(segment)
          this.#site.resized(segment.bytes)
        }
      } catch (error) {
        if (!isMissing(error)) this.#fail(error)
      }
      this.#earlier = this.#earlier.slice(1)
    }
  }

  /** A log that cannot be written (a full disk) must not end the server; it is told once. */
  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#site.failed(`The log of function "${this.name}" cannot be written: ${String(error)}. Its lines are lost.`)
  }
}

function look(line: Buffer, needles: readonly string[]): Looked | undefined {
  const position = positionIn(line)
  if (position === undefined) return undefined
  const record = needles.every((needle) => line.includes(needle)) ? recordIn(line) : undefined
  return { position, bytes: line.byteLength, record }
}
