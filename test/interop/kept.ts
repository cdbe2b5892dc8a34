/**
 * What the registries gave and compilers made, kept in `.cache/interop` of the repository: a folder for each thing and
 * each text that it is made from. Made once, by whichever process comes first, and used without the network afterwards.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { root } from '../docs/markdown.ts'

const cache = join(root, '.cache', 'interop')

const execute = promisify(execFile)

/** The longest that a program may take, on a machine that does other things too. */
const PROGRAM_MS = 10 * 60_000

/** The longest that another process may take to make the same. */
const LOCK_MS = 15 * 60_000

/** A reason why something cannot be tried on this machine. */
export interface Missing {
  readonly missing: string
}

export type Found<T> = T | Missing

/** For `skip` of a test: the reason, or false. */
export function reason(found: Found<unknown>): string | false {
  return typeof found === 'object' && found !== null && 'missing' in found ? String(found.missing) : false
}

/** For a test that is not skipped. */
export function given<T>(found: Found<T>): T {
  if (reason(found) !== false) throw new Error(`missing: ${reason(found)}`)
  return found as T
}

/** What a program prints, on either stream; rejects with the end of it when the program fails. */
export async function output(
  program: string,
  args: readonly string[],
  cwd?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  try {
    const bounds = { maxBuffer: 64 * 1024 * 1024, timeout: PROGRAM_MS }
    const { stdout, stderr } = await execute(program, args, { ...(cwd && { cwd }), env, ...bounds })
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error(`${message}\n${(stdout + stderr).slice(-4_000)}`)
  }
}

/** Whether a program of this name answers as it must. */
export async function has(
  program: string,
  question: readonly string[],
  fits = (_answer: string) => true,
): Promise<boolean> {
  const answer = await output(program, question).catch(() => undefined)
  return answer !== undefined && fits(answer)
}

export function isKept(name: string, madeFrom: readonly string[]): boolean {
  return existsSync(join(folderOf(name, madeFrom), '.made'))
}

function folderOf(name: string, madeFrom: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of madeFrom) hash.update(text).update('\0')
  return join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`)
}

/**
 * The folder that `make` filled once; of one name, one is made at a time. Where the network or a registry refuses, this is
 * something that is missing; in CI it is an error.
 */
export async function kept(
  name: string,
  madeFrom: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<Found<string>> {
  const folder = folderOf(name, madeFrom)
  if (isKept(name, madeFrom)) return folder
  mkdirSync(cache, { recursive: true })
  // As the server locks its data folder: the kernel frees the lock however its holder ends.
  const lock = new DatabaseSync(join(cache, `${name}.lock`), { timeout: LOCK_MS })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    if (isKept(name, madeFrom)) return folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    await make(folder)
    writeFileSync(join(folder, '.made'), '')
    return folder
  } catch (error) {
    if (process.env['CI']) throw error
    return { missing: `${name} could not be made: ${error instanceof Error ? error.message : error}` }
  } finally {
    lock.close()
  }
}
