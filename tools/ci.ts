/**
 * Everything that has to hold before a change lands: lint, types, tests, and the slow suites. Each stage is a command
 * of its own; a stage that prints `N passed, N failed, N skipped` counts as that many checks, any other as one.
 * Ends with the sum, alone on a line, and exits 1 when anything failed.
 */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

interface Stage {
  readonly name: string
  readonly command: readonly [string, ...string[]]
}

const STAGES: readonly Stage[] = [
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'typecheck'] },
  { name: 'build', command: ['npm', 'run', '--silent', 'build'] },
  { name: 'rows', command: ['node', 'tools/pinned-node/run.mjs', 'tools/row-coverage.ts'] },
  { name: 'tests', command: ['npm', 'test', '--silent'] },
  { name: 'simulation', command: ['npm', 'run', '--silent', 'simulate', '--', '--seeds', '1000'] },
  { name: 'conformance', command: ['npm', 'run', '--silent', 'test:conformance', '--', '--store', 'both'] },
  { name: 'oracle', command: ['npm', 'run', '--silent', 'oracle'] },
  { name: 'linearizability', command: ['npm', 'run', '--silent', 'linearizability'] },
  { name: 'crash-points', command: ['npm', 'run', '--silent', 'crash-points'] },
  { name: 'power', command: ['npm', 'run', '--silent', 'power'] },
  { name: 'disk', command: ['npm', 'run', '--silent', 'disk'] },
  { name: 'hostile', command: ['npm', 'run', '--silent', 'hostile', '--', '--requests', '100000'] },
  { name: 'kill', command: ['npm', 'run', '--silent', 'test:kill'] },
  { name: 'demo', command: ['npm', 'run', '--silent', 'demo'] },
]

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const CLOSING_LINE = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm

function runStage({ command }: Stage): Promise<Counts> {
  const [program, ...args] = command
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    let tail = ''
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk)
      tail = (tail + chunk.toString()).slice(-100_000)
    })
    child.on('close', (code) => {
      const closing = [...tail.matchAll(CLOSING_LINE)].at(-1)
      const [, passed = 0, failed = 0, skipped = 0] = closing?.map(Number) ?? [0, code === 0 ? 1 : 0, 0, 0]
      // A stage that died without reporting a failure has failed all the same.
      done({ passed, failed: code !== 0 && failed === 0 ? 1 : failed, skipped })
    })
  })
}

const only = process.argv.slice(2)
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const summary: string[] = []
for (const stage of STAGES) {
  if (only.length > 0 && !only.includes(stage.name)) continue
  console.log(`\n── ${stage.name} ${'─'.repeat(70 - stage.name.length)}`)
  const begun = performance.now()
  const counts = await runStage(stage)
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  summary.push(
    `${stage.name.padEnd(16)} ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped (${seconds} s)`,
  )
  total.passed += counts.passed
  total.failed += counts.failed
  total.skipped += counts.skipped
}
console.log(`\n${summary.map((line) => `  ${line}`).join('\n')}\n`)
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
