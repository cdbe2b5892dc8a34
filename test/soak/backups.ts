/**
 * Backups while the server works, taken by the command that users have, each of a process of its own: it must succeed
 * whatever is done to the server meanwhile, and hold everything that had ended before it began.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import type { Keeper } from './keeper.ts'
import type { Violations } from './violations.ts'

const PROGRAM = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

export class Backups {
  readonly #data: string
  readonly #folder: string
  readonly #keeper: Keeper
  readonly #violations: Violations
  taken = 0

  constructor(data: string, folder: string, keeper: Keeper, violations: Violations) {
    this.#data = data
    this.#folder = folder
    this.#keeper = keeper
    this.#violations = violations
  }

  /** One backup, looked into and removed again. */
  async take(): Promise<void> {
    const target = join(this.#folder, `backup-${this.taken + 1}`)
    const before = new Set(this.#keeper.kept())
    const child = spawn(process.execPath, [...process.execArgv, PROGRAM, 'backup', target, '--data', this.#data], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [words, code] = await Promise.all([
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ])
    this.#violations.check(code === 0, 'P1', () => `a backup ended with ${code}: ${words}`)
    if (code !== 0) return
    this.taken += 1
    const database = new DatabaseSync(join(target, 'journal.db'), { readOnly: true })
    const find = database.prepare('SELECT ended_at FROM executions WHERE arn = ?')
    // What was replaced in the sample meanwhile may be deleted in it.
    for (const arn of this.#keeper.kept().filter((kept) => before.has(kept))) {
      const ended = find.get(arn)?.['ended_at'] ?? null
      this.#violations.check(ended !== null, 'P1', () => `${arn} had ended before a backup that does not hold its end`)
    }
    database.close()
    rmSync(target, { recursive: true, force: true })
  }
}
