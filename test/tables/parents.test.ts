/** Spec 04 §4.3: which operation may be the parent of another. */
import assert from 'node:assert/strict'
import { idsOf } from './execution.ts'
import { row, tables } from './harness.ts'
import { context, step, wait } from './updates.ts'

const INVALID = 'Invalid parent operation id.'

tables('parents (04 §4.3)', (server) => {
  row('04-4.3-root', async () => {
    await using run = await server.execution()
    const root = await run.checkpointed('s1', [step.start('s1')])
    assert.ok(!('ParentId' in root))
    assert.ok(!('ParentId' in (await run.event('StepStarted', 's1'))))
  })

  row('04-4.3-execution', async () => {
    await using run = await server.execution()
    await run.refused([step.start('s1', { ParentId: run.id })], INVALID)
  })

  row('04-4.3-unknown', async () => {
    await using run = await server.execution()
    await run.refused([step.start('s1', { ParentId: 'nobody' })], INVALID)
    await run.refused([context.start('c1', { ParentId: 'c1' })], INVALID)
  })

  row('04-4.3-not-context', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), wait.start('w1', 5)])
    await run.refused([step.start('s2', { ParentId: 's1' })], INVALID)
    await run.refused([step.start('s2', { ParentId: 'w1' })], INVALID)
    await run.refused([step.start('s3'), step.start('s4', { ParentId: 's3' })], INVALID)
  })

  row('04-4.3-existing', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1')])
    const child = await run.checkpointed('s1', [step.start('s1', { ParentId: 'c1' })])
    assert.equal(child.ParentId, 'c1')
    assert.equal((await run.event('StepStarted', 's1')).ParentId, 'c1')
  })

  row('04-4.3-same-batch', async () => {
    await using run = await server.execution()
    const child = await run.checkpointed('s1', [context.start('c1'), step.start('s1', { ParentId: 'c1' })])
    assert.equal(child.ParentId, 'c1')
  })

  row('04-4.3-later', async () => {
    await using run = await server.execution()
    await run.refused([step.start('s1', { ParentId: 'c1' }), context.start('c1')], INVALID)
  })

  row('04-4.3-completed', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1'), context.succeed('c1', '1')])
    await run.checkpoint([step.start('late', { ParentId: 'c1' }), step.succeed('late', '2', { ParentId: 'c1' })])
    assert.deepEqual(await run.timeline(), [
      'ContextStarted c1',
      'ContextSucceeded c1',
      'StepStarted late',
      'StepSucceeded late',
    ])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1'])
    // Stored all the same: it exists, and is closed.
    await run.refused([step.succeed('late', '2', { ParentId: 'c1' })], 'Invalid current STEP state to close.')
  })

  row('04-4.3-completed-replaying', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1'),
      context.succeed('c1', '1', { ContextOptions: { ReplayChildren: true } }),
    ])
    await run.checkpoint([step.succeed('late', '2', { ParentId: 'c1' })])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 'late'])
  })

  row('04-4.3-depth', async () => {
    await using run = await server.execution()
    const depth = 150
    const nested = Array.from({ length: depth }, (_, level) =>
      context.start(`c${level}`, level === 0 ? {} : { ParentId: `c${level - 1}` }),
    )
    await run.checkpoint(nested)
    const [, ...contexts] = await run.operations()
    assert.equal(contexts.length, depth)
    assert.equal(contexts.at(-1)?.ParentId, `c${depth - 2}`)
  })

  row('04-4.3-batch-order', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1'),
      context.succeed('c1', '1', { ContextOptions: { ReplayChildren: true } }),
      step.start('s1', { ParentId: 'c1' }),
    ])
    assert.deepEqual(await run.timeline(), ['ContextStarted c1', 'ContextSucceeded c1', 'StepStarted s1'])
  })
})
