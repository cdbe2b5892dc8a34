import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseExecutionArn } from '../../src/protocol/arn.ts'
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import { openCall, rejectsWith } from './open-call.ts'
import type { ScriptedFunctions } from './scripted-functions.ts'
import { callback, stepDone, wait } from './updates.ts'
import { START_MS, World } from './world.ts'

const notFound = rejectsWith('ResourceNotFoundException', 'Durable Execution does not exist')

/** A closed execution with `steps` steps, two per checkpoint: 2 events each. */
function stepping(functions: ScriptedFunctions, steps: number): void {
  functions.durable('steps', async (call) => {
    for (let i = 0; i < steps; i += 2) await call.checkpoint([...stepDone(`s${i}`), ...stepDone(`s${i + 1}`)])
    return { Status: 'SUCCEEDED', Result: '"all"' }
  })
}

describe('the history', () => {
  async function pages(world: World, arnText: string, maxItems: number | undefined, reverse: boolean) {
    const arn = world.arn(arnText)
    const all: HistoryEvent[][] = []
    let marker: string | undefined
    do {
      const page = await world.service.history({
        arn,
        includeData: true,
        reverse,
        ...(marker === undefined ? {} : { marker }),
        ...(maxItems === undefined ? {} : { maxItems }),
      })
      all.push([...page.Events])
      marker = page.NextMarker
    } while (marker !== undefined)
    return all
  }

  it('comes in full pages, every event once, in both directions, and never an empty page', async () => {
    const world = await World.open()
    stepping(world.functions, 20)
    const { arn, executionId } = await world.start('steps')
    await world.service.waitForEnd(executionId, new AbortController().signal)
    const total = 1 + 40 + 2
    const ids = Array.from({ length: total }, (_, i) => i + 1)
    for (const maxItems of [1, 2, 3, 7, 42, 43, 44, 1000]) {
      for (const reverse of [false, true]) {
        const read = await pages(world, arn, maxItems, reverse)
        assert.deepEqual(
          read.flat().map(({ EventId }) => EventId),
          reverse ? ids.toReversed() : ids,
        )
        for (const page of read.slice(0, -1)) assert.equal(page.length, maxItems)
        assert.ok((read.at(-1) ?? []).length > 0)
      }
    }
  })

  it('has a hundred events a page by default', async () => {
    const world = await World.open()
    stepping(world.functions, 60)
    const started = await world.start('steps')
    await world.end(started)
    const arn = world.arn(started)
    for (const maxItems of [{}, { maxItems: 0 }]) {
      const page = await world.service.history({ arn, includeData: false, reverse: false, ...maxItems })
      assert.equal(page.Events.length, 100)
      assert.equal(page.NextMarker, '100')
    }
  })

  it('lets the marker of the last page be used again while it grows', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    await call.checkpoint(stepDone('a'))
    const read = (marker: string) =>
      world.service.history({ arn: call.arn, includeData: true, reverse: false, marker, maxItems: 10 })
    assert.deepEqual(
      (await read('2')).Events.map(({ EventId }) => EventId),
      [3],
    )
    await call.checkpoint(stepDone('b'))
    assert.deepEqual(
      (await read('2')).Events.map(({ EventId }) => EventId),
      [3, 4, 5],
    )
    assert.deepEqual((await read('5')).Events, [])
  })

  it('refuses markers that mean nothing', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    for (const marker of ['x', '-1', '0', '2', '1.5', '99999999999999999999']) {
      await assert.rejects(
        world.service.history({ arn: call.arn, includeData: true, reverse: false, marker }),
        rejectsWith('InvalidParameterValueException', 'Invalid Marker'),
        marker,
      )
    }
  })

  it('leaves payloads out when they are not wanted', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    await call.checkpoint(stepDone('a', '"secret"'))
    const { Events } = await world.service.history({ arn: call.arn, includeData: false, reverse: false })
    assert.equal(JSON.stringify(Events).includes('secret'), false)
    assert.deepEqual(Events[2]?.['StepSucceededDetails']?.['Result'], { Truncated: true })
  })
})

describe('the state', () => {
  it('follows the first page in the event, by count, and ends with an empty marker', async () => {
    const world = await World.open({ limits: { eventOperations: 4 } })
    const first = await openCall(world)
    await first.call.checkpoint(Array.from({ length: 9 }, (_, i) => stepDone(`s${i}`)).flat())
    await first.call.checkpoint([wait('w', 1)])
    await first.end({ Status: 'PENDING' })
    const seen = Promise.withResolvers<readonly string[]>()
    world.functions.durable('f', async (call) => {
      const ids = call.operations.map(({ Id }) => Id)
      let marker = call.event.InitialExecutionState.NextMarker
      while (marker !== '') {
        const page = await call.service.state({ arn: call.arn, token: call.token, marker, maxItems: 3 })
        assert.ok(page.Operations.length > 0)
        ids.push(...page.Operations.map(({ Id }) => Id))
        marker = page.NextMarker
      }
      seen.resolve(ids)
      return { Status: 'SUCCEEDED' }
    })
    await world.clock.advance(1_000)
    const expected = [first.started.executionId, ...Array.from({ length: 9 }, (_, i) => `s${i}`), 'w']
    assert.deepEqual(await seen.promise, expected)
  })

  it('is cut by bytes too', async () => {
    const world = await World.open({ limits: { eventBytes: 100_000 } })
    const { call } = await openCall(world)
    for (let i = 0; i < 4; i++) await call.checkpoint(stepDone(`s${i}`, JSON.stringify('x'.repeat(60_000))))
    const { arn, token } = call
    const sizes: number[] = []
    let marker = ''
    do {
      const page = await world.service.state({ arn, token, maxItems: 1000, ...(marker === '' ? {} : { marker }) })
      sizes.push(page.Operations.length)
      marker = page.NextMarker
    } while (marker !== '')
    assert.deepEqual(sizes, [2, 1, 1, 1])
  })

  it('needs the current token and consumes nothing', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const { arn, token } = call
    await call.checkpoint(stepDone('a'))
    const invalid = rejectsWith('InvalidParameterValueException', 'Invalid checkpoint token')
    await assert.rejects(world.service.state({ arn, token }), invalid)
    await assert.rejects(world.service.state({ arn, token: 'AAAA' }), invalid)
    const read = () => world.service.state({ arn, token: call.token })
    assert.deepEqual(await read(), await read())
    const other = await openCall(world, 'other')
    await assert.rejects(
      world.service.state({ arn, token: other.call.token }),
      rejectsWith('InvalidParameterValueException', 'Checkpoint token is not valid for the durable execution ARN'),
    )
    await world.service.stop({ arn: world.arn(started), error: {} })
    await assert.rejects(read(), invalid)
  })
})

describe('a list', () => {
  it('pages by position in both orders while it grows', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }))
    const names: string[] = []
    for (let i = 0; i < 5; i++) {
      await world.start('f', { name: `n${i}` })
      names.push(`n${i}`)
      await world.clock.advance(1_000)
    }
    for (const oldestFirst of [true, false]) {
      const read: string[] = []
      let marker: string | undefined
      do {
        const page = await world.service.list({
          functionName: 'f',
          oldestFirst,
          maxItems: 2,
          ...(marker === undefined ? {} : { marker }),
        })
        assert.ok(page.DurableExecutions.length > 0)
        read.push(...page.DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName))
        marker = page.NextMarker
        // A new execution must neither repeat nor hide one of those before.
        if (!oldestFirst) await world.start('f')
      } while (marker !== undefined)
      assert.deepEqual(read, oldestFirst ? names : names.toReversed())
    }
  })

  it('filters, and answers nothing for statuses that nothing has', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }))
    const done = await world.start('f')
    await world.end(done)
    const { started } = await openCall(world, 'g')
    const list = async (functionName: string, statuses?: string[]) =>
      (await world.service.list({ functionName, oldestFirst: false, ...(statuses === undefined ? {} : { statuses }) }))
        .DurableExecutions
    assert.deepEqual(await list('f'), [
      {
        DurableExecutionArn: done.arn,
        DurableExecutionName: done.executionId,
        FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
        Status: 'SUCCEEDED',
        StartTimestamp: START_MS,
        EndTimestamp: START_MS,
      },
    ])
    assert.equal((await list('f', ['SUCCEEDED', 'FAILED'])).length, 1)
    assert.equal((await list('f', ['RUNNING'])).length, 0)
    assert.equal((await list('f', ['PAUSED', 'DELETING'])).length, 0)
    assert.equal((await list('g', ['RUNNING', 'PAUSED']))[0]?.DurableExecutionArn, started.arn)
    await assert.rejects(
      world.service.list({ functionName: 'f', oldestFirst: false, marker: 'x' }),
      rejectsWith('InvalidParameterValueException', 'Invalid Marker'),
    )
  })
})

describe('an execution that is not there', () => {
  it('is answered as every call answers it', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const forged = [
      started.arn.replace(started.executionId, '00000000-0000-4000-8000-000000000000'),
      started.arn.replace('function:f', 'function:other'),
      started.arn.replace(`/${started.executionId}/`, '/another-name/'),
    ]
    for (const text of forged) {
      const arn = parseExecutionArn(text) ?? assert.fail(text)
      assert.notEqual(text, started.arn)
      await assert.rejects(world.service.describe({ arn, includeData: true }), notFound)
      await assert.rejects(world.service.history({ arn, includeData: true, reverse: false }), notFound)
      await assert.rejects(world.service.stop({ arn, error: {} }), notFound)
      // That a token is another execution's shows without a look at any execution.
      const another = arn.executionId !== started.executionId
      const message = another
        ? 'Checkpoint token is not valid for the durable execution ARN'
        : 'Invalid checkpoint token'
      const refused = rejectsWith('InvalidParameterValueException', message)
      await assert.rejects(world.service.checkpoint({ arn, token: call.token, updates: [] }), refused)
      await assert.rejects(world.service.state({ arn, token: call.token }), refused)
    }
    const closed = rejectsWith('CallbackTimeoutException', 'The callback is either timed out or already completed')
    const { NewExecutionState } = await call.checkpoint([callback('c')])
    const id = NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId ?? ''
    await assert.rejects(world.service.heartbeatCallback({ callbackId: `${id.slice(0, -1)}x` }), {
      code: 'InvalidParameterValueException',
      message: 'Invalid callback id',
    })
    const unknown = id.replaceAll(started.executionId.replaceAll('-', ''), 'f'.repeat(32))
    await assert.rejects(world.service.completeCallback({ callbackId: unknown, outcome: 'SUCCEEDED' }), closed)
    const guessed = id.slice(0, -32) + 'a'.repeat(32)
    await assert.rejects(world.service.completeCallback({ callbackId: guessed, outcome: 'SUCCEEDED' }), closed)
    assert.equal(world.service.activity.working, 0)
  })
})

describe('a description', () => {
  it('tells everything about an execution, or all but its data', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'FAILED', Error: { ErrorType: 'T' } }), {
      config: { ExecutionTimeout: 60 },
    })
    const started = await world.start('f', { name: 'n', input: '[1]', traceHeader: 'Root=1' })
    await world.end(started)
    const outline = {
      DurableExecutionArn: started.arn,
      DurableExecutionName: 'n',
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
      Version: '$LATEST',
      Status: 'FAILED',
      StartTimestamp: START_MS,
      EndTimestamp: START_MS,
      TraceHeader: { XAmznTraceId: 'Root=1' },
      DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 14 },
    }
    const arn = world.arn(started)
    assert.deepEqual(await world.service.describe({ arn, includeData: true }), {
      ...outline,
      InputPayload: '[1]',
      Error: { ErrorType: 'T' },
      ExecutionDataIncluded: true,
    })
    assert.deepEqual(await world.service.describe({ arn, includeData: false }), {
      ...outline,
      ExecutionDataIncluded: false,
    })
  })
})
