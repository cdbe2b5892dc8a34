/** Simulated worlds as part of every test run; `npm run simulate -- --seeds 1000` runs many more. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KINDS } from './faults.ts'
import { PORTS } from './gate.ts'
import { PROMISES } from './promises.ts'
import { DEFECTS } from './sabotage.ts'
import { SCENARIOS, type ScenarioName } from './scenario.ts'
import { type Run, type Sabotage, simulate } from './simulation.ts'
import { Totals } from './totals.ts'

const SEEDS = 120
const MONTHS = 4
const SEEDS_PER_DEFECT = 40
/** The brief world crashes at so many of its calls, evenly spread. */
const CRASHES = 30

const tail = ({ log }: Run): string => log.slice(-30).join('\n')

function assertKept(run: Run): void {
  assert.equal(run.violation, undefined, `${JSON.stringify(run.world)}: ${run.violation}\n${tail(run)}`)
}

describe('simulated worlds', () => {
  for (let seed = 1; seed <= MONTHS; seed++) {
    test(`months ${seed}: every promise is kept`, async () => assertKept(await simulate({ seed, scenario: 'months' })))
  }

  test('a crash at any call over a port breaks no promise', async () => {
    const whole = await simulate({ seed: 1, scenario: 'brief' })
    assertKept(whole)
    const step = Math.ceil(whole.portCalls / CRASHES)
    for (let call = 1; call <= whole.portCalls; call += step) {
      const run = await simulate({ seed: 1, scenario: 'brief', crashAt: [call] })
      assertKept(run)
      assert.equal(run.crashes, 1)
    }
  })

  test('the same seed gives the same log', async () => {
    for (const seed of [2, 4, 5]) {
      for (const scenario of SCENARIOS) {
        const [one, two] = [await simulate({ seed, scenario }), await simulate({ seed, scenario })]
        assert.ok(one.log.length > 40, `${scenario} ${seed} is too quiet to show anything`)
        assert.deepEqual(one.log, two.log)
      }
    }
  })

  test('in storms and crowds every promise is kept and checked, and every fault strikes, at every port', async () => {
    const totals = new Totals()
    const logs: string[] = []
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = await simulate({ seed, scenario: seed % 10 === 0 ? 'crowd' : 'storm' })
      assertKept(run)
      totals.add(run)
      logs.push(...run.log)
    }
    const figures = totals.figures(1)
    for (const port of PORTS) assert.ok(Number(figures[`crashes at a call of port ${port}`]) > 0, port)
    for (const promise of Object.keys(PROMISES)) assert.ok(Number(figures[`${promise} checked`]) > 100, promise)
    for (const kind of [...KINDS, 'batchTorn']) assert.ok(Number(figures[`fault ${kind}`]) > 0, kind)
    for (const fault of [/Runtime.ExitError/, /clock jumps by -/, /has drained/, /is an orphan/, /withdrawn/]) {
      assert.ok(
        logs.some((line) => fault.test(line)),
        `${fault} never happened`,
      )
    }
  })
})

describe('a defect is noticed', () => {
  for (const [defect, { sabotage, noticed, scenario = 'storm' }] of Object.entries(DEFECTS)) {
    test(defect, async () => {
      const violation = await firstViolation(scenario, sabotage)
      assert.match(violation ?? `${SEEDS_PER_DEFECT} seeds noticed nothing`, noticed)
    })
  }
})

async function firstViolation(scenario: ScenarioName, sabotage: Sabotage): Promise<string | undefined> {
  for (let seed = 1; seed <= SEEDS_PER_DEFECT; seed++) {
    const { violation } = await simulate({ seed, scenario }, sabotage)
    if (violation !== undefined) return violation
  }
  return undefined
}
