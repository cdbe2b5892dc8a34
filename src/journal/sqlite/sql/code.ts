/** Statements on `code` and `code_pieces`: what functions run, in pieces. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { damagedRow, isIntact, rowChecksum } from '../checksum.ts'
import { readNumber, readText } from '../stored-text.ts'

export interface CodeRow {
  readonly key: number
  readonly sha256: string
  readonly bytes: number
  /** Every piece of it is there. */
  readonly whole: boolean
}

/** Notes that pieces will come. Index: code_by_hash. */
export function insertCode(db: DatabaseSync): (sha256: string, bytes: number) => number {
  const statement = db.prepare('INSERT INTO code (sha256, bytes, whole, crc) VALUES (?, ?, 0, ?)')
  return (sha256, bytes) => Number(statement.run(sha256, bytes, rowChecksum([sha256, bytes, 0])).lastInsertRowid)
}

/** Says whether all pieces are there. Index: the primary key. */
export function markCode(db: DatabaseSync): (code: CodeRow, whole: boolean) => void {
  const statement = db.prepare('UPDATE code SET whole = ?, crc = ? WHERE key = ?')
  return ({ key, sha256, bytes }, whole) => {
    const flag = whole ? 1 : 0
    statement.run(flag, rowChecksum([sha256, bytes, flag]), key)
  }
}

/** Index: the primary key. */
export function deleteCode(db: DatabaseSync): (key: number) => void {
  const statement = db.prepare('DELETE FROM code WHERE key = ?')
  return (key) => {
    statement.run(key)
  }
}

/** Index: code_by_hash. */
export function codeByHash(db: DatabaseSync): (sha256: string) => CodeRow | undefined {
  const statement = db.prepare('SELECT key, sha256, bytes, whole, crc FROM code WHERE sha256 = ?')
  return (sha256) => {
    const row = statement.get(sha256)
    return row === undefined ? undefined : codeRow(row)
  }
}

/** Hashes in their order. Index: code_by_hash, a range. */
export function hashesAfter(db: DatabaseSync): (after: string, limit: number) => string[] {
  const statement = db.prepare('SELECT sha256 FROM code WHERE sha256 > ? ORDER BY sha256 LIMIT ?')
  return (after, limit) => statement.all(after, limit).map((row) => readText(row['sha256']))
}

/** Adds a piece. Index: (code, number). */
export function insertPiece(db: DatabaseSync): (code: number, number: number, bytes: Uint8Array) => void {
  const statement = db.prepare('INSERT INTO code_pieces (code, number, bytes, crc) VALUES (?, ?, ?, ?)')
  return (code, number, bytes) => {
    statement.run(code, number, bytes, pieceChecksum(code, number, bytes))
  }
}

/** Index: (code, number). */
export function pieceAt(db: DatabaseSync): (code: number, number: number) => Uint8Array | undefined {
  const statement = db.prepare('SELECT bytes, crc FROM code_pieces WHERE code = ? AND number = ?')
  return (code, number) => {
    const row = statement.get(code, number)
    return row === undefined ? undefined : pieceRow({ code, number, ...row })
  }
}

/** Removes at most so many pieces and says how many. Index: (code, number). */
export function deletePieces(db: DatabaseSync): (code: number, limit: number) => number {
  const statement = db.prepare(
    'DELETE FROM code_pieces WHERE rowid IN (SELECT rowid FROM code_pieces WHERE code = ? LIMIT ?)',
  )
  return (code, limit) => Number(statement.run(code, limit).changes)
}

/** Throws when the row is not what was written. */
export function codeRow({ key = null, sha256 = null, bytes = null, whole = null, crc }: Row): CodeRow {
  if (!isIntact(crc, () => rowChecksum([sha256, bytes, whole]))) throw damagedRow(`code ${String(sha256)}`)
  return { key: readNumber(key), sha256: readText(sha256), bytes: readNumber(bytes), whole: readNumber(whole) === 1 }
}

/** Throws when the row is not what was written. */
export function pieceRow({ code = null, number = null, bytes = null, crc }: Row): Uint8Array {
  const what = `piece ${String(number)} of code ${String(code)}`
  if (!(bytes instanceof Uint8Array)) throw damagedRow(what)
  if (!isIntact(crc, () => pieceChecksum(code, number, bytes))) throw damagedRow(what)
  return bytes
}

/** Of the bytes as they are: written as text, as other rows are summed, a piece would be megabytes. */
const pieceChecksum = (code: SQLOutputValue, number: SQLOutputValue, bytes: Uint8Array): number =>
  crc32(bytes, crc32(JSON.stringify([code, number]))) | 0

type Row = Readonly<Record<string, SQLOutputValue>>
