/**
 * The files of a function's log. A segment is named after the position of its first record and only ever grows at its
 * end, so that a place in a log stays where it is; the newest one is written.
 *
 *     order.1767225600000000.ndjson   {"position":1767225600000000,"at":1767225600000,…}
 *     order.1767312000417000.ndjson   {"position":1767312000417000,"at":1767312000417,…}
 *
 * Earlier versions named the newest `order.ndjson` and renamed it to `order.1.ndjson` when it was full (`earlier-files.ts`).
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { positionIn } from './log-record.ts'

export interface Segment {
  readonly path: string
  /** The position of its first record. */
  readonly first: number
  /** The position of its last record. */
  last: number
  bytes: number
  /** Its last line has no end: the process or the power went while it was written. */
  torn: boolean
}

export interface FoundLog {
  readonly name: string
  /** The oldest first. */
  readonly segments: Segment[]
  /** Files of earlier versions, the oldest first. */
  readonly earlier: string[]
}

const segmentName = /^([\w-]+)\.(\d{16})\.ndjson$/
const earlierName = /^([\w-]+)\.(?:(\d{1,3})\.)?ndjson$/

export function segmentPath(directory: string, name: string, first: number): string {
  return join(directory, `${name}.${String(first).padStart(16, '0')}.ndjson`)
}

/** What lies in the folder. Reads the end of each segment: only there it stands where the log goes on. */
export function findLogs(directory: string): readonly FoundLog[] {
  const logs = new Map<string, FoundLog>()
  const logOf = (name: string): FoundLog => {
    const log = logs.get(name) ?? { name, segments: [], earlier: [] }
    logs.set(name, log)
    return log
  }
  const earlier: { readonly name: string; readonly number: number; readonly path: string }[] = []
  for (const file of readdirSync(directory).sort()) {
    const path = join(directory, file)
    const [, name, first] = segmentName.exec(file) ?? []
    if (name !== undefined && first !== undefined) {
      logOf(name).segments.push(readSegment(path, Number(first)))
      continue
    }
    const [, earlierOf, number = '0'] = earlierName.exec(file) ?? []
    if (earlierOf !== undefined) earlier.push({ name: earlierOf, number: Number(number), path })
  }
  for (const { name, path } of earlier.sort((a, b) => b.number - a.number)) logOf(name).earlier.push(path)
  return [...logs.values()]
}

function readSegment(path: string, first: number): Segment {
  const { size } = statSync(path)
  const file = openSync(path, 'r')
  try {
    // Lines are mostly short: a little is read at first, and more when no line begins in it.
    for (let length = 1_024; ; length *= 8) {
      const tail = Buffer.alloc(Math.min(length, size))
      readSync(file, tail, 0, tail.byteLength, size - tail.byteLength)
      const last = lastPosition(tail, tail.byteLength === size)
      if (last !== undefined || tail.byteLength === size) {
        return { path, first, last: last ?? first, bytes: size, torn: size > 0 && tail.at(-1) !== newline }
      }
    }
  } finally {
    closeSync(file)
  }
}

const newline = 0x0a

/** Of the last line that has a position, if it begins in these bytes. */
function lastPosition(tail: Buffer, isWhole: boolean): number | undefined {
  for (let end = tail.byteLength; end > 0; ) {
    const start = tail.subarray(0, end - 1).lastIndexOf(newline) + 1
    if (start === 0 && !isWhole) return undefined
    const position = positionIn(tail.subarray(start, end))
    if (position !== undefined) return position
    end = start
  }
  return undefined
}

/** Undefined when it was removed meanwhile. */
export async function openSegment({ path }: Segment): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

const nearBytes = 65_536

/** Where a line begins before which no record is beyond the position, and behind which soon one is. */
export async function offsetNear(file: FileHandle, position: number): Promise<number> {
  let [low, high] = [0, (await file.stat()).size]
  while (high - low > nearBytes) {
    const middle = Math.floor((low + high) / 2)
    const line = await lineBehind(file, middle, high)
    if (line === undefined || line.position > position) high = middle
    else low = line.offset
  }
  return low
}

/** The first line with a position that begins behind the offset. */
async function lineBehind(file: FileHandle, offset: number, end: number) {
  const block = Buffer.allocUnsafe(4_096)
  let atStart = false
  for (let at = offset; at < end; ) {
    const { bytesRead } = await file.read(block, 0, block.byteLength, at)
    if (bytesRead === 0) return undefined
    const bytes = block.subarray(0, bytesRead)
    if (atStart) {
      const position = positionIn(bytes)
      if (position !== undefined) return { offset: at, position }
    }
    const lineEnd = bytes.indexOf(newline)
    atStart = lineEnd !== -1
    at += atStart ? lineEnd + 1 : bytesRead
  }
  return undefined
}
