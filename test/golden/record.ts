/**
 * Records golden journals: what this version writes for the scenarios below, and the history it shows for it. A
 * recorded file is never written again: every later version must fold it to the same bytes (invariant I8). A new entry
 * version records new files beside the old ones.
 *
 *     node tools/pinned-node/run.mjs test/golden/record.ts
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENTRY_VERSION } from '../../src/engine/model.ts'
import { callback, context, Driver, invoke, step, wait } from '../engine/driver.ts'
import { foldedHistory } from './fold.ts'

const callbackIdOf = (driver: Driver, id: string): string => driver.state.operations.get(id)?.callbackId ?? ''

const SCENARIOS: Readonly<Record<string, () => Driver>> = {
  'steps-and-waits'() {
    const driver = new Driver()
    let token = driver.invoke()
    token = driver.checkpoint(
      token,
      step('a', 'START', { Name: 'first' }),
      step('a', 'SUCCEED', { Payload: '{"ok":true}' }),
    )
    token = driver.checkpoint(token, step('b', 'START'))
    token = driver.checkpoint(
      token,
      step('b', 'RETRY', { Error: { ErrorType: 'Transient' }, StepOptions: { NextAttemptDelaySeconds: 2 } }),
      step('poll', 'RETRY', { Payload: '{"n":1}', StepOptions: { NextAttemptDelaySeconds: 5 } }),
      wait('w', 3),
      wait('x', 9),
    )
    token = driver.checkpoint(token, { Id: 'x', Type: 'WAIT', Action: 'CANCEL' })
    driver.respond({ Status: 'PENDING' })
    driver.advance(3_000)
    driver.accept({ kind: 'wake' })
    token = driver.invoke()
    driver.advance(2_000)
    token = driver.checkpoint(
      token,
      step('b', 'START'),
      step('b', 'FAIL', { Error: { ErrorMessage: 'gone 😀 \ud800' } }),
    )
    driver.checkpoint(token, step('poll', 'SUCCEED', { Payload: '' }))
    driver.crash()
    driver.advance(1_000)
    driver.invoke()
    driver.respond({ Status: 'FAILED', Error: { ErrorType: 'Late', StackTrace: ['at here'] } })
    return driver
  },
  'contexts-callbacks-invokes'() {
    const driver = new Driver()
    driver.targets.set('durable', {
      kind: 'durable',
      version: '3',
      childId: 'child',
      childArn: 'arn:child/durable-execution/n/child',
    })
    driver.targets.set('plain', { kind: 'plain', version: '$LATEST' })
    driver.targets.set('gone', { kind: 'failed', error: { ErrorType: 'ResourceNotFoundException' } })
    const child = { ParentId: 'ctx' }
    let token = driver.invoke()
    token = driver.checkpoint(
      token,
      context('ctx', 'START', { Name: 'group' }),
      step('s', 'SUCCEED', { ...child, Payload: 'y'.repeat(17_000) }),
      callback('cb', { ...child, CallbackOptions: { TimeoutSeconds: 60, HeartbeatTimeoutSeconds: 10 } }),
      callback('late', { CallbackOptions: { TimeoutSeconds: 4 } }),
      callback('no'),
      { ...invoke('durable', 'other:3'), Payload: '{"a":1}' },
      invoke('plain', 'tool'),
      invoke('gone', 'nobody'),
    )
    driver.accept({
      kind: 'completeCallback',
      callbackId: callbackIdOf(driver, 'no'),
      outcome: 'FAILED',
      error: { ErrorType: 'No' },
    })
    token = driver.checkpoint(token)
    driver.respond({ Status: 'PENDING' })
    driver.advance(4_000)
    driver.accept({ kind: 'heartbeatCallback', callbackId: callbackIdOf(driver, 'cb') })
    driver.accept({ kind: 'wake' })
    token = driver.invoke()
    driver.accept({
      kind: 'completeInvoke',
      operationId: 'durable',
      outcome: 'TIMED_OUT',
      error: { ErrorType: 'ChainedInvoke.Timeout' },
    })
    driver.accept({ kind: 'completeInvoke', operationId: 'plain', outcome: 'SUCCEEDED', result: '1' })
    driver.accept({
      kind: 'completeCallback',
      callbackId: callbackIdOf(driver, 'cb'),
      outcome: 'SUCCEEDED',
      result: '"yes"',
      sdkInvocationId: 'call',
    })
    driver.checkpoint(
      token,
      context('ctx', 'SUCCEED', { ContextOptions: { ReplayChildren: true } }),
      context('bad', 'FAIL', { Error: {} }),
    )
    driver.invoke('superseding')
    driver.respond({ Status: 'SUCCEEDED', Result: 'null' })
    return driver
  },
  stopped() {
    const driver = new Driver()
    driver.checkpoint(driver.invoke(), wait('w', 100))
    driver.accept({ kind: 'stop', error: { ErrorMessage: 'enough' } })
    return driver
  },
  deleted() {
    const driver = new Driver()
    driver.checkpoint(driver.invoke(), step('a', 'SUCCEED', { Payload: '1' }))
    driver.respond({ Status: 'SUCCEEDED', Result: '"done"' })
    driver.advance(5_000)
    driver.accept({ kind: 'delete' })
    return driver
  },
  'timed-out'() {
    const driver = new Driver({}, 30)
    driver.checkpoint(driver.invoke(), wait('w', 100))
    driver.respond({ Status: 'PENDING' })
    driver.advance(30_000)
    driver.accept({ kind: 'wake' })
    return driver
  },
  'execution-update'() {
    const driver = new Driver()
    driver.checkpoint(driver.invoke(), { Id: 'r', Type: 'EXECUTION', Action: 'SUCCEED', Payload: '"large"' })
    driver.respond({ Status: 'SUCCEEDED', Result: '' })
    return driver
  },
}

for (const [name, play] of Object.entries(SCENARIOS)) {
  const file = join(import.meta.dirname, 'journals', `v${ENTRY_VERSION}-${name}`)
  if (existsSync(`${file}.journal.jsonl`)) continue
  const { journal } = play()
  writeFileSync(`${file}.journal.jsonl`, `${journal.join('\n')}\n`)
  writeFileSync(`${file}.history.json`, foldedHistory(journal))
  console.log(`recorded ${name}`)
}
