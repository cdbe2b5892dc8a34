/** Handlers that were not written for workers: the examples, and handlers of the official conformance requirements. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { PerdureOptions } from '../../src/index.ts'
import { FUNCTION_OF } from '../conformance/functions.ts'
import { serveExamples } from '../examples/lambda.ts'
import { durable, ownWorker, scene } from './scene.ts'

const plainExamples = new Set(['receipt'])
const examples = join(import.meta.dirname, '..', '..', 'examples')

const serve = (context: TestContext, names: readonly string[], clock: NonNullable<PerdureOptions['clock']>) =>
  serveExamples(context, names, clock, {
    declared: ({ name, durable = { ExecutionTimeout: 900 } }) => ({
      name,
      remote: true,
      durable: plainExamples.has(name) ? false : durable,
    }),
    started: async (endpoint) => {
      const place = { server: { endpoint }, folder: examples }
      await Promise.all(names.map((name) => ownWorker(context, place, name, `${name}.ts`)))
    },
  })

test('the examples, at workers', async (context) => {
  const lambda = await serve(context, ['hello', 'trip', 'thumbnails', 'assistant'], 'skip')
  assert.equal(await lambda.invoke('hello', { name: 'Ada' }), 'Hello, Ada! Still here.')
  const undone = { booked: [], undone: ['hotel', 'flight'] }
  assert.deepEqual(await lambda.invoke('trip', { traveller: 'Ada', fails: 'car' }), undone)
  const pictures = ['a.png', 'b.png', 'c.png', 'd.png', 'e.png']
  assert.deepEqual(await lambda.invoke('thumbnails', { pictures, broken: ['b.png', 'd.png'] }), {
    made: ['a-small.png', 'c-small.png', 'e-small.png'],
    failed: ['b.png', 'd.png'],
  })
  assert.deepEqual(await lambda.invoke('assistant', { question: 'What do I take to Oslo?' }), {
    answer: 'In Oslo there is snow, -4 °C. Take coat, gloves, boots.',
    toolCalls: 2,
  })
})

test('an order, its payment and its receipt, each at a worker of its own', async (context) => {
  const lambda = await serve(context, ['order', 'payment', 'receipt'], 'system')
  const lines = [{ sku: 'cup', quantity: 2, price: 3 }]
  const arn = await lambda.start('order', { orderId: 'o-1', customer: 'Ada', lines })
  const asked = await lambda.event(arn, ({ EventType }) => EventType === 'CallbackStarted')
  await lambda.succeedCallback(asked.CallbackStartedDetails?.CallbackId ?? '', 'Grace')
  assert.deepEqual(await lambda.result(arn), {
    orderId: 'o-1',
    paid: 6,
    approvedBy: 'Grace',
    tracking: 'TRACK-o-1',
    parcels: ['parcel-cup'],
  })
})

/** What each answers is in `test/conformance/handlers`. */
const requirements: readonly { readonly id: string; readonly input: unknown; readonly result: unknown }[] = [
  { id: '1-18', input: 'hi', result: 'succeeded on second attempt' },
  { id: '1-20', input: null, result: 'fallback_result' },
  { id: '2-1', input: null, result: undefined },
  { id: '3-18', input: null, result: undefined },
  { id: '8-21', input: null, result: undefined },
  { id: '9-16', input: null, result: undefined },
]

test('handlers of the conformance requirements answer at a worker as they do here', async (t) => {
  const declared = requirements.flatMap(({ id }) => FUNCTION_OF.get(id) ?? [])
  assert.equal(declared.length, requirements.length)
  const here = await scene(t, declared, {}, { clock: 'skip' })
  const there = await scene(
    t,
    declared.map(({ name }) => durable(name)),
    {},
    { clock: 'skip' },
  )
  await Promise.all(
    declared.map(({ name, file = '', exportName }) =>
      ownWorker(t, there, name, file, { code: { kind: 'module', file, exportName } }),
    ),
  )
  for (const [index, { id, input, result }] of requirements.entries()) {
    const call = { functionName: declared[index]?.name ?? '', qualifier: '$LATEST', payload: JSON.stringify(input) }
    const [expected, answer] = await Promise.all([here.client.invoke(call), there.client.invoke(call)])
    assert.equal(answer.functionError, expected.functionError, `${id}: ${answer.payload}`)
    assert.equal(answer.payload, expected.payload, id)
    if (result !== undefined) assert.equal(JSON.parse(answer.payload), result, id)
  }
})
