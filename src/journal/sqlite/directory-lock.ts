/**
 * One server per data directory. The lock is an exclusive transaction on `lock.db`, held for as long as the server
 * lives; the kernel frees it when the process ends, however it ends, so a lock is never stale (decision 25). Nobody may
 * open `lock.db` other than through SQLite: closing any other handle on it would free the lock of this process.
 *
 * `lock-owner.json` beside it says who holds the lock, only to make the refusal of a second server helpful.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crashPoint } from '../../crash-point.ts'
import { StoreError } from '../store-error.ts'

const LOCK_FILE = 'lock.db'
const OWNER_FILE = 'lock-owner.json'

export interface DirectoryLock {
  readonly directory: string
  release(): void
}

/** Takes the lock of a directory, which is created when it is not there. Throws a `StoreError` (`locked`) when it is held. */
export function lockDirectory(directory: string): DirectoryLock {
  createDirectory(directory)
  const db = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    throw isBusy(error) ? lockedError(directory, error) : error
  }
  crashPoint('lock-taken')
  writeFileSync(join(directory, OWNER_FILE), JSON.stringify({ process: process.pid, host: hostname() }))
  return { directory, release: () => db.close() }
}

/** Creates it durably: a directory that a power cut forgets takes everything in it along. */
function createDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true })
  if (first === undefined || process.platform === 'win32') return
  const above = dirname(resolve(first))
  for (let parent = dirname(resolve(directory)); parent.length >= above.length; parent = dirname(parent)) {
    syncDirectory(parent)
    if (parent === above) break
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY

function lockedError(directory: string, cause: unknown): StoreError {
  return new StoreError(
    'locked',
    `The data directory ${resolve(directory)} is in use by ${ownerOf(directory)}. Two servers on one journal would ` +
      'run every execution twice. Stop that one, or give this one another data directory.',
    { cause },
  )
}

function ownerOf(directory: string): string {
  try {
    const owner = JSON.parse(readFileSync(join(directory, OWNER_FILE), 'utf8')) as { process: number; host: string }
    return `process ${owner.process} on ${owner.host}`
  } catch {
    // The owner has not written its name yet; that it holds the lock is certain all the same.
    return 'another process'
  }
}
