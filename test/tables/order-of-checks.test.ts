/** Spec 04 §4.0–4.1: what a broken request is answered, in which order the checks come, and that a refusal leaves no trace. */
import assert from 'node:assert/strict'
import { idsOf } from './execution.ts'
import { row, tables } from './harness.ts'
import { bare, boom, context, execution, step, type Update, wait } from './updates.ts'
import { assertError } from './wire.ts'

const tooLong = 'x'.repeat(262_145)
const constraint = (path: string, ending: string): RegExp =>
  new RegExp(`^1 validation error detected: Value .* at '${path}' failed to satisfy constraint: Member must ${ending}`)

tables('order of checks (04 §4.1)', (server) => {
  row('04-4.0-status', async () => {
    await using run = await server.execution()
    assertError(
      await run.send({ updates: [bare('STEP', 'CANCEL', 's1')] }),
      400,
      'InvalidParameterValueException',
      'Invalid action for the given operation type.',
    )
  })

  row('04-4.1-json', async () => {
    await using run = await server.execution()
    const path = `/2025-12-01/durable-executions/${encodeURIComponent(run.arn)}/checkpoint`
    const broken = `{"CheckpointToken":"${run.token}","Updates":[`
    assertError(await server.postJson(path, broken), 400, 'SerializationException', /./)
    await run.checkpoint([])
  })

  const shapes = [
    ['04-4.1-missing', 'Id', { Id: undefined }, constraint('updates.1.member.id', 'not be null')],
    ['04-4.1-missing', 'Type', { Type: undefined }, constraint('updates.1.member.type', 'not be null')],
    ['04-4.1-missing', 'Action', { Action: undefined }, constraint('updates.1.member.action', 'not be null')],
    [
      '04-4.1-missing',
      'FunctionName',
      { Type: 'CHAINED_INVOKE', ChainedInvokeOptions: {} },
      constraint('updates.1.member.chainedInvokeOptions.functionName', 'not be null'),
    ],
    [
      '04-4.1-name-length',
      'Name',
      { Name: 'n'.repeat(257) },
      constraint('updates.1.member.name', 'have length less than or equal to 256$'),
    ],
    [
      '04-4.1-action-enum',
      'Action',
      { Action: 'PAUSE' },
      constraint('updates.1.member.action', 'satisfy enum value set: \\[.*START.*\\]$'),
    ],
    [
      '04-4.1-pattern',
      'Id',
      { Id: 'a b' },
      constraint('updates.1.member.id', 'satisfy regular expression pattern: \\[a-zA-Z0-9-_\\]\\+$'),
    ],
    [
      '04-4.1-pattern',
      'SubType',
      { SubType: 'a.b' },
      constraint('updates.1.member.subType', 'satisfy regular expression pattern: '),
    ],
  ] as const
  for (const [id, member, broken, message] of shapes) {
    row(id, member, async () => {
      await using run = await server.execution()
      await run.refused([step.start('s1', broken)], message, 'ValidationException')
    })
  }

  row('04-4.1-wait-seconds', async () => {
    await using run = await server.execution()
    await run.refused(
      [wait.start('w1', 0)],
      "1 validation error detected: Value '0' at 'updates.1.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value greater than or equal to 1",
      'ValidationException',
    )
    await run.refused(
      [wait.start('w1', 31_622_401)],
      "1 validation error detected: Value '31622401' at 'updates.1.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value less than or equal to 31622400",
      'ValidationException',
    )
  })

  row('04-4.1-delay-seconds', async () => {
    await using run = await server.execution()
    await run.refused(
      [step.retry('s1', 0)],
      "1 validation error detected: Value '0' at 'updates.1.member.stepOptions.nextAttemptDelaySeconds' failed to satisfy constraint: Member must have value greater than or equal to 1",
      'ValidationException',
    )
  })

  row('04-4.1-index', async () => {
    await using run = await server.execution()
    await run.refused(
      [step.start('s1'), wait.start('w1', 0), step.retry('s2', 0)],
      /^2 validation errors detected: Value '0' at 'updates\.2\.member\.waitOptions\.waitSeconds' failed .*; Value '0' at 'updates\.3\.member\.stepOptions\.nextAttemptDelaySeconds' failed /,
      'ValidationException',
    )
  })

  row('04-4.1-shape-first', async () => {
    await using run = await server.execution()
    const stale = run.token
    await run.checkpoint([])
    const answer = await run.send({ token: stale, updates: [wait.start('w1', 0)] })
    assertError(
      answer,
      400,
      'ValidationException',
      constraint('updates.1.member.waitOptions.waitSeconds', 'have value'),
    )
  })

  row('04-4.1-arn-first', async () => {
    await using run = await server.execution()
    const first = run.token
    await run.checkpoint([step.start('s1')], 'once')
    const elsewhere = run.arn.replace(run.id, '00000000-0000-4000-8000-000000000000')
    await using other = await server.execution()
    for (const arn of [elsewhere, other.arn]) {
      assertError(
        await run.send({ arn, token: first, clientToken: 'once', updates: [step.start('s1')] }),
        400,
        'InvalidParameterValueException',
        /^(Invalid checkpoint token|Checkpoint token is not valid for the durable execution ARN)$/,
      )
    }
  })

  row('04-4.1-replay-before-token', async () => {
    await using run = await server.execution()
    const request = { token: run.token, clientToken: 'once', updates: [step.start('s1')] }
    const first = await run.send(request)
    const again = await run.send(request)
    assert.equal(again.status, 200, again.text)
    assert.deepEqual(JSON.parse(again.text), JSON.parse(first.text))
  })

  row('04-4.1-replay-before-rules', async () => {
    await using run = await server.execution()
    const first = await run.send({ token: run.token, clientToken: 'once', updates: [step.start('s1')] })
    const broken = [bare('STEP', 'CANCEL', 's1'), execution.succeed(), execution.succeed()]
    const again = await run.send({ token: run.token, clientToken: 'once', updates: broken })
    assert.equal(again.status, 200, again.text)
    assert.deepEqual(JSON.parse(again.text), JSON.parse(first.text))
  })

  row('04-4.1-token-before-rules', async () => {
    await using run = await server.execution()
    const stale = run.token
    await run.checkpoint([])
    await run.staleToken({ token: stale, updates: [execution.succeed(), execution.succeed()] })
  })

  const pairs: readonly (readonly [Parameters<typeof row>[0], readonly Update[], string])[] = [
    [
      '04-4.1-batch-before-each',
      [bare('STEP', 'CANCEL', 'x1'), execution.succeed(), execution.succeed()],
      'Cannot checkpoint multiple EXECUTION updates.',
    ],
    [
      '04-4.1-in-order',
      [step.succeed('done'), step.start('x1', { ParentId: 'nobody' })],
      'Invalid current STEP state to close.',
    ],
    [
      '04-4.1-parent-before-size',
      [step.succeed('x1', tooLong, { ParentId: 'nobody' })],
      'Invalid parent operation id.',
    ],
    [
      '04-4.1-size-before-action',
      [{ ...bare('STEP', 'CANCEL', 'x1'), Payload: tooLong }],
      'STEP output payload size must be less than or equal to 262144 bytes.',
    ],
    [
      '04-4.1-action-before-identity',
      [bare('WAIT', 'SUCCEED', 'done')],
      'Invalid action for the given operation type.',
    ],
    [
      '04-4.1-identity-before-status',
      [step.succeed('done', undefined, { Name: 'another' })],
      'Inconsistent operation name.',
    ],
  ]
  for (const [id, updates, message] of pairs) {
    row(id, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.succeed('done', '1', { Name: 'done' })])
      await run.refused(updates, message)
    })
  }

  row('04-4.1-rejected', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')])
    const good = [step.succeed('s1', '1'), context.start('c1'), wait.start('w1', 5)]
    await run.refused([...good, step.start('s2', { ParentId: 'nobody' })], 'Invalid parent operation id.')
    const { NewExecutionState } = await run.checkpoint(good)
    assert.deepEqual(idsOf(NewExecutionState.Operations), ['s1', 'c1', 'w1'])
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'StepSucceeded s1',
      'ContextStarted c1',
      'WaitStarted w1',
    ])
  })

  row('04-4.1-applied', async () => {
    await using run = await server.execution()
    const before = run.token
    const answer = await run.checkpoint([
      context.start('c1'),
      step.start('s1', { ParentId: 'c1' }),
      step.fail('s1', boom, { ParentId: 'c1' }),
      context.fail('c1', boom),
      wait.start('w1', 5),
    ])
    assert.notEqual(answer.CheckpointToken, before)
    assert.deepEqual(await run.timeline(), [
      'ContextStarted c1',
      'StepStarted s1',
      'StepFailed s1',
      'ContextFailed c1',
      'WaitStarted w1',
    ])
    await run.checkpoint([])
  })

  row('04-4.1-scratch', async () => {
    await using run = await server.execution()
    const done = await run.checkpointed('s1', [step.start('s1'), step.succeed('s1', '1')])
    assert.equal(done.Status, 'SUCCEEDED')
  })
})
