/**
 * `npm run sabotage`: puts each deliberate fault into a copy of the product and lets the machines look for it. First the
 * machines run on the unchanged copy, where they must find nothing. Prints a table of which machine found which fault
 * and after how long; a fault that nobody finds fails the run.
 *
 *     --only <text>    the faults whose description contains the text
 *     --every          let every machine of a fault look, not only the first that finds it
 *     --no-control     skip the unchanged copy
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { type Machine, machineNamed } from '../proof/machines.ts'
import { Copy } from './copy.ts'
import { FAULTS, type Fault } from './faults.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    every: { type: 'boolean', default: false },
    'no-control': { type: 'boolean', default: false },
  },
})

/** No brief form takes as long as this, even on a loaded machine. */
const PATIENCE_MS = 600_000

interface Look {
  readonly machine: string
  /** What the machine said when it found something; undefined when it found nothing. */
  readonly found: string | undefined
  readonly seconds: number
}

/** Runs a machine's brief form in the copy until it finds something, or ends. */
function look(copy: Copy, { name, program, brief, finding }: Machine): Promise<Look> {
  const begun = performance.now()
  const { promise, resolve } = Promise.withResolvers<Look>()
  const child = spawn(process.execPath, ['tools/pinned-node/run.mjs', program, ...brief], {
    cwd: copy.root,
    env: { ...process.env, TMPDIR: copy.temporary, PERDURE_FIGURES: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  })
  const tell = (found: string | undefined): void =>
    resolve({ machine: name, found, seconds: (performance.now() - begun) / 1_000 })
  const patience = setTimeout(() => tell('it does not end'), PATIENCE_MS)
  let lastError = ''
  const read = (line: string): void => {
    if (finding.test(line)) tell(line.trim())
  }
  createInterface({ input: child.stdout }).on('line', read)
  createInterface({ input: child.stderr }).on('line', (line) => {
    read(line)
    if (line.trim() !== '') lastError = line.trim()
  })
  child.on('close', (code, signal) => tell(code === 0 ? undefined : `ended with ${signal ?? code}: ${lastError}`))
  return promise.finally(() => {
    clearTimeout(patience)
    endGroup(child.pid)
  })
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function control(copy: Copy, faults: readonly Fault[]): Promise<number> {
  let failures = 0
  for (const name of new Set(faults.flatMap(({ tried }) => tried))) {
    const { found, seconds } = await look(copy, machineNamed(name))
    console.log(`unchanged: ${name} found ${found === undefined ? 'nothing' : `“${found}”`} in ${seconds.toFixed(1)} s`)
    if (found !== undefined) failures += 1
    copy.emptyTemporary()
  }
  return failures
}

async function hunt(copy: Copy, fault: Fault): Promise<Look[]> {
  const mend = copy.edit(fault.edits)
  const looks: Look[] = []
  try {
    for (const name of fault.tried) {
      looks.push(await look(copy, machineNamed(name)))
      copy.emptyTemporary()
      if (!values.every && looks.at(-1)?.found !== undefined) break
    }
  } finally {
    mend()
  }
  return looks
}

const faults = FAULTS.filter(({ what }) => what.includes(values.only))
const begun = performance.now()
const copy = new Copy()
const rows: string[] = []
let found = 0
let slowest = 0
let failures = 0
try {
  if (!values['no-control']) failures = await control(copy, faults)
  for (const fault of faults) {
    const looks = await hunt(copy, fault)
    const by = looks.filter((each) => each.found !== undefined)
    if (by.length > 0) found += 1
    slowest = Math.max(slowest, by[0]?.seconds ?? 0)
    const finders = by.map(({ machine, seconds }) => `${machine}, ${seconds.toFixed(1)} s`).join('; ')
    rows.push(`| ${fault.what} | ${fault.promise} | ${finders || '**nobody**'} |`)
    console.log(`${by.length > 0 ? 'found' : 'NOT FOUND'}: ${fault.what}: ${finders}`)
    for (const { machine, found: said } of by) console.log(`    ${machine}: ${said}`)
  }
} finally {
  copy.remove()
}
console.log(`\n| fault | breaks | found by, after |\n| --- | --- | --- |\n${rows.join('\n')}`)
report({
  machine: 'sabotage',
  passed: found,
  failed: faults.length - found + failures,
  figures: { faults: faults.length, found, 'slowest seconds': slowest.toFixed(1) },
  seconds: (performance.now() - begun) / 1_000,
})
