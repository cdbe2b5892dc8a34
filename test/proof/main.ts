/**
 * `npm run proof -- --minutes 10`: every machine in its long form, one after another, so many minutes each; then the
 * figures of all as one Markdown table, as on the page of guarantees. `--only oracle,power` runs some of them.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { MachineReport } from './machine.ts'
import { MACHINES, type Machine, machineNamed } from './machines.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, only: { type: 'string' } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error('--minutes is a number above 0')
const machines = values.only === undefined ? MACHINES : values.only.split(',').map(machineNamed)
const folder = mkdtempSync(join(tmpdir(), 'perdure-figures-'))

function run({ program, long }: Machine): Promise<number> {
  const { promise, resolve: ended } = Promise.withResolvers<number>()
  spawn(process.execPath, ['tools/pinned-node/run.mjs', program, ...long(minutes)], {
    cwd: resolve(import.meta.dirname, '..', '..'),
    env: { ...process.env, PERDURE_FIGURES: folder },
    stdio: ['ignore', 'inherit', 'inherit'],
  }).on('close', (code) => ended(code ?? 1))
  return promise
}

function rowsOf(name: string): string[] {
  const { figures, passed, failed, seconds } = JSON.parse(
    readFileSync(join(folder, `${name}.json`), 'utf8'),
  ) as MachineReport
  const all = { ...figures, checks: passed, 'failed checks': failed, 'run time': `${Math.round(seconds)} s` }
  return Object.entries(all).map(([what, value], index) => {
    const shown = typeof value === 'number' ? value.toLocaleString('en-US') : value
    return `| ${index === 0 ? name : ''} | ${what} | ${shown} |`
  })
}

const rows: string[] = []
let failed = 0
for (const machine of machines) {
  console.log(`\n── ${machine.name} ${'─'.repeat(60 - machine.name.length)}`)
  if ((await run(machine)) !== 0) failed += 1
  rows.push(...rowsOf(machine.name))
}
rmSync(folder, { recursive: true })
console.log(`\n| machine | figure | value |\n| --- | --- | ---: |\n${rows.join('\n')}\n`)
console.log(`${machines.length - failed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
