/**
 * Checksums of rows. SQLite checks the frames of its log and nothing else: a bit that the disk turns in the database
 * would be read as if it had been written. So the writer stores a CRC-32 with each row and the reader compares.
 *
 * What is summed is what is stored, the numbers that say whose row it is included: a row that has come to stand for
 * another one is as wrong as one with another text. A row without a checksum is from before there were any, and passes.
 */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { StoreError } from '../store-error.ts'

const numbers = new Float64Array(4)
const numberBytes = new Uint8Array(numbers.buffer)

/**
 * Of a row that is three numbers and a text: on the hot path, so nothing is allocated. 0.4 µs for a plain entry. Whether
 * the text is stored as bytes is summed too: one bit tells the two apart, and the same bytes are another text.
 */
export function entryChecksum(execution: number, seq: number, firstEventId: number, text: SQLInputValue): number {
  numbers[0] = execution
  numbers[1] = seq
  numbers[2] = firstEventId
  numbers[3] = ArrayBuffer.isView(text) ? 1 : 0
  const bytes = typeof text === 'string' || ArrayBuffer.isView(text) ? text : String(text)
  return signed(crc32(bytes, crc32(numberBytes)))
}

/** Of any other row. */
export function rowChecksum(values: readonly SQLInputValue[]): number {
  return signed(crc32(JSON.stringify(values.map((value) => (ArrayBuffer.isView(value) ? [hexOf(value)] : value)))))
}

/** Whether a row is what was written. */
export const isIntact = (stored: SQLOutputValue | undefined, computed: () => number): boolean =>
  stored === null || stored === computed()

export const damagedEntry = (execution: string, seq: number): StoreError =>
  damaged(`Entry ${seq} of ${execution} is damaged: it is not what was written.`)

export const damagedRow = (what: string): StoreError =>
  damaged(`The row of ${what} is damaged: it is not what was written.`)

export const damaged = (what: string): StoreError =>
  new StoreError(
    'damaged',
    `${what} It is not used. "perdure verify" on the data folder tells all that is damaged; a backup has it as it was.`,
  )

const hexOf = (value: NodeJS.ArrayBufferView): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')

/** SQLite stores a signed number of 32 bits in four bytes and an unsigned one in up to six. */
const signed = (sum: number): number => sum | 0
