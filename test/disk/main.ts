/**
 * `npm run disk`: what the store does when the disk misbehaves. Bits are turned in the files of stopped servers, logs are
 * cut off and torn, calls fail while a server works, backups are made under load. Whatever happens, nothing that was
 * acknowledged may be gone without a word, and no wrong data may be given out as right.
 *
 *     --seed 1 --flips 240 --cuts 60 --tears 150 --backups 2
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { verifyFolder } from '../../src/data-folder.ts'
import { whyNoShim } from '../power/shim.ts'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { backUpUnderLoad } from './backups.ts'
import { failDisks, SCENES } from './faults.ts'
import { copyFolder, flipBits } from './flips.ts'
import { cutLogs, cutToMark, damageLogs, tearLogs } from './logs.ts'
import { Tally } from './tally.ts'
import { Workload } from './workload.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(process.pid) },
    flips: { type: 'string', default: '240' },
    cuts: { type: 'string', default: '60' },
    tears: { type: 'string', default: '150' },
    backups: { type: 'string', default: '2' },
  },
})
const began = performance.now()
const random = new SeededRandom(Number(values.seed))
const tally = new Tally()
const folder = mkdtempSync(join(tmpdir(), 'perdure-disk-'))
let partBegan = began
/** Says what a part of the run took, for whoever wonders where the time goes. */
function done(part: string): void {
  console.log(`  ${part}: ${((performance.now() - partBegan) / 1_000).toFixed(1)} s`)
  partBegan = performance.now()
}
const place = (name: string): string => join(folder, name)
console.log(`seed ${values.seed}`)

// Two folders to damage: of a server that was killed, with a long log, and of one that was stopped, with none.
const workload = await Workload.start(place('data'))
await workload.work(150)
await workload.kill()
mkdirSync(place('killed'))
copyFolder(place('data'), place('killed'))
cutToMark(place('killed'))
await workload.restart()
await workload.work(50)
await workload.stop()
workload.close()
cpSync(place('data'), place('stopped'), { recursive: true })
for (const master of ['killed', 'stopped']) {
  const { findings } = verifyFolder(place(master))
  tally.check(findings.length === 0, `the ${master} server's folder before anything happens to it: ${findings[0]}`)
}

done('two folders to damage')
const flips = Math.ceil(Number(values.flips) / 2)
const scratch = place('scratch')
flipBits({ master: place('stopped'), scratch, flips, random, tally })
flipBits({ master: place('killed'), scratch, flips, random, tally })
done('bits')
cutLogs({ master: place('killed'), scratch, times: Number(values.cuts), random, tally })
damageLogs({ master: place('killed'), scratch, times: Number(values.cuts), random, tally })
tearLogs({ master: place('killed'), scratch, times: Number(values.tears), random, tally })
done('logs')
await backUpUnderLoad(folder, Number(values.backups), tally)
done('backups')

const noShim = whyNoShim()
if (noShim === false) await failDisks(folder, tally)
else console.log(`no faults while a server runs: ${noShim}`)
done('faults')

if (tally.failures.length === 0) rmSync(folder, { recursive: true, force: true })
else console.log(`repeat with --seed ${values.seed}; the folders are in ${folder}`)
report({
  machine: 'disk',
  passed: tally.passed,
  failed: tally.failures.length,
  skipped: noShim === false ? 0 : SCENES.length,
  figures: Object.fromEntries([...tally.figures].sort(([a], [b]) => (a < b ? -1 : 1))),
  seconds: (performance.now() - began) / 1_000,
})
process.exit()
