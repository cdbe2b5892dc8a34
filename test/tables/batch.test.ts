/** Spec 04 §4.2: what one request may contain. */
import assert from 'node:assert/strict'
import { only } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback, context, execution, invoke, step, type Update, wait } from './updates.ts'

const TWICE = 'Cannot update the same operation twice in a single request.'

tables('batch rules (04 §4.2)', (server) => {
  const refusals: readonly (readonly [Parameters<typeof row>[0], string, readonly Update[], string])[] = [
    [
      '04-4.2-r1',
      'both SUCCEED',
      [execution.succeed('1'), execution.succeed('2', { Id: 'another' })],
      'Cannot checkpoint multiple EXECUTION updates.',
    ],
    [
      '04-4.2-r1',
      'SUCCEED and FAIL, apart',
      [execution.succeed('1'), step.start('s1'), execution.fail(boom, { Id: 'another' })],
      'Cannot checkpoint multiple EXECUTION updates.',
    ],
    ['04-4.2-r2', 'first', [execution.succeed('1'), step.start('s1')], 'EXECUTION checkpoint must be the last update.'],
    [
      '04-4.2-r2',
      'in the middle',
      [step.start('s1'), execution.fail(boom), step.start('s2')],
      'EXECUTION checkpoint must be the last update.',
    ],
    ['04-4.2-r3', 'two closes', [step.succeed('s1', '1'), step.fail('s1', boom)], TWICE],
    ['04-4.2-r3', 'apart', [context.succeed('c1', '1'), step.start('s1'), context.succeed('c1', '1')], TWICE],
    ['04-4.2-start-twice', 'STEP', [step.start('s1'), step.start('s1')], TWICE],
    ['04-4.2-start-twice', 'CONTEXT', [context.start('c1'), context.start('c1')], TWICE],
    ['04-4.2-close-then-start', 'STEP SUCCEED', [step.succeed('s1', '1'), step.start('s1')], TWICE],
    ['04-4.2-close-then-start', 'STEP RETRY', [step.retry('s1', 1), step.start('s1')], TWICE],
    ['04-4.2-close-then-start', 'CONTEXT FAIL', [context.fail('c1', boom), context.start('c1')], TWICE],
    ['04-4.2-WAIT', 'START and CANCEL', [wait.start('w1', 5), wait.cancel('w1')], TWICE],
    ['04-4.2-WAIT', 'START twice', [wait.start('w1', 5), wait.start('w1', 5)], TWICE],
    ['04-4.2-CALLBACK', 'START twice', [callback.start('k1'), callback.start('k1')], TWICE],
    ['04-4.2-CHAINED_INVOKE', 'START twice', [invoke.start('i1', 'plain'), invoke.start('i1', 'plain')], TWICE],
    ['04-4.2-three', 'STEP', [step.start('s1'), step.retry('s1', 1), step.succeed('s1', '1')], TWICE],
    ['04-4.2-three', 'CONTEXT', [context.start('c1'), context.succeed('c1', '1'), context.start('c1')], TWICE],
  ]
  for (const [id, variation, updates, message] of refusals) {
    row(id, variation, async () => {
      await using run = await server.execution()
      await run.refused(updates, message)
    })
  }

  const pairs: readonly (readonly [Parameters<typeof row>[0], readonly Update[], string, readonly string[]])[] = [
    [
      '04-4.2-pair-STEP-SUCCEED',
      [step.start('x1'), step.succeed('x1', '1')],
      'SUCCEEDED',
      ['StepStarted x1', 'StepSucceeded x1'],
    ],
    ['04-4.2-pair-STEP-FAIL', [step.start('x1'), step.fail('x1', boom)], 'FAILED', ['StepStarted x1', 'StepFailed x1']],
    [
      '04-4.2-pair-STEP-RETRY',
      [step.start('x1'), step.retry('x1', 3, { Error: boom })],
      'PENDING',
      ['StepStarted x1', 'StepFailed x1'],
    ],
    [
      '04-4.2-pair-CONTEXT-SUCCEED',
      [context.start('x1'), context.succeed('x1', '1')],
      'SUCCEEDED',
      ['ContextStarted x1', 'ContextSucceeded x1'],
    ],
    [
      '04-4.2-pair-CONTEXT-FAIL',
      [context.start('x1'), context.fail('x1', boom)],
      'FAILED',
      ['ContextStarted x1', 'ContextFailed x1'],
    ],
  ]
  for (const [id, updates, status, timeline] of pairs) {
    row(id, async () => {
      await using run = await server.execution()
      const [start, close] = updates
      assert.ok(start !== undefined && close !== undefined)
      // Other updates may stand between the two.
      const between = step.start('between')
      const { NewExecutionState } = await run.checkpoint([start, between, close])
      assert.equal(only(NewExecutionState.Operations, 'x1').Status, status)
      assert.deepEqual(
        (await run.timeline()).filter((event) => event.endsWith(' x1')),
        timeline,
      )
    })
  }

  for (const [id, updates] of [
    ['04-4.2-empty', []],
    ['04-4.2-absent', undefined],
  ] as const) {
    row(id, async () => {
      await using run = await server.execution()
      await run.checkpoint([wait.start('w1', 5)])
      const before = run.token
      await server.advance(5000)
      const answer = await run.send(updates === undefined ? {} : { updates })
      assert.equal(answer.status, 200, answer.text)
      const body = JSON.parse(answer.text)
      assert.equal(only(body.NewExecutionState.Operations, 'w1').Status, 'SUCCEEDED')
      assert.notEqual(body.CheckpointToken, before)
      await run.staleToken({ token: before, updates: [] })
      run.token = body.CheckpointToken
      await run.checkpoint([])
    })
  }
})
