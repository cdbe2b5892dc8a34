/**
 * A disk that forgets, built from a trace: what is on it for certain, what is on its way, and what a loss of power may
 * make of the two.
 *
 * The model
 * - The bytes of a file are certain once a sync of the file has ended that began after they were written. A sync that
 *   failed promises nothing.
 * - Names (created, renamed, unlinked, made directories) are certain once a sync of the directory that holds them has
 *   ended that began after them. Syncing a file says nothing about its name. This is what POSIX says; real file
 *   systems promise more. A name that survives can lead to a file whose bytes did not.
 * - Everything else may have reached the disk or not. A rename is one change: both names or none.
 * - A disk writes sectors whole, of 512 or 4096 bytes: after a loss of power each holds what it held at some moment
 *   since it was certain (SQLite calls it power-safe overwriting and counts on it). Of lengths the same is true.
 */
import { dirname } from 'node:path'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Change, Content } from './content.ts'
import type { TraceRecord } from './trace.ts'

/** What a loss of power makes of what was not certain. */
export const LOSSES = [
  /** All of it is gone. */
  'dropped',
  /** All of it is there: what a crash of the process alone would leave. */
  'kept',
  /** Each change is there or not, and those that are came in any order. */
  'reordered',
  /** Each sector is as it was at some moment. */
  'torn-512',
  'torn-4096',
] as const
export type Loss = (typeof LOSSES)[number]

/** Files by their paths; folders are those that the files need. */
export type Image = ReadonlyMap<string, Buffer>

interface Pending<Of> {
  readonly at: number
  readonly change: Of
}

class File {
  readonly certain: Content
  pending: Pending<Change>[] = []

  constructor(bytes?: Buffer) {
    this.certain = new Content(bytes)
  }

  synced(before: number): void {
    this.pending = this.pending.filter(({ at, change }) => {
      if (at < before) this.certain.apply(change)
      return at >= before
    })
  }

  /** A view: true until the next change. */
  after(loss: Loss, random: SeededRandom): Buffer {
    if (loss === 'dropped' || this.pending.length === 0) return this.certain.bytes
    const changes = this.pending.map(({ change }) => change)
    const content = this.certain.copy()
    switch (loss) {
      case 'kept':
        for (const change of changes) content.apply(change)
        break
      case 'reordered':
        for (const change of shuffled(changes, random)) if (random.chance(0.5)) content.apply(change)
        break
      case 'torn-512':
        return torn(content, changes, 512, random)
      case 'torn-4096':
        return torn(content, changes, 4096, random)
    }
    return content.bytes
  }
}

type Name =
  | { readonly kind: 'link'; readonly path: string; readonly file: File }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string; readonly file: File | undefined }
  | { readonly kind: 'folder' | 'noFolder'; readonly path: string }

class Names {
  readonly files = new Map<string, File>()
  readonly folders = new Set<string>([''])

  copy(): Names {
    const copy = new Names()
    for (const [path, file] of this.files) copy.files.set(path, file)
    for (const path of this.folders) copy.folders.add(path)
    return copy
  }

  apply(name: Name): void {
    switch (name.kind) {
      case 'link':
        this.files.set(name.path, name.file)
        break
      case 'unlink':
        this.files.delete(name.path)
        break
      case 'rename':
        this.files.delete(name.path)
        if (name.file !== undefined) this.files.set(name.to, name.file)
        break
      case 'folder':
        this.folders.add(name.path)
        break
      case 'noFolder':
        this.folders.delete(name.path)
        break
    }
  }

  /** A file whose folder is not there cannot be found, whatever else is certain of it. */
  reachable(path: string): boolean {
    for (let above = folderOf(path); ; above = folderOf(above)) {
      if (!this.folders.has(above)) return false
      if (above === '') return true
    }
  }
}

export class Disk {
  readonly #byInode = new Map<bigint, File>()
  /** As the process sees them. */
  readonly #names = new Names()
  readonly #certainNames = new Names()
  #pendingNames: Pending<Name>[] = []
  /** When the sync of a thread began. */
  readonly #syncing = new Map<number, number>()
  #at = 0
  #changes = 0
  #syncs = 0

  /** `initial` is certain; inodes tell which of its files the trace means. */
  constructor(initial: readonly { readonly path: string; readonly inode: bigint; readonly bytes: Buffer }[] = []) {
    for (const { path, inode, bytes } of initial) {
      const file = new File(Buffer.from(bytes))
      this.#byInode.set(inode, file)
      for (const names of [this.#names, this.#certainNames]) {
        names.files.set(path, file)
        for (let above = folderOf(path); above !== ''; above = folderOf(above)) names.folders.add(above)
      }
    }
  }

  get changes(): number {
    return this.#changes
  }

  get syncs(): number {
    return this.#syncs
  }

  apply(record: TraceRecord): void {
    this.#at += 1
    if (record.errno !== 0 || record.kind === 'answered') return
    if (record.kind === 'syncing') this.#syncing.set(record.thread, this.#at)
    else if (record.kind === 'synced') this.#synced(record.path, record.file, record.thread)
    else {
      this.#changes += 1
      this.#change(record)
    }
  }

  /**
   * What the disk holds when the power fails now; true until the next record. What happens to one file does not depend
   * on which others are looked at.
   */
  image(loss: Loss, chanceOf: (path: string) => SeededRandom, wanted: (path: string) => boolean = () => true): Image {
    const names = this.#certainNames.copy()
    const random = chanceOf('')
    for (const { change } of this.#pendingNames) {
      if (loss === 'kept' || (loss !== 'dropped' && random.chance(0.5))) names.apply(change)
    }
    const files = [...names.files].filter(([path]) => wanted(path) && names.reachable(path))
    return new Map(files.map(([path, file]) => [path, file.after(loss, chanceOf(path))]))
  }

  /** As the processes see it. */
  present(wanted?: (path: string) => boolean): Image {
    return this.image('kept', (path) => new SeededRandom(0, path), wanted)
  }

  #change(record: TraceRecord): void {
    switch (record.kind) {
      case 'created': {
        // Two processes that create one file both believe that it was not there.
        if (this.#names.files.get(record.path) === this.#byInode.get(record.file) && this.#names.files.has(record.path))
          return
        const file = new File()
        this.#byInode.set(record.file, file)
        this.#name({ kind: 'link', path: record.path, file })
        return
      }
      case 'written':
        this.#fileOf(record).pending.push({
          at: this.#at,
          change: { kind: 'write', at: record.at, data: record.data },
        })
        return
      case 'truncated':
        this.#fileOf(record).pending.push({ at: this.#at, change: { kind: 'resize', size: record.size } })
        return
      case 'unlinked':
        this.#name({ kind: 'unlink', path: record.path })
        return
      case 'renamed':
        this.#name({ kind: 'rename', path: record.path, to: record.to, file: this.#names.files.get(record.path) })
        return
      case 'madeDirectory':
        this.#name({ kind: 'folder', path: record.path })
        return
      case 'removedDirectory':
        this.#name({ kind: 'noFolder', path: record.path })
        return
      default:
        throw new Error(`${record.kind} changes nothing`)
    }
  }

  #fileOf({ path, file }: { readonly path: string; readonly file: bigint }): File {
    const found = this.#byInode.get(file)
    if (found === undefined) throw new Error(`the trace changes ${path}, which it did not create`)
    return found
  }

  #name(change: Name): void {
    this.#names.apply(change)
    this.#pendingNames.push({ at: this.#at, change })
  }

  #synced(path: string, inode: bigint, thread: number): void {
    const begun = this.#syncing.get(thread)
    if (begun === undefined) throw new Error(`a sync of ${path} ended that had not begun`)
    this.#syncing.delete(thread)
    this.#syncs += 1
    if (!this.#names.folders.has(path)) {
      this.#byInode.get(inode)?.synced(begun)
      return
    }
    this.#pendingNames = this.#pendingNames.filter(({ at, change }) => {
      const certain = at < begun && folderOf(change.path) === path
      if (certain) this.#certainNames.apply(change)
      return !certain
    })
  }
}

/** Each sector as it was after one of the changes or before all of them, and one of the lengths that the file had. */
function torn(certain: Content, changes: readonly Change[], sectorBytes: number, random: SeededRandom): Buffer {
  const sectors = new Map<number, Buffer[]>()
  const sizes = [certain.size]
  const content = certain.copy()
  const sectorOf = (number: number): Buffer =>
    Buffer.from(content.bytes.subarray(number * sectorBytes, (number + 1) * sectorBytes))
  for (const change of changes) {
    const from = change.kind === 'write' ? change.at : Math.min(content.size, change.size)
    const end = change.kind === 'write' ? change.at + change.data.length : Math.max(content.size, change.size)
    const touched: number[] = []
    for (let number = Math.floor(from / sectorBytes); number * sectorBytes < end; number += 1) touched.push(number)
    for (const number of touched) if (!sectors.has(number)) sectors.set(number, [sectorOf(number)])
    content.apply(change)
    for (const number of touched) sectors.get(number)?.push(sectorOf(number))
    sizes.push(content.size)
  }
  const result = certain.copy()
  result.apply({ kind: 'resize', size: random.pick(sizes) })
  for (const [number, versions] of sectors) {
    const data = random.pick(versions).subarray(0, Math.max(0, result.size - number * sectorBytes))
    result.apply({ kind: 'write', at: Math.min(number * sectorBytes, result.size), data })
  }
  return result.bytes
}

function shuffled<T>(items: readonly T[], random: SeededRandom): T[] {
  const result = [...items]
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = random.between(0, last)
    const moved = result[last] as T
    result[last] = result[other] as T
    result[other] = moved
  }
  return result
}

function folderOf(path: string): string {
  const above = dirname(path)
  return above === '.' ? '' : above
}
