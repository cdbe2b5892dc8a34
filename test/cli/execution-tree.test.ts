import assert from 'node:assert/strict'
import { test } from 'node:test'
import { executionTree } from '../../src/cli/render/execution-tree.ts'
import { event, history, invocationEnded, START_MS, started, stepFailed, stepSucceeded, succeeded } from './events.ts'

test('no events make no tree', () => {
  assert.equal(executionTree([]), undefined)
})

test('operations of a context become its children, in the order of their first events', () => {
  const tree = executionTree(
    history(
      started(),
      event('ContextStarted', 'checks', {}, { subType: 'Parallel' }),
      event('ContextStarted', 'fraud', {}, { parent: 'checks', subType: 'ParallelBranch' }),
      event('ContextStarted', 'stock', {}, { parent: 'checks', subType: 'ParallelBranch' }),
      event('StepStarted', 'score', {}, { parent: 'fraud' }),
    ),
  )
  const checks = tree?.roots[0]
  assert.deepEqual(
    checks?.children.map((child) => child.name),
    ['fraud', 'stock'],
  )
  assert.deepEqual(
    checks?.children[0]?.children.map((child) => child.name),
    ['score'],
  )
})

test('a retried step keeps every failed attempt, and waits for the next one', () => {
  const busy = { errorType: 'Busy', errorMessage: 'try later' }
  const sketches = [
    started(),
    event('StepStarted', 'reserve'),
    stepFailed('reserve', busy, 1, 2, { after: 10 }),
  ] as const
  const waiting = executionTree(history(...sketches))?.roots[0]
  assert.equal(waiting?.status, 'retrying')
  assert.equal(waiting?.dueAt, START_MS + 2010)
  assert.deepEqual(waiting?.failedAttempts, [{ attempt: 1, error: busy }])

  const done = executionTree(
    history(...sketches, event('StepStarted', 'reserve', {}, { after: 2000 }), stepSucceeded('reserve', '1', 2)),
  )?.roots[0]
  assert.equal(done?.status, 'succeeded')
  assert.equal(done?.attempt, 2)
  assert.equal(done?.result, '1')
  assert.equal(done?.failedAttempts.length, 1)
})

test('a poll of a condition that goes on waits without counting as a failure', () => {
  const poll = event('StepSucceeded', 'job', {
    result: { payload: '"pending"' },
    retryDetails: { currentAttempt: 1, nextAttemptDelaySeconds: 5 },
  })
  const node = executionTree(history(started(), event('StepStarted', 'job'), poll))?.roots[0]
  assert.equal(node?.status, 'retrying')
  assert.deepEqual(node?.failedAttempts, [])
})

test('a failed invocation interrupts the steps that ran, and only those', () => {
  const crash = { errorType: 'Runtime.ExitError' }
  const tree = executionTree(
    history(
      started(),
      event('StepStarted', 'done'),
      stepSucceeded('done', '1'),
      event('StepStarted', 'cut'),
      event('WaitStarted', 'pause', { duration: 5, scheduledEndTimestamp: START_MS + 5000 }),
      invocationEnded(0, crash),
      invocationEnded(),
    ),
  )
  assert.deepEqual(
    tree?.roots.map((node) => [node.name, node.interruptions]),
    [
      ['done', 0],
      ['cut', 1],
      ['pause', 0],
    ],
  )
  assert.equal(tree?.invocations, 2)
  assert.equal(tree?.failedInvocations, 1)
})

test('an operation that closes without a start is there, closed', () => {
  const node = executionTree(history(started(), event('ContextSucceeded', 'empty', { result: { payload: '' } })))
    ?.roots[0]
  assert.equal(node?.status, 'succeeded')
  assert.equal(node?.kind, 'context')
})

test('an operation whose parent is not in the history is shown at the top rather than lost', () => {
  const tree = executionTree(history(started(), event('StepStarted', 'orphan', {}, { parent: 'nowhere' })))
  assert.deepEqual(
    tree?.roots.map((node) => node.name),
    ['orphan'],
  )
})

for (const [type, status] of [
  ['ExecutionFailed', 'FAILED'],
  ['ExecutionTimedOut', 'TIMED_OUT'],
  ['ExecutionStopped', 'STOPPED'],
] as const) {
  test(`${type} closes the tree as ${status}`, () => {
    const error = { errorType: 'E', errorMessage: 'm' }
    const tree = executionTree(
      history(started(), event(type, 'execution', { error: { payload: error } }, { after: 70 })),
    )
    assert.equal(tree?.status, status)
    assert.equal(tree?.endedAt, START_MS + 70)
    assert.deepEqual(tree?.error, error)
    assert.deepEqual(tree?.roots, [])
  })
}

test('a result closes the tree', () => {
  const tree = executionTree(history(started(), succeeded('{"ok":true}', 5)))
  assert.equal(tree?.status, 'SUCCEEDED')
  assert.equal(tree?.result, '{"ok":true}')
})
