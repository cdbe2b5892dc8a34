/** Spec 04 §4.13–4.15: one event per update, what closing an execution does, and updates that come too late. */
import assert from 'node:assert/strict'
import { eventually } from './eventually.ts'
import { type Execution, idsOf, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback, context, execution, invoke, step, type Update, wait } from './updates.ts'

/** The CallbackId of k1, started together with an hour's wait and a step retry. */
async function withOpenOperations(run: Execution): Promise<string> {
  const { NewExecutionState } = await run.checkpoint([
    callback.start('k1', { TimeoutSeconds: 20 }),
    wait.start('w1', 20),
    step.retry('s1', 20, { Error: boom }),
    step.start('s2'),
    context.start('c1'),
  ])
  const id = only(NewExecutionState.Operations, 'k1').CallbackDetails?.CallbackId
  assert.ok(id)
  return id
}

const OPENED = ['CallbackStarted k1', 'WaitStarted w1', 'StepFailed s1', 'StepStarted s2', 'ContextStarted c1']

tables('events per update (04 §4.13)', (server) => {
  row('04-4.13-one', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      step.start('s1'),
      context.start('c1'),
      step.start('s2', { ParentId: 'c1' }),
      wait.start('w1', 5),
      step.succeed('s1', '1'),
      callback.start('k1'),
      invoke.start('i1', 'unheeded'),
      step.retry('s2', 5, { ParentId: 'c1', Error: boom }),
      context.fail('c1', boom),
      step.retry('s3', 5),
    ])
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'ContextStarted c1',
      'StepStarted s2',
      'WaitStarted w1',
      'StepSucceeded s1',
      'CallbackStarted k1',
      'ChainedInvokeStarted i1',
      'StepFailed s2',
      'ContextFailed c1',
      'StepSucceeded s3',
    ])
  })

  row('04-4.13-chained', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), invoke.start('i1', 'nobody'), step.start('s2')])
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'ChainedInvokeStarted i1',
      'ChainedInvokeFailed i1',
      'StepStarted s2',
    ])
  })

  row('04-4.13-execution', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), execution.succeed('1')])
    assert.deepEqual(await run.timeline(), ['StepStarted s1'])
    await run.succeed('')
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'InvocationCompleted', 'ExecutionSucceeded'])
  })
})

tables('closing an execution (04 §4.14)', (server) => {
  row('04-4.14-SUCCEEDED', async () => {
    await using run = await server.execution()
    const described = await run.succeed('{"done":true}')
    assert.equal(described.Status, 'SUCCEEDED')
    assert.equal(described.Result, '{"done":true}')
    assert.deepEqual(await run.timeline(), ['InvocationCompleted', 'ExecutionSucceeded'])
    assert.deepEqual(await run.details('ExecutionSucceeded'), {
      Result: { Payload: '{"done":true}', Truncated: false },
    })
  })

  row('04-4.14-FAILED', async () => {
    await using run = await server.execution()
    const described = await run.fail(boom)
    assert.equal(described.Status, 'FAILED')
    assert.deepEqual(described.Error, boom)
    assert.deepEqual(await run.timeline(), ['InvocationCompleted', 'ExecutionFailed'])
    assert.deepEqual(await run.details('ExecutionFailed'), { Error: { Payload: boom, Truncated: false } })
    assert.deepEqual((await run.details('InvocationCompleted'))['Error'], { Payload: boom, Truncated: false })
  })

  for (const variation of ['while an invocation runs', 'while suspended'] as const) {
    row('04-4.14-TIMED_OUT', variation, async () => {
      await using run = await server.execution({ function: 'brief' })
      await run.checkpoint([wait.start('w1', 3600)])
      const suspended = variation === 'while suspended'
      if (suspended) await run.suspend()
      await server.advance(59_999)
      assert.equal((await run.describe()).Status, 'RUNNING')
      await server.advance(1)
      const described = await run.closed()
      assert.equal(described.Status, 'TIMED_OUT')
      assert.deepEqual(described.Error, { ErrorMessage: 'Execution timed out after 60 seconds.' })
      assert.deepEqual(
        await run.timeline(),
        suspended
          ? ['WaitStarted w1', 'InvocationCompleted', 'ExecutionTimedOut']
          : ['WaitStarted w1', 'ExecutionTimedOut'],
      )
      assert.deepEqual(await run.details('ExecutionTimedOut'), {})
    })

    row('04-4.14-STOPPED', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([wait.start('w1', 3600)])
      if (variation === 'while suspended') await run.suspend()
      await run.stop(boom)
      const described = await run.closed()
      assert.equal(described.Status, 'STOPPED')
      assert.deepEqual(described.Error, boom)
      assert.equal((await run.timeline()).at(-1), 'ExecutionStopped')
      assert.deepEqual((await run.details('ExecutionStopped'))['Error'], { Payload: boom, Truncated: false })
    })
  }

  const closings: readonly (readonly [string, (run: Execution) => Promise<unknown>, readonly string[]])[] = [
    ['SUCCEEDED', (run) => run.succeed('1'), ['InvocationCompleted', 'ExecutionSucceeded']],
    ['FAILED', (run) => run.fail(boom), ['InvocationCompleted', 'ExecutionFailed']],
    ['stopped', (run) => run.stop(boom), ['ExecutionStopped']],
  ]
  for (const [variation, close, ending] of closings) {
    row('04-4.14-operations', variation, async () => {
      await using run = await server.execution()
      await withOpenOperations(run)
      await close(run)
      assert.deepEqual(await run.timeline(), [...OPENED, ...ending])
    })

    row('04-4.14-timers', variation, async () => {
      await using run = await server.execution()
      await withOpenOperations(run)
      await close(run)
      await server.advance(1_000_000)
      assert.deepEqual(await run.timeline(), [...OPENED, ...ending])
      assert.equal(server.puppets.count(run.name), 1)
    })

    row('04-4.14-callbacks', variation, async () => {
      await using run = await server.execution()
      const id = await withOpenOperations(run)
      await close(run)
      await server.callbackClosed(id)
      assert.deepEqual(await run.timeline(), [...OPENED, ...ending])
    })
  }

  row('04-4.14-timers', 'due at the end, unrecorded', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), callback.start('k1', { TimeoutSeconds: 5 })])
    await server.advance(6000)
    await run.succeed('1')
    assert.deepEqual(await run.timeline(), [
      'WaitStarted w1',
      'CallbackStarted k1',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ])
  })

  row('04-4.14-callbacks', 'an acknowledged completion is recorded before the end', async () => {
    await using run = await server.execution()
    const id = await withOpenOperations(run)
    await server.callbackAccepted(id, 'succeed', '"yes"')
    await run.succeed('1')
    assert.deepEqual(await run.timeline(), [
      ...OPENED,
      'InvocationCompleted',
      'CallbackSucceeded k1',
      'ExecutionSucceeded',
    ])
  })
})

tables('updates that come too late (04 §4.15)', (server) => {
  const existing: readonly (readonly [string, Update, Update, string])[] = [
    ['STEP', step.start('x1'), step.start('x1'), 'Invalid current STEP state to start.'],
    ['STEP done', step.succeed('x1', '1'), step.start('x1'), 'Invalid current STEP state to start.'],
    ['CONTEXT', context.start('x1'), context.start('x1'), 'Cannot start a CONTEXT that already exist.'],
    ['WAIT', wait.start('x1', 5), wait.start('x1', 5), 'Cannot start a WAIT that already exist.'],
    ['CALLBACK', callback.start('x1'), callback.start('x1'), 'Cannot start a CALLBACK that already exist.'],
    [
      'CHAINED_INVOKE',
      invoke.start('x1', 'unheeded'),
      invoke.start('x1', 'unheeded'),
      'Cannot start a CHAINED_INVOKE that already exist.',
    ],
  ]
  for (const [variation, first, again, message] of existing) {
    row('04-4.15-start-existing', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([first])
      await run.refused([again], message)
    })
  }

  row('04-4.15-start-existing', 'a READY step may be started', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 1)])
    await server.advance(1000)
    assert.equal((await run.checkpointed('s1', [step.start('s1')])).Status, 'STARTED')
  })

  row('04-4.15-succeeded-step', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), step.succeed('s1', '1')])
    await run.refused([step.succeed('s1', '1')], 'Invalid current STEP state to close.')
  })

  row('04-4.15-hidden-child', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1'),
      context.start('c2', { ParentId: 'c1' }),
      step.start('s1', { ParentId: 'c2' }),
    ])
    await run.checkpoint([context.succeed('c1', '1')])
    await run.checkpoint([step.succeed('s1', '1', { ParentId: 'c2' })])
    assert.equal((await run.timeline()).at(-1), 'StepSucceeded s1')
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1'])
  })

  const closings: readonly (readonly [string, (run: Execution) => Promise<unknown>])[] = [
    ['succeeded', (run) => run.succeed('1')],
    ['failed', (run) => run.fail(boom)],
    ['stopped', (run) => run.stop()],
  ]
  for (const [variation, close] of closings) {
    row('04-4.15-closed-execution', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1')])
      await close(run)
      const before = await run.events()
      await run.staleToken({ updates: [step.succeed('s1', '1')] })
      await run.staleToken({ updates: [] })
      assert.deepEqual(await run.events(), before)
    })
  }

  row('04-4.15-closed-execution', 'timed out', async () => {
    await using run = await server.execution({ function: 'brief' })
    await server.advance(60_000)
    await run.closed()
    await run.staleToken({ updates: [step.start('s1')] })
    assert.deepEqual(await run.timeline(), ['ExecutionTimedOut'])
  })

  row('04-4.15-between', async () => {
    await using run = await server.execution()
    const { NewExecutionState } = await run.checkpoint([
      wait.start('w1', 5),
      callback.start('k1'),
      invoke.start('i1', 'plain'),
    ])
    const target = await server.puppets.nextOfFunction('plain')
    target.respond('done')
    const id = only(NewExecutionState.Operations, 'k1').CallbackDetails?.CallbackId ?? ''
    await server.callbackAccepted(id, 'succeed', '1')
    await server.advance(5000)
    const seen = new Map<string, string>()
    await eventually('the three completions', async () => {
      for (const { Id, Status } of (await run.checkpoint([])).NewExecutionState.Operations) seen.set(Id, Status)
      return seen.size === 3 ? seen : undefined
    })
    assert.deepEqual([...seen.values()], ['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED'])
  })
})
