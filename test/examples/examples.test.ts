/** What the files of `examples/` promise, run on a real server whose clock skips the waiting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secondsUntil } from '../../examples/nightly.ts'
import { loadConfig } from '../../src/functions/config.ts'
import { configFile, serveExamples } from './lambda.ts'

const dayMs = 86_400_000

test('the examples while time is skipped', async (context) => {
  const names = (await loadConfig(configFile)).functions.map(({ name }) => name)
  const lambda = await serveExamples(context, names, 'skip')

  await context.test('hello: a step, a wait, a step', async () => {
    assert.equal(await lambda.invoke('hello', { name: 'Ada' }), 'Hello, Ada! Still here.')
  })

  await context.test('trip: what was booked is undone, newest first', async () => {
    assert.deepEqual(await lambda.invoke('trip', { traveller: 'Ada' }), {
      booked: ['flight', 'hotel', 'car'],
      undone: [],
    })
    assert.deepEqual(await lambda.invoke('trip', { traveller: 'Ada', fails: 'car' }), {
      booked: [],
      undone: ['hotel', 'flight'],
    })
  })

  await context.test('thumbnails: two broken pictures are told, a third one fails the album', async () => {
    const pictures = ['a.png', 'b.png', 'c.png', 'd.png', 'e.png']
    assert.deepEqual(await lambda.invoke('thumbnails', { pictures, broken: ['b.png', 'd.png'] }), {
      made: ['a-small.png', 'c-small.png', 'e-small.png'],
      failed: ['b.png', 'd.png'],
    })
    await assert.rejects(
      lambda.invoke('thumbnails', { pictures, broken: ['a.png', 'b.png', 'c.png'] }),
      /cannot be read/,
    )
  })

  await context.test('report: polled until it is there, less often each time', async () => {
    const arn = await lambda.start('report', { period: '2026-01', looks: 4 })
    assert.deepEqual(await lambda.result(arn), {
      jobId: 'report-2026-01',
      url: 'https://reports.example/report-2026-01.pdf',
    })
    const looks = (await lambda.history(arn)).filter(
      ({ EventType, SubType }) => EventType === 'StepSucceeded' && SubType === 'WaitForCondition',
    )
    assert.deepEqual(
      looks.map(({ StepSucceededDetails }) => StepSucceededDetails?.RetryDetails?.CurrentAttempt),
      [1, 2, 3, 4],
    )
  })

  await context.test('assistant: two tools, then an answer; each turn is a step of the history', async () => {
    const arn = await lambda.start('assistant', { question: 'What do I take to Oslo?' })
    assert.deepEqual(await lambda.result(arn), {
      answer: 'In Oslo there is snow, -4 °C. Take coat, gloves, boots.',
      toolCalls: 2,
    })
    const steps = (await lambda.history(arn)).filter(({ EventType }) => EventType === 'StepSucceeded')
    assert.deepEqual(
      steps.map(({ Name }) => Name),
      ['model 1', 'weather 1', 'model 2', 'packing 2', 'model 3'],
    )
  })

  await context.test('nightly: a report each night, and no wait is longer than a day', async () => {
    const arn = await lambda.start('nightly', { nights: 3 })
    assert.deepEqual(await lambda.result(arn), {
      made: [1, 2, 3].map((night) => `https://reports.example/report-night-${night}.pdf`),
      failed: 0,
    })
    const waits = (await lambda.history(arn)).flatMap(({ WaitStartedDetails }) => WaitStartedDetails?.Duration ?? [])
    assert.equal(waits.length, 3)
    for (const seconds of waits) assert.ok(seconds > 0 && seconds <= 86_400, `${seconds} s`)
  })

  await context.test('expense: when nobody answers, it ends after three reminders', async () => {
    const arn = await lambda.start('expense', { employee: 'Ada', amount: 90 })
    assert.deepEqual(await lambda.result(arn), { decision: 'nobody answered', paid: 0 })
    const reminded = (await lambda.history(arn)).filter(
      ({ EventType, Name }) => EventType === 'StepSucceeded' && Name?.startsWith('remind '),
    )
    assert.equal(reminded.length, 3)
  })
})

test('expense: the human decides after the first reminder', async (context) => {
  const lambda = await serveExamples(context, ['expense'], 'manual')
  const arn = await lambda.start('expense', { employee: 'Ada', amount: 90 })
  const asked = await lambda.event(arn, ({ EventType }) => EventType === 'CallbackStarted')
  await lambda.event(arn, ({ EventType }) => EventType === 'WaitStarted')
  await lambda.advance(dayMs)
  await lambda.event(arn, ({ EventType, Name }) => EventType === 'StepSucceeded' && Name === 'remind 1')
  await lambda.succeedCallback(asked.CallbackStartedDetails?.CallbackId ?? '', 'approved')
  assert.deepEqual(await lambda.result(arn), { decision: 'approved', paid: 90 })
})

test('order: the demonstration order, approved by hand', async (context) => {
  const lambda = await serveExamples(context, ['order', 'payment', 'receipt'], 'system')
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

test('nightly: the next time that it is two', () => {
  assert.equal(secondsUntil(2, new Date('2026-01-01T01:59:30Z')), 30)
  assert.equal(secondsUntil(2, new Date('2026-01-01T02:00:00Z')), 86_400)
  assert.equal(secondsUntil(2, new Date('2026-02-28T03:00:00Z')), 23 * 3_600)
})
