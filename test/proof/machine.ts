/**
 * What the machines that try to refute our promises have in common: how a run says what it did. Every machine ends by
 * printing its figures and the closing line that `tools/ci.ts` adds up; `npm run proof` collects the figures of all.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What one run did: the figure's name, in words, and its value with the unit in the name. */
export type Figures = Readonly<Record<string, number | string>>

export interface MachineReport {
  /** The machine's name, as in `docs/guarantees.md`; also the name of its figures file. */
  readonly machine: string
  readonly passed: number
  readonly failed: number
  readonly skipped?: number
  readonly figures: Figures
  /** Of the whole run, by the wall clock. */
  readonly seconds: number
}

/**
 * Prints the figures and the closing line, and sets the exit code. With the environment variable `PERDURE_FIGURES`
 * naming a folder, the report is also written there as `<machine>.json`.
 */
export function report(run: MachineReport): void {
  const rows = [...Object.entries(run.figures), ['seconds', run.seconds.toFixed(1)] as const]
  const width = Math.max(...rows.map(([name]) => name.length))
  console.log(`\n${run.machine}`)
  for (const [name, value] of rows) {
    console.log(`  ${name.padEnd(width)}  ${typeof value === 'number' ? value.toLocaleString('en-US') : value}`)
  }
  const folder = process.env['PERDURE_FIGURES']
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${run.machine}.json`), `${JSON.stringify(run, null, 2)}\n`)
  }
  console.log(`\n${run.passed} passed, ${run.failed} failed, ${run.skipped ?? 0} skipped`)
  if (run.failed > 0 || run.passed + (run.skipped ?? 0) === 0) process.exitCode = 1
}
