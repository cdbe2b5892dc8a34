/** Simulated worlds as part of every test run; `npm run simulate -- --seeds 1000` runs many more. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DEFECTS } from './sabotage.ts'
import { type Run, type Sabotage, simulate } from './simulation.ts'

const SEEDS = 60
const SEEDS_PER_DEFECT = 40

const tail = ({ log }: Run): string => log.slice(-30).join('\n')

describe('simulated worlds', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed}: every promise is kept`, async () => {
      const run = await simulate(seed)
      assert.equal(run.violation, undefined, `seed ${seed}: ${run.violation}\n${tail(run)}`)
    })
  }

  test('the same seed gives the same log', async () => {
    for (const seed of [2, 4, 16]) {
      const [one, two] = [await simulate(seed), await simulate(seed)]
      assert.ok(one.log.length > 100, `seed ${seed} is too quiet to show anything`)
      assert.deepEqual(one.log, two.log)
    }
  })

  test('the faults strike: servers crash, appends fail, processes die', async () => {
    const logs: string[] = []
    for (let seed = 1; seed <= 60; seed++) logs.push(...(await simulate(seed)).log)
    for (const fault of [/server crashes/, /append was lost/, /answer to the append was lost/, /read was lost/]) {
      assert.ok(
        logs.some((line) => fault.test(line)),
        `${fault} never happened`,
      )
    }
    for (const fault of [/Runtime.ExitError/, /clock jumps by -/, /has drained/, /is an orphan/, /withdrawn/]) {
      assert.ok(
        logs.some((line) => fault.test(line)),
        `${fault} never happened`,
      )
    }
  })
})

describe('a defect is noticed', () => {
  for (const [defect, { sabotage, noticed }] of Object.entries(DEFECTS)) {
    test(defect, async () => {
      const violation = await firstViolation(sabotage)
      assert.match(violation ?? `${SEEDS_PER_DEFECT} seeds noticed nothing`, noticed)
    })
  }
})

async function firstViolation(sabotage: Sabotage): Promise<string | undefined> {
  for (let seed = 1; seed <= SEEDS_PER_DEFECT; seed++) {
    const { violation } = await simulate(seed, sabotage)
    if (violation !== undefined) return violation
  }
  return undefined
}
