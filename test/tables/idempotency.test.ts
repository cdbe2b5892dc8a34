/** Spec 05 §5.4: a repeated checkpoint is answered again and changes nothing. */
import assert from 'node:assert/strict'
import { type CheckpointBody, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { bare, boom, callback, execution, step, wait } from './updates.ts'
import { assertError, okBody } from './wire.ts'

tables('ClientToken (05 §5.4)', (server) => {
  row('05-5.4-retry', async () => {
    await using run = await server.execution()
    const request = {
      token: run.token,
      clientToken: '7c0e6a0e-5b1f-4a39-9c39-0d8f0b6b7b11',
      updates: [step.start('s1'), callback.start('k1'), wait.start('w1', 60)],
    }
    const first = okBody<CheckpointBody>(await run.send(request))
    for (let turn = 0; turn < 3; turn++) assert.deepEqual(okBody(await run.send(request)), first)
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'CallbackStarted k1', 'WaitStarted w1'])
  })

  row('05-5.4-retry', 'sent while the first is on its way', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'once', updates: [callback.start('k1')] }
    const answers = await Promise.all(Array.from({ length: 5 }, () => run.send(request)))
    const bodies = answers.map((answer) => okBody<CheckpointBody>(answer))
    for (const body of bodies) assert.deepEqual(body, bodies[0])
    assert.deepEqual(await run.timeline(), ['CallbackStarted k1'])
  })

  row('05-5.4-window', 'by default', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'once', updates: [step.start('s1')] }
    const first = okBody<CheckpointBody>(await run.send(request))
    // The execution itself ends after 15 minutes.
    await server.advance(15 * 60_000 - 1)
    assert.deepEqual(okBody(await run.send(request)), first)
  })

  row('05-5.4-any-accepted', async () => {
    await using run = await server.execution()
    const requests = []
    for (let n = 1; n <= 5; n++) {
      const request = { token: run.token, clientToken: `call-${n}`, updates: [step.start(`s${n}`)] }
      const answer = okBody<CheckpointBody>(await run.send(request))
      run.token = answer.CheckpointToken ?? ''
      requests.push({ request, answer })
    }
    for (const { request, answer } of requests) assert.deepEqual(okBody(await run.send(request)), answer)
    await run.checkpoint([])
  })

  row('05-5.4-earlier-answer', async () => {
    await using run = await server.execution()
    const large = JSON.stringify('x'.repeat(100_000))
    const request = {
      token: run.token,
      clientToken: 'once',
      updates: [wait.start('w1', 5), step.start('s1'), step.succeed('s2', large)],
    }
    const first = okBody<CheckpointBody>(await run.send(request))
    run.token = first.CheckpointToken ?? ''
    await server.advance(5000)
    const { NewExecutionState } = await run.checkpoint([step.succeed('s1', '1')])
    assert.equal(only(NewExecutionState.Operations, 'w1').Status, 'SUCCEEDED')
    const again = okBody<CheckpointBody>(await run.send(request))
    assert.deepEqual(again, first)
    assert.equal(only(again.NewExecutionState.Operations, 'w1').Status, 'STARTED')
    assert.equal(only(again.NewExecutionState.Operations, 's2').StepDetails?.Result, large)
  })

  row('05-5.4-other-token', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')], 'once')
    await run.checkpoint([step.succeed('s1', '1')], 'once')
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'StepSucceeded s1'])
  })

  row('05-5.4-other-client-token', async () => {
    await using run = await server.execution()
    const token = run.token
    await run.checkpoint([step.start('s1')], 'once')
    await run.staleToken({ token, clientToken: 'twice', updates: [step.start('s1')] })
    assert.deepEqual(await run.timeline(), ['StepStarted s1'])
  })

  row('05-5.4-other-updates', async () => {
    await using run = await server.execution()
    const token = run.token
    const first = await run.checkpoint([step.start('s1')], 'once')
    for (const updates of [[step.start('s2')], [], [bare('STEP', 'CANCEL', 's1')]]) {
      assert.deepEqual(okBody(await run.send({ token, clientToken: 'once', updates })), first)
    }
    assert.deepEqual(await run.timeline(), ['StepStarted s1'])
  })

  row('05-5.4-closing', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'last', updates: [step.start('s1'), execution.succeed('"done"')] }
    const first = okBody<CheckpointBody>(await run.send(request))
    const again = okBody<CheckpointBody>(await run.send(request))
    assert.deepEqual(again, first)
    assert.ok(!('CheckpointToken' in again))
    assert.equal((await run.succeed('')).Result, '"done"')
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'InvocationCompleted', 'ExecutionSucceeded'])
    await run.staleToken(request)
  })

  row('05-5.4-none', async () => {
    await using run = await server.execution()
    const request = { token: run.token, updates: [step.start('s1'), step.succeed('s1', '1')] }
    okBody(await run.send(request))
    await run.staleToken(request)
    // The function gives up; the next invocation finds what was stored.
    run.invocation.throw('InvocationError', 'Invalid checkpoint token')
    await run.invocationRecorded()
    await server.advance(1000)
    await run.resumed()
    assert.equal(only(run.initialOperations, 's1').Status, 'SUCCEEDED')
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'StepSucceeded s1', 'InvocationCompleted'])
  })

  row('05-5.4-other-invocation', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'once', updates: [step.start('s1')] }
    okBody(await run.send(request))
    await run.crashedAndRetried()
    await run.staleToken(request)
  })

  row('05-5.4-rejected', async () => {
    await using run = await server.execution()
    const broken = [bare('STEP', 'CANCEL', 's1')]
    for (let turn = 0; turn < 2; turn++) {
      assertError(
        await run.send({ clientToken: 'once', updates: broken }),
        400,
        'InvalidParameterValueException',
        'Invalid action for the given operation type.',
      )
    }
    await run.checkpoint([step.fail('s1', boom)], 'once')
  })
})

tables(
  'ClientToken with a window of one minute (05 §5.4)',
  (server) => {
    row('05-5.4-window', 'when it is over', async () => {
      await using run = await server.execution()
      const request = { token: run.token, clientToken: 'once', updates: [step.start('s1')] }
      const first = okBody<CheckpointBody>(await run.send(request))
      run.token = first.CheckpointToken ?? ''
      await server.advance(60_000)
      assert.deepEqual(okBody(await run.send(request)), first)
      await server.advance(1)
      await run.staleToken(request)
      await run.checkpoint([])
    })
  },
  { limits: { replayWindowMs: 60_000 } },
)
