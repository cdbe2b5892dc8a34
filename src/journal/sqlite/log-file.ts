/**
 * SQLite's write-ahead log, read by ourselves (https://sqlite.org/fileformat2.html, section 4), because SQLite does not
 * say what it leaves out: it takes the log to end at the first frame that does not fit, whatever comes after.
 *
 * What a loss of power may leave. A transaction is synced before the first frame of the next is written, so everything
 * up to the last commit that was followed by another frame is on disk; of the last transaction any part may be missing,
 * torn or stale. Behind it lie frames of earlier transactions (undone, or torn by an earlier crash) and of the log
 * before this one, which has other salts.
 *
 * So a frame that does not fit is an ordinary end, unless behind it stands a whole commit *and* a frame that was
 * written after it. Each checksum goes on from that of the frame before: a frame that fits behind a commit was written
 * when that commit was synced, and with it all that stands before it. Then what does not fit was once whole: damage.
 */
import { closeSync, openSync, readSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
/** A log whose checksums are of little-endian words; one of the other kind has the last bit set. */
const MAGIC = 0x377f_0682
const CHUNK_FRAMES = 128
export const SALT_OFFSET = 16
export const SALT_BYTES = 8

export const logPathOf = (databasePath: string): string => `${databasePath}-wal`

export type LogReport =
  /** There is none, or an empty one. */
  | { readonly kind: 'none' }
  /** Its header does not fit: as it is when power fails while a log begins anew. SQLite ignores such a log. */
  | { readonly kind: 'unreadable'; readonly bytes: number }
  | {
      readonly kind: 'read'
      readonly salts: bigint
      /** Frames up to and with the last commit that SQLite will find. */
      readonly committedFrames: number
      /** The number (from 1) and offset of the first frame that does not fit though it once did. */
      readonly damaged: { readonly frame: number; readonly offset: number } | undefined
    }

export function readLog(databasePath: string): LogReport {
  const file = openIfThere(logPathOf(databasePath))
  if (file === undefined) return { kind: 'none' }
  try {
    return reportOn(file)
  } finally {
    closeSync(file)
  }
}

function reportOn(file: number): LogReport {
  const header = Buffer.alloc(HEADER_BYTES)
  const headerBytes = readFully(file, header, 0)
  if (headerBytes === 0) return { kind: 'none' }
  const magic = header.readUInt32BE(0)
  const pageBytes = header.readUInt32BE(8)
  const sum = new LogSum((magic & 1) === 1)
  sum.add(header, 0, SALT_OFFSET + SALT_BYTES)
  const sound =
    headerBytes === HEADER_BYTES && (magic | 1) === (MAGIC | 1) && isPageSize(pageBytes) && sum.equals(header, 24)
  if (!sound) return { kind: 'unreadable', bytes: headerBytes }
  return { kind: 'read', salts: header.readBigUInt64BE(SALT_OFFSET), ...readFrames(file, header, pageBytes, sum) }
}

function readFrames(file: number, header: Buffer, pageBytes: number, sum: LogSum) {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  const chunk = Buffer.alloc(frameBytes * CHUNK_FRAMES)
  let frame = 0
  let committedFrames = 0
  let firstUnfit: number | undefined
  let behindCommit = false
  for (;;) {
    const bytes = readFully(file, chunk, HEADER_BYTES + frame * frameBytes)
    for (let at = 0; at + frameBytes <= bytes; at += frameBytes) {
      frame += 1
      const fits = frameFits(chunk, at, frameBytes, header, sum)
      if (fits && behindCommit && firstUnfit !== undefined) {
        const offset = HEADER_BYTES + (firstUnfit - 1) * frameBytes
        return { committedFrames, damaged: { frame: firstUnfit, offset } }
      }
      if (!fits) firstUnfit ??= frame
      behindCommit = fits && chunk.readUInt32BE(at + 4) !== 0
      if (behindCommit && firstUnfit === undefined) committedFrames = frame
      // The next one is judged by what this one says of itself, so that a chain is recognised behind a gap too.
      sum.set(chunk, at + 16)
    }
    if (bytes < chunk.length) return { committedFrames, damaged: undefined }
  }
}

function frameFits(chunk: Buffer, at: number, frameBytes: number, header: Buffer, sum: LogSum): boolean {
  if (chunk.readUInt32BE(at) === 0) return false
  if (chunk.compare(header, SALT_OFFSET, SALT_OFFSET + SALT_BYTES, at + 8, at + 8 + SALT_BYTES) !== 0) return false
  sum.add(chunk, at, 8)
  sum.add(chunk, at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES)
  return sum.equals(chunk, at + 16)
}

/** The checksum of section 4.2: two sums over pairs of words of 32 bits. */
class LogSum {
  #first = 0
  #second = 0
  readonly #bigEndian: boolean

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian
  }

  add(bytes: Buffer, from: number, count: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + from, count)
    let first = this.#first
    let second = this.#second
    for (let at = 0; at < count; at += 8) {
      first = (first + view.getUint32(at, !this.#bigEndian) + second) | 0
      second = (second + view.getUint32(at + 4, !this.#bigEndian) + first) | 0
    }
    this.#first = first
    this.#second = second
  }

  equals(bytes: Buffer, at: number): boolean {
    return bytes.readInt32BE(at) === this.#first && bytes.readInt32BE(at + 4) === this.#second
  }

  set(bytes: Buffer, at: number): void {
    this.#first = bytes.readInt32BE(at)
    this.#second = bytes.readInt32BE(at + 4)
  }
}

const isPageSize = (bytes: number): boolean => bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** As many bytes as there are. */
function readFully(file: number, into: Buffer, position: number): number {
  let bytes = 0
  while (bytes < into.length) {
    const count = readSync(file, into, bytes, into.length - bytes, position + bytes)
    if (count === 0) break
    bytes += count
  }
  return bytes
}
