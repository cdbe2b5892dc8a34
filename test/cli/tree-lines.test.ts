import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockTime } from '../../src/cli/render/amounts.ts'
import { type ExecutionTree, executionTree } from '../../src/cli/render/execution-tree.ts'
import { treeLines } from '../../src/cli/render/tree-lines.ts'
import type { HistoryEvent } from '../../src/client/responses.ts'
import { event, history, invocationEnded, START_MS, started, stepFailed, stepSucceeded, succeeded } from './events.ts'

function treeOf(events: readonly HistoryEvent[]): ExecutionTree {
  const tree = executionTree(events)
  assert.ok(tree !== undefined)
  return tree
}

const wide = { nowMs: START_MS + 4000, width: 200 }

test('a finished execution shows nesting, kinds, durations, attempts and the result', () => {
  const tree = treeOf(
    history(
      started('order-1'),
      event('StepStarted', 'reserve'),
      stepFailed('reserve', { errorType: 'Busy', errorMessage: 'try later' }, 1, 1, { after: 20 }),
      invocationEnded(),
      event('StepStarted', 'reserve', {}, { after: 1000 }),
      stepSucceeded('reserve', '"r"', 2, { after: 20 }),
      event('ContextStarted', 'checks', {}, { subType: 'Parallel' }),
      event('ContextStarted', 'fraud', {}, { parent: 'checks', subType: 'ParallelBranch' }),
      event('StepStarted', 'score', {}, { parent: 'fraud' }),
      stepSucceeded('score', '1', 1, { after: 250 }),
      event('ContextSucceeded', 'fraud', { result: { payload: '1' } }),
      event('ContextSucceeded', 'checks', { result: { payload: '[]' } }),
      invocationEnded(),
      succeeded('{"ok":true}', 10),
    ),
  )
  assert.deepEqual(treeLines(tree, wide), [
    'order-1  SUCCEEDED  1.30 s, 2 invocations',
    '├─ ✓ reserve      step      1.04 s  2nd attempt, 1st failed: Busy: try later',
    '└─ ✓ checks       parallel  250 ms',
    '   └─ ✓ fraud     branch    250 ms',
    '      └─ ✓ score  step      250 ms',
    'result  {"ok":true}',
  ])
})

test('what waits says for what and since when', () => {
  const dueAt = START_MS + 9000
  const tree = treeOf(
    history(
      started(),
      event('WaitStarted', 'rest', { duration: 9, scheduledEndTimestamp: dueAt }),
      event('CallbackStarted', 'approval', { callbackId: 'abc', timeout: 3600 }),
      event('ChainedInvokeStarted', 'pay', { functionName: 'payment:$LATEST' }),
      stepFailed('flaky', { errorMessage: 'no' }, 1, 6),
    ),
  )
  const since = clockTime(START_MS, wide.nowMs)
  assert.deepEqual(treeLines(tree, wide), [
    'order-1  RUNNING  4.00 s',
    `├─ ◔ rest      wait            4.00 s  until ${clockTime(dueAt, wide.nowMs)}, in 5.00 s`,
    `├─ ◔ approval  callback        4.00 s  waits for its completion since ${since}, times out in 59 m 56 s`,
    `├─ ◔ pay       invoke payment  4.00 s  waits for payment since ${since}`,
    '└─ ↻ flaky     step            4.00 s  next attempt in 2.00 s, 1st failed: no',
    'approval waits for callback id',
    '  abc',
  ])
})

test('the execution that a chained invoke started nests under it', () => {
  const child = treeOf(history(started('child'), event('StepStarted', 'capture')))
  const tree = treeOf(
    history(
      started(),
      event('ChainedInvokeStarted', 'pay', { functionName: 'payment', durableExecutionArn: 'arn:child' }),
    ),
  )
  const lines = treeLines(tree, { ...wide, children: new Map([['arn:child', child]]) })
  assert.match(lines[2] ?? '', /^ {3}└─ ● capture/)
})

test('errors and interruptions are said', () => {
  const tree = treeOf(
    history(
      started(),
      event('StepStarted', 'cut'),
      invocationEnded(0, { errorType: 'Runtime.ExitError' }),
      invocationEnded(0, { errorType: 'Runtime.ExitError' }),
      stepFailed('cut', { errorType: 'Bad', errorMessage: 'no' }, 1),
      event('ExecutionFailed', 'execution', { error: { payload: { errorType: 'Bad', errorMessage: 'no' } } }),
    ),
  )
  assert.deepEqual(treeLines(tree, wide), [
    'order-1  FAILED  0 ms, 2 invocations, 2 failed',
    '└─ ✗ cut  step  0 ms  interrupted twice, Bad: no',
    'error   Bad: no',
  ])
})

test('lines are cut at the width, before colour is added', () => {
  const tree = treeOf(history(started(), event('StepStarted', 'x'.repeat(300)), succeeded(`"${'y'.repeat(300)}"`)))
  for (const line of treeLines(tree, { ...wide, width: 40, mostLines: 9 }))
    assert.ok(Array.from(line).length <= 40, line)
  const painted = treeLines(tree, {
    ...wide,
    width: 40,
    mostLines: 9,
    paint: (style, text) => `<${style}>${text}</${style}>`,
  })
  for (const line of painted) assert.ok(Array.from(line.replaceAll(/<[^>]+>/g, '')).length <= 40, line)
})

test('a result is whole when nothing has to fit a screen', () => {
  const result = `"${'y'.repeat(300)}"`
  assert.equal(
    treeLines(treeOf(history(started(), succeeded(result))), { ...wide, width: 40 }).at(-1),
    `result  ${result}`,
  )
})

test('control characters of names and results cannot reach the terminal', () => {
  const tree = treeOf(history(started('\x1b[2Jevil'), event('StepStarted', 'a\nb\x07'), succeeded('"\x1b]0;t\x07"')))
  for (const line of treeLines(tree, wide)) {
    assert.ok(
      Array.from(line).every((char) => (char.codePointAt(0) ?? 0) >= 0x20),
      JSON.stringify(line),
    )
  }
})

test('ASCII only when asked', () => {
  const tree = treeOf(history(started(), event('StepStarted', 'a'), event('ContextStarted', 'b')))
  for (const line of treeLines(tree, { ...wide, unicode: false })) assert.match(line, /^[\x20-\x7e]*$/)
})

test('a tree that is too tall first folds finished contexts, then drops the oldest lines', () => {
  const items = Array.from({ length: 30 }, (_, index) => [
    event('ContextStarted', `item ${index}`, {}, { parent: 'all', subType: 'MapIteration' }),
    event('StepStarted', `work ${index}`, {}, { parent: `item ${index}` }),
    stepSucceeded(`work ${index}`, '1', 1, { parent: `item ${index}` }),
    event('ContextSucceeded', `item ${index}`, { result: {} }, { parent: 'all' }),
  ]).flat()
  const running = history(started(), event('ContextStarted', 'all', {}, { subType: 'Map' }), ...items)
  assert.equal(treeLines(treeOf(running), wide).length, 62)

  const folded = treeLines(treeOf(running), { ...wide, mostLines: 40 })
  assert.equal(folded.length, 32)
  assert.match(folded[2] ?? '', /item 0 .*1 operation inside/)

  const cut = treeLines(treeOf(running), { ...wide, mostLines: 10 })
  assert.equal(cut.length, 10)
  assert.match(cut[0] ?? '', /^order-1/)
  assert.equal(cut[1], '… 23 lines above')
  assert.match(cut[9] ?? '', /item 29/)
})
