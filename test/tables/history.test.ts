/** Spec 11 §11.1, §11.3–11.4: the history and its pages. */
import assert from 'node:assert/strict'
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import type { Execution } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback, context, invoke, step, wait } from './updates.ts'
import { assertError, okBody } from './wire.ts'

interface Page {
  readonly Events: readonly HistoryEvent[]
  readonly NextMarker?: string
}

tables('history (11)', (server) => {
  const send = (run: Execution, query: Readonly<Record<string, string>>) =>
    server.get(
      `/2025-12-01/durable-executions/${encodeURIComponent(run.arn)}/history?${new URLSearchParams(query).toString()}`,
    )
  const page = async (run: Execution, query: Readonly<Record<string, string>>): Promise<Page> =>
    okBody(await send(run, query))
  const numbers = ({ Events }: Page): number[] => Events.map(({ EventId }) => EventId)
  const count = (from: number, to: number): number[] =>
    Array.from({ length: Math.abs(to - from) + 1 }, (_, n) => (from < to ? from + n : from - n))
  const many = (events: number) => Array.from({ length: events }, (_, n) => step.succeed(`s${n}`, String(n)))

  row('11-11.1-numbers', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), wait.start('w1', 5)])
    await run.resumedAfter(5)
    await run.checkpoint([step.fail('s1', boom)])
    await run.succeed('1')
    // `events` asserts the numbers on every reading; here their order.
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'WaitStarted w1',
      'InvocationCompleted',
      'WaitSucceeded w1',
      'StepFailed s1',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ])
  })

  row('11-11.1-invocation', async () => {
    await using run = await server.execution()
    const requestIds = [run.invocation.requestId]
    for (let turn = 0; turn < 3; turn++) {
      await run.checkpoint([wait.start(`w${turn}`, 5)])
      await run.resumedAfter(5)
      requestIds.push(run.invocation.requestId)
    }
    await run.succeed('1')
    assert.deepEqual(
      (await run.events()).flatMap(({ InvocationCompletedDetails }) => InvocationCompletedDetails?.['RequestId'] ?? []),
      requestIds,
    )
  })

  row('11-11.3-without-data', async () => {
    await using run = await server.execution({ input: '{"secret":1}' })
    await run.checkpoint([
      context.start('c1', { Name: 'outer' }),
      step.retry('s1', 5, { ParentId: 'c1', Payload: '"secret"' }),
      step.fail('s2', { ErrorMessage: 'secret' }),
      invoke.start('i1', 'nobody', '"secret"'),
      callback.start('k1', { TimeoutSeconds: 60 }),
      wait.start('w1', 5),
      context.succeed('c1', '"secret"'),
    ])
    const bare = await page(run, { IncludeExecutionData: 'false' })
    assert.ok(!JSON.stringify(bare).includes('secret'))
    const full = await run.events()
    const withoutPayload = (event: HistoryEvent): unknown =>
      JSON.parse(JSON.stringify(event), (member, value) =>
        ['Input', 'Result', 'Error'].includes(member) ? 'hidden' : value,
      )
    assert.deepEqual(bare.Events.map(withoutPayload), full.map(withoutPayload))
  })

  row('11-11.4-full-pages', async () => {
    await using run = await server.execution()
    await run.checkpoint(many(1200))
    assert.deepEqual(numbers(await page(run, {})), count(1, 100))
    assert.deepEqual(numbers(await page(run, { MaxItems: '0' })), count(1, 100))
    assert.deepEqual(numbers(await page(run, { MaxItems: '7' })), count(1, 7))
    const first = await page(run, { MaxItems: '1000' })
    assert.deepEqual(numbers(first), count(1, 1000))
    const second = await page(run, { MaxItems: '1000', Marker: first.NextMarker ?? '' })
    assert.deepEqual(numbers(second), count(1001, 1201))
    assert.ok(!('NextMarker' in second))
  })

  row('11-11.4-no-empty-page', async () => {
    await using run = await server.execution()
    await run.checkpoint(many(9))
    assert.ok(!('NextMarker' in (await page(run, { MaxItems: '10' }))))
    assert.ok('NextMarker' in (await page(run, { MaxItems: '9' })))
  })

  row('11-11.4-marker-stays', async () => {
    await using run = await server.execution()
    await run.checkpoint(many(9))
    const { NextMarker: Marker = '' } = await page(run, { MaxItems: '8' })
    assert.deepEqual(numbers(await page(run, { Marker })), [9, 10])
    await run.checkpoint([step.start('later')])
    assert.deepEqual(numbers(await page(run, { Marker })), [9, 10, 11])
    await run.succeed('1')
    assert.deepEqual(numbers(await page(run, { Marker })), [9, 10, 11, 12, 13])
  })

  row('11-11.4-reverse', async () => {
    await using run = await server.execution()
    await run.checkpoint(many(9))
    const first = await page(run, { ReverseOrder: 'true', MaxItems: '6' })
    assert.deepEqual(numbers(first), count(10, 5))
    // Counting downwards, a page is not moved by what comes later.
    await run.checkpoint([step.start('later')])
    const second = await page(run, { ReverseOrder: 'true', MaxItems: '6', Marker: first.NextMarker ?? '' })
    assert.deepEqual(numbers(second), count(4, 1))
    assert.ok(!('NextMarker' in second))
  })

  row('11-11.4-marker-invalid', async () => {
    await using run = await server.execution()
    for (const Marker of ['nonsense!', 'bm8=']) {
      assertError(await send(run, { Marker }), 400, 'InvalidParameterValueException', 'Invalid Marker')
    }
  })
})
