/** The official SDK with several executions in one process, on a real server. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { startPerdure } from '../../src/index.ts'
import { describe, startNamed } from '../kill/api.ts'

interface Result {
  readonly sum: number
  readonly failed: string
  readonly pid: number
  readonly most: number
}

test('sixteen executions with steps, waits and branches run in one process, each right, their lines apart', async (t) => {
  const perdure = await startPerdure({
    port: 0,
    data: { kind: 'memory' },
    functions: [
      {
        name: 'several',
        file: join(import.meta.dirname, 'several-executions.ts'),
        maxConcurrency: 16,
        concurrency: 16,
      },
    ],
  })
  t.after(() => perdure.close())
  const arns = await Promise.all(Array.from({ length: 16 }, (_, n) => startWith(perdure.endpoint, n)))
  const results = await Promise.all(arns.map((arn) => resultOf(perdure.endpoint, arn)))
  for (const [n, { sum, failed }] of results.entries()) {
    assert.equal(sum, n * 111)
    assert.equal(failed, n % 2 === 0 ? `even ${n}` : 'odd')
  }
  assert.equal(new Set(results.map(({ pid }) => pid)).size, 1)
  assert.ok(Math.max(...results.map(({ most }) => most)) > 4, 'they ran at the same time')

  for (const [n, arn] of arns.entries()) {
    const url = `${perdure.endpoint}/perdure/v1/logs?limit=1000&execution=${encodeURIComponent(arn)}`
    const text = await (await fetch(url)).text()
    assert.deepEqual(new Set(text.match(/execution \d+ goes on/g)), new Set([`execution ${n} goes on`]))
  }
})

const startWith = (endpoint: string, n: number): Promise<string> =>
  startNamed(endpoint, 'several', `several-${n}`, { n })

async function resultOf(endpoint: string, arn: string): Promise<Result> {
  for (;;) {
    const { Status, Result: result, Error: error } = await describe(endpoint, arn)
    if (Status === 'SUCCEEDED') return JSON.parse(result ?? '') as Result
    if (Status !== 'RUNNING') assert.fail(`${Status} ${JSON.stringify(error)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
