/** Spec 05 §5.5 and §5.7–5.8: what a checkpoint's answer, the state call and the event show. */
import assert from 'node:assert/strict'
import { eventually } from './eventually.ts'
import { type Execution, idsOf, inMs, type StatePage } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback, context, invoke, step, type Update, wait } from './updates.ts'
import { assertError, okBody } from './wire.ts'

const callbackIdOf = async (run: Execution, id: string): Promise<string> =>
  (await run.operation(id)).CallbackDetails?.CallbackId ?? assert.fail('the operation has a CallbackId')

tables('NewExecutionState (05 §5.5)', (server) => {
  row('05-5.5-touched', async () => {
    await using run = await server.execution()
    const { NewExecutionState } = await run.checkpoint([
      callback.start('k1'),
      wait.start('w1', 5),
      step.retry('s1', 7, { Error: boom }),
      invoke.start('i1', 'nobody'),
      step.succeed('s2', '1'),
    ])
    const [k1, w1, s1, i1, s2] = NewExecutionState.Operations.map(inMs)
    assert.equal(typeof k1?.CallbackDetails?.CallbackId, 'string')
    assert.equal(w1?.WaitDetails?.ScheduledEndTimestamp, server.nowMs + 5000)
    assert.deepEqual(s1?.StepDetails, { Attempt: 1, NextAttemptTimestamp: server.nowMs + 7000, Error: boom })
    assert.equal(i1?.Status, 'FAILED')
    assert.equal(i1?.ChainedInvokeDetails?.Error?.ErrorType, 'ResourceNotFoundException')
    assert.deepEqual(s2?.StepDetails, { Attempt: 1, Result: '1' })
    assert.equal(NewExecutionState.Operations.length, 5)
  })

  row('05-5.5-wait', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    await server.advance(5000)
    const { NewExecutionState } = await run.checkpoint([step.start('s1')])
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Id, Status }) => [Id, Status]),
      [
        ['w1', 'SUCCEEDED'],
        ['s1', 'STARTED'],
      ],
    )
  })

  row('05-5.5-ready', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 5, { Payload: '"state"' })])
    await server.advance(5000)
    const ready = await run.checkpointed('s1', [])
    assert.equal(ready.Status, 'READY')
    assert.deepEqual(ready.StepDetails, { Attempt: 1, Result: '"state"' })
  })

  row('05-5.5-callback', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      callback.start('k1'),
      callback.start('k2'),
      callback.start('k3', { TimeoutSeconds: 5 }),
      callback.start('k4', { HeartbeatTimeoutSeconds: 5 }),
      callback.start('k5'),
    ])
    await server.callbackAccepted(await callbackIdOf(run, 'k2'), 'fail', JSON.stringify(boom))
    await server.callbackAccepted(await callbackIdOf(run, 'k1'), 'succeed', '"yes"')
    await server.advance(5000)
    const { NewExecutionState } = await run.checkpoint([])
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Id, Status }) => [Id, Status]),
      [
        ['k1', 'SUCCEEDED'],
        ['k2', 'FAILED'],
        ['k3', 'TIMED_OUT'],
        ['k4', 'TIMED_OUT'],
      ],
    )
  })

  row('05-5.5-invoke', async () => {
    await using run = await server.execution()
    await run.checkpoint([invoke.start('i1', 'child:$LATEST', '1')])
    const child = await server.puppets.nextOfFunction('child')
    child.respond({ Status: 'SUCCEEDED', Result: '"done"' })
    const done = await eventually('the end of the chained invoke', async () =>
      (await run.checkpoint([])).NewExecutionState.Operations.find(({ Id }) => Id === 'i1'),
    )
    assert.equal(done.Status, 'SUCCEEDED')
    assert.deepEqual(done.ChainedInvokeDetails, { Result: '"done"' })
    assert.deepEqual(await run.timeline(), ['ChainedInvokeStarted i1', 'ChainedInvokeSucceeded i1'])
  })

  row('05-5.5-once', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 5, { Error: boom, Name: 'reserve' })])
    await server.advance(5000)
    // Due, restarted and closed within one request.
    const { NewExecutionState } = await run.checkpoint([step.start('s1'), step.succeed('s1', '"out"')])
    assert.deepEqual(NewExecutionState.Operations.map(inMs), [
      {
        Id: 's1',
        Name: 'reserve',
        Type: 'STEP',
        SubType: 'Step',
        Status: 'SUCCEEDED',
        StartTimestamp: server.nowMs - 5000,
        EndTimestamp: server.nowMs,
        StepDetails: { Attempt: 2, Result: '"out"' },
      },
    ])
  })

  row('05-5.5-order', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), wait.start('w1', 9), context.start('c1'), wait.start('w2', 3)])
    await server.advance(9000)
    const { NewExecutionState } = await run.checkpoint([
      step.start('s2'),
      context.succeed('c1', '1'),
      step.succeed('s1', '1'),
    ])
    assert.deepEqual(idsOf(NewExecutionState.Operations), ['s1', 'w1', 'c1', 'w2', 's2'])
  })

  row('05-5.5-since', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), step.start('s1')])
    await server.advance(5000)
    assert.deepEqual(idsOf((await run.checkpoint([])).NewExecutionState.Operations), ['w1'])
    assert.deepEqual((await run.checkpoint([])).NewExecutionState.Operations, [])
    // What the event of an invocation told is not told again.
    await run.checkpoint([wait.start('w2', 5)])
    await run.resumedAfter(5)
    assert.deepEqual((await run.checkpoint([])).NewExecutionState.Operations, [])
  })

  row('05-5.5-execution', async () => {
    await using run = await server.execution()
    const { NewExecutionState } = await run.checkpoint([step.start('s1')])
    assert.deepEqual(idsOf(NewExecutionState.Operations), ['s1'])
  })

  row('05-5.5-lazy', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), step.retry('s1', 5), callback.start('k1', { TimeoutSeconds: 5 })])
    await server.advance(5000)
    // Nothing is recorded until a checkpoint looks.
    assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'StepSucceeded s1', 'CallbackStarted k1'])
    const { NewExecutionState } = await run.checkpoint([])
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Id, Status }) => [Id, Status]),
      [
        ['w1', 'SUCCEEDED'],
        ['s1', 'READY'],
        ['k1', 'TIMED_OUT'],
      ],
    )
    assert.deepEqual((await run.timeline()).slice(3), ['WaitSucceeded w1', 'CallbackTimedOut k1'])
  })

  row('05-5.5-event-order', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), callback.start('k1', { TimeoutSeconds: 3 }), step.start('s1')])
    await server.advance(6000)
    await run.checkpoint([step.succeed('s1', '1'), wait.start('w2', 5)])
    assert.deepEqual((await run.timeline()).slice(3), [
      'CallbackTimedOut k1',
      'WaitSucceeded w1',
      'StepSucceeded s1',
      'WaitStarted w2',
    ])
  })

  row('05-5.5-cheap', async () => {
    await using run = await server.execution()
    for (let turn = 0; turn < 100; turn++) await run.checkpoint([])
    assert.deepEqual(await run.timeline(), [])
  })

  row('05-5.5-one-page', async () => {
    await using run = await server.execution()
    const many = Array.from({ length: 1500 }, (_, n) => step.succeed(`s${n}`, String(n)))
    const { NewExecutionState } = await run.checkpoint(many)
    assert.equal(NewExecutionState.Operations.length, 1500)
    assert.ok(NewExecutionState.NextMarker === undefined || NewExecutionState.NextMarker === '')
  })
})

tables('GetDurableExecutionState (05 §5.7)', (server) => {
  const many = (count: number): Update[] => Array.from({ length: count }, (_, n) => step.succeed(`s${n}`, String(n)))

  row('05-5.7-pages', async () => {
    await using run = await server.execution()
    await run.checkpoint(many(25))
    const all = idsOf(await run.operations())
    assert.deepEqual(all, [run.id, ...many(25).map(({ Id }) => Id)])
    const paged: string[] = []
    let marker: string | undefined
    do {
      const page: StatePage = okBody(await run.statePage({ maxItems: 7, ...(marker === undefined ? {} : { marker }) }))
      assert.ok(page.Operations.length > 0 && page.Operations.length <= 7)
      paged.push(...idsOf(page.Operations))
      marker = page.NextMarker
    } while (marker !== undefined && marker !== '')
    assert.deepEqual(paged, all)
  })

  row('05-5.7-last', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')])
    assert.equal(okBody<StatePage>(await run.statePage()).NextMarker, '')
    assert.equal(okBody<StatePage>(await run.statePage({ maxItems: 2 })).NextMarker, '')
    assert.notEqual(okBody<StatePage>(await run.statePage({ maxItems: 1 })).NextMarker, '')
  })

  row('05-5.7-token', async () => {
    await using run = await server.execution()
    await using other = await server.execution()
    const stale = run.token
    await run.checkpoint([])
    const code = 'InvalidParameterValueException'
    assertError(await run.statePage({ token: stale }), 400, code, 'Invalid checkpoint token')
    assertError(
      await run.statePage({ token: other.token }),
      400,
      code,
      'Checkpoint token is not valid for the durable execution ARN',
    )
    assertError(await run.statePage({ token: 'not base64!' }), 400, 'ValidationException', /at 'checkpointToken'/)
  })

  row('05-5.7-event-first', async () => {
    await using run = await server.execution()
    await run.checkpoint([...many(2500), wait.start('w1', 5)])
    await run.resumedAfter(5)
    const { Operations, NextMarker } = run.invocation.event.InitialExecutionState
    assert.notEqual(NextMarker, '')
    const seen = idsOf(Operations)
    for (let marker = NextMarker; marker !== ''; ) {
      const page = okBody<StatePage>(await run.statePage({ marker, maxItems: 1000 }))
      seen.push(...idsOf(page.Operations))
      marker = page.NextMarker ?? ''
    }
    assert.deepEqual(seen, [run.id, ...many(2500).map(({ Id }) => Id), 'w1'])
  })
})

tables('large requests (05 §5.8)', (server) => {
  row('05-5.8-updates', async () => {
    await using run = await server.execution()
    await run.checkpoint(
      Array.from({ length: 500 }, (_, n) => [step.start(`s${n}`), step.succeed(`s${n}`, '1')]).flat(),
    )
    assert.equal((await run.timeline()).length, 1000)
  })

  row('05-5.8-bytes', async () => {
    await using run = await server.execution()
    const payload = 'x'.repeat(250_000)
    await run.checkpoint(Array.from({ length: 28 }, (_, n) => step.succeed(`s${n}`, payload)))
    const operations = await run.operations()
    assert.equal(operations.length, 29)
    assert.equal(operations.at(-1)?.StepDetails?.Result, payload)
  })
})
