/** The log of one function, in files or in memory: what the store needs of it. */
import type { LoggedRecord, LogRecord } from '../../service/ports.ts'

export interface FunctionLog {
  readonly name: string
  readonly bytes: number
  /** The position of the newest record; Infinity while that is not known, undefined when there is none. */
  readonly newest: number | undefined
  readonly oldest: number | undefined
  append(record: LogRecord): void
  /** Resolves when everything that was appended can be read. */
  written(): Promise<void>
  /** Records beyond a position, the oldest first; with what it costs to look at each, and undefined where one is not meant. */
  forward(after: number, needles: readonly string[]): AsyncIterable<Looked>
  /** Records before a position, the newest first. */
  backward(before: number, needles: readonly string[]): AsyncIterable<Looked>
  close(): Promise<void>
}

/** A line that was looked at. `record` is undefined when it lacks a needle, or is none. */
export interface Looked {
  readonly position: number
  readonly bytes: number
  readonly record: LoggedRecord | undefined
}
