/** Spec 04 §4.5–4.6: which actions a type permits, and what an update must repeat of an existing operation. */
import assert from 'node:assert/strict'
import { row, tables } from './harness.ts'
import { bare, boom, callback, context, step, wait } from './updates.ts'

const ACTIONS = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL'] as const
const PERMITTED = {
  EXECUTION: ['SUCCEED', 'FAIL'],
  CONTEXT: ['START', 'SUCCEED', 'FAIL'],
  STEP: ['START', 'SUCCEED', 'FAIL', 'RETRY'],
  WAIT: ['START', 'CANCEL'],
  CALLBACK: ['START'],
  CHAINED_INVOKE: ['START'],
} as const

tables('permitted actions (04 §4.5)', (server) => {
  for (const type of ['EXECUTION', 'CONTEXT', 'STEP', 'WAIT', 'CALLBACK', 'CHAINED_INVOKE'] as const) {
    for (const action of ACTIONS) {
      const permitted = (PERMITTED[type] as readonly string[]).includes(action)
      row(`04-4.5-${type}`, `${action} is ${permitted ? 'permitted' : 'refused'}`, async () => {
        await using run = await server.execution()
        if (type === 'WAIT' && action === 'CANCEL') await run.checkpoint([wait.start('x1', 5)])
        if (permitted) await run.checkpoint([bare(type, action, 'x1')])
        else await run.refused([bare(type, action, 'x1')], 'Invalid action for the given operation type.')
      })
    }
  }

  row('04-4.5-unknown-type', async () => {
    await using run = await server.execution()
    await run.refused(
      [bare('SLEEP', 'START', 'x1')],
      /^1 validation error detected: Value 'SLEEP' at 'updates\.1\.member\.type' failed to satisfy constraint: Member must satisfy enum value set: \[.*CHAINED_INVOKE.*\]$/,
      'ValidationException',
    )
  })
})

tables('identity (04 §4.6)', (server) => {
  row('04-4.6-type', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), callback.start('k1')])
    await run.refused([context.succeed('s1', '1', { SubType: 'Step' })], 'Inconsistent operation type.')
    await run.refused([wait.cancel('k1')], 'Inconsistent operation type.')
  })

  row('04-4.6-subtype', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')])
    await run.refused([step.succeed('s1', '1', { SubType: 'WaitForCondition' })], 'Inconsistent operation subtype.')
  })

  row('04-4.6-name', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1', { Name: 'reserve' })])
    await run.refused([step.succeed('s1', '1', { Name: 'Reserve' })], 'Inconsistent operation name.')
  })

  row('04-4.6-parent', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1'),
      context.start('c2'),
      step.start('s1', { ParentId: 'c1' }),
      step.start('s2'),
    ])
    await run.refused([step.succeed('s1', '1', { ParentId: 'c2' })], 'Inconsistent parent operation id.')
    await run.refused([step.succeed('s2', '1', { ParentId: 'c1' })], 'Inconsistent parent operation id.')
  })

  row('04-4.6-execution-id', async () => {
    await using run = await server.execution()
    await run.refused([step.start(run.id)], 'Inconsistent operation type.')
    await run.refused([context.fail(run.id, boom)], 'Inconsistent operation type.')
  })

  row('04-4.6-absent', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1', { Name: 'reserve', SubType: 'Step' })])
    const closed = await run.checkpointed('s1', [{ Id: 's1', Type: 'STEP', Action: 'SUCCEED', Payload: '1' }])
    assert.equal(closed.Name, 'reserve')
    assert.equal(closed.SubType, 'Step')
    const event = await run.event('StepSucceeded', 's1')
    assert.equal(event.Name, 'reserve')
    assert.equal(event.SubType, 'Step')
  })
})
