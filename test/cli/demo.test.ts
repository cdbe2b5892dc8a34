/** The main job, as `npm start` and `npm run demo` run it, without a terminal. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type LedgerLine, parseLedger } from '../../src/cli/demo/ledger-audit.ts'
import { perdure, running, temporaryFolder } from './program.ts'

const steps = [
  'validate',
  'reserve stock',
  'fraud check',
  'inventory check',
  'pack teapot',
  'pack cup',
  'pack kettle',
  'authorise card',
  'capture',
  'ship',
]

async function ledgerIn(folder: string): Promise<readonly LedgerLine[]> {
  const [file, ...others] = (await readdir(folder)).filter((name) => name.startsWith('ledger-'))
  assert.deepEqual(others, [])
  return parseLedger(await readFile(join(folder, file ?? 'no ledger'), 'utf8'))
}

/** What the demo claims, counted again. */
function assertNoFinishedStepRanAgain(ledger: readonly LedgerLine[]): void {
  for (const step of steps) {
    const facts = ledger.filter((line) => line.step === step).map((line) => line.fact)
    const finished = facts.indexOf('finished')
    assert.ok(finished > 0, `${step} finished`)
    assert.equal(facts.lastIndexOf('ran') < finished, true, `${step} ran again after it had finished`)
  }
  assert.deepEqual(new Set(ledger.map((line) => line.step)), new Set(steps))
}

/** Makes sure that the usual port is used, by us or by whoever has it already. */
async function occupyUsualPort(context: TestContext): Promise<void> {
  const occupant = createServer()
  context.after(() => occupant.close())
  occupant.listen(7077, '127.0.0.1')
  await Promise.race([once(occupant, 'listening'), once(occupant, 'error')]).catch((error: NodeJS.ErrnoException) => {
    assert.equal(error.code, 'EADDRINUSE')
  })
}

test('npm start runs the order, stays up, and ends on a signal; also when port 7077 is used', async (context) => {
  await occupyUsualPort(context)
  const data = await temporaryFolder(context)
  const demo = running(context, ['demo', '--keep-running', '--data', data])
  const said: string[] = []
  do said.push(await demo.outLine())
  while (!said.at(-1)?.startsWith('The server stays up at '))
  const text = said.join('\n')
  assert.match(text, /^Port 7077 is used by another program: the demo takes a free one\.$/m)
  assert.match(text, /^order-\w+ {2}SUCCEEDED/m)
  assert.match(
    text,
    /^result {2}\{"orderId":"order-\w+","paid":126\.5,"approvedBy":"Grace","tracking":"TRACK-order-\w+"/m,
  )
  assert.match(text, /^✓ 10 steps finished, and none ran again after it had finished\.$/m)
  assertNoFinishedStepRanAgain(await ledgerIn(data))

  const endpoint = /The server stays up at (http:\S+)\./.exec(text)?.[1] ?? ''
  const hello = await perdure(['invoke', 'hello', '--payload', '{"name":"Ada"}', '--endpoint', endpoint])
  assert.equal(hello.out, '"Hello, Ada! Still here."\n', hello.err)
  assert.equal(await demo.end('SIGINT'), 0)
})

test('npm run demo kills a function process and the server, and proves that no finished step ran twice', async (context) => {
  const data = await temporaryFolder(context)
  const demo = await perdure(['demo', '--chaos', '--data', data])
  assert.equal(demo.code, 0, demo.err + demo.out)
  assert.match(demo.out, /^» killed function process \d+ while it ran "pack kettle"$/m)
  assert.match(demo.out, /^» killed the server, process \d+, while the payment ran "capture"$/m)
  assert.match(demo.out, /^» killed the server, process \d+, while the order waits for a human$/m)
  assert.match(demo.out, /^✓ 10 steps finished, and none ran again after it had finished\.$/m)
  const ledger = await ledgerIn(data)
  assertNoFinishedStepRanAgain(ledger)
  // The accidents were real: what they hit ran again, in another process.
  for (const step of ['pack kettle', 'capture']) {
    const pids = ledger.filter((line) => line.step === step && line.fact === 'ran').map((line) => line.pid)
    assert.equal(pids.length, 2, `${step} was interrupted`)
    assert.notEqual(pids[0], pids[1])
  }
})
