/** The driver's reading end of the outside ledger: every line once, in the order of the files, with bounded memory. */
import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs'
import { type NoteKind, segmentAt, segmentFile } from './note.ts'

export interface Note {
  readonly kind: NoteKind
  readonly execution: string
  readonly what: string
  readonly atMs: number
  readonly more: string
}

/** Segments are read for so long after their time, for a writer that was stopped in the middle of a line. */
const KEPT_SEGMENTS = 3
const CHUNK_BYTES = 1_048_576

export class Ledger {
  readonly #folder: string
  readonly #segments = new Map<number, { readonly descriptor: number; offset: number; rest: string }>()
  #first = segmentAt(Date.now())
  /** Lines so far. */
  lines = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** What was written since the last call, at most some megabytes at a time. */
  read(): Note[] {
    const now = segmentAt(Date.now())
    const notes: Note[] = []
    for (let segment = this.#first; segment <= now; segment++) this.#readSegment(segment, notes)
    for (; this.#first < now - KEPT_SEGMENTS; this.#first++) this.#forget(this.#first)
    this.lines += notes.length
    return notes
  }

  #readSegment(segment: number, notes: Note[]): void {
    let open = this.#segments.get(segment)
    if (open === undefined) {
      const file = segmentFile(this.#folder, segment)
      if (!existsSync(file)) return
      open = { descriptor: openSync(file, 'r'), offset: 0, rest: '' }
      this.#segments.set(segment, open)
    }
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let times = 0; times < 8; times++) {
      const length = readSync(open.descriptor, chunk, 0, CHUNK_BYTES, open.offset)
      if (length === 0) return
      open.offset += length
      const lines = (open.rest + chunk.toString('latin1', 0, length)).split('\n')
      open.rest = lines.pop() ?? ''
      for (const line of lines) notes.push(parse(line))
    }
  }

  #forget(segment: number): void {
    const open = this.#segments.get(segment)
    if (open === undefined) return
    closeSync(open.descriptor)
    this.#segments.delete(segment)
    rmSync(segmentFile(this.#folder, segment), { force: true })
  }

  close(): void {
    for (const { descriptor } of this.#segments.values()) closeSync(descriptor)
    this.#segments.clear()
  }
}

function parse(line: string): Note {
  const [kind = '', execution = '', what = '', at = '', more = ''] = line.split(' ')
  return { kind: kind as NoteKind, execution, what, atMs: Number(at), more }
}
