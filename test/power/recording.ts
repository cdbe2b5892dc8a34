/** One life of a process under the shim: what its files were before, what it did to them, and what it told whom. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Disk } from './disk.ts'
import { readTrace, type TraceRecord } from './trace.ts'

export interface InitialFile {
  readonly path: string
  readonly inode: bigint
  readonly bytes: Buffer
}

export interface Recording {
  /** The data folder, relative to the watched one. */
  readonly data: string
  readonly trace: string
  readonly initial: readonly InitialFile[]
  readonly records: readonly TraceRecord[]
  /** Facts claimed by answers that do not say themselves what they claim, by request id. */
  readonly claims: ReadonlyMap<string, string>
}

/** Function processes write this cache; it is V8's, with checksums of its own, and they run without the shim. */
const isUnwatched = (path: string): boolean => path.includes('/compiled/') || path.endsWith('-shm')

export function filesOf(folder: string): InitialFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name)
      return {
        path: file.slice(folder.length + 1),
        inode: statSync(file, { bigint: true }).ino,
        bytes: readFileSync(file),
      }
    })
    .filter(({ path }) => !isUnwatched(path))
}

/** Reads the trace of a process that has ended, and makes sure that nothing went by unseen: the files are as it says. */
export function recordingOf(life: {
  readonly folder: string
  readonly trace: string
  readonly data: string
  readonly initial: readonly InitialFile[]
  readonly claims: ReadonlyMap<string, string>
}): Recording {
  const records = readTrace(readFileSync(life.trace))
  const disk = new Disk(life.initial)
  for (const record of records) disk.apply(record)
  const told = disk.present()
  const real = new Map(filesOf(life.folder).map(({ path, bytes }) => [path, bytes]))
  assert.deepEqual([...told.keys()].sort(), [...real.keys()].sort(), 'the trace and the folder name the same files')
  for (const [path, bytes] of told) {
    assert.ok(real.get(path)?.equals(bytes), `${path} is not what the trace says: the shim has missed something`)
  }
  const { data, trace, initial, claims } = life
  return { data, trace, initial, claims, records }
}
