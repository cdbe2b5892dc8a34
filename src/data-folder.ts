/**
 * What can be done with a data folder without serving it: verify, back up, restore, repair. All that a server cannot
 * make anew is in `journal.db` and its log, so a backup is a folder with one file, and itself a data folder.
 *
 * Whoever may write takes the folder's lock, so no server runs meanwhile. `verify` and `backUp` read beside a running
 * one; they look at the log themselves only when none runs, for a server changes it under their eyes.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { FunctionRow } from './functions/registry/function-store.ts'
import { codeOfLayer, readLayerRecord } from './functions/registry/layer-record.ts'
import { codeOf, isDeleted, readRecord } from './functions/registry/record.ts'
import { lockDirectory } from './journal/sqlite/directory-lock.ts'
import { type Inspected, Inspection } from './journal/sqlite/inspection.ts'
import { copyDatabase, forgetMark, rebuild } from './journal/sqlite/rescue.ts'
import { checkLog } from './journal/sqlite/start-checks.ts'
import { StoreError } from './journal/store-error.ts'
import { verifyExecution } from './service/verification.ts'

const DATABASE = 'journal.db'
/** A database is these files; which of them there are depends on how the server ended. */
const FILES = [DATABASE, `${DATABASE}-wal`, `${DATABASE}-mark`]

export interface Verification {
  readonly folder: string
  /** A server has the folder in use; what it is about to write was not looked at. */
  readonly inUse: boolean
  readonly executions: number
  readonly openExecutions: number
  readonly entries: number
  readonly events: number
  readonly duties: number
  /** That were created through the API. */
  readonly functions: number
  readonly findings: readonly string[]
}

/** Reads everything in the folder and tells what is not as it should be. Changes nothing. */
export function verifyFolder(folder: string): Verification {
  const path = join(folder, DATABASE)
  if (!existsSync(path)) throw noJournal(folder)
  return whileUnused(folder, (inUse) => {
    const findings: string[] = []
    try {
      if (!inUse) checkLog(path)
      return inspect(folder, inUse, findings)
    } catch (error) {
      if (!isDamage(error)) throw error
      const counts = { executions: 0, openExecutions: 0, entries: 0, events: 0, duties: 0, functions: 0 }
      return { folder, inUse, ...counts, findings: [...findings, messageOf(error)] }
    }
  })
}

function inspect(folder: string, inUse: boolean, findings: string[]): Verification {
  const inspection = new Inspection(join(folder, DATABASE), !inUse)
  try {
    findings.push(...inspection.structure().map((finding) => `Structure: ${finding}`))
    const counts = { executions: 0, openExecutions: 0, entries: 0, events: 0, duties: 0, functions: 0 }
    for (const parts of inspection.executions()) {
      const check = verifyExecution(parts)
      counts.executions += 1
      counts.entries += check.entries
      counts.events += check.events
      const { execution } = parts
      if ('row' in execution && execution.row.endedAt === undefined) counts.openExecutions += 1
      const name = 'row' in execution ? `Execution ${execution.row.executionId}` : 'An execution'
      findings.push(...check.findings.map((finding) => `${name}: ${finding}`))
    }
    const strays = inspection.strayEntries()
    if (strays > 0) findings.push(`${strays} entries belong to no execution`)
    for (const duty of inspection.duties()) {
      counts.duties += 1
      if ('damage' in duty) findings.push(duty.damage)
    }
    findings.push(...functionFindings(inspection, counts))
    return { folder, inUse, ...counts, findings }
  } finally {
    inspection.close()
  }
}

/** Records that cannot be read, code that is not as it was put, and code that a record names and that is not there. */
function functionFindings(inspection: Inspection, counts: { functions: number }): string[] {
  const findings: string[] = []
  const named = new Map<string, string>()
  const look = (kind: string, record: Inspected<FunctionRow>, codeIn: (text: string) => Iterable<string>): void => {
    if ('damage' in record) {
      findings.push(record.damage)
      return
    }
    const who = `${kind} ${record.row.name}`
    try {
      for (const sha256 of codeIn(record.row.text)) named.set(sha256, who)
    } catch (error) {
      findings.push(`${who}: its record cannot be read: ${messageOf(error)}`)
    }
  }
  for (const record of inspection.records('functions')) {
    if ('damage' in record) counts.functions += 1
    look('Function', record, (text) => {
      const known = readRecord(text)
      if (!isDeleted(known)) counts.functions += 1
      return codeOf(known)
    })
  }
  for (const record of inspection.records('layers')) look('Layer', record, (text) => codeOfLayer(readLayerRecord(text)))
  for (const code of inspection.code()) {
    if ('damage' in code) findings.push(code.damage)
    else named.delete(code.row)
  }
  // Damaged code was told of by its own name.
  const absent = [...named].filter(([sha256]) => !findings.some((finding) => finding.includes(sha256)))
  for (const [sha256, who] of absent) findings.push(`${who}: its code ${sha256} is not there`)
  return findings
}

/** Copies a folder's database as of one moment into a new folder, which gets its name when all is on disk and verified. */
export async function backUp(folder: string, target: string): Promise<Verification> {
  const path = join(folder, DATABASE)
  if (!existsSync(path)) throw noJournal(folder)
  if (existsSync(target)) throw new StoreError('refused', `${target} exists already.`)
  whileUnused(folder, (inUse) => inUse || checkLog(path))
  const partial = join(dirname(resolve(target)), `.${basename(target)}.${process.pid}.partial`)
  mkdirSync(partial, { recursive: true })
  try {
    await copyDatabase(path, join(partial, DATABASE), false)
    const verification = verifyFolder(partial)
    if (verification.findings.length > 0) return { ...verification, folder }
    sync(join(partial, DATABASE))
    sync(partial)
    renameSync(partial, target)
    sync(dirname(resolve(target)))
    return { ...verification, folder: target }
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Puts a verified copy of a backup into a folder that has no journal. */
export async function restore(backup: string, folder: string): Promise<Verification> {
  const path = join(folder, DATABASE)
  const verification = verifyFolder(backup)
  if (verification.findings.length > 0) return verification
  const lock = lockDirectory(folder)
  const partial = `${path}.partial`
  try {
    for (const file of FILES) {
      if (existsSync(join(folder, file))) throw new StoreError('refused', `${join(folder, file)} exists already.`)
    }
    rmSync(partial, { force: true })
    await copyDatabase(join(backup, DATABASE), partial, true)
    sync(partial)
    renameSync(partial, path)
    sync(folder)
    return { ...verification, folder }
  } finally {
    rmSync(partial, { force: true })
    lock.release()
  }
}

export interface Repair {
  /** Where the files are as they were. */
  readonly kept: string
  readonly verification: Verification
}

/** Keeps the files as they are in `kept`, and makes of them what SQLite can: what is lost then stays lost. */
export function repairFolder(folder: string, kept: string): Repair {
  const path = join(folder, DATABASE)
  if (!existsSync(path)) throw noJournal(folder)
  const lock = lockDirectory(folder)
  try {
    mkdirSync(kept)
    for (const file of FILES.filter((each) => existsSync(join(folder, each)))) {
      copyFileSync(join(folder, file), join(kept, file))
      sync(join(kept, file))
    }
    sync(kept)
    forgetMark(path)
    rebuild(path)
    return { kept, verification: inspect(folder, false, []) }
  } finally {
    lock.release()
  }
}

/** Keeps servers out of the folder meanwhile, unless one is in it. A backup, which has no lock, is left without one. */
function whileUnused<Result>(folder: string, work: (inUse: boolean) => Result): Result {
  if (!existsSync(join(folder, 'lock.db'))) return work(false)
  let lock: ReturnType<typeof lockDirectory>
  try {
    lock = lockDirectory(folder)
  } catch (error) {
    if (error instanceof StoreError && error.consequence === 'locked') return work(true)
    throw error
  }
  try {
    return work(false)
  } finally {
    lock.release()
  }
}

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const noJournal = (folder: string): StoreError => new StoreError('refused', `There is no ${DATABASE} in ${folder}.`)

/** What the disk has done, as opposed to what was asked wrongly. */
const isDamage = (error: unknown): boolean =>
  (error instanceof StoreError && error.consequence !== 'refused') ||
  (error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
