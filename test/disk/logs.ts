/**
 * The log of a killed server: cut off at many lengths, which its mark must tell, and torn as only a loss of power may
 * tear it, which must not raise an alarm.
 */
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { readMark } from '../../src/journal/sqlite/commit-mark.ts'
import { readLog } from '../../src/journal/sqlite/log-file.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { copyFolder } from './flips.ts'
import { openFolder } from './reading.ts'
import type { Tally } from './tally.ts'

const HEADER_BYTES = 32
const FRAME_BYTES = 24 + 4_096
const SECTOR_BYTES = 512

interface Options {
  readonly master: string
  readonly scratch: string
  readonly times: number
  readonly random: SeededRandom
  readonly tally: Tally
}

const logOf = (folder: string): string => join(folder, 'journal.db-wal')

/** Why a start refuses, or undefined when it does not. */
function refusal(folder: string): string | undefined {
  try {
    openFolder(folder).close()
    return undefined
  } catch (error) {
    return String(error)
  }
}

function committedBytes(master: string): number {
  const log = readLog(join(master, 'journal.db'))
  if (log.kind !== 'read' || log.damaged !== undefined) throw new Error('the log of the killed server is not whole')
  return HEADER_BYTES + log.committedFrames * FRAME_BYTES
}

/** A transaction that was made and of which nobody was told, because the kill came first, was promised to nobody. */
export function cutToMark(folder: string): void {
  const mark = readMark(join(folder, 'journal.db'))
  if (mark === undefined) throw new Error('the killed server left no mark')
  truncateSync(logOf(folder), HEADER_BYTES + mark.frames * FRAME_BYTES)
}

export function cutLogs({ master, scratch, times, random, tally }: Options): void {
  const committed = committedBytes(master)
  const size = statSync(logOf(master)).size
  for (let time = 0; time < times; time += 1) {
    copyFolder(master, scratch)
    const length =
      time === 0 ? committed : time === 1 ? committed - 1 : time === 2 ? 0 : Math.floor(random.fraction() * (size + 1))
    truncateSync(logOf(scratch), length)
    if (random.fraction() < 0.1 && length < committed) rmSync(logOf(scratch))
    const said = refusal(scratch)
    const right = length < committed ? /lost acknowledged entries/.test(said ?? '') : said === undefined
    tally.check(right, `a log of ${committed} bytes cut to ${length}: ${said ?? 'taken as it is'}`)
    tally.count('logs cut off')
  }
}

/** Frames that end a transaction, from 1. */
function commitFrames(log: Buffer): number[] {
  const frames: number[] = []
  for (let frame = 1; HEADER_BYTES + frame * FRAME_BYTES <= log.length; frame += 1) {
    if (log.readUInt32BE(HEADER_BYTES + (frame - 1) * FRAME_BYTES + 4) !== 0) frames.push(frame)
  }
  return frames
}

/** A bit turned before the last two transactions, without a mark: what stands behind it must be enough to tell. */
export function damageLogs({ master, scratch, times, random, tally }: Options): void {
  const whole = readFileSync(logOf(master))
  const sure = HEADER_BYTES + (commitFrames(whole).at(-3) ?? 0) * FRAME_BYTES
  for (let time = 0; time < times; time += 1) {
    copyFolder(master, scratch)
    rmSync(join(scratch, 'journal.db-mark'))
    const log = Buffer.from(whole)
    const at = HEADER_BYTES + Math.floor(random.fraction() * (sure - HEADER_BYTES))
    log[at] = (log[at] ?? 0) ^ (1 << Math.floor(random.fraction() * 8))
    writeFileSync(logOf(scratch), log)
    const said = refusal(scratch)
    const frame = 1 + Math.floor((at - HEADER_BYTES) / FRAME_BYTES)
    tally.check(said?.includes(`damaged at frame ${frame} `) === true, `frame ${frame} damaged, no mark: ${said}`)
    tally.count('logs damaged, no mark')
  }
}

/**
 * Power fails while a transaction is being written: each of its sectors is on disk or not, the file may be shorter, what
 * was there before may show through, and the mark is of any earlier commit.
 */
export function tearLogs({ master, scratch, times, random, tally }: Options): void {
  const whole = readFileSync(logOf(master)).subarray(0, committedBytes(master))
  const mark = readMark(join(master, 'journal.db'))
  if (mark === undefined) throw new Error('the killed server left no mark')
  const commits = commitFrames(whole)
  for (let time = 0; time < times; time += 1) {
    copyFolder(master, scratch)
    const index = 1 + Math.floor(random.fraction() * (commits.length - 1))
    const [synced = 0, torn = 0] = [commits[index - 1], commits[index]]
    const from = HEADER_BYTES + synced * FRAME_BYTES
    const log = Buffer.from(whole.subarray(0, HEADER_BYTES + torn * FRAME_BYTES))
    // What lay there before: nothing, noise, or frames of an earlier place in this log or of one with other salts.
    const before = Buffer.alloc(log.length)
    const kind = Math.floor(random.fraction() * 4)
    if (kind > 0) whole.copy(before, from, HEADER_BYTES, HEADER_BYTES + (torn - synced) * FRAME_BYTES)
    if (kind > 1) for (let at = from + 8; at < before.length; at += FRAME_BYTES) before.writeUInt32BE(time, at)
    // Mostly much is missing; sometimes a sector or two, so that whole frames stand behind the gap.
    const missing = random.fraction() < 0.5 ? 0.5 : 0.05
    for (let sector = Math.floor(from / SECTOR_BYTES); sector * SECTOR_BYTES < log.length; sector += 1) {
      if (random.fraction() >= missing) continue
      const start = Math.max(from, sector * SECTOR_BYTES)
      before.copy(log, start, start, (sector + 1) * SECTOR_BYTES)
    }
    const cut = random.fraction() < 0.3 ? from + Math.floor(random.fraction() * (log.length - from)) : log.length
    writeFileSync(logOf(scratch), log.subarray(0, cut))
    const marked = commits[Math.floor(random.fraction() * index)] ?? 0
    writeFileSync(join(scratch, 'journal.db-mark'), markBytes(mark.salts, marked))
    const said = refusal(scratch)
    tally.check(said === undefined, `power lost between frames ${synced} and ${torn} (${kind}): ${said}`)
    tally.count('losses of power, no alarm')
  }
}

/** A mark as the writer writes it, with a row number that every database has. */
function markBytes(salts: bigint, frames: number): Buffer {
  const bytes = Buffer.alloc(32)
  bytes.write('PRDMARK1', 0, 'latin1')
  bytes.writeBigUInt64BE(salts, 8)
  bytes.writeUInt32BE(frames, 16)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 28)), 28)
  return bytes
}
