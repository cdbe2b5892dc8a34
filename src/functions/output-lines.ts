/**
 * Splits what a function prints into lines, within bounds: a line is cut at its limit, and a function that prints
 * faster than its allowance loses lines, which are counted and told (invariant I7: a flood delays nobody else).
 */
import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '../service/ports.ts'

export const maxLineBytes = 65_536

/** Bytes that may be printed at once, and the bytes per second that are allowed again. */
export const floodBurstBytes = 4_194_304
export const floodBytesPerSecond = 1_048_576

const newline = 0x0a

/** Shared by the streams of one process. */
export interface Allowance {
  /** True when `bytes` may pass. */
  spend(bytes: number): boolean
  /** True when anything could not pass since this was asked last: it is time to read more slowly. */
  overdrawn(): boolean
}

export function createAllowance(clock: Clock): Allowance {
  let left = floodBurstBytes
  let filledAt = clock.now()
  let overdrawn = false
  return {
    overdrawn: () => {
      const was = overdrawn
      overdrawn = false
      return was
    },
    spend: (bytes) => {
      const now = clock.now()
      // A clock that was set back takes nothing away.
      const passedMs = Math.max(0, now - filledAt)
      left = Math.min(floodBurstBytes, left + (passedMs / 1000) * floodBytesPerSecond)
      filledAt = now
      if (bytes > left) {
        overdrawn = true
        return false
      }
      left -= bytes
      return true
    },
  }
}

export interface OutputLines {
  write(chunk: Buffer): void
  /** Gives out an unfinished last line and tells of dropped ones: at the end of an invocation, and of the process. */
  flush(): void
}

export function createOutputLines(allowance: Allowance, emit: (line: string) => void): OutputLines {
  let decoder = new StringDecoder('utf8')
  let partial = ''
  let lineBytes = 0
  let droppedLines = 0
  let droppedBytes = 0
  let skipping = false

  const tellDropped = (): void => {
    if (droppedBytes === 0) return
    emit(
      `[perdure] ${droppedLines} lines (${droppedBytes} bytes) were dropped: the function printed more than ` +
        `${floodBurstBytes} bytes at once or ${floodBytesPerSecond} bytes per second`,
    )
    droppedLines = 0
    droppedBytes = 0
  }
  const add = (bytes: Buffer): void => {
    const room = maxLineBytes - lineBytes
    if (room > 0) partial += decoder.write(bytes.subarray(0, room))
    lineBytes += bytes.byteLength
  }
  const endLine = (): void => {
    const text = partial + decoder.end()
    const cut = lineBytes - maxLineBytes
    emit(cut > 0 ? `${text} [perdure] ${cut} more bytes of this line were cut` : text.replace(/\r$/, ''))
    decoder = new StringDecoder('utf8')
    partial = ''
    lineBytes = 0
  }
  const drop = (bytes: number): void => {
    droppedBytes += bytes
  }

  return {
    write: (chunk) => {
      let start = 0
      while (start < chunk.byteLength) {
        const end = chunk.indexOf(newline, start)
        const stop = end === -1 ? chunk.byteLength : end + 1
        const passes = !skipping && allowance.spend(stop - start)
        if (passes) {
          tellDropped()
          add(chunk.subarray(start, end === -1 ? stop : end))
          if (end !== -1) endLine()
        } else {
          // A line of which a part was dropped is dropped to its end.
          drop(stop - start)
          if (lineBytes > 0) endLine()
          if (end !== -1) droppedLines += 1
          skipping = end === -1
        }
        start = stop
      }
    },
    flush: () => {
      if (lineBytes > 0) endLine()
      skipping = false
      tellDropped()
    },
  }
}
