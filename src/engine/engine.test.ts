import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callback, context, Driver, EXECUTION_ID, refold, START_MS, step, wait } from '../../test/engine/driver.ts'
import { decodeEntry } from './codec.ts'
import { effects, indexOf } from './effects.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { showOperation, visibleOperations } from './view.ts'

const noLongTexts = () => {
  throw new Error('no long text expected')
}

test('a step and a wait give the history of the golden sequence 1-8', () => {
  const driver = new Driver()
  const token = driver.invoke()
  driver.checkpoint(token, step('a', 'START'), step('a', 'SUCCEED', { Payload: '1' }), wait('b', 2))
  driver.respond({ Status: 'PENDING' })
  assert.deepEqual(indexOf(driver.state).wake, { kind: 'suspended', dueMs: START_MS + 2000 })
  driver.advance(2000)
  driver.accept({ kind: 'wake' })
  assert.deepEqual(indexOf(driver.state).wake, { kind: 'ready' })
  driver.invoke()
  driver.respond({ Status: 'SUCCEEDED', Result: '"done"' })
  assert.deepEqual(driver.eventTypes, [
    'ExecutionStarted',
    'StepStarted',
    'StepSucceeded',
    'WaitStarted',
    'InvocationCompleted',
    'WaitSucceeded',
    'InvocationCompleted',
    'ExecutionSucceeded',
  ])
  assert.equal(driver.state.status, 'SUCCEEDED')
  assert.equal(driver.state.result, '"done"')
})

test('a wait that is due while the invocation runs is completed by the next checkpoint, before its updates', () => {
  const driver = new Driver()
  let token = driver.invoke()
  token = driver.checkpoint(token, wait('w', 1))
  driver.advance(1500)
  driver.accept({ kind: 'wake' })
  assert.deepEqual(driver.eventTypes.slice(-1), ['WaitStarted'])
  driver.checkpoint(token, step('s', 'START'))
  assert.deepEqual(driver.eventTypes.slice(-2), ['WaitSucceeded', 'StepStarted'])
})

test('a completion delivered by the last answer before PENDING causes one more invocation, and only one', () => {
  const driver = new Driver()
  let token = driver.invoke()
  token = driver.checkpoint(token, wait('w', 1), wait('long', 100))
  driver.advance(1500)
  driver.checkpoint(token)
  driver.respond({ Status: 'PENDING' })
  assert.deepEqual(indexOf(driver.state).wake, { kind: 'ready' })
  driver.invoke()
  driver.respond({ Status: 'PENDING' })
  assert.equal(indexOf(driver.state).wake?.kind, 'suspended')
})

test('an answered callback waits in the inbox while the invocation runs and survives its success', () => {
  const driver = new Driver()
  const token = driver.invoke()
  driver.checkpoint(token, callback('c'))
  const callbackId = driver.state.operations.get('c')?.callbackId ?? ''
  driver.accept({ kind: 'completeCallback', callbackId, outcome: 'SUCCEEDED', result: 'yes' })
  const again = driver.send({ kind: 'completeCallback', callbackId, outcome: 'FAILED' })
  assert.ok('error' in again && again.error.code === 'CallbackTimeoutException')
  assert.equal(driver.state.operations.get('c')?.status, 'STARTED')
  driver.respond({ Status: 'SUCCEEDED' })
  assert.deepEqual(driver.eventTypes.slice(-3), ['InvocationCompleted', 'CallbackSucceeded', 'ExecutionSucceeded'])
})

test('the same call that completed a callback gets its answer again after the execution has ended', () => {
  const driver = new Driver()
  driver.checkpoint(driver.invoke(), callback('c'))
  const callbackId = driver.state.operations.get('c')?.callbackId ?? ''
  const complete = { kind: 'completeCallback', callbackId, outcome: 'SUCCEEDED' } as const
  driver.accept({ ...complete, sdkInvocationId: 'call-1' })
  driver.respond({ Status: 'SUCCEEDED', Result: '1' })
  const before = driver.history
  assert.equal(driver.accept({ ...complete, sdkInvocationId: 'call-1' }).entry, undefined)
  for (const other of [complete, { ...complete, sdkInvocationId: 'call-2' }]) {
    const refused = driver.send(other)
    assert.ok('error' in refused && refused.error.code === 'CallbackTimeoutException')
  }
  assert.deepEqual(driver.history, before)
})

test('a crash is retried after 1 s, 2 s, … and the execution fails after ten minutes of failures', () => {
  const driver = new Driver()
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    driver.invoke()
    driver.crash()
    assert.deepEqual(indexOf(driver.state).wake, { kind: 'suspended', dueMs: driver.now + seconds * 1000 })
    driver.advance(seconds * 1000)
  }
  driver.advance(600_000)
  driver.invoke()
  driver.crash()
  assert.equal(driver.state.status, 'FAILED')
  assert.equal(driver.state.error?.ErrorType, 'Runtime.ExitError')
})

test('an invocation that was running when the server died is superseded, and what it posts later is ignored', () => {
  const driver = new Driver()
  const old = driver.invoke('old')
  driver.invoke('new')
  assert.deepEqual(driver.eventTypes, ['ExecutionStarted', 'InvocationCompleted'])
  const stale = driver.send({ kind: 'checkpoint', token: old, updates: [] })
  assert.ok('error' in stale && stale.error.message === 'Invalid checkpoint token')
  const late = { kind: 'response', body: '{"Status":"FAILED"}' } as const
  assert.deepEqual(driver.accept({ kind: 'endInvocation', requestId: 'old', outcome: late }).answer, {
    kind: 'ignored',
  })
  assert.equal(driver.state.status, 'RUNNING')
})

test('children of an ended context disappear unless it replays them', () => {
  const driver = new Driver()
  const token = driver.invoke()
  const child = { ParentId: 'x' }
  driver.checkpoint(
    token,
    context('x', 'START'),
    step('s', 'SUCCEED', child),
    context('y', 'START', child),
    context('y', 'SUCCEED', { ...child, ContextOptions: { ReplayChildren: true } }),
    context('x', 'SUCCEED'),
  )
  assert.deepEqual(
    visibleOperations(driver.state).map(({ id }) => id),
    [driver.state.start.executionId, 'x'],
  )
})

test('long payloads leave the state and are found again by their place in the journal', () => {
  const driver = new Driver()
  const long = JSON.stringify('x'.repeat(20_000))
  driver.checkpoint(
    driver.invoke(),
    step('a', 'SUCCEED', { Payload: 'short' }),
    step('b', 'SUCCEED', { Payload: long }),
  )
  const [a, b] = ['a', 'b'].map((id) => driver.state.operations.get(id))
  assert.equal(a?.result, 'short')
  assert.deepEqual(b?.result, { seq: 3, index: 1, length: long.length })
  assert.ok(a !== undefined && b !== undefined)
  assert.equal(showOperation(a, noLongTexts).StepDetails?.Result, 'short')
  const entries = driver.journal.map(decodeEntry)
  const shown = showOperation(b, ({ seq, index }) => entries[seq - 1]?.events[index]?.result ?? '')
  assert.equal(shown.StepDetails?.Result, long)
})

test('an EXECUTION update ends tokens at once and the history only after the invocation', () => {
  const driver = new Driver()
  const token = driver.invoke()
  const last = driver.checkpoint(token, { Id: 'r', Type: 'EXECUTION', Action: 'SUCCEED', Payload: '"big"' })
  assert.equal(last, '')
  assert.deepEqual(driver.eventTypes, ['ExecutionStarted'])
  driver.crash()
  assert.deepEqual(driver.eventTypes.slice(1), ['InvocationCompleted', 'ExecutionSucceeded'])
  assert.equal(driver.state.result, '"big"')
  const entry = decodeEntry(driver.journal.at(-1) ?? '')
  assert.deepEqual(effects(driver.state, entry), [{ kind: 'closed', status: 'SUCCEEDED' }])
  assert.deepEqual(refold(driver.journal), driver.state)
})

test('past the execution timeout nothing is accepted, even before its timer has fired', () => {
  const driver = new Driver({}, 30)
  const token = driver.checkpoint(driver.invoke(), callback('c'))
  driver.advance(30_000)
  const late = driver.send({ kind: 'checkpoint', token, updates: [] })
  assert.ok('error' in late && late.error.message === 'Invalid checkpoint token')
  const callbackId = driver.state.operations.get('c')?.callbackId ?? ''
  const answered = driver.send({ kind: 'completeCallback', callbackId, outcome: 'SUCCEEDED' })
  assert.ok('error' in answered && answered.error.code === 'CallbackTimeoutException')
  driver.respond({ Status: 'SUCCEEDED', Result: '1' })
  assert.equal(driver.state.status, 'TIMED_OUT')
  assert.equal(driver.state.error?.ErrorMessage, 'Execution timed out after 30 seconds.')
})

test('deletion is the only entry after the terminal one, and asking again tells when it was asked first', () => {
  const driver = new Driver()
  driver.invoke()
  const early = driver.send({ kind: 'delete' })
  assert.ok('error' in early && early.error.code === 'ResourceConflictException')
  driver.respond({ Status: 'SUCCEEDED', Result: '1' })
  const closed = driver.history
  driver.advance(5_000)
  const { answer, entry } = driver.accept({ kind: 'delete' })
  assert.deepEqual(answer, { kind: 'deleted', at: driver.now })
  assert.ok(entry)
  assert.deepEqual(effects(driver.state, entry), [{ kind: 'duty', duty: { kind: 'purge', operationId: EXECUTION_ID } }])
  assert.deepEqual(indexOf(driver.state), { status: 'DELETING', endedAt: driver.now - 5_000, wake: undefined })

  const at = driver.now
  driver.advance(5_000)
  assert.deepEqual(driver.accept({ kind: 'delete' }), { entry: undefined, answer: { kind: 'deleted', at } })
  assert.equal(driver.accept({ kind: 'wake' }).entry, undefined)
  assert.equal(driver.accept({ kind: 'stop', error: {} }).entry, undefined)
  assert.deepEqual(driver.history, closed)
  assert.deepEqual(refold(driver.journal), driver.state)
  assert.deepEqual(readSnapshot(writeSnapshot(driver.state)), driver.state)
})
