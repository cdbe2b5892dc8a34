/** Every requirement that needs no process of its own, on the engine alone: who breaks one learns it in seconds. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { EngineService } from './engine-service.ts'
import { declarationsFor, FUNCTION_OF } from './functions.ts'
import { explanation } from './report.ts'
import { loadRequirements } from './requirement.ts'
import { OFFICIAL_PACE, runRequirement } from './runner.ts'

const REQUIREMENTS = join(import.meta.dirname, '../../../shared/conformance/requirements')
/** No faster: two callbacks that are a second apart must not fall into one busy moment of this process. */
const SPEED = 5
const PACE = {
  ...OFFICIAL_PACE,
  secondMs: 1000 / SPEED,
  pollMs: OFFICIAL_PACE.pollMs / SPEED,
  patienceMs: OFFICIAL_PACE.patienceMs / SPEED,
}

describe('the engine under the official SDK', { concurrency: 20 }, async () => {
  const requirements = await loadRequirements(REQUIREMENTS)
  if (requirements === undefined) {
    test('cannot be shown requirements', { skip: `no folder ${REQUIREMENTS}` })
    return
  }
  const service = new EngineService(declarationsFor([...FUNCTION_OF.keys()]), SPEED)
  after(() => service.close())
  for (const requirement of requirements) {
    if (needsProcess(requirement.id)) continue
    test(requirement.id, async () => {
      const outcome = await runRequirement(service, requirement, PACE)
      assert.deepEqual(outcome.problems, [], explanation({ requirement, store: 'the engine', outcomes: [outcome] }))
    })
  }
})

/** Those whose handler crashes, or whose log is read. */
function needsProcess(id: string): boolean {
  return ['1-17', '1-18', '3-12', '3-17'].includes(id)
}
