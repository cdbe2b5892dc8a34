/**
 * A note beside the database of how far it has got, by which a later start knows that something was lost.
 *
 * SQLite takes a log that ends early for one that was never longer: a truncated log, or one with a turned bit near its
 * end, would silently take acknowledged entries along. So after each commit (that is, after its sync) the writer
 * overwrites 32 bytes of `journal.db-mark`. They are never synced: what the file holds after a crash is some commit that
 * was durable, hence never more than the disk must have. The mark may be old, torn or gone, and then it says nothing;
 * it cannot raise a false alarm.
 *
 *     bytes 0–7    "PRDMARK1"
 *     bytes 8–15   salts of the log that the commit went to
 *     bytes 16–19  frames of that log, up to and with the commit
 *     bytes 20–27  newest row number of `journal`
 *     bytes 28–31  CRC-32 of bytes 0–27
 */
import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { logPathOf, SALT_BYTES, SALT_OFFSET } from './log-file.ts'
import { EMPTY_WAL, type WalSize } from './wal-policy.ts'

const MAGIC = 0x5052_444d_4152_4b31n
const MARK_BYTES = 32
const SUMMED_BYTES = 28

export interface Mark {
  readonly salts: bigint
  readonly frames: number
  readonly newestRow: number
}

export const markPathOf = (databasePath: string): string => `${databasePath}-mark`

/** The mark of a database, or undefined when there is none that can be believed. */
export function readMark(databasePath: string): Mark | undefined {
  const bytes = readIfThere(markPathOf(databasePath))
  if (bytes === undefined || bytes.length < MARK_BYTES) return undefined
  if (bytes.readBigUInt64BE(0) !== MAGIC || bytes.readUInt32BE(SUMMED_BYTES) !== sumOf(bytes)) return undefined
  return {
    salts: bytes.readBigUInt64BE(8),
    frames: bytes.readUInt32BE(16),
    newestRow: Number(bytes.readBigUInt64BE(20)),
  }
}

export class CommitMark {
  readonly #bytes = Buffer.alloc(MARK_BYTES)
  readonly #mark: number
  readonly #log: number
  #last = EMPTY_WAL

  /** The database is open, and so its log exists. */
  constructor(databasePath: string) {
    this.#bytes.writeBigUInt64BE(MAGIC, 0)
    this.#log = openSync(logPathOf(databasePath), 'r')
    this.#mark = openSync(markPathOf(databasePath), constants.O_WRONLY | constants.O_CREAT, 0o644)
  }

  /** After each commit: one write to a cached page. */
  note(log: WalSize, newestRow: number): void {
    const bytes = this.#bytes
    const last = this.#last
    this.#last = log
    try {
      // When all of it was moved, the log begins anew with other salts: nobody tells, but it is shorter then.
      const beganAnew = log.pages <= last.pages || log.movedPages < last.movedPages
      if ((beganAnew || last === EMPTY_WAL) && readSync(this.#log, bytes, 8, SALT_BYTES, SALT_OFFSET) !== SALT_BYTES) {
        this.#last = EMPTY_WAL
        return
      }
      bytes.writeUInt32BE(log.pages, 16)
      bytes.writeUInt32BE(Math.floor(newestRow / 2 ** 32), 20)
      bytes.writeUInt32BE(newestRow % 2 ** 32, 24)
      bytes.writeUInt32BE(sumOf(bytes), SUMMED_BYTES)
      writeSync(this.#mark, bytes, 0, MARK_BYTES, 0)
    } catch {
      // The commit is durable all the same, and an old mark is as good as one that a crash left.
    }
  }

  close(): void {
    closeSync(this.#log)
    closeSync(this.#mark)
  }
}

const sumOf = (bytes: Buffer): number => crc32(bytes.subarray(0, SUMMED_BYTES))

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
